//! A far side that answers whatever an input says.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use crate::bell::Bell;
use crate::config::playbook::Step;
use crate::config::sample::step;
use crate::fabric::{
    ClusterId, Clusters, Fabric, Launch, LogFile, Order, OrderedStep, Query, RunId, StepId, Token,
};
use crate::http::{Client, Fault, Reply};

/// Between two replies.
const BETWEEN: &[u8] = b"\n%%\n";

/// An input that chooses what is asked, by its first byte, and says what is answered, reply by reply:
///
/// ```text
/// 5200
/// content-type: application/json
///
/// {"Cluster": {}}
/// %%
/// 503
///
/// later
/// ```
pub(super) struct Input<'a> {
    /// Which of the questions.
    pub chosen: usize,
    replies: &'a [u8],
}

impl<'a> Input<'a> {
    pub(super) fn of(input: &'a [u8]) -> Option<Self> {
        let (first, replies) = input.split_first()?;
        Some(Self { chosen: usize::from(*first), replies })
    }

    /// A client that hears the replies one after the other; then nobody answers any more.
    pub(super) fn client(&self) -> Client {
        let replies: Mutex<VecDeque<Reply>> = Mutex::new(self.replies());
        let answer = move |_: &_| {
            let next = replies.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            next.ok_or_else(|| Fault::Lost("nobody answers".to_owned()))
        };
        Client::scripted(Arc::new(Bell::hasty()), Arc::new(answer))
    }

    fn replies(&self) -> VecDeque<Reply> {
        let mut replies = VecDeque::new();
        let mut rest = self.replies;
        while !rest.is_empty() {
            let (text, next) = split(rest, BETWEEN);
            replies.extend(reply(text));
            rest = next;
        }
        replies
    }
}

/// What is before and behind the first `between`; all and nothing where there is none.
fn split<'t>(text: &'t [u8], between: &[u8]) -> (&'t [u8], &'t [u8]) {
    match text.windows(between.len()).position(|window| window == between) {
        Some(at) => (&text[..at], &text[at + between.len()..]),
        None => (text, &[]),
    }
}

/// `None` where it does not begin with a status.
fn reply(text: &[u8]) -> Option<Reply> {
    let (head, body) = split(text, b"\n\n");
    let head = String::from_utf8_lossy(head);
    let mut lines = head.lines();
    let status = lines.next()?.trim().parse().ok()?;
    let header = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.trim().to_lowercase(), value.trim().to_owned()))
    };
    Some(Reply { status, headers: lines.filter_map(header).collect(), body: body.to_vec() })
}

/// Asks a fabric one question or gives it one order, of all that there are.
pub(super) fn ask(fabric: &dyn Fabric, on: &ClusterId, ids: &[StepId], chosen: usize) {
    let staged = BTreeMap::new();
    let steps: Vec<Step> = ["a", "b"].map(|id| step(id, "true", &[id])).into();
    let ordered = |most: usize| -> Vec<_> {
        let ordered = |step| OrderedStep { step, attempt: 1, staged: &staged };
        steps.iter().take(most).map(ordered).collect()
    };
    let token = Token::of(&RunId::of_key("nightly"), 1, 1);
    let most = if fabric.capabilities().ordered_queue { 2 } else { 1 };
    let order = Order {
        token: &token,
        intended: Timestamp::UNIX_EPOCH,
        foreign: chosen.is_multiple_of(2),
        along: false,
        ids,
        others: &[],
        steps: ordered(most),
    };
    let file = LogFile { name: "stdout".to_owned(), place: String::new(), size: None };
    match chosen % 16 {
        0 => drop(fabric.submit(on, &order)),
        1 => drop(fabric.find(on, &order)),
        2 | 3 => drop(fabric.poll(on, ids)),
        4 => drop(fabric.cancel(on, ids)),
        5 => drop(fabric.reserve(on, ids.len())),
        6 | 7 => read_logs(fabric, ids.first().and_then(|id| fabric.logs(on, id).ok())),
        8 => drop(fabric.read(&file, 3)),
        choice => {
            let Some(clusters) = fabric.clusters() else { return };
            let launch = Launch {
                token: token.clone(),
                intended: Timestamp::UNIX_EPOCH,
                foreign: false,
                transient: true,
                steps: ordered(2),
            };
            of_clusters(fabric, clusters, &launch, on, choice);
        }
    }
    _ = fabric.warnings();
}

fn of_clusters(
    fabric: &dyn Fabric,
    clusters: &dyn Clusters,
    launch: &Launch<'_>,
    on: &ClusterId,
    choice: usize,
) {
    match choice {
        9 => drop(clusters.launch(launch)),
        10 => drop(clusters.find(launch)),
        11 => drop(clusters.list(&Query::Ours)),
        12 => drop(clusters.list(&Query::Newest("etl".to_owned()))),
        13 => drop(clusters.inspect(on)),
        14 => drop(clusters.terminate(on)),
        _ => read_logs(fabric, clusters.logs(on).ok()),
    }
}

fn read_logs(fabric: &dyn Fabric, files: Option<Vec<LogFile>>) {
    for file in files.iter().flatten().take(2) {
        _ = fabric.read(file, 0);
    }
}
