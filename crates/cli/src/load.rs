//! From a command line to what can be run: reads files and variables, and gathers every fault of them.

pub(crate) mod again;
mod rendering;
#[cfg(test)]
mod tests;

use std::cell::LazyCell;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::string::FromUtf8Error;
use std::sync::Arc;

use dataflow_runner_core::clock;
use dataflow_runner_core::config::playbook::{self, Playbook};
use dataflow_runner_core::config::{self, ClusterKind, Config, Draft};
use dataflow_runner_core::diagnostic::allow::Allowed;
use dataflow_runner_core::diagnostic::{Code, Diagnostic, Diagnostics, Place, code};
use dataflow_runner_core::document::Document;
use dataflow_runner_core::fabric::emr;
use dataflow_runner_core::file;
use dataflow_runner_core::inputs::Started;
use dataflow_runner_core::plan::Plan;
use dataflow_runner_core::secret::Hidden;
use dataflow_runner_core::source::{Source, Span};
use dataflow_runner_core::template::{Inputs, Limits, Map, Mentioned, Rendered, Template};
use jiff::Zoned;
use serde_json::Value;

use crate::args;
use crate::commands::Usage;
use crate::target::{Described, Target};
use crate::variables::Variables;
use again::{Copy, Loaded};

/// So long, in bytes, is a variable's value that is looked for in the words of others: a shorter one is an everyday
/// word, or a number, and without those nobody would understand them.
const TELLING_VARIABLE: usize = 8;

/// The same of a secret.
const TELLING_SECRET: usize = 4;

/// Variables of the environment that hold secrets which are sent, or by which is signed what is sent.
const CREDENTIALS: [&str; 4] =
    ["AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY", "AWS_SESSION_TOKEN", "CONSUL_HTTP_TOKEN"];

/// No file that is read is larger, in bytes.
pub(crate) const LARGEST_FILE: u64 = 64 << 20;

/// Reads files, one after the other, and remembers what is wrong with them.
pub(crate) struct Loader {
    variables: Variables,
    map: Map,
    /// What `nowWithFormat` tells, the same in all files. Few ask, and to find the time zone takes long.
    now: LazyCell<Zoned, Now>,
    /// The same as it is kept, of a run that was started before.
    started: Option<Started>,
    around: Around,
    /// Files that were read when the run was first started, by the names they have here.
    copies: BTreeMap<PathBuf, Copy>,
    /// Texts that are no files, by the names they have.
    texts: BTreeMap<PathBuf, Result<Source, Diagnostic>>,
    /// A variable that is not given is taken for a text: its own name.
    takes_any_variables: bool,
    /// Warnings that are not to be told.
    allowed: Allowed,
    /// What is valid and looks like a mistake is told, too.
    lints: bool,
    loaded: Vec<Loaded>,
    /// What their templates name.
    mentioned: Vec<Mentioned>,
    /// What became of the files: faults are shown there too.
    documents: Vec<Document>,
    /// Which variables are used is known: all files could be rendered, and none uses the variables as a whole.
    knows_uses: bool,
    /// A cluster file was read that says which cluster there is.
    knows_cluster: bool,
    /// Values and secrets that a far side may tell us back.
    hidden: Hidden,
    faults: Diagnostics,
}

/// Tells the time.
type Now = Box<dyn FnOnce() -> Zoned>;

/// What files depend on that is neither in them nor on the command line.
struct Around {
    env: fn(&str) -> Option<OsString>,
    /// The current folder; none where it is gone.
    here: Option<PathBuf>,
}

impl Around {
    /// The program's own.
    fn program() -> Self {
        Self { env: crate::env, here: std::env::current_dir().ok() }
    }

    /// Where a path leads that is seen from here.
    fn at(&self, path: &Path) -> PathBuf {
        self.here.as_deref().unwrap_or(Path::new("")).join(path)
    }
}

impl Loader {
    /// With the variables of the command line.
    ///
    /// # Errors
    /// An argument that has not the form it should have.
    pub(crate) fn new(args: &args::Variables) -> Result<Self, Usage> {
        Self::begun(args, Box::new(clock::wall), Around::program())
    }

    fn begun(args: &args::Variables, now: Now, around: Around) -> Result<Self, Usage> {
        let mut faults = Diagnostics::new();
        let variables = Variables::gather(args, &around.env, &mut faults)?;
        Ok(Self::with(variables, now, None, around, faults))
    }

