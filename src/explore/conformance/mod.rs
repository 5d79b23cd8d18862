//! A strategy in Rust put to the test: one call runs it through a set of scenarios that come with the tool and says which
//! properties it keeps, beside the strategy that it stands on.
//!
//! Each case has one kind of trouble, small enough that it strikes in every run: a lost reply, copies early and late,
//! crashes around the commit, races for a row, two orders that look alike.

use std::fmt;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use super::hush::show_panics_once;
use super::prepared::Prepared;
use super::sweep::{Swept, sweep};
use crate::check::Minimum;
use crate::model::invariant::Verdict;
use crate::model::own::Policy;
use crate::scenario::{self, Misfit, Scenario};

/// The scenarios that a strategy is put through.
const SCENARIOS: &str = include_str!("scenarios.json");

/// What a strategy was put through, and how it fared.
#[derive(Clone, Debug, PartialEq)]
pub struct Conformance {
    /// The name of the strategy.
    pub strategy: String,
    /// The strategy that it stands on.
    pub base: String,
    /// How many seeds each case was run with.
    pub seeds: u64,
    /// One for each property that a case could have broken, in the order of the cases.
    pub rows: Vec<Conforms>,
    /// Seeds in which code of the policy panicked: the case, the seed and what it said.
    pub broken: Vec<(String, u64, String)>,
}

/// One property in one case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conforms {
    /// What happens.
    pub case: String,
    /// The property.
    pub property: String,
    /// What became of it.
    pub verdict: Verdict,
    /// What becomes of it under the strategy that this one stands on.
    pub base: Verdict,
    /// In how many runs it was broken, or stuck.
    pub bad_runs: u64,
    /// The smallest seed that shows it.
    pub first_seed: Option<u64>,
}

impl Conforms {
    /// Whether the property was broken, or could not be judged because something never ended or it has no value.
    pub fn is_bad(&self) -> bool {
        matches!(self.verdict, Verdict::Violated | Verdict::Stuck | Verdict::Error)
    }
}

impl Conformance {
    /// The properties kept in every case that put them to the test.
    pub fn keeps(&self) -> Vec<&str> {
        self.properties().filter(|property| !self.of(property).any(Conforms::is_bad)).collect()
    }

    /// The properties broken in some case.
    pub fn breaks(&self) -> Vec<&str> {
        self.properties().filter(|property| self.of(property).any(Conforms::is_bad)).collect()
    }

    /// What became of a property, in each case that put it to the test.
    pub fn of<'c>(&'c self, property: &'c str) -> impl Iterator<Item = &'c Conforms> {
        self.rows.iter().filter(move |row| row.property == property)
    }

    fn properties(&self) -> impl Iterator<Item = &str> {
        let first = |(at, row): &(usize, &Conforms)| {
            self.rows[..*at].iter().all(|before| before.property != row.property)
        };
        self.rows.iter().enumerate().filter(first).map(|(_, row)| row.property.as_str())
    }
}

