//! Clients and their intents: who wants what, when, with which arguments.

use super::flow::Call;
use super::service::Slot;
use super::value::Word;
use crate::kernel::dist::Dist;
use crate::kernel::time::Time;
use crate::kernel::zipf::Zipf;

/// A group of alike clients.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientGroup {
    /// Its name in the file.
    pub name: String,
    /// How many clients there are, below 2^24.
    pub count: u32,
    /// How many intents each of them has, below 2^24; with a script, its length.
    pub intents: u32,
    /// What it does: calls and their weights; empty with a script.
    pub does: Vec<(Call, u32)>,
    /// The slots of `with`, then `client` and `intent`: the `Local`s of the calls' arguments.
    pub slots: Vec<Slot>,
    /// One generator for each of the first slots.
    pub with: Vec<Generator>,
    /// When the first intent starts.
    pub start: Dist,
    /// When further ones start.
    pub arrival: Arrival,
    /// Exact intents instead of `does`: one client runs them at these times.
    pub script: Vec<(Time, Call)>,
}

impl ClientGroup {
    /// All calls it may make.
    pub fn calls(&self) -> impl Iterator<Item = &Call> {
        self.does.iter().map(|(call, _)| call).chain(self.script.iter().map(|(_, call)| call))
    }
}

/// When further intents start.
#[derive(Clone, Debug, PartialEq)]
pub enum Arrival {
    /// So long after the end of the one before.
    Closed(Dist),
    /// So long after the start of the one before, whatever became of it.
    Open(Dist),
}

/// Where the value of an argument comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Generator {
    /// A name that no other intent has; the number of the generator in the model's symbols.
    Unique(u16),
    /// A whole number between the two, both included.
    Uniform(i64, i64),
    /// A whole number, small ones more often.
    Zipf(Zipf),
    /// One of these, drawn.
    Pick(Vec<Word>),
    /// One of these, in turn by intent.
    Turn(Vec<Word>),
    /// Always this.
    Value(Word),
    /// The time of the attempt.
    Now,
}
