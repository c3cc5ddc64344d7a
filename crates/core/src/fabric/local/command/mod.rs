//! A step as a command line of this machine.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::check::Fault;
use super::roots::Roots;
use super::tools::Toolbox;
use super::word::Word;
use crate::config::playbook::{Step, Work};
use crate::diagnostic::{Code, code};
use crate::fabric::Uri;
use crate::secret::Text;

mod dist_cp;
mod hadoop;
mod places;
mod programs;

pub(super) use places::SOME_WORK;

/// What is started for a step.
#[derive(Debug, Default)]
pub(super) struct Invocation {
    /// The program and its arguments.
    pub argv: Vec<Word>,
    /// Put into the step's folder under these names.
    pub files: BTreeMap<String, PathBuf>,
    /// What does not stand against it.
    pub warnings: Vec<Fault>,
}

/// What command lines depend on.
pub(super) struct Maker<'a> {
    /// The environment and the tools.
    pub toolbox: &'a Toolbox,
    /// Folders for URIs.
    pub roots: &'a Roots,
    /// Our own binary.
    pub program: &'a Path,
    /// Where files beside the playbook were staged; `None`: not yet, the command line is only for a check.
    pub staged: Option<&'a BTreeMap<String, Uri>>,
}

impl<'a> Maker<'a> {
    /// A program by its name; what is about to be run is looked at again.
    fn find(&self, name: &str) -> Option<PathBuf> {
        match self.staged {
            None => self.toolbox.find(name),
            Some(_) => self.toolbox.find_now(name),
        }
    }

    pub(super) fn new(
        toolbox: &'a Toolbox,
        roots: &'a Roots,
        program: &'a Path,
        staged: Option<&'a BTreeMap<String, Uri>>,
    ) -> Self {
        Self { toolbox, roots, program, staged }
    }

    /// The command line of a step, or all that stands against it.
    pub(super) fn invocation(&self, step: &Step) -> Result<Invocation, Vec<Fault>> {
        let mut making = Making { maker: self, made: Invocation::default(), faults: Vec::new() };
        making.files(&step.work.files);
        making.program(&step.work);
        let Making { made, faults, .. } = making;
        match faults.iter().all(|fault| fault.is_warning) {
            true => Ok(Invocation { warnings: faults, ..made }),
            false => Err(faults),
        }
    }

    /// What is wrong with the arguments of what the program itself does.
    pub(super) fn judged(&self, step: &Step) -> Vec<Fault> {
        let mut making = Making { maker: self, made: Invocation::default(), faults: Vec::new() };
        if let Some((name, arguments)) = making.dist_cp_arguments(&step.work) {
            making.judge(name, arguments);
        }
        making.faults
    }
}

struct Making<'a> {
    maker: &'a Maker<'a>,
    made: Invocation,
    faults: Vec<Fault>,
}

impl Making<'_> {
    fn tool(&mut self, name: &'static str) {
        match self.maker.find(name) {
            Some(path) => self.path(&path),
            None => {
                let wrong = format!("needs `{name}`, which is not found");
                self.fault(code::MISSING_TOOL, None, "the step", wrong, &install(name));
            }
        }
    }

    fn option(&mut self, name: &str, value: Option<&Text>) {
        if let Some(value) = value {
            self.plain(name);
            self.made.argv.push(Word::of(value));
        }
    }

    /// `name k=v` for each property.
    fn properties(&mut self, name: &str, work: &Work) {
        for (key, value) in &work.properties {
            self.plain(name);
            self.made.argv.push(self.mapped(value).after(&format!("{key}=")));
        }
    }

    /// `-Dk=v` for each property.
    fn defines(&mut self, work: &Work) {
        for (key, value) in &work.properties {
            self.made.argv.push(self.mapped(value).after(&format!("-D{key}=")));
        }
    }

    fn texts(&mut self, texts: &[Text]) {
        let roots = self.maker.roots;
        self.made.argv.extend(texts.iter().map(|text| Word::of(&roots.map_text(text))));
    }

    fn plain(&mut self, word: &str) {
        self.made.argv.push(Word::plain(word));
    }

    fn path(&mut self, path: &Path) {
        self.made.argv.push(Word::path(path));
    }

    fn mapped(&self, text: &Text) -> Word {
        Word::of(&self.maker.roots.map_text(text))
    }

    fn fault(
        &mut self,
        code: Code,
        text: Option<&Text>,
        what: &'static str,
        wrong: impl Into<String>,
        help: &str,
    ) {
        let (text, wrong, help) = (text.cloned(), wrong.into(), help.to_owned());
        self.faults.push(Fault { code, is_warning: false, text, what, wrong, help });
    }
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn not_found(name: &str) -> &'static str {
    match Toolbox::home_variable(name) {
        Some(_) => "is not installed here",
        None => "is not found in PATH",
    }
}

fn install(name: &str) -> String {
    match Toolbox::home_variable(name) {
        Some(variable) => format!(
            "install it, or name its folder in `tools` of the cluster's configuration or in {variable}"
        ),
        None => "install it, or add its folder to PATH".to_owned(),
    }
}

#[cfg(unix)]
#[cfg(test)]
pub(super) mod tests;
