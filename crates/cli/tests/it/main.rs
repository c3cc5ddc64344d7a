//! The built program, from the outside: what goes in, what comes out, and how it ends.

mod canary;
#[cfg(target_os = "linux")]
mod crash;
#[cfg(unix)]
mod damage;
mod dataproc;
#[cfg(unix)]
mod diagnostics;
mod dist_cp;
mod down;
#[cfg(target_os = "linux")]
mod drivers;
mod emr;
mod export;
mod fmt;
mod harness;
mod inputs;
mod keys;
#[cfg(all(debug_assertions, target_os = "linux"))]
mod kill;
mod lint;
#[cfg(target_os = "linux")]
mod locks;
mod logs;
#[cfg(target_os = "linux")]
mod looks;
#[cfg(target_os = "linux")]
mod losses;
#[cfg(target_os = "linux")]
mod odd;
mod orphans;
#[cfg(target_os = "linux")]
mod phases;
mod plan;
#[cfg(unix)]
mod program;
#[cfg(target_os = "linux")]
mod prune;
mod render;
#[cfg(target_os = "linux")]
mod resume;
mod runs;
mod schema;
mod sentry;
#[cfg(unix)]
mod signals;
mod step_logs;
#[cfg(target_os = "linux")]
mod stops;
mod usage;
#[cfg(target_os = "linux")]
mod watch;
mod yarn;
