//! What stops a run: a signal, or the end of the program that asked for it.

use std::{io, sync::Arc};

use harness::stop::StopSource;
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM},
    iterator::Signals,
};

use crate::terminal::say;

pub(crate) fn stop_on_signals(source: Arc<StopSource>) -> io::Result<()> {
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGQUIT, SIGTERM])?;
    std::thread::spawn(move || {
        // Once: the terminal tells us, and so does the command line's program that it told too.
        let mut announced = false;
        for _ in signals.forever() {
            source.request_stop();
            if !std::mem::replace(&mut announced, true) {
                say("stopping: the engine is shut down and the record is finished");
            }
        }
    });
    Ok(())
}

/// The command line's program holds the other end of standard input. It ends also when that program is killed without a word, and then
/// the run has no recipient left.
pub(crate) fn stop_at_eof(source: Arc<StopSource>) {
    std::thread::spawn(move || {
        let ended = io::copy(&mut io::stdin().lock(), &mut io::sink());
        source.request_stop();
        say(&format!(
            "stopping: the program that asked for this run is gone{}",
            ended.map_or_else(|error| format!(" ({error})"), |_| String::new())
        ));
    });
}
