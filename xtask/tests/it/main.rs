//! The project's own tools: what CI's workflows may do, which imports are allowed, and that a clone's `cargo xtask` reaches the product.

#[cfg(test)]
mod architecture;
#[cfg(test)]
mod product;
#[cfg(test)]
mod workflows;
