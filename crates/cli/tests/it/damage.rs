//! Journals that were changed or cut, as the program takes them.

use std::fs;

use crate::harness::{Place, cluster, playbook, script};

const TRANSIENT: [&str; 5] = ["run-transient", "--config", "c.json", "--playbook", "p.json"];

#[test]
fn with_a_journal_that_was_changed_nothing_is_done() {
    // How often it ran is how many lines it has written.
    let step = script("a", "echo ran >> \"$HOME/ran\"; exit 3", "");
    let place = Place::new().with("c.json", cluster("")).with("p.json", playbook(&step));
    assert_eq!(place.run(TRANSIENT).code, Some(1));
    let ran = place.path("../home/ran");
    let run = fs::read_dir(place.state().join("runs")).expect("runs").next().expect("a run");
    let journal = run.expect("a run").path().join("journal.jsonl");
    let whole = fs::read_to_string(&journal).expect("a journal");
    let lines: Vec<&str> = whole.split_inclusive('\n').collect();
    let [head @ .., _, last] = &lines[..] else { panic!("{whole}") };
    for (damaged, number) in [
        (whole.replacen("\"attempt\":1", "\"attempt\":2", 1), None),
        (whole.replacen("run-transient", "run-transienT", 1), Some(2)),
        (whole.replacen("\"version\":1", "\"version\":0", 1), Some(1)),
        ([head.concat(), (*last).to_owned()].concat(), Some(lines.len() - 1)),
        ([whole.as_str(), *last].concat(), Some(lines.len() + 1)),
        (lines[1..].concat(), Some(1)),
        (lines[0][..20].to_owned(), Some(1)),
        (String::new(), Some(1)),
    ] {
        fs::write(&journal, &damaged).expect("written");
        for line in ["status last", "attach last", "resume last", "cancel last"] {
            let told = place.words(line);
            assert_eq!((told.code, told.stdout.as_str()), (Some(1), ""), "{line} {}", told.stderr);
            let number = number.map_or(String::new(), |number| format!("{number}: "));
            let said = format!("journal.jsonl` is damaged in line {number}");
            assert!(told.stderr.contains(&said), "{line} {said}: {}", told.stderr);
            assert_eq!(fs::read_to_string(&journal).expect("it is there"), damaged, "{line}");
        }
    }
    assert_eq!(fs::read_to_string(&ran).expect("it ran"), "ran\n");

    // What was cut is as if the program had died there: the end is found out once more.
    fs::write(&journal, &whole[..whole.len() - 1]).expect("written");
    let told = place.words("attach last");
    assert_eq!(told.code, Some(1), "{}", told.stderr);
    assert_eq!(fs::read_to_string(&ran).expect("it ran"), "ran\n");
}
