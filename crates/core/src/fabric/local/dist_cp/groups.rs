//! Which files are written from which.
//!
//! Names are those that the program itself gives (version 2.4.0, as on EMR 5): what its guide leaves open can only be seen
//! there. Of the parts of one group the first has no number, the next ones are numbered from 1; a number that is taken in
//! the destination is left out, since what is there is never replaced.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::options::Codec;
use super::pattern::Pattern;

/// A file below the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// From the source on, with `/` between.
    pub(super) below: String,
    /// What patterns are matched against: its whole path as the playbook would name it.
    pub(super) seen: String,
    pub(super) path: PathBuf,
    pub(super) size: u64,
}

/// A file to be written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Output {
    pub(super) path: PathBuf,
    /// Of these files, one after the other; never empty.
    pub(super) from: Vec<usize>,
}

/// What is to be done with the files.
#[derive(Debug, Default)]
pub(super) struct Wish {
    pub(super) src_pattern: Option<Pattern>,
    pub(super) group_by: Option<Pattern>,
    /// In bytes.
    pub(super) target_size: Option<u64>,
    pub(super) codec: Codec,
}

/// Endings of names that stand for a compression.
const COMPRESSED: [&str; 5] = ["snappy", "gz", "lzo", "lzop", "gzip"];

/// The ending of a name that tells how the file is compressed, in lower case.
pub(super) fn compression(path: &str) -> Option<String> {
    let (stem, ending) = path.rsplit('/').next()?.rsplit_once('.')?;
    let ending = ending.to_ascii_lowercase();
    (!stem.is_empty() && COMPRESSED.contains(&ending.as_str())).then_some(ending)
}

impl Wish {
    /// All that is to be written, or why it cannot be. `is_there` tells what exists in the destination.
    pub(super) fn outputs(
        &self,
        files: &[Found],
        destination: &Path,
        is_there: impl Fn(&Path) -> bool,
    ) -> Result<Vec<Output>, String> {
        let chosen = files.iter().enumerate().filter(|(_, file)| {
            self.src_pattern.as_ref().is_none_or(|pattern| pattern.matches(&file.seen))
        });
        let Some(group_by) = &self.group_by else {
            let single = chosen.map(|(at, file)| Output {
                path: destination.join(self.single_name(&file.below)),
                from: vec![at],
            });
            return distinct(single.collect(), files);
        };
        let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, file) in chosen {
            if let Some(group) = group_by.groups(&file.seen).filter(|group| !group.is_empty()) {
                groups.entry(group).or_default().push(at);
            }
        }
        let mut taken = BTreeSet::new();
        let mut outputs = Vec::new();
        for (group, members) in groups {
            let Some(name) = group_name(&group) else {
                return Err(
                    "`--groupBy` gives a group that cannot be the name of a file".to_owned()
                );
            };
            let ending = self.group_ending(&members, files)?;
            let first = Path::new(&files[members[0]].below);
            let folder = destination.join(first.parent().unwrap_or(Path::new("")));
            let mut number = 0_u64;
            for from in self.parts(&members, files) {
                let path = loop {
                    let path = folder.join(numbered(name, number, &ending));
                    number += 1;
                    if !is_there(&path) && taken.insert(path.clone()) {
                        break path;
                    }
                };
                outputs.push(Output { path, from });
            }
        }
        Ok(outputs)
    }

    /// The path below the destination of a file that is not grouped.
    fn single_name(&self, below: &str) -> String {
        let stem = |below: &str| match compression(below) {
            Some(ending) => below[..below.len() - ending.len() - 1].to_owned(),
            None => below.to_owned(),
        };
        match self.codec {
            Codec::Keep => below.to_owned(),
            Codec::Plain => stem(below),
            Codec::Gzip => stem(below) + ".gz",
        }
    }

    /// What names of a group end with, its dot included.
    fn group_ending(&self, members: &[usize], files: &[Found]) -> Result<String, String> {
        let mut endings = members.iter().map(|at| compression(&files[*at].below));
        let first = endings.next().flatten();
        Ok(match self.codec {
            Codec::Gzip => ".gz".to_owned(),
            Codec::Keep
                if endings.any(|other| kind(other.as_deref()) != kind(first.as_deref())) =>
            {
                return Err(
                    "files of one group are compressed in different ways: give `--outputCodec`"
                        .to_owned(),
                );
            }
            Codec::Keep => {
                kind(first.as_deref()).map(|kind| format!(".{kind}")).unwrap_or_default()
            }
            Codec::Plain => {
                let ending = |at: &usize| {
                    let name = files[*at].below.rsplit('/').next().unwrap_or_default();
                    name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase())
                };
                let first =
                    ending(&members[0]).filter(|ending| !COMPRESSED.contains(&ending.as_str()));
                let same = members.iter().all(|at| ending(at) == first);
                first.filter(|_| same).map(|ending| format!(".{ending}")).unwrap_or_default()
            }
        })
    }

    /// The members of a group, cut where a part has reached the size.
    fn parts(&self, members: &[usize], files: &[Found]) -> Vec<Vec<usize>> {
        let mut parts = vec![Vec::new()];
        let mut size = 0_u64;
        for at in members {
            if self.target_size.is_some_and(|target| size >= target) {
                parts.push(Vec::new());
                size = 0;
            }
            size = size.saturating_add(files[*at].size);
            if let Some(part) = parts.last_mut() {
                part.push(*at);
            }
        }
        parts
    }
}

/// The ending that a compression has in names that are made here.
fn kind(ending: Option<&str>) -> Option<&str> {
    match ending {
        Some("gzip") => Some("gz"),
        Some("lzop") => Some("lzo"),
        other => other,
    }
}

/// What files of a group are called: the last part of it, colons being taken for slashes.
fn group_name(group: &str) -> Option<&str> {
    let name = group.rsplit(['/', ':']).map(str::trim).find(|part| !part.is_empty())?;
    (!matches!(name, "." | "..")).then_some(name)
}

/// The name of the `number`th part of a group; an ending that it has already is not repeated.
fn numbered(group: &str, number: u64, ending: &str) -> String {
    let stem = match compression(group) {
        Some(compressed) => &group[..group.len() - compressed.len() - 1],
        None => group.strip_suffix(ending).filter(|stem| !stem.is_empty()).unwrap_or(group),
    };
    match number {
        0 => format!("{stem}{ending}"),
        n => format!("{stem}{n}{ending}"),
    }
}

/// That no file is written twice: it would be what was written last.
fn distinct(outputs: Vec<Output>, files: &[Found]) -> Result<Vec<Output>, String> {
    let mut known = BTreeMap::new();
    for output in &outputs {
        if let Some(other) = known.insert(&output.path, output.from[0]) {
            let (one, other) = (&files[output.from[0]].below, &files[other].below);
            return Err(format!("`{other}` and `{one}` would be written to one file"));
        }
    }
    Ok(outputs)
}
