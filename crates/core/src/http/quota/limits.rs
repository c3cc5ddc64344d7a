//! How often AWS lets an account call what.

/// A token bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Limit {
    /// So many calls at once, when nothing was called for long.
    pub(super) burst: f64,
    /// So many calls a second for ever.
    pub(super) refill: f64,
}

/// All calls of EMR together (Service Quotas L-283CCA2A and L-432FAB44): 25 at once and 5 a second, in two parts, so
/// that orders never wait behind questions. Questions by themselves seldom reach theirs: what waiting runs ask is
/// limited to 1.5 a second by the quotas of ListSteps and DescribeCluster.
pub(super) const QUESTIONS: Limit = Limit { burst: 17.0, refill: 3.0 };
/// The other part.
pub(super) const ORDERS: Limit = Limit { burst: 8.0, refill: 2.0 };

/// The default quotas of EMR's operations, as Service Quotas lists them for an account and region. They can be raised
/// there; then we are slower than we could be, and no harm is done.
pub(super) fn of(operation: &str) -> Limit {
    let (burst, refill) = match operation {
        "DescribeCluster" | "ListInstanceGroups" | "ListBootstrapActions" => (10.0, 1.0),
        "ListClusters" => (20.0, 0.5),
        "ListInstanceFleets" | "AddTags" | "RemoveTags" => (5.0, 0.5),
        "SetTerminationProtection" => (5.0, 0.2),
        // RunJobFlow, AddJobFlowSteps, CancelSteps, TerminateJobFlows, ListSteps, DescribeStep, ListInstances.
        _ => (10.0, 0.5),
    };
    Limit { burst, refill }
}

/// Orders change the world.
pub(super) fn is_order(operation: &str) -> bool {
    matches!(operation, "RunJobFlow" | "AddJobFlowSteps" | "CancelSteps" | "TerminateJobFlows")
}
