//! The EMR fabric over the fake of EMR, request by request.

#![expect(
    clippy::unwrap_used,
    reason = "all of it is tests, though without the attribute that would tell"
)]

mod conformance;

use std::process::ExitCode;

use libtest_mimic::Arguments;

fn main() -> ExitCode {
    libtest_mimic::run(&Arguments::from_args(), conformance::trials().collect()).exit_code()
}
