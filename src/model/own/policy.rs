//! A strategy in Rust: steps of its own in the fixed frame of every operation.
//!
//! A policy says, for each operation and each place of the frame, which steps stand there; a step is a pure function over
//! what one execution knows. Crashes fall between all steps, so a policy gets its crash points for nothing. It may bring
//! tables along, whose rows commit with the transaction of the operation.

use std::fmt;
use std::sync::Arc;

use super::db::Db;
use crate::model::Model;
use crate::model::how::How;
use crate::model::ids::OpId;
use crate::model::value::{Type, Word};

/// A place in the frame of an operation: see the table in `strategy::operation`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The request has arrived; no transaction is open. Rows may be read, none written.
    Arrived,
    /// The transaction has begun and nothing has been read. Rows put here commit with it.
    Begun,
    /// All is written and the reply is computed. Rows put here commit with the transaction. An execution that refuses does
    /// not come by here.
    Computed,
    /// The transaction is durable. Rows put here are durable at once, in a commit of their own.
    Committed,
}

impl Place {
    /// All of them, in order.
    pub const ALL: [Place; 4] = [Place::Arrived, Place::Begun, Place::Computed, Place::Committed];
}

/// How an execution goes on after a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// With the next step.
    On,
    /// It is a repetition: it ends and answers this, and nothing of it commits.
    Again(Word),
    /// It refuses, with a text as its reason.
    Refuse(Word),
    /// Its first is still at work: it ends and says so, and may be asked again.
    Busy,
}

/// A table that a policy brings along, one for each service.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnTable {
    /// Its name; the services must not have one of that name.
    pub name: String,
    /// The type of its keys.
    pub key: Type,
    /// Its further fields: name, type, and what a new row holds that does not say.
    pub fields: Vec<(String, Type, Word)>,
}

impl OwnTable {
    /// A table whose keys are whole numbers, such as [`Locals::intent_key`].
    pub fn keyed_by_number(name: &str) -> OwnTable {
        OwnTable { name: name.into(), key: Type::Int, fields: Vec::new() }
    }

    /// With a further field that holds whole numbers, and 0 by default.
    pub fn number(mut self, field: &str) -> OwnTable {
        self.fields.push((field.into(), Type::Int, 0));
        self
    }
}

/// A row that a step wants to lock, and perhaps to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Want {
    /// The name of a table that the policy brought along.
    pub table: String,
    /// The key.
    pub key: Word,
    /// Fields and their values; `None`: only the lock.
    pub values: Option<Vec<(String, Word)>>,
}

/// What one execution of an operation knows, for the steps of a policy.
#[derive(Debug)]
pub struct Locals<'a> {
    pub(crate) slots: &'a mut [Word],
    pub(crate) args: &'a [Word],
    pub(crate) reply: Word,
    pub(crate) keys: [Word; 3],
    pub(crate) wants: Vec<Want>,
    /// The tables of the service as the execution sees them, its own writes on top. Only those that the policy brought
    /// along can be written.
    pub db: Db<'a>,
}

impl Locals<'_> {
    /// The arguments of the operation.
    pub fn args(&self) -> &[Word] {
        self.args
    }

    /// The reply; before [`Place::Computed`] it is null.
    pub fn reply(&self) -> Word {
        self.reply
    }

    /// A key that is the same for every attempt and copy of what one client wants done once, and for the step of the flow
    /// that this is: what a client makes once and sends along.
    pub fn intent_key(&self) -> Word {
        self.keys[0]
    }

    /// A key that is new for every request, and the same for its copies: what a client makes anew each time it asks.
    pub fn attempt_key(&self) -> Word {
        self.keys[1]
    }

    /// A key that depends on the arguments alone.
    pub fn payload_key(&self) -> Word {
        self.keys[2]
    }

    /// A word that earlier steps of this execution left, null at first. Slots are numbered from 0.
    ///
    /// # Panics
    /// If the policy asked for fewer ([`Policy::slots`]).
    pub fn slot(&self, n: usize) -> Word {
        self.slots[n]
    }

    /// Leaves a word for later steps of this execution.
    ///
    /// # Panics
    /// If the policy asked for fewer ([`Policy::slots`]).
    pub fn set_slot(&mut self, n: usize, word: Word) {
        self.slots[n] = word;
    }

    /// Locks a row, whether or not it is there, until the transaction ends. If somebody else holds it, the execution waits
    /// and the step is run again from its start.
    pub fn lock(&mut self, table: &str, key: Word) {
        self.wants.push(Want { table: table.into(), key, values: None });
    }

    /// Locks a row and writes it: changes it or creates it.
    pub fn put(&mut self, table: &str, key: Word, values: &[(&str, Word)]) {
        let values = values.iter().map(|(field, value)| ((*field).to_owned(), *value)).collect();
        self.wants.push(Want { table: table.into(), key, values: Some(values) });
    }
}

