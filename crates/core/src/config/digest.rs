//! A step's digest: what it says, without its secrets, in 32 bytes.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use super::playbook::{Program, Step};
use crate::hex::hex;
use crate::secret::Text;

/// Length-prefixed pieces, so that no two steps give the same bytes.
struct Hash(Sha256);

impl Hash {
    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.update(bytes);
    }

    fn number(&mut self, number: u64) {
        self.0.update(number.to_be_bytes());
    }

    fn text(&mut self, name: &str, text: &Text) {
        self.bytes(name.as_bytes());
        self.bytes(text.shown().as_bytes());
    }

    fn optional(&mut self, name: &str, text: Option<&Text>) {
        if let Some(text) = text {
            self.text(name, text);
        }
    }

    fn list(&mut self, name: &str, texts: &[Text]) {
        self.bytes(name.as_bytes());
        self.number(texts.len() as u64);
        texts.iter().for_each(|text| self.bytes(text.shown().as_bytes()));
    }

    fn map(&mut self, name: &str, map: &BTreeMap<String, Text>) {
        self.bytes(name.as_bytes());
        self.number(map.len() as u64);
        map.iter().for_each(|(key, text)| self.text(key, text));
    }

    fn codes(&mut self, name: &str, codes: &[i32]) {
        // The order of exit codes means nothing.
        let mut codes = codes.to_vec();
        codes.sort_unstable();
        codes.dedup();
        self.bytes(name.as_bytes());
        self.bytes(&codes.iter().flat_map(|code| code.to_be_bytes()).collect::<Vec<_>>());
    }
}

impl Step {
    /// The SHA-256, in hex, of all that the step says. Secrets count as their origin, so it is the same on every rendering
    /// and tells nothing of them; places in the file, white space and the order of keys do not count.
    pub fn digest(&self) -> String {
        let mut hash = Hash(Sha256::new());
        hash.bytes(b"dataflow-runner step 1");
        hash.bytes(self.id.as_bytes());
        hash.text("name", &self.name);
        hash.bytes(self.work.program.step_type().as_str().as_bytes());
        self.work.program.put_into(&mut hash);
        hash.list("arguments", &self.work.arguments);
        hash.map("properties", &self.work.properties);
        hash.list("files", &self.work.files);
        match &self.depends_on {
            Some(ids) => hash.list("dependsOn", ids),
            None => hash.bytes(b"the step before"),
        }
        hash.bytes(self.rules.on_failure.as_str().as_bytes());
        hash.number(u64::from(self.rules.retries.max_attempts.get()));
        hash.bytes(&self.rules.retries.delay.as_nanos().to_be_bytes());
        hash.number(self.rules.retries.backoff.to_bits());
        hash.bytes(&self.rules.timeout.map_or(u128::MAX, |t| t.as_nanos()).to_be_bytes());
        hash.codes("continueJob", &self.rules.on_result.continue_job);
        hash.codes("terminateJobWithSuccess", &self.rules.on_result.terminate_job_with_success);
        hex(&hash.0.finalize())
    }
}

impl Program {
    fn put_into(&self, hash: &mut Hash) {
        match self {
            Self::CustomJar { jar, main_class } | Self::Flink { jar, main_class } => {
                hash.text("jar", jar);
                hash.optional("mainClass", main_class.as_ref());
            }
            Self::Command { command } => hash.text("command", command),
            Self::Spark { application, main_class } => {
                hash.text("application", application);
                hash.optional("mainClass", main_class.as_ref());
            }
            Self::SparkSql { file } | Self::Hive { file } | Self::Pig { file } => {
                hash.text("file", file);
            }
            Self::Streaming { mapper, reducer, source, destination } => {
                hash.text("mapper", mapper);
                hash.optional("reducer", reducer.as_ref());
                hash.text("source", source);
                hash.text("destination", destination);
            }
            Self::Copy { source, destination, pattern } => {
                hash.text("source", source);
                hash.text("destination", destination);
                hash.optional("pattern", pattern.as_ref());
            }
        }
    }
}
