//! From files and variables to valid, typed configurations.
//!
//! A file is `{"schema": …, "data": …}`; its schema says what it is. All faults of a file are found at once: those of its
//! JSON, those against its schema and those against the rules that no schema can say.

mod dataproc;
mod digest;
mod emr;
pub mod fields;
mod json_schema;
mod local;
pub(crate) mod needs;
pub mod playbook;
mod playbook_v1;
mod playbook_v2;
mod read;
mod rules;
pub mod sample;
mod step_types;
#[cfg(test)]
mod tests;
mod web;
mod yarn;

use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Diagnostics, code};
use crate::document::Document;
use crate::fabric;
use crate::json::{self, Node, Value};
use crate::lint;
use crate::schema::{self, Faults, Mode, PREFIX, Path, Published, Schema, published};
use crate::source::{Source, Span};
use crate::suggest::{list, suggest};
pub use json_schema::json_schema;
use playbook::Playbook;
use read::{Reader, Record};

/// What a file can be.
#[derive(Clone, Debug)]
pub enum Config {
    /// Steps to run.
    Playbook(Playbook),
    /// A cluster of this machine.
    Local(fabric::local::Config),
    /// A cluster of Amazon EMR.
    Emr(Box<fabric::emr::Config>),
    /// A Hadoop cluster that is there.
    Yarn(Box<fabric::yarn::Config>),
    /// A cluster of Google Dataproc.
    Dataproc(Box<fabric::dataproc::Config>),
}

impl Config {
    /// The credentials that it names or holds.
    pub fn credentials(&self) -> Option<&fabric::emr::Credentials> {
        match self {
            Self::Emr(cluster) => Some(&cluster.credentials),
            Self::Playbook(playbook) => playbook.emr.as_ref().map(|access| &access.credentials),
            Self::Local(_) | Self::Yarn(_) | Self::Dataproc(_) => None,
        }
    }
}

/// What is known of a file that is not right: enough to hold it against others, so that all that is wrong is told at once.
#[derive(Clone, Debug)]
pub enum Draft {
    /// The steps of a playbook that are right.
    Playbook(playbook::Draft),
    /// What the cluster is of that the file describes.
    Cluster(ClusterKind),
}

/// The kinds of cluster files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClusterKind {
    /// Of this machine.
    Local,
    /// Of Amazon EMR.
    Emr,
    /// A Hadoop cluster that is there.
    Yarn,
    /// Of Google Dataproc.
    Dataproc,
}

/// Reads a file. There is a configuration when there is no error.
pub fn load(document: &Document) -> (Option<Config>, Diagnostics) {
    let (read, diagnostics) = load_or_draft(document, false);
    (read.ok(), diagnostics)
}

/// The same; of a faulty file there is a draft, as far as it is known what it is. `closely`: with the warnings of [`lint`]
/// about what is valid.
pub fn load_or_draft(
    document: &Document,
    closely: bool,
) -> (Result<Config, Option<Draft>>, Diagnostics) {
    let (node, mut diagnostics) = json::parse(document);
    if let Some(node) = &node
        && closely
    {
        lint::file(document, node, &mut diagnostics);
    }
    let mut faults = Faults::new(document);
    let (mut config, mut kind) = (Err(None), None);
    if let Some(node) = node
        && let Some((of, key)) = identify(&node, &mut faults)
    {
        (config, kind) = (read(node, of, key, &mut faults), Some(of));
    }
    diagnostics.append(faults.finish());
    let mut refusals = Diagnostics::new();
    match &config {
        Ok(Config::Emr(config)) => fabric::emr::check_cluster(config, &mut refusals),
        Ok(Config::Dataproc(config)) => fabric::dataproc::check_cluster(config, &mut refusals),
        _ => {}
    }
    diagnostics.append_elsewhere(refusals);
    let read = match (config, kind) {
        (Ok(config), _) if !diagnostics.has_errors() => Ok(config),
        (_, Some(Kind::Cluster(kind))) => Err(Some(Draft::Cluster(kind))),
        (Ok(Config::Playbook(playbook)), _) => {
            Err(Some(Draft::Playbook(playbook::Draft::new(playbook))))
        }
        (config, _) => Err(config.err().flatten().map(Draft::Playbook)),
    };
    (read, diagnostics)
}

/// The kinds of files.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Playbook1,
    Playbook2,
    Cluster(ClusterKind),
}

impl Kind {
    /// The kind of files with a schema of this name and model (the first number of its version).
    fn of(name: &str, model: &str) -> Option<Self> {
        match (name, model) {
            ("PlaybookConfig", "1") => Some(Self::Playbook1),
            ("PlaybookConfig", "2") => Some(Self::Playbook2),
            ("LocalClusterConfig", "1") => Some(Self::Cluster(ClusterKind::Local)),
            ("ClusterConfig", "1") => Some(Self::Cluster(ClusterKind::Emr)),
            ("YarnClusterConfig", "1") => Some(Self::Cluster(ClusterKind::Yarn)),
            ("DataprocClusterConfig", "1") => Some(Self::Cluster(ClusterKind::Dataproc)),
            _ => None,
        }
    }

    /// Files of 0.7.x are read as 0.7.x did.
    fn mode(self) -> Mode {
        match self {
            Self::Playbook1 | Self::Cluster(ClusterKind::Emr) => Mode::Lenient,
            Self::Playbook2 | Self::Cluster(_) => Mode::Strict,
        }
    }

