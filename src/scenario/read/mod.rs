//! From the documents of a scenario to what the engine runs: models, strategies, invariants, expectations.
//!
//! A document is read in three passes. First every name is declared; then every part is read, its expressions left as
//! holes while their types are inferred over the whole document; last the types are settled and the holes filled. A
//! strategy that rewrites the document has a model of its own, read in the same way from the patched document.

mod budget;
mod built_in;
mod calls;
mod clients;
mod digest;
mod effects;
mod expect;
mod exprs;
mod flows;
mod ground;
mod how_lints;
mod identity;
mod invariants;
pub mod language;
pub mod later;
mod lints;
mod memo;
mod names;
mod operations;
mod parameters;
mod points;
mod policies;
mod script;
mod strategies;
mod tables;
#[cfg(test)]
mod tests;
mod told;
mod values;
mod weather;
mod world;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use self::budget::Budget;
use self::ground::Ground;
use self::language::SCENARIO;
use self::lints::Unreached;
use self::strategies::Strategy;
use self::told::Told;
use self::world::World;
use super::code::Code;
use super::fields::Fields;
pub use super::load::Rejected;
use super::load::{self, Document, Loaded, ReadFile, read_from_disk};
use super::patch::merge;
use super::problem::{Problems, Severity};
use super::source::{Place, Sources};
use super::written::Written;
use crate::model::Model;
use crate::model::how::How;
use crate::model::invariant::{Expectation, Invariant};

/// A scenario, read and understood.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The name of its file, without directories and ending.
    pub name: String,
    /// The file it was read from; `None` if it was put together in Rust.
    pub file: Option<PathBuf>,
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
    /// The processes that services name, and where they do.
    pub processes: Vec<(String, Place)>,
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
    /// The document it was read from.
    pub written: Written,
}

impl Case {
    /// The seeds that are run of those asked for, unless strategies differ in that.
    pub(crate) fn seeds_of(&self, asked: Range<u64>) -> Range<u64> {
        let mut each = self.strategies.iter().map(|strategy| strategy.model.weather.seeds(asked.clone()));
        match each.next() {
            Some(first) if each.all(|seeds| seeds == first) => first,
            _ => asked,
        }
    }
}

/// Reads the scenario at `path`.
///
/// # Errors
/// With all problems of all documents at once, if there is an error among them.
pub fn read(path: &Path, read_file: &mut ReadFile<'_>) -> Result<Scenario, Box<Rejected>> {
    let scenario = read_all(load::load(path, read_file)?, &mut Budget::default())?;
    Ok(Scenario { name: load::stem(path), file: Some(path.to_owned()), ..scenario })
}

/// Reads the text of a draft of that name.
pub(super) fn read_draft(
    name: &str,
    path: &Path,
    read_file: &mut ReadFile<'_>,
) -> Result<Scenario, Box<Rejected>> {
    Ok(Scenario { name: name.to_owned(), ..read_all(load::load(path, read_file)?, &mut Budget::default())? })
}

impl Scenario {
    /// Reads the scenario at `path` from the disk.
    ///
    /// # Errors
    /// With all problems of all documents at once, if there is an error among them.
    pub fn load(path: impl AsRef<Path>) -> Result<Scenario, Box<Rejected>> {
        read(path.as_ref(), &mut read_from_disk)
    }
}

/// From documents to what they mean, within what all models may take together; name and file are left open.
fn read_all(loaded: Loaded, budget: &mut Budget) -> Result<Scenario, Box<Rejected>> {
    let Loaded { sources, documents, mut problems } = loaded;
    let texts = Arc::new(sources.clone());
    let built_in = built_in::strategies();
    let mut cases = Vec::new();
    let mut allowed = Vec::new();
    let mut about = None;
    let mut processes: Vec<(String, Place)> = Vec::new();
    let mut unreached: Option<Vec<Unreached>> = None;
    let mut added: Vec<Unreached> = Vec::new();
    let mut told = Told::default();
    let mut ground: Option<Ground<'_>> = None;
    for document in &documents {
        let node = &document.node;
        let Some(fields) = Fields::of(node, node.head(), &SCENARIO, &mut problems) else { continue };
        allowed.extend(allow(&fields, &mut problems));
        if document.case.is_none() {
            about = fields.text("about").map(|text| text.value.owned());
        }
        for service in fields.members("services") {
            if let Some(name) = service.value.get("process").and_then(|entry| entry.value.as_text())
                && processes.iter().all(|(known, _)| *known != name.value)
            {
                processes.push((name.value.owned(), name.place));
            }
        }
        let strategies = strategies::all(&fields, built_in, &mut problems);
        let again = documents.len() > 1 || strategies.iter().any(|strategy| !strategy.rewrites.is_empty());
        let kept = again.then_some(&mut ground);
        let (case, Looked { unreached: loose, told: of_case }) =
            case(document, &fields, &strategies, kept, &texts, budget, &mut problems);
        told.extend(of_case);
        // What a case alone declares is used there or nowhere: most often an existing part was meant.
        if let Some(written) = cases.first().filter(|_| document.case.is_some()) {
            added.extend(loose.iter().filter(|part| part.is_new(written)).cloned());
        }
        cases.extend(case);
        if budget.spent {
            break;
        }
        // What is used in any world is used.
        unreached = Some(match (unreached, document.case.is_none()) {
            (None, _) => loose,
            (Some(known), _) => known.into_iter().filter(|part| loose.contains(part)).collect(),
        });
    }
    // What leads to a part may be what is wrong.
    if !problems.has_errors() {
        for warning in Unreached::warnings(unreached.into_iter().flatten().chain(added).collect()) {
            problems.push(warning);
        }
    }
    told.report(&mut problems);
    let problems = silence(problems, &allowed);
    if problems.has_errors() || cases.is_empty() {
        return Err(Box::new(Rejected { sources, problems }));
    }
    Ok(Scenario {
        name: String::new(),
        file: None,
        about,
        digest: digest::of(&documents),
        cases,
        sources,
        warnings: problems,
        processes,
    })
}

