//! Property tests over scenarios, with `proptest`: what breaks is shrunk by name and kept as a scenario file.
//!
//! A [`Subject`] is a scenario under one strategy. [`courses`] and [`scripts`] make runs of it whose [`Course`] shrinks to
//! fewer intents, fewer faults and shorter times; [`workloads`], [`weathers`] and [`scenarios`] make whole files. [`find`]
//! puts it together: first what broke before, then something new, shrunk and written down.

mod find;
mod subject;
mod tree;
mod whole;

pub use find::{Config, Found, Shrunk, find, find_among};
pub use subject::{Broken, Subject, Trouble};
pub use tree::{CourseTree, Courses, courses, scripts};
pub use whole::{scenarios, weathers, workloads};

pub use crate::explore::{Course, Size};
