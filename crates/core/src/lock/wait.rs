//! Waits for a lock to become free.

use std::time::{Duration, Instant};

use super::{Fault, Held, Lock, Place, Refusal, Seen, Taker, consul};

/// Between two looks at a file: at first, and in the end.
const SOONEST: Duration = Duration::from_millis(50);
const LATEST: Duration = Duration::from_secs(1);

pub(super) fn wait(
    lock: &Lock,
    taker: &Taker<'_>,
    limit: Duration,
    waiting: &mut dyn FnMut(&Seen),
) -> Result<Held, Refusal> {
    let deadline = Instant::now().checked_add(limit);
    let mut pause = SOONEST;
    let mut told: Option<Seen> = None;
    loop {
        let taken = lock.take(taker);
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let taken = match taken {
            Err(refusal) if left == Some(Duration::ZERO) => return Err(refusal),
            Err(Refusal::Taken(taken)) => taken,
            // Trouble on the way ends no wait that has begun.
            Err(Refusal::Failed(error)) if error.fault == Fault::Theirs && told.is_some() => None,
            settled => return settled,
        };
        if let Some(seen) = taken.as_deref()
            && told.as_ref().is_none_or(|told| told.content != seen.content)
        {
            waiting(seen);
            told = Some(seen.clone());
        }
        let most = left.unwrap_or(LATEST);
        let rung = match (&lock.0, taken) {
            // Consul tells when it changes.
            (Place::Consul(consul, key), Some(seen)) => {
                consul::until_changed(consul, key, seen.index, taker.bell, most)
            }
            _ => taker.bell.wait(pause.min(most)),
        };
        if let Some((signal, _)) = rung.signal {
            return Err(Refusal::Interrupted(signal));
        }
        pause = (pause * 2).min(LATEST);
    }
}
