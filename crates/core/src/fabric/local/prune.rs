//! What collects in a work folder and is needed by nobody any more: logs of clusters that are gone, staged files.

use std::fs::{self, DirEntry, File};
use std::io;
use std::path::Path;

use jiff::Timestamp;

use super::cluster::{Descriptor, ids};
use super::places::{ClusterPlace, Places};
use super::{Result, io_error};
use crate::fabric::{RunId, Token};
use crate::folder;

const PRUNE: &str = "remove what nobody needs";

/// What is needed.
#[expect(missing_debug_implementations, reason = "it holds a question, which shows nothing")]
pub struct Needs<'a> {
    /// The runs whose logs stay.
    pub is_known: &'a dyn Fn(&RunId) -> bool,
    /// What was written since then stays.
    pub since: Timestamp,
    /// The oldest run that may still need what it staged was begun then; if none does, this lies ahead.
    pub staged_since: Timestamp,
    /// Nothing is removed, only counted.
    pub dry: bool,
}

/// What was removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// So many attempts of steps have no logs any more.
    pub steps: usize,
    /// So many clusters that are gone are not known any more.
    pub clusters: usize,
    /// So many staged files; `None`: they cannot be locked here, so they stay.
    pub staged: Option<usize>,
    /// So many bytes in all.
    pub bytes: u64,
}

/// Removes from a work folder what nobody needs any more: of clusters that are gone the logs of steps whose runs are
/// not known any more, then the clusters' own; and staged files that are older than every run that may need them.
///
/// # Errors
/// Something cannot be looked into or removed; what was removed before is gone.
pub fn prune(work_folder: &Path, needs: &Needs<'_>) -> Result<Pruned> {
    let places = Places::new(work_folder);
    let mut broom = Broom { needs, pruned: Pruned { staged: Some(0), ..Pruned::default() } };
    let mut staged_since = needs.since.min(needs.staged_since);
    for id in ids(&places.logs(), PRUNE)? {
        let place = places.cluster(&id)?;
        if place.folder.exists() {
            // Whatever its runs staged: nobody here knows when they were begun.
            let unknown = Descriptor::read(&place)?.filter(|of| !of.is_known(needs));
            staged_since = unknown.map_or(staged_since, |of| staged_since.min(of.created));
        } else {
            broom.cluster(&place)?;
        }
    }
    broom.staged(&places.staged(), staged_since)?;
    Ok(broom.pruned)
}

/// Goes through a work folder.
struct Broom<'a> {
    needs: &'a Needs<'a>,
    pruned: Pruned,
}

impl Broom<'_> {
    /// What is left of a cluster that is gone.
    fn cluster(&mut self, place: &ClusterPlace) -> Result<()> {
        let failed = |err| io_error(PRUNE, &place.logs)(err);
        let (mut old, mut stays) = (Vec::new(), false);
        for entry in entries(&place.logs).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.is_dir() {
                let known = run_of(&path).is_none_or(|run| (self.needs.is_known)(&run));
                match !known && last_written(&path).map_err(failed)? < self.needs.since {
                    true => old.push(path),
                    false => stays = true,
                }
            }
        }
        let descriptor = Descriptor::read(place)?;
        stays |= descriptor.is_some_and(|of| of.is_known(self.needs))
            || last_written(&place.logs).map_err(failed)? >= self.needs.since;
        self.pruned.steps += old.len();
        if stays {
            return old.iter().try_for_each(|path| self.remove(path));
        }
        self.pruned.clusters += 1;
        self.remove(&place.logs)
    }

    fn staged(&mut self, staged: &Path, since: Timestamp) -> Result<()> {
        let failed = |err| io_error(PRUNE, staged)(err);
        let _locked = match lock(staged) {
            Ok(locked) => locked,
            Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(_) => {
                self.pruned.staged = None;
                return Ok(());
            }
        };
        let mut count = 0;
        for entry in entries(staged).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if last_written(&path).map_err(failed)? < since {
                count += 1;
                self.remove(&path)?;
            }
        }
        self.pruned.staged = Some(count);
        Ok(())
    }

    /// Removes a file or folder, and counts its bytes.
    fn remove(&mut self, path: &Path) -> Result<()> {
        let failed = |err| io_error(PRUNE, path)(err);
        let is_dir = path.is_dir();
        self.pruned.bytes += match is_dir {
            true => folder::size(path).map_err(failed)?,
            false => path.metadata().map_err(failed)?.len(),
        };
        match (self.needs.dry, is_dir) {
            (true, _) => Ok(()),
            (false, true) => folder::remove(path).map_err(failed),
            (false, false) => fs::remove_file(path).map_err(failed),
        }
    }
}

