//! From the documents of a scenario to what the engine runs: models, strategies, invariants, expectations.
//!
//! A document is read in three passes. First every name is declared; then every part is read, its expressions left as
//! holes while their types are inferred over the whole document; last the types are settled and the holes filled. A
//! strategy that rewrites the document has a model of its own, read in the same way from the patched document.

pub mod language;

use std::path::Path;
use std::sync::Arc;

pub use super::load::Rejected;
use super::load::{self, ReadFile};
use super::problem::Problems;
use super::source::Sources;
use crate::model::Model;
use crate::model::how::How;
use crate::model::invariant::{Expectation, Invariant};

/// A scenario, read and understood.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The name of its file, without directories and ending.
    pub name: String,
    /// One sentence about it.
    pub about: Option<String>,
    /// Identifies the documents as laid out: the same whatever the comments, the layout and the order of files.
    pub digest: [u64; 2],
    /// The file as written, then its cases. Never empty.
    pub cases: Vec<Case>,
    /// The texts that all places lie in.
    pub sources: Sources,
    /// What should be looked at, but does not keep it from being run.
    pub warnings: Problems,
}

/// The file as written, or a patch over it.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its name; `None` for the file as written.
    pub name: Option<String>,
    /// One sentence about it.
    pub about: Option<String>,
    /// What must be true, typed against the model as written. The strategies have the same ones in the same order.
    pub invariants: Vec<Invariant>,
    /// The strategies to be run, in declaration order. Never empty.
    pub strategies: Vec<StrategyCase>,
    /// How many seeds the file asks for, if it does.
    pub seeds: Option<u64>,
}

/// One strategy of a case.
#[derive(Clone, Debug)]
pub struct StrategyCase {
    /// Its name.
    pub name: String,
    /// One sentence about it.
    pub about: Option<String>,
    /// What it is run on: shared with the other strategies unless it rewrites something.
    pub model: Arc<Model>,
    /// The policies.
    pub how: How,
    /// Whether it has a body of its own.
    pub rewritten: bool,
    /// What the file expects of it.
    pub expected: Expectation,
    /// What must be true, typed against its model.
    pub invariants: Vec<Invariant>,
}

/// Reads the scenario at `path`.
///
/// # Errors
/// With all problems of all documents at once, if there is an error among them.
pub fn read(path: &Path, read_file: &mut ReadFile<'_>) -> Result<Scenario, Box<Rejected>> {
    let load::Loaded { sources, documents: _, problems } = load::load(path, read_file)?;
    Err(Box::new(Rejected { sources, problems }))
}
