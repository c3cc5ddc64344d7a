//! Go's time layouts, such as `2006-01-02 15:04:05`, filled in for a moment.

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// A moment, as the clocks of a time zone show it.
#[derive(Debug)]
pub(super) struct Moment {
    year: i64,
    month: i64,
    day: i64,
    year_day: i64,
    /// From Sunday, 0.
    weekday: usize,
    hour: i64,
    minute: i64,
    second: i64,
    nano: i64,
    /// Seconds east of Greenwich.
    offset: i64,
    /// The zone's abbreviation.
    zone: String,
}

impl From<&Zoned> for Moment {
    fn from(now: &Zoned) -> Self {
        let info = now.time_zone().to_offset_info(now.timestamp());
        Self {
            year: now.year().into(),
            month: now.month().into(),
            day: now.day().into(),
            year_day: now.day_of_year().into(),
            weekday: weekday(now.weekday()),
            hour: now.hour().into(),
            minute: now.minute().into(),
            second: now.second().into(),
            nano: now.subsec_nanosecond().into(),
            offset: info.offset().seconds().into(),
            zone: info.abbreviation().into(),
        }
    }
}

fn weekday(day: Weekday) -> usize {
    usize::from(day.to_sunday_zero_offset().unsigned_abs())
}

/// The Gregorian calendar repeats itself, days of the week included, every 400 years.
const CYCLE: i128 = 146_097 * 86_400;

/// Go counts seconds from the first of March of the year -292277022400, in 64 bits without a sign: what is
/// before that is at the other end.
const GO_BEGINS: i128 = -9_223_372_028_741_760_000;

/// `seconds` within jiff's years, and the cycles of the calendar that lie between.
fn near(seconds: i128) -> (Timestamp, i64) {
    // A bit inside of jiff's range, so that no zone leads out of it.
    let start = i128::from(Timestamp::MIN.as_second() + 200_000);
    let end = i128::from(Timestamp::MAX.as_second() - 200_000);
    let cycles = if seconds < start {
        (seconds - start).div_euclid(CYCLE)
    } else if seconds >= end {
        (seconds - end).div_euclid(CYCLE) + 1
    } else {
        0
    };
    let near = i64::try_from(seconds - cycles * CYCLE).unwrap_or_default();
    (Timestamp::from_second(near).unwrap_or_default(), i64::try_from(cycles).unwrap_or_default())
}

impl Moment {
    /// The moment `seconds` after 1970 began in UTC, in the zone `tz`. Any number is a moment: outside of
    /// jiff's years the calendar's cycle is used, for which the zone's rules stay the same.
    pub(super) fn at(seconds: i64, tz: &TimeZone) -> Self {
        let (stamp, _) = near(seconds.into());
        let info = tz.to_offset_info(stamp);
        let offset = i64::from(info.offset().seconds());
        let clock = i128::from(seconds) + i128::from(offset);
        let clock = if clock < GO_BEGINS { clock + (1 << 64) } else { clock };
        let (shown, cycles) = near(clock);
        let moment = Self::from(&shown.to_zoned(TimeZone::UTC));
        Self {
            year: moment.year + 400 * cycles,
            offset,
            zone: info.abbreviation().into(),
            ..moment
        }
    }
}

/// Go's padding: zeros up to `width` digits, the sign not counted.
fn int(out: &mut Vec<u8>, n: i64, width: usize) {
    let sign = if n < 0 { "-" } else { "" };
    out.extend(format!("{sign}{:0width$}", n.unsigned_abs()).bytes());
}

/// `layout` with its parts replaced by those of `moment`; everything else stands for itself.
pub(super) fn format(layout: &[u8], moment: &Moment) -> Vec<u8> {
    let mut out = Vec::with_capacity(layout.len() + 10);
    let mut rest = layout;
    while let Some((&first, tail)) = rest.split_first() {
        rest = match part(rest, moment, &mut out) {
            Some(length) => &rest[length..],
            None => {
                out.push(first);
                tail
            }
        };
    }
    out
}

