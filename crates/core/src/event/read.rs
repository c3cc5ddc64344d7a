//! Reads an event. Journals have many: what its line says is not copied before it is understood, as the derived way
//! of a flat member would.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use serde::de::value::{BorrowedStrDeserializer, MapAccessDeserializer, StringDeserializer};
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::{Event, EventKind};

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Line)
    }
}

/// One event, flat.
struct Line;

/// The members of a line that make its kind; the others are taken out on the way.
struct Rest<'a, A> {
    members: A,
    seq: &'a mut Option<u64>,
    at: &'a mut Option<Timestamp>,
}

#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Visitor<'de> for Line {
    type Value = Event;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Event, A::Error> {
        let (mut seq, mut at) = (None, None);
        let rest = Rest { members, seq: &mut seq, at: &mut at };
        let kind = EventKind::deserialize(MapAccessDeserializer::new(rest))?;
        Ok(Event {
            seq: seq.ok_or_else(|| A::Error::missing_field("seq"))?,
            at: at.ok_or_else(|| A::Error::missing_field("at"))?,
            kind,
        })
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Rest<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        while let Some(Name(name)) = self.members.next_key()? {
            match &*name {
                "seq" => *self.seq = Some(self.members.next_value()?),
                "at" => *self.at = Some(self.members.next_value()?),
                // The checksum of the line, which is the journal's.
                "sum" => drop(self.members.next_value::<IgnoredAny>()?),
                _ => {
                    let key = match name {
                        Cow::Borrowed(name) => seed.deserialize(BorrowedStrDeserializer::new(name)),
                        Cow::Owned(name) => seed.deserialize(StringDeserializer::new(name)),
                    };
                    return key.map(Some);
                }
            }
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.members.next_value_seed(seed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Event, String> {
        serde_json::from_str(line).map_err(|error| error.to_string())
    }

    #[test]
    fn the_order_of_the_members_is_free_and_new_ones_are_skipped() {
        let usual = r#"{"seq":3,"at":"1970-01-01T00:00:00Z","event":"warning","message":"a\n"}"#;
        let other = r#"{"message":"a\n","new":[{}],"sum":"x","event":"warning","\u0061t":"1970-01-01T00:00:00Z","seq":3}"#;
        let event = read(usual).expect("it is an event");
        assert_eq!(event.kind, EventKind::Warning { message: "a\n".into() });
        assert_eq!(read(other), Ok(event));
        let bare = r#"{"event":"contact-restored","seq":3,"at":"1970-01-01T00:00:00Z","sum":"x"}"#;
        assert_eq!(read(bare).map(|event| event.kind), Ok(EventKind::ContactRestored));
    }

    #[test]
    fn what_is_not_whole_is_no_event() {
        for (line, says) in [
            (r#"{"at":"1970-01-01T00:00:00Z","event":"contact-restored"}"#, "`seq`"),
            (r#"{"seq":1,"event":"contact-restored"}"#, "`at`"),
            (r#"{"seq":1,"at":"1970-01-01T00:00:00Z"}"#, "`event`"),
            (r#"{"seq":1,"at":"1970-01-01T00:00:00Z","event":"warning"}"#, "`message`"),
            (r#"{"seq":1,"at":"1970-01-01T00:00:00Z","event":"no-such"}"#, "no-such"),
            (r#"{"seq":-1,"at":"1970-01-01T00:00:00Z","event":"contact-restored"}"#, "-1"),
            ("[]", "an event"),
        ] {
            let error = read(line).expect_err("it is not whole");
            assert!(error.contains(says), "{line}: {error}");
        }
    }
}
