//! What a launcher reads of its environment (`launcher/Launcher.java`), a little stricter.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::base64;

/// What a launcher was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The program and its arguments.
    pub words: Vec<String>,
    /// Added to its environment.
    pub environment: BTreeMap<String, String>,
    /// What the applications of MapReduce that it starts are tagged with.
    pub tags: Vec<String>,
    /// The path of the folder into which its output goes.
    pub logs: String,
}

impl Program {
    /// From the `am-container-spec`, in a file system.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn read(spec: &Value, file_system: &str) -> Result<Self, String> {
        let entries = spec["environment"]["entry"].as_array().ok_or("it has no environment")?;
        let mut given = BTreeMap::new();
        for entry in entries {
            let (Some(key), Some(value)) = (entry["key"].as_str(), entry["value"].as_str()) else {
                return Err(format!("`{entry}` is no variable"));
            };
            if given.insert(key, value).is_some() {
                return Err(format!("`{key}` is there twice"));
            }
        }
        let need = |name: &str| given.get(name).copied().ok_or_else(|| format!("no `{name}`"));
        if !need("CLASSPATH")?.starts_with("{{PWD}}/launcher.jar<CPS>") {
            return Err("the launcher is not on its class path".to_owned());
        }
        let command = spec["commands"]["command"].as_str().unwrap_or_default();
        if !command.starts_with("{{JAVA_HOME}}/bin/java ")
            || !command.contains(" Launcher 1><LOG_DIR>/")
        {
            return Err(format!("`{command}` is not the launcher"));
        }
        need("HADOOP_USER_NAME")?;
        let words = unpacked(need("DATAFLOW_ARGV")?)?;
        if words.first().is_none_or(String::is_empty) {
            return Err("there is nothing to run".to_owned());
        }
        let pair = |pair: &String| -> Result<(String, String), String> {
            let (name, value) = pair
                .split_once('=')
                .filter(|(name, _)| !name.is_empty())
                .ok_or_else(|| format!("`{pair}` is no variable"))?;
            Ok((name.to_owned(), value.to_owned()))
        };
        let environment =
            unpacked(need("DATAFLOW_ENV")?)?.iter().map(pair).collect::<Result<_, _>>()?;
        let tags: Vec<String> = need("DATAFLOW_TAGS")?.split(',').map(str::to_owned).collect();
        if tags.iter().any(|tag| tag.is_empty() || *tag != tag.to_lowercase()) {
            return Err(format!("{tags:?} are no tags"));
        }
        let logs = need("DATAFLOW_LOGS")?;
        let logs = logs.strip_prefix(file_system).filter(|path| path.starts_with('/'));
        let logs = logs.ok_or("its logs go elsewhere")?.to_owned();
        Ok(Self { words, environment, tags, logs })
    }

    /// The tags that an application of this type is given by the program that starts it.
    pub(super) fn tags_for(&self, kind: &str) -> Vec<String> {
        let option = match kind {
            "SPARK" => "spark.yarn.tags=",
            "Apache Flink" => "-Dyarn.tags=",
            _ => return self.tags.clone(),
        };
        let told = self.words.iter().find_map(|word| word.strip_prefix(option));
        told.map(|tags| tags.split(',').map(str::to_owned).collect()).unwrap_or_default()
    }
}

/// Base64 of words that each end with a NUL.
fn unpacked(text: &str) -> Result<Vec<String>, String> {
    let bytes = base64::decode(text).ok_or_else(|| format!("`{text}` is no base64"))?;
    let text = String::from_utf8(bytes).map_err(|_| "it is no UTF-8".to_owned())?;
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let all = text.strip_suffix('\0').ok_or("its last word has no end")?;
    Ok(all.split('\0').map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_ended_by_a_nul_each() {
        let read = |bytes: &str| unpacked(&base64::encode(bytes.as_bytes()));
        assert_eq!(read(""), Ok(Vec::new()));
        assert_eq!(read("a\0\0b c\0"), Ok(["a", "", "b c"].map(str::to_owned).to_vec()));
        assert!(read("a\0b").is_err());
        assert!(unpacked("YQ").is_err() && unpacked("/w==").is_err());
    }
}
