//! Everything that touches the world: engines, readiness, the endpoint client, the drive loop, the writer of records.

pub mod clock;
pub mod dialect;
pub mod drive;
pub mod endpoint;
pub mod engine;
pub mod http;
pub mod journal;
pub mod machine;
pub mod own_cost;
pub mod progress;
pub mod recipe_file;
pub mod request_body;
pub mod sanity;
pub mod session;
pub mod sizing;
pub mod sse;
pub mod stop;
pub mod stream;
pub mod suite;
