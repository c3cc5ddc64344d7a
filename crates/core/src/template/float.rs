//! Floats in the formats of Go's `strconv.FormatFloat`.

/// The decimal digits of a finite number without zeros at the end, and where its point stands: the value
/// is 0.d₁d₂d₃… × 10^point.
struct Digits {
    digits: Vec<u8>,
    point: i64,
}

/// No float64 has more digits than this behind its first one, or behind its point.
const MOST_DIGITS: usize = 1100;

impl Digits {
    /// From what Rust prints for `{:e}`.
    fn read(text: &str) -> Self {
        let (digits, exponent) = text.split_once('e').unwrap_or((text, "0"));
        let mut digits: Vec<u8> = digits.bytes().filter(u8::is_ascii_digit).collect();
        while digits.last() == Some(&b'0') {
            digits.pop();
        }
        let point = if digits.is_empty() { 0 } else { exponent.parse().unwrap_or(0) + 1 };
        Self { digits, point }
    }

    /// The fewest digits that read back as `v`; of those the nearest, and of two as near the even one.
    fn shortest(v: f64) -> Self {
        let shortest = format!("{v:e}");
        let places = shortest.split('e').next().map_or(0, |digits| digits.len().saturating_sub(2));
        // Rust may choose the odd one.
        let nearest = format!("{v:.places$e}");
        Self::read(if nearest.parse() == Ok(v) { &nearest } else { &shortest })
    }

    /// `places` digits behind the first one.
    fn rounded(v: f64, places: usize) -> Self {
        Self::read(&format!("{v:.*e}", places.min(MOST_DIGITS)))
    }

    /// `places` digits behind the point.
    fn fixed(v: f64, places: usize) -> Self {
        let text = format!("{v:.*}", places.min(MOST_DIGITS));
        let whole = text.find('.').unwrap_or(text.len()) as i64;
        let all: Vec<u8> = text.bytes().filter(u8::is_ascii_digit).collect();
        let zeros = all.iter().take_while(|b| **b == b'0').count();
        let mut digits = all.get(zeros..).unwrap_or_default().to_vec();
        while digits.last() == Some(&b'0') {
            digits.pop();
        }
        Self { point: if digits.is_empty() { 0 } else { whole - zeros as i64 }, digits }
    }

    fn digit(&self, at: i64) -> u8 {
        usize::try_from(at).ok().and_then(|at| self.digits.get(at)).copied().unwrap_or(b'0')
    }

    fn with_exponent(&self, out: &mut Vec<u8>, places: usize, e: u8) {
        out.push(self.digit(0));
        if places > 0 {
            out.push(b'.');
            out.extend((1..=places as i64).map(|at| self.digit(at)));
        }
        let exponent = if self.digits.is_empty() { 0 } else { self.point - 1 };
        let sign = if exponent < 0 { '-' } else { '+' };
        out.push(e);
        out.extend(format!("{sign}{:02}", exponent.abs()).bytes());
    }

    fn plain(&self, out: &mut Vec<u8>, places: usize) {
        if self.point > 0 {
            out.extend((0..self.point).map(|at| self.digit(at)));
        } else {
            out.push(b'0');
        }
        if places > 0 {
            out.push(b'.');
            out.extend((0..places as i64).map(|at| self.digit(self.point + at)));
        }
    }
}

