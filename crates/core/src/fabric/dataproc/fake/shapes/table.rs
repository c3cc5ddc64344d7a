//! The table of methods and schemas.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Every method and schema.
pub(super) static TABLE: LazyLock<Table> =
    LazyLock::new(|| Table::read(include_str!("../shapes.txt")));

/// What the file says.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// The parameters that every method of a service takes.
    pub(super) common: BTreeMap<&'static str, Vec<Member>>,
    pub(super) methods: Vec<Method>,
    pub(super) schemas: BTreeMap<&'static str, Vec<Member>>,
}

/// One method.
#[derive(Debug)]
pub(super) struct Method {
    pub(super) id: &'static str,
    pub(super) verb: &'static str,
    /// Its parts: words, `{name}`, `{name}:verb`.
    pub(super) path: Vec<&'static str>,
    pub(super) request: Option<&'static str>,
    pub(super) reply: Option<&'static str>,
    pub(super) query: Vec<Member>,
}

/// A member of a schema, or a parameter.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: &'static str,
    /// The service says it, and nobody tells the service.
    pub(super) output: bool,
    pub(super) required: bool,
    pub(super) kind: Kind,
}

/// What a value is.
#[derive(Debug)]
pub(super) enum Kind {
    Text,
    Int32,
    UInt32,
    Int64,
    UInt64,
    Number,
    Boolean,
    Duration,
    Time,
    Bytes,
    Any,
    Words(Vec<&'static str>),
    List(Box<Kind>),
    Map(Box<Kind>),
    Schema(&'static str),
}

impl Table {
    fn read(text: &'static str) -> Self {
        let mut table = Self::default();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let words: Vec<&'static str> = line.split(' ').collect();
            let members = |words: &[&'static str]| {
                words.iter().filter_map(|word| Member::read(word)).collect::<Vec<_>>()
            };
            match words[..] {
                ["common", service, ref rest @ ..] => {
                    table.common.insert(service, members(rest));
                }
                ["method", id, verb, path, request, reply, ref rest @ ..] => {
                    let given = |schema| Some(schema).filter(|schema| *schema != "-");
                    let path = path.split('/').collect();
                    let (request, reply, query) = (given(request), given(reply), members(rest));
                    table.methods.push(Method { id, verb, path, request, reply, query });
                }
                ["schema", name, ref rest @ ..] => {
                    table.schemas.insert(name, members(rest));
                }
                _ => {}
            }
        }
        table
    }
}

impl Member {
    fn read(word: &'static str) -> Option<Self> {
        let (name, kind) = word.split_once(':')?;
        let (output, required) = (name.starts_with('-'), name.ends_with('!'));
        let name = name.trim_start_matches('-').trim_end_matches('!');
        Some(Self { name, output, required, kind: Kind::read(kind)? })
    }
}

impl Kind {
    fn read(word: &'static str) -> Option<Self> {
        if let Some(words) = word.strip_prefix('=') {
            return Some(Self::Words(words.split('|').collect()));
        }
        if let Some(of) = word.strip_prefix('[') {
            return Some(Self::List(Box::new(Self::read(of)?)));
        }
        if let Some(of) = word.strip_prefix('{') {
            return Some(Self::Map(Box::new(Self::read(of)?)));
        }
        if let Some(name) = word.strip_prefix('@') {
            return Some(Self::Schema(name));
        }
        Some(match word {
            "string" => Self::Text,
            "int32" => Self::Int32,
            "uint32" => Self::UInt32,
            "int64" => Self::Int64,
            "uint64" => Self::UInt64,
            "number" => Self::Number,
            "boolean" => Self::Boolean,
            "duration" => Self::Duration,
            "time" => Self::Time,
            "bytes" => Self::Bytes,
            "any" => Self::Any,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needs(kind: &Kind) -> Option<&'static str> {
        match kind {
            Kind::List(of) | Kind::Map(of) => needs(of),
            Kind::Schema(name) => Some(name),
            _ => None,
        }
    }

    #[test]
    fn every_word_of_the_table_is_read() {
        let lines = include_str!("../shapes.txt").lines().filter(|line| !line.starts_with('#'));
        let (mut words, mut members) = (0, 0);
        for line in lines {
            let skip = match line.split(' ').next() {
                Some("method") => 6,
                _ => 2,
            };
            words += line.split(' ').count() - skip;
        }
        let methods = TABLE.methods.iter().flat_map(|method| &method.query);
        let all = TABLE.common.values().chain(TABLE.schemas.values()).flatten().chain(methods);
        for member in all {
            members += 1;
            if let Some(name) = needs(&member.kind) {
                assert!(TABLE.schemas.contains_key(name), "{} needs {name}", member.name);
            }
        }
        assert_eq!(words, members);
        assert_eq!(TABLE.methods.len(), 13);
    }
}
