//! One TCP connection, written to and read from on the thread that measures.

use std::{
    cell::{Cell, RefCell},
    io,
    net::SocketAddr,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
    time::Duration,
};

use crate::runtime::count_read;
use bytes::{Buf, Bytes};
use rustix::net::{RecvFlags, recv};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::Instant,
};

/// Idle connections are not used once a server may be about to close them: uvicorn and llama.cpp do so after 5 s, and a request written
/// into that moment is lost.
pub(super) const IDLE: Duration = Duration::from_secs(4);

/// The largest read, in bytes.
const READ_BYTES: usize = 64 << 10;

/// Reads in a row from one connection. One that always has more must let the others have their turn.
const READS_IN_A_ROW: u32 = 16;

/// Counts of what the endpoint's connections have done.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) opened: Cell<u64>,
    pub(super) reads: Cell<u64>,
    pub(super) full_reads: Cell<u64>,
    pub(super) blocked_writes: Cell<u64>,
    pub(super) sent_again: Cell<u64>,
}

pub(super) fn count(counter: &Cell<u64>) {
    counter.set(counter.get() + 1);
}

/// State that all connections of an endpoint share: they are used on one thread, one at a time, so that one place to read into is enough.
#[derive(Debug)]
pub(super) struct ConnectionContext {
    pub(super) counters: Counters,
    buffer: RefCell<Box<[u8]>>,
}

impl Default for ConnectionContext {
    fn default() -> Self {
        Self { counters: Counters::default(), buffer: RefCell::new(vec![0; READ_BYTES].into()) }
    }
}

#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    shared: Rc<ConnectionContext>,
    /// The part of the request that is not written yet.
    unwritten: Bytes,
    /// Why writing failed. The answer may have come all the same, so that reading goes on.
    write_error: Option<io::Error>,
}

impl Connection {
    pub(super) async fn open(addresses: &[SocketAddr], shared: &Rc<ConnectionContext>) -> io::Result<Self> {
        let stream = TcpStream::connect(addresses).await?;
        // Without this the end of a long request would wait for an acknowledgement.
        stream.set_nodelay(true)?;
        leave_acknowledgements_to_the_kernel(&stream);
        count(&shared.counters.opened);
        Ok(Self { stream, shared: Rc::clone(shared), unwritten: Bytes::new(), write_error: None })
    }

    /// Begins to write a request: hands over at once what the kernel takes. The rest is written while the answer is awaited.
    pub(super) fn begin_write(&mut self, request: Bytes) {
        self.unwritten = request;
        while !self.unwritten.is_empty() {
            match self.stream.try_write(&self.unwritten) {
                Ok(written) => self.unwritten.advance(written),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    count(&self.shared.counters.blocked_writes);
                    return;
                }
                Err(error) => return self.give_up_writing(error),
            }
        }
    }

    /// Whether all of the request is with the kernel.
    pub(super) fn is_written(&self) -> bool {
        self.unwritten.is_empty() && self.write_error.is_none()
    }

    /// Why writing failed, if it did.
    pub(super) fn take_write_error(&mut self) -> Option<io::Error> {
        self.write_error.take()
    }

    fn give_up_writing(&mut self, error: io::Error) {
        self.unwritten = Bytes::new();
        self.write_error = Some(error);
    }

    fn poll_write(&mut self, context: &mut Context<'_>) {
        while !self.unwritten.is_empty() {
            match Pin::new(&mut self.stream).poll_write(context, &self.unwritten) {
                Poll::Ready(Ok(written)) => self.unwritten.advance(written),
                Poll::Ready(Err(error)) => self.give_up_writing(error),
                Poll::Pending => return,
            }
        }
    }

    /// Reads until `take` is satisfied or there is nothing to read. It is given the bytes of each read, none at the server's end of the
    /// connection, and says with what to go on.
    pub(super) fn poll_reads<T>(
        &mut self,
        context: &mut Context<'_>,
        mut take: impl FnMut(&[u8]) -> Option<T>,
    ) -> Poll<io::Result<T>> {
        self.poll_write(context);
        let shared = Rc::clone(&self.shared);
        let mut buffer = shared.buffer.borrow_mut();
        for _ in 0..READS_IN_A_ROW {
            let mut read = ReadBuf::new(&mut buffer);
            match Pin::new(&mut self.stream).poll_read(context, &mut read) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Ready(Ok(())) => (),
            }
            count(&shared.counters.reads);
            count_read();
            if read.remaining() == 0 {
                count(&shared.counters.full_reads);
            }
            if let Some(taken) = take(read.filled()) {
                return Poll::Ready(Ok(taken));
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }

    /// Whether the server has neither closed it nor said anything unasked.
    fn is_quiet(&self) -> bool {
        // The kernel is asked itself: tokio learns of a close only when it next waits.
        let peeked = recv(&self.stream, &mut [0; 1], RecvFlags::PEEK | RecvFlags::DONTWAIT);
        matches!(peeked, Err(rustix::io::Errno::AGAIN))
    }
}

/// Acknowledges every other segment instead of each at once (`tcp(7)`, `TCP_QUICKACK`): an acknowledgement per token is a packet through the
/// whole stack, a third of what a token costs the client, and no server waits for it.
#[cfg(target_os = "linux")]
fn leave_acknowledgements_to_the_kernel(stream: &TcpStream) {
    // Only a saving; a kernel that refuses it loses nothing else.
    let _ = rustix::net::sockopt::set_tcp_quickack(stream, false);
}

#[cfg(not(target_os = "linux"))]
fn leave_acknowledgements_to_the_kernel(_: &TcpStream) {}

/// Connections that are open and without a request.
#[derive(Debug, Default)]
pub(super) struct Pool(RefCell<Vec<(Instant, Connection)>>);

impl Pool {
    /// Keeps a connection for a later request.
    pub(super) fn put(&self, connection: Connection) {
        self.0.borrow_mut().push((Instant::now(), connection));
    }

    /// The connection that was used last, if it can still be used. Those that cannot are closed.
    pub(super) fn take(&self) -> Option<Connection> {
        let mut idle = self.0.borrow_mut();
        while let Some((since, connection)) = idle.pop() {
            if since.elapsed() < IDLE && connection.is_quiet() {
                return Some(connection);
            }
        }
        None
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.borrow().len()
    }

    /// Closes all of them.
    pub(super) fn clear(&self) {
        self.0.borrow_mut().clear();
    }
}
