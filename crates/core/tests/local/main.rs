//! The local fabric with real processes. This binary is also the shim of the steps that its tests run, so it
//! has a main of its own. Its tests look into `/proc`, so they are Linux's.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "all of it is tests, though without the attribute that would tell"
)]

#[cfg(target_os = "linux")]
mod again;
#[cfg(target_os = "linux")]
mod bench;
#[cfg(target_os = "linux")]
mod clusters;
#[cfg(target_os = "linux")]
mod conformance;
#[cfg(target_os = "linux")]
mod copies;
#[cfg(target_os = "linux")]
mod endings;
#[cfg(target_os = "linux")]
mod faults;
#[cfg(target_os = "linux")]
mod races;
#[cfg(target_os = "linux")]
mod runs;

use std::process::ExitCode;

use dataflow_runner_core::fabric::local::{copy, dist_cp, shim};
use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    match arguments.next().as_deref().and_then(|first| first.to_str()) {
        Some(shim::ARGUMENT) => shim::main(arguments).into(),
        Some(copy::ARGUMENT) => {
            copy::main(arguments, &mut std::io::stdout(), &mut std::io::stderr()).into()
        }
        Some(dist_cp::ARGUMENT) => {
            dist_cp::main(arguments, &mut std::io::stdout(), &mut std::io::stderr()).into()
        }
        #[cfg(target_os = "linux")]
        Some(faults::DOOMED) => faults::doomed(arguments),
        #[cfg(target_os = "linux")]
        Some(copies::KILLED) => copies::killed(arguments),
        _ => libtest_mimic::run(&Arguments::from_args(), all()).exit_code(),
    }
}

/// A test for each function.
macro_rules! trials {
    ($($module:ident: $($name:ident)*;)*) => {
        vec![$($(Trial::test(concat!(stringify!($module), "::", stringify!($name)), || {
            $module::$name();
            Ok(())
        }),)*)*]
    };
}

#[cfg(target_os = "linux")]
fn all() -> Vec<Trial> {
    trials().into_iter().chain(conformance::trials()).collect()
}

#[cfg(not(target_os = "linux"))]
fn all() -> Vec<Trial> {
    Vec::new()
}

#[cfg(target_os = "linux")]
fn trials() -> Vec<Trial> {
    trials! {
        runs:
            a_step_has_its_own_folder_and_environment
            files_lie_in_the_folder
            the_types_of_steps_that_need_no_tool
            logs_are_read_piece_by_piece
            ten_megabytes_on_both_streams
            no_secret_is_written_anywhere
            five_hundred_at_once
            staged_files;
        endings:
            exit_codes_and_signals
            what_cannot_be_started
            cancelled
            one_that_ignores_term_is_killed
            what_is_left_behind_is_ended
            left_behind_and_stubborn
            a_program_inherits_no_handlers;
        faults:
            the_program_is_killed
            the_shim_is_killed
            a_torn_record
            a_pid_that_belongs_to_another
            another_boot
            a_process_of_another_machine_is_left_alone
            the_work_folder_vanishes
            what_runs_in_a_vanished_folder_is_ended
            a_cluster_that_cannot_be_removed
            a_work_folder_that_cannot_be;
        races:
            find_fences
            found_when_it_is_there
            of_another_sending
            given_twice
            cancelled_before_it_is_claimed
            the_cluster_goes_before_it_is_claimed
            a_shim_that_never_came
            orders_that_cannot_be;
        again:
            nothing_of_a_step_reaches_the_next
            what_hides_keeps_its_shim_from_the_next
            what_stays_in_the_group_is_ended_first
            what_cannot_be_started_harms_no_other
            killed_between_two_steps
            killed_with_its_second_step
            without_a_step_it_ends
            a_cancel_that_comes_late
            a_marker_without_a_signal
            a_term_without_a_marker
            no_marker_can_be_written
            no_record_is_left
            cancels_at_any_moment
            another_program_hears_of_the_end
            a_damaged_record_reaches_nobody
            no_shim_outlives_its_cluster
            a_long_command_line;
        copies:
            s3_dist_cp_in_a_step
            s3_dist_cp_that_fails
            killed_while_it_copies;
        clusters:
            up_and_down
            launched_once
            found_by_another_process
            terminated_by_another
            terminated_with_orphans
            only_our_own;
    }
}
