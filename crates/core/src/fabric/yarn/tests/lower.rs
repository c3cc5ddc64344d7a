//! What a node runs for each type of step.

use super::*;
use crate::config::sample::text;
use crate::fabric::yarn::lower::{Verdict, lower};

/// The words, the files that are brought, and whose end counts.
fn lowered(step: &Step) -> (String, Vec<String>, Verdict) {
    let lowered = lower(step, "r,r.1");
    let words: Vec<_> = lowered.words.iter().map(|word| word.value.as_str()).collect();
    let files = lowered.files.iter().map(|file| file.expose().to_owned()).collect();
    (words.join(" "), files, lowered.verdict)
}

fn of(program: Program, arguments: &[&str]) -> Step {
    sample::step_of("a", program, arguments)
}

fn with(mut step: Step, properties: &[(&str, &str)], files: &[&str]) -> Step {
    let pairs = properties.iter().map(|(key, value)| ((*key).to_owned(), text(value)));
    step.work.properties = pairs.collect();
    step.work.files = files.iter().map(|file| text(file)).collect();
    step
}

fn jar(jar: &str, main_class: Option<&str>) -> Program {
    Program::CustomJar { jar: text(jar), main_class: main_class.map(text) }
}

fn spark(application: &str, main_class: Option<&str>) -> Program {
    Program::Spark { application: text(application), main_class: main_class.map(text) }
}

#[test]
fn each_type() {
    let flink = || Program::Flink { jar: text("./top.jar"), main_class: Some(text("Top")) };
    let command = |command: &str| Program::Command { command: text(command) };
    let (launcher, child) = (Verdict::Launcher, Verdict::Child);
    let table: Vec<(Step, &str, &[&str], Verdict)> = vec![
        (of(command("echo"), &["a", "b"]), "echo a b", &[], launcher),
        (of(command("./bin/x.sh"), &["a"]), "./x.sh a", &["./bin/x.sh"], launcher),
        (of(command("/opt/x.sh"), &[]), "/opt/x.sh", &[], launcher),
        (of(jar("command-runner.jar", None), &["ls", "-l"]), "ls -l", &[], launcher),
        (
            of(jar("script-runner.jar", None), &["./x.sh", "a"]),
            "bash x.sh a",
            &["./x.sh"],
            launcher,
        ),
        (
            with(of(jar("hdfs:///j/x.jar", Some("Main")), &["in"]), &[("k", "v")], &["./f/g"]),
            "hadoop jar x.jar Main -Dk=v in",
            &["hdfs:///j/x.jar", "./f/g"],
            launcher,
        ),
        (
            with(of(spark("./pi.py", None), &["10"]), &[("k", "v")], &["./f/g"]),
            "spark-submit --master yarn --conf spark.yarn.tags=r,r.1 --conf spark.yarn.maxAppAttempts=1 --conf k=v --files g pi.py 10",
            &["./pi.py", "./f/g"],
            launcher,
        ),
        (
            with(
                of(spark("/opt/x.jar", Some("Main")), &[]),
                &[("spark.submit.deployMode", "cluster"), ("spark.yarn.maxAppAttempts", "2")],
                &[],
            ),
            "spark-submit --master yarn --class Main --conf spark.yarn.tags=r,r.1 --conf spark.submit.deployMode=cluster --conf spark.yarn.maxAppAttempts=2 /opt/x.jar",
            &[],
            child,
        ),
        (
            with(of(spark("/opt/x.py", None), &[]), &[("spark.submit.deployMode", "client")], &[]),
            "spark-submit --master yarn --conf spark.yarn.tags=r,r.1 --conf spark.yarn.maxAppAttempts=1 --conf spark.submit.deployMode=client /opt/x.py",
            &[],
            launcher,
        ),
        (
            of(Program::SparkSql { file: text("./q.sql") }, &[]),
            "spark-sql --master yarn --conf spark.yarn.tags=r,r.1 --conf spark.yarn.maxAppAttempts=1 -f q.sql",
            &["./q.sql"],
            launcher,
        ),
        (
            with(of(Program::Hive { file: text("./q.hql") }, &["--silent"]), &[("k", "v")], &[]),
            "hive --hiveconf k=v -f q.hql --silent",
            &["./q.hql"],
            launcher,
        ),
        (
            with(of(Program::Pig { file: text("./q.pig") }, &[]), &[("k", "v")], &[]),
            "pig -Dk=v -f q.pig",
            &["./q.pig"],
            launcher,
        ),
        (
            with(of(flink(), &["a"]), &[("k", "v")], &[]),
            "flink run-application -t yarn-application -Dyarn.tags=r,r.1 -c Top -Dk=v top.jar a",
            &["./top.jar"],
            child,
        ),
        (
            with(of(flink(), &[]), &[("execution.target", "yarn-per-job")], &[]),
            "flink run -t yarn-per-job -Dyarn.tags=r,r.1 -c Top -Dexecution.target=yarn-per-job top.jar",
            &["./top.jar"],
            launcher,
        ),
        (
            with(
                of(
                    Program::Streaming {
                        mapper: text("./bin/map.py"),
                        reducer: Some(text("wc -l")),
                        source: text("/in"),
                        destination: text("/out"),
                    },
                    &["-cmdenv", "A=b"],
                ),
                &[("k", "v")],
                &["./words.txt"],
            ),
            "mapred streaming -D k=v -files words.txt,map.py -mapper ./map.py -reducer wc -l -input /in -output /out -cmdenv A=b",
            &["./bin/map.py", "./words.txt"],
            launcher,
        ),
        (
            with(
                of(
                    Program::Streaming {
                        mapper: text("./both.py"),
                        reducer: Some(text("./both.py")),
                        source: text("/in"),
                        destination: text("/out"),
                    },
                    &[],
                ),
                &[],
                &["./both.py"],
            ),
            "mapred streaming -files both.py -mapper ./both.py -reducer ./both.py -input /in -output /out",
            &["./both.py"],
            launcher,
        ),
        (
            of(
                Program::Streaming {
                    mapper: text("cat"),
                    reducer: None,
                    source: text("/in"),
                    destination: text("/out"),
                },
                &[],
            ),
            "mapred streaming -mapper cat -reducer NONE -input /in -output /out",
            &[],
            launcher,
        ),
        (
            with(
                of(
                    Program::Copy {
                        source: text("s3://b/x"),
                        destination: text("hdfs:///x"),
                        pattern: None,
                    },
                    &["-update"],
                ),
                &[("k", "v")],
                &[],
            ),
            "hadoop distcp -Dk=v s3://b/x hdfs:///x -update",
            &[],
            launcher,
        ),
    ];
    for (step, words, files, verdict) in table {
        let files: Vec<_> = files.iter().map(|file| (*file).to_owned()).collect();
        assert_eq!(lowered(&step), (words.to_owned(), files, verdict));
    }
}

#[test]
fn secrets_are_shown_by_their_origin() {
    let mut step = command("a");
    step.work.arguments = vec![crate::secret::Text::new("x", crate::source::Span::default())];
    let there = There::new(Script::default());
    let playbook = sample::playbook(vec![step, flink("b")]);
    let words = there.yarn.describe(&playbook);
    assert_eq!(words[0], ["true", "x"]);
    assert!(words[1].contains(&"-Dyarn.tags=‹tags›".to_owned()), "{words:?}");
}
