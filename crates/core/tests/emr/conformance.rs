//! The suite that every fabric must pass, over this one.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use dataflow_runner_core::bell::Bell;
use dataflow_runner_core::config::playbook::{Program, Step};
use dataflow_runner_core::config::{Config, load, sample};
use dataflow_runner_core::document::Document;
use dataflow_runner_core::environment::Environment;
use dataflow_runner_core::fabric::Fabric;
use dataflow_runner_core::fabric::conformance::{Behaviour, CASES, Subject};
use dataflow_runner_core::fabric::emr::fake::{ClusterScript, Fake, Script, StepScript, Tempo};
use dataflow_runner_core::fabric::emr::{self, Emr};
use dataflow_runner_core::http::Client;
use dataflow_runner_core::http::aws::{Account, Settings, Source as Credentials};
use dataflow_runner_core::source::Source;
use libtest_mimic::Trial;
use tempfile::TempDir;

/// What to launch.
const CLUSTER: &str = r#"{
    "schema": "iglu:com.snowplowanalytics.dataflowrunner/ClusterConfig/avro/1-1-0",
    "data": {
        "name": "conformance", "logUri": "s3://logs/emr", "region": "eu-west-1",
        "credentials": {"accessKeyId": "env", "secretAccessKey": "env"},
        "roles": {"jobflow": "EMR_EC2_DefaultRole", "service": "EMR_DefaultRole"},
        "ec2": {
            "amiVersion": "7.5.0", "keyName": "key", "location": {"vpc": {"subnetId": "subnet-1"}},
            "instances": {
                "master": {"type": "m5.xlarge"}, "core": {"type": "m5.xlarge", "count": 1},
                "task": {"type": "m5.xlarge", "count": 0, "bid": ""}
            }
        },
        "tags": [{"key": "team", "value": "data"}], "bootstrapActionConfigs": [], "configurations": [],
        "applications": ["Spark"]
    }
}"#;

/// Much shorter than a wait.
const SOON: Duration = Duration::from_secs(1);

struct There {
    fake: Fake,
    emr: Emr,
    folder: TempDir,
}

impl There {
    fn new() -> Self {
        let script = Script {
            tempo: Tempo::notch_of(1),
            // The suite asks for logs when a step has ended, and not again.
            log_delivery: Duration::ZERO,
            late_clusters: Duration::from_secs(3),
            late_steps: Duration::from_secs(3),
            page: 2,
            // Few questions, since the client keeps to EMR's quotas.
            clusters: vec![ClusterScript {
                starting: SOON,
                bootstrapping: SOON,
                terminating: SOON,
                ..ClusterScript::default()
            }],
            ..Script::default()
        };
        let fake = Fake::start(script).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let environment: Arc<Environment> = Arc::new(fake.environment().into_iter().collect());
        let client = Client::new(&environment, Arc::new(Bell::new())).unwrap();
        let account = Account::new(Settings {
            region: "eu-west-1".to_owned(),
            credentials: Credentials::Environment,
            environment,
            client: Arc::new(client),
            quotas: folder.path().join("quotas"),
        });
        let emr = Emr::new(Some(cluster()), account.unwrap());
        Self { fake, emr, folder }
    }
}

fn cluster() -> emr::Config {
    let source = Arc::new(Source::new("cluster.json", CLUSTER));
    match load(&Document::plain(source)) {
        (Some(Config::Emr(config)), _) => *config,
        (_, diagnostics) => panic!("{:#?}", diagnostics.sorted()),
    }
}

impl Subject for There {
    fn fabric(&self) -> &dyn Fabric {
        &self.emr
    }

    fn step(&self, id: &str, does: Behaviour) -> Step {
        let script = match does {
            Behaviour::Exits(0) => StepScript::completes(1),
            Behaviour::Exits(_) => StepScript::fails(1),
            Behaviour::RunsUntilStopped => StepScript::never_ends(),
        };
        self.fake.world(|world| world.script.steps.insert(id.to_owned(), vec![script]));
        sample::step_of(id, Program::Command { command: sample::text("true") }, &[id])
    }

    fn file(&self) -> PathBuf {
        let path = self.folder.path().join("a file");
        std::fs::write(&path, "content").unwrap();
        path
    }

    fn wait(&self) {
        self.fake.pass(Duration::from_secs(10));
    }
}

/// A trial for each case. What EMR was asked is checked by the fake, whatever came of it.
pub(crate) fn trials() -> impl Iterator<Item = Trial> {
    CASES.iter().map(|(name, case)| {
        Trial::test(format!("conformance::{name}"), move || {
            let there = There::new();
            case(&there);
            let violations = there.fake.world(|world| world.violations().to_vec());
            let doubled = *name == "an_order_sent_twice_runs_once";
            assert_eq!(violations.len(), usize::from(doubled), "{violations:?}");
            Ok(())
        })
    })
}
