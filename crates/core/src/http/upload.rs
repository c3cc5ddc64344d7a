//! The body of a request that is read while it is sent.

use std::io::{self, Read};
use std::time::Duration;

use crate::bell::Bell;

/// So many bytes of something.
pub(super) struct Measured<'a> {
    body: &'a mut dyn Read,
    size: u64,
    left: u64,
    bell: &'a Bell,
}

impl<'a> Measured<'a> {
    pub(super) fn new(body: &'a mut dyn Read, size: u64, bell: &'a Bell) -> Self {
        Self { body, size, left: size, bell }
    }

    /// In bytes.
    pub(super) fn size(&self) -> u64 {
        self.size
    }
}

impl Read for Measured<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if !self.bell.pause(Duration::ZERO) {
            return Err(io::Error::other("a signal came first"));
        }
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(into.len());
        let count = self.body.read(&mut into[..most])?;
        // Whoever sends it would wait for ever for the rest.
        if count == 0 && most > 0 {
            let missing = format!("the last {} of {} bytes are missing", self.left, self.size);
            return Err(io::Error::other(missing));
        }
        self.left -= count as u64;
        Ok(count)
    }
}