/// What was found in one document, and is said only when all are read.
#[derive(Default)]
struct Looked {
    unreached: Vec<Unreached>,
    told: Told,
}

/// One document: the model as written, and one more for each strategy that rewrites it. `kept` is the ground of the
/// first document, if there are more to read.
fn case<'n>(
    document: &Document,
    fields: &Fields<'n>,
    strategies: &[Strategy<'_>],
    mut kept: Option<&mut Option<Ground<'n>>>,
    texts: &Arc<Sources>,
    budget: &mut Budget,
    problems: &mut Problems,
) -> (Option<Case>, Looked) {
    let sources = &**texts;
    let plain: Vec<&Strategy<'_>> =
        strategies.iter().filter(|strategy| strategy.rewrites.is_empty()).collect();
    let head = document.case.as_ref().map_or(document.node.head(), |name| name.place);
    if !budget.afford_model(head, problems) {
        return (None, Looked::default());
    }
    let known = kept.as_deref().and_then(Option::as_ref);
    let ground = Ground::of(fields, known, budget, problems);
    if let Some(kept) = &mut kept {
        kept.get_or_insert_with(|| ground.clone());
    }
    let world = world::read(fields, ground, &plain, strategies, sources, problems);
    let mut looked = Looked { unreached: world.unreached, told: world.told };
    let mut shared = world.strategies.into_iter();
    let mut all = Vec::new();
    let as_written = Written::new(document.node.clone(), texts);
    for strategy in strategies {
        let rewritten = !strategy.rewrites.is_empty();
        let (model, invariants, how, expected, written) = if rewritten {
            let patched =
                strategy.rewrites.iter().fold(document.node.clone(), |node, patch| merge(node, patch));
            let fits = budget.afford_patched(patched.count(), strategy.head, problems)
                && budget.afford_model(strategy.head, problems);
            if !fits {
                break;
            }
            // What is wrong with its parts was reported where they are written.
            let document = Fields::of(&patched, patched.head(), &SCENARIO, &mut Problems::new());
            let Some(document) = document else { continue };
            let known = kept.as_deref().and_then(Option::as_ref);
            let ground = Ground::of(&document, known, budget, problems);
            let world = world::read(&document, ground, &[strategy], strategies, sources, problems);
            if budget.spent {
                break;
            }
            let World { model, invariants, strategies, unreached: loose, told } = world;
            looked.unreached.retain(|part| loose.contains(part));
            looked.told.extend(told);
            let Some((how, expected)) = strategies.into_iter().next() else { continue };
            (model, invariants, how, expected, Written::new(patched, texts))
        } else {
            let Some((how, expected)) = shared.next() else { continue };
            (world.model.clone(), world.invariants.clone(), how, expected, as_written.clone())
        };
        let (name, about) = (strategy.name.clone(), strategy.about.clone());
        all.push(StrategyCase { name, about, model, how, rewritten, expected, invariants, written });
    }
    let case = Case {
        name: document.case.as_ref().map(|name| name.value.owned()),
        about: fields.text("about").map(|text| text.value.owned()),
        invariants: world.invariants,
        strategies: all,
        seeds: fields.integer("seeds").and_then(|seeds| u64::try_from(seeds).ok()),
    };
    (Some(case), looked)
}

/// The codes of warnings that are to be silenced.
fn allow(fields: &Fields<'_>, problems: &mut Problems) -> Vec<Code> {
    let warnings = || Code::ALL.iter().filter(|code| code.name().starts_with("HW05"));
    let mut allowed = Vec::new();
    for text in fields.list("allow").iter().filter_map(|node| node.as_text()) {
        match warnings().find(|code| code.name().eq_ignore_ascii_case(&text.value)) {
            Some(code) => allowed.push(*code),
            None => {
                let known: Vec<String> = warnings().map(|code| code.name().to_owned()).collect();
                names::undeclared("warning", &text.value, text.place, &known, problems);
            }
        }
    }
    allowed
}

fn silence(problems: Problems, allowed: &[Code]) -> Problems {
    if allowed.is_empty() {
        return problems;
    }
    let mut kept = Problems::new();
    for problem in problems.iter() {
        if problem.severity == Severity::Error || !allowed.contains(&problem.code) {
            kept.push(problem.clone());
        }
    }
    kept
}
