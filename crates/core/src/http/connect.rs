//! How connections come about: through a proxy or not, with TLS or not, and with a mark at the moment at which the
//! first byte of a request leaves, which ureq does not tell.

use std::cell::Cell;
use std::fmt;
use std::io::{self, Read, Write};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use ureq::Error;
use ureq::unversioned::transport::{
    Buffers, ConnectProxyConnector, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout,
    SocksConnector, TcpConnector, Transport, TransportAdapter,
};

use super::trust::Trust;
use crate::bell::Bell;
use crate::crash;

/// Who waits for a reply looks so often whether a signal came.
const GLANCE: Duration = Duration::from_millis(200);

thread_local! {
    // A request is sent, from the first to the last, by the thread that asks for it, but the connection it goes
    // over may have been made for another request: so the mark cannot be the connection's.
    static PROGRESS: Cell<Progress> = const { Cell::new(Progress { connecting: 0, left: false, awaited: false, deadline: None, heeds: false }) };
}

#[derive(Clone, Copy)]
struct Progress {
    /// How many connections are being made, one within the other: the one to a proxy is within the one through it.
    connecting: u32,
    /// Whether bytes of the request left.
    left: bool,
    /// Whether all bytes of the request left: its reply is waited for.
    awaited: bool,
    /// When the request is given up.
    deadline: Option<Instant>,
    /// A signal ends the wait for its reply.
    heeds: bool,
}

/// Forgets the request before; this one is given up after `limit`, and at a signal if it `heeds` that.
pub(super) fn begin(limit: Duration, heeds: bool) {
    let deadline = Instant::now().checked_add(limit);
    PROGRESS.set(Progress { connecting: 0, left: false, awaited: false, deadline, heeds });
}

/// Whether a byte of this thread's last request may have left.
pub(super) fn left() -> bool {
    PROGRESS.get().left
}

/// What is left of the time for a request. What makes connections is told only at its beginning how much there is, and
/// some of it starts to count anew with each byte: so a proxy or a server that trickles could keep us for ever.
fn bounded(mut timeout: NextTimeout) -> Result<NextTimeout, Error> {
    let Some(deadline) = PROGRESS.get().deadline else { return Ok(timeout) };
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(Error::Timeout(timeout.reason));
    }
    if *timeout.after > left {
        timeout.after = left.into();
    }
    Ok(timeout)
}

/// All of it in a row.
pub(super) fn connector(trust: Trust, bell: Arc<Bell>) -> impl Connector<()> {
    Start
        .chain(SocksConnector::default())
        .chain(ConnectProxyConnector::default())
        .chain(TcpConnector::default())
        .chain(Tls { trust, config: OnceLock::new() })
        .chain(End(bell))
}

#[derive(Debug)]
struct Start;

impl Connector<()> for Start {
    type Out = ();

    fn connect(&self, _: &ConnectionDetails<'_>, _: Option<()>) -> Result<Option<()>, Error> {
        let progress = PROGRESS.get();
        PROGRESS.set(Progress { connecting: progress.connecting + 1, ..progress });
        Ok(None)
    }
}

#[derive(Debug)]
struct End(Arc<Bell>);

impl<In: Transport> Connector<In> for End {
    type Out = Marked<In>;

    fn connect(
        &self,
        _: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Marked<In>>, Error> {
        let progress = PROGRESS.get();
        PROGRESS.set(Progress { connecting: progress.connecting.saturating_sub(1), ..progress });
        Ok(chained.map(|it| Marked(it, Arc::clone(&self.0))))
    }
}

/// Notes that something left. What is said while the connection is made (to a proxy, or of TLS) does not count.
#[derive(Debug)]
struct Marked<T: Transport>(T, Arc<Bell>);

impl<T: Transport> Transport for Marked<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.0.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let progress = PROGRESS.get();
        if progress.connecting == 0 && amount > 0 {
            PROGRESS.set(Progress { left: true, ..progress });
        }
        self.0.transmit_output(amount, bounded(timeout)?)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let progress = PROGRESS.get();
        if progress.connecting == 0 && progress.left && !progress.awaited {
            PROGRESS.set(Progress { awaited: true, ..progress });
            crash::point("http: a request is sent");
        }
        let Progress { connecting: 0, heeds: true, .. } = progress else {
            return self.0.await_input(bounded(timeout)?);
        };
        loop {
            let timeout = bounded(timeout)?;
            if *timeout.after <= GLANCE {
                return self.0.await_input(timeout);
            }
            match self.0.await_input(NextTimeout { after: GLANCE.into(), ..timeout }) {
                Err(Error::Timeout(_)) if self.1.pause(Duration::ZERO) => {}
                Err(Error::Timeout(_)) => return Err(Error::Other("a signal came first".into())),
                other => return other,
            }
        }
    }

    fn is_open(&mut self) -> bool {
        self.0.is_open()
    }

    fn is_tls(&self) -> bool {
        self.0.is_tls()
    }
}

/// ureq's own makes its configuration anew for each request that has settings of its own, and all of ours have.
struct Tls {
    trust: Trust,
    config: OnceLock<Result<Arc<ClientConfig>, String>>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tls").field(&self.trust).finish()
    }
}

impl<In: Transport> Connector<In> for Tls {
    type Out = Either<In, Session>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        let Some(transport) = chained else { return Err(Error::ConnectionFailed) };
        if !details.needs_tls() || transport.is_tls() {
            return Ok(Some(Either::A(transport)));
        }
        let config = self.config.get_or_init(|| self.trust.config());
        let config = config.clone().map_err(|e| Error::Other(e.into()))?;
        let host = details.uri.host().unwrap_or_default();
        let name = self.trust.server_name.as_deref().unwrap_or(host).trim_matches(['[', ']']);
        let name = ServerName::try_from(name.to_owned()).map_err(|e| Error::Other(e.into()))?;
        let mut session = ClientConnection::new(config, name).map_err(io::Error::other)?;
        let mut socket =
            TransportAdapter::new(transport.boxed(), Arc::clone(&details.current_time));
        socket.set_timeout(bounded(details.timeout)?);
        session.complete_io(&mut socket)?;
        let (input, output) =
            (details.config.input_buffer_size(), details.config.output_buffer_size());
        let buffers = LazyBuffers::new(input, output);
        Ok(Some(Either::B(Session { buffers, stream: StreamOwned::new(session, socket) })))
    }
}

/// A connection with TLS.
struct Session {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter>,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Session")
    }
}

impl Transport for Session {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.stream.get_mut().set_timeout(timeout);
        self.stream.write_all(&self.buffers.output()[..amount])?;
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.stream.get_mut().set_timeout(timeout);
        let amount = self.stream.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.get_mut().get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_wait_is_longer_than_what_is_left_for_the_request() {
        let hour = Duration::from_secs(3600);
        let timeout = NextTimeout { after: hour.into(), ..NextTimeout::default() };
        begin(Duration::ZERO, false);
        assert!(matches!(bounded(timeout), Err(Error::Timeout(_))));
        begin(hour / 2, false);
        assert!(*bounded(timeout).expect("there is time").after <= hour / 2);
        begin(hour * 2, false);
        assert_eq!(bounded(timeout).expect("there is time").after, hour.into());
    }
}
