//! The fake itself, call by call.
