//! Lengths of time on the command line: `0.5s`, `90s`, `5m`, `2h`.

use std::time::Duration;

/// Reads one.
///
/// # Errors
/// It is none, or so long that no clock counts it.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "not a length of time such as 0.5s, 90s, 5m or 2h".to_owned();
    let (number, seconds) = [("s", 1.0), ("m", 60.0), ("h", 3600.0)]
        .into_iter()
        .find_map(|(unit, seconds)| text.strip_suffix(unit).map(|number| (number, seconds)))
        .ok_or_else(wrong)?;
    let plain = number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let number = number.parse::<f64>().ok().filter(|_| plain).ok_or_else(wrong)?;
    Duration::try_from_secs_f64(number * seconds).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_have_a_unit() {
        for (text, millis) in
            [("0s", 0), ("0.5s", 500), ("90s", 90_000), ("5m", 300_000), ("1.5h", 5_400_000)]
        {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        let long = "9".repeat(40) + "h";
        for wrong in
            ["", "s", "5", "-1s", "+1s", "1e3s", "infs", "NaNm", "1d", "5 m", "1.2.3s", &long]
        {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
