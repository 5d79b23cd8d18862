//! Invariants: a kind, its subject, its parameters.

use std::sync::LazyLock;

use super::super::code::Code;
use super::super::expr::ast::{Expr as Ast, Kind as AstKind, Name, Operator};
use super::super::expr::{Binding, Names, Place, Scalar, Ty};
use super::super::fields::Fields;
use super::super::problem::{Problem, Problems, did_you_mean, enumerate, quote};
use super::super::source;
use super::super::tree::{Entry, Kind, Node, Text};
use super::exprs::{Exprs, Parsed, local};
use super::language::must::{INVARIANT, KINDS, parameters_of, stands_alone};
use super::later::{self, not_yet};
use super::names::{Index, too_many, undeclared};
use crate::model::Model;
use crate::model::expr::{Expr, ExprKind};
use crate::model::flow::Target;
use crate::model::ids::{ColumnId, FlowId, TableId};
use crate::model::invariant::{Invariant, InvariantKind};

/// What stands behind a name that says it all.
static NOTHING: LazyLock<Node> = LazyLock::new(|| Node {
    place: source::Place::new(u16::MAX, 0, 0),
    kind: Kind::Object(Default::default()),
});

/// The most invariants.
const MOST: usize = 256;
/// Stands for `intent` until it is known which parts of it are asked for.
const INTENT: u16 = u16::MAX;

/// An invariant, and where its name stands.
#[derive(Debug)]
pub(super) struct Named<'n> {
    pub(super) name: &'n Text,
    pub(super) invariant: Invariant,
}

/// Reads all invariants of a document, in order.
pub(super) fn read<'n>(
    document: &Fields<'n>,
    model: &Model,
    index: &Index<'n>,
    exprs: &mut Exprs,
    problems: &mut Problems,
) -> Vec<Named<'n>> {
    let entries = document.members("invariants");
    if let Some(entry) = entries.get(MOST) {
        too_many("invariants", entry.key.place, problems);
    }
    let outside = index.outside();
    let mut read = Vec::new();
    for entry in entries.iter().take(MOST) {
        let name = &entry.key;
        if name.value == "*" || ["facts", "sometimes"].contains(&name.value.as_str()) {
            let message = format!("{} has a meaning of its own in `expect`", quote(&name.value));
            problems.push(Problem::error(Code::BadName, name.place, message));
        }
        if let Some(kind) = one(entry, model, index, &outside, exprs, problems) {
            read.push(Named { name, invariant: Invariant { name: name.value.owned(), kind } });
        }
    }
    read
}

fn one<'n>(
    entry: &'n Entry,
    model: &Model,
    index: &Index<'n>,
    outside: &Names,
    exprs: &mut Exprs,
    problems: &mut Problems,
) -> Option<InvariantKind> {
    // `true` demands no more than the name says.
    let value = match entry.value.kind {
        Kind::Bool(false) => return not_demanded(&entry.value, problems),
        Kind::Bool(true) => &*NOTHING,
        _ => &entry.value,
    };
    let fields = later::fields(value, entry.key.place, &INVARIANT, problems)?;
    let (word, subject) = kind(&fields, entry, problems)?;
    parameters(word, &fields, problems);
    let mut reader = Reader { fields, model, index, outside, exprs, problems, subject };
    reader.kind(word)
}

/// Refuses `false`, which would be taken for demanding the contrary, or nothing.
fn not_demanded<T>(node: &Node, problems: &mut Problems) -> Option<T> {
    let message = "an invariant is demanded or left out";
    problems.push(Problem::error(Code::WrongKind, node.place, message).hint("write `{}`"));
    None
}

/// The kind, and its subject if it is written.
fn kind<'n>(
    fields: &Fields<'n>,
    entry: &'n Entry,
    problems: &mut Problems,
) -> Option<(&'static str, Option<&'n Node>)> {
    let parameter = fields.has("staleness");
    // Few keys are there and many kinds could be, so the kinds are looked for among the keys.
    let there: Vec<&str> = fields.iter().map(|(field, _)| field.name).collect();
    let written = |kind: &&&str| there.contains(*kind) && !(parameter && **kind == "within");
    let kinds: Vec<&str> = KINDS.iter().filter(written).copied().collect();
    match kinds[..] {
        [kind] => {
            let subject = fields.node(kind);
            if let Some(node) = subject.filter(|node| stands_alone(kind) && node.kind == Kind::Bool(false)) {
                return not_demanded(node, problems);
            }
            Some((kind, subject))
        }
        [] if said(entry) => None,
        [] => {
            let own = KINDS.iter().find(|kind| **kind == entry.key.value).copied();
            match own {
                Some(own) if later::KEYS.contains(&("invariant", own)) => {
                    problems.push(not_yet(&quote(own), entry.key.place));
                    None
                }
                Some(own) if stands_alone(own) => Some((own, None)),
                None if fields.iter().next().is_none()
                    && let Some(meant) =
                        did_you_mean(&entry.key.value, KINDS.into_iter().filter(|own| stands_alone(own))) =>
                {
                    let message = format!("there is no kind of invariant {}", quote(&entry.key.value));
                    let problem = Problem::error(Code::Choice, entry.key.place, message);
                    problems.push(problem.hint(format!("did you mean `{meant}`?")));
                    None
                }
                _ if matches!(entry.value.kind, Kind::Bool(_)) => {
                    let message = "only an invariant that needs no subject may be `true`";
                    problems.push(Problem::error(Code::WrongKind, entry.value.place, message));
                    None
                }
                _ => {
                    fields.choice(&KINDS, problems);
                    None
                }
            }
        }
        _ => {
            fields.choice(&kinds, problems);
            None
        }
    }
}

