//! Where in a JSON value something is: `data.steps[3].jar`.

use std::fmt;

/// A path from the root, built on the stack while walking down and written only when something is wrong.
#[derive(Clone, Copy, Debug)]
pub struct Path<'p> {
    parent: Option<&'p Path<'p>>,
    last: Segment<'p>,
}

#[derive(Clone, Copy, Debug)]
enum Segment<'p> {
    Key(&'p str),
    Index(usize),
    /// A key that must not be shown.
    Hidden,
}

impl<'p> Path<'p> {
    /// The path of a value that has a name of its own, such as `data`. An empty name is the whole file, `$`.
    pub fn root(name: &'p str) -> Self {
        Self { parent: None, last: Segment::Key(name) }
    }

    /// The member `key` of this.
    pub fn key<'c>(&'c self, key: &'c str) -> Path<'c> {
        Path { parent: Some(self), last: Segment::Key(key) }
    }

    /// The item `index` (from 0) of this.
    pub fn index<'c>(&'c self, index: usize) -> Path<'c> {
        Path { parent: Some(self), last: Segment::Index(index) }
    }

    /// A member of this whose key came from a variable.
    pub fn hidden<'c>(&'c self) -> Path<'c> {
        Path { parent: Some(self), last: Segment::Hidden }
    }

    fn is_root(&self) -> bool {
        self.parent.is_none() && matches!(self.last, Segment::Key(""))
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parent = self.parent.filter(|p| !p.is_root());
        if let Some(parent) = parent {
            parent.fmt(f)?;
        }
        let word = |key: &str| {
            !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        };
        match self.last {
            Segment::Key("") if self.is_root() => f.write_str("$"),
            Segment::Index(index) => write!(f, "[{index}]"),
            Segment::Hidden => f.write_str("[…]"),
            Segment::Key(key) if word(key) && parent.is_some() => write!(f, ".{key}"),
            Segment::Key(key) if word(key) || self.parent.is_none() => f.write_str(key),
            Segment::Key(key) => write!(f, "[{key:?}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_read_as_people_write_them() {
        let data = Path::root("data");
        let (steps, tags) = (data.key("steps"), data.key("tags"));
        assert_eq!(steps.index(3).key("jar").to_string(), "data.steps[3].jar");
        assert_eq!(tags.key("a b").to_string(), "data.tags[\"a b\"]");
        assert_eq!(tags.key("").to_string(), "data.tags[\"\"]");
        assert_eq!(tags.hidden().to_string(), "data.tags[…]");
        assert_eq!(Path::root("").key("schema").to_string(), "schema");
        assert_eq!(Path::root("").index(0).to_string(), "[0]");
        assert_eq!(Path::root("").to_string(), "$");
    }
}
