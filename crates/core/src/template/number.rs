//! Go's numeric constants: all bases, underscores, hexadecimal floats, imaginary and complex numbers.

use super::ast::Number;
use super::quote::{Unit, quoted, unquote_char};

/// Why digits are not a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bad {
    Syntax,
    Range,
}

impl Bad {
    /// Go's words for it.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Syntax => "invalid syntax",
            Self::Range => "value out of range",
        }
    }
}

impl Number {
    /// A character constant, quotes included.
    pub(super) fn from_char(text: &str) -> Result<Self, String> {
        let (unit, tail) = unquote_char(&text[1..], '\'').ok_or("invalid syntax")?;
        if tail != "'" {
            return Err(format!("malformed character constant: {text}"));
        }
        let code = match unit {
            Unit::Char(c) => u32::from(c),
            Unit::Byte(b) => u32::from(b),
        };
        Ok(Self {
            text: text.into(),
            int: Some(code.into()),
            float: Some(code.into()),
            complex: None,
        })
    }

    /// `1+2i`.
    pub(super) fn from_complex(text: &str) -> Result<Self, String> {
        const SYNTAX: &str = "syntax error scanning complex number";
        let real = float_prefix(text);
        let rest = &text[real.len()..];
        if !rest.starts_with(['+', '-']) {
            return Err(SYNTAX.into());
        }
        let imaginary = &rest[..1 + float_prefix(&rest[1..]).len()];
        if !rest[imaginary.len()..].starts_with('i') {
            return Err(SYNTAX.into());
        }
        let float = |s: &str| {
            parse_float(s).map_err(|bad| {
                format!("strconv.ParseFloat: parsing {}: {}", quoted(s.as_bytes()), bad.text())
            })
        };
        Ok(Self::complex(text, float(real)?, float(imaginary)?))
    }

    fn complex(text: &str, real: f64, imaginary: f64) -> Self {
        let float = (imaginary == 0.0).then_some(real);
        Self {
            text: text.into(),
            int: float.and_then(exact_int),
            float,
            complex: Some((real, imaginary)),
        }
    }

    /// Any other number.
    pub(super) fn from_text(text: &str) -> Result<Self, String> {
        if let Some(digits) = text.strip_suffix('i')
            && let Ok(imaginary) = parse_float(digits)
        {
            return Ok(Self::complex(text, 0.0, imaginary));
        }
        let mut int = parse_int(text, 0).ok();
        // What only an unsigned integer can hold is no int, but a number.
        let unsigned = || parse_uint(text, 0).ok().map(|u| u as f64);
        let mut float = int.map(|i| i as f64).or_else(unsigned);
        if float.is_none()
            && let Ok(f) = parse_float(text)
        {
            if !text.contains(['.', 'e', 'E', 'p', 'P']) {
                return Err(format!("integer overflow: {}", quoted(text.as_bytes())));
            }
            float = Some(f);
            int = exact_int(f);
        }
        if float.is_none() {
            return Err(format!("illegal number syntax: {}", quoted(text.as_bytes())));
        }
        Ok(Self { text: text.into(), int, float, complex: None })
    }
}

/// Two to the 63rd, the first that does not fit.
const INT_END: f64 = 9_223_372_036_854_775_808.0;

fn exact_int(f: f64) -> Option<i64> {
    (f.fract() == 0.0 && (-INT_END..INT_END).contains(&f)).then_some(f as i64)
}

/// Go's `strconv.ParseUint` of 64 bits, in base 10 or (0) the base that the prefix names.
pub(super) fn parse_uint(text: &str, base: u32) -> Result<u64, Bad> {
    let (radix, digits) = match (base, text.as_bytes()) {
        (0, [b'0', b'b' | b'B', _, ..]) => (2, &text[2..]),
        (0, [b'0', b'o' | b'O', _, ..]) => (8, &text[2..]),
        (0, [b'0', b'x' | b'X', _, ..]) => (16, &text[2..]),
        (0, [b'0', ..]) => (8, &text[1..]),
        (_, []) => return Err(Bad::Syntax),
        _ => (10, text),
    };
    let mut value = 0_u64;
    for c in digits.chars() {
        if c == '_' && base == 0 {
            continue;
        }
        let digit = c.to_digit(radix).ok_or(Bad::Syntax)?;
        value = value
            .checked_mul(radix.into())
            .and_then(|v| v.checked_add(digit.into()))
            .ok_or(Bad::Range)?;
    }
    if base == 0 && text.contains('_') && !underscores_separate(text) {
        return Err(Bad::Syntax);
    }
    Ok(value)
}

/// Go's `strconv.ParseInt` of 64 bits.
pub(super) fn parse_int(text: &str, base: u32) -> Result<i64, Bad> {
    let negative = text.starts_with('-');
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let value = i128::from(parse_uint(digits, base)?);
    i64::try_from(if negative { -value } else { value }).map_err(|_| Bad::Range)
}

