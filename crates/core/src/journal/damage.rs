//! Journals that were cut or changed: nothing that is read from them was not written.

use super::*;
use crate::engine::state::RunState;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/journals");

/// A run with retries that lost its driver, was attached to, failed, was resumed and succeeded.
const LONG: &str = "v1-resumed.jsonl";
const SHORT: &str = "v1-down.jsonl";

fn journal(name: &str) -> Vec<u8> {
    fs::read(Path::new(FOLDER).join(name)).expect("the fixture is there")
}

fn told(bytes: &[u8]) -> Result<Contents, Error> {
    parse(bytes, Path::new(FILE))
}

fn ends(bytes: &[u8]) -> Vec<usize> {
    (1..=bytes.len()).filter(|&end| bytes[end - 1] == b'\n').collect()
}

/// Whatever is changed in a journal: it is refused, or tells what it told before.
fn refused_or_the_same(bytes: &[u8], whole: &Contents, what: &dyn Fn() -> String) {
    if let Ok(contents) = told(bytes) {
        // The end of the last line is the one byte that a crash could have kept back: that line is torn.
        let torn = contents.torn > 0 && contents.events.len() + 1 == whole.events.len();
        assert!(torn || contents.events.len() == whole.events.len(), "{}", what());
        assert_eq!(contents.events[..], whole.events[..contents.events.len()], "{}", what());
        assert_eq!(contents.header, whole.header, "{}", what());
    }
}

#[test]
fn cut_at_any_byte_it_tells_what_was_written_until_then() {
    for name in [SHORT, LONG] {
        let bytes = journal(name);
        let whole = told(&bytes).expect("it is whole");
        let ends = ends(&bytes);
        for length in 0..=bytes.len() {
            let lines = ends.partition_point(|&end| end <= length);
            let read = told(&bytes[..length]);
            if lines == 0 {
                let error = read.expect_err("there is no header").to_string();
                assert!(error.ends_with("is damaged in line 1: there is no header"), "{error}");
                continue;
            }
            let read = read.unwrap_or_else(|error| panic!("{name} {length}: {error}"));
            assert_eq!(read.header, whole.header);
            assert_eq!(read.events, whole.events[..lines - 1], "{name} {length}");
            assert_eq!(read.torn, (length - ends[lines - 1]) as u64);
        }
        for events in 1..=whole.events.len() {
            let state = RunState::fold(&whole.events[..events]);
            let state = state.unwrap_or_else(|illegal| panic!("{name} {events}: {illegal}"));
            assert_eq!(state.seq, events as u64);
        }
    }
}

#[test]
fn any_changed_byte_is_seen() {
    const OTHERS: [u8; 5] = [b'\n', b'"', b'}', b'0', b' '];
    for name in [SHORT, LONG] {
        let bytes = journal(name);
        let whole = told(&bytes).expect("it is whole");
        let mut changed = bytes.clone();
        for (at, &was) in bytes.iter().enumerate() {
            let flipped = (0..8).map(|bit| was ^ (1 << bit));
            let all: Vec<u8> = flipped.chain(OTHERS).filter(|&now| now != was).collect();
            // All of them take their time in a long one: there one each.
            let tried = if name == SHORT { &all[..] } else { &all[at % all.len()..][..1] };
            for &now in tried {
                changed[at] = now;
                let what = || format!("{name}: byte {at} was {was} and is {now}");
                refused_or_the_same(&changed, &whole, &what);
            }
            changed[at] = was;
        }
    }
}

#[test]
fn a_byte_lost_or_doubled_is_seen() {
    let bytes = journal(SHORT);
    let whole = told(&bytes).expect("it is whole");
    for at in 0..bytes.len() {
        let lost = [&bytes[..at], &bytes[at + 1..]].concat();
        refused_or_the_same(&lost, &whole, &|| format!("byte {at} is lost"));
        let doubled = [&bytes[..=at], &bytes[at..]].concat();
        refused_or_the_same(&doubled, &whole, &|| format!("byte {at} is doubled"));
    }
}

#[test]
fn lines_that_are_lost_doubled_or_moved_are_seen() {
    let bytes = journal(LONG);
    let lines: Vec<&[u8]> = bytes.split_inclusive(|&b| b == b'\n').collect();
    let order: Vec<usize> = (0..lines.len()).collect();
    let refused = |order: &[usize]| {
        let bytes: Vec<u8> = order.iter().flat_map(|&n| lines[n]).copied().collect();
        assert!(told(&bytes).is_err(), "{order:?}");
    };
    for at in 0..lines.len() {
        let mut doubled = order.clone();
        doubled.insert(at, at);
        refused(&doubled);
        // Without its last line it is one that was cut.
        if at + 1 < lines.len() {
            let mut lost = order.clone();
            lost.remove(at);
            refused(&lost);
        }
        for other in 0..at {
            let mut swapped = order.clone();
            swapped.swap(at, other);
            refused(&swapped);
        }
    }
}
