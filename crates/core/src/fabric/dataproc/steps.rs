//! Steps: each attempt is a job whose id says which attempt it is.

use std::cell::RefCell;
use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::call::{Call, Service};
use super::clusters::PAGE;
use super::lower::{is_ours, lower};
use super::names::{self, Name, ORDER, RUN};
use super::reply::{Job, Jobs};
use super::storage::Place;
use super::{Dataproc, error, status};
use crate::clock::{add, timestamp};
use crate::fabric::{
    ClusterId, ClusterState, Clusters, ErrorKind, Found, Order, OrderedStep, Result, StepId,
    StepState, StepStatus, Token,
};
use crate::http::encode::encode;
use crate::plan::is_local;
use crate::secret::Text;

/// So much of the end of an output is looked at for an exit code.
const TAIL: u64 = 8 << 10;

impl Dataproc {
    pub(super) fn submit_steps(&self, on: &ClusterId, order: &Order<'_>) -> Result<Vec<StepId>> {
        let [ordered] = &order.steps[..] else {
            let steps = order.steps.len();
            let message = format!("an order has one step, and this {steps}");
            return Err(error(ErrorKind::Config, "jobs.submit", message));
        };
        let id = names::job(order.token, ordered);
        let body = self.job(on, &id, order.token, ordered)?;
        let call = Call {
            service: Service::Dataproc,
            operation: "jobs.submit",
            method: "POST",
            path: self.path("jobs:submit")?,
            query: Vec::new(),
            headers: Vec::new(),
            body: Some((body.to_string().into_bytes(), "application/json")),
            order: true,
        };
        let answer: Result<Job> = self.cloud("jobs.submit")?.ask(&call);
        if let Err(refused) = answer {
            // It is there already: of an earlier sending, or of another process that drives this run.
            let taken = refused.kind == ErrorKind::Conflict && !order.others.contains(&id);
            if !taken || self.job_of(&id)?.is_none() {
                return Err(refused);
            }
        }
        let [_, (_, run)] = names::labels(order.token);
        self.noticed().run = Some(run);
        Ok(vec![id])
    }

    fn job(
        &self,
        on: &ClusterId,
        id: &StepId,
        token: &Token,
        ordered: &OrderedStep<'_>,
    ) -> Result<Value> {
        let labels: BTreeMap<_, _> = names::labels(token).into_iter().collect();
        let missing = RefCell::new(None);
        let staged = |file: &Text| match ordered.staged.get(file.expose()) {
            Some(place) => place.0.clone(),
            None => {
                if is_local(file.expose()) {
                    missing.replace(Some(file.shown().to_owned()));
                }
                file.expose().to_owned()
            }
        };
        let environment = [
            ("DATAFLOW_CLUSTER", Name::of(on).name.to_owned()),
            ("DATAFLOW_STEP", ordered.step.id.clone()),
            ("DATAFLOW_ATTEMPT", ordered.attempt.to_string()),
        ];
        let lowered = lower(ordered.step, &staged, &environment);
        if let Some(file) = missing.take() {
            let message = format!("`{file}` was not staged");
            return Err(error(ErrorKind::Config, "jobs.submit", message));
        }
        let job = json!({
            "reference": {"projectId": self.project()?, "jobId": id.as_str()},
            "placement": {"clusterName": Name::of(on).name},
            "labels": labels,
            lowered.kind: lowered.body,
        });
        let request = names::request(&format!("{id} {}", names::order(token)));
        Ok(json!({"job": job, "requestId": request}))
    }

    /// By its id, which is known before it is sent.
    pub(super) fn find_steps(&self, order: &Order<'_>) -> Result<Found<Vec<StepId>>> {
        let ids: Vec<_> =
            order.steps.iter().map(|ordered| names::job(order.token, ordered)).collect();
        for id in &ids {
            let job = self.job_of(id)?.filter(|job| {
                // Another process may have given the order for the same attempt another number.
                let same = job.labels.get(ORDER).is_some_and(|it| *it == names::order(order.token));
                (same || order.foreign) && !order.others.contains(id)
            });
            if job.is_none() {
                // Sent once more it is not there twice, whatever is still under way.
                return Ok(Found::No);
            }
        }
        Ok(Found::Yes(ids))
    }

    pub(super) fn job_of(&self, id: &StepId) -> Result<Option<Job>> {
        let path = self.path(&format!("jobs/{}", encode(id.as_str())))?;
        match self.cloud("jobs.get")?.ask(&Call::get(Service::Dataproc, "jobs.get", path)) {
            Err(gone) if gone.kind == ErrorKind::NotFound => Ok(None),
            job => job.map(Some),
        }
    }

    pub(super) fn poll_steps(
        &self,
        on: &ClusterId,
        ids: &[StepId],
    ) -> Result<Vec<(StepId, StepStatus)>> {
        let mut jobs = match ids {
            [_] => BTreeMap::new(),
            ids => self.jobs(on, ids)?,
        };
        ids.iter()
            .map(|id| {
                let job = match jobs.remove(id.as_str()) {
                    Some(job) => Some(job),
                    None => self.job_of(id)?,
                };
                Ok((id.clone(), self.status(on, id, job.as_ref())?))
            })
            .collect()
    }

