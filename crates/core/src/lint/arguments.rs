//! Arguments that look as if somebody was to fill them in, or take them apart.

use super::{Lints, member, text};
use crate::config::playbook::Runner;
use crate::diagnostic::{Diagnostic, code};
use crate::json::{Node, Value};
use crate::source::Span;

/// Programs whose arguments are programs: in those, `$x` and `{x}` are no placeholders.
const LANGUAGES: [&str; 26] = [
    "sh",
    "bash",
    "dash",
    "zsh",
    "ksh",
    "ash",
    "csh",
    "tcsh",
    "fish",
    "busybox",
    "awk",
    "gawk",
    "mawk",
    "nawk",
    "perl",
    "sed",
    "jq",
    "envsubst",
    "python",
    "python3",
    "ruby",
    "make",
    // With `-e`, in which they fill in variables of their own.
    "hive",
    "beeline",
    "spark-sql",
    "pig",
];

/// Whether the arguments of a step are read by a shell, or another language.
pub(super) fn is_script(step: &Node<'_>) -> bool {
    let program = match text(step, "command") {
        Some(command) => Some(command),
        None => text(step, "jar").filter(|jar| Runner::of(jar).is_some()).and_then(|_| {
            let Value::Array(arguments) = &member(step, "arguments")?.value else { return None };
            match arguments.first()?.value {
                Value::String(text) => Some(text.get()),
                _ => None,
            }
        }),
    };
    let name = program.as_deref().and_then(|program| program.rsplit('/').next());
    name.is_some_and(|name| LANGUAGES.contains(&name))
}

/// Looks at the arguments of one step, and at the paths and URIs of it.
pub(super) fn check(step: &Node<'_>, lints: &mut Lints<'_, '_>) {
    if is_script(step) {
        return;
    }
    for field in ["jar", "file", "source", "destination", "command"] {
        if let Some(node) = member(step, field) {
            placeholders(node, lints);
        }
    }
    let Some(Value::Array(arguments)) = member(step, "arguments").map(|node| &node.value) else {
        return;
    };
    let mut before = "";
    for argument in arguments {
        placeholders(argument, lints);
        let written = inner(argument, lints);
        // What comes behind an option may be its value, whatever it looks like.
        if !before.starts_with('-') || before.contains('=') {
            several_words(argument.span, written, lints);
        }
        before = written;
    }
}

/// What stands between the quotes of a string.
fn inner<'d>(node: &Node<'_>, lints: &Lints<'d, '_>) -> &'d str {
    let Value::String(_) = node.value else { return "" };
    let range = node.span.start as usize + 1..node.span.end as usize - 1;
    lints.document.text().get(range).unwrap_or_default()
}

/// `--option value` in one string is one word to the program.
fn several_words(span: Span, argument: &str, lints: &mut Lints<'_, '_>) {
    let Some(option) = argument.strip_prefix("--") else { return };
    let Some((name, value)) = option.split_once(' ') else { return };
    let of_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let fits = name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(of_name);
    if fits && !value.is_empty() && !value.contains([' ', '=']) {
        let message = "an option and its value in one argument";
        let help = format!(
            "no shell takes it apart: write two arguments, `\"--{name}\", …`, or `--{name}=…`"
        );
        let help = if lints.document.quote(span).is_some() {
            help
        } else {
            "no shell takes it apart: write two arguments".to_owned()
        };
        lints.warn(span, Diagnostic::warning(code::SEVERAL_WORDS, message).help(help));
    }
}

fn placeholders(node: &Node<'_>, lints: &mut Lints<'_, '_>) {
    let written = inner(node, lints);
    let Some((at, length)) = placeholder(written) else { return };
    let start = node.span.start as usize + 1 + at;
    let span = Span::new(start, start + length);
    let mut fault = Diagnostic::warning(
        code::UNEXPANDED_TEMPLATE,
        "it looks like a placeholder, and nothing fills it in",
    );
    if let Some(quoted) = lints.document.quote(span) {
        fault = fault.label(format!("`{quoted}` reaches the program as it is"));
    }
    let help = "arguments go to the program without a shell; a variable is written `{{.name}}`, one of the environment `{{systemEnv \"NAME\"}}`";
    lints.warn(span, fault.help(help));
}

