//! How well the instrument measures: the simulated server over real sockets, held against what that server knows it did.
//!
//! A program of its own, one test at a time: what runs beside it on the same cores would be measured with it.

#[cfg(test)]
mod streams;
