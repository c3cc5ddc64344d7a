//! A step as a command line of this machine.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::check::Fault;
use super::roots::{Roots, scheme};
use super::tools::Toolbox;
use super::word::Word;
use super::{copy, process};
use crate::config::playbook::{Program, Runner, Step, Work};
use crate::diagnostic::{Code, code};
use crate::fabric::Uri;
use crate::plan::is_local;
use crate::secret::Text;

/// What is started for a step.
#[derive(Debug, Default)]
pub(super) struct Invocation {
    /// The program and its arguments.
    pub argv: Vec<Word>,
    /// Put into the step's folder under these names.
    pub files: BTreeMap<String, PathBuf>,
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

/// What may stand where a file is meant.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// A path, or a URI that means one.
    Machine,
    /// Also a URI that Spark understands by itself.
    Spark,
}

/// Schemes of URIs that only EMR's own Spark understands.
const EMR_ONLY: [&str; 2] = ["s3", "s3n"];

/// The work folder of a cluster that is still to come, for people.
pub(super) const SOME_WORK: &str = "‹work›";

/// Whether a path would mean something else in each step's folder.
fn is_astray(path: &Path) -> bool {
    path.is_relative() && !path.starts_with(SOME_WORK)
}

/// What a COPY reads, in words.
const SOURCE: &str = "the source";

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
        if making.faults.is_empty() { Ok(making.made) } else { Err(making.faults) }
    }
}

struct Making<'a> {
    maker: &'a Maker<'a>,
    made: Invocation,
    faults: Vec<Fault>,
}

