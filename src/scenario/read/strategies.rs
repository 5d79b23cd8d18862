//! Strategies as written: their layers, in the order in which they are laid over each other.
//!
//! Under every strategy lie the naive defaults; on them the built-in or extended strategy, then `*`, then its own keys.
//! Of all these layers first the plain policies count, then those of `where`, the less specific scopes first. Policies
//! merge as JSON unless `use` changes.

use super::super::code::Code;
use super::super::fields::Fields;
use super::super::patch::merge;
use super::super::problem::{Problem, Problems, quote};
use super::super::source::Place;
use super::super::tree::{Entry, Kind, Node, Text};
use super::language::how::{self, DIMENSIONS};
use super::later;
use super::names::{Index, too_many, undeclared};
use crate::model::ids::{FlowId, GroupId, OpId, ServiceId, TableId, TopicId};

/// The most strategies of a document.
const MOST: usize = 200;

/// One layer: an object with policies and perhaps `where`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layer<'n> {
    pub(super) node: &'n Node,
    kind: Layered,
}

/// Where a layer comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layered {
    BuiltIn,
    /// `*`
    Star,
    /// The strategy itself, or one of the file that it extends.
    Own,
}

/// A strategy that is to be run.
#[derive(Clone, Debug)]
pub(super) struct Strategy<'n> {
    pub(super) name: String,
    pub(super) about: Option<String>,
    /// Where it is named.
    pub(super) head: Place,
    /// Where its own keys stand, if it has any.
    pub(super) own: Option<Place>,
    /// Bottom first; the naive defaults are not among them.
    pub(super) layers: Vec<Layer<'n>>,
    /// Patches over the document, in order.
    pub(super) rewrites: Vec<&'n Node>,
}

/// The strategies of a document, in order; the built-in ones if it has none.
pub(super) fn all<'n>(
    document: &Fields<'n>,
    built_in: &'n Node,
    problems: &mut Problems,
) -> Vec<Strategy<'n>> {
    let written = document.members("strategies");
    if let Some(entry) = written.get(MOST) {
        too_many("strategies", entry.key.place, problems);
    }
    let written = &written[..written.len().min(MOST)];
    let mut checked: Vec<(&'n Entry, Fields<'n>)> = Vec::new();
    for entry in written {
        if entry.key.value.trim().is_empty() {
            problems.push(Problem::error(Code::BadName, entry.key.place, "a strategy needs a name"));
        }
        checked.extend(check(entry, problems).map(|fields| (entry, fields)));
    }
    let star = checked.iter().find(|(entry, _)| entry.key.value == "*");
    if let Some((_, fields)) = star {
        for key in ["extends", "rewrite"] {
            if let Some(entry) = fields.entry(key) {
                let message = format!("`*` holds for every strategy and has no `{key}`");
                problems.push(Problem::error(Code::Together, entry.key.place, message));
            }
        }
    }
    let star = star.map(|(entry, _)| Layer { node: &entry.value, kind: Layered::Star });
    let mut strategies = Vec::new();
    for (entry, fields) in checked.iter().filter(|(entry, _)| entry.key.value != "*") {
        let own = Layer { node: &entry.value, kind: Layered::Own };
        let mut base = Base { layers: Vec::new(), rewrites: Vec::new() };
        base.under(entry, fields, &checked, built_in, &mut vec![&entry.key.value], problems);
        let mut layers = base.layers;
        layers.extend(star);
        layers.push(own);
        let mut rewrites = base.rewrites;
        rewrites.extend(fields.node("rewrite"));
        strategies.push(Strategy {
            name: entry.key.value.owned(),
            about: fields.text("about").map(|about| about.value.owned()),
            head: entry.key.place,
            own: Some(entry.value.place),
            layers,
            rewrites,
        });
    }
    let runs = written.iter().any(|entry| entry.key.value != "*");
    if !runs {
        for entry in built_in.as_object().unwrap_or_default() {
            let mut layers = vec![Layer { node: &entry.value, kind: Layered::BuiltIn }];
            layers.extend(star);
            strategies.push(Strategy {
                name: entry.key.value.owned(),
                about: None,
                head: document.head(),
                own: None,
                layers,
                rewrites: Vec::new(),
            });
        }
    }
    strategies
}

