//! Between the program and one of its shims: orders go one way, with the open files that they need, and a sign
//! for each that is done comes back. It breaks when either of the two is gone, whatever became of it.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::net::UnixStream;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::cmsg_space;
use rustix::io::retry_on_intr;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use rustix::process::WaitOptions;

use super::Alarm;

/// A longer order is refused. Any empty socket takes one of this length at once, so nobody ever waits to send.
const LONGEST: usize = 32 * 1024;
/// The files that go with an order.
pub(in super::super) const FILES: usize = 3;
/// The length of an order comes first.
const HEAD: usize = size_of::<u32>();

/// One end of it.
#[derive(Debug)]
pub(in super::super) struct Wire(UnixStream);

/// An order as it is sent.
pub(in super::super) struct Letter(Vec<u8>);

impl Letter {
    /// `None` if it cannot go this way: it is too long, or no command line at all.
    pub(in super::super) fn of<'a>(words: impl Iterator<Item = &'a OsStr>) -> Option<Self> {
        let mut order = vec![0; HEAD];
        for word in words.map(OsStr::as_bytes) {
            if word.contains(&0) {
                return None;
            }
            order.extend_from_slice(word);
            order.push(0);
        }
        let length = u32::try_from(order.len() - HEAD).ok().filter(|_| order.len() <= LONGEST)?;
        order[..HEAD].copy_from_slice(&length.to_ne_bytes());
        Some(Self(order))
    }
}

impl Wire {
    /// Its two ends; the second is for the standard input of a shim.
    pub(in super::super) fn pair() -> io::Result<(Self, Stdio)> {
        let (ours, theirs) = UnixStream::pair()?;
        Ok((Self(ours), OwnedFd::from(theirs).into()))
    }

    /// The end that this process was given as its standard input.
    pub(in super::super) fn given() -> io::Result<Self> {
        Ok(Self(io::stdin().as_fd().try_clone_to_owned()?.into()))
    }

    /// Gives an order to a shim that has nothing to do. Never waits.
    ///
    /// # Errors
    /// The shim is gone, or takes nothing more: the order did not arrive.
    pub(in super::super) fn send(&self, order: &Letter, files: [&File; FILES]) -> io::Result<()> {
        let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(FILES))];
        let mut rights = SendAncillaryBuffer::new(&mut space);
        let files = files.map(AsFd::as_fd);
        rights.push(SendAncillaryMessage::ScmRights(&files));
        let text = [IoSlice::new(&order.0)];
        let sent = retry_on_intr(|| sendmsg(&self.0, &text, &mut rights, SendFlags::NOSIGNAL))?;
        // A part of it makes no order: whoever reads it waits for the rest, and then sees that we are gone.
        if sent == order.0.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
    }

    /// The next order for this shim, its words and its files; `None`: there is none for so long, somebody asked
    /// the shim to stop, or the program is gone or has no more.
    pub(in super::super) fn next(
        &self,
        alarm: &Alarm,
        idle: Duration,
    ) -> io::Result<Option<(Vec<OsString>, [File; FILES])>> {
        let until = Instant::now() + idle;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if alarm.asked() || left.is_zero() {
                // What has arrived is ours; whoever gives an order after this learns that it did not arrive.
                _ = self.0.shutdown(Shutdown::Read);
                return self.receive();
            }
            if alarm.wait_or(self.as_fd(), left) {
                return self.receive();
            }
        }
    }

    /// Waits for an order. `None`: no more will come.
    fn receive(&self) -> io::Result<Option<(Vec<OsString>, [File; FILES])>> {
        let mut buffer = vec![0; LONGEST];
        let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(FILES))];
        let mut rights = RecvAncillaryBuffer::new(&mut space);
        let mut slices = [IoSliceMut::new(&mut buffer)];
        let flags = RecvFlags::CMSG_CLOEXEC;
        let received = retry_on_intr(|| recvmsg(&self.0, &mut slices, &mut rights, flags))?;
        let mut size = received.bytes;
        let mut files: Vec<File> = Vec::with_capacity(FILES);
        for message in rights.drain() {
            if let RecvAncillaryMessage::ScmRights(received) = message {
                files.extend(received.map(File::from));
            }
        }
        if size == 0 {
            return Ok(None);
        }
        // The kernel may cut it in pieces; there is never more than one order on its way.
        self.fill(&mut buffer, &mut size, HEAD)?;
        let length = buffer.first_chunk().map_or(0, |head| u32::from_ne_bytes(*head));
        let end = HEAD.saturating_add(usize::try_from(length).unwrap_or(usize::MAX));
        self.fill(&mut buffer, &mut size, end)?;
        let words = buffer[HEAD..end].split_inclusive(|byte| *byte == 0);
        let words = words.map(|word| OsString::from_vec(word[..word.len() - 1].to_vec())).collect();
        let files = files.try_into().map_err(|_| io::ErrorKind::InvalidData)?;
        Ok(Some((words, files)))
    }

    /// Reads until so many bytes of the buffer are those of the order.
    fn fill(&self, buffer: &mut [u8], size: &mut usize, end: usize) -> io::Result<()> {
        if *size < end {
            let rest = buffer.get_mut(*size..end).ok_or(io::ErrorKind::InvalidData)?;
            (&self.0).read_exact(rest)?;
            *size = end;
        }
        Ok(())
    }

    /// Says that the order is done and another may come.
    pub(in super::super) fn done(&self) -> io::Result<()> {
        (&self.0).write_all(&[1])
    }

    /// Waits until an order is done and another may be given; `false`: the shim takes no more.
    pub(in super::super) fn wait_done(&self) -> bool {
        (&self.0).read_exact(&mut [0]).is_ok()
    }

    /// Gives no order any more.
    pub(in super::super) fn close(&self) {
        _ = self.0.shutdown(Shutdown::Write);
    }
}

