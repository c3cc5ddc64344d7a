//! s3-dist-cp, as playbooks for EMR use it: the program's own binary copies and joins files.
//!
//! <https://docs.aws.amazon.com/emr/latest/ReleaseGuide/UsingEMR_s3distcp.html>. What a playbook may rely on there holds here:
//!
//! - Patterns are regular expressions of Java that have to match the whole path, as the playbook names it
//!   (`s3://bucket/in/part-0`), wherever the file lies here.
//! - With `--groupBy` what does not match is not copied.
//! - It fails where nothing is to be copied, since Hadoop finds no list of files then
//!   (<https://github.com/snowplow/snowplow/issues/4205>, <https://github.com/snowplow/snowplow/issues/312>).
//!
//! Differently from there, files appear whole or not at all, none is written over one that is still to be read, and sources are
//! removed only after all was written.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::copy::{Result, at, walk};

mod groups;
pub(super) mod options;
mod pattern;
mod wish;
mod write;

use groups::{Found, Output, Wish};
pub(super) use wish::{Kind, judge};

/// The first argument of the program that makes it do this.
pub const ARGUMENT: &str = "__s3-dist-cp";

/// Copies; `arguments` are those after [`ARGUMENT`]: the source as the playbook names it, which patterns see, and then the
/// options of s3-dist-cp with a `--src` and a `--dest` of this machine.
///
/// What was written goes to `out`, options that have no meaning here to `err`. Gives the exit code: 0; 1 with a message to
/// `err` where nothing was to be copied, or something could not be; 2 for wrong arguments.
pub fn main(
    arguments: impl Iterator<Item = OsString>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> u8 {
    let words: Vec<_> = arguments.map(|word| word.to_string_lossy().into_owned()).collect();
    let Some((uri, words)) = words.split_first() else {
        _ = writeln!(err, "usage: {ARGUMENT} URI --src PATH --dest PATH [OPTION…]");
        return 2;
    };
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let (order, troubles) = judge(&words);
    for trouble in &troubles {
        let what = trouble.at.map_or("s3-dist-cp", |at| words[at]);
        _ = writeln!(err, "`{what}` {}", trouble.wrong);
    }
    let Some(order) = order else { return 2 };
    let written = run(uri, Path::new(order.src), Path::new(order.dest), order.delete, &order.wish);
    match written {
        Ok(Written { files, bytes, sources }) => {
            _ = writeln!(out, "{files} files, {bytes} bytes written from {sources} files");
            0
        }
        Err((path, cause)) => {
            _ = writeln!(err, "cannot copy `{}`: {cause}", path.display());
            1
        }
    }
}

/// What was done.
struct Written {
    files: usize,
    bytes: u64,
    sources: usize,
}

fn run(uri: &str, source: &Path, destination: &Path, delete: bool, wish: &Wish) -> Result<Written> {
    let files = list(uri, source)?;
    let wrong = |wrong: String| (source.to_owned(), io::Error::other(wrong));
    let outputs = wish.outputs(&files, destination, Path::exists).map_err(wrong)?;
    if outputs.is_empty() {
        return Err(wrong(
            "no file is to be copied, with which s3-dist-cp fails; `onResult` or `CONTINUE` can make that right"
                .to_owned(),
        ));
    }
    let outputs = apart(outputs, &files)?;
    let mut bytes = 0;
    for output in &outputs {
        bytes += write::write(output, &files, wish.codec)?;
    }
    if delete {
        write::remove_sources(&outputs, &files)?;
    }
    let sources = outputs.iter().map(|output| output.from.len()).sum();
    Ok(Written { files: outputs.len(), bytes, sources })
}

/// The files below the source, sorted by their paths; the source may be one itself.
fn list(uri: &str, source: &Path) -> Result<Vec<Found>> {
    let uri = plain(uri);
    let metadata = source.metadata().map_err(at(source))?;
    if !metadata.is_dir() {
        let name = source.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (path, size) = (source.to_owned(), metadata.len());
        return Ok(vec![Found { below: name, seen: uri, path, size }]);
    }
    let mut files = Vec::new();
    let above = source.canonicalize().map_err(at(source))?;
    walk(source, &mut Vec::new(), &mut vec![above], &mut files)?;
    let found = |names: Vec<OsString>| {
        let path = source.join(names.iter().collect::<PathBuf>());
        let names: Vec<_> = names.iter().map(|name| name.to_string_lossy()).collect();
        let below = names.join("/");
        let size = path.metadata().map_err(at(&path))?.len();
        Ok(Found { seen: format!("{uri}/{below}"), below, path, size })
    };
    let mut files = files.into_iter().map(found).collect::<Result<Vec<_>>>()?;
    files.sort_by(|one, other| one.below.cmp(&other.below));
    Ok(files)
}

/// A URI as Hadoop writes paths: without a slash at its end, and with one where there were many.
fn plain(uri: &str) -> String {
    let (head, path) = match uri.split_once("://") {
        Some((scheme, rest)) => {
            let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            (format!("{scheme}://{host}"), path)
        }
        None => (String::new(), uri),
    };
    let names: Vec<_> = path.split('/').filter(|name| !name.is_empty()).collect();
    let slash = if path.starts_with('/') && !names.is_empty() { "/" } else { "" };
    format!("{head}{slash}{}", names.join("/"))
}

/// Leaves out what already is where it is to be, and refuses to write over what is still to be read.
fn apart(outputs: Vec<Output>, files: &[Found]) -> Result<Vec<Output>> {
    let canonical = |path: &Path| path.canonicalize().map_err(at(path));
    let sources = outputs.iter().flat_map(|output| &output.from);
    let sources = sources.map(|at| canonical(&files[*at].path)).collect::<Result<BTreeSet<_>>>()?;
    let mut kept = Vec::new();
    for output in outputs {
        // What is not there can be no source.
        let there = output.path.canonicalize().ok();
        let Some(there) = there.filter(|there| sources.contains(there)) else {
            kept.push(output);
            continue;
        };
        let itself = match output.from[..] {
            [single] => canonical(&files[single].path)? == there,
            _ => false,
        };
        if !itself {
            let wrong = "it would be written over before it is read";
            return Err((output.path, io::Error::other(wrong)));
        }
    }
    Ok(kept)
}

#[cfg(test)]
mod tests;