/// Checks the keys of a strategy, its policies and its scopes.
fn check<'n>(entry: &'n Entry, problems: &mut Problems) -> Option<Fields<'n>> {
    let fields = later::fields(&entry.value, entry.key.place, &how::STRATEGY, problems)?;
    policies(&fields, problems);
    for scope in fields.members("where") {
        let own = later::fields(&scope.value, scope.key.place, &how::SCOPED, problems);
        if let Some(own) = own {
            policies(&own, problems);
        }
    }
    if let Some(entry) = fields.entry("rewrite") {
        Fields::of(&entry.value, entry.key.place, &how::REWRITE, problems);
    }
    Some(fields)
}

fn policies(fields: &Fields<'_>, problems: &mut Problems) {
    for (field, entry) in fields.iter() {
        let Some(table) = DIMENSIONS.iter().find(|table| table.name == field.name) else { continue };
        match &entry.value.kind {
            Kind::Text(_) => {
                later::refuse_word(table.name, "use", &entry.value, problems);
            }
            _ => {
                later::fields(&entry.value, entry.key.place, table, problems);
            }
        }
    }
}

struct Base<'n> {
    layers: Vec<Layer<'n>>,
    rewrites: Vec<&'n Node>,
}

impl<'n> Base<'n> {
    /// The layers that a strategy lies on.
    fn under<'c>(
        &mut self,
        entry: &'n Entry,
        fields: &Fields<'n>,
        checked: &'c [(&'n Entry, Fields<'n>)],
        built_in: &'n Node,
        chain: &mut Vec<&'n str>,
        problems: &mut Problems,
    ) {
        let name = entry.key.value.as_str();
        let Some(extends) = fields.text("extends") else {
            if let Some(known) = built_in.get(name) {
                self.layers.push(Layer { node: &known.value, kind: Layered::BuiltIn });
            }
            return;
        };
        let wanted = extends.value.as_str();
        let found = checked.iter().find(|(entry, _)| entry.key.value == wanted && wanted != "*");
        // A strategy with the name of a built-in one may extend just that.
        let found = found.filter(|_| wanted != name || built_in.get(wanted).is_none());
        match (found, built_in.get(wanted)) {
            (Some(_), _) if chain.contains(&wanted) => {
                let message = format!("the strategy {} extends itself", quote(wanted));
                problems.push(Problem::error(Code::Circle, extends.place, message));
            }
            (Some((below, below_fields)), _) => {
                chain.push(wanted);
                self.under(below, below_fields, checked, built_in, chain, problems);
                chain.pop();
                self.layers.push(Layer { node: &below.value, kind: Layered::Own });
                self.rewrites.extend(below_fields.node("rewrite"));
            }
            (None, Some(known)) => self.layers.push(Layer { node: &known.value, kind: Layered::BuiltIn }),
            (None, None) => {
                let written = checked.iter().map(|(entry, _)| entry.key.value.owned());
                let built = built_in.as_object().unwrap_or_default().iter().map(|e| e.key.value.owned());
                let mut known: Vec<String> =
                    written.filter(|known| known != "*" && known != name).chain(built).collect();
                known.dedup();
                undeclared("strategy", wanted, extends.place, &known, problems);
            }
        }
    }
}

/// A part of the scenario that `where` names; the more specific ones are greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Group(GroupId),
    Service(ServiceId),
    Topic(TopicId),
    Table(TableId),
    Flow(FlowId),
    Op(OpId),
}

/// Policies for a part.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scoped<'n> {
    pub(super) part: Part,
    /// The part as it is named.
    pub(super) key: &'n Text,
    pub(super) node: &'n Node,
}

/// The scopes of a strategy, the less specific first, and of equally specific ones the lower layers.
pub(super) fn scopes<'n>(
    strategy: &Strategy<'n>,
    index: &Index<'_>,
    problems: &mut Problems,
) -> Vec<Scoped<'n>> {
    let mut scopes = Vec::new();
    for layer in &strategy.layers {
        let Some(entry) = layer.node.get("where") else { continue };
        for scope in entry.value.as_object().unwrap_or_default() {
            if let Some(part) = part(&scope.key, index, problems) {
                suits(part, scope, problems);
                scopes.push(Scoped { part, key: &scope.key, node: &scope.value });
            }
        }
    }
    // A stable sort by kind: which number a part has does not matter.
    scopes.sort_by_key(|scope| rank(scope.part));
    scopes
}

fn rank(part: Part) -> u8 {
    match part {
        Part::Group(_) => 0,
        Part::Service(_) => 1,
        Part::Topic(_) => 2,
        Part::Table(_) => 3,
        Part::Flow(_) => 4,
        Part::Op(_) => 5,
    }
}

