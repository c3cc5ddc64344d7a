//! What Go's version of Unicode calls a letter, a digit or printable. The standard library's tables are newer
//! and drawn along other lines: they count vowel signs and number forms as letters.

mod tables;

use tables::{LETTERS_AND_DIGITS, PRINTABLE};

/// Whether `c` may stand in a name, as the underscore may.
pub(super) fn is_letter_or_digit(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_alphanumeric() } else { is_within(&LETTERS_AND_DIGITS, c) }
}

/// Whether Go prints `c` as it is.
pub(super) fn is_print(c: char) -> bool {
    if c.is_ascii() { matches!(c, ' '..='~') } else { is_within(&PRINTABLE, c) }
}

/// Whether `c` lies behind an odd number of `bounds`.
fn is_within(bounds: &[u32], c: char) -> bool {
    bounds.partition_point(|bound| *bound <= u32::from(c)) % 2 == 1
}
