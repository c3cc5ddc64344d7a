//! The fabric, as the program makes it, but for where EMR is.

use std::path::Path;
use std::sync::Arc;

use dataflow_runner_core::bell::Bell;
use dataflow_runner_core::environment::Environment;
use dataflow_runner_core::fabric::emr;
use dataflow_runner_core::http::Client;
use dataflow_runner_core::http::aws::{Account, Settings, Source};

/// EMR as it is reached through a server of this machine.
pub(crate) fn over(url: &str, bell: Arc<Bell>, folder: &Path, config: emr::Config) -> emr::Emr {
    let environment: Arc<Environment> =
        Arc::new([("AWS_ENDPOINT_URL", url), ("NO_PROXY", "127.0.0.1")].into_iter().collect());
    let client = Arc::new(Client::new(&environment, bell).expect("a client"));
    let credentials = Source::from(&config.credentials);
    let settings = Settings {
        region: config.region.expose().to_owned(),
        credentials,
        environment,
        client,
        quotas: folder.to_owned(),
    };
    let account = Account::new(settings).expect("an account").with_quotas(f64::INFINITY);
    emr::Emr::new(Some(config), account)
}
