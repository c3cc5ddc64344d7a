//! What came of all runs together.

use std::collections::BTreeMap;
use std::time::Instant;

use super::run::Went;

pub(crate) struct Tally {
    fake: String,
    began: Instant,
    runs: usize,
    requests: usize,
    faulty: usize,
    outcomes: BTreeMap<&'static str, usize>,
    /// Why it could not be told what is in doubt.
    doubts: BTreeMap<String, usize>,
    /// What is wrong, by seed.
    wrong: BTreeMap<u64, String>,
}

impl Tally {
    pub(crate) fn new(fake: &str) -> Self {
        Self {
            fake: fake.to_owned(),
            began: Instant::now(),
            runs: 0,
            requests: 0,
            faulty: 0,
            outcomes: BTreeMap::new(),
            doubts: BTreeMap::new(),
            wrong: BTreeMap::new(),
        }
    }

    /// A run that came to its end, or panicked.
    pub(crate) fn count(&mut self, seed: u64, went: Option<Went>) {
        self.runs += 1;
        let Some(went) = went else {
            self.wrong.insert(seed, "it panicked, as is told above".to_owned());
            return;
        };
        self.requests += went.requests;
        self.faulty += went.faulty;
        *self.outcomes.entry(went.outcome).or_default() += 1;
        if !went.doubts.is_empty() {
            *self.doubts.entry(went.doubts.join(" and ")).or_default() += 1;
        }
        if !went.wrong.is_empty() {
            let wrong = went.wrong.join("\n  ");
            self.wrong.insert(seed, format!("{wrong}\n{}", went.said));
        }
    }

    /// Tells of them; fails where something is wrong.
    #[expect(clippy::print_stdout, reason = "the figures of the soak, for whoever asks for them")]
    pub(crate) fn finish(self) {
        let Self { fake, runs, requests, faulty, .. } = &self;
        let each = |of: &BTreeMap<_, _>| {
            of.iter().map(|(word, count)| format!("{count} {word}")).collect::<Vec<_>>().join(", ")
        };
        let outcomes = each(&self.outcomes);
        let doubts: BTreeMap<&str, usize> =
            self.doubts.iter().map(|(why, count)| (why.as_str(), *count)).collect();
        let seconds = self.began.elapsed().as_secs();
        println!(
            "soak {fake}: {runs} runs, {requests} requests, {faulty} of them faulty; {outcomes} ({}); {seconds} s",
            each(&doubts)
        );
        let Some((seed, wrong)) = self.wrong.first_key_value() else { return };
        let all: Vec<_> = self.wrong.keys().map(|seed| format!("{fake}:{seed}")).collect();
        panic!(
            "{} of {runs} runs went wrong: {}\nDATAFLOW_RUNNER_SOAK_SEED={fake}:{seed} repeats this one:\n  {wrong}",
            all.len(),
            all.join(" ")
        );
    }
}
