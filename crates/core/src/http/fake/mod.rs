//! A small HTTP/1.1 server on this machine, on which the fakes of far sides stand, faults and all.

use std::fmt;
use std::io::{self, Read};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use super::Reply;

mod plan;
mod tempo;
mod wire;

pub(crate) use plan::Plan;
pub(crate) use tempo::Hands;
pub use tempo::Tempo;
use wire::Wire;

/// Serves until it is dropped. Each connection has a thread of its own and is kept open between requests.
pub struct Server {
    address: SocketAddr,
    scheme: &'static str,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

/// A request as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// Such as `POST`.
    pub method: String,
    /// Path and query as they were on the wire; `host:port` of a CONNECT. Of the absolute form that proxies are
    /// sent, scheme and authority are cut off (`host` has the latter).
    pub target: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// Whole, whether it came with a length or in chunks.
    pub body: Vec<u8>,
}

/// What to do with a request. A handler that wants to be slow blocks on something of its own.
#[derive(Clone, Debug)]
pub enum Answer {
    /// A reply. `content-length` and `date` are added where they are missing; with `transfer-encoding: chunked`
    /// the body is sent in chunks of 1 KiB.
    Reply(Reply),
    /// These bytes, then the end of the connection.
    Raw(Vec<u8>),
    /// These bytes (or none), then silence until the other side hangs up.
    Stall(Vec<u8>),
    /// The end of the connection.
    Cut,
    /// `200`, then whatever comes is handed on both ways: what a proxy does at a CONNECT.
    Tunnel(SocketAddr),
}

type Handler = dyn Fn(&Received) -> Answer + Send + Sync;

struct Shared {
    handler: Box<Handler>,
    tls: Option<Arc<rustls::ServerConfig>>,
    stop: AtomicBool,
    accepted: AtomicUsize,
    connections: Mutex<Vec<(TcpStream, JoinHandle<()>)>>,
}

impl Server {
    /// Serves on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// No port to be had.
    pub fn start(
        handler: impl Fn(&Received) -> Answer + Send + Sync + 'static,
    ) -> io::Result<Self> {
        Self::serve(None, Box::new(handler))
    }

    /// The same, over TLS.
    ///
    /// # Errors
    /// No port to be had.
    pub fn start_tls(
        tls: Arc<rustls::ServerConfig>,
        handler: impl Fn(&Received) -> Answer + Send + Sync + 'static,
    ) -> io::Result<Self> {
        Self::serve(Some(tls), Box::new(handler))
    }

    fn serve(tls: Option<Arc<rustls::ServerConfig>>, handler: Box<Handler>) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        let stop = AtomicBool::new(false);
        let accepted = AtomicUsize::new(0);
        let connections = Mutex::default();
        let shared = Arc::new(Shared { handler, tls, stop, accepted, connections });
        let acceptor = thread::Builder::new().name("fake".to_owned()).spawn({
            let shared = Arc::clone(&shared);
            move || accept(&listener, &shared)
        })?;
        Ok(Self { address, scheme, shared, acceptor: Some(acceptor) })
    }

    /// Where it is, such as `http://127.0.0.1:45678`.
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections there have been.
    pub fn accepted(&self) -> usize {
        self.shared.accepted.load(Ordering::SeqCst)
    }

    /// Waits until all is answered that came over connections whose other side has hung up, also over those that are
    /// not accepted yet. There must be no others: it would wait for their end.
    ///
    /// # Errors
    /// It does not answer itself.
    pub fn drain(&self) -> io::Result<()> {
        // Connections are accepted one after the other, so when this one is, all before it are.
        let last = TcpStream::connect(self.address)?;
        let own = last.local_addr()?;
        let is_last = |stream: &TcpStream| stream.peer_addr().is_ok_and(|peer| peer == own);
        loop {
            let mut connections = self.shared.connections();
            if connections.iter().any(|(stream, _)| is_last(stream)) {
                let all = std::mem::take(&mut *connections);
                drop((connections, last));
                for (_, thread) in all {
                    let _ = thread.join();
                }
                return Ok(());
            }
            drop(connections);
            thread::yield_now();
        }
    }

    /// Ends every connection there is; new ones are served.
    pub fn hang_up(&self) {
        for (stream, _) in self.shared.connections().iter() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

/// Ends all connections and waits for their threads, so a handler must not block for ever.
impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        // Wakes the acceptor, which then sees that it is to stop.
        let _ = TcpStream::connect(self.address);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
        self.hang_up();
        let connections = std::mem::take(&mut *self.shared.connections());
        for (_, thread) in connections {
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Server").field(&self.url()).finish()
    }
}

