//! What is to happen in the fake's world. Durations are EMR's own, however fast its clock runs.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::http::fake::Tempo;

/// What is to happen.
#[derive(Clone, Debug)]
pub struct Script {
    /// What becomes of the n-th cluster; the last stands for all further ones.
    pub clusters: Vec<ClusterScript>,
    /// What becomes of the steps with a name, by how often that name was submitted; the last stands for all further.
    pub steps: BTreeMap<String, Vec<StepScript>>,
    /// What becomes of every other step.
    pub step: StepScript,
    /// A cluster shows in `ListClusters` so long after it was made.
    pub late_clusters: Duration,
    /// A step shows in `ListSteps` so long after it was submitted.
    pub late_steps: Duration,
    /// So many records a page, as EMR has it: 50.
    pub page: usize,
    /// So many keys a page of the bucket, as S3 has it: 1,000.
    pub keys: usize,
    /// Credentials that STS gives out are good for so long, whatever is asked for; on the wall's clock.
    pub lifetime: Option<Duration>,
    /// How fast the fake's time goes by.
    pub tempo: Tempo,
    /// So many times the quotas of EMR, on the wall's clock; `None`: none at all.
    pub quota: Option<f64>,
    /// Log files come to the bucket so long after a step or bootstrap action ended, or when the cluster has ended.
    pub log_delivery: Duration,
}

/// What becomes of a cluster.
#[derive(Clone, Debug)]
pub struct ClusterScript {
    /// So long it is STARTING.
    pub starting: Duration,
    /// Then so long BOOTSTRAPPING.
    pub bootstrapping: Duration,
    /// So long TERMINATING at its end.
    pub terminating: Duration,
    /// An end that is not the steps'.
    pub death: Option<(Moment, Death)>,
    /// How it ends when its steps are done, if it ends itself: in place of [`Death::steps_completed`].
    pub completed: Option<Death>,
    /// The same when a step failed, in place of [`Death::steps_with_errors`].
    pub failed: Option<Death>,
    /// It ends after so long in WAITING.
    pub idle: Option<Duration>,
    /// What becomes of a step that runs when the cluster ends.
    pub running_steps: Fate,
    /// What becomes of a step that waits when the cluster ends.
    pub pending_steps: Fate,
    /// It may not be terminated by a request.
    pub protected: bool,
    /// The log files of what failed in its set-up, by name: of its first bootstrap action, or of the applications
    /// ([`Death::provisioning`]).
    pub bootstrap_logs: Vec<(String, String)>,
}

/// When something happens to a cluster by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// In place of the end of STARTING.
    Starting,
    /// In place of the end of BOOTSTRAPPING.
    Bootstrapping,
    /// So long after it was made, if it has not ended yet.
    After(Duration),
    /// So long after it was ready, if it has not ended yet.
    Ready(Duration),
}

/// How a cluster ends: its last state and what EMR says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Death {
    /// `TERMINATED_WITH_ERRORS`, else `TERMINATED`.
    pub errors: bool,
    /// The code of the reason; EMR may leave it out.
    pub code: Option<&'static str>,
    /// The message of the reason.
    pub message: Option<String>,
    /// The `ErrorDetails`.
    pub details: Vec<ErrorDetail>,
}

/// One of EMR's `ErrorDetails`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorDetail {
    /// Such as `BOOTSTRAP_FAILURE_BA_NON_ZERO`.
    pub code: String,
    /// For people.
    pub message: String,
    /// Such as `instance-id`.
    pub data: Vec<BTreeMap<String, String>>,
}

/// What becomes of a step when its cluster ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// CANCELLED
    Cancelled,
    /// INTERRUPTED
    Interrupted,
    /// It keeps its state for ever.
    Kept,
}

/// What becomes of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepScript {
    /// So long it waits though it could run.
    pub waits: Duration,
    /// So long it runs; `None`: until it is stopped.
    pub runs: Option<Duration>,
    /// Then it ends so.
    pub end: StepEnd,
    /// So long it goes on after it was asked to stop.
    pub stubborn: Duration,
    /// It cannot be cancelled.
    pub refuses_cancel: bool,
    /// Its log files by name (`stderr`, `syslog.2024-03-25-10`, …), in place of what its end is sure to leave.
    pub logs: Option<Vec<(String, String)>>,
}

