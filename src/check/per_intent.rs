//! Expressions judged for each intent when it is settled.
//!
//! The `Local`s of such an expression:
//!
//! | slot | name | type | value |
//! |---|---|---|---|
//! | [`OUTCOME`] | `intent.outcome` | text | `'ok'`, `'failed'`, `'unknown'`, or null if the client was told nothing |
//! | [`EFFECTS`] | `intent.effects` | list of records | what was changed, in order of time |
//! | from [`ARGS`] on | `intent.args.…` | as declared | with what it began; null where its target has no such argument |
//!
//! The arguments are numbered as [`Model::intent_args`] lists their names.
//!
//! An effect is a record of `table` (text, `'service.table'`), `step` (text, `'service.operation'`: what changed it) and
//! `undone` (boolean: its compensation changed something later), in that order. Compensations are no effects; writes of
//! `otherwise` and those that left a row as it was are none either. A table changed twice by one execution is one effect.

use std::sync::Arc;

use super::finding::Witness;
use super::open::Open;
use super::sheet::Sheet;
use crate::kernel::time::Time;
use crate::model::Model;
use crate::model::expr::{Code, Expr, Scratch};
use crate::model::flow::Target;
use crate::model::record::{FLOW, NONE, Outcome, StepRole, install};
use crate::model::value::{NULL, Word, truth};
use crate::store::Tables;

/// The slot of what the client was told.
pub const OUTCOME: u16 = 0;
/// The slot of the list of effects.
pub const EFFECTS: u16 = 1;
/// The first slot of the arguments.
pub const ARGS: u16 = 2;

/// True for every intent.
#[derive(Clone, Debug)]
pub(super) struct PerIntent {
    known: Arc<Known>,
    /// Executions and tables seen, the greatest last.
    seen: Vec<(u32, u16)>,
    /// By instance and step the place of the last compensation that changed something.
    undone: Vec<(u32, u8, u32)>,
    items: Vec<Word>,
    slots: Vec<Word>,
}

#[derive(Debug)]
struct Known {
    code: Code,
    span: std::ops::Range<u32>,
    wants_effects: bool,
    /// For each slot from [`ARGS`] on: which argument it is, by target.
    args: Vec<Vec<(u16, u16)>>,
    outcomes: [Word; 3],
    tables: Vec<Word>,
    operations: Vec<Word>,
}

/// The word of a text; one that the file never mentions needs one that is equal to no text of the file.
fn word(model: &Model, text: &str, n: usize) -> Word {
    model.symbols.find(text).unwrap_or(-1 - n as Word)
}

/// Where the slots of an expression's arguments come from, up to the last one that it reads.
fn args(model: &Model, expr: &Expr) -> Vec<Vec<(u16, u16)>> {
    let read = expr.locals().last().map_or(0, |last| (last + 1).saturating_sub(ARGS));
    let mut targets: Vec<Target> =
        model.groups.iter().flat_map(|group| group.calls()).map(|call| call.target).collect();
    targets.sort_unstable();
    targets.dedup();
    let word = |target| match target {
        Target::Op(op) => op.0,
        Target::Flow(flow) => flow.0 | FLOW,
    };
    let places = |name: &String| {
        let at = |target: &Target| model.args_of(*target).iter().position(|slot| slot.name == *name);
        targets.iter().filter_map(|target| Some((word(*target), at(target)? as u16))).collect()
    };
    model.intent_args().iter().take(usize::from(read)).map(places).collect()
}

impl PerIntent {
    pub(super) fn new(model: &Model, expr: &Expr) -> PerIntent {
        let tables = model.table_ids().map(|id| word(model, &model.table_name(id), 3 + usize::from(id.0)));
        let after = 3 + model.tables.len();
        let operations =
            model.operation_ids().map(|id| word(model, &model.operation_name(id), after + usize::from(id.0)));
        let known = Known {
            code: Code::compile(expr),
            span: expr.span.clone(),
            wants_effects: expr.locals().contains(&EFFECTS),
            args: args(model, expr),
            outcomes: [word(model, "ok", 0), word(model, "failed", 1), word(model, "unknown", 2)],
            tables: tables.collect(),
            operations: operations.collect(),
        };
        PerIntent {
            known: Arc::new(known),
            seen: Vec::new(),
            undone: Vec::new(),
            items: Vec::new(),
            slots: Vec::new(),
        }
    }

    /// Whether it asks for arguments.
    pub(super) fn wants_args(&self) -> bool {
        !self.known.args.is_empty()
    }

    /// Whether it asks for effects.
    pub(super) fn wants_effects(&self) -> bool {
        self.known.wants_effects
    }

    pub(super) fn settled(
        &mut self,
        open: &Open,
        quiescent: bool,
        at: Time,
        tables: &mut Tables,
        scratch: &mut Scratch,
        sheet: &mut Sheet,
    ) {
        if !quiescent {
            sheet.run.stuck = true;
            return;
        }
        sheet.run.obligations += 1;
        let known = self.known.clone();
        let outcome = open.party.told.map_or(NULL, |told: Outcome| known.outcomes[told as usize]);
        let effects = if known.wants_effects { self.effects(open, tables) } else { NULL };
        self.slots.clear();
        self.slots.extend([outcome, effects]);
        for by_target in &known.args {
            let at = by_target.iter().find(|(target, _)| *target == open.party.target).map(|(_, at)| *at);
            self.slots.push(at.and_then(|at| open.args.get(usize::from(at)).copied()).unwrap_or(NULL));
        }
        if sheet.test(&known.code, &self.slots, tables, scratch) == Some(false) {
            let (span, who) = (known.span.clone(), Some(open.party));
            let what = || Witness::Expression { span, row: None, by: None, who };
            sheet.violated(at, [open.party.serial, NONE], what);
        }
    }

    fn effects(&mut self, open: &Open, tables: &mut Tables) -> Word {
        self.seen.clear();
        self.items.clear();
        self.undone.clear();
        for deed in open.deeds().rev().filter(|deed| deed.changed(u64::MAX)) {
            for (instance, step, role) in open.steps_of(deed) {
                if role == StepRole::Undo
                    && !self.undone.iter().any(|undo| (undo.0, undo.1) == (instance, step))
                {
                    self.undone.push((instance, step, deed.place()));
                }
            }
        }
        let heap = tables.heap_mut();
        for put in open.puts {
            let deed = open.deed_of(put);
            let undo = open.undoes(deed);
            let key = (deed.place(), put.table);
            let nothing = put.flag & (install::NOOP | install::OTHERWISE) != 0;
            if nothing || undo || !deed.ran() {
                continue;
            }
            // Most come in order: then the last one tells.
            match self.seen.last() {
                Some(last) if *last >= key && self.seen.contains(&key) => continue,
                Some(last) if *last >= key => self.seen.insert(0, key),
                _ => self.seen.push(key),
            }
            let undone = open.steps_of(deed).any(|(instance, step, _)| {
                let of = |undo: &&(u32, u8, u32)| (undo.0, undo.1) == (instance, step);
                self.undone.iter().find(of).is_some_and(|undo| undo.2 > deed.place())
            });
            let table = self.known.tables[usize::from(put.table)];
            let step = self.known.operations.get(usize::from(deed.op)).copied().unwrap_or(NULL);
            self.items.push(heap.tuple(&[table, step, truth(undone)]));
        }
        heap.tuple(&self.items)
    }
}