type Run = dyn Fn(&mut Locals<'_>) -> Next + Send + Sync;

/// A step of a policy.
#[derive(Clone)]
pub struct Custom {
    /// What it is called in messages.
    pub name: String,
    /// It takes the time of a database statement before it takes effect.
    pub statement: bool,
    /// Where it stands.
    pub place: Place,
    run: Arc<Run>,
}

impl Custom {
    /// Runs it.
    pub fn run(&self, locals: &mut Locals<'_>) -> Next {
        (self.run)(locals)
    }
}

impl fmt::Debug for Custom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Custom").field("name", &self.name).field("place", &self.place).finish_non_exhaustive()
    }
}

/// Where a policy puts its steps.
#[derive(Debug)]
pub struct Steps {
    place: Place,
    all: Vec<Custom>,
}

impl Steps {
    /// No steps yet, for a place.
    pub fn new(place: Place) -> Steps {
        Steps { place, all: Vec::new() }
    }

    /// A step that looks at a database or writes to it, and takes the time of a statement.
    pub fn statement(
        &mut self,
        name: &str,
        run: impl Fn(&mut Locals<'_>) -> Next + Send + Sync + 'static,
    ) -> &mut Steps {
        self.all.push(Custom { name: name.into(), statement: true, place: self.place, run: Arc::new(run) });
        self
    }

    /// A step that takes no time.
    pub fn instant(
        &mut self,
        name: &str,
        run: impl Fn(&mut Locals<'_>) -> Next + Send + Sync + 'static,
    ) -> &mut Steps {
        self.all.push(Custom { name: name.into(), statement: false, place: self.place, run: Arc::new(run) });
        self
    }

    pub(crate) fn into_all(self) -> Vec<Custom> {
        self.all
    }
}

/// A strategy in Rust, on top of one that the file or the tool brings along.
pub trait Policy: Send + Sync + 'static {
    /// Puts steps at a place of an operation's frame. Called once for each place when the strategy is compiled.
    fn at(&self, place: Place, model: &Model, op: OpId, steps: &mut Steps);

    /// The tables that it brings along.
    fn tables(&self) -> Vec<OwnTable> {
        Vec::new()
    }

    /// How many words it keeps from one of its steps to the next.
    fn slots(&self) -> u16 {
        0
    }

    /// Texts that it refuses with and that the file may not have.
    fn texts(&self) -> Vec<String> {
        Vec::new()
    }

    /// Changes the policies of the strategy that it stands on: any dimension, for any operation, flow or caller.
    fn how(&self, _model: &Model, _how: &mut How) {}
}

/// A policy as a strategy carries it. Two are equal if they are the same registration.
#[derive(Clone)]
pub struct OwnPolicy(Arc<dyn Policy>);

impl OwnPolicy {
    /// A registration of a policy.
    pub fn new(policy: impl Policy) -> OwnPolicy {
        OwnPolicy(Arc::new(policy))
    }

    /// The policy.
    pub fn policy(&self) -> &dyn Policy {
        &*self.0
    }
}

impl fmt::Debug for OwnPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OwnPolicy")
    }
}

impl PartialEq for OwnPolicy {
    fn eq(&self, other: &OwnPolicy) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}
