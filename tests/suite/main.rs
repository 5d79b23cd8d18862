//! One binary for all tests of the whole: each module tells what it guards.

mod tidy;
