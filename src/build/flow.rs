//! Flows and their steps, and clients with what they want.

use super::doc::Doc;
use super::expr::{self, Expr};
use super::operation::{Arguments, Call, argument};
use super::quantity::{Time, span};
use super::render::{Here, quoted};
use super::what::{Node, Service, Topic};
use crate::kernel::time::Span;
use crate::model::flow::Class;
use crate::scenario::json::{Json, Object};

/// A flow: a business operation over several services.
#[derive(Clone, Debug)]
pub struct Flow {
    pub(super) here: Here,
    pub(super) name: String,
    at: String,
}

impl Flow {
    pub(super) fn new(doc: &Doc, name: &str) -> Flow {
        doc.object("/flows");
        let at = doc.declare("/flows", name, Object::new(), "the flow");
        let here = Here { doc: doc.clone(), service: None, part: name.to_owned() };
        Flow { here, name: name.to_owned(), at }
    }

    fn set(&self, key: &str, value: impl Into<Json>) -> &Flow {
        self.here.doc.set(&format!("{}/{key}", self.at), value);
        self
    }

    /// One sentence about it.
    pub fn about(&self, about: &str) -> &Flow {
        self.set("about", about)
    }

    /// The service that runs it; without one, whoever calls.
    pub fn by(&self, service: &Service) -> &Flow {
        self.here.checked(&service.doc, "the service", &service.name);
        self.set("by", service.name.as_str())
    }

    /// The topic whose events start it.
    pub fn on(&self, topic: &Topic) -> &Flow {
        self.here.checked(&topic.doc, "the topic", &topic.name);
        self.set("on", topic.name.as_str())
    }

    /// An argument, in order.
    pub fn arg(&self, name: &str) -> Expr {
        argument(&self.here, &self.at, name)
    }

    /// A step: a call, after the ones before it.
    pub fn step(&self, call: Call) -> Step {
        step(&self.here, &format!("{}/steps", self.at), &call)
    }

    /// A pause.
    pub fn wait(&self, time: impl Into<Time>) -> &Flow {
        let step = Object::new().with("wait", time.into());
        self.here.doc.push(&format!("{}/steps", self.at), step);
        self
    }

    /// Steps that are taken at once.
    pub fn at_once(&self) -> AtOnce {
        let at = self.here.doc.push(&format!("{}/steps", self.at), Json::List(Vec::new()));
        AtOnce { here: self.here.clone(), at }
    }

    /// The answer when it succeeds.
    pub fn reply(&self, value: impl Into<Expr>) -> &Flow {
        self.set("reply", self.here.json(&value.into()))
    }

    /// An answer of several fields.
    pub fn reply_with(&self, field: &str, value: impl Into<Expr>) -> &Flow {
        let holder = format!("{}/reply", self.at);
        self.here.doc.object(&holder);
        let value = self.here.json(&value.into());
        self.here.doc.declare(&holder, field, value, &format!("in the reply of {}, the field", self.name));
        self
    }

    /// A call of it, for steps and clients.
    #[must_use]
    pub fn call(&self, args: impl Arguments) -> Call {
        Call::new(&self.here.doc, &self.name, args)
    }
}

fn step(here: &Here, list: &str, call: &Call) -> Step {
    let at = here.doc.push(list, Object::new().with("do", call.text(here)));
    Step { here: here.clone(), at }
}

/// Steps of a flow that are taken at once.
#[derive(Clone, Debug)]
pub struct AtOnce {
    here: Here,
    at: String,
}

impl AtOnce {
    /// One of them.
    pub fn step(&self, call: Call) -> Step {
        step(&self.here, &self.at, &call)
    }
}

/// A step of a flow.
#[derive(Clone, Debug)]
pub struct Step {
    here: Here,
    at: String,
}

impl Step {
    fn set(&self, key: &str, value: impl Into<Json>) -> &Step {
        self.here.doc.set(&format!("{}/{key}", self.at), value);
        self
    }

    /// The reply, by a name, for the steps after it and for its own compensation.
    pub fn reply(&self, name: &str) -> Expr {
        self.set("as", name);
        expr::local(&self.here.doc, &self.here.part, name)
    }

    /// False: it is left out.
    pub fn when(&self, test: impl Into<Expr>) -> &Step {
        self.set("when", self.here.json(&test.into()))
    }

    /// The call that compensates it.
    pub fn undo(&self, call: Call) -> &Step {
        self.set("undo", call.text(&self.here))
    }

    /// What a saga may do with it, where that is not plain from what it calls.
    pub fn class(&self, class: Class) -> &Step {
        let word = match class {
            Class::Compensatable => "compensatable",
            Class::ReadOnly => "read-only",
            Class::Pivot => "pivot",
            Class::Retriable => "retriable",
        };
        self.set("class", word)
    }

    /// A refusal does not fail the flow.
    pub fn optional(&self) -> &Step {
        self.set("optional", true)
    }
}

/// A group of alike clients.
#[derive(Clone, Debug)]
pub struct Clients {
    here: Here,
    pub(super) name: String,
    at: String,
}

impl From<&Clients> for Node {
    fn from(clients: &Clients) -> Node {
        Node { doc: Some(clients.here.doc.clone()), name: clients.name.clone() }
    }
}