impl Received {
    /// The value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The target without its query.
    pub fn path(&self) -> &str {
        self.target.split_once('?').map_or(&self.target, |(path, _)| path)
    }

    /// The query, as it was on the wire; empty for none.
    pub fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }

    /// The body as text; what is no UTF-8 is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Answer {
    /// A reply with one header, `content-type`.
    pub fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Self::Reply(Reply { status, headers, body: body.into() })
    }
}

impl Shared {
    fn connections(&self) -> MutexGuard<'_, Vec<(TcpStream, JoinHandle<()>)>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.stop.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else { continue };
        shared.accepted.fetch_add(1, Ordering::SeqCst);
        let Ok(twin) = stream.try_clone() else { continue };
        let thread = thread::Builder::new().name("fake connection".to_owned()).spawn({
            let shared = Arc::clone(shared);
            // Whatever goes wrong on a connection is that connection's end.
            move || drop(serve(stream, &shared))
        });
        let mut connections = shared.connections();
        connections.retain(|(_, thread)| !thread.is_finished());
        connections.extend(thread.map(|thread| (twin, thread)));
    }
}

fn serve(stream: TcpStream, shared: &Shared) -> io::Result<()> {
    let raw = stream.try_clone()?;
    // A reply is more than one write, none of which is to wait for the one before it to be acknowledged.
    raw.set_nodelay(true)?;
    let done = match &shared.tls {
        None => converse(Wire::new(stream), &raw, shared),
        Some(tls) => {
            let session =
                rustls::ServerConnection::new(Arc::clone(tls)).map_err(io::Error::other)?;
            converse(Wire::new(rustls::StreamOwned::new(session, stream)), &raw, shared)
        }
    };
    // The list of connections holds a twin of the stream, so dropping ours would not end it.
    let _ = raw.shutdown(Shutdown::Both);
    done
}

fn converse<S: io::Read + io::Write>(
    mut wire: Wire<S>,
    raw: &TcpStream,
    shared: &Shared,
) -> io::Result<()> {
    while let Some((request, keep)) = wire.read()? {
        match (shared.handler)(&request) {
            Answer::Reply(reply) => wire.reply(&request, reply)?,
            Answer::Raw(bytes) => return wire.write(&bytes),
            Answer::Stall(bytes) => {
                wire.write(&bytes)?;
                return wire.wait();
            }
            Answer::Cut => return Ok(()),
            Answer::Tunnel(to) => {
                wire.write(b"HTTP/1.1 200 OK\r\n\r\n")?;
                return tunnel(raw, &TcpStream::connect(to)?);
            }
        }
        if !keep {
            return Ok(());
        }
    }
    Ok(())
}

fn tunnel(near: &TcpStream, far: &TcpStream) -> io::Result<()> {
    let hand_on = |mut from: &TcpStream, mut to: &TcpStream| {
        let done = io::copy(&mut from.by_ref(), &mut to).map(drop);
        let _ = to.shutdown(Shutdown::Both);
        let _ = from.shutdown(Shutdown::Both);
        done
    };
    thread::scope(|scope| {
        scope.spawn(|| hand_on(far, near));
        hand_on(near, far)
    })
}

#[cfg(test)]
mod tests;
