//! The options of s3-dist-cp.
//!
//! <https://docs.aws.amazon.com/emr/latest/ReleaseGuide/UsingEMR_s3distcp.html>: each as `--option value` or `--option=value`;
//! of one that is given twice the last counts.

use crate::suggest::suggest;

/// Does what s3-dist-cp does with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) enum Name {
    Src,
    Dest,
    SrcPattern,
    GroupBy,
    TargetSize,
    OutputCodec,
    DeleteOnSuccess,
}

/// What an option is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Meaning {
    Heeded(Name),
    /// Known, and without a meaning on one machine.
    Ignored,
    /// Known and not followed, though it says which files are copied.
    Unchosen,
}

/// How an option takes its value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    Nothing,
    Value,
    /// Only `true` or `false`, or nothing.
    Truth,
}

use Meaning::{Heeded, Ignored, Unchosen};
use Takes::{Nothing, Truth, Value};

/// All that the page names, and what older versions of the program knew.
const OPTIONS: [(&str, Meaning, Takes); 28] = [
    ("--src", Heeded(Name::Src), Value),
    ("--dest", Heeded(Name::Dest), Value),
    ("--srcPattern", Heeded(Name::SrcPattern), Value),
    ("--groupBy", Heeded(Name::GroupBy), Value),
    ("--targetSize", Heeded(Name::TargetSize), Value),
    ("--outputCodec", Heeded(Name::OutputCodec), Value),
    ("--deleteOnSuccess", Heeded(Name::DeleteOnSuccess), Nothing),
    ("--copyFromManifest", Unchosen, Nothing),
    ("--previousManifest", Unchosen, Value),
    ("--srcPrefixesFile", Unchosen, Value),
    ("--appendToLastFile", Ignored, Truth),
    ("--disableMultipartUpload", Ignored, Nothing),
    ("--encryptionKey", Ignored, Value),
    ("--endpoint", Ignored, Value),
    ("--filesPerMapper", Ignored, Value),
    ("--help", Ignored, Nothing),
    ("--multipartUploadChunkSize", Ignored, Value),
    ("--multipartUploadPartSize", Ignored, Value),
    ("--numberFiles", Ignored, Nothing),
    ("--outputManifest", Ignored, Value),
    ("--requirePreviousManifest", Ignored, Truth),
    ("--s3Endpoint", Ignored, Value),
    ("--s3ServerSideEncryption", Ignored, Nothing),
    ("--s3SSEAlgorithm", Ignored, Value),
    ("--startingIndex", Ignored, Value),
    ("--storageClass", Ignored, Value),
    ("--tmpDir", Ignored, Value),
    // Hadoop's own, for all its tools.
    ("-D", Ignored, Value),
];

/// One option as it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Given<'a> {
    /// As the table writes it.
    pub option: &'static str,
    pub meaning: Meaning,
    /// Which of the words names it.
    pub at: usize,
    /// Which of the words has its value, and the value.
    pub value: Option<(usize, &'a str)>,
}

/// What is wrong with one of the words.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) enum Wrong {
    /// No such option, and one that may have been meant.
    Unknown(usize, Option<&'static str>),
    /// A value that is missing.
    NoValue(usize, &'static str),
    /// A value of what takes none.
    Valued(usize, &'static str),
}

/// Reads all words.
pub(in super::super) fn read<'a>(words: &[&'a str]) -> (Vec<Given<'a>>, Vec<Wrong>) {
    let (mut given, mut wrong) = (Vec::new(), Vec::new());
    let mut at = 0;
    while let Some(word) = words.get(at) {
        let (name, attached) = match word.strip_prefix("-D") {
            Some(property) if !property.is_empty() => ("-D", Some(property)),
            _ => word.split_once('=').map_or((*word, None), |(name, value)| (name, Some(value))),
        };
        let Some((option, meaning, takes)) = OPTIONS.into_iter().find(|(known, ..)| *known == name)
        else {
            let names = OPTIONS.iter().map(|(known, ..)| *known);
            wrong.push(Wrong::Unknown(at, suggest(name, names)));
            at += 1;
            continue;
        };
        let next = words.get(at + 1).copied();
        let follows = match takes {
            Nothing => false,
            // The next option is no value of this one.
            Value => next.is_some_and(|next| !OPTIONS.iter().any(|(known, ..)| is(next, known))),
            Truth => matches!(next, Some("true" | "false")),
        };
        let value = match attached {
            Some(value) => Some((at, value)),
            None => next.filter(|_| follows).map(|value| (at + 1, value)),
        };
        match (takes, value) {
            (Nothing, Some(_)) => wrong.push(Wrong::Valued(at, option)),
            (Value, None) => wrong.push(Wrong::NoValue(at, option)),
            _ => given.push(Given { option, meaning, at, value }),
        }
        at += 1 + usize::from(attached.is_none() && follows);
    }
    (given, wrong)
}

