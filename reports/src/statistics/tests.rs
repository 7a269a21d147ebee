//! Tests of all statistics together; each module has its own tests beside it.

mod properties;
mod reference_methods;
mod simulation;
mod vectors;
