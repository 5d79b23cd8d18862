//! What a violation is made of: ids, paths and versions, no text. A report renders them with the model at hand.
//!
//! A finding names who was involved (a [`Party`] each), what they did (an [`Act`] each) and what came of it
//! (a [`Witness`], one form for each kind of invariant).

use std::ops::Range;

use crate::kernel::path::Path;
use crate::kernel::time::Time;
use crate::model::flow::numbers;
use crate::model::ids::{ColumnId, FlowId, TableId};
use crate::model::record::{FlowMove, NONE, Outcome, StepRole};
use crate::model::value::Word;

/// An intent of a client, and what the client was told about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Party {
    /// The client, numbered over all groups; [`NONE`] if no client asked for it.
    pub client: u32,
    /// The index of the intent among the client's.
    pub intent: u32,
    /// What it asked for: an operation, or a flow with [`FLOW`](crate::model::record::FLOW) added.
    pub target: u16,
    /// The path of the intent.
    pub path: Path,
    /// What the client was told by the end of the run, if anything.
    pub told: Option<Outcome>,
    /// Its place among all intents of the run.
    pub(super) serial: u32,
}

impl Party {
    /// No client at all.
    pub const NOBODY: Party =
        Party { client: NONE, intent: NONE, target: 0, path: Path(0), told: None, serial: NONE };

    /// Whether a client asked for it.
    pub fn is_known(&self) -> bool {
        self.client != NONE
    }
}

/// A transaction that became durable, and on whose behalf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Act {
    /// When.
    pub at: Time,
    /// The execution that committed.
    pub path: Path,
    /// The operation.
    pub op: u16,
    /// The effect: the same for all attempts and copies.
    pub effect: u64,
    /// The flow instance, or [`NONE`].
    pub instance: u32,
    /// The step of the flow, and whether it was done or undone.
    pub step: Option<(u8, StepRole)>,
    /// For whom.
    pub party: Party,
}

impl Act {
    /// Nothing done by nobody.
    pub const NONE: Act = Act {
        at: Time::ZERO,
        path: Path(0),
        op: 0,
        effect: 0,
        instance: NONE,
        step: None,
        party: Party::NOBODY,
    };
}

/// What became of the steps of a flow, each a set of step numbers: bit n is step n. Of an intent that called one
/// operation, bit 0 is that operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Steps {
    /// Done, and the effect stands.
    pub done: u64,
    /// Done and undone again.
    pub undone: u64,
    /// Executed without changing anything.
    pub idle: u64,
    /// Due and never done.
    pub missing: u64,
    /// Left out, because its condition was false or nobody came to ask it.
    pub left_out: u64,
}

impl Steps {
    /// The numbers in a set, in order.
    pub fn numbers(set: u64) -> impl Iterator<Item = u8> {
        numbers(set)
    }
}

/// The rules of compensation, S1 to S14 without those that other invariants or later versions judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum SagaRule {
    /// A step is undone more often than it was done.
    UndoneTooOften = 1,
    /// A step is done again while its effect stands.
    DoneTwice = 2,
    /// After the pivot a step before it is undone, or before the pivot a step after it is done.
    PivotCrossed = 3,
    /// A step is done after its compensation was accepted.
    DoneAfterUndo = 4,
    /// The compensation of a step that had no effect changed something.
    EmptyUndo = 5,
    /// Steps that build on each other are undone in the wrong order.
    WrongOrder = 6,
    /// The flow is half done, or what its coordinator believes is not so.
    HalfDone = 9,
    /// An effect came after its flow had ended, and stands.
    LateEffect = 10,
    /// The flow failed and a step that can be undone was not, yet nobody was called.
    NotUndone = 12,
    /// The pivot is passed and not all that follows is done.
    NotFinished = 13,
    /// The flow never came to its end.
    NeverEnded = 14,
}

/// What an engine still holds at the end of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Leftovers {
    /// Row locks held.
    pub locks: u32,
    /// Idempotency keys in progress.
    pub keys_in_progress: u32,
    /// Transactions begun and not ended.
    pub open_transactions: u32,
}

impl Leftovers {
    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        *self == Leftovers::default()
    }
}

/// A violation.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// When it happened; of what is judged at rest, the end of the run.
    pub at: Time,
    /// Every client involved was told ok.
    pub silent: bool,
    /// What happened.
    pub what: Witness,
}