/// Whether a kind was written and found bad; that was reported.
fn said(entry: &Entry) -> bool {
    KINDS.iter().any(|kind| entry.value.get(kind).is_some())
}

/// Reports parameters that another kind has.
fn parameters(kind: &str, fields: &Fields<'_>, problems: &mut Problems) {
    let own = parameters_of(kind);
    for (field, entry) in fields.iter() {
        if field.name != kind && !own.contains(&field.name) && !KINDS.contains(&field.name) {
            let message = format!("{} has no {}", quote(kind), quote(field.name));
            problems.push(Problem::error(Code::Together, entry.key.place, message));
        }
    }
}

struct Reader<'r, 'n> {
    fields: Fields<'n>,
    model: &'r Model,
    index: &'r Index<'n>,
    /// What invariants may name.
    outside: &'r Names,
    exprs: &'r mut Exprs,
    problems: &'r mut Problems,
    subject: Option<&'n Node>,
}

impl<'n> Reader<'_, 'n> {
    fn kind(&mut self, word: &str) -> Option<InvariantKind> {
        Some(match word {
            "always" => InvariantKind::Always(self.truth()?),
            "at_rest" => InvariantKind::AtRest(self.truth()?),
            "per_intent" => InvariantKind::PerIntent(self.per_intent()?),
            "constant" => {
                let (value, _) = self.exprs.value(self.subject?, self.outside, None, self.problems);
                InvariantKind::Constant(value)
            }
            "at-most-one" => {
                let table = self.table(self.subject?)?;
                let per = self.parameter("per", "the field of which each value stands once at most")?;
                InvariantKind::AtMostOne { table, per: self.column(table, per.as_text()?)? }
            }
            "no-orphan" => {
                let table = self.table(self.subject?);
                let owner = self.parameter("owner", "true if the row `it` has an owner")?;
                let table = table?;
                let mut scope = self.outside.clone();
                scope.bind("it", Binding::Row { var: 0, table });
                let owner = self.exprs.truth(owner, &scope, self.problems);
                let unless = self.fields.node("unless");
                let unless = unless.map(|unless| self.exprs.truth(unless, &scope, self.problems));
                InvariantKind::NoOrphan { table, owner, unless }
            }
            "all-or-nothing" => InvariantKind::AllOrNothing(self.flow()?),
            "compensation-rules" => InvariantKind::CompensationRules(self.flow()?),
            "no-lost-update" => InvariantKind::NoLostUpdate {
                tables: self.tables()?,
                strict: self.fields.flag("strict").unwrap_or(false),
            },
            "no-duplicate-effect" => InvariantKind::NoDuplicateEffect(self.tables()?),
            "acked-is-durable" => InvariantKind::AckedIsDurable(self.tables()?),
            "no-leak" => InvariantKind::NoLeak(self.tables()?),
            "failed-has-no-effect" => InvariantKind::FailedHasNoEffect,
            "outcome-agrees" => InvariantKind::OutcomeAgrees,
            "every-intent-ends" => InvariantKind::EveryIntentEnds,
            // Reported as not supported.
            _ => return None,
        })
    }

    fn truth(&mut self) -> Option<Expr> {
        Some(self.exprs.truth(self.subject?, self.outside, self.problems))
    }

    /// `intent` has `args`, `outcome` and `effects`.
    fn per_intent(&mut self) -> Option<Expr> {
        let parsed = self.exprs.parse_node(self.subject?, self.problems)?;
        let args = self.intent_args(&parsed);
        self.outcomes(&parsed.ast, parsed.source);
        let types = &mut self.exprs.types;
        let text = |types: &mut super::super::expr::Types| types.scalar(Scalar::Text, None);
        let bool = types.scalar(Scalar::Bool, None);
        let (table, step, outcome) = (text(types), text(types), text(types));
        let effect =
            types.record(vec![("table".into(), table), ("step".into(), step), ("undone".into(), bool)], None);
        let effects = types.list(effect, None);
        let args = types.record(args, None);
        let fields = [("args", args), ("outcome", outcome), ("effects", effects)];
        let intent = types.record(fields.map(|(name, ty)| (name.into(), ty)).to_vec(), None);
        let mut scope = self.outside.clone();
        scope.bind("intent", local(usize::from(INTENT), intent));
        let bool = self.exprs.types.scalar(Scalar::Bool, None);
        Some(self.exprs.resolve(&parsed.ast, parsed.source, &scope, Some(bool), self.problems).0)
    }

    /// Reports what an outcome is compared with and never is.
    fn outcomes(&mut self, ast: &Ast, source: u32) {
        if let AstKind::Binary { op: Operator::Eq | Operator::Ne | Operator::In, left, right, .. } = &ast.kind
        {
            let sides = [(left, right), (right, left)];
            for text in sides.iter().filter(|(one, _)| is_outcome(one)).flat_map(|(_, other)| texts(other)) {
                let AstKind::Text(word) = &text.kind else { continue };
                if OUTCOMES.contains(&word.as_str()) {
                    continue;
                }
                let message = format!("no intent has the outcome {}", quote(word));
                let hint = match did_you_mean(word, OUTCOMES) {
                    Some(meant) => format!("did you mean '{meant}'?"),
                    None => {
                        "it is 'ok', 'failed' or 'unknown', and null where the client was told nothing".into()
                    }
                };
                let place = self.exprs.place(source, &text.span);
                self.problems.push(Problem::error(Code::Meaning, place, message).hint(hint));
            }
        }
        ast.for_each_child(|child| self.outcomes(child, source));
    }

    /// The arguments that an expression asks for: each is of one type in all that clients call.
    fn intent_args(&mut self, parsed: &Parsed) -> Vec<(String, Ty)> {
        let mut asked = Vec::new();
        args_asked_for(&parsed.ast, &mut asked);
        let calls = self.model.groups.iter().flat_map(|group| group.calls());
        let mut targets: Vec<Target> = calls.map(|call| call.target).collect();
        targets.sort_unstable();
        targets.dedup();
        let mut fields: Vec<(String, Ty)> = Vec::new();
        for name in asked {
            let place = Place { source: parsed.source, range: name.span.clone() };
            for &target in &targets {
                let args = &self.index.callable(target).args;
                let Some((_, ty)) = args.iter().find(|(arg, _)| *arg == name.text) else { continue };
                match fields.iter().find(|(known, _)| *known == name.text) {
                    Some((_, known)) => self.exprs.unify(*ty, *known, &place, self.problems),
                    None => fields.push((name.text.clone(), *ty)),
                }
            }
            if !fields.iter().any(|(known, _)| *known == name.text) {
                let known = self.model.intent_args();
                let message = format!("no intent has an argument {}", quote(&name.text));
                let meant = did_you_mean(&name.text, known.iter().map(String::as_str));
                let hint = match (meant, known.is_empty()) {
                    (Some(meant), _) => format!("did you mean `{meant}`?"),
                    (None, true) => "what clients call has none".to_owned(),
                    (None, false) => {
                        format!("there are {}", enumerate(known.iter().map(String::as_str), "and"))
                    }
                };
                let place = self.exprs.place(place.source, &place.range);
                self.problems.push(Problem::error(Code::Meaning, place, message).hint(hint));
                fields.push((name.text.clone(), self.exprs.types.free()));
            }
        }
        fields
    }

    fn parameter(&mut self, key: &str, what: &str) -> Option<&'n Node> {
        let node = self.fields.node(key);
        if node.is_none() && !self.fields.spoilt(key) {
            let message = format!("the invariant needs {}", quote(key));
            let problem = Problem::error(Code::MissingKey, self.fields.head(), message);
            self.problems.push(problem.hint(format!("{}: {what}", quote(key))));
        }
        node
    }

    fn table(&mut self, node: &Node) -> Option<TableId> {
        let name = node.as_text()?;
        let table = self.index.find_table(name.value.trim());
        if table.is_none() {
            undeclared("table", &name.value, name.place, &self.index.all_tables(), self.problems);
        }
        table
    }

    fn column(&mut self, table: TableId, name: &Text) -> Option<ColumnId> {
        let column = self.exprs.types.column(table, &name.value);
        if column.is_none() {
            let known: Vec<String> =
                self.exprs.types.columns(table).iter().map(|(name, _)| name.clone()).collect();
            undeclared("field", &name.value, name.place, &known, self.problems);
        }
        column
    }

    fn flow(&mut self) -> Option<FlowId> {
        let name = self.subject?.as_text()?;
        let flow = self.index.find_flow(name.value.trim());
        if flow.is_none() {
            undeclared("flow", &name.value, name.place, &self.index.all_flows(), self.problems);
        }
        flow
    }

    /// The tables watched; none stands for all.
    fn tables(&mut self) -> Option<Vec<TableId>> {
        let Some(node) = self.subject else { return Some(Vec::new()) };
        match &node.kind {
            Kind::Text(text) if text.value == "*" => Some(Vec::new()),
            Kind::Text(_) => Some(vec![self.table(node)?]),
            Kind::List(nodes) if nodes.is_empty() => {
                let message = "a list without tables watches nothing";
                let problem = Problem::error(Code::Together, node.head(), message);
                self.problems.push(problem.hint("name tables, or write `{}` for all of them"));
                None
            }
            Kind::List(nodes) => {
                let tables: Vec<Option<TableId>> = nodes.iter().map(|node| self.table(node)).collect();
                let mut tables = tables.into_iter().collect::<Option<Vec<_>>>()?;
                tables.sort_unstable();
                tables.dedup();
                Some(tables)
            }
            _ => Some(Vec::new()),
        }
    }
}

