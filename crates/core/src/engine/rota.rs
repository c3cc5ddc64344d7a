//! Whose turn it is to be asked about, where one question cannot tell all.

use std::collections::HashMap;
use std::num::{NonZeroU32, NonZeroUsize};

use jiff::Timestamp;

use crate::fabric::{Pace, StepState};

/// A step that the fabric has.
#[derive(Clone, Copy, Debug)]
pub(super) struct LiveStep {
    /// Its place in the playbook.
    pub(super) place: usize,
    /// Pending, Running or Unknown.
    pub(super) state: StepState,
    /// When it came into that state: in a queue, the older is before the younger.
    pub(super) since: Timestamp,
}

/// Whose turn it is to be asked about, where one question cannot tell all.
#[derive(Debug, Default)]
pub(super) struct Rota {
    /// How many questions about steps were asked.
    pub(super) questions: u64,
    /// The question in which a step was last asked about, by its place.
    pub(super) last: HashMap<usize, u64>,
    /// How many questions about what runs were asked since the last that was about the cluster, or had a place for
    /// what waits.
    pub(super) since_odd: u32,
    /// How many there were of the latter.
    pub(super) odd_ones: u32,
    /// A step ended otherwise than well: it may have taken the cluster along.
    pub(super) cluster_next: bool,
    /// Since when answers tell nothing of the steps asked about.
    pub(super) silent: Option<Timestamp>,
    /// The cluster, when it was last asked about, had nothing to do.
    pub(super) idle: bool,
    /// The number of questions when the cluster was seen to be gone.
    pub(super) gone: Option<u64>,
}

impl Rota {
    /// Of a driver that has asked nothing yet. Where the cluster is gone already, each step is still to be asked about
    /// once, whatever the driver before had heard.
    pub(super) fn of(gone: bool) -> Self {
        Self { gone: gone.then_some(0), ..Self::default() }
    }

    /// Of the live steps those to ask about next: what runs, the longest unasked first, then the head of the
    /// queue; the last place that is left goes round among the rest of it. Once the cluster is gone each is asked
    /// about once more.
    pub(super) fn turn(&self, live: &[LiveStep], pace: &Pace) -> Vec<usize> {
        let most = pace.at_once.map_or(usize::MAX, NonZeroUsize::get);
        let asked = |step: &LiveStep| self.last.get(&step.place).copied().unwrap_or(0);
        let due = live.iter().filter(|step| self.gone.is_none_or(|gone| asked(step) <= gone));
        let (mut running, mut queue): (Vec<&LiveStep>, Vec<&LiveStep>) =
            due.partition(|step| step.state == StepState::Running || self.gone.is_some());
        running.sort_by_key(|step| (asked(step), step.place));
        // Nothing more may ever be told of what is unknown: it keeps nobody from being asked about.
        queue.sort_by_key(|step| (step.state == StepState::Unknown, step.since, step.place));
        let spared = !queue.is_empty() && self.spares_a_place(live, pace);
        running.truncate(most - usize::from(spared));
        let room = most - running.len();
        if queue.len() > room && (room > 1 || (room == 1 && (spared || self.questions % 2 == 1))) {
            let rest = &mut queue[room - 1..];
            rest.sort_by_key(|step| (asked(step), step.place));
        }
        let mut turn: Vec<&LiveStep> = running.into_iter().chain(queue).take(most).collect();
        // An answer may tell of the first only: once in a while that is who was not heard of for longest.
        if self.questions % 4 == 3 {
            turn.sort_by_key(|step| asked(step));
        }
        turn.into_iter().map(|step| step.place).collect()
    }

    pub(super) fn cluster_is_due(&self, live: &[LiveStep], pace: &Pace) -> bool {
        self.cluster_next || (self.is_odd_one(live, pace) && !self.spares_a_place(live, pace))
    }

    /// So many questions it takes to hear of all that runs, with one among them at most that is not only about that.
    pub(super) fn is_odd_one(&self, live: &[LiveStep], pace: &Pace) -> bool {
        let running = live.iter().filter(|step| step.state != StepState::Pending).count();
        let round = pace.at_once.map_or(1, |most| running.div_ceil(most.get()));
        let every = pace.cluster_every.map_or(16, NonZeroU32::get) as usize;
        self.since_odd as usize + 1 >= every.max(round + 1)
    }

    /// However much runs, the others are not forgotten: each fourth of the questions that would be about the cluster
    /// has a place for one of them.
    pub(super) fn spares_a_place(&self, live: &[LiveStep], pace: &Pace) -> bool {
        let running = live.iter().filter(|step| step.state == StepState::Running).count();
        let crowded =
            pace.at_once.is_some_and(|most| running >= most.get() && running < live.len());
        let turn = pace.cluster_every.is_none() || self.odd_ones % 4 == 3;
        crowded && turn && self.is_odd_one(live, pace)
    }

    /// These were asked about, and there was an answer, which told of those. Who was left out is still to be heard,
    /// unless all were: then there is nothing to tell.
    pub(super) fn answered(&mut self, asked: &[usize], told: &[usize], spared: bool) {
        self.questions += 1;
        self.since_odd += 1;
        self.idle = false;
        if spared {
            self.odd_one();
        }
        let heard = if told.is_empty() { asked } else { told };
        self.last.extend(heard.iter().map(|&step| (step, self.questions)));
    }