    fn with(
        variables: Variables,
        now: Now,
        started: Option<Started>,
        around: Around,
        faults: Diagnostics,
    ) -> Self {
        let mut hidden = Hidden::default();
        for (name, value) in variables.values() {
            hidden.hide_variable(name, value, TELLING_VARIABLE);
        }
        for name in CREDENTIALS {
            let value = (around.env)(name).and_then(|value| value.into_string().ok());
            hidden.hide(&value.unwrap_or_default(), &format!("‹{name}›"), TELLING_SECRET);
        }
        let values = variables.values();
        Self {
            hidden,
            map: values.map(|(name, value)| (name, value.clone().into())).collect(),
            variables,
            now: LazyCell::new(now),
            started,
            around,
            copies: BTreeMap::new(),
            texts: BTreeMap::new(),
            takes_any_variables: false,
            allowed: Allowed::default(),
            lints: false,
            loaded: Vec::new(),
            mentioned: Vec::new(),
            documents: Vec::new(),
            knows_uses: true,
            knows_cluster: false,
            faults,
        }
    }

    /// These warnings are not to be told.
    pub(crate) fn allow(&mut self, codes: &[Code]) {
        self.allowed = Allowed::everywhere(codes.iter().copied());
    }

    /// From now on what is valid and looks like a mistake is told, too.
    pub(crate) fn look_closer(&mut self) {
        self.lints = true;
    }

    /// From now on a variable that is not given, also one of the environment, is taken for a text: its own name.
    pub(crate) fn take_any_variables(&mut self) {
        self.takes_any_variables = true;
    }

    /// What is to be loaded by that name is this text, or cannot be.
    pub(crate) fn put(&mut self, path: PathBuf, text: Result<Source, Diagnostic>) {
        self.texts.insert(path, text);
    }

