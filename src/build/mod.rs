//! A scenario put together in Rust, with types where a file has names.
//!
//! Services, tables, fields, operations and all other parts are handles: named once, when they are made, and then
//! handed on. What is said to a handle is written into one document as it is said; [`Builder::build`] reads that
//! document by the reader for files, so both can say the same, and both are told the same if something is wrong.
//! Nothing here panics: a handle of another builder, a name that is there twice and the like are errors of the build.
//!
//! ```
//! use halfway::build::{Builder, Verdict, at_rest};
//!
//! let b = Builder::new("tickets");
//! let office = b.service("box");
//! let (tickets, sold) = (office.table("tickets"), office.table("sold"));
//! let free = tickets.field("free");
//! tickets.row("show").with(&free, 1);
//!
//! let sell = office.operation("sell");
//! let show = sell.arg("show");
//! let left = tickets.at(&show).field(&free);
//! sell.require("sold out", left.ge(1)).set(&left, &left - 1);
//! sell.insert(sold.fresh()).with("show", &show);
//!
//! b.clients("clerks").count(2).does(sell.call(("show",)));
//! let one_seat = b.invariant("one seat, one ticket", at_rest(sold.rows().size().le(1)));
//! let (naive, occ) = (b.strategy("naive"), b.strategy("occ"));
//! b.expect(&naive).that(&one_seat, Verdict::Violated);
//! b.expect(&occ).overall(Verdict::Holds);
//!
//! b.build()?.seeds(0..20).check()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod doc;
mod expr;
mod flow;
mod how;
mod must;
mod operation;
mod quantity;
mod render;
#[cfg(test)]
mod tests;
mod weather;
mod what;

use std::error::Error;
use std::fmt;

use self::doc::Doc;
pub use self::expr::{
    Expr, FieldName, client, count, event_field, expr, if_else, intent, list, map, now, null,
};
pub use self::flow::{AtOnce, Clients, Flow, Generator, Step, pick, turn, uniform, unique, zipf};
pub use self::how::{
    Base, BuiltIn, Coordination, Idempotency, KeyFrom, Publish, Retry, Scope, Scoped, Strategy, Write,
};
pub use self::must::{
    Demand, Expect, Invariant, acked_is_durable, all_or_nothing, always, at_most_one, at_rest,
    compensation_rules, constant, every_intent_ends, failed_has_no_effect, no_duplicate_effect, no_leak,
    no_lost_update, no_orphan, outcome_agrees, per_intent,
};
pub use self::operation::{Arguments, Call, Operation, Otherwise, Part, Values};
pub use self::quantity::{Time, between, drawn, exp, minutes, ms, normal, ns, percent, ppm, seconds, us};
pub use self::weather::{
    Any, Fault, Link, Messages, Point, Rest, Target, Weather, ack, commit, crash, cut, delay, duplicate,
    event, fail, hold, link, links, log, lose, mark, pause, publish, refuse, reply, request,
};
pub use self::what::{Field, Key, Node, RowData, Service, Table, Topic};
pub use crate::kernel::sample::Share;
pub use crate::kernel::time::Span;
pub use crate::model::expr::Counter;
pub use crate::model::flow::Class;
pub use crate::model::how::{
    Answer, Backoff, Busy, Jitter, Keep, KeyMemory, KeyStore, Late, OccScope, OnConflict, OnTimeout, Recover,
    Register, RelayKind, SameKey, StoreLevel, StuckUndo, UndoOrder,
};
pub use crate::model::invariant::Verdict;
pub use crate::model::service::{By, Route};
use crate::scenario::json::Json;
use crate::scenario::{Draft, Rejected, Scenario};

/// A scenario that is being put together. See the [module](self).
#[derive(Clone, Debug)]
pub struct Builder {
    doc: Doc,
    name: String,
}

