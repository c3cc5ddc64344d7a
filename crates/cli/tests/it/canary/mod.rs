//! Secrets with names of their own are let in by every door there is, and looked for in all that the program writes,
//! says and sends: whole or in pieces, as they are, in hexadecimal, in Base64 or encoded for a URL.
//!
//! What may hold what is told in `SECURITY.md`: `render` prints all, `plan` values of variables, `inputs.json` has the
//! values of variables and what stands literally in a file; steps, and EMR for them, are given what they are to be given.

mod dataproc;
mod emr;
mod faulty;
mod local;
mod net;
mod reach;
mod world;
mod yarn;
