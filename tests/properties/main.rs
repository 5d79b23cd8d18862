//! Property tests over scenarios: what is found, how small it gets, and that it is kept.

mod found;
mod shrinking;
// The participant of a two-phase commit, with its mistakes.
#[allow(dead_code)]
#[path = "../../examples/own_process.rs"]
mod two_phase;
