//! What each answer of a run says, as far as its records tell.
//!
//! An answer says what its execution had come to when it was sent, not what became of it later: a flow that is answered as
//! accepted may fail afterwards. What is repeated from memory says what was remembered.

use std::collections::{BTreeMap, BTreeSet};

use super::super::doubt::Doubts;
use crate::kernel::path::{Path, Role};
use crate::model::flow::{StepKind, Target};
use crate::model::how::{Keep, KeyStore};
use crate::model::ids::OpId;
use crate::model::plan::Plan;
use crate::model::record::{FLOW, FlowMove, Kind, Record, commit};
use crate::model::step::KeyPlan;
use crate::model::weather::PointKind;

/// What those answers say that are sent by records of ours, by these.
pub(super) fn answers(
    plan: Option<&Plan>,
    records: &[Record],
    is_ours: impl Fn(usize) -> bool,
) -> BTreeMap<usize, &'static str> {
    let repeats =
        records.iter().enumerate().filter(|&(at, record)| record.kind == Kind::Replay && is_ours(at));
    let repeated: BTreeSet<(u16, u64)> = repeats.map(|(_, record)| (record.op, record.data)).collect();
    let mut book = Book {
        plan,
        doubts: Doubts::of(plan),
        now: BTreeMap::new(),
        begun: BTreeMap::new(),
        intents: BTreeMap::new(),
        made: BTreeMap::new(),
        repeated,
    };
    let mut said = BTreeMap::new();
    for (at, record) in records.iter().enumerate() {
        let ours = is_ours(at);
        // What others were told matters where ours are told the same.
        if !ours && book.repeated.is_empty() {
            continue;
        }
        if record.kind == Kind::Sent && record.flag == PointKind::Reply as u8 {
            if ours {
                // One that waits for a run that is under way is answered with it.
                let now = book.now.get(&record.path).copied();
                said.insert(at, now.unwrap_or("answer"));
            }
        } else if let Some(now) = book.note(record, ours)
            && ours
        {
            book.now.insert(record.path.child(Role::Reply, 0), now);
        }
    }
    said
}

struct Book<'a> {
    plan: Option<&'a Plan>,
    doubts: Doubts<'a>,
    /// What executions have come to, by the paths of their answers.
    now: BTreeMap<Path, &'static str>,
    /// What executions were asked for: an operation or a merged flow, and its effect. Of others than ours only where it is
    /// repeated.
    begun: BTreeMap<Path, (u16, u64)>,
    /// The targets and root effects of intents, by their slots.
    intents: BTreeMap<u32, (u16, u64)>,
    /// What was made of an effect last, by what was asked for.
    made: BTreeMap<(u16, u64), &'static str>,
    /// What ours are told from memory: what was asked for, and its effect.
    repeated: BTreeSet<(u16, u64)>,
}

impl Book<'_> {
    /// What the execution of a record has come to, if the record says so.
    fn note(&mut self, record: &Record, ours: bool) -> Option<&'static str> {
        let now = match record.kind {
            Kind::Invoke => {
                self.intents.insert(record.intent, (record.op, record.data));
                return None;
            }
            Kind::Begin => {
                if ours || self.repeated.contains(&(record.op, record.data)) {
                    self.begun.insert(record.path, (record.op, record.data));
                }
                // A merged flow of which nothing is written leaves no other record.
                return (record.op & FLOW != 0).then_some("ok");
            }
            Kind::Commit if record.flag & commit::EARLY != 0 => return None,
            Kind::Commit if record.flag & commit::REFUSED == 0 => "ok",
            Kind::Refused if self.is_spared(record) => return None,
            Kind::Commit | Kind::Refused => "refused",
            Kind::Conflict => "conflict",
            Kind::Busy => "busy",
            Kind::Failed => "error",
            Kind::Replay => return Some(self.repeated(record)),
            Kind::Flow if self.doubts.end_in(record) => "unknown",
            Kind::Flow => match FlowMove::ALL.get(usize::from(record.flag))? {
                FlowMove::Started => "accepted",
                FlowMove::Completed => "ok",
                FlowMove::Compensated | FlowMove::Escalated | FlowMove::GaveUp => "failed",
                _ => return None,
            },
            _ => return None,
        };
        if record.kind == Kind::Flow {
            let word = record.op | FLOW;
            let root = self.intents.get(&record.intent).filter(|(target, _)| *target == word);
            self.made.extend(root.filter(|asked| self.repeated.contains(asked)).map(|&asked| (asked, now)));
        } else if matches!(record.kind, Kind::Commit | Kind::Refused) && !self.is_passing(record) {
            let asked = self.begun.get(&record.path).filter(|asked| self.repeated.contains(asked));
            self.made.extend(asked.map(|&asked| (asked, now)));
        }
        Some(now)
    }

    /// A refusal that no key remembers: by weather, or because the key is that of another request.
    fn is_passing(&self, record: &Record) -> bool {
        let mismatch = self.plan.is_some_and(|plan| plan.reasons.mismatch as u64 == record.data);
        record.kind == Kind::Refused && (record.flag == 1 || mismatch)
    }

    /// A refusal of an optional step of a merged flow: the flow goes on.
    fn is_spared(&self, record: &Record) -> bool {
        let Some(&(word, _)) = self.begun.get(&record.path).filter(|(word, _)| word & FLOW != 0) else {
            return false;
        };
        let flow = self.plan.and_then(|plan| plan.model.flows.get(usize::from(word & !FLOW)));
        let target = Target::Op(OpId(record.op));
        let mut steps = flow.into_iter().flat_map(|flow| &flow.steps).filter_map(|step| match &step.does {
            StepKind::Call(call) => (call.action.target == target).then_some(call.optional),
            StepKind::Wait(_) => None,
        });
        steps.next().is_some_and(|first| first && steps.all(|optional| optional))
    }

    /// What an answer from memory says.
    fn repeated(&self, record: &Record) -> &'static str {
        let made = self.made.get(&(record.op, record.data)).copied();
        match (made, self.keeps_refusals(record.op)) {
            (Some("ok"), _) | (Some(_), Some(false)) => "ok again",
            (Some("refused"), Some(true)) => "refused again",
            (Some("failed"), Some(true)) => "failed again",
            // The key was there before anything was done.
            (None, Some(false)) if self.stored_before(record.op) => "ok",
            // A key of its own making may be that of another effect, and a process in Rust repeats what it likes.
            _ => "again",
        }
    }

    /// Whether a key is stored before what it stands for, as done.
    fn stored_before(&self, word: u16) -> bool {
        let before = |key: &KeyPlan| key.policy.store == KeyStore::Before;
        let mut programs = self.plan.iter().flat_map(|plan| &plan.programs);
        programs.any(|program| program.op.0 == word && program.key.as_ref().is_some_and(before))
    }

    /// Whether a refusal is remembered as one under a key; `None`: nobody can say.
    fn keeps_refusals(&self, word: u16) -> Option<bool> {
        let keeps = |key: &KeyPlan| key.policy.keep == Keep::Any && key.policy.store != KeyStore::Before;
        let plan = self.plan?;
        if word & FLOW != 0 {
            let flow = plan.flows.get(usize::from(word & !FLOW))?;
            return Some(flow.key.as_ref().is_some_and(keeps));
        }
        let mut programs = plan.programs.iter().filter(|program| program.op.0 == word).peekable();
        programs.peek()?;
        Some(programs.any(|program| program.key.as_ref().is_some_and(keeps)))
    }
}
