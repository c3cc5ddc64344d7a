//! `fmt`: files in one style.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;

use dataflow_runner_core::diagnostic::{Diagnostic, Diagnostics, code};
use dataflow_runner_core::format::{self, Refused};
use dataflow_runner_core::source::Source;

use super::Usage;
use crate::args::{self, Level, Output};
use crate::exit::Exit;
use crate::load;
use crate::ui::Ui;
use crate::ui::diff;
use crate::ui::messages::count;

/// Stdin, as it is called on the command line.
const STDIN: &str = "-";

/// What formats a text.
type Formatter = dyn Fn(&Arc<Source>) -> Result<String, Refused>;

pub(super) fn run(args: &args::Fmt, ui: &mut Ui) -> Result<Exit, Usage> {
    let stdin = args.files.iter().any(|file| file == Path::new(STDIN));
    if stdin && args.files.len() > 1 {
        return Err(Usage::new("`-` stands alone: stdin is formatted to stdout"));
    }
    Ok(run_with(args, &format::format, ui))
}

/// What became of the files so far.
#[derive(Default)]
struct Done {
    changed: usize,
    unchanged: usize,
    failed: bool,
    faults: Diagnostics,
}

fn run_with(args: &args::Fmt, formatter: &Formatter, ui: &mut Ui) -> Exit {
    let mut done = Done::default();
    for file in &args.files {
        one(file, args, formatter, &mut done, ui);
    }
    let looks = args.check || args.diff;
    let (changed, unchanged) = (done.changed, done.unchanged);
    if ui.faults(std::mem::take(&mut done.faults)) {
        return Exit::Invalid;
    }
    if args.files.first().is_none_or(|file| file != Path::new(STDIN)) {
        let text = match (changed, looks) {
            (0, _) if unchanged == 1 => "1 file is formatted already".to_owned(),
            (0, _) => format!("{} are formatted already", count(unchanged, "file")),
            (_, true) => format!("{} would change", count(changed, "file")),
            (_, false) => format!("{} formatted", count(changed, "file")),
        };
        if changed + unchanged > 0 {
            ui.message(Level::Info, text);
        }
    }
    if done.failed || (looks && changed > 0) { Exit::Failed } else { Exit::Success }
}

/// Formats a file, and notes what became of it.
fn one(file: &Path, args: &args::Fmt, formatter: &Formatter, done: &mut Done, ui: &mut Ui) {
    let stdin = file == Path::new(STDIN);
    let name = if stdin { "<stdin>".to_owned() } else { file.display().to_string() };
    let source = if stdin { read_stdin(name) } else { load::read(file, name) };
    let source = match source {
        Ok(source) => Arc::new(source),
        Err(fault) => return done.faults.push(fault),
    };
    let text = match formatter(&source) {
        Ok(text) => text,
        Err(Refused::Faulty(fault)) => return done.faults.push(*fault),
        Err(Refused::Changed(why)) => {
            let name = source.name();
            let report = "that is a fault of this program, please report it";
            ui.error(format!("`{name}` is left as it is: {why}; {report}"));
            done.failed = true;
            return;
        }
    };
    let changes = text != source.text();
    *(if changes { &mut done.changed } else { &mut done.unchanged }) += 1;
    if args.check || args.diff {
        if changes {
            tell(&source, &text, args.diff, ui);
        }
    } else if stdin {
        ui.print(text.as_bytes());
    } else if changes && let Err(error) = replace(file, &text) {
        ui.error(format!("cannot write `{}`: {error}", source.name()));
        done.failed = true;
        done.changed -= 1;
    }
}

/// Says that a file would change, or shows how.
fn tell(source: &Source, text: &str, diff: bool, ui: &mut Ui) {
    let name = source.name();
    if ui.output() == Output::Json {
        let line = serde_json::json!({ "file": name, "wouldChange": true });
        ui.print(format!("{line}\n").as_bytes());
    } else if diff {
        ui.print(diff::unified(name, source.text(), text).as_bytes());
    } else {
        ui.print(format!("{name}\n").as_bytes());
    }
}

fn read_stdin(name: String) -> Result<Source, Diagnostic> {
    let fault = |code, text: String| Diagnostic::error(code, text);
    let mut bytes = Vec::new();
    let read = io::stdin().lock().take(load::LARGEST_FILE + 1).read_to_end(&mut bytes);
    read.map_err(|e| fault(code::CANNOT_READ_FILE, format!("cannot read `{name}`: {e}")))?;
    if bytes.len() as u64 > load::LARGEST_FILE {
        let largest = load::LARGEST_FILE >> 20;
        let text = format!("cannot read `{name}`: it is larger than {largest} MiB");
        return Err(fault(code::CANNOT_READ_FILE, text));
    }
    let text = String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        fault(code::NOT_UTF_8, format!("`{name}` is not UTF-8 from byte {at} on"))
    })?;
    Ok(Source::new(name, text))
}

/// Puts a text in the place of a file, or of the one that a link leads to: all of it or nothing, with the same mode.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let path = fs::canonicalize(path)?;
    let permissions = fs::metadata(&path)?.permissions();
    if permissions.readonly() {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "it is read-only"));
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let part = path.with_file_name(format!(".{name}.{}.part", std::process::id()));
    let written = create(&part).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.set_permissions(permissions)?;
        file.sync_all()?;
        fs::rename(&part, &path)
    });
    if written.is_err() {
        let _ = fs::remove_file(&part);
    }
    written
}

/// A new file that nobody else may read: what it holds may be secret.
fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A fault of the formatter itself is told, and the file stays as it is; others are formatted all the same.
    #[test]
    fn what_would_change_more_than_white_space_is_not_written() {
        let folder = std::env::temp_dir().join(format!("fmt-{}", std::process::id()));
        fs::create_dir(&folder).expect("a folder");
        let [bad, good] = ["bad.json", "good.json"].map(|name| folder.join(name));
        fs::write(&bad, "[1,2]").expect("a file");
        fs::write(&good, "[1,3]").expect("a file");
        let formatter = |source: &Arc<Source>| match source.text().contains('2') {
            true => Err(Refused::Changed("more than white space would change")),
            false => format::format(source),
        };
        let global =
            args::Global { output: Some(Output::Logfmt), log_level: Level::Panic, state_dir: None };
        let mut ui = Ui::new(&global);
        let files = vec![bad.clone(), good.clone()];
        let args = args::Fmt { files, check: false, diff: false };
        let exit = run_with(&args, &formatter, &mut ui);
        let texts = [&bad, &good].map(|path| fs::read_to_string(path).expect("a file"));
        fs::remove_dir_all(&folder).expect("it goes");
        assert_eq!(texts, ["[1,2]", "[1, 3]\n"]);
        assert_eq!(exit, Exit::Failed);
    }
}
