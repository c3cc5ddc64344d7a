//! Which of the clusters and steps that EMR shows is the one of an order whose answer was lost.
//!
//! EMR takes no token with an order. A cluster carries ours as a tag; steps are told by what they are, in sequence, and
//! by when they were made. What cannot be told apart for sure is never adopted, and never said to be absent.

use std::time::Duration;

use jiff::Timestamp;

use super::reply::{Cluster, Step, StepConfig, Tag};
use super::request::RUN_TAG;
use crate::clock::add;
use crate::fabric::{ClusterId, Found, StepId, Token};

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

/// The cluster of an order, among those with its exact name.
///
/// One that carries the token is it. One without our tag may be it, if the tag was refused: it then has just the tags
/// that were asked for. It is adopted only if we know that tags are refused (`untagged`), and it is the only one that can
/// be meant.
pub(super) fn cluster(
    candidates: &[Cluster],
    intent: Intent<'_>,
    asked: &[Tag],
    untagged: bool,
) -> Found<ClusterId> {
    let id = |cluster: &Cluster| ClusterId::new(cluster.id.as_str());
    let ended_before = |cluster: &&Cluster| {
        cluster.status.timeline.end_date_time.is_some_and(|end| end < intent.surely_older())
    };
    let ours = |cluster: &&Cluster| {
        let tag = cluster.tags.iter().find(|tag| tag.key == RUN_TAG);
        tag.is_some_and(|tag| tag.value == intent.token.as_str())
    };
    let mut alive = candidates.iter().filter(|cluster| !ended_before(cluster));
    if let Some(cluster) = alive.clone().find(ours) {
        return Found::Yes(id(cluster));
    }
    let may_be = |cluster: &&Cluster| {
        let created = cluster.status.timeline.creation_date_time;
        // With any tag of ours these are not the same.
        same_tags(&cluster.tags, asked) && created.is_none_or(|at| at >= intent.surely_older())
    };
    let Some(only) = alive.find(may_be) else { return Found::No };
    let created = only.status.timeline.creation_date_time;
    let sure = created.is_some_and(|at| at >= intent.surely_newer());
    match alive.any(|cluster| may_be(&cluster)) {
        false if untagged && sure => Found::Yes(id(only)),
        _ => Found::NotYet,
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
    match &recent[..] {
        [] => {
            let oldest = oldest_first.first().copied().and_then(created);
            let cut = newest_first.len() >= MOST_STEPS
                && oldest.is_none_or(|oldest| oldest >= intent.surely_older());
            if cut { Steps::Unclear } else { Steps::None }
        }
        [only] if created(only[0]).is_some_and(|made| made >= intent.surely_newer()) => {
            Steps::These(ids(only))
        }
        [first, ..] => Steps::TheseIfLaunched(ids(first)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_795_327_269;

    fn token() -> Token {
        Token::new("r-x.1.1")
    }

    fn intent(token: &Token, clocks_agree: bool) -> Intent<'_> {
        let intended = Timestamp::from_second(NOW).expect("a time");
        Intent { token, intended, clocks_agree }
    }

    fn a_cluster(id: &str, created: i64, ended: Option<i64>, tags: &[(&str, &str)]) -> Cluster {
        let tags: Vec<_> = tags.iter().map(|(k, v)| json!({"Key": k, "Value": v})).collect();
        let timeline =
            json!({"CreationDateTime": NOW + created, "EndDateTime": ended.map(|at| NOW + at)});
        serde_json::from_value(json!({"Id": id, "Name": "n", "Tags": tags,
            "Status": {"State": "STARTING", "Timeline": timeline}}))
        .expect("it is a cluster")
    }

    fn find(candidates: &[Cluster], asked: &[(&str, &str)], untagged: bool) -> Found<ClusterId> {
        let asked: Vec<_> =
            asked.iter().map(|(k, v)| Tag { key: (*k).into(), value: (*v).into() }).collect();
        cluster(candidates, intent(&token(), true), &asked, untagged)
    }

    fn yes(id: &str) -> Found<ClusterId> {
        Found::Yes(ClusterId::new(id))
    }

    #[test]
    fn a_cluster_is_known_by_the_token() {
        let run = |token| (RUN_TAG, token);
        let others = [
            a_cluster("j-a", 10, None, &[run("r-x.1.2")]),
            a_cluster("j-b", 11, None, &[run("r-y.1.1"), ("a", "b")]),
        ];
        assert_eq!(find(&others, &[], false), Found::No);
        let ours = a_cluster("j-c", -200, None, &[("a", "b"), run("r-x.1.1")]);
        let all = [others[0].clone(), ours, others[1].clone()];
        assert_eq!(find(&all, &[("a", "b")], false), yes("j-c"));
        let ended = a_cluster("j-d", -200, Some(-100), &[run("r-x.1.1")]);
        assert_eq!(find(&[ended], &[], false), Found::No, "it ended before the intent");
        let ended = a_cluster("j-e", 1, Some(100), &[run("r-x.1.1")]);
        assert_eq!(find(&[ended], &[], false), yes("j-e"));
    }

    #[test]
    fn a_cluster_without_our_tag_is_in_doubt_unless_tags_are_refused() {
        let bare = a_cluster("j-a", 1, None, &[("aws:elasticmapreduce:job-flow-id", "j-a")]);
        let one = std::slice::from_ref(&bare);
        assert_eq!(find(one, &[], false), Found::NotYet);
        assert_eq!(find(one, &[], true), yes("j-a"));
        let two = [bare.clone(), a_cluster("j-b", 2, None, &[])];
        assert_eq!(find(&two, &[], true), Found::NotYet, "which of them?");
        // With the other tags that were asked for, ours would have been there too.
        assert_eq!(find(one, &[("a", "b")], true), Found::No);
        let tagged = [a_cluster("j-c", 2, None, &[("a", "b")]), bare.clone()];
        assert_eq!(find(&tagged, &[], true), yes("j-a"));
        assert_eq!(find(&tagged, &[("a", "b")], true), yes("j-c"));
        let older = [a_cluster("j-d", -60, None, &[])];
        assert_eq!(find(&older, &[], true), Found::No, "made before the intent");
        let gone = [a_cluster("j-e", -60, Some(-10), &[])];
        assert_eq!(find(&gone, &[], true), Found::No);
    }

    #[test]
    fn a_clock_that_is_not_to_be_trusted_proves_nothing() {
        let of = |created| {
            let candidates = [a_cluster("j-a", created, None, &[])];
            cluster(&candidates, intent(&token(), false), &[], true)
        };
        assert_eq!(of(-301), Found::No);
        assert_eq!(of(-299), Found::NotYet);
        assert_eq!(of(299), Found::NotYet);
        assert_eq!(of(301), yes("j-a"));
    }

    fn a_step(id: &str, name: &str, args: &[&str], created: i64) -> Step {
        serde_json::from_value(json!({"Id": id, "Name": name,
            "Config": {"Jar": "command-runner.jar", "Properties": {}, "Args": args},
            "Status": {"State": "PENDING", "Timeline": {"CreationDateTime": NOW + created}}}))
        .expect("it is a step")
    }

    fn wanted(names: &[&str]) -> Vec<Wanted> {
        let config = |name: &&str| StepConfig {
            jar: "command-runner.jar".into(),
            main_class: String::new(),
            args: vec!["x".to_owned(), (*name).to_owned()],
        };
        names.iter().map(|name| Wanted { name: (*name).into(), config: config(name) }).collect()
    }

    /// Steps as EMR shows them: the newest first.
    fn shown(steps: &[(&str, &str, i64)]) -> Vec<Step> {
        let mut all: Vec<_> =
            steps.iter().map(|(id, name, at)| a_step(id, name, &["x", name], *at)).collect();
        all.reverse();
        all
    }

    fn look(newest_first: &[Step], names: &[&str]) -> Steps {
        steps(newest_first, &wanted(names), intent(&token(), true), &[])
    }

    fn ids(ids: &[&str]) -> Vec<StepId> {
        ids.iter().map(|id| StepId::new(*id)).collect()
    }

    #[test]
    fn steps_are_known_by_their_sequence() {
        let all = shown(&[
            ("s-1", "a", -600),
            ("s-2", "b", -600),
            ("s-3", "z", 0),
            ("s-4", "a", 1),
            ("s-5", "b", 1),
            ("s-6", "y", 2),
        ]);
        assert_eq!(look(&all, &["a", "b"]), Steps::These(ids(&["s-4", "s-5"])), "oldest first");
        assert_eq!(look(&all, &["b", "y"]), Steps::These(ids(&["s-5", "s-6"])));
        for none in [&["b", "a"][..], &["a", "y"], &["c"], &["a", "b", "y", "y"]] {
            assert_eq!(look(&all, none), Steps::None, "{none:?}");
        }
        let long: Vec<&str> = vec!["a"; 256];
        assert_eq!(look(&all, &long), Steps::None);
        let other = [a_step("s-9", "a", &["x", "other"], 1)];
        assert_eq!(look(&other, &["a"]), Steps::None, "the arguments count");
        let mut other = all.clone();
        other[2].config.main_class = "C".into();
        assert_eq!(look(&other, &["a", "b"]), Steps::None, "and so does the class");
        assert_eq!(look(&[], &["a"]), Steps::None);
    }

    #[test]
    fn what_was_there_before_is_not_adopted() {
        let before = shown(&[("s-1", "a", -6)]);
        assert_eq!(look(&before, &["a"]), Steps::None);
        let within = shown(&[("s-1", "a", -4)]);
        assert_eq!(look(&within, &["a"]), Steps::These(ids(&["s-1"])), "clocks differ a little");
        let untrusted = |created| {
            steps(&shown(&[("s-1", "a", created)]), &wanted(&["a"]), intent(&token(), false), &[])
        };
        assert_eq!(untrusted(-301), Steps::None);
        assert_eq!(untrusted(-299), Steps::TheseIfLaunched(ids(&["s-1"])));
        assert_eq!(untrusted(299), Steps::TheseIfLaunched(ids(&["s-1"])));
        assert_eq!(untrusted(301), Steps::These(ids(&["s-1"])));
    }

    #[test]
    fn twins_are_told_apart_only_by_the_launch() {
        let twice = shown(&[("s-1", "a", 1), ("s-2", "b", 1), ("s-3", "a", 60), ("s-4", "b", 60)]);
        assert_eq!(look(&twice, &["a", "b"]), Steps::TheseIfLaunched(ids(&["s-1", "s-2"])));
    }

    #[test]
    fn an_earlier_attempt_is_not_the_next() {
        let look = |shown: &[Step], others: &[&str]| {
            steps(shown, &wanted(&["a"]), intent(&token(), true), &ids(others))
        };
        let first = shown(&[("s-1", "a", -2)]);
        assert_eq!(look(&first, &[]), Steps::These(ids(&["s-1"])));
        assert_eq!(look(&first, &["s-1"]), Steps::None);
        let both = shown(&[("s-1", "a", -2), ("s-2", "a", 1)]);
        assert_eq!(look(&both, &["s-1"]), Steps::These(ids(&["s-2"])));
    }

    #[test]
    fn steps_out_of_sight_may_be_there() {
        let mut many: Vec<Step> =
            (0..1000).map(|n| a_step(&format!("s-{n}"), "z", &[], 10)).collect();
        assert_eq!(look(&many, &["a"]), Steps::Unclear);
        many.truncate(999);
        assert_eq!(look(&many, &["a"]), Steps::None);
        many.push(a_step("s-old", "z", &[], -100));
        assert_eq!(look(&many, &["a"]), Steps::None, "what is newer than that is all in sight");
    }
}
