//! Outside of classes of characters.

use super::class;

/// Characters of a pattern that are still to be read.
pub(super) struct Reader {
    all: Vec<char>,
    at: usize,
}

impl Reader {
    pub(super) fn new(pattern: &str) -> Self {
        Self { all: pattern.chars().collect(), at: 0 }
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.all.get(self.at).copied()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let next = self.peek();
        self.at += usize::from(next.is_some());
        next
    }

    /// Reads a text if it is there.
    pub(super) fn take(&mut self, text: &str) -> bool {
        let is_there = self.begins(text);
        if is_there {
            self.at += text.chars().count();
        }
        is_there
    }

    pub(super) fn begins(&self, text: &str) -> bool {
        let rest = self.all.get(self.at..).unwrap_or_default();
        text.chars()
            .zip(rest.iter().map(Some).chain(std::iter::repeat(None)))
            .all(|(wanted, found)| found == Some(&wanted))
    }

    /// Reads up to `end`, which is read and left out; `None`: it is not there.
    pub(super) fn until(&mut self, end: char) -> Option<String> {
        let rest = self.all.get(self.at..)?;
        let length = rest.iter().position(|c| *c == end)?;
        let text = rest[..length].iter().collect();
        self.at += length + 1;
        Some(text)
    }

    /// What `\Q` quotes: all up to `\E`, or to the end.
    pub(super) fn quoted(&mut self) -> Vec<char> {
        let mut quoted = Vec::new();
        while self.peek().is_some() && !self.take(r"\E") {
            quoted.extend(self.next());
        }
        quoted
    }

    /// A number in digits of a base, so many of them at least and at most.
    pub(super) fn number(&mut self, base: u32, least: usize, most: usize) -> Option<u32> {
        let mut number = 0_u32;
        for n in 0..most {
            let Some(digit) = self.peek().and_then(|c| c.to_digit(base)) else {
                return (n >= least).then_some(number);
            };
            number = number.checked_mul(base)?.checked_add(digit)?;
            self.at += 1;
        }
        Some(number)
    }

    /// For messages: which character it was, from 1.
    fn place(&self, wrong: &str) -> String {
        format!("{wrong} (character {})", self.at)
    }
}

/// The same pattern in our engine's words, anchored at both ends.
pub(super) fn translate(java: &str) -> Result<String, String> {
    let mut reader = Reader::new(java);
    let mut translator = Translator::default();
    let flags = translator.flags(&mut reader).map_err(|wrong| reader.place(&wrong))?;
    while reader.peek().is_some() {
        translator.one(&mut reader).map_err(|wrong| reader.place(&wrong))?;
    }
    if !translator.open.is_empty() {
        return Err("has a `(` that is never closed".to_owned());
    }
    Ok(format!(r"{flags}\A(?:{})\z", translator.made))
}

#[derive(Default)]
struct Translator {
    made: String,
    /// Groups that are open, from the outermost.
    open: Vec<Branches>,
    /// What was read last within one branch.
    last: Option<Atom>,
    /// Whether a quantifier can repeat that.
    can_repeat: bool,
    /// Whether `.` matches ends of lines.
    dot_all: bool,
}

/// A part of a pattern that a quantifier may repeat.
#[derive(Clone, Copy)]
struct Atom {
    /// Whether it matches no text as well.
    is_empty: bool,
    /// Whether what it matches is kept, or a part of that.
    keeps: bool,
}

/// A group that is read.
struct Branches {
    keeps: bool,
    /// Whether all of this branch matches no text as well.
    is_empty: bool,
    /// Whether one of the branches before it does.
    was_empty: bool,
}

/// All but what ends a line in Java.
const DOT: &str = r"[^\n\r\x{85}\x{2028}\x{2029}]";

