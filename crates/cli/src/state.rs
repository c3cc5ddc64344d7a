//! The folder in which runs are recorded.

use std::ffi::OsString;
use std::path::PathBuf;

use dataflow_runner_core::diagnostic::{Diagnostic, code};

/// The one the user names, else the platform's place for such things. (Not tried: macOS and Windows.)
///
/// # Errors
/// The environment does not say where the user's files are.
pub(crate) fn folder(
    given: Option<&PathBuf>,
    env: &dyn Fn(&str) -> Option<OsString>,
) -> Result<PathBuf, Diagnostic> {
    let set = |name: &str| env(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let own = || {
        if cfg!(windows) {
            set("LOCALAPPDATA")
        } else if cfg!(target_os = "macos") {
            set("HOME").map(|home| home.join("Library/Application Support"))
        } else {
            // Relative paths are to be ignored, says the XDG Base Directory Specification.
            let xdg = set("XDG_STATE_HOME").filter(|path| path.is_absolute());
            xdg.or_else(|| set("HOME").map(|home| home.join(".local/state")))
        }
    };
    given.cloned().or_else(|| own().map(|folder| folder.join("dataflow-runner"))).ok_or_else(|| {
        Diagnostic::error(
            code::NO_STATE_FOLDER,
            "there is no place to record runs: HOME is not set",
        )
        .help("name a folder with --state-dir")
    })
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_flag_then_xdg_then_home() {
        let env = |pairs: &'static [(&str, &str)]| {
            move |name: &str| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| v.into())
        };
        let flag = PathBuf::from("s");
        assert_eq!(folder(Some(&flag), &env(&[])).ok(), Some("s".into()));
        let both = env(&[("XDG_STATE_HOME", "/x"), ("HOME", "/h")]);
        assert_eq!(folder(None, &both).ok(), Some("/x/dataflow-runner".into()));
        let relative = env(&[("XDG_STATE_HOME", "x"), ("HOME", "/h")]);
        assert_eq!(folder(None, &relative).ok(), Some("/h/.local/state/dataflow-runner".into()));
        assert_eq!(
            folder(None, &env(&[("HOME", "")])).map_err(|d| d.code.as_str()),
            Err("no-state-folder")
        );
    }
}
