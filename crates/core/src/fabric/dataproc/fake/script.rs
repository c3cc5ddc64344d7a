//! What is to happen in the fake's world. Durations are Dataproc's own, however fast its clock runs.

use std::collections::BTreeMap;
use std::time::Duration;

use super::cluster::State;
use super::job::JobState;
use crate::http::fake::Tempo;

/// What is to happen.
#[derive(Clone, Debug)]
pub struct Script {
    /// What becomes of the n-th cluster; the last stands for all further ones.
    pub clusters: Vec<ClusterScript>,
    /// What becomes of jobs by the id of their step, or by how their own ids begin: of the first, the second…; the last
    /// stands for all further ones.
    pub steps: BTreeMap<String, Vec<StepScript>>,
    /// What becomes of every other job.
    pub step: StepScript,
    /// A cluster shows in lists so long after it was made.
    pub late_clusters: Duration,
    /// A job shows in lists so long after it was submitted.
    pub late_jobs: Duration,
    /// What a job has written comes to the bucket so much later.
    pub late_output: Duration,
    /// An object of a job's output is at most so long, in bytes; then the next begins.
    pub output_size: usize,
    /// At most so many clusters or jobs a page, whatever is asked for.
    pub page: usize,
    /// At most so many objects a page.
    pub objects: usize,
    /// The buckets there are; the first is that of clusters that name none.
    pub buckets: Vec<String>,
    /// More buckets, whose objects another server has: nobody looks here whether a file is missing there.
    pub elsewhere: Vec<String>,
    /// So many clusters fit into the project's quota, failed ones too; `None`: any number.
    pub most_clusters: Option<usize>,
    /// So many requests a minute Dataproc takes, on the wall's clock; `None`: any number.
    pub quota: Option<u32>,
    /// A token that is given out is good for so long, on the wall's clock.
    pub lifetime: Duration,
    /// Of the first piece of each resumable upload only this much is kept, in bytes.
    pub keeps: Option<usize>,
    /// A job that has ended cannot be cancelled; else that changes nothing.
    pub refuses_late_cancels: bool,
    /// How fast the fake's time goes by; questions are those for clusters, jobs and operations.
    pub tempo: Tempo,
}

/// What becomes of a cluster.
#[derive(Clone, Debug)]
pub struct ClusterScript {
    /// So long it is CREATING.
    pub creating: Duration,
    /// Then it is in ERROR, with this detail, in place of RUNNING.
    pub fails: Option<String>,
    /// What it is so long after it was ready, with the substate and the detail.
    pub turns: Vec<Turn<State>>,
    /// So long it is DELETING.
    pub deleting: Duration,
    /// The operation that makes it is done after so long, whatever the cluster is; `None`: when it is not CREATING any more.
    pub create_takes: Option<Duration>,
    /// The same of the one that deletes it; `None`: when the cluster is gone.
    pub delete_takes: Option<Duration>,
    /// What becomes of its jobs when it ends.
    pub jobs: Fate,
}

/// What becomes of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepScript {
    /// So long it is PENDING.
    pub pending: Duration,
    /// Then so long SETUP_DONE.
    pub setup: Duration,
    /// So long it runs; `None`: until it is ended.
    pub runs: Option<Duration>,
    /// What it is so long after it began to run, with the substate and the details.
    pub turns: Vec<Turn<JobState>>,
    /// How it ends by itself.
    pub end: End,
    /// What its driver writes, and when, counted from when it began to run.
    pub output: Vec<(Duration, String)>,
    /// The names of the applications that it has in YARN.
    pub yarn: Vec<String>,
    /// So long it is CANCEL_PENDING.
    pub cancel_pending: Duration,
    /// Then so long CANCEL_STARTED.
    pub stubborn: Duration,
}

/// Another state after some time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn<S> {
    /// So long after it was ready, or began to run.
    pub after: Duration,
    /// What it is then.
    pub state: S,
    /// Such as `UNHEALTHY`, `STALE_STATUS`.
    pub substate: Option<&'static str>,
    /// For people.
    pub details: String,
}

