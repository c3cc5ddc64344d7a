use std::collections::BTreeMap;
use std::fs;
use std::io::Read;

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use tempfile::TempDir;

use super::*;

mod properties;

const URI: &str = "s3://b/in/";

/// A machine with a source and a destination.
struct Place(TempDir);

impl Place {
    /// With these files below the source; what their names end with decides how they are written.
    fn new(files: &[(&str, &str)]) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        fs::create_dir(place.0.path().join("in")).unwrap();
        for (name, text) in files {
            place.put(&format!("in/{name}"), text);
        }
        place
    }

    fn put(&self, name: &str, text: &str) {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let bytes = if name.ends_with(".gz") { gzip(text) } else { text.as_bytes().to_owned() };
        fs::write(path, bytes).unwrap();
    }

    /// Runs it with a source and a destination; the words are split at spaces.
    fn say(&self, source: &str, destination: &str, options: &str) -> (u8, String, String) {
        let path = |name: &str| self.0.path().join(name).to_str().unwrap().to_owned();
        let mut words = vec![format!("{}{}", URI.trim_end_matches("in/"), source)];
        words.extend([format!("--src={}", path(source)), "--dest".to_owned(), path(destination)]);
        words.extend(options.split_whitespace().map(str::to_owned));
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let code = main(words.into_iter().map(OsString::from), &mut out, &mut err);
        let text = |bytes| {
            String::from_utf8(bytes).unwrap().replace(self.0.path().to_str().unwrap(), "/t")
        };
        (code, text(out), text(err))
    }

    /// Runs it from `in` to `out` without a fault.
    fn done(&self, options: &str) -> &Self {
        let (code, out, err) = self.say("in", "out", options);
        assert_eq!((code, err.as_str()), (0, ""), "{options}: {out}");
        self
    }

    /// Files below a folder as `name=text`, with texts unpacked.
    fn read(&self, folder: &str) -> String {
        let all = tree(&self.0.path().join(folder));
        let shown = all.iter().map(|(name, bytes)| format!("{name}={}", text(bytes)));
        shown.collect::<Vec<_>>().join(" ")
    }
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// What is written, in brackets where it is compressed.
fn text(bytes: &[u8]) -> String {
    if !bytes.starts_with(&[0x1F, 0x8B]) {
        return String::from_utf8(bytes.to_owned()).unwrap();
    }
    let mut text = String::new();
    MultiGzDecoder::new(bytes).read_to_string(&mut text).unwrap();
    format!("[{text}]")
}

/// Path → contents.
fn tree(root: &Path) -> BTreeMap<String, Vec<u8>> {
    if !root.exists() {
        return BTreeMap::new();
    }
    let mut files = Vec::new();
    walk(root, &mut Vec::new(), &mut Vec::new(), &mut files).unwrap();
    let path = |names: Vec<OsString>| names.iter().collect::<PathBuf>();
    let read =
        |path: PathBuf| (path.to_str().unwrap().to_owned(), fs::read(root.join(&path)).unwrap());
    files.into_iter().map(path).map(read).collect()
}

/// What the files of a source become under some options: source, options, destination.
type Row<'a> = (&'a [(&'a str, &'a str)], &'a str, &'a str);

