//! What things of ours are called at Google: labels, ids of jobs, ids of requests, and clusters with their uuid.

use sha2::{Digest, Sha256};

use crate::fabric::{ClusterId, OrderedStep, RunId, StepId, Token};
use crate::hex::hex;

/// The label that tells the run.
pub(super) const RUN: &str = "dataflow-runner-run";
/// The label that tells the order.
pub(super) const ORDER: &str = "dataflow-runner-order";

/// Our own labels.
pub(super) const LABELS: [&str; 2] = [RUN, ORDER];

/// The longest id of a job, in characters
/// (<https://cloud.google.com/dataproc/docs/reference/rest/v1/JobReference>).
const LONGEST_JOB: usize = 100;

/// So many digits of a digest tell jobs apart whose names were cut.
const DIGITS: usize = 8;

/// The labels of what an order brings about: their values have no capitals and no dots
/// (<https://cloud.google.com/dataproc/docs/guides/creating-managing-labels>).
pub(super) fn labels(token: &Token) -> [(&'static str, String); 2] {
    let run = token.run().map_or_else(|| token.to_string(), |run| run.to_string());
    let order = token.numbers().map_or(0, |(order, _)| order);
    let run = run.to_lowercase();
    [(ORDER, format!("{run}_{order}")), (RUN, run)]
}

/// The order that labels tell of, whatever its sending was.
pub(super) fn token(order: &str) -> Option<Token> {
    let (run, number) = order.rsplit_once('_')?;
    Some(Token::of(&run_of(run), number.parse().ok()?, 1))
}

/// A run's id has capitals in its time only.
fn run_of(label: &str) -> RunId {
    match label.splitn(3, '-').collect::<Vec<_>>()[..] {
        ["r", time, chance] => RunId::new(format!("r-{}-{chance}", time.to_uppercase())),
        _ => RunId::new(label),
    }
}

/// The id of the job of an attempt: the same for all who drive the run, so that it can be asked for, and so that no two
/// of them can make two of it.
pub(super) fn job(token: &Token, ordered: &OrderedStep<'_>) -> StepId {
    let run = token.run().map_or_else(|| token.to_string(), |run| run.to_string());
    let (step, attempt) = (&ordered.step.id, ordered.attempt);
    let digest = digest(&format!("{run}\0{step}\0{attempt}"));
    let allowed = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
    let name: String = format!("{run}-{step}").chars().map(allowed).collect();
    let tail = format!("-{attempt}-{}", &digest[..DIGITS]);
    let room = LONGEST_JOB.saturating_sub(tail.len());
    StepId::new(format!("{}{tail}", name.chars().take(room).collect::<String>()))
}

/// The id of a request, in the form of a UUID: sent again with it, a request does no more than once.
pub(super) fn request(what: &str) -> String {
    let digest = digest(what);
    let parts = [&digest[..8], &digest[8..12], &digest[12..16], &digest[16..20], &digest[20..32]];
    parts.join("-")
}

/// The same order has the same, whatever its sending.
pub(super) fn order(token: &Token) -> String {
    let [(_, order), _] = labels(token);
    order
}

fn digest(text: &str) -> String {
    hex(&Sha256::digest(text))
}

/// A cluster by its name and, where that is known, by its uuid: names are given again to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Name<'a> {
    pub(super) name: &'a str,
    pub(super) uuid: Option<&'a str>,
}

impl<'a> Name<'a> {
    pub(super) fn of(id: &'a ClusterId) -> Self {
        match id.as_str().split_once('@') {
            Some((name, uuid)) => Self { name, uuid: Some(uuid) },
            None => Self { name: id.as_str(), uuid: None },
        }
    }
}

/// The id of a cluster.
pub(super) fn cluster(name: &str, uuid: &str) -> ClusterId {
    match uuid {
        "" => ClusterId::new(name),
        uuid => ClusterId::new(format!("{name}@{uuid}")),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::config::sample;

    fn job_of(run: &str, step: &str, attempt: u32) -> String {
        let step = sample::step(step, "true", &[]);
        let staged = BTreeMap::new();
        let ordered = OrderedStep { step: &step, attempt, staged: &staged };
        job(&Token::of(&RunId::new(run), 7, 1), &ordered).to_string()
    }

    #[test]
    fn labels_lead_back_to_the_order() {
        for run in ["r-20261122T101500Z-k3f9x2", "k-0123456789abcdef01234567"] {
            let sent = Token::of(&RunId::new(run), 12, 3);
            let [(_, order), (_, of_run)] = labels(&sent);
            let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
            assert!(order.chars().chain(of_run.chars()).all(legal), "{order} {of_run}");
            assert!(token(&order).is_some_and(|token| token.is_same_order(&sent)), "{order}");
        }
        assert_eq!(token("somebody-s"), None);
        assert_eq!(token("run_x"), None);
    }

    #[test]
    fn a_job_is_named_after_its_attempt_and_nothing_else() {
        let id = job_of("r-20261122T101500Z-k3f9x2", "load", 1);
        assert!(id.starts_with("r-20261122T101500Z-k3f9x2-load-1-"), "{id}");
        let others = [job_of("r-1", "a b", 1), job_of("r-1", "a-b", 1), job_of("r-1", "a b", 2)];
        assert_eq!(others.iter().collect::<std::collections::BTreeSet<_>>().len(), 3);
        let long = job_of("r-1", &"ü".repeat(200), 1);
        let legal = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        assert!(long.len() == LONGEST_JOB && long.chars().all(legal), "{long}");
    }

    #[test]
    fn a_request_has_the_id_of_what_it_asks_for() {
        let id = request("x");
        assert!(id.len() == 36 && id == request("x") && id != request("y"), "{id}");
    }

    #[test]
    fn a_cluster_is_named_with_its_uuid_where_that_is_known() {
        let id = cluster("etl", "6f-1");
        assert_eq!(Name::of(&id), Name { name: "etl", uuid: Some("6f-1") });
        assert_eq!(Name::of(&cluster("etl", "")), Name { name: "etl", uuid: None });
    }
}
