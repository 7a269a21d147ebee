//! The client's hot path and nothing else, so that its instructions can be counted: `hot_path DIALECT ANSWERS` reads that many answers
//! of 1024 events, one event per read, as the client does. `cargo xtask instructions` counts them.

use std::{env, hint::black_box};

use events::{EVENTS, event, unsent};
use harness::{dialect::dialect, sse::DEFAULT_MAX_EVENT_BYTES, stream::AnswerStream};
use record::DialectName;

#[path = "../benches/sse/events.rs"]
mod events;

fn main() -> Result<(), String> {
    let mut arguments = env::args().skip(1);
    let (Some(name), Some(answers)) = (arguments.next(), arguments.next()) else {
        return Err("usage: hot_path DIALECT ANSWERS".to_owned());
    };
    let name: DialectName = name.parse()?;
    let answers: usize = answers.parse().map_err(|error| format!("ANSWERS: {error}"))?;
    let reads: Vec<String> = (1..=EVENTS).map(|token| event(name, token)).collect();
    for _ in 0..answers {
        let mut observation = unsent();
        let mut stream = AnswerStream::new(dialect(name), DEFAULT_MAX_EVENT_BYTES);
        for (t_ns, read) in (0..).zip(&reads) {
            stream.read(t_ns, black_box(read.as_bytes()), &mut observation);
        }
        if observation.chunks.len() != EVENTS {
            return Err(format!("{} chunks of {EVENTS} events: {:?}", observation.chunks.len(), stream.finish(&mut observation)));
        }
        black_box(&observation);
    }
    Ok(())
}
