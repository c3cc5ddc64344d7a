//! Replies of far sides.

use std::sync::{Arc, LazyLock};

use super::far_side::{Input, ask};
use crate::config::{Config, load};
use crate::document::Document;
use crate::environment::Environment;
use crate::fabric::dataproc::{Access, Dataproc};
use crate::fabric::emr::Emr;
use crate::fabric::yarn::Yarn;
use crate::fabric::{ClusterId, Fabric, StepId};
use crate::http::aws::{Account, Call, Recorded, Service, Settings, Source as Keys};
use crate::http::{Request, google};
use crate::lock::consul;
use crate::secret::Secret;
use crate::source::Source;

const EMR: &str = r#"{
    "schema": "iglu:com.snowplowanalytics.dataflowrunner/ClusterConfig/avro/1-1-0",
    "data": {
        "name": "etl", "region": "eu-west-1", "logUri": "s3://acme/logs/",
        "credentials": {"accessKeyId": "default", "secretAccessKey": "default"},
        "roles": {"jobflow": "EMR_EC2_DefaultRole", "service": "EMR_DefaultRole"},
        "ec2": {
            "amiVersion": "7.5.0", "keyName": "", "location": {"vpc": {"subnetId": "subnet-1"}},
            "instances": {"master": {"type": "m7g.xlarge"}}
        },
        "securityConfiguration": ""
    }
}"#;

const DATAPROC: &str = r#"{
    "schema": "iglu:com.snowplowanalytics.dataflowrunner/DataprocClusterConfig/avro/1-0-0",
    "data": {
        "name": "etl", "project": "my-project", "region": "europe-west1", "stagingBucket": "acme-etl",
        "master": {"machineType": "n2-standard-4"}
    }
}"#;

const YARN: &str = r#"{
    "schema": "iglu:com.snowplowanalytics.dataflowrunner/YarnClusterConfig/avro/1-0-0",
    "data": {
        "name": "etl", "resourceManagers": ["http://rm1:8088", "http://rm2:8088"],
        "webHdfs": ["http://nn1:9870", "http://nn2:9870"], "historyServer": "http://history:19888", "user": "etl"
    }
}"#;

/// A cluster file, read once.
fn cluster(text: &str) -> Config {
    let document = Document::plain(Arc::new(Source::new("cluster.json", text)));
    let (config, faults) = load(&document);
    config.unwrap_or_else(|| panic!("{:?}", faults.sorted()))
}

fn account(input: &Input<'_>, credentials: Keys, variables: &[(&str, &str)]) -> Option<Account> {
    let settings = Settings {
        region: "eu-west-1".to_owned(),
        credentials,
        environment: Arc::new(variables.iter().copied().collect()),
        client: Arc::new(input.client()),
        quotas: std::env::temp_dir(),
    };
    // Without quotas nothing is kept in that folder.
    Some(Account::again(settings, &Recorded::default()).ok()?.with_quotas(f64::INFINITY))
}

fn key() -> Keys {
    Keys::Key { id: Secret::new("AKIDEXAMPLE"), secret: Secret::new("hunter2hunter2") }
}

/// EMR and S3.
pub(super) fn emr(input: &[u8]) {
    static CLUSTER: LazyLock<Config> = LazyLock::new(|| cluster(EMR));
    let Some(input) = Input::of(input) else { return };
    let Config::Emr(config) = &*CLUSTER else { return };
    let Some(account) = account(&input, key(), &[]) else { return };
    let fabric = Emr::new(Some((**config).clone()), account);
    let ids = [StepId::new("s-1A"), StepId::new("s-2B")];
    ask(&fabric, &ClusterId::new("j-1A"), &ids, input.chosen);
}

/// What gives credentials of AWS: machines, containers, roles, STS.
pub(super) fn aws(input: &[u8]) {
    let Some(input) = Input::of(input) else { return };
    let role = [
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1/creds"),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "t0ken"),
    ];
    let (keys, variables) = match input.chosen % 3 {
        0 => (Keys::Instance, &[][..]),
        1 => (Keys::Chain, &role[..]),
        _ => (key(), &[][..]),
    };
    let Some(account) = account(&input, keys, variables) else { return };
    let call = Call {
        service: if input.chosen.is_multiple_of(2) { Service::Sts } else { Service::S3 },
        operation: "GetCallerIdentity",
        method: "GET",
        path: "/",
        query: &[],
        headers: &[],
        body: b"",
        repeatable: true,
    };
    _ = account.call(&call);
    _ = account.take_notes();
}

/// Dataproc and Cloud Storage.
pub(super) fn dataproc(input: &[u8]) {
    static CLUSTER: LazyLock<Config> = LazyLock::new(|| cluster(DATAPROC));
    let Some(input) = Input::of(input) else { return };
    let Config::Dataproc(config) = &*CLUSTER else { return };
    let access = Access::of(config);
    let Some(credentials) = identity(&input, google::Source::Token(Secret::new("t0ken"))) else {
        return;
    };
    let fabric =
        Dataproc::new(access, Some((**config).clone()), Arc::new(input.client()), credentials);
    let id = "11111111-2222-3333-4444-555555555555";
    let ids = [StepId::new("dfr-1"), StepId::new("dfr-2")];
    ask(&fabric, &ClusterId::new(format!("etl@{id}")), &ids, input.chosen);
}

fn identity(input: &Input<'_>, source: google::Source) -> Option<google::Credentials> {
    let settings = google::Settings {
        source,
        impersonate: None,
        quota_project: None,
        environment: Arc::new(Environment::default()),
        client: Arc::new(input.client()),
    };
    google::Credentials::new(settings).ok()
}

/// What gives tokens of Google.
pub(super) fn google(input: &[u8]) {
    const PERSON: &str = r#"{"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r"}"#;
    const OUTSIDE: &str = r#"{
        "type": "external_account",
        "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt", "token_url": "https://sts.googleapis.com/v1/token",
        "service_account_impersonation_url":
            "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/a@p.iam.gserviceaccount.com:generateAccessToken",
        "credential_source": {"url": "http://127.0.0.1/identity", "format": {"type": "json", "subject_token_field_name": "t"}}
    }"#;
    let Some(input) = Input::of(input) else { return };
    let source = match input.chosen % 3 {
        0 => google::Source::Metadata,
        1 => google::Source::Json(Secret::new(PERSON)),
        _ => google::Source::Json(Secret::new(OUTSIDE)),
    };
    let Some(credentials) = identity(&input, source) else { return };
    let url = "https://dataproc.googleapis.com/".to_owned();
    let mut request = Request { method: "GET", url, headers: Vec::new(), body: Vec::new() };
    if let Ok(token) = credentials.authorize(&mut request) {
        _ = credentials.refuse(&token);
    }
    _ = (credentials.project(), credentials.universe_domain(), credentials.take_notes());
}

/// YARN, HDFS and the JobHistoryServer.
pub(super) fn yarn(input: &[u8]) {
    static CLUSTER: LazyLock<Config> = LazyLock::new(|| cluster(YARN));
    let Some(input) = Input::of(input) else { return };
    let Config::Yarn(config) = &*CLUSTER else { return };
    let fabric = Yarn::new((**config).clone(), Arc::new(input.client()));
    let Some(home) = fabric.home() else { return };
    let ids = [StepId::new("application_1795340501355_0008")];
    ask(&fabric, &home, &ids, input.chosen);
}

/// Consul.
pub(super) fn consul(input: &[u8]) {
    let Some(input) = Input::of(input) else { return };
    consul::fuzz::ask(input.client(), input.chosen);
}
