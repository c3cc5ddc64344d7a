//! A client without a network, for fuzzing.

use std::sync::Arc;

use super::{Client, Fault, Reply, Request};
use crate::bell::Bell;
use crate::environment::Environment;

/// What is answered to a request.
pub(super) type Answer = Arc<dyn Fn(&Request) -> Result<Reply, Fault> + Send + Sync>;

impl Client {
    /// A client to which `answer` answers in place of a far side.
    pub(crate) fn scripted(bell: Arc<Bell>, answer: Answer) -> Self {
        let client = Self::new(&Environment::default(), bell);
        let client = client.unwrap_or_else(|why| unreachable!("no settings are wrong: {why}"));
        Self { scripted: Some(answer), ..client }
    }
}