/// Whether a word gives an option.
fn is(word: &str, option: &str) -> bool {
    option.starts_with("--")
        && word.strip_prefix(option).is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
}

/// What files are written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in super::super) enum Codec {
    /// As they are.
    #[default]
    Keep,
    /// What is compressed is not any more.
    Plain,
    /// By gzip.
    Gzip,
}

impl Codec {
    /// The one of that name; the error is what is wrong with it. Case does not matter.
    pub(in super::super) fn of(name: &str) -> Result<Self, String> {
        match name.to_ascii_lowercase().as_str() {
            "keep" => Ok(Self::Keep),
            "none" => Ok(Self::Plain),
            "gz" | "gzip" => Ok(Self::Gzip),
            "lzo" | "lzop" | "snappy" => Err("is a codec that is not built in".to_owned()),
            _ => Err("is no codec".to_owned()),
        }
    }
}

/// Mebibytes as bytes; the error is what is wrong with them.
pub(in super::super) fn size(mebibytes: &str) -> Result<u64, String> {
    // A number of Java's is an `Integer`.
    let number = mebibytes.parse::<i32>().ok().and_then(|number| u64::try_from(number).ok());
    number.filter(|number| *number > 0).map(|number| number << 20).ok_or_else(|| {
        "is no size: expected an integer from 1 to 2147483647, which are mebibytes".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each option with its value, then each fault, as text.
    fn told(words: &[&str]) -> String {
        let (given, wrong) = read(words);
        let given = given.iter().map(|given| {
            let value = given.value.map(|(at, value)| format!("={value}@{at}")).unwrap_or_default();
            format!("{}@{}{value}", given.option, given.at)
        });
        let wrong = wrong.iter().map(|wrong| format!("{wrong:?}"));
        given.chain(wrong).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn both_forms() {
        for (words, expected) in [
            (&["--src", "/a", "--dest=/b"][..], "--src@0=/a@1 --dest@2=/b@2"),
            (&["--src=/a=b", "--dest="], "--src@0=/a=b@0 --dest@1=@1"),
            (
                &["--srcPattern", "-.*", "--deleteOnSuccess"],
                "--srcPattern@0=-.*@1 --deleteOnSuccess@2",
            ),
            (&["--srcPattern", "--.*"], "--srcPattern@0=--.*@1"),
            (&["--src", "--dest", "/b"], r#"--dest@1=/b@2 NoValue(0, "--src")"#),
            (&["--src", "--dest=/b"], r#"--dest@1=/b@1 NoValue(0, "--src")"#),
            (&["--groupBy"], r#"NoValue(0, "--groupBy")"#),
            (&["--deleteOnSuccess=false"], r#"Valued(0, "--deleteOnSuccess")"#),
            (&["--deleteOnSuccess", "x"], "--deleteOnSuccess@0 Unknown(1, None)"),
            (&["--appendToLastFile", "--numberFiles"], "--appendToLastFile@0 --numberFiles@1"),
            (&["--appendToLastFile", "true"], "--appendToLastFile@0=true@1"),
            (&["--requirePreviousManifest=false"], "--requirePreviousManifest@0=false@0"),
            (&["-Da=b", "-D", "c=d", "--src=x"], "-D@0=a=b@0 -D@1=c=d@2 --src@3=x@3"),
            (&["--srcpattern=x"], r#"Unknown(0, Some("--srcPattern"))"#),
            (&["-src", "/a"], r#"Unknown(0, Some("--src")) Unknown(1, None)"#),
            (&["--s3Endpoint=s3.amazonaws.com"], "--s3Endpoint@0=s3.amazonaws.com@0"),
        ] {
            assert_eq!(told(words), expected, "{words:?}");
        }
    }

    #[test]
    fn codecs_and_sizes() {
        for (name, codec) in [
            ("keep", Ok(Codec::Keep)),
            ("none", Ok(Codec::Plain)),
            ("gz", Ok(Codec::Gzip)),
            ("GZIP", Ok(Codec::Gzip)),
            ("lzo", Err("is a codec that is not built in")),
            ("snappy", Err("is a codec that is not built in")),
            ("zip", Err("is no codec")),
            ("", Err("is no codec")),
        ] {
            assert_eq!(Codec::of(name), codec.map_err(str::to_owned), "{name}");
        }
        for (text, bytes) in [
            ("1", Some(1 << 20)),
            ("128", Some(128 << 20)),
            ("2147483647", Some(2_147_483_647 << 20)),
        ] {
            assert_eq!(size(text).ok(), bytes, "{text}");
        }
        for text in ["0", "-1", "1.5", "1g", "", " 1", "2147483648"] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}
