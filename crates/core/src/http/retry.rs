//! Asking again.