impl Clients {
    pub(super) fn new(doc: &Doc, name: &str) -> Clients {
        doc.object("/clients");
        let at = doc.declare("/clients", name, Object::new(), "the group of clients");
        let here = Here { doc: doc.clone(), service: None, part: format!("the clients {name}") };
        Clients { here, name: name.to_owned(), at }
    }

    pub(super) fn doc(&self) -> &Doc {
        &self.here.doc
    }

    fn set(&self, key: &str, value: impl Into<Json>) -> &Clients {
        self.here.doc.set(&format!("{}/{key}", self.at), value);
        self
    }

    /// One sentence about them.
    pub fn about(&self, about: &str) -> &Clients {
        self.set("about", about)
    }

    /// How many there are; 1 if nothing is said.
    pub fn count(&self, count: u32) -> &Clients {
        self.set("count", count)
    }

    /// How many intents each has; 1 if nothing is said.
    pub fn intents(&self, intents: u32) -> &Clients {
        self.set("intents", intents)
    }

    /// A name for a value that is drawn for each intent, for use in calls.
    pub fn with(&self, name: &str, value: impl Into<Generator>) -> Expr {
        let holder = format!("{}/with", self.at);
        self.here.doc.object(&holder);
        let what = format!("in `with` of {}, the name", self.name);
        self.here.doc.declare(&holder, name, value.into().json(&self.here), &what);
        expr::local(&self.here.doc, &self.here.part, name)
    }

    /// What they want.
    pub fn does(&self, call: Call) -> &Clients {
        if self.here.doc.has(&format!("{}/does", self.at)) {
            self.here.doc.problem(format!("{} does two things: give each its weight", self.here.part));
        }
        self.set("does", call.text(&self.here))
    }

    /// What they want, one of several: so often compared with the others.
    pub fn does_weighted(&self, call: Call, weight: u32) -> &Clients {
        let holder = format!("{}/does", self.at);
        self.here.doc.object(&holder);
        let text = call.text(&self.here);
        self.here.doc.declare(&holder, &text, weight, &format!("in {}, the call", self.here.part));
        self
    }

    /// When the first intent starts; at once if nothing is said.
    pub fn start(&self, time: impl Into<Time>) -> &Clients {
        self.set("start", time.into())
    }

    /// From the end of one intent to the start of the next; at once if nothing is said.
    pub fn gap(&self, time: impl Into<Time>) -> &Clients {
        self.set("gap", time.into())
    }

    /// From start to start, whatever became of the intent before.
    pub fn every(&self, time: impl Into<Time>) -> &Clients {
        self.set("every", time.into())
    }

    /// An intent at an exact time, instead of `does`.
    pub fn script(&self, at: Span, call: Call) -> &Clients {
        let intent = Object::new().with("at", span(at)).with("do", call.text(&self.here));
        self.here.doc.push(&format!("{}/script", self.at), intent);
        self
    }
}

/// Where a value of an intent comes from.
#[derive(Clone, Debug)]
pub struct Generator(Source);

#[derive(Clone, Debug)]
enum Source {
    Call(&'static str, Vec<Expr>),
    Text(String),
    Value(Expr),
}

/// A new text for each intent, which begins like this.
#[must_use]
pub fn unique(prefix: &str) -> Generator {
    Generator(Source::Call("unique", vec![prefix.into()]))
}

/// A whole number from `low` to `high`, both included, equally likely.
#[must_use]
pub fn uniform(low: i64, high: i64) -> Generator {
    Generator(Source::Call("uniform", vec![low.into(), high.into()]))
}

/// A whole number from `low` to `high`, the first ones likelier: by Zipf's law with an exponent in thousandths, so
/// that 1100 is 1.1.
#[must_use]
pub fn zipf(low: i64, high: i64, thousandths: u32) -> Generator {
    let (whole, rest) = (thousandths / 1_000, thousandths % 1_000);
    Generator(Source::Text(format!("zipf({low}, {high}, {whole}.{rest:03})")))
}

/// One of these values, equally likely.
#[must_use]
pub fn pick<T: Into<Expr>>(values: impl IntoIterator<Item = T>) -> Generator {
    Generator(Source::Call("pick", values.into_iter().map(Into::into).collect()))
}

/// These values in turn.
#[must_use]
pub fn turn<T: Into<Expr>>(values: impl IntoIterator<Item = T>) -> Generator {
    Generator(Source::Call("turn", values.into_iter().map(Into::into).collect()))
}

/// Always this value.
impl<T: Into<Expr>> From<T> for Generator {
    fn from(value: T) -> Generator {
        Generator(Source::Value(value.into()))
    }
}

impl Generator {
    fn json(&self, here: &Here) -> Json {
        match &self.0 {
            Source::Call(name, args) => {
                let args: Vec<String> = args.iter().map(|arg| here.text(arg)).collect();
                format!("{name}({})", args.join(", ")).into()
            }
            Source::Text(text) => text.as_str().into(),
            Source::Value(value) => match &*value.0 {
                expr::Tree::Text(text) => quoted(text).into(),
                _ => here.json(value),
            },
        }
    }
}