fn part(name: &Text, index: &Index<'_>, problems: &mut Problems) -> Option<Part> {
    let text = name.value.as_str();
    let found = [
        ("an operation", index.find_operation(text).map(Part::Op)),
        ("a flow", index.find_flow(text).map(Part::Flow)),
        ("a table", index.find_table(text).map(Part::Table)),
        ("a topic", index.find_topic(text).map(Part::Topic)),
        ("a service", index.find_service(text).map(Part::Service)),
        ("a group of clients", index.find_group(text).map(Part::Group)),
    ];
    let found: Vec<(&str, Part)> = found.into_iter().filter_map(|(what, part)| Some((what, part?))).collect();
    match found[..] {
        [(_, part)] => Some(part),
        [] => {
            let mut known = index.all_operations();
            known.extend(index.all_flows());
            known.extend(index.all_tables());
            known.extend(index.all_topics());
            known.extend(index.all_services());
            known.extend(index.all_groups());
            undeclared("part of the scenario", text, name.place, &known, problems);
            None
        }
        _ => {
            let all: Vec<&str> = found.iter().map(|(what, _)| *what).collect();
            let message = format!("{} is {}", quote(text), all.join(" and "));
            problems.push(Problem::error(Code::Twice, name.place, message).hint("rename one of them"));
            None
        }
    }
}

/// Reports dimensions that have nothing to govern in a part.
fn suits(part: Part, scope: &Entry, problems: &mut Problems) {
    for entry in scope.value.as_object().unwrap_or_default() {
        let dimension = entry.key.value.as_str();
        let (fits, belongs) = match part {
            Part::Group(_) => (matches!(dimension, "retry" | "read"), "a group of clients only calls"),
            Part::Service(_) => (true, ""),
            Part::Topic(_) | Part::Table(_) => {
                (!matches!(dimension, "retry" | "coordination" | "read"), "this belongs to who calls")
            }
            Part::Flow(_) => (
                matches!(dimension, "retry" | "coordination" | "read" | "idempotency" | "publish"),
                "a flow has no store of its own; name its operations or services",
            ),
            Part::Op(_) => (!matches!(dimension, "coordination" | "read"), "this belongs to who calls"),
        };
        if !fits && DIMENSIONS.iter().any(|table| table.name == dimension) {
            let message = format!("{} governs nothing in {}", quote(dimension), quote(&scope.key.value));
            problems.push(Problem::error(Code::Scope, entry.key.place, message).hint(belongs));
        }
    }
}

/// Lays the policy of one dimension that an object holds over another one.
pub(super) fn lay(base: Option<Node>, over: &Node, dimension: &str) -> Option<Node> {
    let Some(entry) = over.get(dimension) else { return base };
    let policy = match &entry.value.kind {
        Kind::Text(name) => {
            let key = Text::new(name.place, "use".to_owned(), Vec::new());
            let own = Entry { key, value: entry.value.clone() };
            Node { place: entry.value.place, kind: Kind::Object([own].into()) }
        }
        Kind::Object(_) => entry.value.clone(),
        _ => return base,
    };
    let Some(base) = base else { return Some(policy) };
    let changes = match (used(&policy), used(&base)) {
        (Some(new), old) => Some(new) != old.or_else(|| naive(dimension)),
        (None, _) => false,
    };
    Some(if changes { policy } else { merge(base, &policy) })
}

fn used(policy: &Node) -> Option<&str> {
    Some(policy.get("use")?.value.as_text()?.value.as_str())
}

/// The policy of a dimension where nothing is said.
pub(super) fn naive(dimension: &str) -> Option<&'static str> {
    let table = DIMENSIONS.iter().find(|table| table.name == dimension)?;
    match &table.field("use")?.shape {
        super::super::shape::Shape::OneOf(words) => words.first().map(|word| word.name),
        _ => None,
    }
}

impl<'n> Strategy<'n> {
    /// The policy of a dimension that holds where no scope says otherwise.
    pub(super) fn plain(&self, dimension: &str) -> Option<Node> {
        self.layers.iter().fold(None, |base, layer| lay(base, layer.node, dimension))
    }

    /// The retry policy of calls made by flows.
    pub(super) fn plain_of_flows(&self) -> Option<Node> {
        let base = self.plain("retry");
        // What `*` says is for every strategy alike; only its own word and that of those it extends counts here.
        let says = |layer: &Layer<'_>| {
            layer.kind == Layered::Own
                && layer.node.get("retry").is_some_and(|own| own.value.get("attempts").is_some())
        };
        let rule = self.layers.iter().find_map(|layer| layer.node.get("flows"));
        match rule {
            Some(rule) if !self.layers.iter().any(says) => lay(base, &rule.value, "retry"),
            _ => base,
        }
    }
}
