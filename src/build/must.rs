//! What must be true, and what is expected of each strategy.

use super::doc::{Doc, escaped};
use super::expr::{self, Expr};
use super::flow::Flow;
use super::render::Here;
use super::what::{Field, Table};
use crate::model::invariant::Verdict;
use crate::scenario::json::Object;

/// An invariant that was stated: for expectations.
#[derive(Clone, Debug)]
pub struct Invariant {
    pub(super) doc: Doc,
    pub(super) name: String,
}

/// What an invariant demands.
#[derive(Clone, Debug)]
pub struct Demand {
    kind: &'static str,
    subject: Subject,
    more: Vec<(&'static str, Subject)>,
}

#[derive(Clone, Debug)]
enum Subject {
    Nothing,
    Flag,
    Expr(Expr),
    Flow(Flow),
    Table(Table),
    Tables(Vec<Table>),
    Field(Field),
}

fn demand(kind: &'static str, subject: Subject) -> Demand {
    Demand { kind, subject, more: Vec::new() }
}

/// True after every commit.
#[must_use]
pub fn always(that: impl Into<Expr>) -> Demand {
    demand("always", Subject::Expr(that.into()))
}

/// True when everything has come to rest.
#[must_use]
pub fn at_rest(that: impl Into<Expr>) -> Demand {
    demand("at_rest", Subject::Expr(that.into()))
}

/// True of each intent when it is settled. The intent has `outcome`, and `effects` with `table`, `step`, `undone`.
#[must_use]
pub fn per_intent(that: impl FnOnce(&Expr) -> Expr) -> Demand {
    demand("per_intent", Subject::Expr(that(&expr::name("intent"))))
}

/// The same at rest as at the start.
#[must_use]
pub fn constant(value: impl Into<Expr>) -> Demand {
    demand("constant", Subject::Expr(value.into()))
}

/// At most one row of the table for each value of the field.
#[must_use]
pub fn at_most_one(table: &Table, per: &Field) -> Demand {
    Demand {
        more: vec![("per", Subject::Field(per.clone()))],
        ..demand("at-most-one", Subject::Table(table.clone()))
    }
}

/// Every row of the table has an owner at rest: `owner` is true of it.
#[must_use]
pub fn no_orphan(table: &Table, owner: impl FnOnce(&Expr) -> Expr) -> Demand {
    let owner = owner(&expr::name("it"));
    Demand {
        more: vec![("owner", Subject::Expr(owner))],
        ..demand("no-orphan", Subject::Table(table.clone()))
    }
}

/// All steps of the flow have taken effect, or none.
#[must_use]
pub fn all_or_nothing(flow: &Flow) -> Demand {
    demand("all-or-nothing", Subject::Flow(flow.clone()))
}

/// The steps of the flow are undone as sagas must.
#[must_use]
pub fn compensation_rules(flow: &Flow) -> Demand {
    demand("compensation-rules", Subject::Flow(flow.clone()))
}

macro_rules! of_tables {
    ($($name:ident $word:literal $doc:literal;)*) => { $(
        #[doc = $doc]
        ///
        /// Of all tables, unless [`Demand::of`] names some.
        #[must_use]
        pub fn $name() -> Demand {
            demand($word, Subject::Nothing)
        }
    )* };
}

of_tables! {
    no_lost_update "no-lost-update" "No update is overwritten by a writer that had not seen it.";
    no_duplicate_effect "no-duplicate-effect" "No effect twice.";
    acked_is_durable "acked-is-durable" "What a client was told is done is still there at rest.";
    no_leak "no-leak" "No lock, key in progress or unfinished flow is left behind.";
}

/// What a client was told agrees with what is.
#[must_use]
pub fn outcome_agrees() -> Demand {
    demand("outcome-agrees", Subject::Nothing)
}

/// What a client was told has failed left nothing.
#[must_use]
pub fn failed_has_no_effect() -> Demand {
    demand("failed-has-no-effect", Subject::Nothing)
}

/// Every intent ends.
#[must_use]
pub fn every_intent_ends() -> Demand {
    demand("every-intent-ends", Subject::Nothing)
}

impl Demand {
    /// Of this table only; said again, of this one too.
    #[must_use]
    pub fn of(mut self, table: &Table) -> Demand {
        self.subject = match self.subject {
            Subject::Tables(mut tables) => {
                tables.push(table.clone());
                Subject::Tables(tables)
            }
            _ => Subject::Tables(vec![table.clone()]),
        };
        self
    }