    fn status(&self, on: &ClusterId, id: &StepId, job: Option<&Job>) -> Result<StepStatus> {
        let Some(job) = job else {
            let reason =
                format!("Dataproc knows nothing of job `{id}`: somebody may have deleted it");
            let status = StepStatus::new(StepState::Unknown, "GONE");
            return Ok(StepStatus { reason: Some(reason), ..status });
        };
        let status = status::step(job);
        if status.state != StepState::Failed || status.exit_code.is_some() {
            return Ok(status);
        }
        Ok(self.with_exit_code(on, id, job, status))
    }

    /// A job that failed: its exit code is in what its driver wrote, which comes a little later. What never comes is not
    /// waited for, and then the code is not known.
    fn with_exit_code(
        &self,
        on: &ClusterId,
        id: &StepId,
        job: &Job,
        mut status: StepStatus,
    ) -> StepStatus {
        let tail = self.tail(&job.driver_output_resource_uri);
        status.exit_code = tail.as_deref().ok().and_then(status::exit_code_in);
        if status.exit_code.is_some() {
            status.reason = status::reason(&job.status.details, status.exit_code);
            return status;
        }
        // Only our script is sure to write one.
        let promised =
            job.pig_job.iter().flat_map(|it| &it.query_list.queries).any(|it| is_ours(it));
        let since = self.first_seen(id);
        if promised && timestamp() < add(since, self.code_wait) && self.still_writes(on) {
            return StepStatus {
                native: format!("{} (awaiting its exit code)", status.native),
                ended: None,
                ..StepStatus { state: StepState::Running, ..status }
            };
        }
        let unread = tail.err().map(|why| format!(": {why}")).unwrap_or_default();
        let reason = status.reason.take().map(|why| format!("{why}; ")).unwrap_or_default();
        status.reason = Some(format!("{reason}exit code unknown{unread}"));
        status
    }

    /// A cluster that is gone brings nothing any more.
    fn still_writes(&self, on: &ClusterId) -> bool {
        let state = self.inspect(on).map(|it| it.state);
        state.is_ok_and(|it| matches!(it, ClusterState::Ready | ClusterState::Starting))
    }

    /// When its failure was first seen here.
    fn first_seen(&self, id: &StepId) -> Timestamp {
        *self.noticed().failed.entry(id.clone()).or_insert_with(timestamp)
    }

    /// The end of what a driver wrote.
    fn tail(&self, output: &str) -> Result<String> {
        let Some(prefix) = Place::parse(output) else { return Ok(String::new()) };
        let cloud = self.cloud("objects.list")?;
        let objects = cloud.objects(&parts_of(&prefix))?;
        let mut tail = Vec::new();
        for object in objects.iter().rev() {
            let length = object.length();
            let place = Place { bucket: prefix.bucket.clone(), name: object.name.clone() };
            let mut bytes = match length {
                0 => Vec::new(),
                length => cloud.piece(&place, length.saturating_sub(TAIL), TAIL)?.bytes,
            };
            bytes.extend(tail);
            tail = bytes;
            if tail.len() as u64 >= TAIL {
                break;
            }
        }
        Ok(String::from_utf8_lossy(&tail).into_owned())
    }

    /// The jobs of the run that these are of, by one question for each page of them; one more, where the run is not known yet.
    fn jobs(&self, on: &ClusterId, ids: &[StepId]) -> Result<BTreeMap<String, Job>> {
        let known = self.noticed().run.clone();
        let run = match (known, ids.first()) {
            (Some(run), _) => run,
            (None, None) => return Ok(BTreeMap::new()),
            (None, Some(first)) => {
                let job = self.job_of(first)?;
                let Some(run) = job.and_then(|job| job.labels.get(RUN).cloned()) else {
                    return Ok(BTreeMap::new());
                };
                self.noticed().run = Some(run.clone());
                run
            }
        };
        let call = Call::get(Service::Dataproc, "jobs.list", self.path("jobs")?)
            .with("clusterName", Name::of(on).name)
            .with("filter", format!("labels.{RUN} = {run}"))
            .with("pageSize", PAGE);
        let parts = |page: Jobs| (page.jobs, page.next_page_token);
        let all = self.cloud("jobs.list")?.pages(call, parts)?;
        Ok(all.into_iter().map(|job| (job.reference.job_id.clone(), job)).collect())
    }

    pub(super) fn cancel_steps(&self, ids: &[StepId]) -> Result<()> {
        for id in ids {
            let call = Call {
                service: Service::Dataproc,
                operation: "jobs.cancel",
                method: "POST",
                path: self.path(&format!("jobs/{}:cancel", encode(id.as_str())))?,
                query: Vec::new(),
                headers: Vec::new(),
                body: Some((b"{}".to_vec(), "application/json")),
                order: true,
            };
            match self.cloud("jobs.cancel")?.send(&call) {
                // It has ended, or it is not there any more.
                Err(error) if matches!(error.kind, ErrorKind::Conflict | ErrorKind::NotFound) => {}
                answer => drop(answer?),
            }
        }
        Ok(())
    }
}

/// Output lies in objects `<prefix>.000000000`, `….000000001` and so on
/// (<https://cloud.google.com/dataproc/docs/guides/dataproc-job-output>).
pub(super) fn parts_of(prefix: &Place) -> Place {
    Place { bucket: prefix.bucket.clone(), name: format!("{}.", prefix.name) }
}