impl Translator {
    /// Flags for all of the pattern, at its beginning.
    fn flags(&mut self, reader: &mut Reader) -> Result<&'static str, String> {
        let (mut flags, begin) = ("", reader.at);
        if reader.take("(?") {
            while let Some(flag) = reader.next() {
                match flag {
                    'i' => flags = "(?i)",
                    's' => self.dot_all = true,
                    ')' if reader.at > begin + "(?)".len() => return Ok(flags),
                    _ => break,
                }
            }
        }
        // It was something else, which is told when it is read.
        (reader.at, self.dot_all) = (begin, false);
        Ok("")
    }

    fn one(&mut self, reader: &mut Reader) -> Result<(), String> {
        let Some(c) = reader.next() else { return Ok(()) };
        match c {
            '\\' => return self.escape(reader),
            '[' => {
                let class = class::read(reader)?;
                self.atom(&class);
            }
            '(' => self.group(reader)?,
            ')' => {
                self.fold();
                let group = self.open.pop().ok_or("has a `)` without a `(`")?;
                self.made.push(')');
                let is_empty = group.is_empty || group.was_empty;
                self.put(Atom { is_empty, keeps: group.keeps });
            }
            '|' => {
                self.fold();
                self.made.push('|');
                self.can_repeat = false;
                if let Some(group) = self.open.last_mut() {
                    group.was_empty |= group.is_empty;
                    group.is_empty = true;
                }
            }
            '.' if self.dot_all => self.atom("(?s:.)"),
            '.' => self.atom(DOT),
            '^' => self.anchor(r"\A"),
            // The whole text has to match, so what may follow there in Java cannot.
            '$' => self.anchor(r"\z"),
            '*' | '+' | '?' | '{' => self.quantifier(c, reader)?,
            literal => self.literal(literal),
        }
        Ok(())
    }

    /// One character.
    fn atom(&mut self, atom: &str) {
        self.made.push_str(atom);
        self.put(Atom { is_empty: false, keeps: false });
    }

    fn literal(&mut self, literal: char) {
        push(&mut self.made, literal);
        self.put(Atom { is_empty: false, keeps: false });
    }

    fn anchor(&mut self, anchor: &str) {
        self.made.push_str(anchor);
        self.put(Atom { is_empty: true, keeps: false });
    }

    fn put(&mut self, atom: Atom) {
        self.fold();
        self.last = Some(atom);
        self.can_repeat = true;
    }

    /// Counts what was read last, with what repeats it, to the group it is in.
    fn fold(&mut self) {
        if let (Some(atom), Some(group)) = (self.last.take(), self.open.last_mut()) {
            group.is_empty &= atom.is_empty;
            group.keeps |= atom.keeps;
        }
    }

    fn group(&mut self, reader: &mut Reader) -> Result<(), String> {
        const LOOK: [&str; 4] = ["?=", "?!", "?<=", "?<!"];
        self.fold();
        let mut keeps = true;
        let wrong = if LOOK.iter().any(|look| reader.begins(look)) {
            "looks ahead or behind, which is not supported on this machine"
        } else if reader.begins("?>") {
            "has an independent group `(?>`, which is not supported on this machine"
        } else if reader.take("?<") {
            let name = reader.until('>').ok_or("has a group whose name does not end")?;
            let fits = |c: char| c.is_ascii_alphanumeric();
            if !name.starts_with(|c: char| c.is_ascii_alphabetic()) || !name.chars().all(fits) {
                return Err("has a group with a name that Java does not take".to_owned());
            }
            self.made.push('(');
            ""
        } else if reader.take("?:") {
            self.made.push_str("(?:");
            keeps = false;
            ""
        } else if reader.begins("?") {
            "has flags; on this machine only `(?i)`, `(?s)` and `(?is)` at its very beginning are supported"
        } else {
            self.made.push('(');
            ""
        };
        self.open.push(Branches { keeps, is_empty: true, was_empty: false });
        self.can_repeat = false;
        if wrong.is_empty() { Ok(()) } else { Err(wrong.to_owned()) }
    }

    fn quantifier(&mut self, c: char, reader: &mut Reader) -> Result<(), String> {
        if !self.can_repeat {
            return Err(format!("has a `{c}` with nothing before it to repeat"));
        }
        self.made.push(c);
        let mut least = u32::from(c == '+');
        if c == '{' {
            const BAD: &str = "has a `{` that is no number of repetitions";
            least = reader.number(10, 1, 9).ok_or(BAD)?;
            self.made.push_str(&least.to_string());
            if reader.take(",") {
                self.made.push(',');
                if reader.peek() != Some('}') {
                    let most = reader.number(10, 1, 9).filter(|most| *most >= least).ok_or(BAD)?;
                    self.made.push_str(&most.to_string());
                }
            }
            if !reader.take("}") {
                return Err(BAD.to_owned());
            }
            self.made.push('}');
        }
        if reader.take("+") {
            return Err(
                "has a possessive quantifier, such as `*+`, which is not supported on this machine"
                    .to_owned(),
            );
        }
        if reader.take("?") {
            self.made.push('?');
        }
        self.can_repeat = false;
        if let Some(atom) = &mut self.last {
            // Of how often nothing is matched Java and our engine think differently.
            if c != '?' && atom.keeps && atom.is_empty {
                return Err("repeats a group that may match nothing, which is not supported on this machine".to_owned());
            }
            atom.is_empty |= least == 0;
        }
        Ok(())
    }

    fn escape(&mut self, reader: &mut Reader) -> Result<(), String> {
        let Some(c) = reader.peek() else { return Err("ends with a `\\`".to_owned()) };
        match c {
            'Q' => {
                reader.at += 1;
                reader.quoted().into_iter().for_each(|quoted| self.literal(quoted));
            }
            'A' | 'b' | 'B' | 'z' | 'Z' => {
                reader.at += 1;
                self.anchor(match c {
                    'A' => r"\A",
                    'b' => r"\b",
                    'B' => r"\B",
                    _ => r"\z",
                });
            }
            '1'..='9' | 'k' => {
                return Err(
                    "refers back to a group, which is not supported on this machine".to_owned()
                );
            }
            'G' | 'R' | 'X' | 'N' => {
                return Err(format!("has a `\\{c}`, which is not supported on this machine"));
            }
            _ => match class::escape(reader)? {
                class::Item::One(one) => self.literal(one),
                class::Item::Many(many) => self.atom(&format!("[{many}]")),
            },
        }
        Ok(())
    }
}

/// Appends a character that means itself, within a class and outside.
pub(super) fn push(made: &mut String, literal: char) {
    if r"\.+*?()|[]{}^$#&-~".contains(literal) {
        made.push('\\');
    }
    made.push(literal);
}
