//! When a run was started, and what the clocks there showed.

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use serde::{Deserialize, Serialize};

/// An instant as the clocks of its time zone show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Started {
    /// The instant.
    pub at: Timestamp,
    /// The zone's name in the IANA Time Zone Database. Not every zone has one: `TZ` may hold rules instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// Seconds east of Greenwich, then.
    pub offset: i32,
    /// What the zone was called then, such as `CEST`.
    pub abbreviation: String,
}

impl Started {
    /// What there is to know of a time.
    pub fn of(now: &Zoned) -> Self {
        let info = now.time_zone().to_offset_info(now.timestamp());
        Self {
            at: now.timestamp(),
            zone: now.time_zone().iana_name().map(str::to_owned),
            offset: info.offset().seconds(),
            abbreviation: info.abbreviation().to_owned(),
        }
    }

    /// The time again, in its zone by name; one without a name is taken for `system`, the zone of this machine, if that
    /// showed the same then. Where both fail it is a zone that always shows what this one showed then.
    pub fn again(&self, system: TimeZone) -> Zoned {
        let candidate = match &self.zone {
            Some(name) => TimeZone::get(name).ok(),
            None => Some(system),
        };
        let same = |zone: &TimeZone| {
            let info = zone.to_offset_info(self.at);
            info.offset().seconds() == self.offset && info.abbreviation() == self.abbreviation
        };
        self.at.to_zoned(candidate.filter(same).unwrap_or_else(|| self.frozen()))
    }

    /// A zone without rules.
    fn frozen(&self) -> TimeZone {
        // POSIX counts west of Greenwich: The Open Group Base Specifications Issue 8, section 8.3, `TZ`.
        let (sign, west) = (if self.offset > 0 { "-" } else { "" }, self.offset.unsigned_abs());
        let (hours, minutes, seconds) = (west / 3600, west / 60 % 60, west % 60);
        let rules = format!("<{}>{sign}{hours}:{minutes:02}:{seconds:02}", self.abbreviation);
        let fixed = || jiff::tz::Offset::from_seconds(self.offset).map(TimeZone::fixed);
        TimeZone::posix(&rules).or_else(|_| fixed()).unwrap_or(TimeZone::UTC)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: &str = "2026-07-22T10:15:00.123456789Z";

    fn shown(zoned: &Zoned) -> (i32, String) {
        let info = zoned.time_zone().to_offset_info(zoned.timestamp());
        (info.offset().seconds(), info.abbreviation().to_owned())
    }

    #[test]
    fn every_zone_shows_the_same_again() {
        let at: Timestamp = AT.parse().expect("an instant");
        let posix = |rules| TimeZone::posix(rules).expect("rules");
        let offset = |seconds| jiff::tz::Offset::from_seconds(seconds).expect("an offset");
        let zones = [
            TimeZone::UTC,
            TimeZone::unknown(),
            TimeZone::get("Europe/Berlin").expect("a zone"),
            TimeZone::get("America/St_Johns").expect("a zone"),
            TimeZone::fixed(offset(-12_345)),
            TimeZone::fixed(offset(3600)),
            posix("EST5EDT,M3.2.0,M11.1.0"),
            posix("<+0330>-3:30"),
        ];
        for zone in zones {
            let now = at.to_zoned(zone.clone());
            let kept = serde_json::to_string(&Started::of(&now)).expect("JSON");
            let kept: Started = serde_json::from_str(&kept).expect("itself");
            for system in [TimeZone::UTC, zone, TimeZone::fixed(offset(60))] {
                let again = kept.again(system);
                assert_eq!(again.timestamp(), at, "to the nanosecond");
                assert_eq!(shown(&again), shown(&now), "{kept:?}");
            }
        }
    }

    #[test]
    fn a_zone_has_its_rules_again() {
        let at: Timestamp = AT.parse().expect("an instant");
        let winter: Timestamp = "2026-01-22T10:15:00Z".parse().expect("an instant");
        let rules = TimeZone::posix("EST5EDT,M3.2.0,M11.1.0").expect("rules");
        for (zone, system, offset) in [
            (TimeZone::get("Europe/Berlin").expect("a zone"), TimeZone::UTC, 3600),
            (rules.clone(), rules, -5 * 3600),
        ] {
            let again = Started::of(&at.to_zoned(zone)).again(system);
            assert_eq!(again.time_zone().to_offset(winter).seconds(), offset);
        }
    }

    #[test]
    fn a_zone_that_is_not_known_here_shows_what_it_showed() {
        let at: Timestamp = AT.parse().expect("an instant");
        let zone = Some("Mars/Olympus".to_owned());
        let kept = Started { at, zone, offset: -9000, abbreviation: "OMT".to_owned() };
        assert_eq!(shown(&kept.again(TimeZone::UTC)), (-9000, "OMT".to_owned()));
        let odd = Started { abbreviation: "?".to_owned(), ..kept };
        assert_eq!(shown(&odd.again(TimeZone::UTC)).0, -9000);
    }
}
