//! What must hold for any bytes from outside: no panic, no hang, bounded memory, and the laws each part names.
//!
//! Each target is run by cargo-fuzz (`fuzz/`) with what it makes up, and by the tests here with what it found so far
//! (`fuzz/corpus/<target>.jsonl`). Not part of the program.

mod fabrics;
mod far_side;
mod texts;

/// A target: its name, and what has to hold for any input.
pub type Target = (&'static str, fn(&[u8]));

/// All of them, by name.
pub const TARGETS: &[Target] = &[
    ("aws", fabrics::aws),
    ("consul", fabrics::consul),
    ("dataproc", fabrics::dataproc),
    ("emr", fabrics::emr),
    ("format", texts::format),
    ("google", fabrics::google),
    ("journal", texts::journal),
    ("json", texts::json),
    ("load", texts::load),
    ("local", texts::local),
    ("schema", texts::schema),
    ("template", texts::template),
    ("yarn", fabrics::yarn),
];

/// Runs a target by its name; one that does not exist does nothing.
pub fn run(name: &str, input: &[u8]) {
    if let Some((_, target)) = TARGETS.iter().find(|(known, _)| *known == name) {
        target(input);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    /// An input: its bytes stand as the characters up to U+00FF of a JSON string.
    fn bytes(line: &str) -> Vec<u8> {
        let text: String = serde_json::from_str(line).expect("a string");
        text.chars().map(|c| u8::try_from(c).expect("a byte")).collect()
    }

    /// What fuzzing found once, and what it began with.
    #[test]
    fn whatever_is_kept_of_fuzzing_does_no_harm() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
        for (name, target) in TARGETS {
            let corpus = folder.join("corpus").join(name).with_extension("jsonl");
            let lines =
                fs::read_to_string(&corpus).unwrap_or_else(|e| panic!("{}: {e}", corpus.display()));
            let mut inputs = 0;
            for line in lines.lines() {
                target(&bytes(line));
                inputs += 1;
            }
            assert!(inputs >= 10, "{name}: {inputs} inputs");
            assert!(
                folder.join("fuzz_targets").join(name).with_extension("rs").is_file(),
                "{name}"
            );
        }
    }
}
