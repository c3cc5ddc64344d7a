//! What can be said to a script of Hive, Pig or Spark SQL: jobs of Dataproc take variables for it, and no arguments.

use std::collections::BTreeMap;

use super::super::line::Word;
use crate::config::playbook::{Program, Step};
use crate::secret::Text;

/// The words that set a variable, each followed by `NAME=VALUE`, of programs that run scripts; `None` of others.
/// <https://spark.apache.org/docs/latest/sql-distributed-sql-engine-spark-sql-cli.html>,
/// <https://pig.apache.org/docs/latest/cont.html#Parameter-Sub>
fn words(program: &Program) -> Option<&'static [&'static str]> {
    match program {
        Program::SparkSql { .. } | Program::Hive { .. } => Some(&["--hivevar", "--define", "-d"]),
        Program::Pig { .. } => Some(&["-param", "-p"]),
        _ => None,
    }
}

/// The variables that a step's arguments set, by name; none of a step that runs no script. Of two of one name the last
/// counts, as it does to the tools.
///
/// # Errors
/// The first argument that does not set a variable.
pub(super) fn variables(step: &Step) -> Result<BTreeMap<String, Word>, &Text> {
    let mut variables = BTreeMap::new();
    let Some(words) = words(&step.work.program) else { return Ok(variables) };
    let mut arguments = step.work.arguments.iter();
    while let Some(argument) = arguments.next() {
        let pair = match words.contains(&argument.expose()) {
            true => arguments.next().map(Word::of),
            false => joined(words, argument),
        };
        let (name, value) = pair.as_ref().and_then(split).ok_or(argument)?;
        variables.insert(name, value);
    }
    Ok(variables)
}

/// What is behind `--hivevar=`.
fn joined(words: &[&str], argument: &Text) -> Option<Word> {
    let (word, _) = argument.expose().split_once('=')?;
    let is_one = word.starts_with("--") && words.contains(&word);
    let behind = |text: &str| Some(text.strip_prefix(word)?.strip_prefix('=')?.to_owned());
    let pair = Word { value: behind(argument.expose())?, shown: behind(argument.shown())? };
    is_one.then_some(pair)
}

/// Name and value. A name is shown, so no part of it may be secret.
fn split(pair: &Word) -> Option<(String, Word)> {
    let (name, value) = pair.value.split_once('=')?;
    let shown = pair.shown.strip_prefix(name)?.strip_prefix('=')?;
    let value = Word { value: value.to_owned(), shown: shown.to_owned() };
    (!name.is_empty()).then(|| (name.to_owned(), value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::sample::{step, step_of, text};
    use crate::source::Span;

    fn sets(program: Program, arguments: &[&str]) -> Result<Vec<String>, String> {
        let step = step_of("s", program, arguments);
        let pairs = variables(&step).map_err(|at| at.expose().to_owned())?;
        Ok(pairs.into_iter().map(|(name, word)| format!("{name}: {}", word.value)).collect())
    }

    #[test]
    fn each_tool_has_its_words() {
        let hive = || Program::Hive { file: text("gs://b/x") };
        let sql = Program::SparkSql { file: text("gs://b/x") };
        let pig = || Program::Pig { file: text("gs://b/x") };
        let words = ["--hivevar", "b=2", "-d", "a=1=1", "--define", "b=3", "--hivevar=c="];
        let expected = Ok(vec!["a: 1=1".to_owned(), "b: 3".to_owned(), "c: ".to_owned()]);
        assert_eq!(sets(hive(), &words), expected);
        assert_eq!(sets(sql, &words), expected);
        let words = ["-p", "a=1", "-param", "b=2"];
        assert_eq!(sets(pig(), &words), Ok(vec!["a: 1".to_owned(), "b: 2".to_owned()]));
        for wrong in [
            "x",
            "-p",
            "-p=a=1",
            "--hiveconf",
            "--hivevar",
            "-d=a=1",
            "--hivevar=a",
            "--hiveconf=a=1",
        ] {
            assert_eq!(sets(hive(), &[wrong]), Err(wrong.to_owned()));
        }
        assert_eq!(sets(hive(), &["-d", "a=1", "--hivevar", "a"]), Err("--hivevar".to_owned()));
        assert_eq!(sets(hive(), &["-d", "=1"]), Err("-d".to_owned()));
        assert_eq!(sets(pig(), &["--hivevar", "a=1"]), Err("--hivevar".to_owned()));
        assert_eq!(variables(&step("s", "true", &["x"])).map(|all| all.len()).ok(), Some(0));
    }

    #[test]
    fn values_may_be_secret_and_names_not() {
        let secret = |value: &str, shown: &str| {
            Text::with_secrets(value.to_owned(), shown.to_owned(), Span::default())
        };
        let mut step = step_of("s", Program::Hive { file: text("x") }, &["-d", ""]);
        step.work.arguments[1] = secret("a=hunter2", "a=‹env S›");
        let found = variables(&step).unwrap_or_default();
        assert_eq!((&*found["a"].value, &*found["a"].shown), ("hunter2", "‹env S›"));
        step.work.arguments[1] = secret("hunter2=a", "‹env S›=a");
        assert!(variables(&step).is_err());
        step.work.arguments = vec![secret("--hivevar=a=hunter2", "--hivevar=a=‹env S›")];
        let found = variables(&step).unwrap_or_default();
        assert_eq!((&*found["a"].value, &*found["a"].shown), ("hunter2", "‹env S›"));
    }
}
