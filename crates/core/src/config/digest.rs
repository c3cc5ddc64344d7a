//! A stand-in until the loader lands.
use super::playbook::Step;

impl Step {
    /// See the loader.
    pub fn digest(&self) -> String {
        self.id.clone()
    }
}
