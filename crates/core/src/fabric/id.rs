//! Opaque names of things on the far side. They go to the journal, so finding a thing again needs no extra verb.

use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes a name as the fabric or the user gave it.
            pub fn new(id: impl Into<String>) -> Self {
                Self(id.into())
            }

            /// The name.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id! {
    /// A cluster, in the fabric's own words (`j-…` on EMR).
    ClusterId
}
id! {
    /// One attempt of a step on a cluster, in the fabric's own words (`s-…` on EMR).
    StepId
}
id! {
    /// A run: `r-` and time and chance, such as `r-20261122T101500Z-k3f9`.
    RunId
}
id! {
    /// An order's own token, `<run>.<order>.<attempt>`: on the wire wherever the fabric has a place for it.
    Token
}

impl Token {
    /// The token of the `attempt`-th sending of a run's `order`-th order, both from 1.
    pub fn of(run: &RunId, order: u32, attempt: u32) -> Self {
        Self(format!("{run}.{order}.{attempt}"))
    }

    /// The number of the order, if it has the form of a token.
    pub fn order(&self) -> Option<u32> {
        self.0.rsplit('.').nth(1)?.parse().ok()
    }
}