/// How a step ends by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepEnd {
    /// COMPLETED
    Completed,
    /// FAILED, with the details EMR has, which may be none.
    Failed(Option<FailureDetails>),
    /// CANCELLED, by somebody else.
    Cancelled,
    /// INTERRUPTED
    Interrupted,
    /// In a state of which nobody has heard.
    Word(&'static str),
}

/// EMR's `FailureDetails`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailureDetails {
    /// Such as `Unknown Error.`
    pub reason: String,
    /// For people.
    pub message: Option<String>,
    /// Where the log is.
    pub log_file: Option<String>,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            clusters: vec![ClusterScript::default()],
            steps: BTreeMap::new(),
            step: StepScript::completes(60),
            late_clusters: Duration::ZERO,
            late_steps: Duration::ZERO,
            page: 50,
            keys: 1000,
            lifetime: None,
            tempo: Tempo::second_in_ms(10),
            quota: None,
            log_delivery: Duration::from_secs(240),
        }
    }
}

impl Script {
    /// The same for every step with this name.
    #[must_use]
    pub fn step(mut self, name: &str, script: StepScript) -> Self {
        self.steps.insert(name.to_owned(), vec![script]);
        self
    }

    /// The next cluster's; the last stands for all further ones.
    #[must_use]
    pub fn then(mut self, cluster: ClusterScript) -> Self {
        self.clusters.push(cluster);
        self
    }

    /// The first `failures` clusters fail to bootstrap, all further ones come up.
    #[must_use]
    pub fn failing_to_bootstrap(self, failures: usize) -> Self {
        let failing = ClusterScript::dying(Moment::Bootstrapping, Death::bootstrap());
        let mut clusters = vec![failing; failures];
        clusters.push(ClusterScript::default());
        Self { clusters, ..self }
    }

    /// What becomes of the cluster that is the `n`-th, from 0.
    pub(super) fn cluster(&self, n: usize) -> ClusterScript {
        self.clusters.get(n).or(self.clusters.last()).cloned().unwrap_or_default()
    }

    /// What becomes of a step that is the `n`-th of its name, from 0.
    pub(super) fn of_step(&self, name: &str, n: usize) -> StepScript {
        let named = self.steps.get(name).and_then(|scripts| scripts.get(n).or(scripts.last()));
        named.unwrap_or(&self.step).clone()
    }
}

impl Default for ClusterScript {
    fn default() -> Self {
        Self {
            starting: Duration::from_secs(120),
            bootstrapping: Duration::from_secs(60),
            terminating: Duration::from_secs(60),
            death: None,
            completed: None,
            failed: None,
            idle: None,
            running_steps: Fate::Cancelled,
            pending_steps: Fate::Cancelled,
            protected: false,
            bootstrap_logs: Vec::new(),
        }
    }
}

impl ClusterScript {
    /// Ends so.
    pub fn dying(moment: Moment, death: Death) -> Self {
        Self { death: Some((moment, death)), ..Self::default() }
    }
}

impl Death {
    fn new(errors: bool, code: Option<&'static str>, message: &str) -> Self {
        let message = (!message.is_empty()).then(|| message.to_owned());
        Self { errors, code, message, details: Vec::new() }
    }

    /// A bootstrap action failed.
    pub fn bootstrap() -> Self {
        let message = "On the master instance (i-0123456789abcdef0), bootstrap action 1 returned a non-zero return code";
        let detail = ErrorDetail {
            code: "BOOTSTRAP_FAILURE_BA_NON_ZERO".to_owned(),
            message: format!("{message}."),
            data: vec![BTreeMap::from([
                ("bootstrap-action".to_owned(), "1".to_owned()),
                ("instance-id".to_owned(), "i-0123456789abcdef0".to_owned()),
            ])],
        };
        Self { details: vec![detail], ..Self::new(true, Some("BOOTSTRAP_FAILURE"), message) }
    }

    /// An application could not be installed.
    pub fn provisioning() -> Self {
        let message =
            "On the master instance (i-0123456789abcdef0), application provisioning failed";
        Self::new(true, Some("BOOTSTRAP_FAILURE"), message)
    }

