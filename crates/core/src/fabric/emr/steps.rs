//! Steps on clusters of EMR: added, found, asked about, cancelled.

use std::sync::atomic::Ordering;

use jiff::Timestamp;
use serde_json::json;

use super::call::{about, is_denied};
use super::check::MOST_STEPS;
use super::find::{self, Intent, Owner, Steps, Wanted};
use super::request::{add_job_flow_steps, step_config};
use super::{Emr, error, reply, status};
use crate::config::playbook::Step;
use crate::fabric::{ClusterId, ErrorKind, Found, Order, Result, StepId, StepStatus};
use crate::http::aws::Failure;

/// The most steps that one `ListSteps` can be asked about by id.
/// <https://docs.aws.amazon.com/emr/latest/APIReference/API_ListSteps.html>
pub(super) const AT_ONCE: usize = 10;

impl Emr {
    pub(super) fn add_steps(&self, on: &ClusterId, order: &Order<'_>) -> Result<Vec<StepId>> {
        const ADD: &str = "AddJobFlowSteps";
        let steps: Vec<&Step> = order.steps.iter().map(|ordered| ordered.step).collect();
        if !(1..=MOST_STEPS).contains(&steps.len()) {
            let message =
                format!("one order has 1 to {MOST_STEPS} steps, and this {}", steps.len());
            return Err(error(ErrorKind::Config, ADD, message));
        }
        let answer = self.order::<reply::AddJobFlowSteps>(ADD, &add_job_flow_steps(on, &steps));
        let ids = answer.map_err(|failure| about(on, failure))?.step_ids;
        if ids.len() != steps.len() || ids.iter().any(String::is_empty) {
            let ids = ids.iter().filter(|id| !id.is_empty()).count();
            let message = format!("{ids} ids came back for {} steps", steps.len());
            return Err(error(ErrorKind::Protocol, ADD, message).in_doubt());
        }
        Ok(ids.into_iter().map(StepId::new).collect())
    }

    pub(super) fn find_steps(
        &self,
        on: &ClusterId,
        order: &Order<'_>,
    ) -> Result<Found<Vec<StepId>>> {
        let wanted: Vec<Wanted> = order.steps.iter().map(|ordered| wanted(ordered.step)).collect();
        let owner = match (order.foreign, order.along) {
            (true, _) => Owner::of(&self.describe_cluster(on)?.tags, order.token),
            (false, true) => Owner::Order,
            (false, false) => Owner::Other,
        };
        // On a cluster of its own all steps are of the run, however old.
        let own = order.foreign && owner != Owner::Other;
        let intended = if own { Timestamp::MIN } else { order.intended };
        let (token, foreign) = (order.token, order.foreign);
        let intent = |clocks_agree| Intent { token, intended, foreign, clocks_agree };
        let (newest_first, clocks_agree) = self.steps_since(on, intent(false).surely_older())?;
        Ok(match find::steps(&newest_first, &wanted, intent(clocks_agree), order.others) {
            Steps::These(ids) => Found::Yes(ids),
            Steps::TheseIfLaunched(ids) if owner == Owner::Order => Found::Yes(ids),
            // Earlier attempts were found before it.
            Steps::AnyOf(mut runs) if own => Found::Yes(runs.swap_remove(0)),
            Steps::AnyOf(runs) => {
                for id in runs.iter().filter_map(|run| run.first()) {
                    self.notes.add(format!(
                        "step `{id}` of cluster `{on}` is as ordered, but EMR does not tell by which run"
                    ));
                }
                Found::NotYet
            }
            // The cluster came up with them: they show later.
            Steps::None if owner != Owner::Order => Found::No,
            Steps::TheseIfLaunched(_) | Steps::None | Steps::Unclear => Found::NotYet,
        })
    }

    /// The steps of a cluster that were made since then, ended or not, and perhaps some older ones, newest first; and
    /// whether our clock and EMR's agree. At most as many pages as EMR keeps steps in sight, which are 1,000.
    fn steps_since(&self, on: &ClusterId, since: Timestamp) -> Result<(Vec<reply::Step>, bool)> {
        let mut newest_first: Vec<reply::Step> = Vec::new();
        let mut clocks_agree = true;
        let mut question = json!({"ClusterId": on.as_str()});
        loop {
            let answer = self
                .ask::<reply::ListSteps>("ListSteps", &question)
                .map_err(|failure| about(on, failure))?;
            clocks_agree &= answer.clocks_agree;
            newest_first.extend(answer.value.steps);
            // They come newest first: behind what is older there is nothing to find.
            let made = newest_first.last().and_then(|step| step.status.timeline.creation_date_time);
            let enough = made.is_some_and(|made| made < since);
            match answer.value.marker.filter(|marker| !marker.is_empty() && !enough) {
                Some(marker) => question["Marker"] = marker.into(),
                None => return Ok((newest_first, clocks_agree)),
            }
        }
    }

