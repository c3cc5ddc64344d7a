//! Files of this machine on their way to the bucket.

use std::fs;

use super::*;

fn there(script: Script) -> There {
    There::with(script, &format!(r#", "stagingBucket": "{BUCKET}""#))
}

fn file(name: &str, content: &[u8]) -> (tempfile::TempDir, LocalFile) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    fs::write(&path, content).expect("written");
    (folder, LocalFile { path })
}

/// What lies in the bucket.
fn content(there: &There, uri: &Uri) -> Option<Vec<u8>> {
    let name = uri.0.strip_prefix(&format!("gs://{BUCKET}/"))?.to_owned();
    there.fake.world(|world| world.storage.get(BUCKET, &name).map(|it| it.body.clone()))
}

/// More than goes up at once, and no two pieces of it the same.
fn large() -> Vec<u8> {
    (0..9_000_000_u32).map(|n| (n % 251) as u8).collect()
}

#[test]
fn a_file_goes_up_once() {
    let there = there(Script::default());
    let (_folder, file) = file("a b.sh", b"echo");
    let mut staged = None;
    let asked = there.asked(|| staged = there.dataproc.stage(&file).ok());
    assert_eq!(asked, ["objects.get", "objects.insert"]);
    let staged = staged.expect("it is there");
    assert!(staged.0.ends_with("/a b.sh"), "{staged:?}");
    assert_eq!(content(&there, &staged).as_deref(), Some(&b"echo"[..]));
    let again = there.asked(|| assert_eq!(there.dataproc.stage(&file), Ok(staged.clone())));
    assert_eq!(again, ["objects.get"]);
    // Another content is another object.
    fs::write(&file.path, "other").expect("written");
    assert_ne!(there.dataproc.stage(&file).expect("it is taken"), staged);
}

#[test]
fn a_large_file_goes_up_in_pieces_and_on_after_a_cut() {
    for faults in [vec![], vec![Fault::Cut, Fault::ReplyLost]] {
        let cut = !faults.is_empty();
        let there = there(Script { keeps: cut.then_some(256 << 10), ..Script::default() });
        for (n, fault) in (2_u32..).zip(faults) {
            there.fake.fail("objects.piece", n..=n, fault);
        }
        let (_folder, file) = file("large.jar", &large());
        let staged = there.dataproc.stage(&file).expect("it goes up");
        assert!(content(&there, &staged).is_some_and(|content| content == large()), "{cut}");
    }
}

#[test]
fn a_large_file_that_changes_on_its_way_is_not_there() {
    let there = there(Script::default());
    let (_folder, file) = file("large.jar", &large());
    let path = file.path.clone();
    there.fake.fail_by(move |method| {
        if method == "objects.piece" {
            let mut other = large();
            other[0] = 255;
            fs::write(&path, other).expect("written");
        }
        None
    });
    let refused = there.dataproc.stage(&file).expect_err("it is not what it was");
    assert!(refused.message.contains("changed while it was read"), "{refused}");
    let objects = there.fake.world(|world| world.objects(BUCKET, "dataflow-runner/").len());
    assert_eq!(objects, 0);
}

#[test]
fn without_a_bucket_nothing_is_staged() {
    let there = There::new(Script::default());
    let (_folder, file) = file("x", b"x");
    let refused = there.dataproc.stage(&file).expect_err("there is no place for it");
    assert!(refused.message.contains("stagingBucket"), "{refused}");
    let gone = LocalFile { path: "/no/such/file".into() };
    let with = self::there(Script::default());
    assert_eq!(with.dataproc.stage(&gone).map_err(|it| it.kind), Err(ErrorKind::Config));
}

#[test]
fn a_step_runs_what_was_staged() {
    let there = there(Script::default());
    let on = there.up();
    let step = sample::step("a", "./x.sh", &[]);
    let order = |staged: &BTreeMap<String, Uri>| {
        ordering(2, &step, staged, |order| there.dataproc.submit(&on, order))
    };
    let refused = order(&BTreeMap::new()).expect_err("it was not staged");
    assert!(refused.message.contains("`./x.sh` was not staged"), "{refused}");
    order(&[("./x.sh".to_owned(), Uri("gs://b/x.sh".into()))].into()).expect("it is taken");
}
