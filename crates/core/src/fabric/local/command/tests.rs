use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::super::config::Tools;
use super::super::roots::Roots;
use super::super::tools::{Toolbox, tests::program};
use super::super::word::Word;
use super::{Maker, SOME_WORK, file_name};
use crate::config::playbook::{Program, Step};
use crate::fabric::Uri;
use crate::secret::Text;
use crate::source::Span;

pub(in super::super) use crate::config::sample::text;

pub(in super::super) fn step(program: Program, arguments: &[&str]) -> Step {
    crate::config::sample::step_of("step", program, arguments)
}

/// The command line on a machine with these tools, its folder of tools written as `/t`.
fn line(tools: &[&str], step: &Step) -> String {
    let folder = tempfile::tempdir().unwrap();
    for tool in tools {
        program(&folder.path().join(tool));
    }
    let path = std::env::join_paths([folder.path(), &folder.path().join("bin")]).unwrap();
    let environment = [("PATH".into(), path)].into();
    let toolbox = Toolbox::new(environment, &Tools::default(), std::iter::empty());
    let roots = Roots::new(&[("s3://b/".to_owned(), PathBuf::from("/data"))].into());
    let staged: BTreeMap<_, _> = ["./app.jar", "./app.py", "../x"]
        .map(|name| (name.to_owned(), Uri(format!("/staged/{}", file_name(name)))))
        .into();
    let roots = roots.with_work("/w".into());
    let maker = Maker::new(&toolbox, &roots, Path::new("/own"), Some(&staged));
    let made = maker.invocation(step).unwrap_or_else(|faults| panic!("{faults:?}"));
    let words: Vec<_> = made.argv.iter().map(|word| word.text().into_owned()).collect();
    words.join(" ").replace(folder.path().to_str().unwrap(), "/t")
}

#[test]
fn what_lies_in_a_work_folder_to_come_is_described() {
    let toolbox = Toolbox::new([].into(), &Tools::default(), std::iter::empty());
    let roots = Roots::new(&BTreeMap::new()).with_work(SOME_WORK.into());
    let maker = Maker::new(&toolbox, &roots, Path::new("/own"), None);
    let copy = |destination: &str| {
        let (source, destination) = (text("work://in/"), text(destination));
        let made =
            maker.invocation(&step(Program::Copy { source, destination, pattern: None }, &[]));
        let words =
            made.map(|made| made.argv.iter().map(|word| word.text().into_owned()).collect());
        words.map(|words: Vec<_>| words.join(" ")).ok()
    };
    assert_eq!(copy("work://out/").as_deref(), Some("/own __copy ‹work›/in/ ‹work›/out/"));
    assert_eq!(copy("out"), None, "a relative path");
}

