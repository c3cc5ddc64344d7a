//! Go's fmt: `Sprint`, `Sprintln` and `Sprintf`.

use super::float;
use super::quote;
use super::value::Value;
use super::verbs::Format;

/// The flags, width and precision of one verb.
#[derive(Clone, Copy, Default)]
struct Spec {
    width: Option<usize>,
    precision: Option<usize>,
    minus: bool,
    plus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    /// `%#v`: Go syntax.
    sharp_v: bool,
}

/// Prints into memory, but not more than it may: what comes behind `limit` is dropped, and
/// [`Printer::finish`] says so.
pub(super) struct Printer {
    out: Vec<u8>,
    limit: usize,
    overflow: bool,
    spec: Spec,
}

impl Printer {
    pub(super) fn new(limit: usize) -> Self {
        Self { out: Vec::new(), limit, overflow: false, spec: Spec::default() }
    }

    /// What was printed; nothing if it was more than the limit.
    pub(super) fn finish(self) -> Option<Vec<u8>> {
        (!self.overflow).then_some(self.out)
    }

    fn write(&mut self, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref();
        if self.overflow || bytes.len() > self.limit - self.out.len() {
            self.overflow = true;
        } else {
            self.out.extend_from_slice(bytes);
        }
    }

    fn write_char(&mut self, c: char) {
        self.write(c.encode_utf8(&mut [0; 4]));
    }

    /// `Sprint`: a space between operands of which neither is a string.
    pub(super) fn print(&mut self, args: &[Value]) {
        let mut after_string = true;
        for arg in args {
            let is_string = matches!(arg, Value::String(_));
            if !after_string && !is_string {
                self.write(" ");
            }
            after_string = is_string;
            self.arg(arg, 'v');
        }
    }

    /// `Sprintln`: spaces between all, a line feed at the end.
    pub(super) fn println(&mut self, args: &[Value]) {
        for (i, arg) in args.iter().enumerate() {
            if i > 0 {
                self.write(" ");
            }
            self.arg(arg, 'v');
        }
        self.write("\n");
    }

    /// `Sprintf`.
    pub(super) fn printf(&mut self, format: &[u8], args: &[Value]) {
        let mut reader = Format { format, at: 0, args, arg: 0, reordered: false, good: true };
        while !self.overflow && reader.at < format.len() {
            let rest = &format[reader.at..];
            let plain = rest.iter().position(|b| *b == b'%').unwrap_or(rest.len());
            self.write(&rest[..plain]);
            reader.at += plain + 1;
            if plain < rest.len() {
                self.verb(&mut reader);
            }
        }
        if !reader.reordered && reader.arg < args.len() {
            self.spec = Spec::default();
            self.write("%!(EXTRA ");
            for (i, arg) in args[reader.arg..].iter().enumerate() {
                self.write(if i > 0 { ", " } else { "" });
                self.typed(arg);
            }
            self.write(")");
        }
    }

    /// One `%…`, of which the percent sign has been read.
    fn verb(&mut self, reader: &mut Format<'_>) {
        self.spec = Spec::default();
        reader.good = true;
        while let Some(&flag) = reader.format.get(reader.at) {
            match flag {
                b'#' => self.spec.sharp = true,
                b'0' => self.spec.zero = true,
                b'+' => self.spec.plus = true,
                b'-' => self.spec.minus = true,
                b' ' => self.spec.space = true,
                _ => break,
            }
            reader.at += 1;
        }
        let mut indexed = reader.index();
        if reader.take(b'*') {
            match reader.star() {
                Some(width) => {
                    self.spec.minus |= width < 0;
                    self.spec.width = Some(width.unsigned_abs() as usize);
                }
                None => self.write("%!(BADWIDTH)"),
            }
            indexed = false;
        } else {
            self.spec.width = reader.number();
            if indexed && self.spec.width.is_some() {
                reader.good = false;
            }
        }
        // A point at the very end is no precision but the verb.
        if reader.at + 1 < reader.format.len() && reader.take(b'.') {
            if indexed {
                reader.good = false;
            }
            indexed = reader.index();
            if reader.take(b'*') {
                match reader.star() {
                    Some(precision) if precision >= 0 => {
                        self.spec.precision = Some(precision as usize);
                    }
                    _ => self.write("%!(BADPREC)"),
                }
                indexed = false;
            } else {
                self.spec.precision = Some(reader.number().unwrap_or(0));
            }
        }
        if !indexed {
            reader.index();
        }
        let Some(rest) = reader.format.get(reader.at..).filter(|rest| !rest.is_empty()) else {
            self.write("%!(NOVERB)");
            return;
        };
        let (verb, width) = quote::decode(rest);
        let verb = verb.unwrap_or(char::REPLACEMENT_CHARACTER);
        reader.at += width;
        if verb == '%' {
            self.write("%");
        } else if !reader.good {
            self.bang(verb, "(BADINDEX)");
        } else if let Some(arg) = reader.args.get(reader.arg) {
            if matches!(verb, 'v' | 'w') {
                self.spec.sharp_v = self.spec.sharp;
                self.spec.sharp = false;
                self.spec.plus = false;
            }
            self.arg(arg, verb);
            reader.arg += 1;
        } else {
            self.bang(verb, "(MISSING)");
        }
    }

