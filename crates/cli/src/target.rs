//! Where a cluster file, a playbook of 0.7.x, or the journal of a run says that steps run.

mod described;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use dataflow_runner_core::bell::Bell;
use dataflow_runner_core::diagnostic::{Diagnostic, code};
use dataflow_runner_core::fabric::Fabric;
use dataflow_runner_core::fabric::dataproc::{self, Dataproc};
use dataflow_runner_core::fabric::emr::{self, Emr};
use dataflow_runner_core::fabric::local::{self, Local};
use dataflow_runner_core::fabric::yarn::{self, Yarn};
use dataflow_runner_core::http::aws::{Account, Recorded, Settings, is_region};
use dataflow_runner_core::http::google;
use dataflow_runner_core::http::{Authorities, Client, Trust};
use dataflow_runner_core::journal::Header;

pub(crate) use described::Described;

/// Where steps run.
#[derive(Clone)]
pub(crate) enum Target {
    /// This machine.
    Local(Box<local::Config>),
    /// Amazon EMR.
    Emr {
        /// What to launch; `None` where steps go to a cluster that is there.
        config: Option<Box<emr::Config>>,
        /// Region and credentials.
        access: Box<emr::Access>,
        /// How an earlier process reached it, whose run this is about.
        recorded: Box<Recorded>,
    },
    /// A Hadoop cluster that is there.
    Yarn(Box<yarn::Config>),
    /// Google Dataproc.
    Dataproc {
        /// What to launch; `None` where steps go to a cluster that is there.
        config: Option<Box<dataproc::Config>>,
        /// Where clusters are, and who asks for them.
        access: Box<dataproc::Access>,
    },
}

/// What a fabric needs of the program around it.
pub(crate) struct Around<'a> {
    /// The folder in which runs are recorded.
    pub(crate) state: &'a Path,
    /// Rung when something ends.
    pub(crate) bell: &'a Arc<Bell>,
    /// The far side is to be reached; else it is only to be told what would be done.
    pub(crate) reach: bool,
    /// What was ordered shows after so long, instead of as long as is usual.
    pub(crate) settle: Option<Duration>,
    /// The account has so many times the usual quotas.
    pub(crate) quota_factor: f64,
    /// Ask so often, instead of as often as is usual on the fabric.
    pub(crate) poll: Option<Duration>,
    /// So long is waited for logs that come late, instead of as long as is usual.
    pub(crate) log_wait: Option<Duration>,
}

impl Target {
    /// What a cluster file of EMR describes.
    pub(crate) fn emr(config: emr::Config) -> Self {
        let access = Box::new(emr::Access::of(&config));
        Self::Emr { config: Some(Box::new(config)), access, recorded: Box::default() }
    }

    /// What a cluster file of Dataproc describes.
    pub(crate) fn dataproc(config: dataproc::Config) -> Self {
        let access = Box::new(dataproc::Access::of(&config));
        Self::Dataproc { config: Some(Box::new(config)), access }
    }

    /// Clusters of EMR that are there.
    pub(crate) fn there(access: emr::Access) -> Self {
        Self::Emr { config: None, access: Box::new(access), recorded: Box::default() }
    }

