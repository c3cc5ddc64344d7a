//! Bodies that come packed.

use std::io::Read;

use flate2::read::MultiGzDecoder;

use super::Reply;

/// Unpacks a body that came with `content-encoding: gzip`. A part of one (206) cannot be unpacked and stays as it is.
pub(super) fn unpack(mut reply: Reply, longest: u64) -> Result<Reply, ureq::Error> {
    let packed = reply.header("content-encoding").is_some_and(|it| it.eq_ignore_ascii_case("gzip"));
    if !packed || reply.status == 206 || reply.body.is_empty() {
        return Ok(reply);
    }
    let mut body = Vec::new();
    MultiGzDecoder::new(&reply.body[..]).take(longest + 1).read_to_end(&mut body)?;
    if body.len() as u64 > longest {
        return Err(ureq::Error::BodyExceedsLimit(longest));
    }
    reply.body = body;
    reply.headers.retain(|(name, _)| name != "content-encoding" && name != "content-length");
    Ok(reply)
}

/// Packs a body as a server would, for tests of those who read it.
///
/// # Errors
/// Never, as it is written to memory.
#[cfg(test)]
pub(super) fn pack(body: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut packed = Vec::new();
    flate2::read::GzEncoder::new(body, flate2::Compression::fast()).read_to_end(&mut packed)?;
    Ok(packed)
}
