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

    /// All of them in one line, and what went wrong, if anything.
    pub(crate) fn told(&self) -> (String, Option<String>) {
        let Self { fake, runs, requests, faulty, .. } = self;
        let outcomes = each(self.outcomes.iter().map(|(word, count)| (*word, *count)));
        let doubts = match self.doubts.is_empty() {
            true => String::new(),
            false => {
                let each = each(self.doubts.iter().map(|(why, count)| (why.as_str(), *count)));
                format!(" (in doubt for {each})")
            }
        };
        let seconds = self.began.elapsed().as_secs();
        let line = format!(
            "soak {fake}: {runs} runs, {requests} requests, {faulty} of them faulty; {outcomes}{doubts}; {seconds} s"
        );
        let wrong = self.wrong.first_key_value().map(|(seed, first)| {
            let all: Vec<_> = self.wrong.keys().map(|seed| format!("{fake}:{seed}")).collect();
            format!(
                "{} of {runs} runs went wrong: {}\nDATAFLOW_RUNNER_SOAK_SEED={fake}:{seed} repeats this one:\n  {first}",
                all.len(),
                all.join(" ")
            )
        });
        (line, wrong)
    }
}

fn each<'a>(counts: impl Iterator<Item = (&'a str, usize)>) -> String {
    counts.map(|(of, count)| format!("{count} {of}")).collect::<Vec<_>>().join(", ")
}
