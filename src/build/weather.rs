//! The weather: latency, faults by verb with their selectors, the points and links they strike at, and the phases of
//! a run.

use super::doc::Doc;
use super::expr::Expr;
use super::flow::Flow;
use super::operation::Operation;
use super::quantity::{Time, share, span};
use super::render::Here;
use super::what::{Node, Topic};
use crate::kernel::sample::Share;
use crate::kernel::time::Span;
use crate::scenario::json::{Json, Object};

/// The weather of a scenario.
#[derive(Clone, Debug)]
pub struct Weather {
    doc: Doc,
}

impl Weather {
    pub(super) fn new(doc: &Doc) -> Weather {
        doc.object("/weather");
        Weather { doc: doc.clone() }
    }

    fn set(&self, key: &str, value: impl Into<Json>) -> &Weather {
        self.doc.set(&format!("/weather/{key}"), value);
        self
    }

    /// How long messages take on every link that has no latency of its own; 1 ms if nothing is said.
    pub fn latency(&self, time: impl Into<Time>) -> &Weather {
        let time = time.into();
        if self.doc.look("/weather/latency", |known| known.is_some_and(|known| known.as_object().is_some())) {
            return self.set("latency/*", time);
        }
        self.set("latency", time)
    }

    /// How long messages take on a link.
    pub fn latency_on(&self, link: &Link, time: impl Into<Time>) -> &Weather {
        if let Some(rest) = self.doc.json().get("/weather/latency").filter(|known| known.as_text().is_some())
        {
            self.set("latency", Object::new().with("*", rest.clone()));
        }
        self.doc.object("/weather/latency");
        let text = link.text(&self.doc);
        self.doc.declare("/weather/latency", &text, time.into(), "the latency of the link");
        self
    }

    /// A fault, after the ones before it.
    pub fn fault(&self, fault: &Fault) -> &Weather {
        let at = self.doc.push("/weather/faults", Object::new());
        for (key, value) in &fault.parts {
            let value = match value {
                Part::Json(value) => value.clone(),
                Part::Point(point) => point.text(&self.doc).into(),
                Part::Link(link) => link.text(&self.doc).into(),
                Part::Node(node) => node_text(&self.doc, node).into(),
                Part::Target(target) => target.name(&self.doc).into(),
                Part::Expr(expr) => {
                    let here = Here { doc: self.doc.clone(), service: None, part: fault.about() };
                    here.json(expr)
                }
            };
            let pointer = format!("{at}/{key}");
            if self.doc.has(&pointer) {
                self.doc.push_one_or_many(&pointer, value);
            } else {
                self.doc.set(&pointer, value);
            }
        }
        self
    }

    /// The instant from which no fault is decided; 1 s if nothing is said.
    pub fn heal(&self, at: Span) -> &Weather {
        self.set("heal", span(at))
    }

    /// The instant at which the run ends at the latest.
    pub fn end(&self, at: Span) -> &Weather {
        self.set("end", span(at))
    }

    /// How long after `heal` the run ends at the latest; 1 min if nothing is said.
    pub fn end_after_heal(&self, time: Span) -> &Weather {
        self.set("end", format!("heal + {}", span(time)))
    }

    /// Every run is the run of this seed, whichever is asked for.
    pub fn seed(&self, seed: u64) -> &Weather {
        self.set("seed", seed)
    }

    /// An exact decision about a thing by its name, such as `shop.i1.a1:reply~1 = lost`; after the ones before it.
    pub fn decide(&self, line: impl Into<String>) -> &Weather {
        self.doc.push("/weather/script", line.into());
        self
    }

    /// What the exact decisions leave open; if nothing is said, it is calm.
    pub fn rest(&self, rest: Rest) -> &Weather {
        self.set("rest", if rest == Rest::Calm { "calm" } else { "seed" })
    }

    /// Leaves whole fault rules out at random, seed by seed.
    pub fn swarm(&self) -> &Weather {
        self.set("swarm", true)
    }
}

/// What exact decisions leave open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// No fault rule hits, and every time is the shortest it can be.
    Calm,
    /// It is as without exact decisions.
    Seed,
}

/// Anything: any operation or flow, any topic, any node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Any;

impl From<Any> for Node {
    fn from(_: Any) -> Node {
        Node { doc: None, name: "*".into() }
    }
}

/// What a point is about: an operation, a flow, a topic, or [`Any`].
#[derive(Clone, Debug)]
pub struct Target {
    doc: Option<Doc>,
    name: String,
}

