//! Operations: arguments, the phases of each part, the reply.

use super::super::code::Code;
use super::super::expr::{Binding, Names, Scalar, Ty};
use super::super::fields::Fields;
use super::super::problem::{Problem, Problems, quote};
use super::super::quantity;
use super::super::tree::{Kind, Node, Text};
use super::effects::{self, Reader, Whole};
use super::exprs::{Exprs, local};
use super::language::what;
use super::later;
use super::names::{Index, free_name, identifier, too_many};
use super::values::dist;
use crate::model::expr::Expr;
use crate::model::ids::OpId;
use crate::model::service::{By, Effects, Operation, Part, Require, Slot, Think};
use crate::model::symbols::Symbols;

/// The most parts of an operation.
const MOST_PARTS: usize = 16;
/// The most names of an operation: arguments and `let`s.
const MOST_SLOTS: usize = 256;
/// The reason of a requirement without one.
pub(super) const REFUSED: &str = "refused";

/// The parts of an operation beyond the first, by their tables.
fn further<'n>(fields: &Fields<'n>, problems: &mut Problems) -> Vec<Fields<'n>> {
    let nodes = fields.list("then");
    if let Some(node) = nodes.get(MOST_PARTS - 1) {
        too_many("parts in one operation", node.head(), problems);
    }
    let nodes = nodes.iter().take(MOST_PARTS - 1);
    nodes.filter_map(|node| later::fields(node, node.head(), &what::PART, problems)).collect()
}

fn refusal<'n>(fields: &Fields<'n>, problems: &mut Problems) -> Option<Fields<'n>> {
    let entry = fields.entry("otherwise")?;
    later::fields(&entry.value, entry.key.place, &what::OTHERWISE, problems)
}

/// Declares the columns, topics and fields of topics that an operation names.
pub(super) fn declare<'n>(op: OpId, index: &mut Index<'n>, exprs: &mut Exprs, problems: &mut Problems) {
    let fields = index.operations[op.index()].fields.clone();
    let Some(service) = index.operations[op.index()].service else { return };
    let mut parts = vec![fields.clone()];
    parts.extend(further(&fields, problems));
    parts.extend(refusal(&fields, problems));
    for part in parts {
        effects::declare(&part, service, index, exprs, problems);
    }
}

/// Reads an operation; everything it may name is declared.
pub(super) fn read<'n>(
    op: OpId,
    index: &Index<'n>,
    exprs: &mut Exprs,
    wholes: &mut Vec<Whole>,
    symbols: &mut Symbols,
    problems: &mut Problems,
) -> (Operation, Vec<Ty>) {
    let callable = &index.operations[op.index()];
    let service = callable.service.unwrap_or_default();
    let fields = &callable.fields;
    let mut scope = Names::new();
    let mut body = Body { slots: Vec::new(), tys: Vec::new() };
    for (name, table) in index.tables_of(service) {
        scope.bind(&name, Binding::Table(table));
    }
    scope.bind("now", Binding::Now);
    let on = fields.text("on").and_then(|topic| index.find_topic(&topic.value));
    if on.is_some() {
        scope.bind("event", Binding::Event);
    }
    let written = fields.list("args").iter().filter_map(Node::as_text);
    for (name, ty) in &callable.args {
        if index.find_table_of(service, name).is_some()
            && let Some(text) = written.clone().find(|text| text.value == *name)
        {
            let message = format!("{} is an argument and a table of the service", quote(name));
            problems.push(Problem::error(Code::Twice, text.place, message).hint("rename one of them"));
        }
        body.add(name, *ty, &mut scope);
    }
    let args = body.slots.len() as u16;
    let mut parts = Vec::new();
    let mut otherwise = Effects::default();
    let all = std::iter::once(fields.clone()).chain(further(fields, problems));
    for (n, part) in all.enumerate() {
        parts.push(read_part(&part, &mut body, &mut scope, index, exprs, wholes, symbols, problems));
        if n == 0
            && let Some(refusal) = refusal(fields, problems)
        {
            let mut reader = Reader { scope: &scope, index, exprs, wholes, problems };
            otherwise = reader.effects(&refusal);
        }
    }
    let hosted = index.services[service.index()].fields.has("process");
    if hosted {
        for (field, entry) in fields.iter().filter(|(field, _)| field.name != "args") {
            let message = format!(
                "a process answers {}, so nothing but its `args` can be said of it",
                quote(&callable.name.value)
            );
            let problem = Problem::error(Code::Together, entry.key.place, message);
            problems.push(problem.hint(format!("what `{}` would say is written in Rust", field.name)));
        }
    }
    let reply = fields.entry("reply").map(|entry| {
        let (reply, ty) = record_or_value(&entry.value, &scope, exprs, problems);
        let place = exprs.data_place(entry.value.place);
        exprs.unify(ty, callable.reply, &place, problems);
        reply
    });
    let operation = Operation {
        name: callable.name.value.owned(),
        service,
        by: if fields.word("by") == Some("caller") { By::Caller } else { By::Owner },
        on,
        args,
        slots: body.slots,
        parts,
        otherwise,
        reply,
        hosted,
    };
    (operation, body.tys)
}

