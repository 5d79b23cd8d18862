//! The course of a run: what a seed decides in the weather of a scenario, or a script and calm.

use std::collections::BTreeSet;
use std::fmt;

use super::naming::Naming;
use super::prepared::{Prepared, Run};
use super::trace::Trace;
use crate::kernel::path::{Path, Role};
use crate::kernel::script::Matter;
use crate::kernel::time::Span;
use crate::model::Model;
use crate::model::name::Name;
use crate::model::record::Kind;
use crate::model::script::{Decision, Deed, POINTS, point_of};
use crate::model::weather::{Downtime, Moment, Place, PointKind};
use crate::store::{Sink, Tables};

/// The course of a run.
#[derive(Clone, PartialEq)]
pub struct Course {
    /// Decides ties, arguments and routes, and without a script everything.
    pub seed: u64,
    /// What is decided by name; all else is calm. `None`: what the scenario's weather brings.
    pub script: Option<Vec<Decision>>,
}

/// Where a script can strike in a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Passing {
    /// What passes: a message, or the execution of an operation.
    pub name: Name,
    /// Which point it passes.
    pub kind: PointKind,
    /// The node that it passes it at.
    pub node: Place,
}

/// How large a course is: what shrinking makes smaller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size {
    /// Intents that clients begin.
    pub intents: u64,
    /// Things that go wrong: decisions of a script, or without one what the weather brought.
    pub faults: u64,
    /// Times that are not the shortest.
    pub times: u64,
    /// Events of the run.
    pub events: u64,
}

/// Its seed and the lines of its script, as a person would write them: a failed property test shows no more.
impl fmt::Debug for Course {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed {}", self.seed)?;
        match &self.script {
            None => f.write_str(", in the weather of the scenario"),
            Some(script) if script.is_empty() => f.write_str(", calm"),
            Some(_) => self.lines().try_for_each(|line| write!(f, "\n    {line}")),
        }
    }
}

impl Course {
    /// The course of a seed.
    #[must_use]
    pub fn of_seed(seed: u64) -> Course {
        Course { seed, script: None }
    }

    /// The scenario with this course as its only one.
    #[must_use]
    pub fn over(&self, prepared: &Prepared) -> Prepared {
        match &self.script {
            Some(script) => prepared.scripted(script, true, self.seed),
            None => prepared.clone(),
        }
    }

    /// Runs it; `None` if the strategy cannot be carried out.
    #[must_use]
    pub fn run(&self, prepared: &Prepared) -> Option<Run> {
        Some(self.over(prepared).bench()?.run(self.seed))
    }

    /// The same course, written down; `None` if the strategy cannot be carried out.
    #[must_use]
    pub fn written(&self, prepared: &Prepared) -> Option<Course> {
        if self.script.is_some() {
            return Some(self.clone());
        }
        Some(Course { seed: self.seed, script: Some(prepared.record(self.seed)?.decisions) })
    }

    /// The lines of its script.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.script.iter().flatten().map(|decision| decision.line.as_str())
    }

    /// How large it is; `None` if the strategy cannot be carried out.
    #[must_use]
    pub fn size(&self, prepared: &Prepared) -> Option<Size> {
        let run = self.run(prepared)?;
        let written = self.written(prepared)?;
        let count = |of: fn(&Deed) -> bool| {
            written.script.iter().flatten().filter(|decision| of(&decision.deed)).count() as u64
        };
        let intents = run.verdict.counts.get(crate::model::expr::Counter::Intents);
        Some(Size {
            intents: u64::try_from(intents).unwrap_or(0),
            faults: count(Deed::is_fault),
            times: count(Deed::is_time),
            events: run.ended.events,
        })
    }

    /// Where something could strike in it, in the order of the run.
    #[must_use]
    pub fn passings(&self, prepared: &Prepared) -> Vec<Passing> {
        let over = self.over(prepared);
        let (Ok(plan), Some(mut bench)) = (&over.plan, over.bench()) else { return Vec::new() };
        let mut trace = Messages::default();
        bench.run_with(self.seed, &mut trace);
        let naming = Naming::of_paths(&plan.model, &trace.0, trace.0.records.iter().map(|one| one.path));
        let mut known = BTreeSet::new();
        let mut passings = Vec::new();
        for record in &trace.0.records {
            let kind = match record.kind {
                Kind::Sent => POINTS.iter().map(|(_, kind)| *kind).find(|kind| *kind as u8 == record.flag),
                Kind::Begin => Some(PointKind::Commit),
                _ => None,
            };
            let Some(kind) = kind else { continue };
            if known.insert((record.path, kind)) {
                let node = super::record::place(plan, record.who);
                passings.push(Passing { name: naming.name(record.path), kind, node });
            }
        }
        passings
    }
}

/// Keeps no rows, which nobody asks for here.
#[derive(Default)]
struct Messages(Trace);

impl Sink for Messages {
    fn record(&mut self, record: &crate::model::record::Record, _tables: &mut Tables) {
        self.0.records.push(*record);
    }
}

impl Passing {
    /// What can go wrong here, the `n`-th of them with a length of `span` where it has one; `None` beyond the last.
    #[must_use]
    pub fn fault(&self, n: usize, span: Span, model: &Model) -> Option<Decision> {
        let first = || self.name.child(Role::Copy, 0, None);
        let strike = |pause: bool, after: bool| {
            let point = point_of(self.kind);
            let moment = if after { Moment::After(point) } else { Moment::Before(point) };
            Deed::Strike(self.node, pause, moment, Downtime::For(span.into()))
        };
        let message = self.kind.is_message();
        let (name, deed) = match (n, message) {
            (0, true) => (first(), Deed::Lost),
            (1, true) => (self.name.clone(), Deed::Copies(2)),
            (2, true) => (self.name.clone(), Deed::Late(span)),
            (3, true) | (0, false) => (self.name.clone(), strike(false, true)),
            (1, false) => (self.name.clone(), strike(false, false)),
            (2, false) => (self.name.clone(), strike(true, true)),
            (3, false) => (self.name.clone(), Deed::Fail),
            _ => return None,
        };
        // Clients are named by their group and do not come back to what they did.
        if matches!((&deed, self.node), (Deed::Strike(..), Place::Group(_))) {
            return None;
        }
        Some(Decision { line: deed.line(&name.text, model), path: name.path, deed })
    }
}

/// The intents of a scenario, by name and path, group by group.
pub(super) fn intents(model: &Model) -> Vec<Name> {
    let mut all = Vec::new();
    for (group, of) in model.groups.iter().enumerate() {
        let intents = if of.script.is_empty() { of.intents } else { of.script.len() as u32 };
        for number in 0..of.count {
            let client = Name::client(model, group, number);
            all.extend((0..intents).map(|n| client.child(Role::Intent, n, None)));
        }
    }
    all
}

/// The paths of the intents that a script leaves out.
pub(super) fn left_out(script: &[Decision]) -> BTreeSet<Path> {
    let left_out = script.iter().filter(|decision| decision.deed.matter() == Some(Matter::LEFT_OUT));
    left_out.map(|decision| decision.path).collect()
}
