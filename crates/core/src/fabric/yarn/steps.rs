//! Steps: each attempt is an application whose id was given out before.

use std::time::Duration;

use jiff::Timestamp;

use super::application::{Tags, application, marks_of};
use super::lower::{from_staged, lower};
use super::reply::App;
use super::stage::OURS;
use super::status::{Step, is_over, run_tag};
use super::{TYPE, Yarn, error};
use crate::clock::{add, timestamp};
use crate::fabric::{ErrorKind, Found, Order, OrderedStep, Result, StepId, StepState, StepStatus};

/// What is to end a step that we cannot end is set to end it so much later than we would.
const GRACE: Duration = Duration::from_secs(120);

impl Yarn {
    pub(super) fn reserve_steps(&self, steps: usize) -> Result<Vec<StepId>> {
        // What must be there before an order can be written is asked for before one is promised.
        self.site()?;
        (0..steps).map(|_| self.rest.new_application()).collect()
    }

    pub(super) fn submit_steps(&self, order: &Order<'_>) -> Result<Vec<StepId>> {
        let ([ordered], [id]) = (&order.steps[..], order.ids) else {
            let (steps, ids) = (order.steps.len(), order.ids.len());
            let message = format!("an order has one step and its id, and this {steps} and {ids}");
            return Err(error(ErrorKind::Config, "submit", message));
        };
        let (site, tags) = (self.site()?, Tags::of(order.token, ordered));
        let mut lowered = lower(ordered.step, &tags.joined());
        from_staged(&mut lowered, ordered);
        let resources = self.resources(&site, &lowered.files, ordered)?;
        let body = application(&self.config, &site, id, &tags, ordered, &lowered, &resources);
        self.mark(&tags, id, order)?;
        self.rest.submit_application(&body)?;
        self.noticed().run = Some(tags.run);
        self.limit(id, ordered);
        Ok(vec![id.clone()])
    }

    /// A run with a key may be asked for where its journal is not, when the ResourceManager has forgotten its applications:
    /// HDFS forgets nothing.
    fn mark(&self, tags: &Tags, id: &StepId, order: &Order<'_>) -> Result<()> {
        if !order.token.run().is_some_and(|run| run.is_of_key()) {
            return Ok(());
        }
        self.rest.make_folder(&format!("{}/{id}", marks_of(&self.config, tags)), OURS)
    }

    /// A step with a time limit ends by itself, also if nobody is there to end it.
    fn limit(&self, id: &StepId, ordered: &OrderedStep<'_>) {
        let Some(limit) = ordered.step.rules.timeout else { return };
        let until = add(timestamp(), limit + GRACE).strftime("%Y-%m-%dT%H:%M:%S.000+0000");
        let Err(failure) = self.rest.limit_application(id, &until.to_string()) else { return };
        // It may be through already: then there is nothing to limit.
        if !matches!(self.rest.application(id), Ok(Some(app)) if is_over(&app)) {
            self.notes.add(format!(
                "application `{id}` has no time limit of its own, only ours: {failure}"
            ));
        }
    }

    /// By the id that was given out for it; without one, by its tag, and by what it left in HDFS before it was sent.
    pub(super) fn find_steps(&self, order: &Order<'_>) -> Result<Found<Vec<StepId>>> {
        // What it does not know proves something only if it was through with its beginning before.
        let began = self.rest.began()?;
        if let Some(id) = order.ids.first() {
            return Ok(match self.rest.application(id)? {
                Some(_) => Found::Yes(order.ids.to_vec()),
                // Sent once more it is not there twice, whatever is still under way. But a ResourceManager that began
                // after it may have forgotten it.
                None if began <= began_of(id) => Found::No,
                None => Found::NotYet,
            });
        }
        let Some(ordered) = order.steps.first() else { return Ok(Found::No) };
        let tags = Tags::of(order.token, ordered);
        let tag = if order.foreign { &tags.attempt } else { &tags.order };
        let all = self.rest.tagged(tag)?;
        let ours = all.iter().filter(|app| app.application_type == TYPE);
        let newest = ours.max_by_key(|app| app.id.clone());
        match newest {
            Some(app) => Ok(Found::Yes(vec![StepId::new(app.id.as_str())])),
            None => self.find_marked(&tags),
        }
    }

