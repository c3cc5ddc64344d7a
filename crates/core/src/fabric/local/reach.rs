//! What finds this fabric again without its file, and the way back.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use super::{Config, Local, NAME, Tools};
use crate::diagnostic::Diagnostic;
use crate::fabric::reach::Kept;
use crate::secret::Text;
use crate::source::Span;

const WORK_FOLDER: &str = "workFolder";
const KILL_AFTER: &str = "killAfterMillis";

/// The words for the header of a journal. The folder is absolute, as the next program may be started anywhere.
pub(super) fn told(local: &Local) -> BTreeMap<String, String> {
    let grace = (KILL_AFTER, local.grace.as_millis().to_string());
    // Half a name would lead to another folder, so one that is no text is not told at all.
    let folder = local.places.root().to_str().map(|folder| (WORK_FOLDER, folder.to_owned()));
    let told = folder.into_iter().chain([grace]);
    told.map(|(key, value)| (key.to_owned(), value)).collect()
}

impl Config {
    /// What reaches the clusters of an earlier run, from the header of its journal ([`crate::fabric::Fabric::reach`]):
    /// good for all but launching clusters and starting steps, of which the file says how.
    ///
    /// # Errors
    /// Something is missing in it, or makes no sense.
    pub fn reached(reach: &BTreeMap<String, String>) -> Result<Self, Diagnostic> {
        let kept = Kept::new(NAME, reach);
        let folder = Path::new(kept.need(WORK_FOLDER)?);
        if !folder.is_absolute() {
            return Err(kept.wrong(WORK_FOLDER, "an absolute path"));
        }
        let grace = kept.need(KILL_AFTER)?.parse();
        let grace = grace.map_err(|_| kept.wrong(KILL_AFTER, "a number of milliseconds"))?;
        Ok(Self {
            name: Text::new("", Span::at(0)),
            work_folder: Some(folder.to_owned()),
            slots: None,
            environment: BTreeMap::new(),
            roots: BTreeMap::new(),
            tools: Tools::default(),
            kill_after: Duration::from_millis(grace),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::Surroundings;
    use super::*;
    use crate::bell::Bell;
    use crate::fabric::Fabric;

    fn local(config: Config) -> Local {
        let around = Surroundings {
            environment: BTreeMap::new(),
            work_folder: "never/used".into(),
            program: "never-started".into(),
            bell: Arc::new(Bell::new()),
        };
        Local::new(config, around)
    }

    fn reach(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn there_and_back() {
        let said = reach(&[("workFolder", "/w"), ("killAfterMillis", "1500")]);
        let config = Config::reached(&said).expect("it makes sense");
        assert_eq!(config.kill_after, Duration::from_millis(1500));
        assert_eq!(local(config).reach(), said);
    }

    #[test]
    fn the_folder_is_told_from_the_root_on() {
        let said = reach(&[("workFolder", "/w"), ("killAfterMillis", "0")]);
        let config = Config::reached(&said).expect("it makes sense");
        let told = local(Config { work_folder: Some("a/b".into()), ..config }).reach();
        let here = std::env::current_dir().expect("there is one").join("a/b");
        assert_eq!(Path::new(&told["workFolder"]), here);
    }

    #[cfg(unix)]
    #[test]
    fn a_name_that_is_no_text_is_not_told_by_half() {
        use std::os::unix::ffi::OsStrExt;

        let odd = std::ffi::OsStr::from_bytes(b"/w/\xff");
        let said = reach(&[("workFolder", "/w"), ("killAfterMillis", "0")]);
        let config = Config::reached(&said).expect("it makes sense");
        let told = local(Config { work_folder: Some(odd.into()), ..config }).reach();
        assert_eq!(told, reach(&[("killAfterMillis", "0")]));
    }

    #[test]
    fn what_is_missing_or_makes_no_sense_is_said() {
        for (said, told) in [
            (
                reach(&[("killAfterMillis", "0")]),
                "error[journal-reach]: the journal does not say `workFolder`, without which `local` cannot be reached",
            ),
            (
                reach(&[("workFolder", "/w")]),
                "error[journal-reach]: the journal does not say `killAfterMillis`, without which `local` cannot be reached",
            ),
            (
                reach(&[("workFolder", "w"), ("killAfterMillis", "0")]),
                "error[journal-reach]: the journal says `workFolder` is `w`, but to reach `local` it must be an absolute path",
            ),
            (
                reach(&[("workFolder", "/w"), ("killAfterMillis", "-1")]),
                "error[journal-reach]: the journal says `killAfterMillis` is `-1`, but to reach `local` it must be a number of milliseconds",
            ),
        ] {
            assert_eq!(Config::reached(&said).expect_err(told).to_string(), told);
        }
    }
}