    /// EMR found a fault in the order only after it had taken it.
    pub fn invalid(message: &str) -> Self {
        Self::new(true, Some("VALIDATION_ERROR"), message)
    }

    /// An instance was lost.
    pub fn instance() -> Self {
        let message =
            "The master node was terminated. This cluster did not have other master nodes";
        Self::new(true, Some("INSTANCE_FAILURE"), message)
    }

    /// The spot instances were taken away.
    pub fn spot() -> Self {
        let message = "The master instance was terminated due to a spot interruption";
        let detail = ErrorDetail {
            code: "INSTANCE_FAILURE_SPOT_INTERRUPTION".to_owned(),
            message: message.to_owned(),
            data: vec![BTreeMap::from([(
                "instance-id".to_owned(),
                "i-0123456789abcdef0".to_owned(),
            )])],
        };
        Self { details: vec![detail], ..Self::new(true, Some("INSTANCE_FAILURE"), message) }
    }

    /// There were no instances to be had.
    pub fn capacity() -> Self {
        let message = "Master - 1: Insufficient capacity for the requested instance type";
        let detail = ErrorDetail {
            code: "INTERNAL_ERROR_EC2_INSUFFICIENT_CAPACITY_AZ".to_owned(),
            message: message.to_owned(),
            data: Vec::new(),
        };
        Self { details: vec![detail], ..Self::new(true, Some("INTERNAL_ERROR"), message) }
    }

    /// An instance fleet did not come in time.
    pub fn fleet_timeout() -> Self {
        let message = "Failed to provision the instance fleet within the timeout";
        Self::new(true, Some("INSTANCE_FLEET_TIMEOUT"), message)
    }

    /// It had been idle for too long.
    pub fn idle() -> Self {
        Self::new(false, Some("USER_REQUEST"), "Cluster terminated by its auto-termination policy")
    }

    /// Somebody asked for it.
    pub fn user() -> Self {
        Self::new(false, Some("USER_REQUEST"), "Terminated by user request")
    }

    /// EMR's own fault.
    pub fn internal() -> Self {
        Self::new(true, Some("INTERNAL_ERROR"), "Internal error")
    }

    /// All steps were COMPLETED.
    pub fn steps_completed() -> Self {
        Self::new(false, Some("ALL_STEPS_COMPLETED"), "Steps completed")
    }

    /// The steps are done, but one of them failed.
    pub fn steps_with_errors() -> Self {
        Self::new(false, Some("STEP_FAILURE"), "Steps completed with errors")
    }

    /// A step with TERMINATE_CLUSTER failed.
    pub fn step_failure() -> Self {
        Self::new(true, Some("STEP_FAILURE"), "Shut down as step failed")
    }

    /// TERMINATED, and EMR says no more
    /// ([dataflow-runner PR 103](https://github.com/snowplow/dataflow-runner/pull/103)).
    pub fn unsaid() -> Self {
        Self::new(false, None, "")
    }
}

impl StepScript {
    fn ending(seconds: u64, end: StepEnd) -> Self {
        Self {
            waits: Duration::ZERO,
            runs: Some(Duration::from_secs(seconds)),
            end,
            stubborn: Duration::from_secs(5),
            refuses_cancel: false,
            logs: None,
        }
    }

    /// Runs for so many seconds and ends COMPLETED.
    pub fn completes(seconds: u64) -> Self {
        Self::ending(seconds, StepEnd::Completed)
    }

    /// Runs for so many seconds and ends FAILED without details, as EMR often has it.
    pub fn fails(seconds: u64) -> Self {
        Self::ending(seconds, StepEnd::Failed(None))
    }

    /// Runs for so many seconds and ends so.
    pub fn ends(seconds: u64, end: StepEnd) -> Self {
        Self::ending(seconds, end)
    }

    /// Runs until it is stopped.
    pub fn never_ends() -> Self {
        Self { runs: None, ..Self::completes(0) }
    }

    /// With these log files.
    #[must_use]
    pub fn with_logs(self, logs: &[(&str, &str)]) -> Self {
        let logs = logs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        Self { logs: Some(logs.collect()), ..self }
    }
}