/// Completes an invariant.
pub(super) fn fill(
    invariant: &mut Named<'_>,
    intent_args: &[String],
    exprs: &Exprs,
    symbols: &mut crate::model::symbols::Symbols,
    problems: &mut Problems,
) {
    match &mut invariant.invariant.kind {
        InvariantKind::Always(expr) | InvariantKind::AtRest(expr) | InvariantKind::Constant(expr) => {
            exprs.fill(expr, symbols, problems);
        }
        InvariantKind::PerIntent(expr) => {
            exprs.fill(expr, symbols, problems);
            let mut bare = false;
            intent_slots(expr, intent_args, &mut bare);
            if bare {
                let message = "`intent` and `intent.args` by themselves are no values";
                let problem = Problem::error(Code::Meaning, invariant.name.place, message);
                problems.push(problem.hint("`intent.outcome`, `intent.effects`, `intent.args.…`"));
            }
        }
        InvariantKind::NoOrphan { owner, unless, .. } => {
            exprs.fill(owner, symbols, problems);
            if let Some(unless) = unless {
                exprs.fill(unless, symbols, problems);
            }
        }
        _ => {}
    }
}

/// Puts the slots of `check::per_intent` where the fields of `intent` are: its outcome is slot 0, its effects slot 1, its
/// arguments follow in the order of their names.
fn intent_slots(expr: &mut Expr, args: &[String], bare: &mut bool) {
    if let Some(slot) = intent_slot(expr, args) {
        expr.kind = ExprKind::Local(slot);
        return;
    }
    *bare |= expr.kind == ExprKind::Local(INTENT);
    expr.for_each_child_mut(|child| intent_slots(child, args, bare));
}