    /// Of `no_lost_update`: not even a stale write that loses nothing.
    #[must_use]
    pub fn strict(mut self) -> Demand {
        self.more.push(("strict", Subject::Flag));
        self
    }

    /// Of `no_orphan`: rows of which this is true need no owner.
    #[must_use]
    pub fn unless(mut self, none_needed: impl FnOnce(&Expr) -> Expr) -> Demand {
        self.more.push(("unless", Subject::Expr(none_needed(&expr::name("it")))));
        self
    }

    pub(super) fn word(&self) -> &'static str {
        self.kind
    }

    /// As it is written under a name.
    pub(super) fn object(&self, doc: &Doc, name: &str) -> Object {
        let mut object = Object::new();
        if !(matches!(self.subject, Subject::Nothing) && name == self.kind && self.more.is_empty()) {
            say(doc, &mut object, self.kind, &self.subject);
        }
        for (key, subject) in &self.more {
            say(doc, &mut object, key, subject);
        }
        if let (Subject::Table(table), Some((_, Subject::Field(field)))) = (&self.subject, self.more.first())
        {
            table.own(field);
        }
        object
    }
}

fn say(doc: &Doc, object: &mut Object, key: &str, subject: &Subject) {
    let here = Here::outside(doc);
    let table = |table: &Table| {
        here.checked(&table.doc, "the table", &table.whole());
        table.whole()
    };
    match subject {
        Subject::Nothing => object.set(key, Object::new()),
        Subject::Flag => object.set(key, true),
        Subject::Expr(that) => object.set(key, here.json(that)),
        Subject::Flow(flow) => {
            here.checked(&flow.here.doc, "the flow", &flow.name);
            object.set(key, flow.name.as_str())
        }
        Subject::Table(one) => object.set(key, table(one)),
        Subject::Tables(tables) => match tables.as_slice() {
            [one] => object.set(key, table(one)),
            many => object.set(key, many.iter().map(table).collect::<Vec<_>>()),
        },
        Subject::Field(field) => object.set(key, field.name()),
    };
}

/// What is expected of a strategy, or of all of them.
#[derive(Clone, Debug)]
pub struct Expect {
    doc: Doc,
    at: String,
}

impl Expect {
    pub(super) fn new(doc: &Doc, strategy: &str) -> Expect {
        doc.object("/expect");
        Expect { doc: doc.clone(), at: format!("/expect/{}", escaped(strategy)) }
    }

    /// The worst verdict over all invariants. It stands alone.
    pub fn overall(&self, verdict: Verdict) {
        if self.doc.has(&self.at) {
            self.doc.problem("a verdict on all invariants together stands alone in its expectation".into());
        }
        self.doc.set(&self.at, verdict.word());
    }

    /// A verdict of every invariant of which nothing else is said.
    pub fn every(&self, verdict: Verdict) -> &Expect {
        self.say("*", verdict)
    }

    /// A verdict of one invariant.
    pub fn that(&self, invariant: &Invariant, verdict: Verdict) -> &Expect {
        if !invariant.doc.is(&self.doc) {
            self.doc.problem(format!("the invariant `{}` belongs to another builder", invariant.name));
        }
        self.say(&invariant.name, verdict)
    }

    fn say(&self, name: &str, verdict: Verdict) -> &Expect {
        self.alone();
        self.doc.object(&self.at);
        self.doc.set(&format!("{}/{}", self.at, escaped(name)), verdict.word());
        self
    }

    fn alone(&self) {
        if self.doc.look(&self.at, |known| known.is_some_and(|known| known.as_text().is_some())) {
            self.doc.problem("a verdict on all invariants together stands alone in its expectation".into());
        }
    }

    /// True at rest in every run.
    pub fn fact(&self, that: impl Into<Expr>) -> &Expect {
        self.list("facts", &that.into())
    }

    /// True at rest in at least one run.
    pub fn sometimes(&self, that: impl Into<Expr>) -> &Expect {
        self.list("sometimes", &that.into())
    }

    fn list(&self, key: &str, that: &Expr) -> &Expect {
        self.alone();
        self.doc.object(&self.at);
        let text = Here::outside(&self.doc).text(that);
        self.doc.push(&format!("{}/{key}", self.at), text);
        self
    }
}