/// Writes the part that `layout` starts with, and says how long it is.
fn part(layout: &[u8], m: &Moment, out: &mut Vec<u8>) -> Option<usize> {
    let starts = |text: &str| layout.starts_with(text.as_bytes());
    // "Monday" is a part and so is "Mon", but "Month" has none.
    let word =
        |text: &str| starts(text) && !layout.get(text.len()).is_some_and(u8::is_ascii_lowercase);
    let month = MONTHS.get(usize::try_from(m.month - 1).ok()?)?;
    let day = DAYS.get(m.weekday)?;
    let half = match m.hour % 12 {
        0 => 12,
        hour => hour,
    };
    let mut number = |n: i64, width: usize, length: usize| {
        int(out, n, width);
        Some(length)
    };
    match layout.first()? {
        b'0' => match layout.get(1)? {
            b'1' => number(m.month, 2, 2),
            b'2' => number(m.day, 2, 2),
            b'3' => number(half, 2, 2),
            b'4' => number(m.minute, 2, 2),
            b'5' => number(m.second, 2, 2),
            b'6' => number((m.year % 100).abs(), 2, 2),
            b'0' if starts("002") => number(m.year_day, 3, 3),
            _ => None,
        },
        b'1' if starts("15") => number(m.hour, 2, 2),
        b'1' => number(m.month, 0, 1),
        b'2' if starts("2006") => number(m.year, 4, 4),
        b'2' => number(m.day, 0, 1),
        b'3' => number(half, 0, 1),
        b'4' => number(m.minute, 0, 1),
        b'5' => number(m.second, 0, 1),
        b'_' if starts("_2006") => {
            out.push(b'_');
            int(out, m.year, 4);
            Some(5)
        }
        b'_' if starts("_2") => {
            out.extend(format!("{:2}", m.day).bytes());
            Some(2)
        }
        b'_' if starts("__2") => {
            out.extend(format!("{:3}", m.year_day).bytes());
            Some(3)
        }
        b'J' if starts("January") => text(out, month, 7),
        b'J' if word("Jan") => text(out, &month[..3], 3),
        b'M' if starts("Monday") => text(out, day, 6),
        b'M' if word("Mon") => text(out, &day[..3], 3),
        b'M' if starts("MST") => {
            if m.zone.is_empty() {
                offset(out, m.offset, false, 4);
            }
            text(out, &m.zone, 3)
        }
        b'P' if starts("PM") => text(out, if m.hour >= 12 { "PM" } else { "AM" }, 2),
        b'p' if starts("pm") => text(out, if m.hour >= 12 { "pm" } else { "am" }, 2),
        sign @ (b'-' | b'Z') => {
            let digits = layout.get(1..)?;
            let (length, colons, shown) = if digits.starts_with(b"070000") {
                (7, false, 6)
            } else if digits.starts_with(b"07:00:00") {
                (9, true, 6)
            } else if digits.starts_with(b"0700") {
                (5, false, 4)
            } else if digits.starts_with(b"07:00") {
                (6, true, 4)
            } else if digits.starts_with(b"07") {
                (3, false, 2)
            } else {
                return None;
            };
            if *sign == b'Z' && m.offset == 0 {
                return text(out, "Z", length);
            }
            offset(out, m.offset, colons, shown);
            Some(length)
        }
        b'.' | b',' => fraction(layout, m.nano, out),
        _ => None,
    }
}

fn text(out: &mut Vec<u8>, text: &str, length: usize) -> Option<usize> {
    out.extend(text.bytes());
    Some(length)
}

/// `+0700` and its like, of `digits` digits. Go finds the sign in the minutes and so prints an offset of
/// minus half a minute as `+00:00:-30`.
fn offset(out: &mut Vec<u8>, seconds: i64, colons: bool, digits: usize) {
    let minutes = seconds / 60;
    let behind = if minutes < 0 { -seconds % 60 } else { seconds % 60 };
    out.push(if minutes < 0 { b'-' } else { b'+' });
    let minutes = minutes.abs();
    for (at, n) in [minutes / 60, minutes % 60, behind].into_iter().take(digits / 2).enumerate() {
        if at > 0 && colons {
            out.push(b':');
        }
        int(out, n, 2);
    }
}

/// `.000` or `,999`: as many digits of the second's fraction; nines leave out zeros at the end.
fn fraction(layout: &[u8], nano: i64, out: &mut Vec<u8>) -> Option<usize> {
    let (&point, digits) = layout.split_first()?;
    let kind = *digits.first().filter(|b| matches!(b, b'0' | b'9'))?;
    let count = digits.iter().take_while(|b| **b == kind).count();
    if digits.get(count).is_some_and(u8::is_ascii_digit) {
        return None;
    }
    let all = format!("{nano:09}");
    let mut shown = &all[..count.min(9)];
    if kind == b'9' {
        shown = shown.trim_end_matches('0');
    }
    if !shown.is_empty() {
        out.push(point);
        out.extend(shown.bytes());
    }
    Some(count + 1)
}

#[cfg(test)]
impl Moment {
    /// The same with a fraction of a second.
    pub(super) fn with_nano(self, nano: i64) -> Self {
        Self { nano, ..self }
    }
}