impl Target {
    fn name(&self, doc: &Doc) -> String {
        if let Some(own) = &self.doc
            && !own.is(doc)
        {
            doc.problem(format!("`{}` belongs to another builder", self.name));
        }
        self.name.clone()
    }
}

impl From<Any> for Target {
    fn from(_: Any) -> Target {
        Target { doc: None, name: "*".into() }
    }
}

impl From<&Operation> for Target {
    fn from(operation: &Operation) -> Target {
        Target { doc: Some(operation.here.doc.clone()), name: operation.whole.clone() }
    }
}

impl From<&Flow> for Target {
    fn from(flow: &Flow) -> Target {
        Target { doc: Some(flow.here.doc.clone()), name: flow.name.clone() }
    }
}

impl From<&Topic> for Target {
    fn from(topic: &Topic) -> Target {
        Target { doc: Some(topic.doc.clone()), name: topic.name.clone() }
    }
}

/// A thing that happens, which faults can hit.
#[derive(Clone, Debug)]
pub struct Point {
    word: &'static str,
    of: Target,
    fetch: bool,
}

impl Point {
    /// The exchange before it, in which the caller of an operation that is run by its caller fetches what it reads.
    #[must_use]
    pub fn fetch(self) -> Point {
        Point { fetch: true, ..self }
    }

    fn text(&self, doc: &Doc) -> String {
        let fetch = if self.fetch { ".fetch" } else { "" };
        format!("{} {}{fetch}", self.word, self.of.name(doc))
    }
}

macro_rules! points {
    ($($name:ident $word:literal $doc:literal;)*) => { $(
        #[doc = $doc]
        #[must_use]
        pub fn $name(of: impl Into<Target>) -> Point {
            Point { word: $word, of: of.into(), fetch: false }
        }
    )* };
}

points! {
    request "request" "The request for an operation or a flow, whatever carries it.";
    reply "reply" "The reply of an operation or a flow.";
    commit "commit" "The commit of an operation.";
    event "event" "An event of a topic, on its way.";
    ack "ack" "The acknowledgement of an event.";
    publish "publish" "An event of a topic leaves.";
    mark "mark" "The relay of an outbox notes an event as sent.";
    log "log" "The orchestrator of a flow writes its log.";
}

/// A link between nodes, from one side to the other.
#[derive(Clone, Debug)]
pub struct Link {
    from: Vec<Node>,
    to: Vec<Node>,
    both: bool,
}

/// The link from one node to another.
#[must_use]
pub fn link(from: impl Into<Node>, to: impl Into<Node>) -> Link {
    links([from], [to])
}

/// The links from each of some nodes to each of others.
#[must_use]
pub fn links<F: Into<Node>, T: Into<Node>>(
    from: impl IntoIterator<Item = F>,
    to: impl IntoIterator<Item = T>,
) -> Link {
    let (from, to) = (from.into_iter().map(Into::into), to.into_iter().map(Into::into));
    Link { from: from.collect(), to: to.collect(), both: false }
}

impl Link {
    /// In both directions.
    #[must_use]
    pub fn both(self) -> Link {
        Link { both: true, ..self }
    }

    fn text(&self, doc: &Doc) -> String {
        let side = |nodes: &[Node]| {
            let names: Vec<String> = nodes.iter().map(|node| node_text(doc, node)).collect();
            names.join(", ")
        };
        format!("{} {} {}", side(&self.from), if self.both { "<->" } else { "->" }, side(&self.to))
    }
}

fn node_text(doc: &Doc, node: &Node) -> String {
    if let Some(own) = &node.doc
        && !own.is(doc)
    {
        doc.problem(format!("the node `{}` belongs to another builder", node.name));
    }
    node.name.clone()
}

/// The messages of a point or on a link.
#[derive(Clone, Debug)]
pub enum Messages {
    /// Of a point: request, reply, event or ack.
    At(Point),
    /// On a link.
    On(Link),
}

impl From<Point> for Messages {
    fn from(point: Point) -> Messages {
        Messages::At(point)
    }
}

impl From<Link> for Messages {
    fn from(link: Link) -> Messages {
        Messages::On(link)
    }
}

