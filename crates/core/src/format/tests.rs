mod golden;
mod refused;
mod values;

use std::sync::Arc;

use super::*;

fn source(text: &str) -> Arc<Source> {
    Arc::new(Source::new("f", text))
}

/// The text formatted; it must be possible.
fn text(text: &str) -> String {
    match format(&source(text)) {
        Ok(text) => text,
        Err(Refused::Faulty(fault)) => panic!("{fault}"),
        Err(Refused::Changed(why)) => panic!("{why}: {text:?}"),
    }
}
