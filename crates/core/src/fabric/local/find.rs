//! Steps whose order's answer was lost, or was given by another process: found by the names of their folders.

use crate::crash;
use std::fs;
use std::io;

use super::places::{ClusterPlace, order_prefix, step_id};
use super::record::{self, Record};
use super::steps::{UNCLAIMED, age, gone, only, read};
use super::{Local, io_error, process};
use crate::fabric::{ClusterId, Found, Order, Result, StepId};

const FIND: &str = "find a step";

impl Local {
    pub(super) fn find_step(&self, on: &ClusterId, order: &Order<'_>) -> Result<Found<StepId>> {
        let step = only(order)?;
        let own = step_id(order, step)?;
        let cluster = self.places.cluster(on)?;
        let mut found = self.claimed(on, &cluster, &own, true)?;
        // Those of other sendings: of an earlier one, or of another process that drives the same run.
        let prefix = order_prefix(order, step);
        let others =
            prefix.map_or_else(|| Ok(Vec::new()), |prefix| others(&cluster, &prefix, &own));
        for other in others.map_err(io_error(FIND, &cluster.logs))? {
            found = match (found, self.claimed(on, &cluster, &other, false)?) {
                (Found::Yes(id), _) | (_, Found::Yes(id)) => return Ok(Found::Yes(id)),
                (Found::NotYet, _) | (_, Found::NotYet) => Found::NotYet,
                (Found::No, Found::No) => Found::No,
            };
        }
        Ok(found)
    }

    /// An attempt, if somebody runs it, or has. If nobody does, nobody ever will: but one of another process that was
    /// ordered just now is left alone.
    fn claimed(
        &self,
        on: &ClusterId,
        cluster: &ClusterPlace,
        id: &StepId,
        own: bool,
    ) -> Result<Found<StepId>> {
        let place = cluster.step(id)?;
        if self.watch.look(&place.logs).is_some() {
            return Ok(Found::Yes(id.clone()));
        }
        let record = place.record();
        if own {
            match process::make_new_folder(&place.logs) {
                Err(err) if err.kind() != io::ErrorKind::AlreadyExists => {
                    return Err(gone(on, cluster, FIND, &place.logs, err));
                }
                _ => {}
            }
        } else if !record.exists() && age(&place.logs)? <= UNCLAIMED {
            return Ok(Found::NotYet);
        }
        // Whoever comes later, this attempt is not begun: only so is No the truth.
        crash::point("local: before a step is fenced");
        let fenced =
            record::fence(&record, "its order was given up").map_err(io_error(FIND, &record))?;
        crash::point("local: a step is fenced");
        if fenced {
            return Ok(Found::No);
        }
        Ok(match read(&record, FIND)? {
            Some(Record { void: Some(_), .. }) => Found::No,
            // Claimed, or at least not by us. Nobody watches it yet, so whoever asks has to look at it now.
            _ => {
                self.watch.ring();
                Found::Yes(id.clone())
            }
        })
    }
}

/// The attempts whose ids begin so, but for one; those of later sendings first.
fn others(cluster: &ClusterPlace, prefix: &str, own: &StepId) -> io::Result<Vec<StepId>> {
    let mut others = Vec::new();
    for entry in fs::read_dir(&cluster.logs)? {
        let name = entry?.file_name();
        let Some(name) = name.to_str().filter(|name| *name != own.as_str()) else { continue };
        let sending = name.strip_prefix(prefix).and_then(|sending| sending.parse::<u32>().ok());
        others.extend(sending.map(|sending| (sending, StepId::new(name))));
    }
    others.sort_by_key(|(sending, _)| std::cmp::Reverse(*sending));
    Ok(others.into_iter().map(|(_, id)| id).collect())
}
