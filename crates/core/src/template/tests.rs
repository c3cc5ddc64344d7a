//! The engine against what Go printed, and against itself.

mod golden;
