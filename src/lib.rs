//! halfway finds what your services leave behind when an operation stops halfway.

pub mod kernel;