/// A table with a line for each kind of trouble and a column for each property, what is broken with a seed that shows it,
/// and which properties are kept.
impl fmt::Display for Conformance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let properties: Vec<&str> = self.properties().collect();
        let mut cases: Vec<&str> = self.rows.iter().map(|row| row.case.as_str()).collect();
        cases.dedup();
        let cell = |case: &str, property: &str| {
            let row = self.of(property).find(|row| row.case == case);
            row.map_or("-", |row| match (row.verdict, row.base) {
                (Verdict::Violated, _) => "broken",
                (Verdict::Stuck, _) => "stuck",
                (Verdict::Error, _) => "error",
                (Verdict::Holds, Verdict::Violated | Verdict::Stuck) => "cured",
                (Verdict::Holds, _) => "holds",
                _ => "-",
            })
        };
        // Headings take two lines: the first two words, and the rest.
        let halves = |property: &str| {
            let at = property.match_indices(' ').nth(1).map_or(property.len(), |(at, _)| at);
            let (first, rest) = property.split_at(at);
            (first.to_owned(), rest.trim_start().to_owned())
        };
        let headings: Vec<(String, String)> = properties.iter().map(|property| halves(property)).collect();
        let wide = |(a, b): &(String, String)| a.len().max(b.len()).max("broken".len());
        let first = cases.iter().map(|case| case.len()).max().unwrap_or(0).max(self.strategy.len());
        let line = |f: &mut fmt::Formatter<'_>, name: &str, cells: &[&str]| {
            let mut text = format!("{name:<first$}");
            for (cell, heading) in cells.iter().zip(&headings) {
                let wide = wide(heading);
                text += &format!("  {cell:<wide$}");
            }
            writeln!(f, "{}", text.trim_end())
        };
        line(f, "", &headings.iter().map(|(above, _)| above.as_str()).collect::<Vec<_>>())?;
        line(f, &self.strategy, &headings.iter().map(|(_, below)| below.as_str()).collect::<Vec<_>>())?;
        for case in cases {
            line(f, case, &properties.iter().map(|property| cell(case, property)).collect::<Vec<_>>())?;
        }
        writeln!(
            f,
            "cured: broken under {}   -: not put to the test   {} seeds each",
            self.base, self.seeds
        )?;
        for row in self.rows.iter().filter(|row| row.is_bad()) {
            let seed = row.first_seed.map(|seed| format!(", seed {seed}")).unwrap_or_default();
            writeln!(f, "{}: {} is {}{seed}", row.case, row.property, row.verdict.word())?;
        }
        for (case, seed, said) in &self.broken {
            writeln!(f, "{case}, seed {seed}: {said}")?;
        }
        let list = |names: Vec<&str>| if names.is_empty() { "nothing".into() } else { names.join(", ") };
        writeln!(f, "{} keeps: {}", self.strategy, list(self.keeps()))?;
        writeln!(f, "{} breaks: {}", self.strategy, list(self.breaks()))
    }
}

/// The scenarios themselves, for whoever wants to look closer: one, with a case for each kind of trouble and strategies
/// to stand on.
///
/// # Panics
/// Never: a test reads them.
pub fn scenarios() -> Scenario {
    let read = scenario::read(Path::new("conformance.json"), &mut |_| Ok(SCENARIOS.as_bytes().to_vec()));
    read.unwrap_or_else(|rejected| {
        panic!(
            "{}",
            scenario::render::text(&rejected.problems, &rejected.sources, scenario::render::Look::Plain)
        )
    })
}

/// Puts a policy through all scenarios, with so many seeds in each case. `base` is the strategy that it stands on:
/// `naive`, `occ`, `idempotent` or `hardened`.
///
/// # Errors
/// If there is no such base, if the name is taken, or if a table that it brings along is there already.
pub fn conformance(name: &str, base: &str, policy: impl Policy, seeds: u64) -> Result<Conformance, Misfit> {
    show_panics_once();
    let scenario = scenarios().with_strategy(name, base, policy)?;
    let (strategy, base) = (name.to_owned(), base.to_owned());
    let mut all = Conformance { strategy, base, seeds, rows: Vec::new(), broken: Vec::new() };
    for case in &scenario.cases {
        let Some(title) = &case.name else { continue };
        let run = |name: &str| {
            let strategy = case.strategies.iter().find(|strategy| strategy.name == name)?;
            let prepared = Prepared::of(strategy);
            let swept = sweep(&prepared, 0..seeds, 2, &|_| {}, &AtomicBool::new(false));
            Some((prepared, swept.unwrap_or_default()))
        };
        let (Some((prepared, own)), Some((_, base))) = (run(name), run(&all.base)) else { continue };
        let panics = own.broken.iter().chain(&own.panics);
        all.broken.extend(panics.map(|(seed, said)| (title.clone(), *seed, said.clone())));
        for (at, invariant) in prepared.invariants.iter().enumerate() {
            let of = |swept: &Swept| swept.tally.verdict(at, &Minimum::default());
            let tally = own.tally.invariants.get(at).cloned().unwrap_or_default();
            let (verdict, base) = (of(&own), of(&base));
            if verdict == Verdict::Inconclusive && base == Verdict::Inconclusive {
                continue;
            }
            let stuck = verdict == Verdict::Stuck;
            all.rows.push(Conforms {
                case: title.clone(),
                property: invariant.name.clone(),
                verdict,
                base,
                bad_runs: if stuck { tally.stuck_runs } else { tally.violating_runs },
                first_seed: if stuck { tally.first_stuck } else { tally.first_violating },
            });
        }
    }
    Ok(all)
}
