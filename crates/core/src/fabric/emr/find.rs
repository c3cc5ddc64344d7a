//! Which of the clusters and steps that EMR shows is the one of an order whose answer was lost.
//!
//! EMR takes no token with an order. A cluster carries ours as a tag; steps are told by what they are, in sequence, and
//! by when they were made. What cannot be told apart for sure is never adopted, and never said to be absent.

use std::time::Duration;

use jiff::Timestamp;

use super::reply::{Cluster, Step, StepConfig, Tag};
use super::status;
use crate::clock::add;
use crate::fabric::{ClusterId, StepId, Token};

/// Our clock and EMR's agree to so much when the reply's own time says that they do.
const CLOSE: Duration = Duration::from_secs(5);

/// They never differ by more: AWS refuses what is signed with such a clock
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html>).
pub(super) const FARTHEST: Duration = Duration::from_secs(5 * 60);

/// The most records of steps that EMR shows of a cluster; older ones are gone from sight
/// (<https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-work-with-steps.html>).
const MOST_STEPS: usize = 1000;

/// What was ordered, and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Intent<'a> {
    pub(super) token: &'a Token,
    pub(super) intended: Timestamp,
    /// Whether another process may have given the order.
    pub(super) foreign: bool,
    /// Whether our clock and EMR's were seen to agree.
    pub(super) clocks_agree: bool,
}

impl Intent<'_> {
    /// What was made before this is not of the order, for sure.
    pub(super) fn surely_older(&self) -> Timestamp {
        let margin = if self.clocks_agree { CLOSE } else { FARTHEST };
        // A time that is none is before all others.
        self.intended.checked_sub(margin).unwrap_or(Timestamp::MIN)
    }

    /// What was made at or after this is later than the intent, for sure.
    fn surely_newer(&self) -> Timestamp {
        match self.clocks_agree {
            true => self.surely_older(),
            false => add(self.intended, FARTHEST),
        }
    }
}

/// What the clusters of an order's name tell about the order's.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Clusters {
    /// It is this.
    This(ClusterId),
    /// It is none of them.
    None,
    /// It may be one of these: they do not say what they came from.
    MayBe(Vec<ClusterId>),
}

/// Whether a cluster carries the token of this order, whatever the sending.
pub(super) fn is_of(cluster: &Cluster, order: &Token) -> bool {
    status::token(&cluster.tags).is_some_and(|token| token.is_same_order(order))
}

/// Whether it is gone.
pub(super) fn is_gone(cluster: &Cluster) -> bool {
    status::cluster(cluster).state.is_final()
}

/// The cluster of an order, among those with its exact name, newest first.
///
/// One that carries the token is it; of several the newest that is not gone, else the newest. One without our tag may be
/// it, if the tag was refused: it then has just the tags that were asked for. It is adopted only if we know that tags
/// are refused (`untagged`), and it is the only one that can be meant.
pub(super) fn cluster(
    newest_first: &[Cluster],
    intent: Intent<'_>,
    asked: &[Tag],
    untagged: bool,
) -> Clusters {
    let id = |cluster: &Cluster| ClusterId::new(cluster.id.as_str());
    let ended_before = |cluster: &&Cluster| {
        cluster.status.timeline.end_date_time.is_some_and(|end| end < intent.surely_older())
    };
    let candidates = newest_first.iter().filter(|cluster| !ended_before(cluster));
    let ours = candidates.clone().filter(|cluster| is_of(cluster, intent.token));
    if let Some(cluster) = ours.clone().find(|cluster| !is_gone(cluster)).or(ours.clone().next()) {
        return Clusters::This(id(cluster));
    }
    let may_be = |cluster: &&Cluster| {
        let created = cluster.status.timeline.creation_date_time;
        // With any tag of ours these are not the same.
        same_tags(&cluster.tags, asked) && created.is_none_or(|at| at >= intent.surely_older())
    };
    let sure = |cluster: &Cluster| {
        let created = cluster.status.timeline.creation_date_time;
        // What another process may have launched is as well that of any other run.
        !intent.foreign && created.is_some_and(|at| at >= intent.surely_newer())
    };
    match &candidates.filter(may_be).collect::<Vec<_>>()[..] {
        [] => Clusters::None,
        [only] if untagged && sure(only) => Clusters::This(id(only)),
        several => Clusters::MayBe(several.iter().map(|&cluster| id(cluster)).collect()),
    }
}