impl AsFd for Wire {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Whether nothing is left of what this process started, wherever it hid; its dead children are buried. It is
/// known because orphans become children of this process, see [`super::detach`].
pub(in super::super) fn is_alone() -> bool {
    loop {
        match rustix::process::wait(WaitOptions::NOHANG) {
            Ok(Some(_)) | Err(rustix::io::Errno::INTR) => {}
            Ok(None) => return false,
            Err(err) => return err == rustix::io::Errno::CHILD,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Option<Letter> {
        Letter::of(words.iter().map(OsStr::new))
    }

    #[test]
    fn orders_arrive_whole_or_not_at_all() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let (ours, theirs) = (Wire(ours), Wire(theirs));
        let file = tempfile::tempfile().unwrap();
        let long = "x".repeat(LONGEST - HEAD - 4);
        for order in [&["a", "", "b c"][..], &[], &["", &long, ""]] {
            ours.send(&words(order).unwrap(), [&file; FILES]).unwrap();
            let (received, files) = theirs.receive().unwrap().expect("an order");
            assert_eq!((received, files.len()), (order.iter().map(OsString::from).collect(), 3));
            theirs.done().unwrap();
            assert!(ours.wait_done());
        }
        for bad in [&["a\0b"][..], &[&long, "1234"]] {
            assert!(words(bad).is_none());
        }
        // One that was sent before the other end had enough still arrives, one after that does not.
        let order = words(&["last"]).unwrap();
        ours.send(&order, [&file; FILES]).unwrap();
        theirs.0.shutdown(Shutdown::Read).unwrap();
        assert_eq!(
            ours.send(&order, [&file; FILES]).unwrap_err().kind(),
            io::ErrorKind::BrokenPipe
        );
        assert_eq!(theirs.receive().unwrap().unwrap().0, ["last"]);
        assert!(theirs.receive().unwrap().is_none());
        drop(theirs);
        assert!(!ours.wait_done());
    }

    #[test]
    fn half_an_order_is_none() {
        let order = words(&["touch", "file"]).unwrap().0;
        for cut in 1..order.len() {
            let (ours, theirs) = UnixStream::pair().unwrap();
            (&ours).write_all(&order[..cut]).unwrap();
            drop(ours);
            assert!(Wire(theirs).receive().is_err(), "cut at {cut}");
        }
        let (ours, theirs) = UnixStream::pair().unwrap();
        (&ours).write_all(&[0xff; 100]).unwrap();
        assert!(Wire(theirs).receive().is_err());
    }
}
