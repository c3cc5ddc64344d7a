//! Clusters: folders of this machine.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Instant;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::places::ClusterPlace;
use super::record::Record;
use super::stop::Stopping;
use super::{Local, error, io_error, places, process, watch};
use crate::crash;
use crate::fabric::{
    Cause, ClusterId, ClusterState, ClusterStatus, Clusters, ErrorKind, Found, Launch, LogFile,
    Query, Result, Token,
};
use crate::folder;

/// All ids begin so.
pub(super) const PREFIX: &str = "local-";

/// What `cluster.json` holds.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Descriptor {
    version: u32,
    /// Of the launch.
    pub(super) token: String,
    name: String,
    pub(super) created: Timestamp,
}

const VERSION: u32 = 1;

/// The id that an order for a cluster gets, the same whenever it is asked for: when it was intended, and a
/// digest of its token.
fn id_of(order: &Launch<'_>) -> ClusterId {
    // Letters and digits that are not taken for one another.
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let digest = Sha256::digest(order.token.as_str());
    let chance: String =
        digest.iter().take(6).map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect();
    let time = order.intended.to_zoned(TimeZone::UTC).strftime("%Y%m%dT%H%M%SZ");
    ClusterId::new(format!("{PREFIX}{time}-{chance}"))
}

impl Clusters for Local {
    fn launch(&self, order: &Launch<'_>) -> Result<ClusterId> {
        const LAUNCH: &str = "make a cluster";
        let id = id_of(order);
        let place = self.places.cluster(&id)?;
        if let Some(descriptor) = Descriptor::read(&place)? {
            return if descriptor.token == order.token.as_str() && place.folder.exists() {
                Ok(id)
            } else {
                Err(error(ErrorKind::Conflict, LAUNCH, format!("`{id}` was already made")))
            };
        }
        for folder in [&place.logs, &place.work(), &place.steps()] {
            crash::point("local: before a folder of a cluster");
            process::make_folder(folder).map_err(io_error(LAUNCH, folder))?;
        }
        let descriptor = Descriptor {
            version: VERSION,
            token: order.token.as_str().to_owned(),
            name: self.name.shown().to_owned(),
            created: order.intended,
        };
        crash::point("local: the folders of a cluster are made");
        // Last: with it the cluster is there.
        let path = place.descriptor();
        let part = path.with_extension("part");
        let text = serde_json::to_string(&descriptor).map_err(io::Error::other);
        text.and_then(|text| fs::write(&part, text + "\n"))
            .inspect(|()| crash::point("local: a cluster is about to be there"))
            .and_then(|()| fs::rename(&part, &path))
            .map_err(io_error(LAUNCH, &path))?;
        crash::point("local: a cluster is there");
        Ok(id)
    }

    fn find(&self, order: &Launch<'_>) -> Result<Found<ClusterId>> {
        const FIND: &str = "find a cluster";
        let logs = self.places.logs();
        let mut found = Vec::new();
        for id in ids(&logs, FIND)? {
            let place = self.places.cluster(&id)?;
            let Some(descriptor) = Descriptor::read(&place)? else {
                if id == id_of(order) {
                    // What is there of it was never a cluster, and nobody will ask for it again; bare folders do
                    // no harm where they cannot be removed.
                    let half = [place.folder, place.logs];
                    half.iter().filter(|it| it.exists()).for_each(|it| _ = folder::remove(it));
                }
                continue;
            };
            let lives = place.folder.exists();
            if descriptor.is_of(&order.token) && (lives || place.ended()? >= order.intended) {
                found.push((lives, descriptor.created, id));
            }
        }
        // Making one is done when `launch` returns or its process dies, so absence is proven by a look.
        Ok(found.into_iter().max().map_or(Found::No, |(.., id)| Found::Yes(id)))
    }

    fn list(&self, query: &Query) -> Result<Vec<ClusterStatus>> {
        let mut clusters = Vec::new();
        for id in ids(self.places.root(), "list clusters")? {
            match self.inspect(&id) {
                Ok(cluster) => clusters.push(cluster),
                // Not one of ours, or one that goes while we look.
                Err(err) if err.kind == ErrorKind::NotFound => {}
                Err(err) => return Err(err),
            }
        }
        clusters.sort_by(|a, b| b.created.cmp(&a.created).then_with(|| b.id.cmp(&a.id)));
        Ok(query.pick(clusters))
    }

    fn logs(&self, _: &ClusterId) -> Result<Vec<LogFile>> {
        // Making a folder leaves no log.
        Ok(Vec::new())
    }