    /// An order without a mark was never sent by anybody whose journal is not here.
    fn find_marked(&self, tags: &Tags) -> Result<Found<Vec<StepId>>> {
        let folder = marks_of(&self.config, tags);
        let marks = self.rest.files(&folder)?;
        for mark in marks.iter().rev() {
            let id = StepId::new(mark.path_suffix.as_str());
            if self.rest.application(&id)?.is_some() {
                return Ok(Found::Yes(vec![id]));
            }
        }
        let Some(mark) = marks.last() else { return Ok(Found::No) };
        let (order, id) = (&tags.attempt, &mark.path_suffix);
        self.notes.add(format!(
            "`{order}` was given application `{id}`, which the ResourceManager does not know: if it never ran, take `{folder}` away in HDFS"
        ));
        Ok(Found::NotYet)
    }

    pub(super) fn poll_steps(&self, ids: &[StepId]) -> Result<Vec<(StepId, StepStatus)>> {
        let all = self.applications(ids)?;
        ids.iter().map(|id| Ok((id.clone(), self.status(id, &all)?))).collect()
    }

    fn status(&self, id: &StepId, all: &[App]) -> Result<StepStatus> {
        let Some(launcher) = all.iter().find(|app| app.id == id.as_str()) else {
            return self.alone(id);
        };
        let step = Step::of(launcher, all);
        // They would go on for ever; and a second attempt must not meet the first one's.
        for stray in step.strays() {
            self.rest.kill_application(&stray.id)?;
        }
        Ok(step.status())
    }

    /// An application that is not among those of the run.
    fn alone(&self, id: &StepId) -> Result<StepStatus> {
        self.rest.began()?;
        if let Some(app) = self.rest.application(id)? {
            return Ok(Step::of(&app, &[]).status());
        }
        let reason = format!(
            "the ResourceManager knows nothing of `{id}`: it may have been restarted without its memory"
        );
        let status = StepStatus::new(StepState::Unknown, "GONE");
        Ok(StepStatus { reason: Some(reason), ..status })
    }

    pub(super) fn cancel_steps(&self, ids: &[StepId]) -> Result<()> {
        let all = self.applications(ids)?;
        for id in ids {
            let known = all.iter().find(|app| app.id == id.as_str());
            match known.map(|launcher| Step::of(launcher, &all)) {
                Some(step) => {
                    for app in step.live() {
                        self.rest.kill_application(&app.id)?;
                    }
                }
                None => match self.rest.application(id)? {
                    Some(app) if !is_over(&app) => self.rest.kill_application(id.as_str())?,
                    _ => {}
                },
            }
        }
        Ok(())
    }

    /// All applications of the run that these are of, by one question. Where the run is not known yet, the first of them
    /// that is known itself tells it.
    fn applications(&self, ids: &[StepId]) -> Result<Vec<App>> {
        let known = self.noticed().run.clone();
        if let Some(run) = known {
            return self.rest.tagged(&run);
        }
        for id in ids {
            let Some(app) = self.rest.application(id)? else { continue };
            let Some(run) = run_tag(&app).map(str::to_owned) else { return Ok(vec![app]) };
            self.noticed().run = Some(run.clone());
            return self.rest.tagged(&run);
        }
        Ok(Vec::new())
    }
}

/// When the ResourceManager began that gave an id out: `application_<began>_<number>`.
fn began_of(id: &StepId) -> i64 {
    let began = id.as_str().split('_').nth(1).and_then(|began| began.parse().ok());
    began.unwrap_or(Timestamp::MIN.as_millisecond())
}