fn intent_slot(expr: &Expr, args: &[String]) -> Option<u16> {
    let ExprKind::Field { of, name, .. } = &expr.kind else { return None };
    match (&of.kind, name.as_str()) {
        (ExprKind::Local(INTENT), "outcome") => Some(0),
        (ExprKind::Local(INTENT), "effects") => Some(1),
        (ExprKind::Field { of, name: field, .. }, name)
            if of.kind == ExprKind::Local(INTENT) && field == "args" =>
        {
            // One that no intent has was reported.
            Some(2 + args.iter().position(|arg| arg == name).unwrap_or(0) as u16)
        }
        _ => None,
    }
}

/// What `intent.outcome` can be.
const OUTCOMES: [&str; 3] = ["ok", "failed", "unknown"];

fn is_outcome(ast: &Ast) -> bool {
    match &ast.kind {
        AstKind::Select { of, name } => {
            name.text == "outcome" && of.kind == AstKind::Name("intent".to_owned())
        }
        _ => false,
    }
}

/// A text, or the texts of a list.
fn texts(ast: &Ast) -> &[Ast] {
    match &ast.kind {
        AstKind::List(items) => items,
        _ => std::slice::from_ref(ast),
    }
}

/// The names in `intent.args.NAME`, each once.
fn args_asked_for<'a>(ast: &'a Ast, asked: &mut Vec<&'a Name>) {
    if let AstKind::Select { of, name } = &ast.kind
        && let AstKind::Select { of: root, name: args } = &of.kind
        && root.kind == AstKind::Name("intent".to_owned())
        && args.text == "args"
        && !asked.iter().any(|known| known.text == name.text)
    {
        asked.push(name);
    }
    ast.for_each_child(|child| args_asked_for(child, asked));
}
