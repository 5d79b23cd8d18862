//! What a process wants done: answers, messages, commits and timers, as data.
//!
//! Nothing here acts; the engine carries it out after the activation, in order, as long as the replica is up.

use super::process::{Said, Ticket};
use crate::kernel::time::Span;
use crate::model::value::Word;

/// What is done to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Changes the row or creates it; fields not named stay, or have their defaults.
    Put,
    /// Creates the row; one that is there drops the commit.
    Insert,
    /// Removes the row; nothing there is no error.
    Delete,
}

/// A row to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowWrite {
    /// The name of a table of the service.
    pub table: String,
    /// The key.
    pub key: Word,
    /// What is done.
    pub verb: Verb,
    /// Fields and their new values.
    pub values: Vec<(String, Word)>,
}

/// What must be so for a commit to take place. It is looked at in the instant of the commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Guard {
    /// The field of a row has this value.
    Is {
        /// The table.
        table: String,
        /// The key of the row.
        key: Word,
        /// The field.
        field: String,
        /// Its value.
        value: Word,
    },
    /// There is no such row.
    Absent {
        /// The table.
        table: String,
        /// The key.
        key: Word,
    },
    /// The row is as it was when this activation looked at it, or still not there.
    Unchanged {
        /// The table.
        table: String,
        /// The key of the row.
        key: Word,
    },
}

/// Rows written in one transaction: all of them or none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Commit {
    /// The rows written, each at most once.
    pub writes: Vec<RowWrite>,
    /// What must be so for it to take place.
    pub guards: Vec<Guard>,
    /// See [`Commit::part`].
    pub part: u16,
    /// See [`Commit::keep`].
    pub keep: Vec<Word>,
    /// See [`Commit::release`].
    pub release: Vec<Word>,
}

impl Commit {
    /// A commit of nothing.
    pub fn new() -> Commit {
        Commit::default()
    }

    fn write(mut self, table: &str, key: Word, verb: Verb, values: &[(&str, Word)]) -> Commit {
        let values = values.iter().map(|(field, value)| ((*field).to_owned(), *value)).collect();
        self.writes.push(RowWrite { table: table.into(), key, verb, values });
        self
    }

    /// Changes a row or creates it.
    pub fn put(self, table: &str, key: Word, values: &[(&str, Word)]) -> Commit {
        self.write(table, key, Verb::Put, values)
    }

    /// Creates a row; if there is one, the commit is dropped.
    pub fn insert(self, table: &str, key: Word, values: &[(&str, Word)]) -> Commit {
        self.write(table, key, Verb::Insert, values)
    }

    /// Removes a row.
    pub fn delete(self, table: &str, key: Word) -> Commit {
        self.write(table, key, Verb::Delete, &[])
    }

    /// Drops the commit unless the field of the row has this value.
    pub fn only_if(mut self, table: &str, key: Word, field: &str, value: Word) -> Commit {
        self.guards.push(Guard::Is { table: table.into(), key, field: field.into(), value });
        self
    }

    /// Drops the commit if there is such a row.
    pub fn only_if_absent(mut self, table: &str, key: Word) -> Commit {
        self.guards.push(Guard::Absent { table: table.into(), key });
        self
    }

    /// Drops the commit if the row is no longer as this activation found it. The activation must have looked at it.
    pub fn only_if_unchanged(mut self, table: &str, key: Word) -> Commit {
        self.guards.push(Guard::Unchanged { table: table.into(), key });
        self
    }

    /// Says that this is the n-th *further* effect of the request it is made for, and not the effect itself again. Without
    /// it, two commits for one request that both change rows are an effect that took place twice.
    pub fn part(mut self, n: u16) -> Commit {
        self.part = n;
        self
    }

    /// From this commit on the intent it is made for is not over, even if the replica crashes, until a commit
    /// [releases](Commit::release) this key. It is what a row "in doubt" means to the invariants; the process itself sees
    /// nothing of it.
    pub fn keep(mut self, key: Word) -> Commit {
        self.keep.push(key);
        self
    }

    /// Ends what [`Commit::keep`] began under this key.
    pub fn release(mut self, key: Word) -> Commit {
        self.release.push(key);
        self
    }
}