    fn bang(&mut self, verb: char, what: &str) {
        self.write("%!");
        self.write_char(verb);
        self.write(what);
    }

    fn typed(&mut self, arg: &Value) {
        if matches!(arg, Value::Nil) {
            self.write("<nil>");
        } else {
            self.write(arg.type_name());
            self.write("=");
            self.arg(arg, 'v');
        }
    }

    fn bad_verb(&mut self, arg: &Value, verb: char) {
        self.bang(verb, "(");
        self.typed(arg);
        self.write(")");
    }

    /// An operand of its own.
    fn arg(&mut self, arg: &Value, verb: char) {
        match (arg, verb) {
            (Value::Nil, 'v' | 'T') => self.pad("<nil>"),
            (Value::Nil, _) => self.bad_verb(arg, verb),
            (_, 'T') => self.string(arg.type_name().as_bytes(), 's', arg),
            // Go prints an address for lists and maps, which says nothing; here %p fits no type.
            (_, 'p') | (Value::List(_) | Value::Map(_), 'w') => self.bad_verb(arg, verb),
            _ => self.value(arg, verb),
        }
    }

    /// An operand or an element of one.
    fn value(&mut self, value: &Value, verb: char) {
        if self.overflow {
            return;
        }
        match value {
            Value::Nil if self.spec.sharp_v => self.write("interface {}(nil)"),
            Value::Nil => self.write("<nil>"),
            Value::Bool(b) if matches!(verb, 't' | 'v') => {
                self.pad(if *b { "true" } else { "false" });
            }
            Value::Bool(_) => self.bad_verb(value, verb),
            Value::Int(i) => self.integer(i.unsigned_abs(), *i < 0, verb, value),
            Value::Byte(b) if verb == 'v' && self.spec.sharp_v => {
                let spec = self.spec;
                self.spec.sharp = true;
                self.digits((*b).into(), false, 16, 'x');
                self.spec = spec;
            }
            Value::Byte(b) => self.integer((*b).into(), false, verb, value),
            Value::Float(f) => self.float(*f, verb, value),
            Value::Complex(real, imaginary) => {
                if !matches!(verb, 'v' | 'b' | 'g' | 'G' | 'x' | 'X' | 'f' | 'F' | 'e' | 'E') {
                    return self.bad_verb(value, verb);
                }
                let plus = self.spec.plus;
                self.write("(");
                self.float(*real, verb, value);
                self.spec.plus = true;
                self.float(*imaginary, verb, value);
                self.write("i)");
                self.spec.plus = plus;
            }
            Value::String(s) => self.string(s, verb, value),
            Value::List(list) => {
                let items = list.iter().map(|item| (None, item));
                self.all(value, ["[", "]"], verb, items);
            }
            Value::Map(map) => {
                let items = map.entries().iter().map(|(key, item)| (Some(&**key), item));
                self.all(value, ["map[", "]"], verb, items);
            }
        }
    }