    pub(super) fn poll_steps(
        &self,
        on: &ClusterId,
        ids: &[StepId],
    ) -> Result<Vec<(StepId, StepStatus)>> {
        let Some(first) = ids.first() else { return Ok(Vec::new()) };
        if !self.list_denied.load(Ordering::Relaxed) {
            let asked: Vec<&str> = ids.iter().take(AT_ONCE).map(StepId::as_str).collect();
            let question = json!({"ClusterId": on.as_str(), "StepIds": asked});
            match self.ask::<reply::ListSteps>("ListSteps", &question) {
                Ok(answer) => {
                    let told = answer.value.steps.into_iter();
                    let told =
                        told.map(|step| (StepId::new(step.id.as_str()), status::step(&step)));
                    return Ok(told.filter(|(id, _)| ids.contains(id)).collect());
                }
                Err(failure) if is_denied(&failure) => {
                    self.list_denied.store(true, Ordering::Relaxed);
                    let message = "steps are asked about one at a time, since the right `elasticmapreduce:ListSteps` is \
                                   missing: ends are noticed late where there are many";
                    self.notes.add(message);
                }
                Err(failure) if is_unseen(&failure) => return Ok(Vec::new()),
                Err(failure) => return Err(about(on, failure)),
            }
        }
        let question = json!({"ClusterId": on.as_str(), "StepId": first.as_str()});
        match self.ask::<reply::DescribeStep>("DescribeStep", &question) {
            Ok(answer) => Ok(vec![(first.clone(), status::step(&answer.value.step))]),
            Err(failure) if is_unseen(&failure) => Ok(Vec::new()),
            Err(failure) => Err(about(on, failure)),
        }
    }

    pub(super) fn cancel_steps(&self, on: &ClusterId, ids: &[StepId]) -> Result<()> {
        for some in ids.chunks(MOST_STEPS) {
            let asked: Vec<&str> = some.iter().map(StepId::as_str).collect();
            let question = json!({
                "ClusterId": on.as_str(),
                "StepIds": asked,
                "StepCancellationOption": "SEND_INTERRUPT",
            });
            let answer = self
                .ask::<reply::CancelSteps>("CancelSteps", &question)
                .map_err(|failure| about(on, failure))?;
            for refused in answer.value.cancel_steps_info_list {
                if refused.status == "FAILED" {
                    self.cancel_refused(&refused);
                }
            }
        }
        Ok(())
    }

    /// Steps that have ended cannot be cancelled, which is well; all else a person should know.
    fn cancel_refused(&self, refused: &reply::Cancelled) {
        let said = refused.reason.to_lowercase();
        let ended = ["completed", "cancelled", "failed", "interrupted", "terminal", "finished"];
        if !ended.iter().any(|word| said.contains(word)) {
            let (id, reason) = (&refused.step_id, &refused.reason);
            self.notes.add(format!("EMR does not cancel step `{id}`: {reason}"));
        }
    }
}

/// Who was asked does not know a step: it was added a moment ago, and not everybody has heard of it. Of the cluster that
/// says nothing.
fn is_unseen(failure: &Failure) -> bool {
    failure.error.kind == ErrorKind::NotFound && failure.error.message.contains("Step id")
}

/// A step as EMR will show it.
fn wanted(step: &Step) -> Wanted {
    let sent = step_config(step);
    let jar = sent.hadoop_jar_step;
    let text = |text: &super::api::Exposed| text.as_str().to_owned();
    Wanted {
        name: text(&sent.name),
        config: reply::StepConfig {
            jar: text(&jar.jar),
            main_class: jar.main_class.as_ref().map(text).unwrap_or_default(),
            args: jar.args.iter().map(text).collect(),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::config::playbook::Program;
    use crate::config::sample::{step, step_of, text};
    use crate::fabric::Token;

    /// A step as `ListSteps` shows what was sent.
    fn shown(sent: &Step) -> reply::Step {
        let sent = serde_json::to_value(step_config(sent)).expect("it is JSON");
        let jar = &sent["HadoopJarStep"];
        let config = json!({"Jar": jar["Jar"], "MainClass": jar["MainClass"], "Properties": {"k": "v"},
            "Args": jar.get("Args").cloned().unwrap_or(Value::Null)});
        let timeline = json!({"CreationDateTime": 1});
        let step = json!({"Id": "s-1", "Name": sent["Name"], "Config": config, "Status": {"Timeline": timeline}});
        serde_json::from_value(step).expect("it is a step")
    }

    #[test]
    fn what_was_sent_is_known_again() {
        let program = |main_class| Program::CustomJar { jar: text("s3://b/x.jar"), main_class };
        let mut jar = step_of("s", program(Some(text("C"))), &["a", ""]);
        jar.work.properties = [("k".to_owned(), text("v"))].into();
        let bare = step_of("s", program(None), &[]);
        for sent in [step("s", "true", &["x"]), jar, bare] {
            let (token, intended) = (Token::new("t"), Timestamp::UNIX_EPOCH);
            let intent = Intent { token: &token, intended, foreign: false, clocks_agree: true };
            let found = find::steps(&[shown(&sent)], &[wanted(&sent)], intent, &[]);
            assert_eq!(found, Steps::These(vec![StepId::new("s-1")]));
        }
    }
}
