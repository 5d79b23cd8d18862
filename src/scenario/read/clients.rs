//! Groups of clients: what they do, with which values, and when.

use super::super::code::Code;
use super::super::decimal;
use super::super::expr::ast::{Expr as Ast, Kind as AstKind};
use super::super::expr::{Names, Scalar, Ty};
use super::super::fields::Fields;
use super::super::problem::{Problem, Problems, did_you_mean, quote};
use super::super::quantity;
use super::super::source::Place;
use super::super::tree::{Kind, Node, Text};
use super::calls::call;
use super::exprs::{Exprs, local};
use super::language::what;
use super::later;
use super::names::{Index, free_name, identifier, too_many};
use super::tables::constant;
use super::values::dist;
use crate::kernel::dist::Dist;
use crate::kernel::time::Time;
use crate::kernel::zipf::{MAX_RANKS, Zipf};
use crate::model::client::{Arrival, ClientGroup, Generator};
use crate::model::ids::GroupId;
use crate::model::service::Slot;
use crate::model::symbols::Symbols;
use crate::model::value::{NULL, Type, Word, parse_duration, truth};

/// The most clients of all groups together; they are nodes.
pub(super) const MOST_CLIENTS: u64 = 1 << 20;
/// The most calls to choose from, names in `with`, values to pick from, and scripted intents.
const MOST_CHOICES: usize = 1_000;

/// Reads a group of clients.
pub(super) fn read<'n>(
    id: GroupId,
    index: &Index<'n>,
    exprs: &mut Exprs,
    symbols: &mut Symbols,
    problems: &mut Problems,
) -> (ClientGroup, Vec<Ty>) {
    let name = index.groups[id.index()].name;
    let fields = &index.groups[id.index()].fields;
    let mut group = ClientGroup {
        name: name.value.owned(),
        count: fields.integer("count").unwrap_or(1) as u32,
        intents: fields.integer("intents").unwrap_or(1) as u32,
        does: Vec::new(),
        slots: Vec::new(),
        with: Vec::new(),
        start: time(fields, "start", problems).unwrap_or(Dist::ZERO),
        arrival: Arrival::Closed(time(fields, "gap", problems).unwrap_or(Dist::ZERO)),
        script: Vec::new(),
    };
    if let Some(every) = time(fields, "every", problems) {
        if every.max().is_zero() && group.intents > 1 {
            let place = fields.node("every").map_or(name.place, |node| node.place);
            let message = "all intents would start at once, in one client";
            problems.push(Problem::error(Code::Time, place, message).hint("raise `count` instead"));
        }
        group.arrival = Arrival::Open(every);
        if let Some(gap) = fields.entry("gap") {
            both(gap.key.place, "gap", "every", problems);
        }
    }
    let mut scope = Names::new();
    let mut tys = Vec::new();
    for entry in fields.members("with") {
        if !identifier(&entry.key, problems) || !free_name(&entry.key, &["client", "intent"], problems) {
            continue;
        }
        if group.slots.len() == MOST_CHOICES {
            too_many("names in `with`", entry.key.place, problems);
            break;
        }
        let ty = exprs.types.null();
        if let Some(generator) = generator(&entry.value, ty, exprs, symbols, problems) {
            add(&entry.key.value, ty, &mut group, &mut tys, &mut scope);
            group.with.push(generator);
        } else {
            // Its type is anything, so that the calls can be looked at.
            add(&entry.key.value, ty, &mut group, &mut tys, &mut scope);
            group.with.push(Generator::Value(NULL));
        }
    }
    for counted in ["client", "intent"] {
        let ty = exprs.types.scalar(Scalar::Int, None);
        add(counted, ty, &mut group, &mut tys, &mut scope);
    }
    if let Some(script) = fields.entry("script") {
        for (field, entry) in fields.iter() {
            if ["count", "intents", "does", "start", "gap", "every"].contains(&field.name) {
                both(entry.key.place, field.name, "script", problems);
            }
        }
        read_script(fields.list("script"), &mut group, &scope, index, exprs, problems);
        if group.script.is_empty() && script.value.as_list().is_some_and(<[Node]>::is_empty) {
            let message = "the script is empty";
            problems.push(Problem::error(Code::Together, script.value.head(), message));
        }
        (group.count, group.intents) = (1, group.script.len() as u32);
    } else {
        does(fields, &mut group, &scope, index, exprs, problems);
    }
    (group, tys)
}

fn both(place: Place, one: &str, other: &str, problems: &mut Problems) {
    let message = format!("{} has no meaning beside {}", quote(one), quote(other));
    problems.push(Problem::error(Code::Together, place, message).hint("leave one of them out"));
}