    fn inspect(&self, id: &ClusterId) -> Result<ClusterStatus> {
        let place = self.places.cluster(id)?;
        let ours = self.stopping().get(id).cloned();
        let Some(descriptor) = Descriptor::read(&place)? else {
            return match ours {
                // Its folder vanished, but what ran there is still on its way to its end.
                Some(None) => {
                    Ok(ClusterStatus::bare(id.clone(), ClusterState::Stopping, "STOPPING"))
                }
                _ => Err(not_found(id)),
            };
        };
        let (state, native, cause) = match &ours {
            Some(None) => (ClusterState::Stopping, "STOPPING", Some(Cause::User)),
            _ if !place.folder.exists() => (ClusterState::Stopped, "REMOVED", Some(Cause::User)),
            // Not down: what is left may be in use.
            Some(Some(_)) => (ClusterState::Unknown, "NOT_REMOVED", Some(Cause::Other)),
            None if place.stopping().exists() => {
                (ClusterState::Stopping, "STOPPING", Some(Cause::User))
            }
            None => (ClusterState::Ready, "READY", None),
        };
        Ok(ClusterStatus {
            id: id.clone(),
            name: descriptor.name,
            state,
            native: native.to_owned(),
            idle: false,
            reason: ours.flatten(),
            cause,
            created: Some(descriptor.created),
            token: Some(Token::new(descriptor.token)),
        })
    }

    fn terminate(&self, id: &ClusterId) -> Result<()> {
        const TERMINATE: &str = "remove a cluster";
        let place = self.places.cluster(id)?;
        let marker = place.stopping();
        let asked = Instant::now();
        // The folders may have vanished under what runs there; what is ours is ended all the same.
        let stopping = if Descriptor::read(&place)?.is_none() {
            let stopping = self.ask_watched(&place.logs);
            if stopping.is_empty() {
                return Err(not_found(id));
            }
            stopping
        } else {
            // First: a shim that we do not find below finds this.
            crash::point("local: before a cluster is to stop");
            fs::write(&marker, "").map_err(io_error(TERMINATE, &marker))?;
            crash::point("local: a cluster is to stop");
            ask_all(&place, &self.here).map_err(io_error(TERMINATE, &place.logs))?
        };
        if stopping.is_empty() && !place.folder.exists() {
            return Ok(());
        }
        // Asked again while it goes: those who were not there the first time are asked, and that is all.
        if self.stopping().get(id).is_some_and(Option::is_none) {
            return Ok(());
        }
        self.stopping().insert(id.clone(), None);
        let (id, grace, all, watch) =
            (id.clone(), self.grace, self.stopping.clone(), self.watch.clone());
        crash::point("local: the steps of a cluster are asked to stop");
        let waiter = watch::start(move || {
            stopping.iter().for_each(|step| step.finish(asked, grace));
            watch.dismiss();
            crash::point("local: before a cluster is removed");
            let removed = folder::remove(&place.folder);
            crash::point("local: a cluster is removed");
            let mut all = all.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            match removed {
                Ok(()) => _ = all.remove(&id),
                Err(err) => {
                    let folder = place.folder.display();
                    all.insert(id, Some(format!("cannot remove `{folder}`: {err}")));
                }
            }
            drop(all);
            watch.ring();
        });
        waiter.map_err(io_error(TERMINATE, &marker))
    }
}

/// The clusters of which there is a folder in `folder`.
pub(super) fn ids(folder: &Path, operation: &'static str) -> Result<Vec<ClusterId>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(err) => return Err(io_error(operation, folder)(err)),
    };
    let mut ids = Vec::new();
    for entry in entries {
        let name = entry.map_err(io_error(operation, folder))?.file_name();
        ids.extend(name.to_str().filter(|name| places::is_cluster(name)).map(ClusterId::new));
    }
    Ok(ids)
}

/// Asks every step of a cluster to stop.
fn ask_all(place: &ClusterPlace, here: &str) -> io::Result<Vec<Stopping>> {
    let mut stopping = Vec::new();
    for entry in fs::read_dir(&place.logs)? {
        // A record that cannot be read tells of no process that could be asked.
        let path = entry?.path().join(places::RECORD);
        if let Ok(Some(record)) = Record::read(&path) {
            stopping.extend(Stopping::ask(&record, &path, here));
        }
    }
    Ok(stopping)
}

pub(super) fn not_found(id: &ClusterId) -> crate::fabric::Error {
    error(
        ErrorKind::NotFound,
        "look up a cluster",
        format!("there is no cluster `{id}` on this machine"),
    )
}

impl ClusterPlace {
    /// When a cluster that is gone was asked to go. Where nobody asked, or nobody can tell, it was not long ago.
    fn ended(&self) -> Result<Timestamp> {
        let path = self.stopping();
        match path.metadata().and_then(|marker| marker.modified()) {
            Ok(time) => Ok(Timestamp::try_from(time).unwrap_or(Timestamp::MAX)),
            Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(Timestamp::MAX),
            Err(err) => Err(io_error("find a cluster", &path)(err)),
        }
    }
}

impl Descriptor {
    /// Whether it came of this order, whatever the sending.
    fn is_of(&self, order: &Token) -> bool {
        Token::new(self.token.as_str()).is_same_order(order)
    }

    /// `None`: there is no such cluster, and was none.
    pub(super) fn read(place: &ClusterPlace) -> Result<Option<Self>> {
        const READ: &str = "look up a cluster";
        let path = place.descriptor();
        match fs::read(&path) {
            Ok(bytes) => match serde_json::from_slice::<Self>(&bytes) {
                Ok(descriptor) if descriptor.version == VERSION => Ok(Some(descriptor)),
                _ => Err(error(
                    ErrorKind::Protocol,
                    READ,
                    format!("`{}` was not written by this version of the program", path.display()),
                )),
            },
            Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(err) => Err(io_error(READ, &path)(err)),
        }
    }
}
