//! Arguments of s3-dist-cp, judged: before anything starts, and again by the program itself.

use super::groups::Wish;
use super::options::{Codec, Given, Meaning, Name, Wrong, read, size};
use super::pattern::Pattern;

/// What is wrong with an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Kind {
    /// Nothing, but it does nothing here.
    Ignored,
    Unknown,
    Value,
    Pattern,
    Missing,
}

/// What is wrong with the arguments.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) struct Trouble {
    pub kind: Kind,
    /// Which of the words it is about; `None`: all of them.
    pub at: Option<usize>,
    /// A lowercase fragment that goes on after the word.
    pub wrong: String,
    /// What to do; may be empty.
    pub help: String,
}

/// What is to be done.
#[derive(Debug)]
pub(in super::super) struct Order<'a> {
    pub(super) src: &'a str,
    pub(super) dest: &'a str,
    pub(super) delete: bool,
    pub(super) wish: Wish,
}

/// Reads all arguments; there is no order where one of them is wrong.
pub(in super::super) fn judge<'a>(words: &[&'a str]) -> (Option<Order<'a>>, Vec<Trouble>) {
    let (given, wrong) = read(words);
    let mut judge = Judge { troubles: wrong.into_iter().map(of_wrong).collect() };
    let last = |name: Name| {
        let named = given.iter().rev().filter(|given| given.meaning == Meaning::Heeded(name));
        named.map(|given| (given.at, given.value.unwrap_or((given.at, "")))).next()
    };
    let delete = last(Name::DeleteOnSuccess).is_some();
    for given in &given {
        judge.ignored(given, delete);
    }
    let mut needed = |name: Name, option: &str| match last(name) {
        Some((at, (_, ""))) => judge.add(Kind::Value, Some(at), "needs a value", ""),
        Some((_, (_, value))) => Some(value),
        // That it has no value was told.
        None if judge.tells(words, option) => None,
        None => judge.add(Kind::Missing, None, &format!("needs `{option}`"), ""),
    };
    let (src, dest) = (needed(Name::Src, "--src"), needed(Name::Dest, "--dest"));
    let wish = Wish {
        src_pattern: last(Name::SrcPattern).and_then(|(_, value)| judge.pattern(value)),
        group_by: last(Name::GroupBy).and_then(|(_, value)| judge.group_by(value)),
        target_size: last(Name::TargetSize).and_then(|(_, (at, value))| {
            size(value).map_err(|wrong| judge.add::<()>(Kind::Value, Some(at), &wrong, "")).ok()
        }),
        codec: last(Name::OutputCodec)
            .and_then(|(_, value)| judge.codec(value))
            .unwrap_or_default(),
    };
    let is_fine = judge.troubles.iter().all(|trouble| trouble.kind == Kind::Ignored);
    let order = src.zip(dest).map(|(src, dest)| Order { src, dest, delete, wish });
    (order.filter(|_| is_fine), judge.troubles)
}

struct Judge {
    troubles: Vec<Trouble>,
}

impl Judge {
    /// Adds a trouble, where something else was expected.
    fn add<T>(&mut self, kind: Kind, at: Option<usize>, wrong: &str, help: &str) -> Option<T> {
        self.troubles.push(Trouble { kind, at, wrong: wrong.to_owned(), help: help.to_owned() });
        None
    }

    fn tells(&self, words: &[&str], option: &str) -> bool {
        self.troubles.iter().any(|trouble| trouble.at.is_some_and(|at| words[at] == option))
    }

    fn ignored(&mut self, given: &Given<'_>, delete: bool) {
        match given.meaning {
            Meaning::Heeded(_) => {}
            Meaning::Unchosen if delete => {
                let wrong = "is not followed on this machine: all files would be copied, and deleted by `--deleteOnSuccess`";
                self.add::<()>(Kind::Value, Some(given.at), wrong, "take one of the two out");
            }
            Meaning::Unchosen => {
                let wrong = "is not followed on this machine: all files are copied";
                self.add::<()>(
                    Kind::Ignored,
                    Some(given.at),
                    wrong,
                    "choose files by `--srcPattern`",
                );
            }
            Meaning::Ignored => {
                self.add::<()>(Kind::Ignored, Some(given.at), "is ignored on this machine", "");
            }
        }
    }

    fn pattern(&mut self, (at, value): (usize, &str)) -> Option<Pattern> {
        match Pattern::new(value) {
            Ok(pattern) => Some(pattern),
            Err(wrong) => {
                let help = "a regular expression of Java that matches the whole path, such as `.*/part-.*`";
                self.add(Kind::Pattern, Some(at), &wrong, help)
            }
        }
    }

    fn group_by(&mut self, (at, value): (usize, &str)) -> Option<Pattern> {
        let pattern = self.pattern((at, value))?;
        if pattern.has_groups() {
            return Some(pattern);
        }
        let help = "put round brackets around what files of one group have in common, such as `.*/(\\d+)/.*`";
        self.add(Kind::Pattern, Some(at), "has no group", help)
    }

    fn codec(&mut self, (at, value): (usize, &str)) -> Option<Codec> {
        match Codec::of(value) {
            Ok(codec) => Some(codec),
            Err(wrong) => {
                let help = "`gz`, `gzip`, `none` and `keep` are built in; where an `s3-dist-cp` is in PATH it is used instead";
                self.add(Kind::Value, Some(at), &wrong, help)
            }
        }
    }
}

fn of_wrong(wrong: Wrong) -> Trouble {
    let (kind, at, wrong, help) = match wrong {
        Wrong::Unknown(at, near) => {
            let help = near.map(|near| format!("did you mean `{near}`?")).unwrap_or_default();
            (Kind::Unknown, at, "is no option of s3-dist-cp", help)
        }
        Wrong::NoValue(at, _) => (Kind::Value, at, "needs a value", String::new()),
        Wrong::Valued(at, option) => {
            (Kind::Value, at, "takes no value", format!("write `{option}` alone, or leave it out"))
        }
    };
    Trouble { kind, at: Some(at), wrong: wrong.to_owned(), help }
}
