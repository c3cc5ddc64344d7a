//! Steps that run s3-dist-cp where none is installed: the program itself does it.

use std::path::Path;

use super::super::check::Fault;
use super::super::dist_cp::options::{Meaning, Name, read};
use super::super::dist_cp::{self, Kind, judge};
use super::super::word::Word;
use super::places::Reach;
use super::{Making, file_name};
use crate::config::playbook::{Program, Runner, Work};
use crate::diagnostic::code;
use crate::secret::Text;

/// The program of EMR 4 and later.
const NAME: &str = "s3-dist-cp";
/// What its jars are called, before their versions: `/usr/share/aws/emr/s3-dist-cp/lib/s3-dist-cp.jar` of EMR 4 and later,
/// `/home/hadoop/lib/emr-s3distcp-1.0.jar` and `s3://elasticmapreduce/libs/s3distcp/1.latest/s3distcp.jar` before that.
const JARS: [&str; 3] = ["s3-dist-cp", "s3distcp", "emr-s3distcp"];

impl Making<'_> {
    /// The arguments for s3-dist-cp, and what names it, where that is what a step runs and this machine has none of its own.
    pub(super) fn dist_cp_arguments<'t>(&self, work: &'t Work) -> Option<(&'t Text, &'t [Text])> {
        let named = |text: &Text| {
            let is_path = text.expose().starts_with('/');
            let is_named = file_name(text.expose()) == NAME && (is_path || text.expose() == NAME);
            is_named && if is_path { !self.is_here(text) } else { self.maker.find(NAME).is_none() }
        };
        match &work.program {
            Program::Command { command } if named(command) => Some((command, &work.arguments)),
            Program::CustomJar { jar, .. } => match Runner::of(jar.expose()) {
                Some(Runner::Command) => {
                    work.arguments.split_first().filter(|(first, _)| named(first))
                }
                Some(Runner::Script) => None,
                None => (is_jar(jar) && !self.is_here(jar)).then_some((jar, &work.arguments[..])),
            },
            _ => None,
        }
    }

    fn is_here(&self, text: &Text) -> bool {
        crate::plan::is_local(text.expose())
            || self.made.files.contains_key(text.expose())
            || Path::new(&self.mapped(text).without_scheme().value).is_file()
    }

    /// Our own binary with the arguments, in which source and destination are those of this machine.
    pub(super) fn dist_cp(&mut self, name: &Text, arguments: &[Text]) {
        self.judge(name, arguments);
        let words: Vec<_> = arguments.iter().map(Text::expose).collect();
        let (given, _) = read(&words);
        self.path(self.maker.program);
        self.plain(dist_cp::ARGUMENT);
        let is = |meaning, name| meaning == Meaning::Heeded(name);
        let source = given.iter().rfind(|given| is(given.meaning, Name::Src));
        if let Some(((at, _), source)) = source.and_then(|given| given.value.zip(Some(given))) {
            let uri = value_of(&arguments[at], source.option, at == source.at);
            self.made.argv.push(Word::of(&uri));
        }
        for given in &given {
            let what = match given.meaning {
                Meaning::Heeded(Name::Src) => "the argument of `--src`",
                Meaning::Heeded(Name::Dest) => "the argument of `--dest`",
                _ => {
                    self.made.argv.push(Word::of(&arguments[given.at]));
                    let value = given.value.map(|(at, _)| at).filter(|at| *at != given.at);
                    self.made.argv.extend(value.map(|at| Word::of(&arguments[at])));
                    continue;
                }
            };
            let Some((at, value)) = given.value else { continue };
            if value.is_empty() {
                continue;
            }
            let value = value_of(&arguments[at], given.option, at == given.at);
            let word = self.place(&value, what, Reach::Machine);
            self.made.argv.extend(word.map(|word| word.after(&format!("{}=", given.option))));
        }
    }

    /// Tells what is wrong with the arguments, each in its place.
    pub(super) fn judge(&mut self, name: &Text, arguments: &[Text]) {
        let words: Vec<_> = arguments.iter().map(Text::expose).collect();
        let (_, troubles) = judge(&words);
        for trouble in troubles {
            let code = match trouble.kind {
                Kind::Ignored => code::OPTION_IGNORED,
                Kind::Unknown => code::UNKNOWN_OPTION,
                Kind::Value => code::OPTION_VALUE,
                Kind::Pattern => code::OPTION_PATTERN,
                Kind::Missing => code::MISSING_ARGUMENT,
            };
            let (what, text) = match trouble.at {
                Some(at) => ("the argument", &arguments[at]),
                None if name.expose().ends_with(".jar") => ("the jar", name),
                None => ("the program", name),
            };
            let is_warning = trouble.kind == Kind::Ignored;
            let (text, wrong, help) = (Some(text.clone()), trouble.wrong, trouble.help);
            self.faults.push(Fault { code, is_warning, text, what, wrong, help });
        }
    }
}

fn is_jar(jar: &Text) -> bool {
    let name = file_name(jar.expose());
    let versioned = |rest: &str| rest.is_empty() || rest.starts_with('-');
    name.strip_suffix(".jar").is_some_and(|stem| {
        JARS.iter().any(|known| stem.strip_prefix(known).is_some_and(versioned))
    })
}

/// The value within `--option=value`, or a word that is one as a whole.
fn value_of(word: &Text, option: &str, is_attached: bool) -> Text {
    let strip = |text: &str| {
        let rest = text.strip_prefix(option).and_then(|rest| rest.strip_prefix('='));
        rest.filter(|_| is_attached).unwrap_or(text).to_owned()
    };
    let value = match word.is_secret() {
        true => Text::with_secrets(strip(word.expose()), strip(word.shown()), word.span),
        false => Text::new(strip(word.expose()), word.span),
    };
    if word.is_computed() { value.as_written(strip(word.written())) } else { value }
}