    fn all<'v>(
        &mut self,
        whole: &Value,
        [open, close]: [&str; 2],
        verb: char,
        items: impl Iterator<Item = (Option<&'v str>, &'v Value)>,
    ) {
        let go = self.spec.sharp_v;
        if go {
            self.write(whole.type_name());
        }
        self.write(if go { "{" } else { open });
        for (i, (key, item)) in items.enumerate() {
            if i > 0 {
                self.write(if go { ", " } else { " " });
            }
            if let Some(key) = key {
                self.value(&key.into(), verb);
                self.write(":");
            }
            self.value(item, verb);
            if self.overflow {
                return;
            }
        }
        self.write(if go { "}" } else { close });
    }

    /// Fills up to the width.
    fn pad(&mut self, text: impl AsRef<[u8]>) {
        let text = text.as_ref();
        let fill = match self.spec.width {
            None | Some(0) => 0,
            Some(width) => width.saturating_sub(quote::count(text)),
        };
        if self.spec.minus {
            self.write(text);
            self.fill(fill);
        } else {
            self.fill(fill);
            self.write(text);
        }
    }

    fn fill(&mut self, count: usize) {
        if count > self.limit {
            self.overflow = true;
        } else if count > 0 {
            let c = if self.spec.zero && !self.spec.minus { b'0' } else { b' ' };
            self.write(vec![c; count]);
        }
    }

    /// [`Printer::pad`], never with zeros.
    fn pad_blank(&mut self, text: impl AsRef<[u8]>) {
        let zero = std::mem::take(&mut self.spec.zero);
        self.pad(text);
        self.spec.zero = zero;
    }

    fn string(&mut self, s: &[u8], verb: char, whole: &Value) {
        let cut = |precision: Option<usize>| {
            let end = precision.and_then(|p| quote::runes(s).nth(p)).map_or(s.len(), |(at, _)| at);
            &s[..end]
        };
        match verb {
            'v' if !self.spec.sharp_v => self.pad(cut(self.spec.precision)),
            's' => self.pad(cut(self.spec.precision)),
            'v' | 'q' => {
                let s = cut(self.spec.precision);
                // Quoting makes at most ten bytes of one; no need to make what is dropped anyway.
                if s.len() > self.limit {
                    self.overflow = true;
                } else if self.spec.sharp && quote::can_backquote(s) {
                    self.pad([b"`", s, b"`"].concat());
                } else {
                    self.pad(quote::quote(s, self.spec.plus));
                }
            }
            'x' | 'X' => self.hex(s, verb == 'X'),
            _ => self.bad_verb(whole, verb),
        }
    }

    fn hex(&mut self, s: &[u8], upper: bool) {
        let s = &s[..self.spec.precision.unwrap_or(s.len()).min(s.len())];
        let Spec { space, sharp, minus, width, .. } = self.spec;
        let size = 2 * s.len()
            + if space { s.len().saturating_sub(1) } else { 0 }
            + if sharp && !s.is_empty() { 2 * if space { s.len() } else { 1 } } else { 0 };
        let fill = width.unwrap_or(0).saturating_sub(size);
        if !minus || s.is_empty() {
            self.fill(fill);
        }
        for (i, b) in s.iter().enumerate() {
            if space && i > 0 {
                self.write(" ");
            }
            if sharp && (space || i == 0) {
                self.write(if upper { "0X" } else { "0x" });
            }
            self.write(if upper { format!("{b:02X}") } else { format!("{b:02x}") });
            if self.overflow {
                return;
            }
        }
        if minus && !s.is_empty() {
            self.fill(fill);
        }
    }

    fn integer(&mut self, magnitude: u64, negative: bool, verb: char, whole: &Value) {
        let code = if negative { None } else { u32::try_from(magnitude).ok() };
        let c = || code.and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER);
        match verb {
            'v' | 'd' => self.digits(magnitude, negative, 10, verb),
            'b' => self.digits(magnitude, negative, 2, verb),
            'o' | 'O' => self.digits(magnitude, negative, 8, verb),
            'x' | 'X' => self.digits(magnitude, negative, 16, verb),
            'c' => self.pad(c().encode_utf8(&mut [0; 4])),
            'q' => self.pad(quote::quote_char(c(), self.spec.plus)),
            'U' => {
                let bits = if negative { magnitude.wrapping_neg() } else { magnitude };
                let digits = format!("{bits:X}");
                let precision = self.spec.precision.unwrap_or(0).max(4);
                let zeros = precision.saturating_sub(digits.len());
                let mut text = format!("U+{}{digits}", "0".repeat(zeros));
                if self.spec.sharp
                    && let Some(c) = code.and_then(char::from_u32).filter(|c| quote::is_print(*c))
                {
                    text += &format!(" '{c}'");
                }
                self.pad_blank(text);
            }
            _ => self.bad_verb(whole, verb),
        }
    }

    fn digits(&mut self, magnitude: u64, negative: bool, base: u32, verb: char) {
        let Spec { width, precision, plus, space, sharp, zero, minus, .. } = self.spec;
        let least = match (precision, width) {
            (Some(0), _) if magnitude == 0 => return self.pad_blank(""),
            (Some(precision), _) => precision,
            // Zeros up to the width, behind the sign.
            (None, Some(width)) if zero && !minus => {
                width.saturating_sub(usize::from(negative || plus || space))
            }
            _ => 0,
        };
        let digits = match (base, verb) {
            (2, _) => format!("{magnitude:b}"),
            (8, _) => format!("{magnitude:o}"),
            (16, 'X') => format!("{magnitude:X}"),
            (16, _) => format!("{magnitude:x}"),
            _ => magnitude.to_string(),
        };
        let mut text = String::from(match () {
            () if negative => "-",
            () if plus => "+",
            () if space => " ",
            () => "",
        });
        let zeros = least.saturating_sub(digits.len());
        if verb == 'O' {
            text += "0o";
        }
        text += match (base, verb) {
            (2, _) if sharp => "0b",
            (8, _) if sharp && zeros == 0 && magnitude != 0 => "0",
            (16, 'X') if sharp => "0X",
            (16, _) if sharp => "0x",
            _ => "",
        };
        text.extend(std::iter::repeat_n('0', zeros));
        text += &digits;
        self.pad_blank(text);
    }

    fn float(&mut self, v: f64, verb: char, whole: &Value) {
        let (format, precision) = match verb {
            'v' => (b'g', None),
            'b' | 'g' | 'G' | 'x' | 'X' => (verb as u8, None),
            'e' | 'E' => (verb as u8, Some(6)),
            'f' | 'F' => (b'f', Some(6)),
            _ => return self.bad_verb(whole, verb),
        };
        let precision = self.spec.precision.or(precision);
        let text = float::format(v, format, precision);
        let (sign, mut number) = match text.split_first() {
            Some((b'-', rest)) => (b'-', rest.to_vec()),
            Some((b'+', rest)) => (b'+', rest.to_vec()),
            _ => (b'+', text),
        };
        let sign = if sign == b'+' && self.spec.space && !self.spec.plus { b' ' } else { sign };
        let shown = self.spec.plus || sign != b'+';
        if !v.is_finite() {
            if v.is_infinite() || self.spec.space || self.spec.plus {
                number.insert(0, sign);
            }
            return self.pad_blank(number);
        }
        if self.spec.sharp && format != b'b' {
            number = with_point(&number, verb, precision);
        }
        if !shown {
            return self.pad(number);
        }
        let size = number.len() + 1;
        match self.spec.width {
            Some(width) if self.spec.zero && !self.spec.minus && width > size => {
                self.write([sign]);
                self.fill(width - size);
                self.write(number);
            }
            _ => {
                number.insert(0, sign);
                self.pad(number);
            }
        }
    }
}

/// `%#g` and the like: always a point, and the zeros that `%g` drops.
fn with_point(number: &[u8], verb: char, precision: Option<usize>) -> Vec<u8> {
    let mut wanted = match verb {
        'v' | 'g' | 'G' | 'x' => precision.unwrap_or(6) as i64,
        _ => 0,
    };
    let exponent = |b: &u8| match b {
        b'p' | b'P' => true,
        b'e' | b'E' => !matches!(verb, 'x' | 'X'),
        _ => false,
    };
    let end = number.iter().position(exponent).unwrap_or(number.len());
    let (mantissa, tail) = number.split_at(end);
    let mut out = mantissa.to_vec();
    // Significant digits, from the first that is not zero; the x of 0x counts as one, as in Go.
    let significant = mantissa.iter().filter(|b| **b != b'.').skip_while(|b| **b == b'0').count();
    wanted -= significant as i64;
    if !mantissa.contains(&b'.') {
        if mantissa == b"0" {
            wanted -= 1;
        }
        out.push(b'.');
    }
    out.extend(std::iter::repeat_n(b'0', wanted.max(0) as usize));
    out.extend_from_slice(tail);
    out
}