/// What happened, by kind of invariant.
#[derive(Clone, Debug, PartialEq)]
pub enum Witness {
    /// An update was overwritten by a writer that had not seen it.
    LostUpdate {
        /// The table.
        table: TableId,
        /// The slot of the row.
        row: u32,
        /// Who wrote what was lost; the newest, if several.
        victim: Act,
        /// The version that was lost.
        victim_version: u32,
        /// Who overwrote it.
        culprit: Act,
        /// The version installed by the culprit.
        version: u32,
        /// The version that the culprit had read.
        base: u32,
        /// The columns lost, bit n is column n; all of them if a deletion was lost, none if nothing was.
        columns: u32,
        /// How many updates were lost at once, as far as remembered.
        victims: u32,
    },
    /// An effect took place twice.
    DuplicateEffect {
        /// The first time.
        first: Act,
        /// And again.
        second: Act,
    },
    /// A client was told ok and something of it is missing.
    NotDurable {
        /// The client.
        who: Party,
        /// The flow it asked for; `None`: one operation.
        flow: Option<FlowId>,
        /// The instance of the flow, or [`NONE`] if it never started.
        instance: u32,
        /// What became of the steps.
        steps: Steps,
    },
    /// A client was told that it failed and something of it stands.
    NotUndone {
        /// The client.
        who: Party,
        /// What stands, the first few.
        stands: Vec<Act>,
    },
    /// A coordinator believes what is not so.
    WrongBelief {
        /// For whom.
        who: Party,
        /// The flow.
        flow: FlowId,
        /// The instance.
        instance: u32,
        /// What it believes.
        believed: FlowMove,
        /// What is.
        steps: Steps,
    },
    /// Some steps of a flow are done and others are not.
    HalfDone {
        /// For whom.
        who: Party,
        /// The flow.
        flow: FlowId,
        /// The instance.
        instance: u32,
        /// What became of the steps.
        steps: Steps,
    },
    /// A rule of compensation is broken.
    Rule {
        /// Which.
        rule: SagaRule,
        /// For whom.
        who: Party,
        /// The flow.
        flow: FlowId,
        /// The instance.
        instance: u32,
        /// The step, if it is one's fault.
        step: Option<u8>,
        /// What became of the steps.
        steps: Steps,
        /// The acts that show it, in order of time.
        acts: Vec<Act>,
    },
    /// Two rows where there may be one.
    TwoRows {
        /// The table.
        table: TableId,
        /// The column.
        column: ColumnId,
        /// The value they share.
        value: Word,
        /// The slot and origin of the one that was there; [`Act::NONE`]: it was there from the start.
        first: (u32, Act),
        /// The slot and origin of the other.
        second: (u32, Act),
    },
    /// A row without an owner.
    Orphan {
        /// The table.
        table: TableId,
        /// The slot of the row.
        row: u32,
        /// Who made it, unless it was there from the start.
        by: Option<Act>,
    },
    /// An expression is not true.
    Expression {
        /// The part of it that is not, in bytes of its text.
        span: Range<u32>,
        /// The row that made it so, if one did.
        row: Option<(TableId, u32)>,
        /// The act after which it was so, if one did it.
        by: Option<Act>,
        /// The intent it was judged for, if it is judged for each.
        who: Option<Party>,
    },
    /// A value is not what it was at the start. Words of lists and records are not kept.
    Changed {
        /// At the start.
        from: Option<Word>,
        /// At rest.
        to: Option<Word>,
    },
    /// An intent never ended.
    NeverEnded {
        /// Whose.
        who: Party,
    },
    /// A row that a failed flow left behind.
    LeftRow {
        /// The table.
        table: TableId,
        /// The slot of the row.
        row: u32,
        /// The flow.
        flow: FlowId,
        /// Who made it.
        by: Act,
    },
    /// Something was left locked or open.
    LeftLocked(Leftovers),
    /// An invariant in Rust says so.
    Own {
        /// What is wrong, or what it said when it panicked.
        text: String,
        /// It panicked.
        panicked: bool,
        /// What shows it. Of a record that is no commit, its path and time.
        acts: Vec<Act>,
        /// Whom it is about, besides those of the acts.
        about: Vec<Party>,
    },
}

impl Witness {
    /// All parties in it, to be told what they were told.
    pub(super) fn parties(&mut self) -> Vec<&mut Party> {
        match self {
            Witness::LostUpdate { victim, culprit, .. } => vec![&mut victim.party, &mut culprit.party],
            Witness::DuplicateEffect { first, second } => vec![&mut first.party, &mut second.party],
            Witness::NotDurable { who, .. }
            | Witness::WrongBelief { who, .. }
            | Witness::HalfDone { who, .. }
            | Witness::NeverEnded { who } => vec![who],
            Witness::NotUndone { who, stands: acts } | Witness::Rule { who, acts, .. } => {
                let mut all = vec![who];
                all.extend(acts.iter_mut().map(|act| &mut act.party));
                all
            }
            Witness::TwoRows { first, second, .. } => vec![&mut first.1.party, &mut second.1.party],
            Witness::Orphan { by, .. } => by.iter_mut().map(|act| &mut act.party).collect(),
            Witness::Expression { by, who, .. } => {
                by.iter_mut().map(|act| &mut act.party).chain(who.iter_mut()).collect()
            }
            Witness::LeftRow { by, .. } => vec![&mut by.party],
            Witness::Own { acts, about, .. } => {
                acts.iter_mut().map(|act| &mut act.party).chain(about.iter_mut()).collect()
            }
            Witness::Changed { .. } | Witness::LeftLocked(_) => Vec::new(),
        }
    }
}