    /// Where a run did its work, by the header of its journal alone: its steps and its cluster can be found, looked at,
    /// stopped, and their logs be read; nothing can be launched, and no step be started. `files` is what files say of it,
    /// for credentials that were written in one: they are in no header.
    ///
    /// # Errors
    /// The header names no fabric that this program knows, or says too little of it; the credentials are neither kept
    /// nor in `files` (`credentials-not-kept`).
    pub(crate) fn reached(header: &Header, files: Option<Self>) -> Result<Self, Diagnostic> {
        match header.fabric.as_str() {
            "local" => Ok(Self::Local(Box::new(local::Config::reached(&header.reach)?))),
            "emr" => {
                let access = match files {
                    Some(Self::Emr { access, .. }) => Some(*access),
                    _ => None,
                };
                let (access, recorded) = emr::Access::reached(&header.reach, access)?;
                let (access, recorded) = (Box::new(access), Box::new(recorded));
                Ok(Self::Emr { config: None, access, recorded })
            }
            "yarn" => {
                let credentials = match files {
                    Some(Self::Yarn(config)) => config.credentials,
                    _ => None,
                };
                Ok(Self::Yarn(Box::new(yarn::Config::reached(&header.reach, credentials)?)))
            }
            "dataproc" => {
                let credentials = match files {
                    Some(Self::Dataproc { access, .. }) => Some(access.credentials),
                    _ => None,
                };
                let access = dataproc::Access::reached(&header.reach, credentials)?;
                Ok(Self::Dataproc { config: None, access: Box::new(access) })
            }
            unknown => {
                let run = &header.run;
                let message =
                    format!("run {run} is on fabric `{unknown}`, which this program does not know");
                let help = format!("use dataflow-runner {}, which began it", header.program);
                Err(Diagnostic::error(code::UNKNOWN_FABRIC, message).help(help))
            }
        }
    }

    /// The same, but reached as it was by the run of this header.
    pub(crate) fn reached_before(self, header: &Header) -> Self {
        match self {
            Self::Emr { config, access, recorded } => {
                let before = emr::Access::reached(&header.reach, Some((*access).clone()));
                let recorded = before.map_or(recorded, |(_, recorded)| Box::new(recorded));
                Self::Emr { config, access, recorded }
            }
            // What their files say now is where they are.
            other @ (Self::Local(_) | Self::Yarn(_) | Self::Dataproc { .. }) => other,
        }
    }

    /// The fabric, ready to be asked. Nothing is sent or started yet.
    ///
    /// # Errors
    /// What is around does not do: the program does not find itself, or the settings of AWS make no sense.
    pub(crate) fn fabric(&self, around: &Around<'_>) -> Result<Arc<dyn Fabric>, Diagnostic> {
        Ok(match self {
            Self::Local(config) => Arc::new(local(config, around)?),
            Self::Emr { config, access, recorded } => {
                Arc::new(emr(config.as_deref(), access, recorded, around)?)
            }
            Self::Yarn(config) => Arc::new(yarn(config, around)?),
            Self::Dataproc { config, access } => {
                Arc::new(dataproc(config.as_deref(), access, around)?)
            }
        })
    }
}

fn local(config: &local::Config, around: &Around<'_>) -> Result<Local, Diagnostic> {
    let program = std::env::current_exe().map_err(|e| {
        Diagnostic::error(code::NO_PROGRAM, format!("the program cannot find its own file: {e}"))
    })?;
    let around = local::Surroundings {
        environment: std::env::vars_os().collect(),
        work_folder: around.state.join("clusters"),
        program,
        bell: Arc::clone(around.bell),
    };
    Ok(Local::new(config.clone(), around))
}

fn yarn(config: &yarn::Config, around: &Around<'_>) -> Result<Yarn, Diagnostic> {
    let environment = crate::environment();
    let trust = match &config.authorities {
        Some(file) => {
            Trust { authorities: Authorities::File(file.clone()), ..Trust::of(&environment) }
        }
        None => Trust::of(&environment),
    };
    let client = Client::trusting(&environment, Arc::clone(around.bell), trust)
        .map_err(|message| Diagnostic::error(code::HTTP_SETTINGS, message))?;
    let fabric = Yarn::new(config.clone(), Arc::new(client));
    Ok(match around.poll {
        Some(tick) => fabric.asking_every(tick),
        None => fabric,
    })
}

