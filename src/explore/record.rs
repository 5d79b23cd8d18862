//! A run written down as a script: all that was decided in it and is not the default, by name.
//!
//! In calm weather, with the run's seed for ties, arguments and routes, the script is the run again.

use std::sync::Arc;

use super::naming::Naming;
use super::prepared::{Prepared, Run};
use super::trace::Trace;
use crate::kernel::choose::Ask;
use crate::kernel::path::{Path, Role};
use crate::kernel::script::{Matter, Note};
use crate::kernel::time::{Span, Time};
use crate::model::plan::{NodeKind, Plan};
use crate::model::record::NONE;
use crate::model::script::{Decision, Deed, POINTS, point_of};
use crate::model::weather::{Downtime, FaultVerb, Moment, Place};

/// A run and its decisions.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// What the run showed.
    pub run: Run,
    /// What was decided in it, in the order in which it was.
    pub decisions: Vec<Decision>,
}

impl Prepared {
    /// Runs a seed and writes it down; `None` if the strategy cannot be carried out.
    pub fn record(&self, seed: u64) -> Option<Recorded> {
        let plan = self.plan.as_ref().ok()?;
        let mut bench = self.bench()?;
        let mut trace = Trace::default();
        let mut notes = Vec::new();
        let run = bench.run_noting(seed, &mut trace, &mut notes);
        let naming = Naming::of(&plan.model, &trace, &notes);
        let decisions = decisions(plan, &notes).into_iter().map(|(path, deed)| {
            let name = if path == Path::ROOT { String::new() } else { naming.name(path).text };
            Decision { line: deed.line(&name, &plan.model), path, deed }
        });
        Some(Recorded { run, decisions: decisions.collect() })
    }

    /// The same in weather of which only these decisions are known: all else is calm, or with `calm` off as it was, and
    /// ties, arguments and routes are those of the seed.
    #[must_use]
    pub fn scripted(&self, decisions: &[Decision], calm: bool, seed: u64) -> Prepared {
        let Ok(plan) = &self.plan else { return self.clone() };
        let mut model = (*plan.model).clone();
        model.weather.set_script(decisions, calm);
        model.weather.seed = Some(seed);
        let mut fault_when = plan.fault_when.clone();
        fault_when.resize(model.weather.faults.len(), None);
        self.with_plan(Plan { model: Arc::new(model), fault_when, ..plan.clone() })
    }
}

/// What was noted, as decisions. Where the clock decided, the path is the root.
fn decisions(plan: &Plan, notes: &[Note]) -> Vec<(Path, Deed)> {
    let mut all = Vec::new();
    for (at, note) in notes.iter().enumerate() {
        let Note { path, what, value } = *note;
        let lasts = |name: Path, among: usize| {
            let next = notes[at + 1..].iter().take(among);
            let lasts = next.clone().find(|note| note.path == name && note.what == Matter::LASTS)?;
            Some(match lasts.value {
                u64::MAX => Downtime::Ever,
                ns => Downtime::For(Span(ns).into()),
            })
        };
        let verb = || &plan.model.weather.faults[(value >> 32) as usize].verb;
        let pauses = |verb: &FaultVerb| matches!(verb, FaultVerb::Pause(..));
        let (path, deed) = match what {
            Matter::COPIES => (path, Deed::Copies(value as u32)),
            Matter::LOST => (path, Deed::Lost),
            Matter::ARRIVES => (path, Deed::Arrives(Span(value))),
            Matter::LATE => (path, Deed::Late(Span(value))),
            Matter::REFUSED => (path, Deed::Refuse(value as i64)),
            Matter::FAILED => (path, Deed::Fail),
            Matter::LEFT_OUT => (path, Deed::LeftOut),
            Matter::CLOCK => {
                let Some(lasts) = lasts(path, 2) else { continue };
                let at = Time(notes.get(at + 1).map_or(0, |note| note.value));
                let deed = match (verb(), value as u32) {
                    (FaultVerb::Cut(link, ..), _) => Deed::Cut(link.clone(), at, lasts),
                    (_, NONE) => continue,
                    (verb, node) => Deed::Strike(place(plan, node), pauses(verb), Moment::At(at), lasts),
                };
                (Path::ROOT, deed)
            }
            Matter::AT | Matter::LASTS => continue,
            _ => match (what.as_point(), ask(what)) {
                (Some((after, kind)), _) => {
                    let Some(lasts) = lasts(path.child(Role::Fault, 0), 1) else { continue };
                    let Some((_, kind)) = POINTS.iter().find(|(_, known)| *known as u8 == kind) else {
                        continue;
                    };
                    let point = point_of(*kind);
                    let moment = if after == 0 { Moment::Before(point) } else { Moment::After(point) };
                    (path, Deed::Strike(place(plan, value as u32), pauses(verb()), moment, lasts))
                }
                (None, Some(ask)) => (path, Deed::Answer(ask, value)),
                (None, None) => continue,
            },
        };
        all.push((path, deed));
    }
    all
}

fn ask(what: Matter) -> Option<Ask> {
    [Ask::Think, Ask::Start, Ask::Gap, Ask::Jitter].into_iter().find(|&ask| Matter::from(ask) == what)
}

/// A node, as exactly as scenario files can say it.
pub(super) fn place(plan: &Plan, node: u32) -> Place {
    match plan.nodes.kind(node) {
        NodeKind::Replica(service, _) if plan.model.service(service).replicas == 1 => Place::Service(service),
        NodeKind::Replica(service, n) => Place::Replica(service, n),
        NodeKind::Database(service) => Place::Database(service),
        NodeKind::Client(group, _) => Place::Group(group),
    }
}
