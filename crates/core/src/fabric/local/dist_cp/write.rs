//! Files are written from others, piece by piece.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;

use flate2::Compression;
use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;

use super::super::copy::{Result, appear, at, copy_file};
use super::groups::{Found, Output, compression};
use super::options::Codec;
use crate::crash;

/// Writes one file, which appears whole; gives its bytes.
pub(super) fn write(output: &Output, files: &[Found], codec: Codec) -> Result<u64> {
    if let [single] = output.from[..]
        && stays(&files[single], codec)
    {
        // With its mode and time of change.
        return copy_file(&files[single].path, &output.path);
    }
    appear(&output.path, |part| {
        let file = BufWriter::new(File::create(part).map_err(at(part))?);
        let sources = output.from.iter().map(|at| &files[*at]);
        let written = if codec == Codec::Gzip {
            let mut encoder = GzEncoder::new(file, Compression::default());
            join(sources, codec, &mut encoder, &output.path)?;
            encoder.finish()
        } else {
            let mut file = file;
            join(sources, codec, &mut file, &output.path)?;
            Ok(file)
        };
        let flushed = written.and_then(|mut file| file.flush());
        flushed.and_then(|()| part.metadata()).map(|part| part.len()).map_err(at(&output.path))
    })
}

/// Whether the bytes of a file are already as they are to be.
fn stays(file: &Found, codec: Codec) -> bool {
    match codec {
        Codec::Keep => true,
        Codec::Plain => compression(&file.below).is_none(),
        Codec::Gzip => is_gzip(compression(&file.below).as_deref()),
    }
}

fn is_gzip(compression: Option<&str>) -> bool {
    matches!(compression, Some("gz" | "gzip"))
}

/// One file after the other.
fn join<'a>(
    sources: impl Iterator<Item = &'a Found>,
    codec: Codec,
    into: &mut impl Write,
    to: &Path,
) -> Result<()> {
    for source in sources {
        let file = BufReader::new(File::open(&source.path).map_err(at(&source.path))?);
        let compression = compression(&source.below).filter(|_| codec != Codec::Keep);
        match compression.as_deref() {
            None => pass(file, into, &source.path, to)?,
            Some("gz" | "gzip") => pass(MultiGzDecoder::new(file), into, &source.path, to)?,
            Some(other) => {
                let wrong = format!(
                    "files compressed by {other} cannot be read by the built-in s3-dist-cp"
                );
                return Err((source.path.clone(), io::Error::other(wrong)));
            }
        }
    }
    Ok(())
}

/// Passes all on; of a fault it is known on which side it was.
fn pass(mut from: impl Read, into: &mut impl Write, source: &Path, to: &Path) -> Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let length = match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(length) => length,
            Err(err) if err.kind() == io::ErrorKind::Interrupted => continue,
            Err(err) => return Err(at(source)(err)),
        };
        into.write_all(&buffer[..length]).map_err(at(to))?;
    }
}

/// Waits until what was written would be there after the machine went down, and then removes what it was written from.
pub(super) fn remove_sources(outputs: &[Output], files: &[Found]) -> Result<()> {
    for output in outputs {
        settle(&output.path).map_err(at(&output.path))?;
    }
    for source in outputs.iter().flat_map(|output| &output.from) {
        let path = &files[*source].path;
        crash::point("local: before a source is removed");
        fs::remove_file(path).map_err(at(path))?;
        crash::point("local: a source is removed");
    }
    Ok(())
}

fn settle(path: &Path) -> io::Result<()> {
    // Elsewhere folders cannot be opened, nor a file that is only read be flushed.
    if cfg!(unix) {
        File::open(path)?.sync_all()?;
        File::open(path.parent().unwrap_or(path))?.sync_all()?;
    }
    Ok(())
}