/// `v` in the format `verb` (one of `beEfgGxX`), with a minus sign if it is negative. Without a precision
/// as many digits as it takes to tell the number from every other.
pub(super) fn format(v: f64, verb: u8, precision: Option<usize>) -> Vec<u8> {
    if v.is_nan() {
        return b"NaN".to_vec();
    }
    if v.is_infinite() {
        return if v > 0.0 { b"+Inf".to_vec() } else { b"-Inf".to_vec() };
    }
    let mut out = Vec::new();
    if v.is_sign_negative() {
        out.push(b'-');
    }
    let v = v.abs();
    match verb {
        b'b' => binary(&mut out, v),
        b'x' | b'X' => hexadecimal(&mut out, v, verb, precision),
        b'e' | b'E' => {
            let digits = precision.map_or_else(|| Digits::shortest(v), |p| Digits::rounded(v, p));
            let places = precision.unwrap_or(digits.digits.len().saturating_sub(1));
            digits.with_exponent(&mut out, places, verb);
        }
        b'f' => {
            let digits = precision.map_or_else(|| Digits::shortest(v), |p| Digits::fixed(v, p));
            let behind = (digits.digits.len() as i64 - digits.point).max(0) as usize;
            digits.plain(&mut out, precision.unwrap_or(behind));
        }
        _ => general(&mut out, v, verb, precision),
    }
    out
}

/// `%g`: with an exponent where that is shorter by much.
fn general(out: &mut Vec<u8>, v: f64, verb: u8, precision: Option<usize>) {
    let precision = precision.map(|p| p.max(1));
    let digits = precision.map_or_else(|| Digits::shortest(v), |p| Digits::rounded(v, p - 1));
    let count = digits.digits.len() as i64;
    let bound = match precision {
        None => 6,
        Some(p) if p as i64 > count && count >= digits.point => count,
        Some(p) => p as i64,
    };
    let exponent = digits.point - 1;
    if exponent < -4 || exponent >= bound {
        let places = (precision.map_or(count, |p| count.min(p as i64)) - 1).max(0);
        digits.with_exponent(out, places as usize, verb - (b'g' - b'e'));
    } else {
        digits.plain(out, (count - digits.point).max(0) as usize);
    }
}

/// Mantissa and exponent of a finite, positive number: `m × 2^e`.
fn parts(v: f64) -> (u64, i64) {
    let bits = v.to_bits();
    let fraction = bits & ((1 << 52) - 1);
    match (bits >> 52) & 0x7FF {
        0 => (fraction, -1074),
        e => (fraction | 1 << 52, e as i64 - 1075),
    }
}

fn binary(out: &mut Vec<u8>, v: f64) {
    let (mantissa, exponent) = parts(v);
    out.extend(format!("{mantissa}p{exponent:+}").bytes());
}

fn hexadecimal(out: &mut Vec<u8>, v: f64, verb: u8, precision: Option<usize>) {
    let (mut mantissa, mut exponent) = parts(v);
    // The leading one, if any, at bit 60, so that 15 hexadecimal digits follow it.
    if mantissa == 0 {
        exponent = 0;
    } else {
        let shift = mantissa.leading_zeros() - 3;
        mantissa <<= shift;
        exponent += 60 - i64::from(shift);
    }
    if let Some(places) = precision.filter(|p| *p < 15) {
        let drop = 60 - 4 * places;
        let (kept, rest, half) = (mantissa >> drop, mantissa & ((1 << drop) - 1), 1 << (drop - 1));
        let up = rest > half || rest == half && kept & 1 == 1;
        mantissa = (kept + u64::from(up)) << drop;
        if mantissa >> 61 != 0 {
            mantissa >>= 1;
            exponent += 1;
        }
    }
    let digit = |nibble: u64| {
        let c = char::from_digit((nibble & 15) as u32, 16).unwrap_or('0') as u8;
        if verb == b'X' { c.to_ascii_uppercase() } else { c }
    };
    out.extend([b'0', verb, digit(mantissa >> 60)]);
    let fraction: Vec<u8> = (0..15).map(|at| digit(mantissa >> (56 - 4 * at))).collect();
    let used = fraction.iter().rposition(|d| *d != b'0').map_or(0, |at| at + 1);
    let places = precision.unwrap_or(used);
    if places > 0 {
        out.push(b'.');
        out.extend((0..places).map(|at| fraction.get(at).copied().unwrap_or(b'0')));
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    out.push(if verb == b'X' { b'P' } else { b'p' });
    out.extend(format!("{sign}{:02}", exponent.abs()).bytes());
}
