//! The wire: recorded streams under every split, faults over loopback, and what is asked outside trials.

use record::{Observation, PlannedRequest, Release, Role};

mod attached;
mod conformance;
mod connections;
mod documented_metrics;
mod endings;
mod faults;
mod framing;
mod limits;
mod metrics;
mod questions;
mod recorded;
mod requests;
mod script;
mod server;

/// A request that every test may send.
fn request() -> PlannedRequest {
    PlannedRequest {
        id: 7,
        release: Release::At { t_ns: 0 },
        messages: vec![record::Message { role: Role::User, content: "Why?".into() }],
        prompt_tokens: 16,
        output_tokens: 16,
        structured: false,
        sampling_seed: 0,
    }
}

/// An observation that collects its text.
fn unsent() -> Observation {
    let mut observation = Observation::unsent(&request());
    observation.text = Some(String::new());
    observation
}
