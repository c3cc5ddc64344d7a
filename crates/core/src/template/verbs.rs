//! Reads the format of `printf`: numbers, indexes such as `[2]`, and `*`.

use super::value::Value;

/// What a number in a format may be at most, as in Go.
const MOST: i64 = 1_000_000;

/// A format and its operands, while they are read.
pub(super) struct Format<'f> {
    pub(super) format: &'f [u8],
    pub(super) at: usize,
    pub(super) args: &'f [Value],
    pub(super) arg: usize,
    /// An index such as `[2]` was used: unused operands are nobody's fault then.
    pub(super) reordered: bool,
    /// Whether the indexes of this verb made sense.
    pub(super) good: bool,
}

impl Format<'_> {
    pub(super) fn take(&mut self, byte: u8) -> bool {
        let found = self.format.get(self.at) == Some(&byte);
        self.at += usize::from(found);
        found
    }

    /// Digits; what is too large counts as none and ends the format, as in Go.
    pub(super) fn number(&mut self) -> Option<usize> {
        let mut value = None;
        while let Some(digit) = self.format.get(self.at).filter(|b| b.is_ascii_digit()) {
            let sum = value.unwrap_or(0_i64);
            if sum > MOST {
                self.at = self.format.len();
                return None;
            }
            value = Some(sum * 10 + i64::from(digit - b'0'));
            self.at += 1;
        }
        value.map(|v| v as usize)
    }

    /// `[n]`: the operand to use next. Whether one was found.
    pub(super) fn index(&mut self) -> bool {
        if self.format.get(self.at) != Some(&b'[') {
            return false;
        }
        self.reordered = true;
        let rest = &self.format[self.at..];
        let close = rest.iter().position(|b| *b == b']').filter(|_| rest.len() >= 3);
        let Some(close) = close else {
            self.at += 1;
            self.good = false;
            return false;
        };
        let digits = &rest[1..close];
        self.at += close + 1;
        let number = std::str::from_utf8(digits)
            .ok()
            .filter(|d| !d.is_empty() && d.bytes().all(|b| b.is_ascii_digit()))
            .and_then(|d| d.parse::<i64>().ok())
            .filter(|n| *n <= MOST * 10 + 9);
        match number {
            Some(n) if n >= 1 && (n as usize) <= self.args.len() => {
                self.arg = n as usize - 1;
                true
            }
            Some(_) => {
                self.good = false;
                true
            }
            None => {
                self.good = false;
                false
            }
        }
    }

    /// The operand of a `*`.
    pub(super) fn star(&mut self) -> Option<i64> {
        let arg = self.args.get(self.arg)?;
        self.arg += 1;
        match arg {
            Value::Int(i) => Some(*i),
            Value::Byte(b) => Some((*b).into()),
            _ => None,
        }
        .filter(|n| (-MOST..=MOST).contains(n))
    }
}