fn table(rows: &[Row<'_>]) {
    for (files, options, expected) in rows {
        let place = Place::new(files);
        assert_eq!(place.done(options).read("out"), *expected, "{files:?} {options}");
        assert_eq!(tree(&place.0.path().join("in")).len(), files.len(), "{options}");
    }
}

#[test]
fn patterns_choose() {
    let files = &[("a.csv", "1"), ("part-0", "2"), ("d/part-1", "3"), ("d/e/x.txt", "4")][..];
    table(&[
        (files, "", "a.csv=1 d/e/x.txt=4 d/part-1=3 part-0=2"),
        (files, "--srcPattern .*part-.*", "d/part-1=3 part-0=2"),
        (files, "--srcPattern=s3://b/in/[^/]*", "a.csv=1 part-0=2"),
        (files, r"--srcPattern=.*\.csv --srcPattern=.*\.txt", "d/e/x.txt=4"),
    ]);
    let place = Place::new(files);
    assert_eq!(place.done("--srcPattern=.*/d/.* --deleteOnSuccess").read("in"), "a.csv=1 part-0=2");
}

#[test]
fn groups_are_joined() {
    let logs = &[
        ("x/2014-01-01.a.log", "1"),
        ("x/2014-01-01.b.log", "2"),
        ("y/2014-01-01.c.log", "3"),
        ("y/2014-01-02.d.log", "4"),
        ("other", "5"),
    ][..];
    let day = r"--groupBy .*/(\d+-\d+-\d+)\..*";
    table(
        &[
            (logs, day, "x/2014-01-01=123 y/2014-01-02=4"),
            (logs, &format!("{day} --outputCodec=none"), "x/2014-01-01.log=123 y/2014-01-02.log=4"),
            (logs, &format!("{day} --outputCodec=gz"), "x/2014-01-01.gz=[123] y/2014-01-02.gz=[4]"),
            (logs, r"--groupBy=.*/(.)/.*-(..)\..*", "x/x01=12 y/y01=3 y/y02=4"),
            (logs, r"--groupBy=.*/([xy]/).*", "x/x=12 y/y=34"),
            (logs, r"--groupBy=.*/in/(.*)/(2014).*", "x/x2014=12 y/y2014=34"),
            (&[("a", "1")], "--groupBy=.*/(x)?a", "null=1"),
            (logs, r"--srcPattern=.*/y/.* --groupBy=.*(log)", "y/log=34"),
            (&[("a.x", "1"), ("b.y", "2")], "--groupBy=.*(in).* --outputCodec=none", "in=12"),
            (&[("a.gz", "1"), ("b.gz", "2")], "--groupBy=.*(in).*", "in.gz=[12]"),
            (&[("a.gz", "1"), ("b.gz", "2")], "--groupBy=.*(in).* --outputCodec=none", "in=12"),
            (&[("a.gz", "1"), ("b", "2")], "--groupBy=.*(in).* --outputCodec=none", "in=12"),
            (&[("a.gz", "1"), ("b", "2")], "--groupBy=.*(in).* --outputCodec=gzip", "in.gz=[12]"),
            (&[("a.gz", "1")], "--groupBy=.*/(.*)", "a.gz=[1]"),
            (&[("a.gz", "1")], "--groupBy=.*/(.*) --outputCodec=none", "a=1"),
            (&[("a.log", "1")], "--groupBy=.*/(.*) --outputCodec=none", "a.log=1"),
        ][..16],
    );
}

#[test]
fn a_group_that_is_empty_is_not_copied() {
    let place = Place::new(&[("a1", "1"), ("b", "2")]);
    assert_eq!(place.done(r"--groupBy=.*/[ab](\d*) --deleteOnSuccess").read("out"), "1=1");
    assert_eq!(place.read("in"), "b=2");
}

#[test]
fn sizes_cut_groups() {
    let mebibyte = "x".repeat(1 << 20);
    let files = ["a", "b", "c", "d", "e"].map(|name| (name, mebibyte.as_str()));
    let sizes = |options: &str| {
        let place = Place::new(&files);
        let written = tree(&place.done(options).0.path().join("out"));
        let shown = written.iter().map(|(name, bytes)| format!("{name}={}", bytes.len() >> 20));
        shown.collect::<Vec<_>>().join(" ")
    };
    for (options, expected) in [
        ("--groupBy=.*(in).*", "in=5"),
        ("--groupBy=.*(in).* --targetSize=2", "in=2 in1=2 in2=1"),
        ("--groupBy=.*(in).* --targetSize=5", "in=5"),
        ("--groupBy=.*(in).* --targetSize=1", "in=1 in1=1 in2=1 in3=1 in4=1"),
        ("--groupBy=.*(in).* --targetSize 4 --targetSize 3", "in=3 in1=2"),
        ("--targetSize=2", "a=1 b=1 c=1 d=1 e=1"),
    ] {
        assert_eq!(sizes(options), expected, "{options}");
    }
    let place = Place::new(&files);
    place.done("--groupBy=.*(in).* --targetSize=3 --outputCodec=gz");
    let names: Vec<_> = tree(&place.0.path().join("out")).into_keys().collect();
    assert_eq!(names, ["in.gz", "in1.gz"], "sizes are those of the sources");
}

#[test]
fn what_is_there_stays_beside_a_group() {
    let place = Place::new(&[("x", "new")]);
    place.put("out/in", "old");
    place.put("out/in2", "old");
    place.done("--groupBy=.*(in).*").done("--groupBy=.*(in).*");
    assert_eq!(place.read("out"), "in=old in1=new in2=old in3=new");
    // Without groups it is replaced.
    place.put("out/x", "old");
    assert!(place.done("").read("out").ends_with("x=new"));
}

#[test]
fn codecs() {
    let files =
        &[("a.gz", "1"), ("b.txt", "2"), ("d/C.GZIP", "3"), (".gz", "4"), ("empty", "")][..];
    for (files, options, expected) in [
        (&files[..2], "--outputCodec=keep", "a.gz=[1] b.txt=2"),
        (&files[..2], "--outputCodec=none", "a=1 b.txt=2"),
        (&files[..2], "--outputCodec=gz", "a.gz=[1] b.txt.gz=[2]"),
        (&files[..2], "--outputCodec GZIP", "a.gz=[1] b.txt.gz=[2]"),
        (&files[4..], "--outputCodec=gz", "empty.gz=[]"),
    ] {
        assert_eq!(Place::new(files).done(options).read("out"), expected, "{options}");
    }
    // Several members in one file are all of it.
    let place = Place::new(&[]);
    fs::write(place.0.path().join("in/a.gz"), [gzip("1"), gzip("2")].concat()).unwrap();
    assert_eq!(place.done("--outputCodec=none").read("out"), "a=12");
    let place = Place::new(&[]);
    fs::write(place.0.path().join("in/.gz"), "4").unwrap();
    assert_eq!(place.done("--outputCodec=none").read("out"), ".gz=4", "that is its name");
}

#[test]
fn what_fails_leaves_all_sources() {
    let broken = |name: &str, bytes: &[u8]| {
        let place = Place::new(&[("a", "1")]);
        fs::write(place.0.path().join("in").join(name), bytes).unwrap();
        place
    };
    let cut = &gzip("some text that is cut off")[..20];
    for (place, options, wrong) in [
        (broken("b.gz", cut), "--outputCodec=none", "cannot copy `/t/in/b.gz`: "),
        (
            broken("b.gz", b"plain text, no gzip"),
            "--outputCodec=none",
            "cannot copy `/t/in/b.gz`: invalid gzip header",
        ),
        (
            broken("b.lzo", b""),
            "--outputCodec=none",
            "cannot copy `/t/in/b.lzo`: files compressed by lzo cannot be read by the built-in s3-dist-cp",
        ),
        (
            broken("b.gz", b""),
            "--groupBy=.*(in).*",
            "cannot copy `/t/in`: files of one group are compressed in different ways: give `--outputCodec`",
        ),
        (
            broken("a.gz", &gzip("1")),
            "--outputCodec=none",
            "cannot copy `/t/in`: `a` and `a.gz` would be written to one file",
        ),
        (
            broken("b", b""),
            "--groupBy=.*/in/(.*)..",
            "cannot copy `/t/in`: no file is to be copied, with which s3-dist-cp fails; `onResult` or `CONTINUE` can make that right",
        ),
        (
            broken("b..", b""),
            "--groupBy=.*/b(.*)",
            "cannot copy `/t/in`: `--groupBy` gives a group that cannot be the name of a file",
        ),
        (
            broken("b", b""),
            "--srcPattern=nothing",
            "cannot copy `/t/in`: no file is to be copied, with which s3-dist-cp fails; `onResult` or `CONTINUE` can make that right",
        ),
    ] {
        let before = tree(&place.0.path().join("in"));
        let (code, out, err) = place.say("in", "out", &format!("{options} --deleteOnSuccess"));
        assert_eq!((code, out.as_str()), (1, ""), "{options}");
        assert!(err.starts_with(wrong), "{options}: {err}");
        assert_eq!(tree(&place.0.path().join("in")), before, "{options}");
        let left = tree(&place.0.path().join("out"));
        assert!(left.keys().all(|name| !name.contains(".part")), "{options}: {left:?}");
    }
    let place = Place::new(&[]);
    assert_eq!(place.say("in", "out", "").0, 1, "an empty source");
    let (code, _, err) = place.say("nowhere", "out", "");
    assert_eq!((code, err.starts_with("cannot copy `/t/nowhere`: ")), (1, true), "{err}");
}

#[test]
fn a_single_file() {
    let place = Place::new(&[("d/a.txt", "1"), ("d/b.txt", "2")]);
    assert_eq!(place.say("in/d/a.txt", "out", "--srcPattern=s3://b/in/d/a.txt").0, 0);
    assert_eq!(place.read("out"), "a.txt=1");
    assert_eq!(place.say("in/d/b.txt", "out", "--groupBy=.*/(d)/.* --deleteOnSuccess").0, 0);
    assert_eq!(
        (place.read("out").as_str(), place.read("in").as_str()),
        ("a.txt=1 d=2", "d/a.txt=1")
    );
}

#[test]
fn nothing_is_written_over_before_it_is_read() {
    let place = Place::new(&[("x", "1"), ("sub/x", "2"), ("sub/sub/x", "3")]);
    let (code, _, err) = place.say("in", "in/sub", "--deleteOnSuccess");
    let wrong = "cannot copy `/t/in/sub/sub/x`: it would be written over before it is read\n";
    assert_eq!((code, err.as_str()), (1, wrong));
    assert_eq!(place.read("in"), "sub/sub/x=3 sub/x=2 x=1");
    // Onto itself nothing happens, and nothing goes away.
    assert_eq!(place.say("in", "in", "--deleteOnSuccess").0, 0);
    assert_eq!(place.read("in"), "sub/sub/x=3 sub/x=2 x=1");
    // Into itself where it harms nobody.
    assert_eq!(place.say("in", "in/other", "--srcPattern=.*/in/x --deleteOnSuccess").0, 0);
    assert_eq!(place.read("in"), "other/x=1 sub/sub/x=3 sub/x=2");
}

#[test]
fn what_is_told() {
    let place = Place::new(&[("a", "12"), ("b", "3")]);
    let said = place.say("in", "out", "--groupBy=.*(in).* --s3Endpoint=x -Da=b");
    let ignored =
        "`--s3Endpoint=x` is ignored on this machine\n`-Da=b` is ignored on this machine\n";
    assert_eq!(said, (0, "1 files, 3 bytes written from 2 files\n".to_owned(), ignored.to_owned()));
    for (options, wrong) in [
        ("--groupBy=x", "`--groupBy=x` has no group\n"),
        ("--groupBy (", "`(` has a `(` that is never closed\n"),
        ("--outputCodec lzo", "`lzo` is a codec that is not built in\n"),
        (
            "--targetSize=a",
            "`--targetSize=a` is no size: expected an integer from 1 to 2147483647, which are mebibytes\n",
        ),
        ("--dest", "`--dest` needs a value\n"),
        ("--src=", "`--src=` needs a value\n"),
        ("x", "`x` is no option of s3-dist-cp\n"),
        ("--deleteOnSuccess=true", "`--deleteOnSuccess=true` takes no value\n"),
        (
            "--copyFromManifest --deleteOnSuccess",
            "`--copyFromManifest` is not followed on this machine: all files would be copied, and deleted by `--deleteOnSuccess`\n",
        ),
    ] {
        assert_eq!(
            place.say("in", "no", options),
            (2, String::new(), wrong.to_owned()),
            "{options}"
        );
    }
    let (mut out, mut err) = (Vec::new(), Vec::new());
    assert_eq!(main(["s3://b/".into()].into_iter(), &mut out, &mut err), 2);
    assert_eq!(
        String::from_utf8(err).unwrap(),
        "`s3-dist-cp` needs `--src`\n`s3-dist-cp` needs `--dest`\n"
    );
    assert_eq!(main(std::iter::empty(), &mut out, &mut Vec::new()), 2);
}

#[test]
fn uris_as_hadoop_writes_them() {
    for (uri, expected) in [
        ("s3://b", "s3://b"),
        ("s3://b/", "s3://b"),
        ("s3://b//in//x/", "s3://b/in/x"),
        ("hdfs:///in/", "hdfs:///in"),
        ("hdfs://h:8020/in", "hdfs://h:8020/in"),
        ("/in/", "/in"),
        ("/", ""),
        ("work://x/", "work://x"),
    ] {
        assert_eq!(plain(uri), expected, "{uri}");
    }
}
