//! The built program, from the outside: what goes in, what comes out, and how it ends.

#[cfg(target_os = "linux")]
mod crash;
#[cfg(unix)]
mod damage;
mod down;
#[cfg(target_os = "linux")]
mod drivers;
mod emr;
mod harness;
mod inputs;
mod lint;
#[cfg(target_os = "linux")]
mod locks;
mod logs;
#[cfg(target_os = "linux")]
mod looks;
#[cfg(target_os = "linux")]
mod losses;
mod plan;
mod render;
mod runs;
mod schema;
mod sentry;
#[cfg(unix)]
mod signals;
#[cfg(target_os = "linux")]
mod stops;
mod usage;
