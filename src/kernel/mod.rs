//! Names, draws, time and order: what makes a run a pure function of its seed.
//!
//! Everything here is integers and plain values. The level knows no service, no message and no fault; the levels
//! above give those their names ([`path`]), ask what chance decided for a name ([`sample`], [`dist`]), let things
//! happen in order ([`agenda`]) and prove that two runs were the same ([`digest`]).

pub mod agenda;
pub mod choose;
pub mod digest;
pub mod dist;
pub mod path;
pub mod sample;
pub mod script;
pub mod seed;
pub mod time;

mod fixed;
#[cfg(test)]
mod testing;
pub mod zipf;
