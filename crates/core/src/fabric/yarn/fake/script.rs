//! What is to happen to what comes.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::http::fake::Tempo;

/// What is to happen, told beforehand.
#[derive(Clone, Debug)]
pub struct Script {
    /// What becomes of the launchers of steps by their names: of the first, the second…; the last stands for all further
    /// ones.
    pub steps: BTreeMap<String, Vec<StepScript>>,
    /// What becomes of all others.
    pub step: StepScript,
    /// Who is let in.
    pub access: Access,
    /// So many ResourceManagers there are, of which one is active.
    pub managers: usize,
    /// The same of NameNodes.
    pub name_nodes: usize,
    /// The most memory of a container, in MiB.
    pub most_memory: i64,
    /// The most of its processors.
    pub most_v_cores: i64,
    /// The queues there are.
    pub queues: Vec<String>,
    /// How fast time goes by; questions are those for applications.
    pub tempo: Tempo,
}

/// Who is let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Whoever says who he is (`user.name`).
    Simple,
    /// Whoever has this `authorization`: a gateway stands before it all, but for the nodes.
    Gateway(String),
    /// Nobody: it wants tickets.
    Kerberos,
}

/// What becomes of a launcher.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepScript {
    /// So long it waits for its container.
    pub waits: Duration,
    /// So long it runs; `None`: until it is ended.
    pub runs: Option<Duration>,
    /// How it ends by itself.
    pub end: End,
    /// What its program writes.
    pub stdout: String,
    /// The same.
    pub stderr: String,
    /// The applications that its program starts, in this order.
    pub children: Vec<ChildScript>,
    /// So long it takes to be killed.
    pub stubborn: Duration,
    /// The launcher cannot leave its logs in HDFS.
    pub leaves_no_logs: bool,
}

/// How an application ends by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The launcher's program ends with this code, and the launcher tells it.
    Exits(i32),
    /// It ends well without a launcher that could tell anything more.
    Succeeds,
    /// It tells that it failed, with these diagnostics.
    Fails(String),
    /// Its container is ended with this code of YARN's, and these words of a node.
    Container(i32, String),
    /// It never registers.
    Silent,
    /// Two words that YARN does not document.
    Words(&'static str, &'static str),
}

/// What becomes of an application that a step's program starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChildScript {
    /// Its type, by which it is known where its tags come from: `MAPREDUCE`, `SPARK` or `Apache Flink`.
    pub kind: &'static str,
    /// So long after its launcher it comes.
    pub after: Duration,
    /// So long it runs; `None`: until it is ended.
    pub runs: Option<Duration>,
    /// How it ends by itself.
    pub end: End,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            steps: BTreeMap::new(),
            step: StepScript::exits(0, 10),
            access: Access::Simple,
            managers: 1,
            name_nodes: 1,
            most_memory: 4096,
            most_v_cores: 4,
            queues: vec!["default".to_owned()],
            tempo: Tempo::second_in_ms(10),
        }
    }
}

impl Script {
    /// The same for every launcher of the step with this name.
    #[must_use]
    pub fn step(self, name: &str, script: StepScript) -> Self {
        self.attempts(name, [script])
    }

    /// The same for the first launcher of the step with this name, the second, and so on.
    #[must_use]
    pub fn attempts(mut self, name: &str, all: impl Into<Vec<StepScript>>) -> Self {
        self.steps.insert(name.to_owned(), all.into());
        self
    }

    /// What becomes of the launcher that is the `n`-th of its name, from 0.
    pub(super) fn of_step(&self, name: &str, n: usize) -> StepScript {
        let named = self.steps.get(name).and_then(|scripts| scripts.get(n).or(scripts.last()));
        named.unwrap_or(&self.step).clone()
    }
}

impl StepScript {
    /// Its program ends with this code after so many seconds.
    pub fn exits(code: i32, seconds: u64) -> Self {
        Self::ends(End::Exits(code), seconds)
    }

    /// It ends so after so many seconds.
    pub fn ends(end: End, seconds: u64) -> Self {
        Self {
            waits: Duration::from_secs(1),
            runs: Some(Duration::from_secs(seconds)),
            end,
            stdout: "hello\n".to_owned(),
            stderr: String::new(),
            children: Vec::new(),
            stubborn: Duration::from_secs(1),
            leaves_no_logs: false,
        }
    }

    /// It runs until it is ended.
    pub fn never_ends() -> Self {
        Self { runs: None, ..Self::exits(0, 0) }
    }

    /// With what its program writes.
    #[must_use]
    pub fn writing(self, stdout: &str, stderr: &str) -> Self {
        Self { stdout: stdout.to_owned(), stderr: stderr.to_owned(), ..self }
    }

    /// With one more application that its program starts.
    #[must_use]
    pub fn starting(mut self, child: ChildScript) -> Self {
        self.children.push(child);
        self
    }
}

impl ChildScript {
    /// It comes a second after its launcher, and ends so after so many seconds.
    pub fn ends(kind: &'static str, end: End, seconds: u64) -> Self {
        let after = Duration::from_secs(1);
        Self { kind, after, runs: Some(Duration::from_secs(seconds)), end }
    }

    /// It comes a second after its launcher, and runs until it is ended.
    pub fn never_ends(kind: &'static str) -> Self {
        Self { runs: None, ..Self::ends(kind, End::Succeeds, 0) }
    }

    /// What becomes of it, told as of a launcher.
    pub(super) fn script(&self) -> StepScript {
        StepScript {
            waits: Duration::ZERO,
            runs: self.runs,
            ..StepScript::ends(self.end.clone(), 0)
        }
    }
}