    /// Names and values of the variables.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.variables.values()
    }

    /// What must not be told of the variables, and of the secrets in the files that were read.
    pub(crate) fn hidden(&self) -> Hidden {
        self.hidden.clone()
    }

    /// All faults, once everything is read: also the variables that nothing uses.
    pub(crate) fn faults(&mut self) -> Diagnostics {
        if self.knows_uses {
            let used = |name: &str| self.mentioned.iter().any(|file| file.contains(name));
            self.variables.warn_of_unused(&used, &mut self.faults);
        }
        let faults = std::mem::take(&mut self.faults);
        let shown = |fault| self.documents.iter().fold(fault, |fault, it| it.show_rendered(fault));
        self.allowed.sift(faults.into_iter().map(shown).collect())
    }

    /// The same, and comments that silence nothing, in the files that are wanted. Where something is wrong, not all was
    /// told that could be silenced.
    pub(crate) fn faults_and_unused(&mut self, wanted: &dyn Fn(&Source) -> bool) -> Diagnostics {
        let mut faults = self.faults();
        if !faults.has_errors() {
            let unused = self.allowed.unused(wanted);
            faults.append(self.allowed.sift(unused));
        }
        faults
    }

    /// A file as its template renders it.
    pub(crate) fn render(&mut self, path: &Path) -> Option<Rendered> {
        match self.try_render(path) {
            Ok((mentioned, rendered)) => {
                self.knows_uses &= !rendered.whole_root_used;
                self.allowed.read(&rendered.source);
                self.mentioned.push(mentioned);
                Some(rendered)
            }
            Err(faults) => {
                self.knows_uses = false;
                self.faults.extend(faults);
                None
            }
        }
    }

    /// A cluster file as the place it describes.
    pub(crate) fn target(&mut self, path: &Path) -> Targeted {
        match self.any(path) {
            Some(Any::Target(target)) => target,
            Some(Any::Plan(_)) => {
                self.faults.push(wrong_kind(path, "a playbook", "a cluster file"));
                Err(None)
            }
            None => Err(None),
        }
    }

    /// Whether a cluster file says which cluster there is: then nobody else needs to.
    pub(crate) fn knows_cluster(&self) -> bool {
        self.knows_cluster
    }

    /// Where a plan is to run: as the cluster file says; without one, a 1-*-* playbook says EMR, as in 0.7.x.
    ///
    /// # Errors
    /// Neither says it.
    pub(crate) fn target_for(
        &mut self,
        config: Option<&Path>,
        plan: &Planned,
    ) -> Result<Targeted, Usage> {
        let there = |playbook: &Playbook| playbook.emr.clone().map(Target::there);
        match (config, plan) {
            (Some(path), _) => Ok(self.target(path)),
            (None, Ok(plan)) => match plan.playbook().map(there) {
                Some(None) => Err(Usage::missing("emr-config", "config")),
                there => Ok(there.flatten().ok_or(None)),
            },
            // What is wrong with the playbook was said.
            (None, Err(draft)) => {
                let there = draft.as_ref().and_then(|draft| there(draft.playbook()));
                Ok(there.ok_or(None))
            }
        }
    }

    /// A playbook as a plan.
    pub(crate) fn plan(&mut self, path: &Path) -> Planned {
        match self.any(path) {
            Some(Any::Plan(plan)) => *plan,
            Some(Any::Target(_)) => {
                self.faults.push(wrong_kind(path, "a cluster file", "a playbook"));
                Err(None)
            }
            None => Err(None),
        }
    }

    /// Any file: a playbook must make a plan, too.
    pub(crate) fn any(&mut self, path: &Path) -> Option<Any> {
        Some(match self.load(path) {
            Ok(Config::Playbook(playbook)) => {
                Any::Plan(Box::new(Plan::new(playbook, &mut self.faults).ok_or(None)))
            }
            Err(Some(Draft::Playbook(draft))) => Any::Plan(Box::new(Err(Some(draft)))),
            Ok(Config::Local(config)) => Any::Target(Ok(Target::Local(config.into()))),
            Ok(Config::Emr(config)) => Any::Target(Ok(Target::emr(*config))),
            Ok(Config::Yarn(config)) => {
                self.knows_cluster = true;
                Any::Target(Ok(Target::Yarn(config)))
            }
            Ok(Config::Dataproc(config)) => Any::Target(Ok(Target::dataproc(*config))),
            Err(Some(Draft::Cluster(kind))) => Any::Target(Err(Some(kind))),
            Err(None) => return None,
        })
    }

    /// Where faults go that are found elsewhere.
    pub(crate) fn sink(&mut self) -> &mut Diagnostics {
        &mut self.faults
    }

    fn load(&mut self, path: &Path) -> Result<Config, Option<Draft>> {
        let rendered = self.render(path).ok_or(None)?;
        let source = Arc::clone(&rendered.source);
        let document = Document::of(rendered);
        let document = document.map_err(|fault| {
            self.faults.push(*fault);
            None
        })?;
        for (secret, words) in document.all_secrets() {
            self.hidden.hide(&secret, &words, TELLING_SECRET);
        }
        let (config, faults) = config::load_or_draft(&document, self.lints);
        self.faults.append(faults);
        self.documents.push(document);
        let credentials = config.as_ref().ok().and_then(Config::credentials).cloned();
        if let Some(emr::Credentials::Key { secret, .. }) = &credentials {
            self.hidden.hide(secret.expose(), "‹secretAccessKey›", TELLING_SECRET);
        }
        if let Ok(Config::Yarn(config)) = &config
            && let Some(credentials) = &config.credentials
        {
            self.hidden.hide(credentials.secret().expose(), "‹credentials›", TELLING_SECRET);
        }
        if let Ok(Config::Dataproc(config)) = &config {
            for secret in config.credentials.secrets() {
                self.hidden.hide(secret.expose(), "‹credentials›", TELLING_SECRET);
            }
        }
        self.loaded.push(Loaded { path: path.to_owned(), source, credentials });
        config
    }

    fn try_render(&mut self, path: &Path) -> Result<(Mentioned, Rendered), Vec<Diagnostic>> {
        let source = Arc::new(self.source(path).map_err(|fault| vec![fault])?);
        let then = self.copies.get(path).map_or(Path::new(""), |copy| copy.kept.folder());
        let template = Template::parse(&source).map_err(|error| vec![error.diagnostic(&source)])?;
        let inputs = Inputs {
            variables: &self.map,
            now: &|| self.now.clone(),
            env: &self.around.env,
            // Relative paths are seen from the current folder, as in 0.7.x; in a copy from the one of then.
            read: &|path| file::read(&self.around.at(&then.join(path)), LARGEST_FILE),
            limits: Limits::default(),
        };
        let rendered = rendering::render(&template, &source, &inputs, self.takes_any_variables)?;
        Ok((template.into_mentioned(), rendered))
    }
}

/// A playbook as a plan, or what is right of one that is not.
pub(crate) type Planned = Result<Plan, Option<playbook::Draft>>;

