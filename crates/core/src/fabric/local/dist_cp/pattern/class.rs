//! Classes of characters.

use super::translate::{Reader, push};

/// What an escape or a part of a class stands for.
pub(super) enum Item {
    One(char),
    /// As a class of our engine is written, without the brackets.
    Many(String),
}

/// What Java calls horizontal whitespace, and what vertical.
const HORIZONTAL: &str = r" \t\x{A0}\x{1680}\x{180E}\x{2000}-\x{200A}\x{202F}\x{205F}\x{3000}";
const VERTICAL: &str = r"\n\x0B\f\r\x{85}\x{2028}\x{2029}";

/// The classes of `\p{…}` that are those of ASCII.
const PROPERTIES: [(&str, &str); 13] = [
    ("Lower", "a-z"),
    ("Upper", "A-Z"),
    ("ASCII", r"\x00-\x7F"),
    ("Alpha", "a-zA-Z"),
    ("Digit", "0-9"),
    ("Alnum", "a-zA-Z0-9"),
    ("Punct", r"!-/:-@\[-`{-~"),
    ("Graph", "!-~"),
    ("Print", " -~"),
    ("Blank", r" \t"),
    ("Cntrl", r"\x00-\x1F\x7F"),
    ("XDigit", "0-9a-fA-F"),
    ("Space", r" \t\n\x0B\f\r"),
];

/// Reads a class whose `[` has been read.
pub(super) fn read(reader: &mut Reader) -> Result<String, String> {
    let mut made = String::from(if reader.take("^") { "[^" } else { "[" });
    let begin = made.len();
    loop {
        if made.len() > begin && reader.take("]") {
            made.push(']');
            return Ok(made);
        }
        if reader.begins("&&") {
            return Err(
                "intersects classes by `&&`, which is not supported on this machine".to_owned()
            );
        }
        if reader.take(r"\Q") {
            reader.quoted().into_iter().for_each(|quoted| push(&mut made, quoted));
            continue;
        }
        match item(reader)? {
            Item::Many(many) => made.push_str(&many),
            Item::One(first) => {
                push(&mut made, first);
                if reader.begins("-") && !reader.begins("-]") {
                    reader.take("-");
                    made.push('-');
                    match item(reader)? {
                        Item::One(last) if last >= first => push(&mut made, last),
                        _ => return Err("has a range of characters that is none".to_owned()),
                    }
                }
            }
        }
    }
}

fn item(reader: &mut Reader) -> Result<Item, String> {
    match reader.next() {
        None => Err("has a `[` that is never closed".to_owned()),
        Some('[') => {
            Err("has a class within a class, which is not supported on this machine".to_owned())
        }
        Some('\\') => escape(reader),
        Some(one) => Ok(Item::One(one)),
    }
}

/// Reads what stands after a `\` and means a character or a class, wherever it is.
pub(super) fn escape(reader: &mut Reader) -> Result<Item, String> {
    let Some(c) = reader.next() else { return Err("ends with a `\\`".to_owned()) };
    let code = |number: Option<u32>| {
        let one = number.and_then(char::from_u32).map(Item::One);
        one.ok_or_else(|| "has a number that is no character".to_owned())
    };
    Ok(match c {
        'd' => Item::Many("0-9".to_owned()),
        'w' => Item::Many("a-zA-Z_0-9".to_owned()),
        's' => Item::Many(r" \t\n\x0B\f\r".to_owned()),
        'h' => Item::Many(HORIZONTAL.to_owned()),
        'v' => Item::Many(VERTICAL.to_owned()),
        'D' => Item::Many(all_but("0-9")),
        'W' => Item::Many(all_but("a-zA-Z_0-9")),
        'S' => Item::Many(all_but(r" \t\n\x0B\f\r")),
        'H' => Item::Many(all_but(HORIZONTAL)),
        'V' => Item::Many(all_but(VERTICAL)),
        'p' | 'P' => {
            let name =
                if reader.take("{") { reader.until('}') } else { reader.next().map(String::from) };
            let known = PROPERTIES.iter().find(|(known, _)| name.as_deref() == Some(known));
            let (_, class) = known.ok_or_else(|| {
                format!("has a `\\{c}` of other than ASCII's classes, such as `\\p{{Alpha}}`, which is not supported on this machine")
            })?;
            Item::Many(if c == 'p' { (*class).to_owned() } else { all_but(class) })
        }
        't' => Item::One('\t'),
        'n' => Item::One('\n'),
        'r' => Item::One('\r'),
        'f' => Item::One('\x0C'),
        'a' => Item::One('\x07'),
        'e' => Item::One('\x1B'),
        '0' => return code(octal(reader)),
        'x' if reader.take("{") => {
            let number = reader.until('}').and_then(|hex| u32::from_str_radix(&hex, 16).ok());
            return code(number);
        }
        'x' => return code(reader.number(16, 2, 2)),
        'u' => return code(reader.number(16, 4, 4)),
        'c' => return code(reader.next().map(|c| u32::from(c) ^ 64)),
        other if other.is_ascii_alphanumeric() => {
            return Err(format!("has a `\\{other}`, which Java does not know here"));
        }
        literal => Item::One(literal),
    })
}

/// At most 0377.
fn octal(reader: &mut Reader) -> Option<u32> {
    let most = if matches!(reader.peek(), Some('0'..='3')) { 3 } else { 2 };
    reader.number(8, 1, most)
}

/// The part of a class that is all but another: the gaps of it.
fn all_but(class: &str) -> String {
    let ranges = regex_ranges(class);
    let (mut made, mut next) = (String::new(), 0_u32);
    for (first, last) in ranges {
        if first > next {
            made.push_str(&range(next, first - 1));
        }
        next = last + 1;
    }
    made + &range(next, u32::from(char::MAX))
}

fn range(first: u32, last: u32) -> String {
    format!(r"\x{{{first:X}}}-\x{{{last:X}}}")
}

/// The ranges of one of the classes above, sorted.
fn regex_ranges(class: &str) -> Vec<(u32, u32)> {
    let mut reader = Reader::new(class);
    let mut ranges = Vec::new();
    while let Some(first) = one(&mut reader) {
        let last = if reader.take("-") { one(&mut reader).unwrap_or(first) } else { first };
        ranges.push((u32::from(first), u32::from(last)));
    }
    ranges.sort_unstable();
    ranges
}

fn one(reader: &mut Reader) -> Option<char> {
    match reader.next()? {
        '\\' => match escape(reader) {
            Ok(Item::One(one)) => Some(one),
            _ => None,
        },
        one => Some(one),
    }
}