/// Whether a cluster has just these tags, beside those that AWS itself adds.
fn same_tags(tags: &[Tag], asked: &[Tag]) -> bool {
    let sorted = |tags: &[Tag]| {
        let mut tags: Vec<_> =
            tags.iter().filter(|tag| !tag.key.starts_with("aws:")).cloned().collect();
        tags.sort();
        tags
    };
    sorted(tags) == sorted(asked)
}

/// Who brought a cluster up, as far as an order on it needs to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// The order itself: its steps came along.
    Order,
    /// Its run: whatever is on it is of that run.
    Run,
    /// Another, or nobody knows.
    Other,
}

impl Owner {
    /// By the tags of the cluster.
    pub(super) fn of(tags: &[Tag], order: &Token) -> Self {
        match status::token(tags) {
            Some(token) if token.is_same_order(order) => Self::Order,
            Some(token) if token.run() == order.run() => Self::Run,
            _ => Self::Other,
        }
    }
}

/// What tells a step from others.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) name: String,
    pub(super) config: StepConfig,
}

/// What the steps of a cluster tell about an order's.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Steps {
    /// They are these.
    These(Vec<StepId>),
    /// These or later ones: these only if the cluster itself was made by the order, with its steps.
    TheseIfLaunched(Vec<StepId>),
    /// These, oldest first, are as they should be, and another process may have ordered any of them.
    AnyOf(Vec<Vec<StepId>>),
    /// They are not there; they may not show yet if the cluster itself was made by the order.
    None,
    /// Nobody can say.
    Unclear,
}

/// The steps of an order among all those that EMR shows of a cluster, newest first, as `ListSteps` gives them. `others`
/// are not of the order: an earlier attempt may have ended a moment before it.
pub(super) fn steps(
    newest_first: &[Step],
    wanted: &[Wanted],
    intent: Intent<'_>,
    others: &[StepId],
) -> Steps {
    let oldest_first: Vec<&Step> = newest_first.iter().rev().collect();
    let created = |step: &Step| step.status.timeline.creation_date_time;
    if wanted.is_empty() {
        return Steps::Unclear;
    }
    let same = |run: &[&Step]| {
        let mut pairs = run.iter().zip(wanted);
        let other = |step: &&Step| others.iter().any(|other| other.as_str() == step.id);
        pairs.all(|(step, wanted)| step.name == wanted.name && step.config == wanted.config)
            && !run.iter().any(other)
    };
    let runs = oldest_first.windows(wanted.len()).filter(|run| same(run));
    // The first of them tells when the order was carried out; a step without a time may be of any.
    let recent =
        runs.filter(|run| created(run[0]).is_none_or(|made| made >= intent.surely_older()));
    let recent: Vec<_> = recent.collect();
    let ids = |run: &[&Step]| run.iter().map(|step| StepId::new(step.id.as_str())).collect();
    let oldest = oldest_first.first().copied().and_then(created);
    let cut = newest_first.len() >= MOST_STEPS
        && oldest.is_none_or(|oldest| oldest >= intent.surely_older());
    match &recent[..] {
        all if cut && (all.is_empty() || intent.foreign) => Steps::Unclear,
        [] => Steps::None,
        all if intent.foreign => Steps::AnyOf(all.iter().map(|run| ids(run)).collect()),
        [only] if created(only[0]).is_some_and(|made| made >= intent.surely_newer()) => {
            Steps::These(ids(only))
        }
        [first, ..] => Steps::TheseIfLaunched(ids(first)),
    }
}

#[cfg(test)]
mod tests;
