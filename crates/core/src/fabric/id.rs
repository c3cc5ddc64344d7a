//! Opaque names of things on the far side. They go to the journal, so finding a thing again needs no extra verb.

use std::fmt;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::hex::hex;

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
    /// A run: `r-` and time and chance, such as `r-20261122T101500Z-k3f9x2`; or `k-` and a digest of the key that
    /// somebody gave it.
    RunId
}
id! {
    /// An order's own token, `<run>.<order>.<sending>`: on the wire wherever the fabric has a place for it.
    Token
}

impl RunId {
    /// A fresh id: the time to the second, so that ids sort, and chance, so that two are never the same.
    pub fn fresh(now: Timestamp, chance: u64) -> Self {
        const LETTERS: &[u8] = b"0123456789abcdefghjkmnpqrstvwxyz";
        let letters =
            (0..6).map(|n| char::from(LETTERS[(chance >> (5 * n)) as usize % LETTERS.len()]));
        Self(format!("r-{}-{}", now.strftime("%Y%m%dT%H%M%SZ"), letters.collect::<String>()))
    }
}

impl RunId {
    /// The id of the one run with this idempotency key.
    pub fn of_key(key: &str) -> Self {
        let digest = hex(&Sha256::digest(key));
        Self(format!("k-{}", &digest[..24]))
    }

    /// Whether it is made from a key: somebody with the same key may ask for the same run elsewhere.
    pub fn is_of_key(&self) -> bool {
        self.0.starts_with("k-")
    }
}

impl Token {
    /// The token of the `sending`-th sending of a run's `order`-th order, both from 1.
    pub fn of(run: &RunId, order: u32, sending: u32) -> Self {
        Self(format!("{run}.{order}.{sending}"))
    }

    /// The numbers of the order and of the sending, if it has the form of a token.
    pub fn numbers(&self) -> Option<(u32, u32)> {
        let mut parts = self.0.rsplit('.');
        let sending = parts.next()?.parse().ok()?;
        let order = parts.next()?.parse().ok()?;
        parts.next().map(|_| (order, sending))
    }

    /// The run whose order it is, if it has the form of a token.
    pub fn run(&self) -> Option<RunId> {
        self.numbers()?;
        let (order, _) = self.0.rsplit_once('.')?;
        order.rsplit_once('.').map(|(run, _)| RunId::new(run))
    }

    /// Whether it is of the same order of the same run, whatever its sending. What has not the form of a token is only
    /// the same as itself.
    pub fn is_same_order(&self, other: &Self) -> bool {
        fn order(token: &Token) -> Option<(RunId, u32)> {
            Some((token.run()?, token.numbers()?.0))
        }
        match (order(self), order(other)) {
            (Some(own), Some(theirs)) => own == theirs,
            _ => self == other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_the_same_whatever_its_sending() {
        let is_same = |a: &str, b: &str| Token::new(a).is_same_order(&Token::new(b));
        for (a, b, same) in [
            ("r-1.2.1", "r-1.2.1", true),
            ("r-1.2.1", "r-1.2.7", true),
            ("r-1.2.1", "r-1.3.1", false),
            ("r-1.2.1", "r-2.2.1", false),
            ("r-1.2.1", "r-1.2.x", false),
            ("r-1.x.1", "r-1.x.2", false),
            ("1.2", "1.3", false),
            ("x", "x", true),
            ("", "", true),
        ] {
            assert_eq!((is_same(a, b), is_same(b, a)), (same, same), "{a} and {b}");
        }
    }

    #[test]
    fn a_token_tells_its_run() {
        let run = |token: &str| Token::new(token).run().map(|run| run.to_string());
        assert_eq!(
            run("r-20261122T101500Z-k3f9x2.2.1").as_deref(),
            Some("r-20261122T101500Z-k3f9x2")
        );
        assert_eq!(run("a.b.2.1").as_deref(), Some("a.b"));
        for none in ["", "r-1", "2.1", "r-1.2", "r-1.2.x", "r-1.x.1"] {
            assert_eq!(run(none), None, "{none}");
        }
    }
}
