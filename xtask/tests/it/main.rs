//! The project's own tools: what CI's workflows may do, and that a clone's `cargo xtask` reaches the product.

#[cfg(test)]
mod workflows;
