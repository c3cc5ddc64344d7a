//! Every question to Consul, for fuzzing.

use std::time::Duration;

use super::{Consul, Key};
use crate::http::Client;

/// Asks one of the questions; no answer may do harm.
pub(crate) fn ask(client: Client, chosen: usize) {
    let consul = Consul {
        client,
        base: "http://127.0.0.1:1".to_owned(),
        headers: Vec::new(),
        namespace: None,
        partition: None,
        pauses: [Duration::ZERO; 4],
        renewal: Duration::from_secs(5),
    };
    let Ok(key) = Key::new("locks/etl") else { return };
    match chosen % 8 {
        0 => drop(consul.look(&key)),
        1 => drop(consul.get(&key)),
        2 => drop(consul.create(&key, b"me")),
        3 => drop(consul.delete(&key, 7)),
        4 => drop(consul.open_session("etl")),
        5 => drop(consul.renew("11111111-2222-3333-4444-555555555555")),
        6 => drop(consul.destroy("11111111-2222-3333-4444-555555555555")),
        _ => drop(consul.lock(&key, b"me", "11111111-2222-3333-4444-555555555555")),
    }
}