/// The names of an operation so far.
struct Body {
    slots: Vec<Slot>,
    tys: Vec<Ty>,
}

impl Body {
    fn add(&mut self, name: &str, ty: Ty, scope: &mut Names) -> u16 {
        let slot = self.slots.len();
        scope.bind(name, local(slot, ty));
        self.slots.push(Slot { name: name.to_owned(), ty: crate::model::value::Type::Null });
        self.tys.push(ty);
        slot as u16
    }
}

#[allow(clippy::too_many_arguments)]
fn read_part<'n>(
    fields: &Fields<'n>,
    body: &mut Body,
    scope: &mut Names,
    index: &Index<'n>,
    exprs: &mut Exprs,
    wholes: &mut Vec<Whole>,
    symbols: &mut Symbols,
    problems: &mut Problems,
) -> Part {
    let mut part = Part::default();
    for entry in fields.members("let") {
        let (value, ty) = exprs.value(&entry.value, scope, None, problems);
        if !new_name(&entry.key, scope, problems) {
            continue;
        }
        if body.slots.len() == MOST_SLOTS {
            too_many("names in one operation", entry.key.place, problems);
            break;
        }
        let slot = body.add(&entry.key.value, ty, scope);
        part.lets.push((slot, value));
    }
    part.skip = fields.node("skip").map(|node| exprs.truth(node, scope, problems));
    if let Some(node) = fields.node("require") {
        match &node.kind {
            Kind::Object(entries) => {
                for entry in entries.iter() {
                    let reason = symbols.intern(&entry.key.value);
                    let that = exprs.truth(&entry.value, scope, problems);
                    part.require.push(Require { reason, that });
                }
            }
            _ => {
                let reason = symbols.intern(REFUSED);
                part.require.push(Require { reason, that: exprs.truth(node, scope, problems) });
            }
        }
    }
    if let Some(node) = fields.node("think") {
        part.think = think(node, scope, exprs, problems);
    }
    part.effects = Reader { scope, index, exprs, wholes, problems }.effects(fields);
    part
}

/// A time, or an expression that yields one.
fn think(node: &Node, scope: &Names, exprs: &mut Exprs, problems: &mut Problems) -> Think {
    let Kind::Text(text) = &node.kind else {
        let message = format!("a time to think is a text, not {}", node.kind_name());
        problems.push(Problem::error(Code::WrongKind, node.place, message).hint("such as \"5ms\""));
        return Think::None;
    };
    match quantity::time(&text.value) {
        Ok(time) => match dist(time) {
            Some(dist) => Think::Time(dist),
            None => {
                let problem = Problem::error(Code::Time, text.place, "nobody thinks for ever");
                problems.push(problem.hint("a time such as \"5ms\""));
                Think::None
            }
        },
        Err(wrong) if is_time(&text.value) => {
            let place = text.place_in(wrong.range);
            problems.push(Problem::error(wrong.code, place, wrong.message).maybe_hint(wrong.hint));
            Think::None
        }
        Err(_) => {
            let duration = exprs.types.scalar(Scalar::Duration, None);
            Think::Computed(exprs.value(node, scope, Some(duration), problems).0)
        }
    }
}

/// Whether a text is meant as a time, though it is none.
fn is_time(text: &str) -> bool {
    let simple = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b" .%".contains(&b));
    text.is_empty() || text.starts_with(|c: char| c.is_ascii_digit()) && simple(text)
}

/// A reply: an expression, or one for each field.
pub(super) fn record_or_value(
    node: &Node,
    scope: &Names,
    exprs: &mut Exprs,
    problems: &mut Problems,
) -> (Expr, Ty) {
    let Kind::Object(entries) = &node.kind else { return exprs.value(node, scope, None, problems) };
    let mut fields = Vec::new();
    for entry in entries.iter() {
        let (value, ty) = exprs.value(&entry.value, scope, None, problems);
        if super::names::member_name(&entry.key, problems) {
            fields.push((entry.key.value.owned(), value, ty));
        }
    }
    exprs.record(fields, node.place)
}

/// Whether a name can be given here: it is one, and is not taken.
pub(super) fn new_name(name: &Text, scope: &Names, problems: &mut Problems) -> bool {
    if !identifier(name, problems) || !free_name(name, &["now", "event"], problems) {
        return false;
    }
    let taken = scope.names.iter().any(|(known, _)| *known == name.value);
    if taken {
        let message = format!("{} stands for something else here already", quote(&name.value));
        problems.push(Problem::error(Code::Twice, name.place, message).hint("choose another name"));
    }
    !taken
}