/// One rule of what goes wrong: a verb, then who is hit. All selectors given must match; with none, it hits always.
#[derive(Clone, Debug)]
pub struct Fault {
    parts: Vec<(&'static str, Part)>,
}

#[derive(Clone, Debug)]
enum Part {
    Json(Json),
    Point(Point),
    Link(Link),
    Node(Node),
    Target(Target),
    Expr(Expr),
}

fn fault(verb: &'static str, of: Part) -> Fault {
    Fault { parts: vec![(verb, of)] }
}

fn of_messages(messages: impl Into<Messages>) -> Part {
    match messages.into() {
        Messages::At(point) => Part::Point(point),
        Messages::On(link) => Part::Link(link),
    }
}

/// Messages are lost.
#[must_use]
pub fn lose(messages: impl Into<Messages>) -> Fault {
    fault("lose", of_messages(messages))
}

/// Messages are late by a time.
#[must_use]
pub fn delay(messages: impl Into<Messages>, by: impl Into<Time>) -> Fault {
    fault("delay", of_messages(messages)).lasting(by)
}

/// Messages are held until an instant.
#[must_use]
pub fn hold(messages: impl Into<Messages>, until: Span) -> Fault {
    fault("delay", of_messages(messages)).json("until", span(until))
}

/// Messages arrive again: one more copy, or one for each [`Fault::again`].
#[must_use]
pub fn duplicate(messages: impl Into<Messages>) -> Fault {
    fault("duplicate", of_messages(messages))
}

/// An operation, or [`Any`], is refused for this reason when it executes.
#[must_use]
pub fn refuse(operation: impl Into<Target>, reason: &str) -> Fault {
    fault("refuse", Part::Target(operation.into())).json("reason", reason)
}

/// An operation, or [`Any`], fails technically, without effect.
#[must_use]
pub fn fail(operation: impl Into<Target>) -> Fault {
    fault("fail", Part::Target(operation.into()))
}

/// A node crashes: say when, and for how long.
#[must_use]
pub fn crash(node: impl Into<Node>) -> Fault {
    fault("crash", Part::Node(node.into()))
}

/// A node stops and goes on later as if nothing had happened: say when, and for how long.
#[must_use]
pub fn pause(node: impl Into<Node>) -> Fault {
    fault("pause", Part::Node(node.into()))
}

/// A link loses everything: say when, and for how long.
#[must_use]
pub fn cut(link: Link) -> Fault {
    fault("cut", Part::Link(link))
}

impl Fault {
    fn json(self, key: &'static str, value: impl Into<Json>) -> Fault {
        self.part(key, Part::Json(value.into()))
    }

    fn part(mut self, key: &'static str, part: Part) -> Fault {
        self.parts.push((key, part));
        self
    }

    /// What the arguments in its condition belong to.
    fn about(&self) -> String {
        let of = self.parts.iter().find_map(|(_, part)| match part {
            Part::Point(point) => Some(&point.of),
            Part::Target(target) => Some(target),
            _ => None,
        });
        of.map_or_else(String::new, |target| target.name.clone())
    }

    /// How long it lasts; [`Span::MAX`] is for ever: a crashed node never comes back, a paused one goes on at heal.
    #[must_use]
    pub fn lasting(self, time: impl Into<Time>) -> Fault {
        self.json("for", time.into())
    }

    /// One more copy, so long after the first one.
    #[must_use]
    pub fn again(self, after: impl Into<Time>) -> Fault {
        self.json("again", after.into())
    }

    /// The instant at which it strikes.
    #[must_use]
    pub fn at(self, at: Span) -> Fault {
        self.json("at", span(at))
    }

    /// It strikes again and again, so far apart.
    #[must_use]
    pub fn every(self, time: impl Into<Time>) -> Fault {
        self.json("every", time.into())
    }

    /// It strikes just before a point.
    #[must_use]
    pub fn before(self, point: Point) -> Fault {
        self.part("before", Part::Point(point))
    }

    /// It strikes just after a point.
    #[must_use]
    pub fn after(self, point: Point) -> Fault {
        self.part("after", Part::Point(point))
    }

    /// The n-th occurrence within one intent, counted from 1; said again, this one too.
    #[must_use]
    pub fn nth(self, n: u32) -> Fault {
        self.json("nth", n)
    }

    /// How likely it is.
    #[must_use]
    pub fn chance(self, chance: Share) -> Fault {
        self.json("chance", share(chance))
    }

    /// A condition over the arguments of what it is about, and over [`client`](super::client) and [`intent`](super::intent).
    #[must_use]
    pub fn when(self, test: impl Into<Expr>) -> Fault {
        self.part("when", Part::Expr(test.into()))
    }

    /// Only from one instant to another.
    #[must_use]
    pub fn during(self, from: Span, to: Span) -> Fault {
        self.json("during", format!("{}..{}", span(from), span(to)))
    }
}
