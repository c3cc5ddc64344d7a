//! AWS's own files: `~/.aws/config` and `~/.aws/credentials`
//! ([format](https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html)).

use std::collections::BTreeMap;
use std::fmt;

/// A section's settings by name, in lower case.
pub(super) type Section = BTreeMap<String, Setting>;

/// A setting: a text, or settings of its own below it.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Setting {
    pub(super) text: String,
    pub(super) below: BTreeMap<String, String>,
}

/// Settings may be secret.
impl fmt::Debug for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Setting")
    }
}

/// The sections by what stands in the brackets, with single spaces. Lines that make no sense are passed over, as AWS's
/// own clients do; where a section or setting comes twice, the later one counts.
pub(super) fn parse(text: &str) -> BTreeMap<String, Section> {
    let mut sections: BTreeMap<String, Section> = BTreeMap::new();
    let mut section: Option<String> = None;
    // The last setting, and how far it is indented.
    let mut setting: Option<(String, usize)> = None;
    for line in text.trim_start_matches('\u{feff}').lines() {
        let indent = line.len() - line.trim_start().len();
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if let Some(rest) = trimmed.strip_prefix('[') {
            let name = rest.split(']').next().unwrap_or_default();
            let name = name.split_whitespace().collect::<Vec<_>>().join(" ").replace('"', "");
            sections.entry(name.clone()).or_default();
            (section, setting) = (Some(name), None);
            continue;
        }
        let Some(current) = section.as_ref().and_then(|it| sections.get_mut(it)) else { continue };
        let Some((name, value)) = trimmed.split_once('=') else { continue };
        let (name, value) = (name.trim().to_ascii_lowercase(), uncomment(value).to_owned());
        // Below a setting is what is indented further: some people indent all of a section.
        let above = setting.as_ref().filter(|(_, at)| indent > *at);
        match above.and_then(|(above, _)| current.get_mut(above)) {
            Some(above) => drop(above.below.insert(name, value)),
            None => {
                current.insert(name.clone(), Setting { text: value, below: BTreeMap::new() });
                setting = Some((name, indent));
            }
        }
    }
    sections
}

fn uncomment(value: &str) -> &str {
    let end = [" #", " ;", "\t#", "\t;"].iter().filter_map(|sign| value.find(sign)).min();
    value[..end.unwrap_or(value.len())].trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_a_section_may_be_indented() {
        let sections =
            parse("[a]\r\n  id = 1\r\n  secret = 2\r\n  s3 =\r\n    x = 3\r\n  last = 4\r\n");
        let a = &sections["a"];
        assert_eq!(["id", "secret", "last"].map(|name| a[name].text.as_str()), ["1", "2", "4"]);
        assert_eq!(a["s3"].below["x"], "3");
    }

    #[test]
    fn sections_settings_and_what_is_below_them() {
        let sections = parse(
            "\u{feff}lost = 1\n[default]\nRegion = eu-west-1 # here\n; no\n\n[ profile  \"a b\" ]\nkey=a=b#c\n\
             s3 =\n  endpoint_url = http://x\n\taddressing_style = path\nnext = 1\nnonsense\n[default]\nb = 2\n[open",
        );
        let text = |section: &str, name: &str| sections[section][name].text.as_str();
        assert_eq!(text("default", "region"), "eu-west-1");
        assert_eq!(text("default", "b"), "2");
        assert_eq!(text("profile a b", "key"), "a=b#c");
        assert_eq!(text("profile a b", "next"), "1");
        assert_eq!(sections["profile a b"]["s3"].below["endpoint_url"], "http://x");
        assert_eq!(sections["profile a b"]["s3"].below["addressing_style"], "path");
        assert_eq!(sections.keys().collect::<Vec<_>>(), ["default", "open", "profile a b"]);
    }
}