impl Making<'_> {
    fn program(&mut self, work: &Work) {
        match &work.program {
            Program::Command { command } => {
                self.command(command, "the program");
                self.texts(&work.arguments);
            }
            Program::CustomJar { jar, main_class } => match Runner::of(jar.expose()) {
                Some(Runner::Command) => self.command_runner(jar, &work.arguments),
                Some(Runner::Script) => self.script_runner(jar, &work.arguments),
                None => self.jar(jar, main_class.as_ref(), work),
            },
            Program::Spark { application, main_class } => {
                self.tool("spark-submit");
                self.option("--class", main_class.as_ref());
                self.properties("--conf", work);
                self.spark_files(&work.files);
                self.file(application, "the application", Reach::Spark);
                self.texts(&work.arguments);
            }
            Program::SparkSql { file } => {
                self.tool("spark-sql");
                self.properties("--conf", work);
                self.plain("-f");
                self.file(file, "the file", Reach::Spark);
                self.texts(&work.arguments);
            }
            Program::Flink { jar, main_class } => {
                self.tool("flink");
                self.plain("run");
                self.option("-c", main_class.as_ref());
                self.defines(work);
                self.file(jar, "the jar", Reach::Machine);
                self.texts(&work.arguments);
            }
            Program::Copy { source, destination, pattern } => {
                self.path(self.maker.program);
                self.plain(copy::ARGUMENT);
                self.place(source, SOURCE);
                self.place(destination, "the destination");
                if let Some(pattern) = pattern {
                    self.made.argv.push(Word::of(pattern));
                }
            }
            program @ (Program::Hive { .. } | Program::Pig { .. } | Program::Streaming { .. }) => {
                let kind = program.step_type().as_str();
                self.fault(
                    code::STEP_TYPE_NOT_ON_FABRIC,
                    None,
                    "the step",
                    format!("is a {kind} step"),
                    "",
                );
            }
        }
    }

    /// A program of this machine: a file beside the playbook, a path, or a name.
    fn command(&mut self, command: &Text, what: &'static str) {
        let name = command.expose();
        let is_name = !name.contains(['/', std::path::MAIN_SEPARATOR]);
        if !is_name {
            let path = self.file(command, what, Reach::Machine);
            if path.is_some_and(|path| path.is_file() && !process::is_executable(&path)) {
                self.fault(
                    code::MISSING_TOOL,
                    Some(command),
                    what,
                    "is not executable",
                    "chmod +x",
                );
            }
            return;
        }
        match self.maker.find(name) {
            Some(path) => self.made.argv.push(Word::found(path.into(), command)),
            None => {
                self.fault(code::MISSING_TOOL, Some(command), what, not_found(name), &install(name))
            }
        }
    }

    /// EMR's command-runner.jar: the first argument is the program.
    fn command_runner(&mut self, jar: &Text, arguments: &[Text]) {
        match arguments.split_first() {
            Some((program, rest)) => {
                self.command(program, "the program");
                self.texts(rest);
            }
            None => self.fault(
                code::MISSING_ARGUMENT,
                Some(jar),
                "the jar",
                "needs a program as its first argument",
                "",
            ),
        }
    }

    /// EMR's script-runner.jar: the first argument is a script.
    fn script_runner(&mut self, jar: &Text, arguments: &[Text]) {
        let Some((script, rest)) = arguments.split_first() else {
            let wrong = "needs a script as its first argument";
            return self.fault(code::MISSING_ARGUMENT, Some(jar), "the jar", wrong, "");
        };
        let at = self.made.argv.len();
        if let Some(path) = self.file(script, "the script", Reach::Machine)
            && path.is_file()
            && !process::is_executable(&path)
        {
            self.tool("sh");
            self.made.argv[at..].rotate_right(1);
        }
        self.texts(rest);
    }

    /// A jar, by Hadoop where there is one, else by Java.
    fn jar(&mut self, jar: &Text, main_class: Option<&Text>, work: &Work) {
        if let Some(hadoop) = self.maker.find("hadoop") {
            self.path(&hadoop);
            self.plain("jar");
            self.file(jar, "the jar", Reach::Machine);
            self.made.argv.extend(main_class.map(Word::of));
            self.defines(work);
        } else {
            match self.maker.find("java") {
                Some(java) => self.path(&java),
                None => self.fault(
                    code::MISSING_TOOL,
                    Some(jar),
                    "the jar",
                    "needs Hadoop or Java, and neither is installed here",
                    "install one, or name it in `tools` of the cluster's configuration, in HADOOP_HOME or JAVA_HOME",
                ),
            }
            self.defines(work);
            self.plain(if main_class.is_some() { "-cp" } else { "-jar" });
            self.file(jar, "the jar", Reach::Machine);
            self.made.argv.extend(main_class.map(Word::of));
        }
        self.texts(&work.arguments);
    }

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

    /// A file that must be there, added to the command line; gives its path if it is one of this machine's.
    fn file(&mut self, text: &Text, what: &'static str, reach: Reach) -> Option<PathBuf> {
        let word = self.locate(text, what, reach)?;
        let path = (scheme(&word.shown).is_none()).then(|| PathBuf::from(&word.value));
        self.made.argv.push(word);
        path
    }

    /// Where a file is that the playbook names; `None`: nowhere, and that was said.
    fn locate(&mut self, text: &Text, what: &'static str, reach: Reach) -> Option<Word> {
        let value = text.expose();
        if is_local(value) {
            let Some(staged) = self.maker.staged else { return Some(Word::of(text)) };
            let Some(Uri(path)) = staged.get(value) else {
                self.fault(code::MISSING_FILE, Some(text), what, "was not staged", "");
                return None;
            };
            return Some(Word::plain(path));
        }
        let word = self.reached(text, what, reach)?;
        if scheme(&word.text()).is_some() {
            return Some(word);
        }
        let path = Path::new(&word.value);
        if is_astray(path) && !self.made.files.contains_key(value) {
            let help = "begin with `./` to mean a file beside the playbook";
            self.fault(
                code::MISSING_FILE,
                Some(text),
                what,
                "is a relative path, and steps run in folders of their own",
                help,
            );
            return None;
        }
        // What a root stands for may be made by another step; what was written as a path is to be there.
        if self.maker.staged.is_none()
            && path == Path::new(value)
            && path.is_absolute()
            && !path.exists()
        {
            self.fault(code::MISSING_FILE, Some(text), what, "is not there", "");
            return None;
        }
        Some(word)
    }

    /// A file or folder of this machine that need not be there yet.
    fn place(&mut self, text: &Text, what: &'static str) {
        let word = match self.maker.staged.and_then(|staged| staged.get(text.expose())) {
            Some(Uri(path)) => Some(Word::plain(path)),
            None => self.reached(text, what, Reach::Machine),
        };
        let Some(word) = word else { return };
        // What lies beside the playbook is not staged yet while it is checked.
        let staged_later = self.maker.staged.is_none() && what == SOURCE && is_local(text.expose());
        if is_astray(Path::new(&word.value)) && !staged_later {
            let wrong = "is a relative path, and steps run in folders of their own";
            return self.fault(
                code::MISSING_FILE,
                Some(text),
                what,
                wrong,
                "name it by a root, or by `work://`",
            );
        }
        self.made.argv.push(word);
    }

    /// A path or URI with its root replaced, if it can be reached.
    fn reached(&mut self, text: &Text, what: &'static str, reach: Reach) -> Option<Word> {
        let word = self.mapped(text);
        let scheme = match scheme(&word.text()) {
            None => return Some(word),
            Some("file") => return Some(word.without_scheme()),
            // What Spark cannot reach it says itself, but nobody outside EMR reads these.
            Some(scheme) if reach == Reach::Spark && !EMR_ONLY.contains(&scheme) => {
                return Some(word);
            }
            Some(scheme) => scheme.to_owned(),
        };
        // A scheme that a template made may be anything.
        let (wrong, whose) = match self::scheme(text.written()) == Some(&scheme) {
            true => (format!("is at `{scheme}:`, for which no folder stands"), scheme.as_str()),
            false => ("is a URI for whose scheme no folder stands".to_owned(), "‹scheme›"),
        };
        let help =
            format!("add a folder for `{whose}://…` to `roots` of the cluster's configuration");
        self.fault(code::UNMAPPED_URI, Some(text), what, wrong, &help);
        None
    }

    fn files(&mut self, files: &[Text]) {
        for file in files {
            let Some(word) = self.locate(file, "the file", Reach::Machine) else { continue };
            let name = file_name(file.expose()).to_owned();
            if name.is_empty() || matches!(name.as_str(), "." | "..") {
                self.fault(code::MISSING_FILE, Some(file), "the file", "has no name", "");
            } else if self.made.files.insert(name, word.value.into()).is_some() {
                let wrong = "has the same name as another of this step";
                self.fault(code::DUPLICATE_FILE, Some(file), "the file", wrong, "");
            }
        }
    }

    /// `--files a,b`: Spark takes them to its executors.
    fn spark_files(&mut self, files: &[Text]) {
        // By the names in the step's folder, from where Spark is started.
        let names: Vec<_> = files.iter().map(|file| file_name(file.expose())).collect();
        if !names.is_empty() {
            self.plain("--files");
            self.plain(&names.join(","));
        }
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
        self.faults.push(Fault { code, text, what, wrong, help });
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
pub(super) mod tests {
    use super::super::config::Tools;
    use super::super::tools::tests::program;
    use super::*;

    pub(in super::super) use crate::config::sample::text;

    pub(in super::super) fn step(program: Program, arguments: &[&str]) -> Step {
        crate::config::sample::step_of("step", program, arguments)
    }

    /// The command line on a machine with these tools, its folder of tools written as `/t`.
    fn line(tools: &[&str], step: &Step) -> String {
        let folder = tempfile::tempdir().unwrap();
        for tool in tools {
            program(&folder.path().join(tool));
        }
        let environment = [("PATH".into(), folder.path().into())].into();
        let toolbox = Toolbox::new(environment, &Tools::default(), std::iter::empty());
        let roots = Roots::new(&[("s3://b/".to_owned(), PathBuf::from("/data"))].into());
        let staged: BTreeMap<_, _> = ["./app.jar", "./app.py", "../x"]
            .map(|name| (name.to_owned(), Uri(format!("/staged/{}", file_name(name)))))
            .into();
        let roots = roots.with_work("/w".into());
        let maker = Maker::new(&toolbox, &roots, Path::new("/own"), Some(&staged));
        let made = maker.invocation(step).unwrap_or_else(|faults| panic!("{faults:?}"));
        let words: Vec<_> = made.argv.iter().map(|word| word.text().into_owned()).collect();
        words.join(" ").replace(folder.path().to_str().unwrap(), "/t")
    }

    #[test]
    fn what_lies_in_a_work_folder_to_come_is_described() {
        let toolbox = Toolbox::new([].into(), &Tools::default(), std::iter::empty());
        let roots = Roots::new(&BTreeMap::new()).with_work(SOME_WORK.into());
        let maker = Maker::new(&toolbox, &roots, Path::new("/own"), None);
        let copy = |destination: &str| {
            let (source, destination) = (text("work://in/"), text(destination));
            let made =
                maker.invocation(&step(Program::Copy { source, destination, pattern: None }, &[]));
            let words =
                made.map(|made| made.argv.iter().map(|word| word.text().into_owned()).collect());
            words.map(|words: Vec<_>| words.join(" ")).ok()
        };
        assert_eq!(copy("work://out/").as_deref(), Some("/own __copy ‹work›/in/ ‹work›/out/"));
        assert_eq!(copy("out"), None, "a relative path");
    }

    #[test]
    fn a_table() {
        let class = |class: &str| Some(text(class));
        let jar = |jar: &str, main_class| Program::CustomJar { jar: text(jar), main_class };
        let spark = |app: &str, main_class| Program::Spark { application: text(app), main_class };
        let flink = |jar: &str, main_class| Program::Flink { jar: text(jar), main_class };
        let both = &["hadoop", "java"][..];
        let runner = "command-runner.jar";
        let copy = Program::Copy {
            source: text("s3://b/in/"),
            destination: text("file:///out"),
            pattern: Some(text("**/*.csv")),
        };
        type Row<'a> = (&'a [&'a str], Program, &'a [&'a str], &'a str);
        let table: &[Row<'_>] = &[
            (
                &["tool"],
                Program::Command { command: text("tool") },
                &["s3://b/x"],
                "/t/tool /data/x",
            ),
            (
                &[],
                Program::Command { command: text("./app.py") },
                &["./app.py"],
                "/staged/app.py ./app.py",
            ),
            (&[], Program::Command { command: text("/bin/x") }, &[], "/bin/x"),
            (&["tool"], jar(runner, None), &["tool", "work://y"], "/t/tool /w/y"),
            (&[], jar("/libs/script-runner.jar", None), &["s3://b/x.sh", "1"], "/data/x.sh 1"),
            (both, jar("s3://b/x.jar", None), &["1"], "/t/hadoop jar /data/x.jar -Dp=/data/q 1"),
            (
                both,
                jar("./app.jar", class("C")),
                &["1"],
                "/t/hadoop jar /staged/app.jar C -Dp=/data/q 1",
            ),
            (&["java"], jar("/x.jar", None), &["1"], "/t/java -Dp=/data/q -jar /x.jar 1"),
            (&["java"], jar("/x.jar", class("C")), &["1"], "/t/java -Dp=/data/q -cp /x.jar C 1"),
            (
                &["spark-submit"],
                spark("./app.py", None),
                &["a"],
                "/t/spark-submit --conf p=/data/q --files x,y /staged/app.py a",
            ),
            (
                &["spark-submit"],
                spark("hdfs:///a.jar", class("C")),
                &[],
                "/t/spark-submit --class C --conf p=/data/q --files x,y hdfs:///a.jar",
            ),
            (
                &["spark-sql"],
                Program::SparkSql { file: text("s3://b/x.sql") },
                &["a"],
                "/t/spark-sql --conf p=/data/q -f /data/x.sql a",
            ),
            (
                &["flink"],
                flink("./app.jar", class("C")),
                &["a"],
                "/t/flink run -c C -Dp=/data/q /staged/app.jar a",
            ),
            (&["flink"], flink("file:/x.jar", None), &[], "/t/flink run -Dp=/data/q /x.jar"),
            (&[], copy, &[], "/own __copy /data/in/ /out **/*.csv"),
        ];
        for (tools, program, arguments, expected) in table {
            let mut step = step(program.clone(), arguments);
            step.work.properties = [("p".to_owned(), text("s3://b/q"))].into();
            step.work.files = vec![text("../x"), text("s3://b/y")];
            assert_eq!(line(tools, &step), *expected);
        }
    }
}
