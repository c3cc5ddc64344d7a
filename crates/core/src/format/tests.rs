use std::sync::Arc;

use super::*;

fn text(text: &str) -> String {
    match format(&Arc::new(Source::new("x", text))) {
        Ok(text) => text,
        Err(refused) => panic!("{refused:?}"),
    }
}

#[test]
fn a_list_on_a_line() {
    assert_eq!(text("[1,2]"), "[1, 2]\n");
}
