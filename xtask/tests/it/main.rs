//! The project's own tools: what CI's workflows may do and who may import whom.

#[cfg(test)]
mod architecture;
#[cfg(test)]
mod workflows;
