//! Clusters of EMR: launched, found, listed, looked at, terminated.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::call::{about, is_denied};
use super::check::MOST_TAGS;
use super::find::{self, FARTHEST, Intent};
use super::reply::{self, Cluster};
use super::{Config, Emr, error, request, status};
use crate::fabric::{
    ClusterId, ClusterStatus, Clusters, ErrorKind, Found, Launch, LogFile, Query, Result, Token,
};
use crate::http::aws::Failure;

/// The states of clusters that are not gone, those that take steps first.
const ALIVE: [&str; 5] = ["STARTING", "BOOTSTRAPPING", "RUNNING", "WAITING", "TERMINATING"];

impl Clusters for Emr {
    fn launch(&self, order: &Launch<'_>) -> Result<ClusterId> {
        let config = self.config()?;
        let token = Some(&order.token).filter(|_| has_room_for_tag(config));
        let first = self.run_job_flow(config, order, token);
        let answer = match first {
            // Nothing was created, so it may be sent again.
            Err(failure) if tags_are_denied(&failure) => {
                self.tags_refused.store(true, Ordering::Relaxed);
                let message = format!(
                    "the cluster has no tag `{}`, since the right `elasticmapreduce:AddTags` is missing: should the answer \
                     to the launch be lost, it can only be found by its name and time",
                    request::RUN_TAG
                );
                self.notes.add(message);
                self.run_job_flow(config, order, None)
            }
            answer => answer,
        };
        answer.map(ClusterId::new).map_err(|failure| failure.error)
    }

    fn find(&self, order: &Launch<'_>) -> Result<Found<ClusterId>> {
        let config = self.config()?;
        let after = order.intended.checked_sub(FARTHEST).unwrap_or(Timestamp::MIN);
        let (mut named, mut clocks_agree) =
            self.summaries(json!({"CreatedAfter": after.as_second()}))?;
        if order.foreign {
            // What still lives is found however old it is.
            let (alive, agree) = self.summaries(json!({"ClusterStates": ALIVE}))?;
            let known: BTreeSet<String> = named.iter().map(|of| of.id.clone()).collect();
            named.extend(alive.into_iter().filter(|of| !known.contains(&of.id)));
            clocks_agree &= agree;
        }
        named.retain(|of| of.name == config.name.expose());
        sort_newest_first(&mut named);
        let mut candidates = Vec::new();
        for summary in named {
            let cluster = self.with_tags(summary)?;
            let found = find::is_of(&cluster, &order.token) && !find::is_gone(&cluster);
            candidates.push(cluster);
            if found {
                // Whatever is older, it is this one.
                break;
            }
        }
        let intent = Intent {
            token: &order.token,
            intended: order.intended,
            foreign: order.foreign,
            clocks_agree,
        };
        let asked = config.tags.iter().map(|tag| reply::Tag {
            key: tag.key.expose().to_owned(),
            value: tag.value.expose().to_owned(),
        });
        let untagged = self.tags_refused.load(Ordering::Relaxed) || !has_room_for_tag(config);
        let asked: Vec<_> = asked.collect();
        Ok(match find::cluster(&candidates, intent, &asked, untagged) {
            find::Clusters::This(id) => Found::Yes(id),
            find::Clusters::None => Found::No,
            find::Clusters::MayBe(ids) => {
                for id in ids {
                    self.notes.add(format!(
                        "cluster `{id}` is as ordered, but has no tag `{}` that tells by which run",
                        request::RUN_TAG
                    ));
                }
                Found::NotYet
            }
        })
    }

    fn list(&self, query: &Query) -> Result<Vec<ClusterStatus>> {
        let states = match query {
            Query::All | Query::Ours => &ALIVE[..],
            Query::Name(_) | Query::Newest(_) | Query::Tag { .. } => &ALIVE[..4],
        };
        let (mut summaries, _) = self.summaries(json!({"ClusterStates": states}))?;
        sort_newest_first(&mut summaries);
        let mut clusters: Vec<ClusterStatus> = Vec::new();
        for summary in summaries {
            let meant = match query {
                Query::All => Some(summary),
                Query::Name(name) | Query::Newest(name) => {
                    Some(summary).filter(|summary| summary.name == *name)
                }
                // Only the description has the tags.
                Query::Tag { key, value } => {
                    let tags = self.describe_cluster(&ClusterId::new(summary.id.as_str()))?.tags;
                    let meant = |tag: &reply::Tag| tag.key == *key && tag.value == *value;
                    tags.iter().any(meant).then_some(summary)
                }
                Query::Ours => Some(self.with_tags(summary)?)
                    .filter(|cluster| status::token(&cluster.tags).is_some()),
            };
            clusters.extend(meant.map(|cluster| status::cluster(&cluster)));
        }
        if matches!(query, Query::Newest(_)) {
            clusters.truncate(1);
        }
        Ok(clusters)
    }

