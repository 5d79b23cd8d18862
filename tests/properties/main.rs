//! Property tests over scenarios: what is found, how small it gets, and that it is kept.

mod found;
mod shrinking;
