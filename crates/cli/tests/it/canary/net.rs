//! Canaries, and the net that catches them.

use std::collections::{BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Of a canary so many characters in a row count as found.
const PIECE: usize = 8;

/// The secret that comes in by a door: 24 letters, which are in no word of anybody's.
pub(super) fn canary(door: &str) -> String {
    const LETTERS: &[u8] = b"BCDFGHJKMNPQRSTVWXZbcdfghjkmnpqrstvwxz";
    let letter = |at: usize| {
        let mut hasher = DefaultHasher::new();
        (door, at).hash(&mut hasher);
        char::from(LETTERS[hasher.finish() as usize % LETTERS.len()])
    };
    (0..24).map(letter).collect()
}

/// How a piece was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Letter by letter, in whatever case.
    Plain,
    /// Two digits a letter.
    Hex,
    /// `%` and two digits a letter.
    Percent,
    /// In Base64, wherever it begins.
    Base64,
}

/// A piece, the door its canary came in by, and how it is written.
type Piece = (Vec<u8>, &'static str, Form);

/// All pieces of the canaries of some doors.
pub(super) struct Net {
    /// By their first bytes.
    pieces: HashMap<[u8; PIECE], Vec<Piece>>,
}

impl Net {
    pub(super) fn of(doors: &[&'static str]) -> Self {
        let mut net = Self { pieces: HashMap::new() };
        for door in doors {
            let canary = canary(door);
            let hex = |before: &str| {
                let digits = canary.bytes().map(|byte| format!("{before}{byte:02x}"));
                digits.collect::<String>().into_bytes()
            };
            net.add(door, Form::Plain, canary.to_ascii_lowercase().as_bytes(), PIECE);
            net.add(door, Form::Hex, &hex(""), 2 * PIECE);
            net.add(door, Form::Percent, &hex("%"), 3 * PIECE);
            for shift in 0..3 {
                let text = format!("{}{canary}", &"   "[..shift]);
                let encoded = base64(text.as_bytes());
                // What stands at the ends depends on the neighbours.
                let inner = &encoded.as_bytes()[4..encoded.len() - 4];
                net.add(door, Form::Base64, inner, PIECE + 3);
            }
        }
        net
    }

    fn add(&mut self, door: &'static str, form: Form, text: &[u8], length: usize) {
        for piece in text.windows(length) {
            let key = *piece.first_chunk().expect("it is long enough");
            self.pieces.entry(key).or_default().push((piece.to_vec(), door, form));
        }
    }

    /// Which canaries are in it.
    pub(super) fn catch(&self, text: &[u8]) -> BTreeSet<String> {
        let mut caught = BTreeSet::new();
        let lower = text.to_ascii_lowercase();
        for (text, folded) in [(text, false), (&lower[..], true)] {
            for at in 0..text.len().saturating_sub(PIECE - 1) {
                let Some(key) = text[at..].first_chunk() else { continue };
                for (piece, door, form) in self.pieces.get(key).into_iter().flatten() {
                    if folded != (*form == Form::Base64) && text[at..].starts_with(piece) {
                        caught.insert(format!("{door} ({form:?})"));
                    }
                }
            }
        }
        caught
    }
}

/// Without signs that fill up its end.
pub(super) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bit = |at: usize| bytes.get(at / 8).map_or(0, |byte| byte >> (7 - at % 8) & 1);
    let digit = |at: usize| (0..6).fold(0, |digit, n| digit << 1 | bit(6 * at + n));
    (0..(bytes.len() * 8).div_ceil(6))
        .map(|at| char::from(DIGITS[usize::from(digit(at))]))
        .collect()
}

#[test]
fn the_net_catches_pieces_in_every_form() {
    let net = Net::of(&["a", "b"]);
    let (a, b) = (canary("a"), canary("b"));
    assert_ne!(a, b);
    let base64 = |text: &str| base64(text.as_bytes());
    let hex: String = a.bytes().map(|byte| format!("{byte:02X}")).collect();
    for (text, caught) in [
        (a.clone(), "a (Plain)"),
        (format!("x{}", a.to_uppercase()), "a (Plain)"),
        (a[5..13].to_owned(), "a (Plain)"),
        (hex, "a (Hex)"),
        (b.bytes().map(|byte| format!("%{byte:02x}")).collect(), "b (Percent)"),
        (base64(&b), "b (Base64)"),
        (base64(&format!("u:{b}@h")), "b (Base64)"),
        (base64(&format!("x{a}")), "a (Base64)"),
    ] {
        assert_eq!(net.catch(text.as_bytes()), [caught.to_owned()].into(), "{text}");
    }
    assert_eq!(net.catch(&a.as_bytes()[5..12]), BTreeSet::new());
    assert_eq!(net.catch(b"nothing of the kind"), BTreeSet::new());
}
