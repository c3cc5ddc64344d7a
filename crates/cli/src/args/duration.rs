//! Lengths of time on the command line.

use std::time::Duration;

/// What is not one is told so.
const FORM: &str = "a length of time is a number with a unit, such as 0.5s, 90s, 5m, 2h or 30d";

/// A length of time as people write it: `0.5s`, `90s`, `5m`, `2h`, `30d`. Nothing is just `0`.
///
/// # Errors
/// It is not written so, or longer than can be counted.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let wrong = || FORM.to_owned();
    let unit = text.char_indices().next_back().ok_or_else(wrong)?;
    let (number, unit) = (&text[..unit.0], unit.1);
    let seconds = match unit {
        's' => 1.0,
        'm' => 60.0,
        'h' => 3600.0,
        // Of 24 hours, whatever is done to clocks.
        'd' => 86_400.0,
        _ => return Err(wrong()),
    };
    // Not `1e3`, `inf` or `+1`, which `f64` knows too.
    if !number.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return Err(wrong());
    }
    let number: f64 = number.parse().map_err(|_| wrong())?;
    Duration::try_from_secs_f64(number * seconds).map_err(|_| "it is too long".to_owned())
}

/// A length of time that is not nothing.
///
/// # Errors
/// It is nothing, or none at all.
pub(crate) fn some(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        Duration::ZERO => Err("it must be longer than nothing".to_owned()),
        long => Ok(long),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_and_a_unit() {
        for (text, millis) in [
            ("0.5s", 500),
            ("90s", 90_000),
            ("5m", 300_000),
            ("1.5m", 90_000),
            ("2h", 7_200_000),
            ("30d", 2_592_000_000),
            ("0s", 0),
            ("0", 0),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for wrong in [
            "", "s", "5", "5 m", "-1s", "+1s", "1e3s", "infs", "NaNs", "1w", "1ms", "1h30m", "ñ",
            ".",
        ] {
            assert_eq!(duration(wrong), Err(FORM.to_owned()), "{wrong}");
        }
        let long = format!("{}h", "9".repeat(300));
        assert_eq!(duration(&long), Err("it is too long".to_owned()));
    }
}