/// How a job ends by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// DONE
    Done,
    /// Our own wrapper says so with its last line; DONE with 0, else ERROR.
    Exits(i32),
    /// ERROR with these details, and no word of any code but what they say.
    Fails(String),
    /// CANCELLED, by somebody else.
    Cancelled,
    /// In a state of which nobody has heard; Dataproc calls it done.
    Word(&'static str),
}

/// What becomes of a job when its cluster ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// ERROR
    Error,
    /// CANCELLED
    Cancelled,
    /// It keeps its state for ever.
    Kept,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            clusters: vec![ClusterScript::default()],
            steps: BTreeMap::new(),
            step: StepScript::done(60),
            late_clusters: Duration::ZERO,
            late_jobs: Duration::ZERO,
            late_output: Duration::ZERO,
            output_size: 1 << 20,
            page: 100,
            objects: 1000,
            buckets: vec!["dataproc-staging-fake".to_owned()],
            elsewhere: Vec::new(),
            most_clusters: None,
            quota: None,
            lifetime: Duration::from_secs(3599),
            keeps: None,
            refuses_late_cancels: false,
            tempo: Tempo::second_in_ms(10),
        }
    }
}

impl Script {
    /// The same for every job of the step with this id, or whose own id begins so.
    #[must_use]
    pub fn step(self, step: &str, script: StepScript) -> Self {
        self.attempts(step, [script])
    }

    /// The same for the first job of the step, the second, and so on.
    #[must_use]
    pub fn attempts(mut self, step: &str, all: impl Into<Vec<StepScript>>) -> Self {
        self.steps.insert(step.to_owned(), all.into());
        self
    }

    /// The only cluster's; the last stands for all further ones.
    #[must_use]
    pub fn cluster(self, cluster: ClusterScript) -> Self {
        Self { clusters: vec![cluster], ..self }
    }

    /// The next cluster's.
    #[must_use]
    pub fn then(mut self, cluster: ClusterScript) -> Self {
        self.clusters.push(cluster);
        self
    }

    /// One more bucket.
    #[must_use]
    pub fn bucket(mut self, name: &str) -> Self {
        self.buckets.push(name.to_owned());
        self
    }

    /// What becomes of the cluster that is the `n`-th, from 0.
    pub(super) fn of_cluster(&self, n: usize) -> ClusterScript {
        self.clusters.get(n).or(self.clusters.last()).cloned().unwrap_or_default()
    }

    /// Under which name a job's script stands; `None`: under none.
    pub(super) fn name_of(&self, job: &str) -> Option<String> {
        let step = step_of(job);
        let fits = |name: &&String| is_step(job, step, name) || job.starts_with(name.as_str());
        self.steps.keys().filter(fits).max_by_key(|name| name.len()).cloned()
    }

    /// What becomes of the job that is the `n`-th of its name, from 0.
    pub(super) fn of_job(&self, name: Option<&String>, n: usize) -> StepScript {
        let named = name.and_then(|name| self.steps.get(name));
        named.and_then(|all| all.get(n).or(all.last())).unwrap_or(&self.step).clone()
    }
}

/// The longest job id (`JobReference.jobId`).
pub(super) const LONGEST_JOB: usize = 100;

