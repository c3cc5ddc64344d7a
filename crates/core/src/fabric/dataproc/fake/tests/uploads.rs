//! What is written to buckets.

use super::*;

const PIECE: usize = 256 * 1024;

fn bench() -> Bench {
    Bench::new(Script::default().bucket("b"))
}

fn upload(bench: &Bench, query: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
    let url = format!("{}/upload/storage/v1/b/b/o?{query}", bench.fake.url());
    bench.send("POST", url, headers, body)
}

fn stored(bench: &Bench, name: &str) -> Option<(String, String)> {
    let object = bench.fake.world(|world| world.object("b", name))?;
    Some((String::from_utf8(object.body).expect("text"), object.content_type))
}

/// A resumable upload has begun; where its pieces go.
fn begin(bench: &Bench, query: &str) -> Reply {
    let query = format!("uploadType=resumable&{query}");
    let json = [("content-type", "application/json"), ("x-upload-content-type", "text/x-java")];
    upload(bench, &query, &json, br#"{"name": "x"}"#)
}

fn piece(bench: &Bench, place: &Reply, range: &str, body: &[u8]) -> (u16, Option<String>) {
    let place = place.header("location").expect("a place").to_owned();
    let reply = bench.send("PUT", place, &[("content-range", range)], body);
    (reply.status, reply.header("range").map(str::to_owned))
}

#[test]
fn bytes_at_once() {
    let bench = bench();
    let plain = [("content-type", "text/plain")];
    let told = upload(&bench, "uploadType=media&name=a%2Fb&ifGenerationMatch=0", &plain, b"hello");
    assert_eq!(
        (told.status, &body(&told)["name"], &body(&told)["size"]),
        (200, &json!("a/b"), &json!("5"))
    );
    assert_eq!(stored(&bench, "a/b"), Some(("hello".to_owned(), "text/plain".to_owned())));
    let again = upload(&bench, "uploadType=media&name=a%2Fb&ifGenerationMatch=0", &plain, b"other");
    assert_eq!(
        (again.status, &body(&again)["error"]["errors"][0]["reason"]),
        (412, &json!("conditionNotMet"))
    );
    let generation = text(&body(&told)["generation"]);
    let query = format!("uploadType=media&name=a%2Fb&ifGenerationMatch={generation}");
    assert_eq!(upload(&bench, &query, &plain, b"other").status, 200);
    assert_eq!(stored(&bench, "a/b").expect("it is there").0, "other");
    for query in ["uploadType=media", "name=x", "uploadType=media&name=x&overwrite=true"] {
        assert_eq!(upload(&bench, query, &plain, b"x").status, 400, "{query}");
    }
    bench.is_clean();
}

#[test]
fn bytes_with_their_metadata() {
    let bench = bench();
    let send = |metadata: &str, boundary: &str| {
        let sent = format!(
            "--XX\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n{metadata}\r\n--XX\r\ncontent-type: text/plain\r\n\r\nline\r\n--X\r\n--XX--\r\n"
        );
        let kind = format!("multipart/related; boundary={boundary}");
        upload(&bench, "uploadType=multipart", &[("content-type", kind.as_str())], sent.as_bytes())
            .status
    };
    assert_eq!(send(r#"{"name": "x", "metadata": {"a": "b"}}"#, "XX"), 200);
    assert_eq!(stored(&bench, "x"), Some(("line\r\n--X".to_owned(), "text/plain".to_owned())));
    assert_eq!(send(r#"{"name": "x", "contentType": "a/b"}"#, "\"XX\""), 200);
    assert_eq!(stored(&bench, "x").expect("it is there").1, "a/b");
    for (metadata, boundary) in [
        (r#"{"name": "y"}"#, "YY"),
        (r#"{"name": "y", "crc32c": "AAAAAA=="}"#, "XX"),
        (r#"{"name": "y", "bucket": "other"}"#, "XX"),
        (r#"{"name": "y", "size": 5}"#, "XX"),
        (r#"{"name": "y", "length": "5"}"#, "XX"),
        (r#"{}"#, "XX"),
        ("name", "XX"),
    ] {
        assert_eq!(send(metadata, boundary), 400, "{metadata}");
    }
    assert_eq!(stored(&bench, "y"), None);
    bench.is_clean();
}

#[test]
fn bytes_piece_by_piece() {
    let bench = bench();
    let place = begin(&bench, "ifGenerationMatch=0");
    assert_eq!(place.status, 200);
    assert_eq!(piece(&bench, &place, "bytes */*", b""), (308, None));
    let first = vec![b'a'; PIECE];
    let range = Some("bytes=0-262143".to_owned());
    assert_eq!(piece(&bench, &place, "bytes 0-262143/*", &first), (308, range.clone()));
    assert_eq!(piece(&bench, &place, "bytes */262147", b""), (308, range.clone()));
    assert_eq!(stored(&bench, "x"), None, "it is not whole");
    for (range, body) in [
        ("bytes 262144-262145/*", &b"bc"[..]),
        ("bytes 262144-262149/262147", b"bc"),
        ("bytes 262144-262146/262146", b"bcd"),
        ("octets 0-1/2", b"bc"),
    ] {
        assert_eq!(piece(&bench, &place, range, body).0, 400, "{range}");
    }
    assert_eq!(
        piece(&bench, &place, "bytes 524288-524289/524290", b"bc").0,
        503,
        "a piece is missing"
    );
    assert_eq!(piece(&bench, &place, "bytes 262144-262146/262147", b"bcd").0, 200);
    assert_eq!(piece(&bench, &place, "bytes */262147", b"").0, 200, "it is there");
    let (text, kind) = stored(&bench, "x").expect("it is there");
    assert_eq!((text.len(), &text[PIECE - 1..], kind.as_str()), (PIECE + 3, "abcd", "text/x-java"));
    assert_eq!(begin(&bench, "ifGenerationMatch=0").status, 412);
    bench.is_clean();
}

#[test]
fn pieces_may_be_kept_in_part() {
    let bench = Bench::new(Script { keeps: Some(PIECE), ..Script::default() }.bucket("b"));
    let place = begin(&bench, "");
    let all = vec![b'a'; 2 * PIECE + 1];
    let kept = Some("bytes=0-262143".to_owned());
    assert_eq!(piece(&bench, &place, "bytes 0-524288/524289", &all), (308, kept));
    assert_eq!(piece(&bench, &place, "bytes 262144-524288/524289", &all[PIECE..]).0, 200);
    assert_eq!(stored(&bench, "x").expect("it is there").0.len(), all.len());
}

#[test]
fn uploads_that_are_overtaken_or_unknown() {
    let bench = bench();
    let place = begin(&bench, "ifGenerationMatch=0");
    bench.fake.world(|world| world.put("b", "x", "first"));
    assert_eq!(piece(&bench, &place, "bytes 0-1/2", b"bc").0, 412);
    assert_eq!(stored(&bench, "x").expect("it is there").0, "first");
    let url =
        format!("{}/upload/storage/v1/b/b/o?uploadType=resumable&upload_id=none", bench.fake.url());
    assert_eq!(bench.send("PUT", url, &[], b"x").status, 404);
    let url = format!("{}/storage/v1/b/b/o?name=x", bench.fake.url());
    assert_eq!(bench.send("POST", url, &[], b"x").status, 404, "it is no door for uploads");
}

#[test]
fn an_empty_object_and_a_whole_one_over_a_resumable_upload() {
    let bench = bench();
    let place = begin(&bench, "");
    assert_eq!(piece(&bench, &place, "bytes */0", b"").0, 200);
    assert_eq!(stored(&bench, "x").expect("it is there").0, "");
    let place = begin(&bench, "");
    let url = place.header("location").expect("a place").to_owned();
    assert_eq!(bench.send("PUT", url, &[], b"whole").status, 200);
    assert_eq!(stored(&bench, "x").expect("it is there").0, "whole");
}
