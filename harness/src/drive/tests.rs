//! Tests of the drive loop.
