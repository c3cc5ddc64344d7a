//! A row of `fixtures/emr/outcomes.txt`.

use std::ops::RangeInclusive;
use std::time::Duration;

use dataflow_runner_core::event::Goal;
use dataflow_runner_core::fabric::emr::fake::{
    ClusterScript, Death, Fate, Moment, Script, State, StepEnd, StepScript,
};

/// How long each step runs, in seconds.
const RUNS: u64 = 60;

/// Every reason code of a cluster.
const CODES: [&str; 8] = [
    "INTERNAL_ERROR",
    "VALIDATION_ERROR",
    "INSTANCE_FAILURE",
    "INSTANCE_FLEET_TIMEOUT",
    "BOOTSTRAP_FAILURE",
    "USER_REQUEST",
    "STEP_FAILURE",
    "ALL_STEPS_COMPLETED",
];

/// What is to happen, and what is to come of it.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// The line in the file, from 1.
    pub(crate) line: usize,
    /// The line itself.
    pub(crate) text: String,
    pub(crate) goal: Goal,
    /// The playbook's steps: what becomes of each, and its rule.
    pub(crate) steps: Vec<(StepScript, &'static str)>,
    pub(crate) script: Script,
    pub(crate) given: Given,
    /// Rights that AWS denies.
    pub(crate) denied: Vec<String>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) exit: u8,
    /// How the steps ended, in the order of the playbook; empty: not looked at.
    pub(crate) ends: Vec<String>,
    pub(crate) made: usize,
    pub(crate) left: usize,
    pub(crate) says: String,
}

/// The cluster that is there before a `run` or `down`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Given {
    /// There is none with this id.
    None,
    /// It is in this state.
    In(State),
}

/// A fault of some of the calls of an operation.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    /// `all`: of all operations together.
    pub(crate) operation: String,
    /// Counted from 1.
    pub(crate) calls: RangeInclusive<usize>,
    pub(crate) kind: Kind,
    /// The call is carried out all the same.
    pub(crate) done: bool,
}

/// What a call is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Throttled,
    Denied,
    Expired,
    UnknownKey,
    Invalid,
    Status(u16),
    Html,
    Garbage,
    Cut,
}

/// The rows of the file.
pub(crate) fn rows(text: &str) -> Vec<Row> {
    let lines = text.lines().enumerate().map(|(n, line)| (n + 1, line));
    let rows = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    rows.map(|(n, line)| Row::parse(n, line)).collect()
}

impl Row {
    fn parse(line: usize, text: &str) -> Self {
        let cells: Vec<_> = text.split('|').map(str::trim).collect();
        let [command, steps, cluster, faults, exit, ends, clusters, says] = cells[..] else {
            panic!("line {line}: {} cells", cells.len())
        };
        let goal = match command {
            "up" => Goal::Up,
            "run" => Goal::Run,
            "run-transient" => Goal::RunTransient,
            "down" => Goal::Down,
            _ => panic!("line {line}: `{command}`"),
        };
        let (made, left) = clusters.split_once('/').expect("made/left");
        let mut row = Self {
            line,
            text: text.to_owned(),
            goal,
            steps: steps.split_whitespace().flat_map(steps_of).collect(),
            script: Script::default(),
            given: Given::In(State::Waiting),
            denied: Vec::new(),
            faults: clauses(faults).map(Fault::parse).collect(),
            exit: exit.parse().expect("an exit code"),
            ends: ends.split_whitespace().map(str::to_owned).collect(),
            made: made.parse().expect("a number"),
            left: left.parse().expect("a number"),
            says: says.to_owned(),
        };
        // A failed order must not be far behind its steps, or there is nothing to lose.
        row.script.step = StepScript::completes(RUNS);
        for clause in clauses(cluster) {
            row.clause(clause);
        }
        let scripts = row.steps.iter().enumerate();
        let scripts: Vec<_> = scripts.map(|(n, (script, _))| (name(n), script.clone())).collect();
        for (name, script) in scripts {
            row.script.steps.insert(name, vec![script]);
        }
        row
    }

    fn clause(&mut self, clause: &str) {
        let words: Vec<_> = clause.split_whitespace().collect();
        let number = |word: &str| word.parse::<u64>().expect("a number");
        match words[..] {
            ["given", "none"] => self.given = Given::None,
            ["given", word] => self.given = Given::In(state(word)),
            ["late-clusters", n] => self.script.late_clusters = Duration::from_secs(number(n)),
            ["late-steps", n] => self.script.late_steps = Duration::from_secs(number(n)),
            ["running", word] => self.first().running_steps = fate(word),
            ["pending", word] => self.first().pending_steps = fate(word),
            ["may-not", right] => self.denied.push(right.to_owned()),
            ["protected"] => self.first().protected = true,
            ["completed", ref how @ ..] => self.first().completed = Some(death(how)),
            ["failed", ref how @ ..] => self.first().failed = Some(death(how)),
            ["first", n, at, ref how @ ..] => {
                let n = number(n.trim_end_matches(':'));
                let dying = ClusterScript::dying(moment(at), death(how));
                self.script.clusters = vec![dying; usize::try_from(n).expect("a few")];
                self.script.clusters.push(ClusterScript::default());
            }
            [at, ref how @ ..] => self.first().death = Some((moment(at), death(how))),
            [] => {}
        }
    }

