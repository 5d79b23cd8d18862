//! The state of flows under way: what coordinates them, what of it is durable, and what waits in outboxes.

use super::slab::Id;
use super::world::{Ctx, From, Status};
use crate::kernel::path::Path;
use crate::kernel::time::Time;
use crate::model::ids::{FlowId, TopicId};
use crate::model::value::Word;

/// What a flow does next.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Todo {
    /// Enter the next group of steps.
    #[default]
    Enter,
    /// Send its steps.
    Send,
    /// Wait for their answers.
    Await,
    /// Go on after them.
    Leave,
    /// Turn back.
    Turn,
    /// Undo the next step.
    Undo,
    /// Wait for compensations.
    AwaitUndo,
    /// End.
    End,
    /// Wait at home for a choreography to be over.
    AwaitOver,
}

/// Why a flow turns back or gives up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Trouble {
    /// A step was refused.
    Refused(Word),
    /// A step's outcome is unknown, or it failed.
    Unknown,
}

/// What a flow has got so far. Of a saga with a durable log, a copy of this survives crashes. Masks have a bit a step.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Progress {
    /// The group of steps.
    pub(crate) at: u16,
    pub(crate) back: bool,
    pub(crate) asked: u64,
    pub(crate) done: u64,
    pub(crate) refused: u64,
    pub(crate) undone: u64,
    pub(crate) parked: u64,
    pub(crate) trouble: Option<Trouble>,
    pub(crate) slots: Vec<Word>,
}

impl Clone for Progress {
    fn clone(&self) -> Progress {
        Progress { slots: self.slots.clone(), ..*self }
    }

    // Every note in a saga's log is such a copy: it keeps the memory that is there.
    fn clone_from(&mut self, from: &Progress) {
        let mut slots = std::mem::take(&mut self.slots);
        slots.clone_from(&from.slots);
        *self = Progress { slots, ..*from };
    }
}

/// Where a choreographed flow was begun, and what it is known by there; it travels with the flow.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Home {
    pub(crate) node: u32,
    /// Its key, or `NULL`, and the count of that when the flow claimed it.
    pub(crate) key: Word,
    pub(crate) claim: u32,
}

impl Home {
    /// The home among the words that travel.
    pub(crate) fn of(state: &[Word]) -> Option<Home> {
        match *state {
            [_, _, _, _, node, key, claim, ..] => Some(Home { node: node as u32, key, claim: claim as u32 }),
            _ => None,
        }
    }
}

/// A flow being coordinated at a node.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Run {
    pub(crate) flow: FlowId,
    pub(crate) node: u32,
    pub(crate) ctx: Ctx,
    pub(crate) path: Path,
    /// The instance of its steps.
    pub(crate) instance: u32,
    pub(crate) from: From,
    pub(crate) waiters: Vec<From>,
    pub(crate) progress: Progress,
    pub(crate) todo: Todo,
    /// Calls not answered yet.
    pub(crate) open: u32,
    /// It waits for its log or a timer.
    pub(crate) waiting: bool,
    /// It only waits to be told, and keeps nothing alive by that.
    pub(crate) listens: bool,
    pub(crate) answered: bool,
    /// How often it was taken up again after a crash or went on after a last attempt.
    pub(crate) round: u32,
    pub(crate) saga: Option<Id>,
    pub(crate) key: Option<Word>,
    pub(crate) fingerprint: u64,
    /// A stop of a choreography: the step done here.
    pub(crate) stop: Option<(u8, bool)>,
    /// Of a stop: where the flow was begun.
    pub(crate) home: Home,
    /// The name of the message that brought the flow to this stop.
    pub(crate) stop_path: Path,
    /// The next stop is in the outbox, written by the operation's commit, now or at an earlier execution.
    pub(crate) handed: bool,
    pub(crate) timer: Option<u32>,
}

/// A saga in the log of its home service.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct SagaRow {
    pub(crate) flow: FlowId,
    pub(crate) node: u32,
    pub(crate) ctx: Ctx,
    pub(crate) path: Path,
    pub(crate) instance: u32,
    pub(crate) progress: Progress,
    pub(crate) round: u32,
    pub(crate) key: Option<Word>,
    pub(crate) fingerprint: u64,
    /// The run that drives it, if there is one.
    pub(crate) run: Option<Id>,
}

/// What waits in an outbox.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Letter {
    /// An event.
    Event(TopicId),
    /// The next stop of a choreographed flow.
    Hop(FlowId, u8, bool),
    /// The end of one.
    Over(FlowId, Status),
    /// Nothing.
    #[default]
    Nothing,
}

/// A row of an outbox.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct OutboxRow {
    pub(crate) service: u16,
    pub(crate) letter: Letter,
    pub(crate) number: u64,
    pub(crate) committed: bool,
    pub(crate) committed_at: Time,
    /// The relay has taken it up.
    pub(crate) picked: bool,
    pub(crate) ctx: Ctx,
    pub(crate) path: Path,
    pub(crate) payload: Vec<Word>,
    /// A bit for each subscriber that has not acknowledged.
    pub(crate) open: u64,
    /// A bit for each subscriber at whom it has arrived.
    pub(crate) reached: u64,
    pub(crate) sends: u32,
    pub(crate) last_sent: Time,
}

/// A relay of a service.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct RelayState {
    pub(crate) due: bool,
    pub(crate) next_number: u64,
    pub(crate) cursor: u64,
    /// Committed rows by number, the latest perhaps out of order; some have left since the relay last looked.
    pub(crate) rows: Vec<(u64, Id)>,
    /// How many of them have not.
    pub(crate) waiting: u32,
}

impl RelayState {
    /// Makes it anew and keeps the memory.
    pub(crate) fn reset(&mut self) {
        self.rows.clear();
        *self = RelayState { rows: std::mem::take(&mut self.rows), ..RelayState::default() };
    }
}
