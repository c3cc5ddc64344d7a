//! Which machine this is, and whose process.

use std::ffi::OsString;

use dataflow_runner_core::lock::Here;

/// What locks say of it.
pub(crate) fn here(env: &dyn Fn(&str) -> Option<OsString>) -> Here {
    let set = |names: &[&str]| {
        names.iter().find_map(|name| env(name)?.into_string().ok().filter(|it| !it.is_empty()))
    };
    let user = set(&["USER", "LOGNAME", "USERNAME"]).or_else(number);
    // Another machine of the same name is told apart by more than the name.
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let host = host.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    let host = host.or_else(|| set(&["HOSTNAME", "COMPUTERNAME"]));
    let unknown = || "unknown".to_owned();
    Here { user: user.unwrap_or_else(unknown), host: host.unwrap_or_else(unknown) }
}

/// Programs started by a system or a container often have no name of a user, but always a number.
#[cfg(unix)]
fn number() -> Option<String> {
    use std::os::unix::fs::MetadataExt;

    std::fs::metadata("/proc/self").ok().map(|own| format!("uid {}", own.uid()))
}

#[cfg(not(unix))]
fn number() -> Option<String> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_has_a_name_or_a_number() {
        let named = |name: &str| (name == "LOGNAME").then(|| "hadoop".into());
        assert_eq!(here(&named).user, "hadoop");
        let nameless = here(&|_| None);
        assert!(!nameless.user.is_empty() && !nameless.host.is_empty());
    }
}
