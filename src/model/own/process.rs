//! A service in Rust: a value that takes inputs and says what it wants done, as data.
//!
//! Its memory is volatile: a crash makes it anew from how it was registered, and [`Process::start`] lets it look at what is
//! durable. What is durable are the rows of its service's tables, written by [`Out::commit`] and by nothing else, so that
//! every invariant works on them and a crash can fall before and after each commit. Timers die with the replica.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use super::db::Db;
use super::effect::Out;
use crate::model::value::Word;

/// A request that has not been answered yet. It dies with the replica; who asked will ask again, or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// How a request ended, as it is told to whoever asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// Done; the answer.
    Ok(Word),
    /// The business says no, definitely: a text.
    Refused(Word),
    /// A technical error without effect: it may be asked again.
    Failed,
}

/// What a process is told. `tag` and `note` are what it gave along itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Input<'a> {
    /// Somebody asks for an operation of the service.
    Request {
        /// To answer it with, at once or later.
        ticket: Ticket,
        /// The name of the operation.
        op: &'a str,
        /// Its arguments, one word each.
        args: &'a [Word],
    },
    /// An answer to something sent. It may come twice, late or never.
    Reply {
        /// The tag of what was sent.
        tag: u32,
        /// The note of what was sent.
        note: Word,
        /// The answer.
        said: Said,
    },
    /// A timer is up.
    Timer {
        /// Its tag.
        tag: u32,
        /// Its note.
        note: Word,
    },
    /// A commit is durable.
    Committed {
        /// Its tag.
        tag: u32,
        /// Its note.
        note: Word,
    },
    /// A commit did not take place, because its guard did not hold or the database was down.
    Dropped {
        /// Its tag.
        tag: u32,
        /// Its note.
        note: Word,
    },
}

/// A service in Rust. Register a value of it under the name that the file gives as the service's `process`.
pub trait Process: Clone + PartialEq + Send + Sync + 'static {
    /// Texts that it uses and that the file may not have, for [`Db::text`].
    fn texts(&self) -> Vec<String> {
        Vec::new()
    }

    /// Called on the value as it was registered, at the start of a run and after every crash of the replica: takes up what
    /// is durable.
    fn start(&mut self, _db: &mut Db<'_>, _out: &mut Out) {}

    /// Takes an input. What it reads through `db` is what is committed, and is recorded.
    fn on(&mut self, input: Input<'_>, db: &mut Db<'_>, out: &mut Out);
}

/// A [`Process`] of any type. Implemented for all of them; there is no need to name it.
pub trait AnyProcess: Send + Sync {
    /// See [`Process::texts`].
    fn texts(&self) -> Vec<String>;
    /// See [`Process::start`].
    fn start(&mut self, db: &mut Db<'_>, out: &mut Out);
    /// See [`Process::on`].
    fn on(&mut self, input: Input<'_>, db: &mut Db<'_>, out: &mut Out);
    /// A clone.
    fn boxed(&self) -> Box<dyn AnyProcess>;
    /// Whether it equals another one.
    fn same(&self, other: &dyn AnyProcess) -> bool;
    /// Itself, to be looked at by its type.
    fn any(&self) -> &dyn Any;
}

impl<P: Process> AnyProcess for P {
    fn texts(&self) -> Vec<String> {
        Process::texts(self)
    }

    fn start(&mut self, db: &mut Db<'_>, out: &mut Out) {
        Process::start(self, db, out);
    }

    fn on(&mut self, input: Input<'_>, db: &mut Db<'_>, out: &mut Out) {
        Process::on(self, input, db, out);
    }

    fn boxed(&self) -> Box<dyn AnyProcess> {
        Box::new(self.clone())
    }

    fn same(&self, other: &dyn AnyProcess) -> bool {
        other.any().downcast_ref::<P>() == Some(self)
    }

    fn any(&self) -> &dyn Any {
        self
    }
}

/// A process as a service carries it.
#[derive(Clone)]
pub struct OwnProcess(Arc<dyn AnyProcess>);

impl OwnProcess {
    /// A registration of a process.
    pub fn new(process: impl Process) -> OwnProcess {
        OwnProcess(Arc::new(process))
    }

    /// The process as it was registered.
    pub fn prototype(&self) -> &dyn AnyProcess {
        &*self.0
    }
}

impl fmt::Debug for OwnProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OwnProcess")
    }
}

impl PartialEq for OwnProcess {
    fn eq(&self, other: &OwnProcess) -> bool {
        self.0.same(&*other.0)
    }
}

/// The process that runs a service.
#[derive(Clone, Debug, PartialEq)]
pub struct Host {
    /// The name that the file gives.
    pub name: String,
    /// The process registered under that name, if one was.
    pub process: Option<OwnProcess>,
}
