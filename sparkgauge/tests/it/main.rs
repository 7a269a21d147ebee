//! The program as a person uses it: its command line, its exit codes, its files.
//!
//! - `bad_input`: what is refused, and how that reads.
//! - `calibrate`: noise from runs, and the page of the judge's error rates.
//! - `committed`: the reports and verdicts in reports/runs.
//! - `corpora`: the corpora of the fuzz targets, without a fuzzer.
//! - `sim`: what the twin is fitted to and what it forecasts.
//! - `simulated`: the main job on the simulated Spark in virtual time.
//! - `failures`: engines that fail, disks that fill, interrupts; on a simulated server that runs as a real process.
//! - `container`: the main job in containers and what can go wrong with it; ignored unless Docker and the images are there.
//! - `help`: the pages of verbs, and the glossary.
//! - `outside`: the program alone, in a folder that is no clone.
//! - `pages`: the commands that README.md and docs/ show.
//! - `pull_request`: a run as a comment on a pull request.
//! - `recipe`: what recipes there are, whether they are right, where they come from; what a killed run left.
//! - `testbed`: the main job on real engines; ignored unless the testbed is there.
//! - `verdict`: two runs compared, a baseline accepted, a run held against it.

#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod calibrate;
#[cfg(test)]
mod committed;
#[cfg(test)]
mod container;
#[cfg(test)]
mod corpora;
#[cfg(test)]
mod failures;
#[cfg(test)]
mod help;
#[cfg(test)]
mod outside;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod program;
#[cfg(test)]
mod pull_request;
#[cfg(test)]
mod recipe;
#[cfg(test)]
mod sim;
#[cfg(test)]
mod simulated;
#[cfg(test)]
mod testbed;
#[cfg(test)]
mod verdict;
