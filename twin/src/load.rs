//! A load, sent to a [`Server`], and when its tokens came: what a client saw, without a client.

use std::{cmp::Reverse, collections::BinaryHeap};

use crate::server::{AdmissionError, BadParams, Params, Server, Submission};

/// When a request is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    /// At a time, in nanoseconds since the load began.
    At(u64),
    /// When the request of this index has its last token. It stands before this one.
    After(usize),
}

/// A request of a load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// When it is sent.
    pub release: Release,
    /// Prompt tokens, at least 1.
    pub prompt_tokens: u32,
    /// How many of them the server has from before.
    pub cached_tokens: u32,
    /// Tokens that it gets, at least 1.
    pub output_tokens: u32,
}

/// Requests in the order in which they are sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Load {
    pub requests: Vec<Request>,
    /// How many the client keeps in flight at most; further ones are sent, in order, as others end. `None` is no limit.
    pub max_in_flight: Option<usize>,
}

/// What a client saw of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServedRequest {
    /// When it was sent, in nanoseconds since the load began.
    pub sent_ns: u64,
    /// When its first token came.
    pub first_ns: u64,
    /// When its last token came.
    pub last_ns: u64,
    pub output_tokens: u32,
}

impl ServedRequest {
    /// Time to first token, in seconds.
    #[must_use]
    pub fn ttft_s(&self) -> f64 {
        self.first_ns.saturating_sub(self.sent_ns) as f64 / 1e9
    }

    /// Seconds per output token after the first; none for a request of one token.
    #[must_use]
    pub fn tpot_s(&self) -> Option<f64> {
        let tokens = self.output_tokens.checked_sub(1).filter(|&tokens| tokens > 0)?;
        Some((self.last_ns - self.first_ns) as f64 / 1e9 / f64::from(tokens))
    }
}

/// Why a load cannot be served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadLoad {
    /// The server cannot be.
    #[error(transparent)]
    Params(#[from] BadParams),
    /// A request can never be served.
    #[error("request {index} of the load: {why}")]
    Refused {
        /// Its place in the load, from 0.
        index: usize,
        why: AdmissionError,
    },
    /// Its limit lets nothing be sent.
    #[error("the load may have no request in flight, so that none is ever sent")]
    NothingInFlight,
    /// It waits for itself or for one behind it.
    #[error("request {index} of the load waits for request {after}, which is not before it")]
    NeverSent {
        /// Its place in the load, from 0.
        index: usize,
        after: usize,
    },
}

/// Serves a load in the server's boot 0, trial 0, and says what a client saw of each of its requests, in their order.
///
/// A request is queued [`Params::accept_ns`] after it was sent.
pub fn serve(params: &Params, seed: u64, load: &Load) -> Result<Vec<ServedRequest>, BadLoad> {
    let mut client = Client::new(params, load)?;
    let mut server = Server::new(params.clone(), seed)?;
    while client.left > 0 {
        let next_ns = server.next_event_ns().into_iter().chain(client.next_ns()).min();
        // Somebody is left, so that something is to happen, unless nothing may be in flight.
        let now_ns = next_ns.ok_or(BadLoad::NothingInFlight)?;
        server.advance_to(now_ns);
        for finished in server.take_finished() {
            let [first_ns, .., last_ns] = finished.stamps_ns[..] else {
                let only_ns = finished.stamps_ns[0];
                client.record_end(finished.id, only_ns, only_ns);
                continue;
            };
            client.record_end(finished.id, first_ns, last_ns);
        }
        while let Some((id, request)) = client.next_arrival(now_ns) {
            let Request { prompt_tokens, cached_tokens, output_tokens, .. } = request;
            let submission = Submission { id, prompt_tokens, cached_tokens, output_tokens, prompt: None };
            server.submit(now_ns, submission).map_err(|why| BadLoad::Refused { index: place(id), why })?;
        }
    }
    Ok(client.served)
}

fn place(id: u64) -> usize {
    usize::try_from(id).unwrap_or(usize::MAX)
}

/// Sends the requests and records when their tokens came.
struct Client<'a> {
    load: &'a Load,
    accept_ns: u64,
    served: Vec<ServedRequest>,
    /// For each request, the ones released by its end.
    followers: Vec<Vec<usize>>,
    /// Released and not sent: their times and places.
    released: BinaryHeap<Reverse<(u64, usize)>>,
    /// Sent and not yet queued at the server, likewise.
    on_their_way: BinaryHeap<Reverse<(u64, usize)>>,
    in_flight: usize,
    left: usize,
}

impl<'a> Client<'a> {
    fn new(params: &Params, load: &'a Load) -> Result<Self, BadLoad> {
        let requests = &load.requests;
        let mut followers = vec![Vec::new(); requests.len()];
        let mut released = BinaryHeap::new();
        for (index, request) in requests.iter().enumerate() {
            params.admits(request.prompt_tokens, request.output_tokens).map_err(|why| BadLoad::Refused { index, why })?;
            match request.release {
                Release::At(t_ns) => released.push(Reverse((t_ns, index))),
                Release::After(after) if after < index => followers[after].push(index),
                Release::After(after) => return Err(BadLoad::NeverSent { index, after }),
            }
        }
        let served = requests
            .iter()
            .map(|request| ServedRequest { sent_ns: 0, first_ns: 0, last_ns: 0, output_tokens: request.output_tokens })
            .collect();
        let (accept_ns, left) = (params.accept_ns, requests.len());
        let mut client =
            Self { load, accept_ns, served, followers, released, on_their_way: BinaryHeap::new(), in_flight: 0, left };
        client.send(0);
        Ok(client)
    }

    /// Sends what is released, as far as its limit allows: those whose time has come at `now_ns`, the others at theirs.
    fn send(&mut self, now_ns: u64) {
        while self.load.max_in_flight.is_none_or(|most| self.in_flight < most) {
            let Some(Reverse((t_ns, index))) = self.released.pop() else { break };
            let sent_ns = t_ns.max(now_ns);
            self.served[index].sent_ns = sent_ns;
            self.in_flight += 1;
            self.on_their_way.push(Reverse((sent_ns.saturating_add(self.accept_ns), index)));
        }
    }

    fn next_ns(&self) -> Option<u64> {
        self.on_their_way.peek().map(|&Reverse((t_ns, _))| t_ns)
    }

    /// The next request that reaches the server by now.
    fn next_arrival(&mut self, now_ns: u64) -> Option<(u64, Request)> {
        let &Reverse((t_ns, index)) = self.on_their_way.peek()?;
        if t_ns > now_ns {
            return None;
        }
        self.on_their_way.pop();
        Some((index as u64, self.load.requests[index]))
    }

    fn record_end(&mut self, id: u64, first_ns: u64, last_ns: u64) {
        let index = place(id);
        (self.served[index].first_ns, self.served[index].last_ns) = (first_ns, last_ns);
        self.in_flight -= 1;
        self.left -= 1;
        for follower in std::mem::take(&mut self.followers[index]) {
            self.released.push(Reverse((last_ns, follower)));
        }
        self.send(last_ns);
    }
}

#[cfg(test)]
mod tests;