    /// The newest schema of the kind; it has all fields of the older ones.
    fn newest(self) -> Option<&'static Published> {
        let (name, model) = match self {
            Self::Playbook1 => ("PlaybookConfig", "1-"),
            Self::Playbook2 => ("PlaybookConfig", "2-"),
            Self::Cluster(ClusterKind::Local) => ("LocalClusterConfig", "1-"),
            Self::Cluster(ClusterKind::Emr) => ("ClusterConfig", "1-"),
            Self::Cluster(ClusterKind::Yarn) => ("YarnClusterConfig", "1-"),
            Self::Cluster(ClusterKind::Dataproc) => ("DataprocClusterConfig", "1-"),
        };
        published().iter().rfind(|p| p.name == name && p.version.starts_with(model))
    }
}

/// The kind of a file, and its schema's key.
fn identify(node: &Node<'_>, faults: &mut Faults<'_>) -> Option<(Kind, String)> {
    let Value::Object(members) = &node.value else {
        let message = "a file must be an object with `schema` and `data`";
        let found = format!("found {}", node.value.kind());
        faults.push(node.span, Diagnostic::error(code::WRONG_TYPE, message).label(found));
        return None;
    };
    let find = |same: fn(&str) -> bool| members.iter().rfind(|m| same(&m.key.get()));
    let member =
        find(|key| key == "schema").or_else(|| find(|key| key.eq_ignore_ascii_case("schema")));
    let keys = || published().iter().map(Published::key).collect::<Vec<_>>();
    let known = || {
        let keys = keys();
        let known = list(keys.iter().filter_map(|key| key.strip_prefix(PREFIX)));
        format!("begin with `{PREFIX}` and go on with {known}")
    };
    let Some(member) = member else {
        let opening = Span { end: node.span.start + 1, ..node.span };
        let fault = Diagnostic::error(
            code::MISSING_SCHEMA,
            "the file does not say what it is: no `schema`",
        );
        faults.push(opening, fault.help(known()));
        return None;
    };
    let Value::String(key) = member.node.value else {
        let fault = Diagnostic::error(code::WRONG_TYPE, "`schema` must be a string");
        let found = format!("found {}", member.node.value.kind());
        faults.push(member.node.span, fault.label(found).help(known()));
        return None;
    };
    let key = key.get().into_owned();
    if let Some(kind) = kind_of(&key) {
        return Some((kind, key));
    }
    let mut fault =
        Diagnostic::error(code::UNKNOWN_SCHEMA, "no such schema is known").help(known());
    if faults.document().quote(member.node.span).is_some() {
        fault = fault.label(format!("found `{key}`"));
        // Only what is behind the vendor can tell them apart.
        let short =
            key.strip_prefix(PREFIX).unwrap_or(key.rsplit_once(':').map_or(&key, |(_, k)| k));
        let keys = keys();
        let near = suggest(short, keys.iter().filter_map(|key| key.strip_prefix(PREFIX)));
        if let Some(near) = near {
            fault = fault.help(format!("did you mean `{PREFIX}{near}`?"));
        }
    }
    faults.push(member.node.span, fault);
    None
}

/// The kind that a schema's key means. Of model 1 of what 0.7.x read every version is accepted.
fn kind_of(key: &str) -> Option<Kind> {
    let (name, version) = key.strip_prefix(PREFIX)?.split_once("/avro/")?;
    let numbers: Vec<_> = version.split('-').collect();
    let number = |n: &&str| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit());
    if numbers.len() != 3 || !numbers.iter().all(number) {
        return None;
    }
    let kind = Kind::of(name, numbers[0])?;
    let known = kind.mode() == Mode::Lenient || schema::find(key).is_some();
    known.then_some(kind)
}

/// What is wrong goes to `faults`.
fn read(
    node: Node<'_>,
    kind: Kind,
    key: String,
    faults: &mut Faults<'_>,
) -> Result<Config, Option<playbook::Draft>> {
    let published = kind.newest().ok_or(None)?;
    // The whole file as a record, so that its own two keys are checked like all others.
    let whole = format!(
        r#"{{"type": "record", "name": "File", "fields": [{{"name": "schema", "type": "string"}}, {{"name": "data", "type": {}}}]}}"#,
        published.text
    );
    let whole = Document::plain(Arc::new(Source::new(published.key(), whole)));
    // The published schemas are tested to be valid.
    let schema = Schema::parse(&whole).0.ok_or(None)?;
    let root = Path::root("");
    let checked = schema::check(&schema, &node, &root, kind.mode(), faults);
    // Large files are large in every form: this one is not needed any more.
    drop(node);
    let reader = Reader::new(faults.document(), faults.errors(), kind.mode());
    let config = reader.record(&checked, &root).and_then(|file| {
        file.needed_record("data", |data| match kind {
            Kind::Playbook1 => playbook_v1::read(data, key).map(Config::Playbook),
            Kind::Playbook2 => playbook_v2::read(data, key).map(Config::Playbook).map_err(Some),
            Kind::Cluster(kind) => read_cluster(data, kind).ok_or(None),
        })
    });
    reader.finish(faults);
    config.unwrap_or(Err(None))
}

fn read_cluster(data: Record<'_>, kind: ClusterKind) -> Option<Config> {
    Some(match kind {
        ClusterKind::Local => Config::Local(local::read(data)?),
        ClusterKind::Emr => Config::Emr(Box::new(emr::read(data)?)),
        ClusterKind::Yarn => Config::Yarn(Box::new(yarn::read(data)?)),
        ClusterKind::Dataproc => Config::Dataproc(Box::new(dataproc::read(data))),
    })
}
