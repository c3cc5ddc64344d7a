//! What goes wrong on the way, by the n-th call of an operation.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::{Bound, RangeBounds};

/// What goes wrong with the next call of an operation, if anything.
pub(crate) type Rule<F> = dyn FnMut(&str) -> Option<F> + Send;

/// The faults that are to come, and what was called so far.
pub(crate) struct Plan<F> {
    faults: Vec<(String, Bound<u32>, Bound<u32>, F)>,
    rule: Option<Box<Rule<F>>>,
    calls: BTreeMap<String, u32>,
}

impl<F> Default for Plan<F> {
    fn default() -> Self {
        Self { faults: Vec::new(), rule: None, calls: BTreeMap::new() }
    }
}

impl<F: fmt::Debug> fmt::Debug for Plan<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan").field("faults", &self.faults).field("calls", &self.calls).finish()
    }
}

impl<F: Clone> Plan<F> {
    /// These calls of an operation (from 1; `*`: of any, counted together) go wrong. What was said last counts.
    pub(crate) fn plan(&mut self, operation: &str, calls: impl RangeBounds<u32>, fault: F) {
        let (from, to) = (calls.start_bound().cloned(), calls.end_bound().cloned());
        self.faults.insert(0, (operation.to_owned(), from, to, fault));
    }

    /// What is not planned goes wrong by this rule.
    pub(crate) fn rule(&mut self, rule: Box<Rule<F>>) {
        self.rule = Some(rule);
    }

    /// No more faults.
    pub(crate) fn heal(&mut self) {
        self.faults.clear();
        self.rule = None;
    }

    /// How often an operation was called.
    pub(crate) fn calls(&self, operation: &str) -> u32 {
        self.calls.get(operation).copied().unwrap_or(0)
    }

    /// What goes wrong with the call that has just come.
    pub(crate) fn next(&mut self, operation: &str) -> Option<F> {
        for name in [operation, "*"] {
            *self.calls.entry(name.to_owned()).or_default() += 1;
        }
        let hit = |(name, from, to, _): &&(String, Bound<u32>, Bound<u32>, F)| {
            (name == operation || name == "*") && (*from, *to).contains(&self.calls(name))
        };
        let planned = self.faults.iter().find(hit).map(|(_, _, _, fault)| fault.clone());
        planned.or_else(|| self.rule.as_mut()?(operation))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nth_call_of_an_operation() {
        let mut plan = Plan::default();
        plan.plan("ListSteps", 2..=3, "cut");
        plan.plan("*", 6.., "throttle");
        assert_eq!(plan.next("ListSteps"), None);
        assert_eq!(plan.next("DescribeCluster"), None);
        assert_eq!(plan.next("ListSteps"), Some("cut"));
        assert_eq!(plan.next("ListSteps"), Some("cut"));
        assert_eq!(plan.next("ListSteps"), None);
        assert_eq!(plan.next("RunJobFlow"), Some("throttle"), "the sixth of all");
        plan.plan("*", 7..=7, "page");
        assert_eq!(plan.next("RunJobFlow"), Some("page"), "what was said last counts");
        plan.heal();
        assert_eq!(plan.next("RunJobFlow"), None);
        assert_eq!((plan.calls("ListSteps"), plan.calls("*")), (4, 8));
    }

    #[test]
    fn a_rule_for_what_is_not_planned() {
        let mut plan = Plan::default();
        plan.rule(Box::new(|operation| (operation == "ListSteps").then_some("cut")));
        plan.plan("ListSteps", 2..=2, "throttle");
        let calls = ["ListSteps", "ListSteps", "ListClusters"].map(|call| plan.next(call));
        assert_eq!(calls, [Some("cut"), Some("throttle"), None]);
        plan.heal();
        assert_eq!(plan.next("ListSteps"), None);
    }
}