    fn inspect(&self, id: &ClusterId) -> Result<ClusterStatus> {
        self.describe_cluster(id).map(|cluster| status::cluster(&cluster))
    }

    fn terminate(&self, id: &ClusterId) -> Result<()> {
        let body = json!({"JobFlowIds": [id.as_str()]});
        match self.send("TerminateJobFlows", &body, true) {
            Ok(_) => Ok(()),
            // What is down already need not go down.
            Err(failure) if failure.error.message.contains("shutting down, terminated") => Ok(()),
            Err(failure) => Err(about(id, failure)),
        }
    }

    fn logs(&self, id: &ClusterId) -> Result<Vec<LogFile>> {
        self.setup_logs(id)
    }
}

impl Emr {
    fn config(&self) -> Result<&Config> {
        self.config.as_ref().ok_or_else(|| {
            let message = "there is no configuration of a cluster: name it with --config";
            error(ErrorKind::Config, "RunJobFlow", message)
        })
    }

    fn run_job_flow(
        &self,
        config: &Config,
        order: &Launch<'_>,
        token: Option<&Token>,
    ) -> std::result::Result<String, Failure> {
        let steps: Vec<_> = order.steps.iter().map(|ordered| ordered.step).collect();
        let body = request::run_job_flow(config, &steps, token);
        let id = self.order::<reply::RunJobFlow>("RunJobFlow", &body)?.job_flow_id;
        if id.is_empty() {
            let error = error(ErrorKind::Protocol, "RunJobFlow", "no id came back for the cluster");
            return Err(Failure { error: error.in_doubt(), code: None });
        }
        Ok(id)
    }

    /// The clusters of all pages, and whether our clock and EMR's agree.
    fn summaries(&self, mut question: Value) -> Result<(Vec<Cluster>, bool)> {
        let mut all = Vec::new();
        let mut clocks_agree = true;
        loop {
            let answer = self
                .ask::<reply::ListClusters>("ListClusters", &question)
                .map_err(|failure| failure.error)?;
            clocks_agree &= answer.clocks_agree;
            all.extend(answer.value.clusters);
            match answer.value.marker.filter(|marker| !marker.is_empty()) {
                Some(marker) => question["Marker"] = marker.into(),
                None => return Ok((all, clocks_agree)),
            }
        }
    }

    /// A cluster of a list, with its tags: asked for, unless they are known and do not change any more. So a second look
    /// at the same clusters asks only about what is new, and about those that have no tag of ours.
    fn with_tags(&self, summary: Cluster) -> Result<Cluster> {
        let id = ClusterId::new(summary.id.as_str());
        let known = self.noticed().tags.get(&id).cloned();
        let cluster = match known {
            Some(tags) => return Ok(Cluster { tags, ..summary }),
            None => self.describe_cluster(&id)?,
        };
        // A new one may not show them yet.
        if status::token(&cluster.tags).is_some() || find::is_gone(&cluster) {
            self.noticed().tags.insert(id, cluster.tags.clone());
        }
        Ok(cluster)
    }

    /// One cluster, with its tags and the place of its logs.
    pub(super) fn describe_cluster(&self, id: &ClusterId) -> Result<Cluster> {
        let question = json!({"ClusterId": id.as_str()});
        let answer = self.ask::<reply::DescribeCluster>("DescribeCluster", &question);
        Ok(answer.map_err(|failure| about(id, failure))?.value.cluster)
    }
}

fn sort_newest_first(clusters: &mut [Cluster]) {
    let created = |cluster: &Cluster| cluster.status.timeline.creation_date_time;
    clusters.sort_by(|a, b| created(b).cmp(&created(a)).then_with(|| b.id.cmp(&a.id)));
}

/// Whether our own tag goes with the others.
fn has_room_for_tag(config: &Config) -> bool {
    config.tags.len() < MOST_TAGS
}

/// Whether a launch was refused because it would have added tags.
/// <https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-plan-tags-access.html>
fn tags_are_denied(failure: &Failure) -> bool {
    let said = &failure.error.message;
    is_denied(failure) && ["AddTags", "TagResource"].iter().any(|right| said.contains(right))
}