    fn first(&mut self) -> &mut ClusterScript {
        &mut self.script.clusters[0]
    }
}

/// The name of a step, from 0.
pub(crate) fn name(step: usize) -> String {
    format!("step {step}")
}

fn clauses(cell: &str) -> impl Iterator<Item = &str> {
    cell.split(';').map(str::trim).filter(|clause| !clause.is_empty())
}

/// `3*fails/CONTINUE`, with or without the number or the rule.
fn steps_of(word: &str) -> Vec<(StepScript, &'static str)> {
    let (times, word) = word.split_once('*').unwrap_or(("1", word));
    let (end, rule) = match word.split_once('/') {
        None => (word, "CANCEL_AND_WAIT"),
        Some((end, "CONTINUE")) => (end, "CONTINUE"),
        Some((_, rule)) => panic!("no such rule: {rule}"),
    };
    let script = match end {
        "completes" => StepScript::completes(RUNS),
        "fails" => StepScript::fails(RUNS),
        "cancelled" => StepScript::ends(RUNS, StepEnd::Cancelled),
        "interrupted" => StepScript::ends(RUNS, StepEnd::Interrupted),
        "hangs" => StepScript::never_ends(),
        "PAUSED" => StepScript::ends(RUNS, StepEnd::Word("PAUSED")),
        _ => panic!("no such end: {end}"),
    };
    vec![(script, rule); times.parse().expect("a number")]
}

fn state(word: &str) -> State {
    let states = [
        State::Starting,
        State::Bootstrapping,
        State::Running,
        State::Waiting,
        State::Terminating,
        State::Terminated,
        State::TerminatedWithErrors,
    ];
    states.into_iter().find(|state| state.word() == word).expect("a state")
}

fn moment(word: &str) -> Moment {
    match word {
        "starting" => Moment::Starting,
        "bootstrapping" => Moment::Bootstrapping,
        _ => {
            let seconds = word.strip_prefix("ready+").expect("a moment");
            Moment::Ready(Duration::from_secs(seconds.parse().expect("seconds")))
        }
    }
}

fn fate(word: &str) -> Fate {
    match word {
        "cancelled" => Fate::Cancelled,
        "interrupted" => Fate::Interrupted,
        "kept" => Fate::Kept,
        _ => panic!("no such fate: {word}"),
    }
}

fn death(how: &[&str]) -> Death {
    match how {
        ["idle"] => Death::idle(),
        ["spot"] => Death::spot(),
        ["capacity"] => Death::capacity(),
        [state, code] => Death {
            errors: match *state {
                "TERMINATED" => false,
                "TERMINATED_WITH_ERRORS" => true,
                _ => panic!("no such end: {state}"),
            },
            code: (*code != "-")
                .then(|| *CODES.iter().find(|known| *known == code).expect("a code")),
            message: None,
            details: Vec::new(),
        },
        _ => panic!("no such end: {how:?}"),
    }
}

impl Fault {
    fn parse(clause: &str) -> Self {
        let words: Vec<_> = clause.split_whitespace().collect();
        let [operation, calls, kind] = words[..] else { panic!("no fault: {clause}") };
        let number = |word: &str| match word {
            "all" => usize::MAX,
            _ => word.parse().expect("a number"),
        };
        let calls = match calls.split_once('-') {
            Some((first, last)) => number(first)..=number(last),
            None if calls == "all" => 1..=usize::MAX,
            None => number(calls)..=number(calls),
        };
        let (kind, done) = match kind.rsplit_once('-') {
            Some((kind, "after")) => (kind, true),
            Some((kind, "before")) => (kind, false),
            _ => (kind, false),
        };
        let kind = match kind {
            "throttled" => Kind::Throttled,
            "denied" => Kind::Denied,
            "expired" => Kind::Expired,
            "unknown-key" => Kind::UnknownKey,
            "invalid" => Kind::Invalid,
            "html" => Kind::Html,
            "garbage" => Kind::Garbage,
            "cut" => Kind::Cut,
            status => Kind::Status(status.parse().expect("a status")),
        };
        Self { operation: operation.to_owned(), calls, kind, done }
    }
}
