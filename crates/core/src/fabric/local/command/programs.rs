//! What is started for a step of each type.

use super::super::word::Word;
use super::super::{copy, process};
use super::places::{Reach, SOURCE};
use super::{Making, file_name, install, not_found};
use crate::config::playbook::{Program, Runner, Work};
use crate::diagnostic::code;
use crate::secret::Text;

impl Making<'_> {
    pub(super) fn program(&mut self, work: &Work) {
        if let Some((name, arguments)) = self.dist_cp_arguments(work) {
            return self.dist_cp(name, arguments);
        }
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
                self.file(application, "the application", Reach::Tool);
                self.texts(&work.arguments);
            }
            Program::SparkSql { file } => {
                self.tool("spark-sql");
                self.properties("--conf", work);
                self.plain("-f");
                self.file(file, "the file", Reach::Tool);
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
                let places = [
                    self.place(source, SOURCE, Reach::Machine),
                    self.place(destination, "the destination", Reach::Machine),
                ];
                self.made.argv.extend(places.into_iter().flatten());
                if let Some(pattern) = pattern {
                    self.made.argv.push(Word::of(pattern));
                }
            }
            Program::Hive { file } => {
                self.tool("hive");
                self.properties("--hiveconf", work);
                self.plain("-f");
                self.file(file, "the script", Reach::Tool);
                self.texts(&work.arguments);
            }
            Program::Pig { file } => {
                self.tool("pig");
                // Pig takes them only before all else.
                self.defines(work);
                self.plain("-f");
                self.file(file, "the script", Reach::Tool);
                self.texts(&work.arguments);
            }
            Program::Streaming { mapper, reducer, source, destination } => {
                self.streaming(work, mapper, reducer.as_ref(), [source, destination]);
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

    /// `--files a,b`: Spark takes them to its executors.
    fn spark_files(&mut self, files: &[Text]) {
        // By the names in the step's folder, from where Spark is started.
        let names: Vec<_> = files.iter().map(|file| file_name(file.expose())).collect();
        if !names.is_empty() {
            self.plain("--files");
            self.plain(&names.join(","));
        }
    }
}
