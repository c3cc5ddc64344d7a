//! Command lines of tools, for fabrics that run them elsewhere.

use crate::config::playbook::Work;
use crate::secret::Text;

/// A word of a command line: as it is sent, and as it may be shown.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) value: String,
    pub(super) shown: String,
}

impl Word {
    pub(super) fn plain(word: impl Into<String>) -> Self {
        let value: String = word.into();
        Self { shown: value.clone(), value }
    }

    pub(super) fn of(text: &Text) -> Self {
        Self { value: text.expose().to_owned(), shown: text.shown().to_owned() }
    }

    pub(super) fn after(&self, prefix: &str) -> Self {
        let put = |word: &str| format!("{prefix}{word}");
        Self { value: put(&self.value), shown: put(&self.shown) }
    }

    pub(super) fn list(texts: &[Text]) -> Self {
        let join = |of: fn(&Text) -> &str| texts.iter().map(of).collect::<Vec<_>>().join(",");
        Self { value: join(Text::expose), shown: join(Text::shown) }
    }
}

/// A command line in the making.
pub(super) struct Line<'a> {
    work: &'a Work,
    pub(super) words: Vec<Word>,
}

impl<'a> Line<'a> {
    /// An empty one, for this work.
    pub(super) fn of(work: &'a Work) -> Self {
        Self { work, words: Vec::new() }
    }

    pub(super) fn word(&mut self, word: Word) {
        self.words.push(word);
    }

    pub(super) fn arguments(&mut self) {
        self.words.extend(self.work.arguments.iter().map(Word::of));
    }

    pub(super) fn plain(&mut self, words: &[&str]) {
        self.words.extend(words.iter().map(|word| Word::plain(*word)));
    }

    pub(super) fn text(&mut self, text: &Text) {
        self.words.push(Word::of(text));
    }

    pub(super) fn option(&mut self, name: &str, value: Option<&Text>) {
        if let Some(value) = value {
            self.plain(&[name]);
            self.text(value);
        }
    }

    /// `name key=value` for each property.
    pub(super) fn properties(&mut self, name: &str) {
        for (key, value) in &self.work.properties {
            self.words.push(Word::plain(name));
            self.words.push(Word::of(value).after(&format!("{key}=")));
        }
    }

    /// `-Dkey=value` for each property.
    pub(super) fn defines(&mut self) {
        let properties = &self.work.properties;
        let words = properties.iter().map(|(k, v)| Word::of(v).after(&format!("-D{k}=")));
        self.words.extend(words);
    }

    /// `name a,b`.
    pub(super) fn files(&mut self, name: &str) {
        let files = &self.work.files;
        if !files.is_empty() {
            self.plain(&[name]);
            self.words.push(Word::list(files));
        }
    }

    /// The same by the last parts of their names: where they lie beside the program.
    pub(super) fn names(&mut self, name: &str) {
        let files = &self.work.files;
        if !files.is_empty() {
            let names =
                files.iter().map(|file| file.expose().rsplit('/').next().unwrap_or_default());
            self.plain(&[name, &names.collect::<Vec<_>>().join(",")]);
        }
    }
}

/// Hadoop's default file system is the cluster's own HDFS: a path without a scheme lies there, unless it is one of the
/// places of programs and of local files that every machine of EMR and Dataproc has.
pub(super) fn lies_in_hdfs(text: &str) -> bool {
    const LOCAL: [&str; 9] =
        ["/usr/", "/bin/", "/sbin/", "/opt/", "/etc/", "/home/", "/mnt/", "/var/", "/dev/"];
    text.contains("hdfs:")
        || (text.starts_with('/')
            && text.len() > 1
            && !LOCAL.iter().any(|place| text.starts_with(place)))
}
