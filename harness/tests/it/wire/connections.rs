//! Which connection a request takes: no answer of another request, and no end of an old connection, may be taken for its own.

use std::{
    io::{BufReader, Read, Write},
    net::{Shutdown, TcpStream},
    sync::Mutex,
    thread,
    time::Duration,
};

use harness::{
    clock::{RealClock, TrialClock},
    endpoint::Endpoint,
    http::HttpOptions,
};
use record::{DialectName, Message, Observation, Outcome, Role};

use super::{
    script::{DONE, STOP, event},
    server::{LAST_CHUNK, STREAM_HEAD, Server, ServerTraffic, answer, read_request, run, send},
};

/// A whole answer with this text.
fn saying(text: &str) -> String {
    let token = event(&format!(r#"{{"choices":[{{"delta":{{"content":"{text}"}}}}]}}"#));
    format!("{STREAM_HEAD}{token}{}{}{LAST_CHUNK}", event(STOP), event(DONE))
}

/// Reads a request, whole, and keeps it.
fn take(stream: &TcpStream, seen: &Mutex<ServerTraffic>) {
    let request = read_request(&mut BufReader::new(stream.try_clone().unwrap())).unwrap();
    seen.lock().unwrap().requests.push(request);
}

fn texts(server: &Server, requests: usize) -> Vec<(Outcome, String)> {
    let endpoint = server.endpoint(DialectName::Openai, HttpOptions::default());
    run(async {
        let mut texts = Vec::new();
        for _ in 0..requests {
            let seen = send(&endpoint).await;
            texts.push((seen.outcome, seen.text.unwrap()));
        }
        texts
    })
}

fn complete(text: &str) -> (Outcome, String) {
    (Outcome::Complete, text.to_owned())
}

#[test]
fn unsolicited_answer_is_discarded() {
    let server = Server::raw(|number, mut stream, seen| {
        take(&stream, seen);
        let both = saying(&format!("own {number}")) + &saying("of nobody");
        stream.write_all(both.as_bytes()).unwrap();
        let _ = stream.read(&mut [0]);
    });
    assert_eq!(texts(&server, 3), [complete("own 0"), complete("own 1"), complete("own 2")]);
    assert_eq!(server.seen.lock().unwrap().connections, 3);
}

#[test]
fn closed_idle_connection_is_not_used() {
    // It was closed before the next request was thought of.
    let server = Server::raw(|number, mut stream, seen| {
        take(&stream, seen);
        stream.write_all(saying(&format!("own {number}")).as_bytes()).unwrap();
        stream.shutdown(Shutdown::Both).unwrap();
    });
    let endpoint = server.endpoint(DialectName::Openai, HttpOptions::default());
    run(async {
        let clock = RealClock::start();
        let trial = TrialClock::begin(&clock);
        for number in 0..3 {
            let seen = send(&endpoint).await;
            assert_eq!((seen.outcome, seen.text.unwrap()), complete(&format!("own {number}")));
            trial.sleep_until(trial.now_ns() + 20_000_000).await;
        }
    });
    assert_eq!(server.seen.lock().unwrap().requests.len(), 3);
}

#[test]
fn request_on_connection_ending_as_it_is_used_is_resent() {
    // The close and the next request cross. Each request is read once at most, and answered.
    let server = Server::raw(|number, mut stream, seen| {
        take(&stream, seen);
        stream.write_all(saying(&format!("own {number}")).as_bytes()).unwrap();
    });
    for (number, (outcome, text)) in texts(&server, 50).into_iter().enumerate() {
        assert_eq!((outcome, text), complete(&format!("own {number}")));
    }
    assert_eq!(server.seen.lock().unwrap().requests.len(), 50);
}

#[test]
fn unread_request_is_resent_over_another_connection() {
    let server = Server::raw(|number, mut stream, seen| {
        take(&stream, seen);
        stream.write_all(saying(&format!("own {number}")).as_bytes()).unwrap();
        if number == 0 {
            // The next request has come, and is thrown away unread with its connection: a reset.
            stream.peek(&mut [0]).unwrap();
            return;
        }
        let _ = stream.read(&mut [0]);
    });
    assert_eq!(texts(&server, 2), [complete("own 0"), complete("own 1")]);
    let seen = server.seen.lock().unwrap();
    assert_eq!((seen.connections, seen.requests.len()), (2, 2));
}

#[test]
fn delayed_close_without_answer_is_a_disconnection() {
    let server = Server::raw(|number, mut stream, seen| {
        take(&stream, seen);
        stream.write_all(saying(&format!("own {number}")).as_bytes()).unwrap();
        take(&stream, seen);
        thread::sleep(Duration::from_millis(50));
    });
    let options = HttpOptions { crossed_ns: 20_000_000, ..HttpOptions::default() };
    let endpoint = server.endpoint(DialectName::Openai, options);
    let (first, second) = run(async { (send(&endpoint).await, send(&endpoint).await) });
    assert_eq!(first.outcome, Outcome::Complete);
    assert!(matches!(second.outcome, Outcome::Disconnected { .. }), "{:?}", second.outcome);
    let seen = server.seen.lock().unwrap();
    assert_eq!((seen.connections, seen.requests.len()), (1, 2));
}

#[test]
fn interim_answer_does_not_start_head_timeout() {
    let server = Server::raw(|_, mut stream, seen| {
        take(&stream, seen);
        stream.write_all(b"HTTP/1.1 103 Early Hints\r\n\r\n").unwrap();
        thread::sleep(Duration::from_millis(80));
        stream.write_all(saying("own").as_bytes()).unwrap();
    });
    let endpoint = server.endpoint(DialectName::Openai, HttpOptions { head_ns: 30_000_000, ..HttpOptions::default() });
    let seen = run(send(&endpoint));
    assert_eq!((seen.outcome, seen.text.unwrap()), complete("own"));
}

#[test]
fn new_connection_closed_without_answer_is_a_disconnection() {
    let server = Server::raw(|_, stream, _| {
        stream.peek(&mut [0]).unwrap();
    });
    let all = texts(&server, 2);
    assert!(all.iter().all(|(outcome, _)| matches!(outcome, Outcome::Disconnected { .. })), "{all:?}");
    assert_eq!(server.seen.lock().unwrap().connections, 2);
}

/// A request of 8 MiB, more than sockets hold.
async fn send_long(server: &Server) -> Observation {
    let endpoint = server.endpoint(DialectName::Openai, HttpOptions::default());
    let clock = RealClock::start();
    let trial = TrialClock::begin(&clock);
    let content = "word ".repeat(8 << 20 >> 2).into();
    let request = record::PlannedRequest { messages: vec![Message { role: Role::User, content }], ..super::request() };
    let mut observation = super::unsent();
    observation.outcome = endpoint.send(&request, &trial, &mut observation).await;
    observation
}

#[test]
fn answer_before_request_is_read_is_accepted() {
    let early = |bytes: String| {
        let server = Server::raw(move |_, mut stream, _| {
            stream.read_exact(&mut [0; 64]).unwrap();
            stream.write_all(bytes.as_bytes()).unwrap();
            // As servers do that refuse what is too long: they read on for a while, else the reset would swallow their words.
            thread::sleep(Duration::from_millis(50));
            let _ = stream.read_to_end(&mut Vec::new());
        });
        run(send_long(&server))
    };
    let refused = early(answer("413 Payload Too Large", "too long"));
    assert_eq!(refused.outcome, Outcome::Rejected { status: 413, detail: "too long".to_owned() });
    let answered = early(saying("own"));
    assert_eq!((answered.outcome, answered.text.unwrap()), complete("own"));
}