fn add(name: &str, ty: Ty, group: &mut ClientGroup, tys: &mut Vec<Ty>, scope: &mut Names) {
    scope.bind(name, local(group.slots.len(), ty));
    group.slots.push(Slot { name: name.to_owned(), ty: Type::Null });
    tys.push(ty);
}

/// A time that has an end.
pub(super) fn time(fields: &Fields<'_>, key: &str, problems: &mut Problems) -> Option<Dist> {
    let time = dist(fields.time(key)?);
    if time.is_none()
        && let Some(node) = fields.node(key)
    {
        problems.push(Problem::error(Code::Time, node.place, "this time must have an end"));
    }
    time
}

fn does<'n>(
    fields: &Fields<'n>,
    group: &mut ClientGroup,
    scope: &Names,
    index: &Index<'n>,
    exprs: &mut Exprs,
    problems: &mut Problems,
) {
    let Some(node) = fields.node("does") else {
        if !fields.has("script") && !fields.spoilt("does") && !fields.spoilt("script") {
            let message = "a group of clients needs something to do";
            let problem = Problem::error(Code::MissingKey, fields.head(), message);
            problems.push(problem.hint("add `does` or `script`"));
        }
        return;
    };
    match &node.kind {
        Kind::Text(text) => {
            group.does.extend(call(text, scope, index, exprs, problems).map(|call| (call, 1)));
        }
        Kind::Object(entries) => {
            if entries.is_empty() {
                problems.push(Problem::error(Code::Together, node.head(), "no call is listed"));
            }
            if let Some(entry) = entries.get(MOST_CHOICES) {
                too_many("calls to choose from", entry.key.place, problems);
            }
            for entry in entries.iter().take(MOST_CHOICES) {
                let weight = match &entry.value.kind {
                    Kind::Number(number) => quantity::integer(number).unwrap_or(1),
                    _ => 1,
                };
                let call = call(&entry.key, scope, index, exprs, problems);
                group.does.extend(call.map(|call| (call, weight as u32)));
            }
        }
        _ => {}
    }
}

fn read_script<'n>(
    nodes: &'n [Node],
    group: &mut ClientGroup,
    scope: &Names,
    index: &Index<'n>,
    exprs: &mut Exprs,
    problems: &mut Problems,
) {
    if let Some(node) = nodes.get(MOST_CHOICES) {
        too_many("scripted intents", node.head(), problems);
    }
    for node in nodes.iter().take(MOST_CHOICES) {
        let Some(fields) = later::fields(node, node.head(), &what::SCRIPT, problems) else { continue };
        let asked = fields.text("do").and_then(|text| call(text, scope, index, exprs, problems));
        let (Some(at), Some(asked)) = (fields.fixed_time("at"), asked) else { continue };
        if group.script.last().is_some_and(|(before, _)| before.0 > at)
            && let Some(node) = fields.node("at")
        {
            let message = "this intent starts before the one above";
            problems
                .push(Problem::error(Code::Order, node.place, message).hint("list them in order of time"));
        }
        group.script.push((Time(at), asked));
    }
}

/// Where a value of `with` comes from.
fn generator(
    node: &Node,
    ty: Ty,
    exprs: &mut Exprs,
    symbols: &mut Symbols,
    problems: &mut Problems,
) -> Option<Generator> {
    let Kind::Text(text) = &node.kind else {
        let (scalar, word) = constant(node, symbols, problems)?;
        if let Some(scalar) = scalar {
            is(scalar, ty, node.place, exprs, problems);
        }
        return Some(Generator::Value(word));
    };
    if let Some(arguments) = zipf_arguments(&text.value) {
        is(Scalar::Int, ty, text.place, exprs, problems);
        return zipf(text, &arguments, problems);
    }
    let parsed = exprs.parse_text(text, problems)?;
    let mut made = Made { text, ty, exprs, symbols, problems };
    match &parsed.ast.kind {
        AstKind::Name(name) if name == "now" => {
            is(Scalar::Instant, ty, text.place, made.exprs, made.problems);
            Some(Generator::Now)
        }
        AstKind::Call { of: None, name, args } if name.text != "duration" => {
            made.call(&name.text, &parsed.ast, args)
        }
        _ => made.constant(&parsed.ast).map(Generator::Value),
    }
}

fn is(scalar: Scalar, ty: Ty, place: Place, exprs: &mut Exprs, problems: &mut Problems) {
    let place = exprs.data_place(place);
    let found = exprs.types.scalar(scalar, Some(place.clone()));
    exprs.unify(found, ty, &place, problems);
}

struct Made<'r, 'n> {
    text: &'n Text,
    ty: Ty,
    exprs: &'r mut Exprs,
    symbols: &'r mut Symbols,
    problems: &'r mut Problems,
}

impl Made<'_, '_> {
    fn place(&self, ast: &Ast) -> Place {
        self.text.place_in(ast.span.start as usize..ast.span.end as usize)
    }

