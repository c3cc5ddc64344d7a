//! `init`: files to begin with, which run once the names in them are yours.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::Usage;
use crate::args::{self, Start};
use crate::exit::Exit;
use crate::ui::Ui;

/// The files of a fabric: their names and texts.
type Files = [(&'static str, &'static str); 3];

macro_rules! files {
    ($fabric:literal) => {
        [
            ("cluster.json", include_str!(concat!("init/", $fabric, "/cluster.json"))),
            ("playbook.json", include_str!(concat!("init/", $fabric, "/playbook.json"))),
            ("vars.json", include_str!(concat!("init/", $fabric, "/vars.json"))),
        ]
    };
}

fn files(fabric: Start) -> Files {
    match fabric {
        Start::Emr => files!("emr"),
        Start::Dataproc => files!("dataproc"),
        Start::Yarn => files!("yarn"),
        Start::Local => files!("local"),
    }
}

pub(super) fn run(args: &args::Init, ui: &mut Ui) -> Result<Exit, Usage> {
    let files = files(args.fabric);
    let there = files.iter().map(|(name, _)| args.folder.join(name));
    // A link that leads nowhere is there, too.
    let there: Vec<_> = there.filter(|path| path.symlink_metadata().is_ok()).collect();
    if !there.is_empty() {
        let names: Vec<_> = there.iter().map(|path| format!("`{}`", path.display())).collect();
        let verb = if names.len() == 1 { "is" } else { "are" };
        let names = names.join(", ");
        return Err(Usage::new(format!(
            "{names} {verb} there already: nothing was written; name another folder"
        )));
    }
    if let Err(error) = write(&args.folder, &files) {
        let folder = args.folder.display();
        ui.error(format!("cannot write into `{folder}`: {error}; nothing was written"));
        return Ok(Exit::Failed);
    }
    ui.print(next(args.fabric, &args.folder, &files).as_bytes());
    Ok(Exit::Success)
}

/// Writes all files or none.
fn write(folder: &Path, files: &Files) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let mut written: Vec<PathBuf> = Vec::new();
    for (name, text) in files {
        let path = folder.join(name);
        // What somebody else has made meanwhile is not overwritten, and not taken away.
        let file = OpenOptions::new().write(true).create_new(true).open(&path);
        let done = file.and_then(|mut file| {
            written.push(path);
            file.write_all(text.as_bytes())
        });
        if let Err(error) = done {
            for path in written {
                // That one cannot be taken away is no better known than why it was not written.
                let _ = std::fs::remove_file(path);
            }
            return Err(error);
        }
    }
    Ok(())
}

/// What was written, and what to do now.
fn next(fabric: Start, folder: &Path, files: &Files) -> String {
    let path = |name: &str| match folder == Path::new(".") {
        true => name.to_owned(),
        false => quoted(&folder.join(name).display().to_string()),
    };
    let written: Vec<_> = files.iter().map(|(name, _)| path(name)).collect();
    let [cluster, playbook, vars] = ["cluster.json", "playbook.json", "vars.json"].map(path);
    let both = format!("--config {cluster} --playbook {playbook} --vars-file {vars}");
    let go = match fabric {
        Start::Local | Start::Emr | Start::Dataproc => format!("run-transient {both}"),
        Start::Yarn => format!("run {both}"),
    };
    let first = match fabric {
        Start::Local => "Look at them, then:",
        Start::Emr | Start::Dataproc | Start::Yarn => {
            "Put your own names where they say my-… and example, then:"
        }
    };
    let folder = quoted(&folder.display().to_string());
    format!(
        "Written: {}\n\n{first}\n  dataflow-runner lint {folder} --vars-file {vars}\n  dataflow-runner plan {both}\n  dataflow-runner {go}\n",
        written.join(", ")
    )
}

/// As a shell takes it for one word.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-+=:@%,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}
