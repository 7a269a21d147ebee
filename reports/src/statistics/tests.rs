//! Tests of all statistics together; each module has its own tests beside it.

mod beside;
mod properties;
mod simulation;
mod vectors;
