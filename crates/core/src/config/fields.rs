//! Where a file says what is decided about a step.

use super::read::Record;
use crate::source::Span;

/// A field of a step of which only a fabric can say that it is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// Which program runs it.
    Type,
    /// What is done when it fails.
    ActionOnFailure,
    /// How often it is tried.
    Retries,
    /// How long it may run.
    TimeoutSeconds,
    /// What its exit codes mean.
    OnResult,
}

impl Field {
    const ALL: [Self; 5] =
        [Self::Type, Self::ActionOnFailure, Self::Retries, Self::TimeoutSeconds, Self::OnResult];

    /// Its name in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Type => "type",
            Self::ActionOnFailure => "actionOnFailure",
            Self::Retries => "retries",
            Self::TimeoutSeconds => "timeoutSeconds",
            Self::OnResult => "onResult",
        }
    }
}

/// The places of such fields in the user's own file.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fields([Option<Span>; Field::ALL.len()]);

impl Fields {
    /// Those that a record has.
    pub(super) fn of(record: &Record<'_>) -> Self {
        let place = |field: Field| {
            let name = field.as_str();
            record.has(name).then(|| record.document().source_span(record.span_of(name)))
        };
        Self(Field::ALL.map(place))
    }

    /// These, and others in the place of those that are not there.
    pub(super) fn or(self, others: Self) -> Self {
        Self(Field::ALL.map(|field| self.place(field).or(others.place(field))))
    }

    pub(super) fn place(self, field: Field) -> Option<Span> {
        self.0[field as usize]
    }
}