    fn wrong(&mut self, ast: &Ast, message: &str, hint: &str) {
        let problem = Problem::error(Code::Generator, self.place(ast), message);
        self.problems.push(problem.hint(hint));
    }

    fn call(&mut self, name: &str, ast: &Ast, args: &[Ast]) -> Option<Generator> {
        match (name, args) {
            ("unique", [Ast { kind: AstKind::Text(prefix), .. }]) => {
                is(Scalar::Text, self.ty, self.text.place, self.exprs, self.problems);
                Some(Generator::Unique(self.symbols.add_generator(prefix)))
            }
            ("unique", _) => {
                self.wrong(ast, "`unique` takes a prefix", "`unique('order')`");
                None
            }
            ("uniform", [low, high]) => {
                is(Scalar::Int, self.ty, self.text.place, self.exprs, self.problems);
                match (&low.kind, &high.kind) {
                    (AstKind::Int(low), AstKind::Int(high)) if low <= high => {
                        Some(Generator::Uniform(*low, *high))
                    }
                    _ => {
                        self.wrong(ast, "`uniform` takes two numbers, the lesser first", "`uniform(1, 10)`");
                        None
                    }
                }
            }
            ("uniform", _) => {
                self.wrong(ast, "`uniform` takes two numbers", "`uniform(1, 10)`");
                None
            }
            ("pick" | "turn", []) => {
                self.wrong(ast, "there is nothing to choose from", "`pick('a', 'b')`");
                None
            }
            ("pick" | "turn", _) if args.len() > MOST_CHOICES => {
                self.wrong(ast, "there is too much to choose from", "`uniform` and `zipf` make numbers");
                None
            }
            ("pick" | "turn", _) => {
                let words: Vec<Option<Word>> = args.iter().map(|arg| self.constant(arg)).collect();
                let words = words.into_iter().collect::<Option<Vec<Word>>>()?;
                Some(if name == "pick" { Generator::Pick(words) } else { Generator::Turn(words) })
            }
            _ => {
                let known = ["unique", "uniform", "zipf", "pick", "turn"];
                let meant = did_you_mean(name, known).map(|name| format!("did you mean `{name}`?"));
                let hint =
                    meant.unwrap_or_else(|| "there are unique, uniform, zipf, pick and turn".to_owned());
                self.wrong(ast, &format!("{} makes no values", quote(name)), &hint);
                None
            }
        }
    }

    /// A constant of the type.
    fn constant(&mut self, ast: &Ast) -> Option<Word> {
        let (scalar, word) = match &ast.kind {
            AstKind::Null => return Some(NULL),
            AstKind::Bool(value) => (Scalar::Bool, truth(*value)),
            AstKind::Int(value) => (Scalar::Int, *value),
            AstKind::Text(text) => (Scalar::Text, self.symbols.intern(text)),
            AstKind::Call { of: None, name, args } if name.text == "duration" => match &args[..] {
                [Ast { kind: AstKind::Text(text), .. }] => match parse_duration(text) {
                    Some(word) => (Scalar::Duration, word),
                    None => {
                        self.wrong(ast, "this is not a time", "such as `duration('5ms')`");
                        return None;
                    }
                },
                _ => {
                    self.wrong(ast, "`duration` takes a text", "such as `duration('5ms')`");
                    return None;
                }
            },
            _ => {
                let hint = "texts have quotes of their own: `'a'`";
                self.wrong(ast, "only a constant can stand here", hint);
                return None;
            }
        };
        let place = self.place(ast);
        is(scalar, self.ty, place, self.exprs, self.problems);
        Some(word)
    }
}

/// The arguments of `zipf(…)`, which may have a fraction, as no expression does.
fn zipf_arguments(text: &str) -> Option<Vec<&str>> {
    let inner = text.trim().strip_prefix("zipf")?.trim_start().strip_prefix('(')?.strip_suffix(')')?;
    Some(inner.split(',').map(str::trim).collect())
}

fn zipf(text: &Text, arguments: &[&str], problems: &mut Problems) -> Option<Generator> {
    let law = match arguments {
        [low, high, exponent] => {
            let exponent = decimal::scaled(exponent, 1_000).ok().and_then(|milli| u32::try_from(milli).ok());
            let bounds = low.parse().ok().zip(high.parse().ok());
            bounds.zip(exponent).and_then(|((low, high), exponent)| Zipf::new(low, high, exponent))
        }
        _ => None,
    };
    if law.is_none() {
        let message = "`zipf` takes two numbers, the lesser first, and an exponent of up to three decimals";
        let problem = Problem::error(Code::Generator, text.place, message);
        problems.push(problem.hint(format!("`zipf(1, 100, 1.1)`, over at most {MAX_RANKS} numbers")));
    }
    law.map(Generator::Zipf)
}