/// What a job's id says of its step: all between the run's id and the number of the attempt.
fn step_of(job: &str) -> Option<&str> {
    let run = match job.get(..2)? {
        "r-" => job.match_indices('-').nth(2)?.0,
        "k-" => job.match_indices('-').nth(1)?.0,
        _ => return None,
    };
    let (rest, _) = job.get(run + 1..)?.rsplit_once('-')?;
    let attempt = rest.rsplit_once('-');
    let numbered = attempt.filter(|(_, n)| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    Some(numbered.map_or(rest, |(step, _)| step))
}

fn is_step(job: &str, step: Option<&str>, name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    let written: String = name.chars().map(|c| if plain(c) { c } else { '-' }).collect();
    let cut = job.len() == LONGEST_JOB;
    step.is_some_and(|step| step == written || (cut && written.starts_with(step)))
}

impl Default for ClusterScript {
    fn default() -> Self {
        Self {
            creating: Duration::from_secs(90),
            fails: None,
            turns: Vec::new(),
            deleting: Duration::from_secs(30),
            create_takes: None,
            delete_takes: None,
            jobs: Fate::Error,
        }
    }
}

impl ClusterScript {
    /// It never comes up.
    pub fn fails(detail: &str) -> Self {
        Self { fails: Some(detail.to_owned()), ..Self::default() }
    }

    /// With one more state to come, so many seconds after it was ready.
    #[must_use]
    pub fn turning(mut self, seconds: u64, state: State, details: &str) -> Self {
        self.turns.push(Turn::new(seconds, state, details));
        self
    }
}

impl<S> Turn<S> {
    /// After so many seconds.
    pub fn new(seconds: u64, state: S, details: &str) -> Self {
        let after = Duration::from_secs(seconds);
        Self { after, state, substate: None, details: details.to_owned() }
    }

    /// In this substate.
    #[must_use]
    pub fn in_substate(self, substate: &'static str) -> Self {
        Self { substate: Some(substate), ..self }
    }
}

impl StepScript {
    /// It ends so after so many seconds.
    pub fn ends(end: End, seconds: u64) -> Self {
        Self {
            pending: Duration::from_secs(1),
            setup: Duration::from_secs(1),
            runs: Some(Duration::from_secs(seconds)),
            turns: Vec::new(),
            end,
            output: vec![(Duration::ZERO, "hello\n".to_owned())],
            yarn: Vec::new(),
            cancel_pending: Duration::from_secs(1),
            stubborn: Duration::from_secs(2),
        }
    }

    /// It is DONE after so many seconds.
    pub fn done(seconds: u64) -> Self {
        Self::ends(End::Done, seconds)
    }

    /// Our own wrapper ends with this code after so many seconds.
    pub fn exits(code: i32, seconds: u64) -> Self {
        Self::ends(End::Exits(code), seconds)
    }

    /// It ends in ERROR without a code after so many seconds.
    pub fn fails(seconds: u64) -> Self {
        Self::ends(End::Fails(String::new()), seconds)
    }

    /// It runs until it is ended.
    pub fn never_ends() -> Self {
        Self { runs: None, ..Self::done(0) }
    }

    /// With what its driver writes, in place of `hello`: each piece so many seconds after it began to run.
    #[must_use]
    pub fn writing(self, pieces: &[(u64, &str)]) -> Self {
        let piece = |(at, text): &(u64, &str)| (Duration::from_secs(*at), (*text).to_owned());
        Self { output: pieces.iter().map(piece).collect(), ..self }
    }

    /// With one more state to come, so many seconds after it began to run.
    #[must_use]
    pub fn turning(mut self, turn: Turn<JobState>) -> Self {
        self.turns.push(turn);
        self
    }

    /// With an application in YARN.
    #[must_use]
    pub fn in_yarn(mut self, name: &str) -> Self {
        self.yarn.push(name.to_owned());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_are_known_by_their_steps_and_by_their_ids() {
        let script = Script::default()
            .step("load the rest", StepScript::done(1))
            .step("load", StepScript::done(2))
            .step("job-", StepScript::done(3));
        for (job, name) in [
            ("r-20261122T101500Z-k3f9x2-load-1-0011aabb", Some("load")),
            ("k-0123456789abcdef01234567-load-the-rest-12-0011aabb", Some("load the rest")),
            ("r-20261122T101500Z-k3f9x2-loads-1-0011aabb", None),
            ("job-17", Some("job-")),
            ("j", None),
        ] {
            assert_eq!(script.name_of(job).as_deref(), name, "{job}");
        }
    }

    #[test]
    fn a_step_whose_name_was_cut_is_known_all_the_same() {
        let name = "s".repeat(200);
        let script = Script::default().step(&name, StepScript::done(1));
        let job = format!("r-20261122T101500Z-k3f9x2-{}-0011aabb", "s".repeat(65));
        assert_eq!((job.len(), script.name_of(&job)), (100, Some(name)));
    }
}