impl Builder {
    /// An empty scenario. The name is that of its file, should it be written out.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Builder {
        Builder { doc: Doc::new(), name: name.into() }
    }

    /// One sentence about it.
    pub fn about(&self, about: &str) -> &Builder {
        self.doc.set("/about", about);
        self
    }

    /// How many seeds are run if nobody says; 1,000 if nothing is said.
    pub fn seeds(&self, seeds: u64) -> &Builder {
        self.doc.set("/seeds", seeds);
        self
    }

    /// Silences warnings of a code such as `HW0503`.
    pub fn allow(&self, code: &str) -> &Builder {
        self.doc.push("/allow", code);
        self
    }

    /// Where the schema of the file is, for editors.
    pub fn schema(&self, place: &str) -> &Builder {
        self.doc.set("/$schema", place);
        self
    }

    /// A service, new.
    pub fn service(&self, name: &str) -> Service {
        Service::new(&self.doc, name)
    }

    /// A topic. It is there as soon as something is published under it.
    pub fn topic(&self, name: &str) -> Topic {
        Topic::new(&self.doc, name)
    }

    /// A flow, new.
    pub fn flow(&self, name: &str) -> Flow {
        Flow::new(&self.doc, name)
    }

    /// A group of clients, new.
    pub fn clients(&self, name: &str) -> Clients {
        Clients::new(&self.doc, name)
    }

    /// The weather.
    pub fn weather(&self) -> Weather {
        Weather::new(&self.doc)
    }

    /// A strategy, new. Without any, the five built-in ones are run.
    pub fn strategy(&self, name: &str) -> Strategy {
        Strategy::new(&self.doc, name)
    }

    /// What all strategies have in common.
    pub fn every_strategy(&self) -> Strategy {
        Strategy::star(&self.doc)
    }

    /// Something that must be true, by a name.
    pub fn invariant(&self, name: &str, demand: Demand) -> Invariant {
        self.doc.object("/invariants");
        let object = demand.object(&self.doc, name);
        self.doc.declare("/invariants", name, object, "the invariant");
        Invariant { doc: self.doc.clone(), name: name.to_owned() }
    }

    /// Something that must be true, by the name of its kind.
    pub fn must(&self, demand: Demand) -> Invariant {
        self.invariant(demand.word(), demand)
    }

    /// What is expected of a strategy.
    pub fn expect(&self, strategy: &Strategy) -> Expect {
        if !strategy.doc.is(&self.doc) {
            self.doc.problem(format!("the strategy `{}` belongs to another builder", strategy.name));
        }
        Expect::new(&self.doc, &strategy.name)
    }

    /// What is expected of every strategy.
    pub fn expect_of_every_strategy(&self) -> Expect {
        Expect::new(&self.doc, "*")
    }

    /// A case: a patch over the scenario (JSON merge patch, RFC 7396). The scenario as built is run too.
    pub fn case(&self, name: &str, patch: impl Into<Json>) -> &Builder {
        self.doc.object("/cases");
        self.doc.declare("/cases", name, patch, "the case");
        self
    }

    /// The scenario as a value, to write it out or to edit it. Whether it makes sense is found out by reading it.
    ///
    /// # Errors
    /// If handles were used wrongly.
    pub fn draft(&self) -> Result<Draft, BuildError> {
        let problems = self.doc.problems();
        if problems.is_empty() {
            Ok(Draft::of(self.name.clone(), self.doc.json()))
        } else {
            Err(BuildError::Handles(problems))
        }
    }

    /// The scenario, read and understood.
    ///
    /// # Errors
    /// If handles were used wrongly, or with all problems at once that a file would have, in the text as it would be
    /// written out.
    pub fn build(&self) -> Result<Scenario, BuildError> {
        self.draft()?.read().map_err(BuildError::Rejected)
    }
}

/// Why a scenario cannot be built.
#[derive(Clone)]
#[non_exhaustive]
pub enum BuildError {
    /// Handles were used wrongly: one of another builder, a name given twice. One sentence each.
    Handles(Vec<String>),
    /// What was said makes no sense.
    Rejected(Box<Rejected>),
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BuildError::Handles(problems) => f.write_str(&problems.join("\n")),
            BuildError::Rejected(rejected) => rejected.fmt(f),
        }
    }
}

/// The same text, since that is what a test prints.
impl fmt::Debug for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the scenario cannot be built\n{self}")
    }
}

impl Error for BuildError {}