/// The playbook that a cluster can be held against, also one that is not right as a whole.
pub(crate) fn playbook(plan: &Planned) -> Option<&Playbook> {
    match plan {
        Ok(plan) => plan.playbook(),
        Err(draft) => draft.as_ref().map(playbook::Draft::playbook),
    }
}

/// A cluster file as the place it describes, or what is known of one that is not right.
pub(crate) type Targeted = Result<Target, Option<ClusterKind>>;

/// What playbooks can be held against, also where the cluster file is not right.
pub(crate) fn described(target: &Targeted) -> Option<Described<'_>> {
    match target {
        Ok(target) => Some(target.into()),
        Err(kind) => kind.map(Described::from),
    }
}

/// Either kind of file.
pub(crate) enum Any {
    /// A playbook.
    Plan(Box<Planned>),
    /// A cluster file.
    Target(Targeted),
}

impl Any {
    /// See [`described`].
    pub(crate) fn described(&self) -> Option<Described<'_>> {
        match self {
            Self::Plan(_) => None,
            Self::Target(target) => described(target),
        }
    }

    /// See [`playbook()`].
    pub(crate) fn playbook(&self) -> Option<&Playbook> {
        match self {
            Self::Plan(plan) => playbook(plan),
            Self::Target(_) => None,
        }
    }
}

/// The file at `path`, by the name it has on the command line.
pub(crate) fn read(path: &Path, name: String) -> Result<Source, Diagnostic> {
    match file::read(path, LARGEST_FILE) {
        Ok(bytes) => text(name, bytes),
        Err(error) => Err(unreadable(code::CANNOT_READ_FILE, &name, path, &error)),
    }
}

/// What comes from stdin, by the name it is to have.
pub(crate) fn read_stdin(name: String) -> Result<Source, Diagnostic> {
    match file::read_all(io::stdin().lock(), LARGEST_FILE) {
        Ok(bytes) => text(name, bytes),
        Err(error) => {
            let message = format!("cannot read `{name}`: {error}");
            Err(Diagnostic::error(code::CANNOT_READ_FILE, message))
        }
    }
}

/// What was read, as text.
pub(crate) fn text(name: String, bytes: Vec<u8>) -> Result<Source, Diagnostic> {
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Source::new(name, text)),
        Err(wrong) => Err(not_text(name, &wrong)),
    }
}

/// A file that cannot be read.
pub(crate) fn unreadable(code: Code, name: &str, path: &Path, error: &io::Error) -> Diagnostic {
    let fault = Diagnostic::error(code, format!("cannot read `{name}`: {error}"));
    match file::near(path).filter(|_| error.kind() == io::ErrorKind::NotFound) {
        Some(near) => {
            let near = Path::new(name).with_file_name(near);
            fault.help(format!("did you mean `{}`?", near.display()))
        }
        None => fault,
    }
}

/// A file that is not text in UTF-8, at the first byte that makes no sense; what is no text at all is not shown.
fn not_text(name: String, wrong: &FromUtf8Error) -> Diagnostic {
    let fault = Diagnostic::error(code::NOT_UTF_8, format!("`{name}` is not UTF-8"));
    let bytes = wrong.as_bytes();
    let what = match bytes {
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => Some(("it is UTF-16", "save it as UTF-8")),
        [0x1F, 0x8B, ..] => Some(("it is packed with gzip", "unpack it")),
        _ if bytes.contains(&0) => Some(("it is no text", "look whether it is the right file")),
        _ => None,
    };
    if let Some((label, help)) = what {
        let begin = Place::new(&Arc::new(Source::new(name, "")), Span::at(0));
        return fault.label(label).help(help).at(begin);
    }
    let at = wrong.utf8_error().valid_up_to();
    let label = format!("byte 0x{:02X}", bytes.get(at).copied().unwrap_or_default());
    // What makes no sense is one sign there.
    let shown = Arc::new(Source::new(name, String::from_utf8_lossy(bytes)));
    let sign = Span::new(at, at + char::REPLACEMENT_CHARACTER.len_utf8());
    let help =
        "save it as UTF-8; of an older editor's file `iconv -f WINDOWS-1252 -t UTF-8` makes that";
    fault.label(label).help(help).at(Place::new(&shown, sign))
}

fn wrong_kind(path: &Path, is: &str, should: &str) -> Diagnostic {
    let message = format!("`{}` is {is}, and {should} is needed here", path.display());
    Diagnostic::error(code::WRONG_KIND_OF_FILE, message)
        .help("--config takes a cluster file, and --playbook a playbook")
}
