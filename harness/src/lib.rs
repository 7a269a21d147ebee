//! Everything that touches the world: engines, readiness, the endpoint client, the drive loop, the writer of records.

pub mod clock;
pub mod drive;
pub mod endpoint;
