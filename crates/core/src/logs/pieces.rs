//! The bytes of a log file, piece by piece, unpacked if they are packed.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;

use crate::fabric::{Chunk, Error, Fabric, LogFile};

/// How every member of a gzip file begins (RFC 1952, 2.3.1).
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Bytes that are unpacked at once. What a damaged file held in its last piece is lost, so it is small.
const PIECE: usize = 4 << 10;

/// Somebody is asked whether to go on after so many pieces that were unpacked, too: a few bytes may unpack to gigabytes.
const BREATH: u32 = 1 << 10;

/// How the reading of a file ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// At the file's end.
    Whole,
    /// In the middle of a packed file.
    Truncated,
    /// At bytes that are not what gzip writes.
    Damaged(String),
    /// At its end, but it is not the gzip its name says.
    NotPacked,
    /// Where somebody said so.
    Stopped,
    /// At an error of the fabric.
    Unread(Error),
}

/// A log file as the fabric gives it.
pub(super) struct Pieces<'a> {
    fabric: &'a dyn Fabric,
    file: &'a LogFile,
    go_on: &'a mut dyn FnMut() -> bool,
    /// What was read and not taken yet.
    held: Vec<u8>,
    taken: usize,
    /// How far it was read.
    from: u64,
    at_end: bool,
    /// Why it ended early.
    early: Option<End>,
}

impl<'a> Pieces<'a> {
    /// From its beginning.
    pub(super) fn new(
        fabric: &'a dyn Fabric,
        file: &'a LogFile,
        go_on: &'a mut dyn FnMut() -> bool,
    ) -> Self {
        let held = Vec::new();
        Self { fabric, file, go_on, held, taken: 0, from: 0, at_end: false, early: None }
    }

    /// From this byte on.
    pub(super) fn from(mut self, byte: u64) -> Self {
        self.from = byte;
        self
    }

    fn next(&mut self) {
        if !(self.go_on)() {
            self.early = Some(End::Stopped);
            return;
        }
        match self.fabric.read(self.file, self.from) {
            Ok(Chunk { bytes, at_end }) => {
                self.from += bytes.len() as u64;
                // What a step has left behind may write on for ever, and faster than we read.
                let listed = self.file.size.is_some_and(|size| self.from >= size);
                self.at_end = at_end || bytes.is_empty() || listed;
                (self.held, self.taken) = (bytes, 0);
            }
            Err(error) => self.early = Some(End::Unread(error)),
        }
    }
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.taken == self.held.len() {
            if self.at_end || self.early.is_some() {
                return Ok(0);
            }
            self.next();
        }
        let read = (&self.held[self.taken..]).read(buffer)?;
        self.taken += read;
        Ok(read)
    }
}

/// Whether its name says that it is packed. It may be that of the log, without what is the file's.
pub(super) fn is_named_packed(file: &LogFile) -> bool {
    [&file.name, &file.place].iter().any(|name| name.ends_with(".gz"))
}

/// Gives all bytes of a file to `sink`, unpacked, as far as they go.
pub(super) fn copy(pieces: Pieces<'_>, sink: &mut dyn FnMut(&[u8])) -> End {
    let named_packed = is_named_packed(pieces.file);
    let mut raw = BufReader::with_capacity(PIECE, pieces);
    // A piece has at least the two bytes, unless it is the whole file.
    let packed = raw.fill_buf().is_ok_and(|first| first.starts_with(&GZIP));
    let empty = raw.buffer().is_empty();
    if !packed {
        let end = read_all(&mut raw, sink, &mut |_| true).map_or_else(damaged, |()| End::Whole);
        let end = if named_packed && !empty && end == End::Whole { End::NotPacked } else { end };
        return raw.get_mut().early.take().unwrap_or(end);
    }
    let mut unpacked = MultiGzDecoder::new(&mut raw);
    let mut go_on = |from: &mut MultiGzDecoder<&mut BufReader<Pieces<'_>>>| asked(from.get_mut());
    let end = match read_all(&mut unpacked, sink, &mut go_on) {
        Ok(()) => End::Whole,
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => End::Truncated,
        Err(error) => damaged(error),
    };
    raw.get_mut().early.take().unwrap_or(end)
}

fn asked(raw: &mut BufReader<Pieces<'_>>) -> bool {
    let pieces = raw.get_mut();
    let goes_on = (pieces.go_on)();
    if !goes_on {
        pieces.early = Some(End::Stopped);
    }
    goes_on
}

fn damaged(error: io::Error) -> End {
    End::Damaged(error.to_string())
}

fn read_all<R: Read>(
    from: &mut R,
    sink: &mut dyn FnMut(&[u8]),
    go_on: &mut dyn FnMut(&mut R) -> bool,
) -> io::Result<()> {
    let mut buffer = [0; PIECE];
    let mut pieces: u32 = 0;
    loop {
        match from.read(&mut buffer)? {
            0 => return Ok(()),
            read => sink(&buffer[..read]),
        }
        pieces = pieces.wrapping_add(1);
        if pieces.is_multiple_of(BREATH) && !go_on(from) {
            return Ok(());
        }
    }
}