#[test]
fn a_table() {
    let class = |class: &str| Some(text(class));
    let jar = |jar: &str, main_class| Program::CustomJar { jar: text(jar), main_class };
    let spark = |app: &str, main_class| Program::Spark { application: text(app), main_class };
    let flink = |jar: &str, main_class| Program::Flink { jar: text(jar), main_class };
    let streaming = |mapper: &str, reducer| Program::Streaming {
        mapper: text(mapper),
        reducer,
        source: text("s3://b/in"),
        destination: text("hdfs:///out"),
    };
    let both = &["hadoop", "java"][..];
    let runner = "command-runner.jar";
    let copy = Program::Copy {
        source: text("s3://b/in/"),
        destination: text("file:///out"),
        pattern: Some(text("**/*.csv")),
    };
    type Row<'a> = (&'a [&'a str], Program, &'a [&'a str], &'a str);
    let table: &[Row<'_>] = &[
        (&["tool"], Program::Command { command: text("tool") }, &["s3://b/x"], "/t/tool /data/x"),
        (
            &[],
            Program::Command { command: text("./app.py") },
            &["./app.py"],
            "/staged/app.py ./app.py",
        ),
        (&[], Program::Command { command: text("/bin/x") }, &[], "/bin/x"),
        (&["tool"], jar(runner, None), &["tool", "work://y"], "/t/tool /w/y"),
        (&[], jar("/libs/script-runner.jar", None), &["s3://b/x.sh", "1"], "/data/x.sh 1"),
        (both, jar("s3://b/x.jar", None), &["1"], "/t/hadoop jar /data/x.jar -Dp=/data/q 1"),
        (
            both,
            jar("./app.jar", class("C")),
            &["1"],
            "/t/hadoop jar /staged/app.jar C -Dp=/data/q 1",
        ),
        (&["java"], jar("/x.jar", None), &["1"], "/t/java -Dp=/data/q -jar /x.jar 1"),
        (&["java"], jar("/x.jar", class("C")), &["1"], "/t/java -Dp=/data/q -cp /x.jar C 1"),
        (
            &["spark-submit"],
            spark("./app.py", None),
            &["a"],
            "/t/spark-submit --conf p=/data/q --files x,y /staged/app.py a",
        ),
        (
            &["spark-submit"],
            spark("hdfs:///a.jar", class("C")),
            &[],
            "/t/spark-submit --class C --conf p=/data/q --files x,y hdfs:///a.jar",
        ),
        (
            &["spark-sql"],
            Program::SparkSql { file: text("s3://b/x.sql") },
            &["a"],
            "/t/spark-sql --conf p=/data/q -f /data/x.sql a",
        ),
        (
            &["flink"],
            flink("./app.jar", class("C")),
            &["a"],
            "/t/flink run -c C -Dp=/data/q /staged/app.jar a",
        ),
        (&["flink"], flink("file:/x.jar", None), &[], "/t/flink run -Dp=/data/q /x.jar"),
        (
            &["hive"],
            Program::Hive { file: text("./app.py") },
            &["--hivevar", "d=s3://b/y"],
            "/t/hive --hiveconf p=/data/q -f /staged/app.py --hivevar d=/data/y",
        ),
        (
            &["pig"],
            Program::Pig { file: text("s3://b/x.pig") },
            &["-param", "d=work://y"],
            "/t/pig -Dp=/data/q -f /data/x.pig -param d=/w/y",
        ),
        (
            &["mapred"],
            streaming("./app.py", Some(text("python3 x"))),
            &["-numReduceTasks", "1"],
            "/t/mapred streaming -D p=/data/q -files x,y,app.py -mapper ./app.py -reducer python3 x -input \
             /data/in -output hdfs:///out -numReduceTasks 1",
        ),
        (
            &["mapred", "hadoop"],
            streaming("../x", None),
            &[],
            "/t/mapred streaming -D p=/data/q -files x,y -mapper ./x -reducer NONE -input /data/in \
             -output hdfs:///out",
        ),
        (
            &["bin/hadoop", "share/hadoop/tools/lib/hadoop-streaming-3.4.2.jar", "bin/mapred"],
            streaming("s3://b/m.sh 1", Some(text("cat"))),
            &[],
            "/t/bin/hadoop jar /t/share/hadoop/tools/lib/hadoop-streaming-3.4.2.jar -D p=/data/q \
             -files x,y -mapper /data/m.sh 1 -reducer cat -input /data/in -output hdfs:///out",
        ),
        (
            &[],
            Program::Command { command: text("s3-dist-cp") },
            &["--src", "s3://b/in/", "--dest=work://out", "--srcPattern", "s3://b/.*"],
            "/own __s3-dist-cp s3://b/in/ --src=/data/in/ --dest=/w/out --srcPattern s3://b/.*",
        ),
        (
            &[],
            jar(runner, None),
            &["s3-dist-cp", "--dest=file:///o", "--src=/a", "--src=s3://b/y", "--numberFiles"],
            "/own __s3-dist-cp s3://b/y --dest=/o --src=/a --src=/data/y --numberFiles",
        ),
        (
            both,
            jar("/usr/share/aws/emr/s3-dist-cp/lib/s3-dist-cp.jar", class("C")),
            &["--src=s3://b/a", "--dest=s3://b/b", "--outputCodec=gz"],
            "/own __s3-dist-cp s3://b/a --src=/data/a --dest=/data/b --outputCodec=gz",
        ),
        (
            both,
            jar("s3://elasticmapreduce/libs/s3distcp/1.latest/s3distcp.jar", None),
            &["--src=s3://b/a", "--dest=s3://b/b"],
            "/own __s3-dist-cp s3://b/a --src=/data/a --dest=/data/b",
        ),
        (
            both,
            jar("/home/hadoop/lib/emr-s3distcp-1.0.jar", None),
            &["--src=s3://b/a", "--dest=s3://b/b"],
            "/own __s3-dist-cp s3://b/a --src=/data/a --dest=/data/b",
        ),
        (
            &["hadoop"],
            jar("s3://b/s3-dist-cpx.jar", None),
            &["--src=s3://b/a"],
            "/t/hadoop jar /data/s3-dist-cpx.jar -Dp=/data/q --src=/data/a",
        ),
        (
            &["s3-dist-cp"],
            jar(runner, None),
            &["s3-dist-cp", "--src=s3://b/a"],
            "/t/s3-dist-cp --src=/data/a",
        ),
        (&[], copy, &[], "/own __copy /data/in/ /out **/*.csv"),
    ];
    for (tools, program, arguments, expected) in table {
        let mut step = step(program.clone(), arguments);
        step.work.properties = [("p".to_owned(), text("s3://b/q"))].into();
        step.work.files = vec![text("../x"), text("s3://b/y")];
        assert_eq!(line(tools, &step), *expected);
    }
}

/// An installed jar of s3-dist-cp is run as any other.
#[test]
fn a_jar_that_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s3-dist-cp.jar");
    std::fs::write(&path, "").unwrap();
    let name = path.to_str().unwrap();
    let program = Program::CustomJar { jar: text(name), main_class: None };
    assert_eq!(
        line(&["hadoop"], &step(program, &["--src=s3://b/a"])),
        format!("/t/hadoop jar {name} --src=/data/a")
    );
}

#[test]
fn secrets_in_arguments_of_s3_dist_cp_stay_hidden() {
    let toolbox = Toolbox::new([].into(), &Tools::default(), std::iter::empty());
    let roots = Roots::new(&[("s3://b/".to_owned(), PathBuf::from("/data"))].into());
    let maker = Maker::new(&toolbox, &roots, Path::new("/own"), None);
    let mut step = step(Program::Command { command: text("s3-dist-cp") }, &["--dest=/out"]);
    let src =
        Text::with_secrets("--src=s3://b/hunter2".into(), "--src=s3://b/‹S›".into(), Span::at(0));
    step.work.arguments.push(src.as_written("--src=s3://b/{{S}}".into()));
    let made = maker.invocation(&step).unwrap();
    let shown: Vec<_> = made.argv.iter().map(|word| word.shown.as_str()).collect();
    assert_eq!(shown, ["/own", "__s3-dist-cp", "s3://b/‹S›", "--dest=/out", "--src=/data/‹S›"]);
    let written: Vec<_> = made.argv.iter().map(Word::written).collect();
    assert_eq!(written[2..], ["s3://b/{{S}}", "--dest=/out", "--src=/data/{{S}}"]);
    assert_eq!(
        (&*made.argv[2].text(), &*made.argv[4].text()),
        ("s3://b/hunter2", "--src=/data/hunter2")
    );
}
