//! The rules of the fake's world, each shown by what it does.

mod buckets;
mod caller;
mod captures;
mod endings;
mod lists;
mod orders;
mod parity;
mod queue;
mod tokens;
mod trouble;
mod wire;

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Refusal, Script, World};
use crate::clock::add;

/// A region that all of these tests are in.
const HERE: &str = "eu-west-1";

/// A world with a clock that is turned by hand.
struct Bench {
    world: World,
}

impl Bench {
    fn new(script: Script) -> Self {
        Self { world: World::new(script, start()) }
    }

    fn try_call(&mut self, operation: &str, body: Value) -> Result<Value, Refusal> {
        self.world.call(operation, HERE, &body)
    }

    fn call(&mut self, operation: &str, body: Value) -> Value {
        let reply = self.try_call(operation, body).expect("it is taken");
        assert_eq!(self.world.violations(), [] as [&str; 0]);
        reply
    }

    fn refused(&mut self, operation: &str, body: Value) -> Refusal {
        self.try_call(operation, body).expect_err("it is refused")
    }

    fn pass(&mut self, seconds: u64) {
        self.world.advance(add(self.world.now, Duration::from_secs(seconds)));
    }

    /// A cluster that stays (or not), with these steps.
    fn launch(&mut self, stays: bool, steps: &[Value]) -> String {
        let reply = self.call("RunJobFlow", order(stays, steps));
        reply["JobFlowId"].as_str().expect("an id").to_owned()
    }

    /// A cluster that stays and is ready.
    fn ready(&mut self) -> String {
        let id = self.launch(true, &[]);
        self.pass(180);
        id
    }

    fn submit(&mut self, id: &str, steps: &[Value]) -> Vec<String> {
        let reply = self.call("AddJobFlowSteps", json!({"JobFlowId": id, "Steps": steps}));
        let ids = reply["StepIds"].as_array().expect("ids").iter();
        ids.map(|id| id.as_str().expect("an id").to_owned()).collect()
    }

    /// The status of a cluster.
    fn status(&mut self, id: &str) -> Value {
        self.call("DescribeCluster", json!({"ClusterId": id}))["Cluster"]["Status"].clone()
    }

    fn state(&mut self, id: &str) -> String {
        self.status(id)["State"].as_str().expect("a state").to_owned()
    }

    /// The states of all steps of a cluster, oldest first.
    fn states(&mut self, id: &str) -> Vec<String> {
        let reply = self.call("ListSteps", json!({"ClusterId": id}));
        let steps = reply["Steps"].as_array().expect("steps").iter().rev();
        steps.map(|step| step["Status"]["State"].as_str().expect("a state").to_owned()).collect()
    }
}

fn start() -> Timestamp {
    "2024-03-25T10:00:00Z".parse().expect("a time")
}

/// A step that goes by its name.
fn step(name: &str, on_failure: &str) -> Value {
    json!({"Name": name, "ActionOnFailure": on_failure,
        "HadoopJarStep": {"Jar": "command-runner.jar", "Args": ["run", name]}})
}

/// A `RunJobFlow` as the program sends it.
fn order(stays: bool, steps: &[Value]) -> Value {
    json!({
        "Name": "nightly", "ReleaseLabel": "emr-7.5.0", "LogUri": "s3://logs/emr", "VisibleToAllUsers": true,
        "ServiceRole": "EMR_DefaultRole", "JobFlowRole": "EMR_EC2_DefaultRole",
        "Applications": [{"Name": "Spark"}],
        "Instances": {
            "InstanceGroups": [{"InstanceRole": "MASTER", "InstanceType": "m5.xlarge", "InstanceCount": 1}],
            "KeepJobFlowAliveWhenNoSteps": stays, "Ec2SubnetId": "subnet-1"},
        "Steps": steps,
    })
}
