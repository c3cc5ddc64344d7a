//! The fake's HDFS.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::refusal::Refusal;

/// Files and folders by their paths.
#[derive(Clone, Debug)]
pub struct Files(BTreeMap<String, File>);

/// A file or folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// What is in it; `None` of a folder.
    pub bytes: Option<Vec<u8>>,
    /// Such as `700`.
    pub rights: String,
    /// Milliseconds since 1970.
    pub modified: i64,
}

impl Files {
    /// With `/user`.
    pub(super) fn new(now: i64) -> Self {
        let folder = File { bytes: None, rights: "755".to_owned(), modified: now };
        Self(["/", "/user"].map(|path| (path.to_owned(), folder.clone())).into())
    }

    /// A file or folder.
    pub fn get(&self, path: &str) -> Option<&File> {
        self.0.get(path)
    }

    /// A file, as text.
    pub fn text(&self, path: &str) -> Option<String> {
        let bytes = self.get(path)?.bytes.as_ref()?;
        Some(String::from_utf8_lossy(bytes).into_owned())
    }

    /// All paths.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Writes a file, in place of one that is there; its folder is to be there.
    pub fn write(&mut self, path: &str, bytes: &[u8], rights: &str, now: i64) {
        let file = File { bytes: Some(bytes.to_vec()), rights: rights.to_owned(), modified: now };
        self.0.insert(path.to_owned(), file);
    }

    /// Makes a folder and those above it, all with these rights, as WebHDFS does; the uppermost that had to be made above.
    pub fn make(&mut self, path: &str, rights: &str, now: i64) -> Option<String> {
        let ends = path.match_indices('/').map(|(at, _)| at).skip(1);
        let above: Vec<String> = ends.map(|end| path[..end].to_owned()).collect();
        let uppermost = above.iter().find(|path| !self.0.contains_key(*path)).cloned();
        for path in above.into_iter().chain([path.to_owned()]) {
            let folder = File { bytes: None, rights: rights.to_owned(), modified: now };
            self.0.entry(path).or_insert(folder);
        }
        uppermost
    }

    /// Takes a file or folder away, and what is in it; whether it was there.
    pub fn remove(&mut self, path: &str) -> bool {
        let inside = format!("{path}/");
        let before = self.0.len();
        self.0.retain(|known, _| known != path && !known.starts_with(&inside));
        self.0.len() < before
    }

    /// Gives a file another name, unless that is taken or lies nowhere.
    pub(super) fn rename(&mut self, from: &str, to: &str) -> bool {
        if self.0.contains_key(to) || !self.0.contains_key(above(to)) {
            return false;
        }
        let Some(file) = self.0.remove(from) else { return false };
        self.0.insert(to.to_owned(), file);
        true
    }

    /// Whether a file's folder is there.
    pub(super) fn has_folder_of(&self, path: &str) -> bool {
        self.0.get(above(path)).is_some_and(|folder| folder.bytes.is_none())
    }

    /// `GETFILESTATUS`.
    pub(super) fn status(&self, path: &str) -> Result<Value, Refusal> {
        let file = self.get(path).ok_or_else(|| Refusal::no_file(path))?;
        Ok(json!({"FileStatus": self.told(path, file, "")}))
    }

    /// `LISTSTATUS`.
    pub(super) fn list(&self, path: &str) -> Result<Value, Refusal> {
        let file = self.get(path).ok_or_else(|| Refusal::no_file(path))?;
        let all: Vec<Value> = match file.bytes {
            Some(_) => vec![self.told(path, file, "")],
            None => {
                let inside = format!("{}/", path.trim_end_matches('/'));
                let name = |known: &str| {
                    let name = known.strip_prefix(&inside)?;
                    (!name.is_empty() && !name.contains('/')).then(|| name.to_owned())
                };
                let told =
                    |(known, file): (&String, &File)| Some(self.told(known, file, &name(known)?));
                self.0.iter().filter_map(told).collect()
            }
        };
        Ok(json!({"FileStatuses": {"FileStatus": all}}))
    }

    fn told(&self, path: &str, file: &File, suffix: &str) -> Value {
        let is_folder = file.bytes.is_none();
        let inside = format!("{path}/");
        let children = self.0.keys().filter(|known| known.starts_with(&inside)).count();
        json!({
            "accessTime": if is_folder { 0 } else { file.modified },
            "blockSize": if is_folder { 0 } else { 134_217_728 },
            "childrenNum": children,
            "fileId": 16_386,
            "group": "supergroup",
            "length": file.bytes.as_ref().map_or(0, Vec::len),
            "modificationTime": file.modified,
            "owner": "alice",
            "pathSuffix": suffix,
            "permission": file.rights,
            "replication": u8::from(!is_folder),
            "storagePolicy": 0,
            "type": if is_folder { "DIRECTORY" } else { "FILE" },
        })
    }
}

/// The folder of a path.
fn above(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some(("", _)) | None => "/",
        Some((folder, _)) => folder,
    }
}
