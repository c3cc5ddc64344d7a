//! WebHDFS.

use super::*;

#[test]
fn a_file_is_written_renamed_read_and_removed() {
    let bench = Bench::new(Script::default());
    let done = json!({"boolean": true});
    assert_eq!(body(&bench.files("PUT", "/user/a?op=MKDIRS&permission=700")), done);
    let sent = bench.files("PUT", "/user/a/x%20y?op=CREATE&permission=600");
    assert_eq!(sent.status, 307);
    let place = sent.header("location").expect("a place").to_owned();
    assert!(place.starts_with(&bench.fake.node.url()), "{place}");
    assert_eq!(bench.send("PUT", place, b"content").status, 201);
    let renamed = bench.files("PUT", "/user/a/x%20y?op=RENAME&destination=/user/a/z");
    assert_eq!(body(&renamed), done);
    let again = bench.files("PUT", "/user/a/z?op=RENAME&destination=/user/nowhere/z");
    assert_eq!(body(&again), json!({"boolean": false}));
    let status = body(&bench.files("GET", "/user/a/z?op=GETFILESTATUS"))["FileStatus"].clone();
    assert_eq!((&status["length"], &status["permission"]), (&json!(7), &json!("600")));
    let sent = bench.files("GET", "/user/a/z?op=OPEN&offset=3&length=2");
    let place = sent.header("location").expect("a place").to_owned();
    assert_eq!(bench.send("GET", place, &[]).body, b"te");
    let listed = body(&bench.files("GET", "/user/a?op=LISTSTATUS"));
    assert_eq!(listed["FileStatuses"]["FileStatus"][0]["pathSuffix"], "z");
    assert_eq!(body(&bench.files("DELETE", "/user/a?op=DELETE&recursive=true")), done);
    assert_eq!(bench.files("GET", "/user/a/z?op=OPEN").status, 404);
    assert_eq!(bench.violations(), [""; 0]);
}

#[test]
fn folders_above_are_made_with_the_same_rights_which_nobody_wants_of_those_of_users() {
    let bench = Bench::new(Script::default());
    bench.files("PUT", "/user/open?op=MKDIRS&permission=755");
    bench.files("PUT", "/user/open/b/c?op=MKDIRS&permission=700");
    bench.files("PUT", "/user/open?op=MKDIRS&permission=700");
    assert_eq!(bench.violations(), [""; 0]);
    bench.fake.world(|world| {
        for (path, rights) in [("/user/open", "755"), ("/user/open/b", "700")] {
            let found = world.files.get(path).map(|file| file.rights.as_str());
            assert_eq!(found, Some(rights), "what is there stays as it is");
        }
    });
    bench.files("PUT", "/user/a/b?op=MKDIRS&permission=700");
    assert_eq!(bench.violations().len(), 1);
    bench.fake.world(|world| {
        assert_eq!(world.files.get("/user/a").map(|file| file.rights.as_str()), Some("700"));
    });
    assert_eq!(bench.files("PUT", "/user/c/x?op=CREATE").status, 404);
    assert_eq!(bench.violations().len(), 2);
}

#[test]
fn what_it_does_not_know_is_noted() {
    let bench = Bench::new(Script::default());
    assert_eq!(bench.files("PUT", "/user?op=SETOWNER").status, 404);
    assert_eq!(bench.get("/ws/v1/cluster/scheduler").status, 404);
    assert_eq!(bench.violations().len(), 2);
}