impl Descriptor {
    fn is_known(&self, needs: &Needs<'_>) -> bool {
        // Whose it is nobody can say: so it is anybody's.
        Token::new(self.token.as_str()).run().is_none_or(|run| (needs.is_known)(&run))
    }
}

/// The run of an attempt, by the name of its folder ([`super::places::step_id`]).
fn run_of(step: &Path) -> Option<RunId> {
    let mut parts = step.file_name()?.to_str()?.rsplitn(4, '.');
    let (sending, order, run) = (parts.next()?, parts.next()?, parts.next()?);
    Token::new(format!("{run}.{order}.{sending}")).run().filter(|_| parts.next().is_some())
}

/// When something was last written: a file, or the files in a folder; where there are none, the folder itself.
fn last_written(path: &Path) -> io::Result<Timestamp> {
    let time = |metadata: fs::Metadata| {
        metadata.modified().map(|time| Timestamp::try_from(time).unwrap_or(Timestamp::MAX))
    };
    let mut last = None;
    if path.is_dir() {
        for entry in entries(path)? {
            let metadata = entry?.metadata()?;
            if metadata.is_file() {
                last = last.max(Some(time(metadata)?));
            }
        }
    }
    last.map_or_else(|| time(fs::symlink_metadata(path)?), Ok)
}

/// What is in a folder; nothing, if it is not there.
fn entries(folder: &Path) -> io::Result<impl Iterator<Item = io::Result<DirEntry>>> {
    match fs::read_dir(folder) {
        Ok(entries) => Ok(Some(entries).into_iter().flatten()),
        Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(None.into_iter().flatten()),
        Err(err) => Err(err),
    }
}