    pub(super) fn odd_one(&mut self) {
        self.since_odd = 0;
        self.odd_ones = self.odd_ones.wrapping_add(1);
    }

    /// The cluster was asked about. If that brought nothing, it must not keep us from the steps.
    pub(super) fn cluster_asked(&mut self) {
        self.odd_one();
        self.cluster_next = false;
    }

    /// Whether there are live steps not asked about since the cluster was gone.
    pub(super) fn is_open(&self, live: impl Iterator<Item = usize>) -> bool {
        let Some(gone) = self.gone else { return false };
        let mut live = live;
        live.any(|step| self.last.get(&step).is_none_or(|&last| last <= gone))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    /// As EMR's is.
    fn pace() -> Pace {
        Pace {
            at_once: NonZeroUsize::new(10),
            cluster_every: NonZeroU32::new(4),
            ..Pace::steady(Duration::from_secs(15), Duration::from_secs(15))
        }
    }

    impl Rota {
        /// Asks about the steps, and is told of all.
        fn ask(&mut self, live: &[LiveStep]) -> Vec<usize> {
            let (turn, spared) = (self.turn(live, &pace()), self.spares_a_place(live, &pace()));
            assert!(!turn.is_empty() && turn.len() <= 10, "{turn:?}");
            self.answered(&turn, &turn, spared);
            turn
        }
    }

    fn steps(running: usize, pending: usize) -> Vec<LiveStep> {
        let live = |place| LiveStep {
            place,
            state: if place < running { StepState::Running } else { StepState::Pending },
            since: Timestamp::UNIX_EPOCH,
        };
        (0..running + pending).map(live).collect()
    }

    /// Whom each of so many ticks asks about; nobody: about the cluster.
    fn ticks(live: &[LiveStep], count: usize) -> Vec<Vec<usize>> {
        let mut rota = Rota::default();
        let tick = |_| {
            if rota.cluster_is_due(live, &pace()) {
                rota.cluster_asked();
                return Vec::new();
            }
            rota.ask(live)
        };
        (0..count).map(tick).collect()
    }

    /// The most ticks from one question about `what` (or the start) to the next.
    fn longest_wait(ticks: &[Vec<usize>], what: impl Fn(&Vec<usize>) -> bool) -> usize {
        let asked = (0..ticks.len()).filter(|&tick| what(&ticks[tick])).map(|tick| tick + 1);
        let mut all = vec![0];
        all.extend(asked);
        all.push(ticks.len() + 1);
        all.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or_default()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_end_is_noticed_later_than_a_round_and_one_tick(running in 1..257_usize, pending in 0..257_usize) {
            let live = steps(running, pending);
            let ticks = ticks(&live, 300);
            let law = running.div_ceil(10) + 1;
            for step in 0..running {
                let wait = longest_wait(&ticks, |asked| asked.contains(&step));
                prop_assert!(wait <= law, "step {step} of {running} and {pending}: {wait} ticks, not {law}");
            }
            if pending > 0 {
                let head = longest_wait(&ticks, |asked| asked.contains(&running));
                prop_assert!(head <= 300, "the queue is forgotten");
            }
            let cluster = longest_wait(&ticks, Vec::is_empty);
            prop_assert!(cluster <= 2 * law.max(4), "the cluster: {cluster} ticks");
        }
    }

    #[test]
    fn nothing_is_forgotten() {
        for (running, pending) in [(1, 255), (0, 256), (9, 247), (10, 246), (25, 31), (60, 9)] {
            let ticks = ticks(&steps(running, pending), 5_000);
            for step in 0..running + pending {
                assert!(ticks.iter().any(|asked| asked.contains(&step)), "{step} of {running}");
            }
        }
    }

    #[test]
    fn a_chain_is_followed_at_its_head() {
        let ticks = ticks(&steps(1, 49), 40);
        assert_eq!(ticks.iter().filter(|asked| asked.is_empty()).count(), 10, "each fourth");
        assert!(
            ticks.iter().all(|asked| asked.is_empty() || (0..9).all(|head| asked.contains(&head)))
        );
    }

    #[test]
    fn who_failed_may_have_taken_the_cluster_along() {
        let (mut rota, live) = (Rota::default(), steps(200, 0));
        assert!(!rota.cluster_is_due(&live, &pace()));
        rota.cluster_next = true;
        assert!(rota.cluster_is_due(&live, &pace()));
        rota.cluster_asked();
        assert!(!rota.cluster_is_due(&live, &pace()));
    }

    #[test]
    fn once_the_cluster_is_gone_each_is_asked_about_once() {
        let (mut rota, live) = (Rota::default(), steps(3, 22));
        rota.ask(&live);
        rota.gone = Some(rota.questions);
        let mut asked = Vec::new();
        while rota.is_open(0..25) {
            asked.extend(rota.ask(&live));
            assert!(asked.len() <= 25, "{asked:?}");
        }
        asked.sort_unstable();
        assert_eq!(asked, (0..25).collect::<Vec<_>>());
    }
}
