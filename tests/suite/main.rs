//! One binary for all tests of the whole: each module tells what it guards.

mod same;
mod shipped;
mod stability;
mod tidy;