fn dataproc(
    config: Option<&dataproc::Config>,
    access: &dataproc::Access,
    around: &Around<'_>,
) -> Result<Dataproc, Diagnostic> {
    if !around.reach {
        return Ok(Dataproc::on_paper(access.clone(), config.cloned()));
    }
    let wrong = |message: String| Diagnostic::error(code::GOOGLE_SETTINGS, message);
    let environment = Arc::new(crate::environment());
    let client = Client::new(&environment, Arc::clone(around.bell)).map_err(wrong)?;
    let client = Arc::new(client);
    let settings = google::Settings {
        source: access.source(),
        impersonate: access.impersonation(),
        quota_project: access.quota_project.clone(),
        environment,
        client: Arc::clone(&client),
    };
    let identity = google::Credentials::new(settings)
        .map_err(|error| Diagnostic::error(code::GOOGLE_CREDENTIALS, error.to_string()))?;
    let mut fabric = Dataproc::new(access.clone(), config.cloned(), client, identity);
    if let Some(tick) = around.poll {
        fabric = fabric.asking_every(tick);
    }
    if let Some(settle) = around.settle {
        fabric = fabric.settling_in(settle);
    }
    Ok(match around.log_wait {
        Some(wait) => fabric.waiting_for_codes(wait),
        None => fabric,
    })
}

fn emr(
    config: Option<&emr::Config>,
    access: &emr::Access,
    recorded: &Recorded,
    around: &Around<'_>,
) -> Result<Emr, Diagnostic> {
    // What is no region was told of with its place.
    if !around.reach || !is_region(access.region.expose()) {
        return Ok(Emr::on_paper(config.cloned(), access.region.expose()));
    }
    let wrong = |message: String| Diagnostic::error(code::AWS_SETTINGS, message);
    let environment = Arc::new(crate::environment());
    let client = Client::new(&environment, Arc::clone(around.bell)).map_err(wrong)?;
    let settings = Settings {
        region: access.region.expose().to_owned(),
        credentials: (&access.credentials).into(),
        environment,
        client: Arc::new(client),
        quotas: around.state.join("quotas"),
    };
    let account = Account::again(settings, recorded).map_err(|error| wrong(error.to_string()))?;
    let fabric = Emr::new(config.cloned(), account.with_quotas(around.quota_factor));
    let fabric = match around.poll {
        Some(tick) => fabric.asking_every(tick),
        None => fabric,
    };
    Ok(match around.settle {
        Some(settle) => fabric.settling_in(settle),
        None => fabric,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use dataflow_runner_core::fabric::RunId;
    use dataflow_runner_core::journal;
    use jiff::Timestamp;

    use super::*;

    fn header(fabric: &str, reach: &[(&str, &str)]) -> Header {
        let pair = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        Header {
            version: journal::VERSION,
            run: RunId::new("r-1"),
            program: "9.9.9".into(),
            created: Timestamp::UNIX_EPOCH,
            fabric: fabric.into(),
            reach: reach.iter().map(pair).collect::<BTreeMap<_, _>>(),
            time_zone: String::new(),
            noop_exit_code: 0,
        }
    }

    fn code(reached: Result<Target, Diagnostic>) -> &'static str {
        reached.err().map_or("none", |fault| fault.code.as_str())
    }

    #[test]
    fn the_header_says_where_a_run_did_its_work() {
        let local = header("local", &[("workFolder", "/w"), ("killAfterMillis", "0")]);
        assert!(matches!(Target::reached(&local, None), Ok(Target::Local(_))));
        let emr = header("emr", &[("region", "eu-west-1"), ("credentials", "iam")]);
        assert!(matches!(Target::reached(&emr, None), Ok(Target::Emr { config: None, .. })));
    }

    #[test]
    fn what_it_does_not_say_is_said() {
        assert_eq!(code(Target::reached(&header("local", &[]), None)), "journal-reach");
        let literal = header("emr", &[("region", "eu-west-1"), ("credentials", "literal")]);
        assert_eq!(code(Target::reached(&literal, None)), "credentials-not-kept");
        let fault = Target::reached(&header("abacus", &[]), None).err().expect("nobody knows it");
        assert_eq!(
            fault.to_string(),
            "error[unknown-fabric]: run r-1 is on fabric `abacus`, which this program does not know; \
             use dataflow-runner 9.9.9, which began it"
        );
    }
}