/// Where the first placeholder of a text is, and how long.
fn placeholder(text: &str) -> Option<(usize, usize)> {
    let special = |c: char| matches!(c, '$' | '{' | '<' | '%' | '_');
    text.match_indices(special).find_map(|(at, _)| {
        let rest = &text[at..];
        let before = text[..at].chars().next_back();
        let length = shell(rest)
            .or_else(|| between(rest, "{{", "}}", is_template))
            .or_else(|| between(rest, "<%", "%>", |_| true))
            .or_else(|| between(rest, "%(", ")s", is_name))
            .or_else(|| braces(rest, text, before))
            .or_else(|| underscores(rest, before))?;
        // What is escaped is meant.
        (before != Some('\\') && before != Some('$')).then_some((at, length))
    })
}

/// `$(command)`, `${NAME}`, `$NAME`. Names with dots or colons are for Hive, Hadoop and Spark to fill in.
fn shell(rest: &str) -> Option<usize> {
    let body = rest.strip_prefix('$')?;
    if body.starts_with('(') {
        return body.find(')').map(|end| end + 2);
    }
    if body.starts_with('{') {
        return between(rest, "${", "}", is_name);
    }
    let upper = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    let length = body.find(|c| !upper(c)).unwrap_or(body.len());
    // The next letter would make it part of another word.
    let ends = !body[length..].starts_with(|c: char| c.is_ascii_lowercase());
    let begins = body.starts_with(|c: char| c.is_ascii_uppercase());
    // Sqoop's own word for the part of a query that it fills in
    // (https://sqoop.apache.org/docs/1.4.7/SqoopUserGuide.html#_free_form_query_imports).
    let is_sqoop = &body[..length] == "CONDITIONS";
    (length >= 2 && begins && ends && !is_sqoop).then_some(length + 1)
}

/// `{name}` in a URI, where no glob and no pattern has one.
fn braces(rest: &str, whole: &str, before: Option<char>) -> Option<usize> {
    let begins = matches!(before, Some('/' | '=' | '-' | '_' | '.'));
    let fits = whole.contains("://") && begins && !rest.starts_with("{{");
    if fits { between(rest, "{", "}", is_name) } else { None }
}

/// `__NAME__` as a whole part of a path, but for the name that Hive gives to a partition without a value.
fn underscores(rest: &str, before: Option<char>) -> Option<usize> {
    let name = rest.strip_prefix("__")?;
    let upper = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    let length = name.find(|c| !upper(c)).unwrap_or(name.len());
    let word = name[..length].strip_suffix("__")?;
    let begins = !before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let fits = begins && word.starts_with(|c: char| c.is_ascii_uppercase());
    (fits && word != "HIVE_DEFAULT_PARTITION").then_some(length + 2)
}

fn between(rest: &str, open: &str, close: &str, fits: fn(&str) -> bool) -> Option<usize> {
    let body = rest.strip_prefix(open)?;
    let end = body.find(close)?;
    fits(body[..end].trim()).then_some(open.len() + end + close.len())
}

fn is_name(text: &str) -> bool {
    let begins = |c: char| c == '_' || c.is_ascii_alphabetic();
    text.starts_with(begins) && text.chars().all(|c| begins(c) || c.is_ascii_digit())
}

/// What stands in double braces. YARN itself fills in names of the environment, such as `{{PWD}}`
/// (`ApplicationConstants.Environment` of
/// <https://hadoop.apache.org/docs/stable/api/org/apache/hadoop/yarn/api/ApplicationConstants.html>).
fn is_template(text: &str) -> bool {
    !text.is_empty() && !text.chars().all(|c| c.is_ascii_uppercase() || c == '_')
}
