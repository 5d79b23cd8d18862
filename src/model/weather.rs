//! Weather: latencies, faults, and the phases of a run.

use std::ops::Range;

use super::expr::Expr;
use super::ids::{FlowId, GroupId, OpId, ServiceId, TopicId};
use super::value::Word;
use crate::kernel::dist::Dist;
use crate::kernel::sample::Share;
use crate::kernel::script::Decided;
use crate::kernel::time::{Span, Time};

/// Network, faults and phases.
#[derive(Clone, Debug, PartialEq)]
pub struct Weather {
    /// Latencies by link; the last that matches holds. The first entry matches all.
    pub latency: Vec<(Link, Dist)>,
    /// The fault rules, in declaration order.
    pub faults: Vec<Fault>,
    /// No fault is decided from here on.
    pub heal: Time,
    /// The run ends here at the latest.
    pub end: Time,
    /// Switches whole fault rules off at random, seed by seed.
    pub swarm: bool,
    /// Every run is the run of this seed, whichever is asked for.
    pub seed: Option<u64>,
    /// Exact decisions.
    pub script: Option<Script>,
}

impl Weather {
    /// The seeds that are run of those asked for. All have the history of its own seed, if it has one.
    pub fn seeds(&self, asked: Range<u64>) -> Range<u64> {
        match self.seed {
            Some(seed) if !asked.is_empty() => {
                let seed = seed.min(u64::MAX - 1);
                seed..seed + 1
            }
            _ => asked,
        }
    }
}

/// Exact decisions about things by their names.
///
/// What goes wrong by a line is a fault of its own behind the rules of the weather, so that records can name it.
#[derive(Clone, Debug, PartialEq)]
pub struct Script {
    /// The lines as written.
    pub lines: Vec<String>,
    /// What they decide, sorted by path and matter. For a fault the low 32 bits are its number, the high ones a count.
    pub decided: Vec<Decided>,
    /// The number of the first fault that stands for a line. Those by the clock strike by themselves.
    pub first: u16,
    /// What no line decides is calm: no rule of the weather hits, and every time is the shortest it can be. Otherwise
    /// it is as without a script.
    pub calm: bool,
}

/// One side of a link, or whom a fault hits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Any node.
    Any,
    /// All replicas of a service.
    Service(ServiceId),
    /// One replica, counted from 0.
    Replica(ServiceId, u32),
    /// The database of a service.
    Database(ServiceId),
    /// All clients of a group.
    Group(GroupId),
}

/// Directed links from any of one side to any of the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Where messages come from.
    pub from: Vec<Place>,
    /// Where they go.
    pub to: Vec<Place>,
    /// Also the other way round.
    pub both: bool,
}

/// A kind of thing that happens and has a name: where faults hit and crashes fall.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(u8)]
pub enum PointKind {
    /// The message that asks for an operation or flow.
    #[default]
    Request,
    /// The answer to it.
    Reply,
    /// The message that fetches what an operation run by its caller reads.
    Fetch,
    /// The answer to that.
    Fetched,
    /// The commit of an operation.
    Commit,
    /// An event on its way to a subscriber.
    Event,
    /// The acknowledgement of an event.
    Ack,
    /// The handing over of an event to the network.
    Publish,
    /// The relay's note that an event is out.
    Mark,
    /// A write of the log of a flow's orchestrator.
    Log,
}

impl PointKind {
    /// How many kinds there are.
    pub const COUNT: usize = 10;

    /// Whether it is a message.
    pub fn is_message(self) -> bool {
        use PointKind::*;
        matches!(self, Request | Reply | Fetch | Fetched | Event | Ack)
    }
}

/// What a point is a point of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// Any.
    Any,
    /// An operation.
    Op(OpId),
    /// A flow.
    Flow(FlowId),
    /// A topic.
    Topic(TopicId),
}

/// A named thing that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Point {
    /// Its kind.
    pub kind: PointKind,
    /// What it belongs to.
    pub of: Subject,
}

/// Which messages a network fault hits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Messages {
    /// Those of a point.
    At(Point),
    /// Those on a link.
    On(Link),
}

/// One fault rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// The rule as written, for reports.
    pub text: String,
    /// Identity for its draws: made of what it says by ordinals, not of names or rates, so that removing another rule,
    /// renaming, or a higher rate never reshuffles what it decides (`n` numbers alike rules).
    pub identity: u64,
    /// What it does.
    pub verb: FaultVerb,
    /// Which occurrences within one intent, counted from 1; empty: any.
    pub nth: Vec<u32>,
    /// How likely it is.
    pub chance: Share,
    /// A condition over the arguments, `client` and `intent`: slots `args…`, then client and intent, counted from 1.
    pub when: Option<Expr>,
    /// How many arguments the condition has slots for.
    pub when_args: u16,
    /// Only decisions at `from <= t < to`.
    pub during: Option<(Time, Time)>,
}

impl Fault {
    /// Whether it loses each copy of a message by the copy's own luck.
    pub fn loses_copies(&self) -> bool {
        matches!(self.verb, FaultVerb::Lose(_)) && self.nth.is_empty()
    }
}

/// What a fault rule does and to whom.
#[derive(Clone, Debug, PartialEq)]
pub enum FaultVerb {
    /// Messages are lost.
    Lose(Messages),
    /// Messages are late by so much, or until an instant.
    Delay(Messages, Delay),
    /// Messages arrive again: one more copy for each entry, so long after the first; an empty list means one more copy
    /// with a latency of its own.
    Duplicate(Messages, Vec<Dist>),
    /// An operation refuses with this reason.
    Refuse(Subject, Word),
    /// An operation fails technically, without effect.
    Fail(Subject),
    /// A node crashes.
    Crash(Place, Moment, Downtime),
    /// A node stops for a while and goes on as if nothing had happened.
    Pause(Place, Moment, Downtime),
    /// A link loses everything.
    Cut(Link, Moment, Downtime),
}

/// How late a message is.
#[derive(Clone, Debug, PartialEq)]
pub enum Delay {
    /// So much longer under way.
    For(Dist),
    /// It arrives at this instant, if it would not arrive later anyway.
    Until(Time),
}

/// When a fault strikes.
#[derive(Clone, Debug, PartialEq)]
pub enum Moment {
    /// At an instant.
    At(Time),
    /// Again and again, with such distances from the start or from the end of the one before.
    Every(Dist),
    /// Just before a point.
    Before(Point),
    /// Just after a point.
    After(Point),
}

/// How long a fault lasts.
#[derive(Clone, Debug, PartialEq)]
pub enum Downtime {
    /// So long, at the most until heal.
    For(Dist),
    /// A crash: for good, also after heal. A pause or a cut: until heal.
    Ever,
}

/// A time that a run of no interest would have: used where a file says nothing.
pub const DEFAULT_HEAL: Time = Time(1_000_000_000);
/// The calm between heal and end where a file says nothing.
pub const DEFAULT_CALM: Span = Span(60_000_000_000);
