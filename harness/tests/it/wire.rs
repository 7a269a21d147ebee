//! The wire: recorded streams under every split, faults over loopback, and what is asked outside trials.

use record::{Observation, PlannedRequest, Release, Role};

mod conformance;
mod documented_metrics;
mod faults;
mod metrics;
mod questions;
mod recorded;
mod requests;
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