/// Whether every underscore stands between digits, or between a base's prefix and a digit.
fn underscores_separate(text: &str) -> bool {
    let text = text.strip_prefix(['+', '-']).unwrap_or(text).as_bytes();
    let (prefix, hex) = match text {
        [b'0', b'b' | b'B' | b'o' | b'O', ..] => (2, false),
        [b'0', b'x' | b'X', ..] => (2, true),
        _ => (0, false),
    };
    // What came last: a digit (a prefix counts as one), an underscore, or neither.
    let mut last = if prefix > 0 { '0' } else { '^' };
    for &b in &text[prefix..] {
        if b.is_ascii_digit() || hex && b.is_ascii_hexdigit() {
            last = '0';
        } else if b == b'_' {
            if last != '0' {
                return false;
            }
            last = '_';
        } else {
            if last == '_' {
                return false;
            }
            last = '!';
        }
    }
    last != '_'
}

/// What looks like a float at the start of `text`.
fn float_prefix(text: &str) -> &str {
    let bytes = text.as_bytes();
    let mut at = 0;
    let run = |at: &mut usize, accept: &dyn Fn(u8) -> bool| {
        while bytes.get(*at).is_some_and(|b| accept(*b)) {
            *at += 1;
        }
    };
    let one = |at: &mut usize, set: &[u8]| {
        let found = bytes.get(*at).is_some_and(|b| set.contains(b));
        *at += usize::from(found);
        found
    };
    one(&mut at, b"+-");
    // Go looks for the word for infinity here and does not put its first letter back.
    one(&mut at, b"iI");
    let hex = one(&mut at, b"0") && one(&mut at, b"xX");
    let digit = |b: u8| b == b'_' || if hex { b.is_ascii_hexdigit() } else { b.is_ascii_digit() };
    run(&mut at, &digit);
    if one(&mut at, b".") {
        run(&mut at, &digit);
    }
    if one(&mut at, if hex { b"pP" } else { b"eEpP" }) {
        one(&mut at, b"+-");
        run(&mut at, &|b| b == b'_' || b.is_ascii_digit());
    }
    &text[..at]
}

/// Go's `strconv.ParseFloat`, without the words for infinity and NaN, which no constant can spell.
pub(super) fn parse_float(text: &str) -> Result<f64, Bad> {
    if text.contains('_') && !underscores_separate(text) {
        return Err(Bad::Syntax);
    }
    let plain: String = text.chars().filter(|c| *c != '_').collect();
    let digits = plain.strip_prefix(['+', '-']).unwrap_or(&plain);
    let value = match digits.strip_prefix("0x").or(digits.strip_prefix("0X")) {
        Some(hex) => hex_float(hex)?,
        None => {
            if !digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'))
            {
                return Err(Bad::Syntax);
            }
            digits.parse().map_err(|_| Bad::Syntax)?
        }
    };
    if value == f64::INFINITY {
        return Err(Bad::Range);
    }
    Ok(if plain.starts_with('-') { -value } else { value })
}

/// `1.8p3` behind its `0x`, rounded to nearest, ties to even.
fn hex_float(text: &str) -> Result<f64, Bad> {
    let (digits, exponent) = text.split_once(['p', 'P']).ok_or(Bad::Syntax)?;
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && fraction.is_empty() {
        return Err(Bad::Syntax);
    }
    let sign = if exponent.starts_with('-') { -1 } else { 1 };
    let magnitude = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    if magnitude.is_empty() || !magnitude.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Bad::Syntax);
    }
    // A million is far behind both ends of the range, whatever the digits.
    let magnitude = magnitude.parse::<i64>().map_or(1_000_000, |m| m.min(1_000_000));
    let mut exponent = sign * magnitude - 4 * fraction.len() as i64;
    let mut mantissa = 0_u64;
    let mut sticky = false;
    for c in whole.chars().chain(fraction.chars()) {
        let digit = c.to_digit(16).ok_or(Bad::Syntax)?;
        if mantissa >> 58 == 0 {
            mantissa = mantissa << 4 | u64::from(digit);
        } else {
            sticky |= digit != 0;
            exponent += 4;
        }
    }
    if mantissa == 0 {
        return Ok(0.0);
    }
    let shift = mantissa.leading_zeros();
    // The leading one at bit 63; the value is mantissa * 2^exponent.
    mantissa <<= shift;
    exponent -= i64::from(shift);
    // How many low bits do not fit: 11, more for a subnormal number.
    let unit = (exponent + 11).max(-1074);
    let drop = unit - exponent;
    if drop > 64 {
        return Ok(0.0);
    }
    let wide = u128::from(mantissa) << 1 | u128::from(sticky);
    let cut = wide >> (drop + 1);
    let rest = wide & ((1 << (drop + 1)) - 1);
    let half = 1_u128 << drop;
    let up = rest > half || rest == half && cut & 1 == 1;
    let value = (cut + u128::from(up)) as f64;
    // In two steps, so that the power of two itself stays in range; both are exact.
    let value =
        if unit > 971 { f64::INFINITY } else { value * two_to(unit / 2) * two_to(unit - unit / 2) };
    Ok(value)
}

/// Two to the power `n`, for a normal result.
fn two_to(n: i64) -> f64 {
    f64::from_bits(((n + 1023) as u64) << 52)
}
