//! Patterns of COPY steps as S3DistCp takes them.

/// The regular expression of Java that matches the whole URI of each file below `source` whose path from there on
/// matches the glob: `*` and `?` within one name, `**` across folders.
///
/// S3DistCp matches `--srcPattern` against the whole path of each file, as in the examples of
/// <https://docs.aws.amazon.com/emr/latest/ReleaseGuide/UsingEMR_s3distcp.html>. Which of `s3`, `s3a`, `s3n` it writes is not
/// said, nor is the host of an HDFS path.
pub(super) fn below(source: &str, glob: &str) -> String {
    let (scheme, rest) = source.split_once("://").unwrap_or(("", source));
    let rest = rest.trim_end_matches('/');
    let mut regex = match scheme {
        "s3" | "s3a" | "s3n" => format!("s3[an]?://{}", escaped(rest)),
        "" => format!(".*{}", escaped(rest)),
        // Of `hdfs://host:8020/in` only the path is sure to be there.
        _ => format!(".*{}", escaped(rest.find('/').map_or("", |at| &rest[at..]))),
    };
    regex.push('/');
    regex.push_str(&translated(glob));
    regex
}

/// The glob as a regular expression.
fn translated(glob: &str) -> String {
    let mut regex = String::new();
    let mut rest = glob;
    let mut name_begins = true;
    while let Some(next) = rest.chars().next() {
        let (length, meant) = match next {
            '*' if rest.starts_with("**/") && name_begins => (3, "(.*/)?".to_owned()),
            '*' if rest.starts_with("**") => (2, ".*".to_owned()),
            '*' => (1, "[^/]*".to_owned()),
            '?' => (1, "[^/]".to_owned()),
            other => (other.len_utf8(), escaped(&rest[..other.len_utf8()])),
        };
        name_begins = rest[..length].ends_with('/');
        regex.push_str(&meant);
        rest = &rest[length..];
    }
    regex
}

/// A text that matches itself alone.
fn escaped(text: &str) -> String {
    let mut regex = String::with_capacity(text.len());
    for c in text.chars() {
        if r"\.[]{}()<>*+-=!?^$|#&~".contains(c) {
            regex.push('\\');
        }
        regex.push(c);
    }
    regex
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table() {
        for (source, glob, expected) in [
            ("s3://b/in/", "*.csv", r"s3[an]?://b/in/[^/]*\.csv"),
            ("s3a://b/in", "part-?", r"s3[an]?://b/in/part\-[^/]"),
            ("s3://b.x/", "**/*.gz", r"s3[an]?://b\.x/(.*/)?[^/]*\.gz"),
            ("s3://b/", "a/**", r"s3[an]?://b/a/.*"),
            ("s3://b/", "a/**/b", r"s3[an]?://b/a/(.*/)?b"),
            ("s3://b/", "a**/b", r"s3[an]?://b/a.*/b"),
            ("hdfs:///in/x", "[ü]", r".*/in/x/\[ü\]"),
            ("hdfs://host:8020/in", "*", r".*/in/[^/]*"),
            ("/in/", "?", r".*/in/[^/]"),
        ] {
            assert_eq!(below(source, glob), expected, "{source} {glob}");
        }
    }
}
