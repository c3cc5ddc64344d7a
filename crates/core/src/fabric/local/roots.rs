//! Folders that stand for URIs, so that a playbook written for a cluster runs on this machine.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::secret::Text;

/// Stands for the folder that the steps of a cluster share.
pub(super) const WORK: &str = "work://";

/// URI prefix → folder.
#[derive(Clone, Debug)]
pub(super) struct Roots(BTreeMap<String, PathBuf>);

impl Roots {
    pub(super) fn new(roots: &BTreeMap<String, PathBuf>) -> Self {
        Self(
            roots
                .iter()
                .filter(|(prefix, _)| !prefix.is_empty())
                .map(|(p, f)| (p.clone(), f.clone()))
                .collect(),
        )
    }

    /// The same with [`WORK`], for one cluster; a root of the user's of that name wins.
    pub(super) fn with_work(&self, folder: PathBuf) -> Self {
        let mut roots = self.clone();
        roots.0.entry(WORK.to_owned()).or_insert(folder);
        roots
    }

    /// Replaces each place in `text` that begins with a root by the folder that stands for it. The longest
    /// root that fits wins. One that continues a word (`xs3://…`) or whose last word goes on (`s3://bucket2`
    /// for the root `s3://bucket`) does not fit.
    pub(super) fn map(&self, text: &str) -> String {
        let mut mapped = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(next) = rest.chars().next() {
            let begins = !goes_on(text, rest);
            match begins.then(|| self.longest(rest)).flatten() {
                Some((prefix, folder)) => {
                    mapped.push_str(&folder.to_string_lossy());
                    rest = &rest[prefix.len()..];
                    // `s3://bucket/` may stand for `/data`, and `s3://bucket` for `/data/`.
                    let open = mapped.ends_with('/');
                    match (open, prefix.ends_with('/'), rest.starts_with('/')) {
                        (true, _, true) => rest = &rest[1..],
                        (false, true, false) => mapped.push('/'),
                        _ => {}
                    }
                }
                None => {
                    mapped.push(next);
                    rest = &rest[next.len_utf8()..];
                }
            }
        }
        mapped
    }

    /// The same in all forms of a text.
    pub(super) fn map_text(&self, text: &Text) -> Text {
        let value = self.map(text.expose());
        let mapped = if text.is_secret() {
            Text::with_secrets(value, self.map(text.shown()), text.span)
        } else {
            Text::new(value, text.span)
        };
        if text.is_computed() { mapped.as_written(self.map(text.written())) } else { mapped }
    }

    fn longest(&self, text: &str) -> Option<(&str, &Path)> {
        let fits = |prefix: &str| {
            text.strip_prefix(prefix)
                .is_some_and(|rest| prefix.ends_with('/') || !rest.starts_with(is_word))
        };
        let all = self.0.iter().map(|(prefix, folder)| (prefix.as_str(), folder.as_path()));
        all.filter(|(prefix, _)| fits(prefix)).max_by_key(|(prefix, _)| prefix.len())
    }
}

/// Whether what stands before `rest` in `text` ends with a part of a name.
fn goes_on(text: &str, rest: &str) -> bool {
    text[..text.len() - rest.len()].ends_with(is_word)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '+')
}

/// The scheme of a URI; `None` for what is a path.
pub(super) fn scheme(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_once(':')?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    // One letter is a drive of Windows.
    let fits = scheme.len() > 1
        && rest.starts_with('/')
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(plain);
    fits.then_some(scheme)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::source::Span;

    fn roots() -> Roots {
        let roots = [
            ("s3://bucket", "/data/bucket"),
            ("s3://bucket/deep/", "/deep"),
            ("hdfs:///", "/data/hdfs/"),
            ("gs://g/", "/g"),
        ];
        Roots::new(&roots.map(|(p, f)| (p.to_owned(), PathBuf::from(f))).into())
            .with_work("/w/work".into())
    }

    #[test]
    fn prefixes_become_folders() {
        for (text, mapped) in [
            ("", ""),
            ("plain", "plain"),
            ("s3://bucket", "/data/bucket"),
            ("s3://bucket/", "/data/bucket/"),
            ("s3://bucket/a b", "/data/bucket/a b"),
            ("s3://bucket2/a", "s3://bucket2/a"),
            ("s3://bucket-x/a", "s3://bucket-x/a"),
            ("s3://bucket/deep/a", "/deep/a"),
            ("s3://bucket/deep/", "/deep/"),
            ("s3://bucket/deep/ s3://bucket", "/deep/ /data/bucket"),
            ("s3://bucket/deeper", "/data/bucket/deeper"),
            ("hdfs:///y", "/data/hdfs/y"),
            ("hdfs://host/y", "hdfs://host/y"),
            ("gs://g//y", "/g/y"),
            ("work://y", "/w/work/y"),
            ("work:///y", "/w/work/y"),
            ("work://", "/w/work/"),
            ("xs3://bucket/a", "xs3://bucket/a"),
            ("--in=s3://bucket/a,hdfs:///b", "--in=/data/bucket/a,/data/hdfs/b"),
            ("{\"in\":\"s3://bucket\"}", "{\"in\":\"/data/bucket\"}"),
            ("ünï s3://bucket/ü", "ünï /data/bucket/ü"),
        ] {
            assert_eq!(roots().map(text), mapped, "{text}");
        }
    }

    #[test]
    fn secrets_stay_hidden() {
        let text =
            Text::with_secrets("work://p?k=hunter2".into(), "work://p?k=‹K›".into(), Span::at(3));
        let mapped = roots().map_text(&text);
        assert_eq!((mapped.expose(), mapped.shown()), ("/w/work/p?k=hunter2", "/w/work/p?k=‹K›"));
        assert_eq!(mapped.span, text.span);
        assert!(!roots().map_text(&Text::new("work://p", Span::at(0))).is_secret());
    }

    #[test]
    fn uris_are_told_from_paths() {
        for (text, expected) in [
            ("s3://b/x", Some("s3")),
            ("hdfs:/x", Some("hdfs")),
            ("/x:/y", None),
            ("C:/x", None),
            ("local:x", None),
            ("a=s3://b", None),
            ("", None),
        ] {
            assert_eq!(scheme(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_has_no_root_stays(text in "[a-z0-9:/ .=]{0,40}") {
            prop_assume!(!["s3://bucket", "hdfs:///", "gs://g/", "work://"].iter().any(|p| text.contains(p)));
            prop_assert_eq!(roots().map(&text), text);
        }

        #[test]
        fn words_are_mapped_each_on_its_own(words in proptest::collection::vec("(s3://bucket|s3://bucket/deep/|hdfs:///|work://|)[a-z0-9:/.=]{0,12}", 0..6)) {
            let each: Vec<_> = words.iter().map(|word| roots().map(word)).collect();
            prop_assert_eq!(roots().map(&words.join(" ")), each.join(" "));
        }

        #[test]
        fn what_lies_below_a_root_lies_below_its_folder(tail in "[a-z0-9][a-z0-9/._-]{0,20}") {
            prop_assert_eq!(roots().map(&format!("gs://g/{tail}")), format!("/g/{tail}"));
            prop_assert_eq!(roots().map(&format!("hdfs:///{tail}")), format!("/data/hdfs/{tail}"));
        }
    }
}