/// Nobody stages anything as long as this is there.
fn lock(staged: &Path) -> io::Result<File> {
    let folder = File::open(staged)?;
    loop {
        match folder.lock() {
            Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
            locked => return locked.map(|()| folder),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::FileTimes;
    use std::time::{Duration, SystemTime};

    use super::*;

    struct Work(tempfile::TempDir);

    const DAY: u64 = 86_400;

    /// So many days after the first of all times.
    fn day(day: u64) -> Timestamp {
        Timestamp::try_from(time(day)).expect("a time")
    }

    fn time(day: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(day * DAY)
    }

    impl Work {
        fn new() -> Self {
            Self(tempfile::tempdir().expect("a folder"))
        }

        fn path(&self, name: &str) -> std::path::PathBuf {
            self.0.path().join(name)
        }

        /// A file of 100 bytes that was written on a day.
        fn file(&self, name: &str, day: u64) -> &Self {
            self.text(name, day, &"x".repeat(100))
        }

        fn text(&self, name: &str, day: u64, text: &str) -> &Self {
            let path = self.path(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(&path, text).expect("a file");
            let file = File::options().append(true).open(path).expect("it is there");
            file.set_times(FileTimes::new().set_modified(time(day))).expect("it is ours");
            self
        }

        /// A cluster of a run, made on a day; it is there, or gone since.
        fn cluster(&self, id: &str, token: &str, made: u64, lives: bool) -> &Self {
            let created = day(made);
            let text = format!(
                r#"{{"version": 1, "token": "{token}", "name": "n", "created": "{created}"}}"#
            );
            self.text(&format!("logs/{id}/cluster.json"), made, &text);
            match lives {
                true => self.file(&[id, "work", "x"].join("/"), made),
                false => self.file(&format!("logs/{id}/stopping"), made),
            }
        }

        /// On day 40, of what is older than 30 days; `r-2` is known.
        fn prune(&self, staged_since: u64, dry: bool) -> Pruned {
            let is_known = |run: &RunId| run.as_str() == "r-2";
            let staged_since = day(staged_since);
            let needs = Needs { is_known: &is_known, since: day(10), staged_since, dry };
            prune(self.0.path(), &needs).expect("it can be pruned")
        }
    }

    #[test]
    fn logs_go_with_their_run_when_their_cluster_is_gone() {
        let work = Work::new();
        // All of it is old, and of runs that nobody knows.
        work.cluster("local-1", "r-1.1.1", 1, false);
        work.file("logs/local-1/a.b.1.r-1.2.1/record", 2)
            .file("logs/local-1/a.b.2.r-1.3.1/record", 2);
        // An old cluster with steps of several runs, and what is no step's.
        work.cluster("local-2", "r-1.1.1", 1, false);
        work.file("logs/local-2/a.1.r-1.2.1/record", 2).file("logs/local-2/a.1.r-2.1.1/record", 2);
        work.file("logs/local-2/a.1.r-3.1.1/record", 11).file("logs/local-2/else/x", 2);
        // One that lives, one of a run that is known, one that went not long ago, and none of ours.
        work.cluster("local-3", "r-1.1.1", 1, true).file("logs/local-3/a.1.r-1.2.1/record", 2);
        work.cluster("local-4", "r-2.1.1", 1, false).file("logs/local-4/a.1.r-1.2.1/record", 2);
        work.cluster("local-5", "r-1.1.1", 11, false).file("logs/precious/a.1.r-1.2.1/record", 2);
        let told = work.prune(40, true);
        assert_eq!((told.steps, told.clusters), (4, 1));
        assert!(work.path("logs/local-1/cluster.json").exists(), "nothing is touched");
        assert_eq!(work.prune(40, false), told);
        let left = |name: &str| work.path(&format!("logs/{name}")).exists();
        assert!(!left("local-1"));
        assert!(!left("local-2/a.1.r-1.2.1") && left("local-2/cluster.json"));
        assert!(left("local-2/a.1.r-2.1.1") && left("local-2/a.1.r-3.1.1") && left("local-2/else"));
        assert!(left("local-3/a.1.r-1.2.1/record"), "it lives");
        assert!(!left("local-4/a.1.r-1.2.1") && left("local-4"), "its run is known");
        assert!(left("local-5") && left("precious/a.1.r-1.2.1"));
        let again = work.prune(40, false);
        assert_eq!((again.steps, again.clusters, again.bytes), (0, 0, 0));
    }

    #[test]
    fn staged_files_go_when_no_run_can_need_them() {
        let work = Work::new();
        let stage = || {
            work.file("staged/aa/x.sh", 2).file("staged/bb/x.sh", 5).file("staged/cc/x.sh", 11);
            work.file("staged/.7.0.part", 2).file("staged/.8.0.part", 11);
        };
        stage();
        let told = work.prune(40, true);
        assert_eq!((told.staged, told.bytes), (Some(3), 300));
        // A run that was begun on day 4 may need what was staged then.
        assert_eq!(work.prune(4, false).staged, Some(2));
        assert!(!work.path("staged/aa").exists() && work.path("staged/bb/x.sh").exists());
        assert_eq!(work.prune(40, false).staged, Some(1));
        assert!(work.path("staged/cc/x.sh").exists() && work.path("staged/.8.0.part").exists());
        // So may one of elsewhere, whose cluster is here.
        stage();
        work.cluster("local-1", "r-1.1.1", 4, true);
        assert_eq!(work.prune(40, false).staged, Some(2));
        assert!(work.path("staged/bb/x.sh").exists());
        assert_eq!(Work::new().prune(40, false), Pruned { staged: Some(0), ..Pruned::default() });
    }
}
