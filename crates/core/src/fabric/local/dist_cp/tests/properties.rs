//! What holds of any files.

use proptest::collection::btree_map;
use proptest::prelude::*;

use super::*;

/// Files without one that would be another's folder: folders have other names.
fn files() -> impl Strategy<Value = BTreeMap<String, String>> {
    btree_map("(d[0-2]/){0,2}[a-c][0-9](\\.txt|\\.gz|)", "[x-z]{0,40}", 1..12)
}

fn place(files: &BTreeMap<String, String>) -> Place {
    let files: Vec<_> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    Place::new(&files)
}

fn unpacked(bytes: &[u8]) -> String {
    text(bytes).trim_matches(['[', ']']).to_owned()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn without_groups_the_chosen_files_are_there(files in files(), letter in "[a-c]", delete: bool) {
        let place = place(&files);
        let before = tree(&place.0.path().join("in"));
        let (chosen, others): (BTreeMap<_, _>, BTreeMap<_, _>) = before.clone().into_iter().partition(|(name, _)| {
            name.rsplit('/').next().unwrap().starts_with(&letter)
        });
        let options = if delete { " --deleteOnSuccess" } else { "" };
        let (code, ..) = place.say("in", "out", &format!("--srcPattern=.*/{letter}[^/]*{options}"));
        prop_assert_eq!(code, u8::from(chosen.is_empty()));
        prop_assert_eq!(tree(&place.0.path().join("out")), chosen);
        prop_assert_eq!(tree(&place.0.path().join("in")), if delete { others } else { before });
    }

    #[test]
    fn groups_hold_each_file_once(files in files(), codec in "none|gz", delete: bool) {
        let place = place(&files);
        let options = if delete { "--deleteOnSuccess" } else { "" };
        let (code, ..) = place.say("in", "out", &format!("--groupBy=.*/([ab])[^/]* --outputCodec={codec} {options}"));
        let mut expected: BTreeMap<String, String> = BTreeMap::new();
        for (name, text) in &files {
            let letter = &name.rsplit('/').next().unwrap()[..1];
            if letter != "c" {
                expected.entry(letter.to_owned()).or_default().push_str(text);
            }
        }
        prop_assert_eq!(code, u8::from(expected.is_empty()));
        let mut found: BTreeMap<String, String> = BTreeMap::new();
        for (name, bytes) in tree(&place.0.path().join("out")) {
            prop_assert_eq!(bytes.starts_with(&[0x1F, 0x8B]), codec == "gz", "{}", name);
            let letter = &name.rsplit('/').next().unwrap()[..1];
            found.entry(letter.to_owned()).or_default().push_str(&unpacked(&bytes));
        }
        prop_assert_eq!(found, expected);
        let left = tree(&place.0.path().join("in"));
        let kept = files.keys().filter(|name| !delete || name.rsplit('/').next().unwrap().starts_with('c'));
        prop_assert!(left.keys().eq(kept));
    }
}