/// Something that a process wants done.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Answers a request.
    Answer {
        /// The request.
        ticket: Ticket,
        /// The answer.
        said: Said,
        /// It is the answer of an earlier execution, given again.
        again: bool,
        /// Nothing was to be done for it.
        unchanged: bool,
    },
    /// Sends a request, once.
    Send {
        /// The operation, as `service.operation`.
        op: String,
        /// Its arguments.
        args: Vec<Word>,
        /// What it is about, in the process's own numbering.
        tag: u32,
        /// A word that comes back with the reply.
        note: Word,
    },
    /// Writes rows: takes the service's `statement` time for each of them and once more, then takes place or not.
    Commit {
        /// What is written.
        commit: Commit,
        /// What it is about.
        tag: u32,
        /// A word that comes back with what became of it.
        note: Word,
    },
    /// Starts a timer.
    Arm {
        /// What it is about.
        tag: u32,
        /// A word that comes back with it.
        note: Word,
        /// How long it takes.
        after: Span,
        /// It does not count as something left to do: a run may end before it is up.
        idle: bool,
    },
    /// Stops all timers with this tag and note.
    Disarm {
        /// The tag.
        tag: u32,
        /// The note.
        note: Word,
    },
    /// What follows in this activation is done for the intent that was kept under this key.
    Resume {
        /// The key of [`Commit::keep`].
        key: Word,
    },
}

/// What a process wants done in one activation, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Out {
    effects: Vec<Effect>,
}

impl Out {
    /// Nothing yet.
    pub fn new() -> Out {
        Out::default()
    }

    /// All of it, for tests of a process by itself.
    pub fn effects(&self) -> &[Effect] {
        &self.effects
    }

    pub(crate) fn take(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    fn answer(&mut self, ticket: Ticket, said: Said, again: bool, unchanged: bool) {
        self.effects.push(Effect::Answer { ticket, said, again, unchanged });
    }

    /// Answers that it is done. What is to be durable by then should have been committed.
    pub fn ok(&mut self, ticket: Ticket, value: Word) {
        self.answer(ticket, Said::Ok(value), false, false);
    }

    /// Answers that it is done, and that nothing had to be changed for it.
    pub fn unchanged(&mut self, ticket: Ticket, value: Word) {
        self.answer(ticket, Said::Ok(value), false, true);
    }

    /// Answers as an earlier execution of the same request did.
    pub fn again(&mut self, ticket: Ticket, said: Said) {
        self.answer(ticket, said, true, false);
    }

    /// Answers that the business says no: a text ([`Db::text`](super::Db::text)).
    pub fn refuse(&mut self, ticket: Ticket, reason: Word) {
        self.answer(ticket, Said::Refused(reason), false, false);
    }

    /// Answers with a technical error.
    pub fn fail(&mut self, ticket: Ticket) {
        self.answer(ticket, Said::Failed, false, false);
    }

    /// Sends a request to an operation, as `service.operation`; nobody repeats it unless the process does.
    pub fn send(&mut self, op: &str, args: &[Word], tag: u32, note: Word) {
        self.effects.push(Effect::Send { op: op.into(), args: args.to_vec(), tag, note });
    }

    /// Writes rows in one transaction.
    pub fn commit(&mut self, commit: Commit, tag: u32, note: Word) {
        self.effects.push(Effect::Commit { commit, tag, note });
    }

    /// Starts a timer.
    pub fn arm(&mut self, after: Span, tag: u32, note: Word) {
        self.effects.push(Effect::Arm { tag, note, after, idle: false });
    }

    /// Starts a timer that does not keep a run from ending: for work that comes round again and again.
    pub fn arm_idle(&mut self, after: Span, tag: u32, note: Word) {
        self.effects.push(Effect::Arm { tag, note, after, idle: true });
    }

    /// Stops all timers with this tag and note.
    pub fn disarm(&mut self, tag: u32, note: Word) {
        self.effects.push(Effect::Disarm { tag, note });
    }

    /// What follows in this activation is done for the intent that [`Commit::keep`] kept under this key.
    pub fn resume(&mut self, key: Word) {
        self.effects.push(Effect::Resume { key });
    }
}
