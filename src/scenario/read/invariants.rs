//! Invariants: a kind, its subject, its parameters.

use super::super::code::Code;
use super::super::expr::{Binding, Names, Scalar};
use super::super::fields::Fields;
use super::super::problem::{Problem, Problems, quote};
use super::super::tree::{Entry, Kind, Node, Text};
use super::exprs::{Exprs, local};
use super::language::must::{INVARIANT, KINDS};
use super::later::{self, not_yet};
use super::names::{Index, too_many, undeclared};
use crate::model::expr::{Expr, ExprKind};
use crate::model::ids::{ColumnId, FlowId, TableId};
use crate::model::invariant::{Invariant, InvariantKind};

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
    index: &Index<'n>,
    exprs: &mut Exprs,
    problems: &mut Problems,
) -> Vec<Named<'n>> {
    let entries = document.members("invariants");
    if let Some(entry) = entries.get(MOST) {
        too_many("invariants", entry.key.place, problems);
    }
    let mut read = Vec::new();
    for entry in entries.iter().take(MOST) {
        let name = &entry.key;
        if name.value == "*" || ["facts", "sometimes"].contains(&name.value.as_str()) {
            let message = format!("{} has a meaning of its own in `expect`", quote(&name.value));
            problems.push(Problem::error(Code::BadName, name.place, message));
        }
        if let Some(kind) = one(entry, index, exprs, problems) {
            read.push(Named { name, invariant: Invariant { name: name.value.clone(), kind } });
        }
    }
    read
}

fn one<'n>(
    entry: &'n Entry,
    index: &Index<'n>,
    exprs: &mut Exprs,
    problems: &mut Problems,
) -> Option<InvariantKind> {
    let fields = later::fields(&entry.value, entry.key.place, &INVARIANT, problems)?;
    let (word, subject) = kind(&fields, entry, problems)?;
    parameters(word, &fields, problems);
    let mut reader = Reader { fields, index, exprs, problems, subject };
    reader.kind(word)
}

/// The kind, and its subject if it is written.
fn kind<'n>(
    fields: &Fields<'n>,
    entry: &'n Entry,
    problems: &mut Problems,
) -> Option<(&'static str, Option<&'n Node>)> {
    let parameter = fields.has("staleness");
    let written = |kind: &&&str| fields.has(kind) && !(parameter && **kind == "within");
    let kinds: Vec<&str> = KINDS.iter().filter(written).copied().collect();
    match kinds[..] {
        [kind] => Some((kind, fields.node(kind))),
        [] if said(entry) => None,
        [] => {
            let own = KINDS.iter().find(|kind| **kind == entry.key.value).copied();
            match own {
                Some(own) if later::KEYS.contains(&("invariant", own)) => {
                    problems.push(not_yet(&quote(own), entry.key.place));
                    None
                }
                Some(own) if alone(own) => Some((own, None)),
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

/// The kinds that need no subject.
fn alone(kind: &str) -> bool {
    matches!(
        kind,
        "no-lost-update"
            | "no-duplicate-effect"
            | "acked-is-durable"
            | "no-leak"
            | "outcome-agrees"
            | "failed-has-no-effect"
            | "every-intent-ends"
    )
}

/// Reports parameters that another kind has.
fn parameters(kind: &str, fields: &Fields<'_>, problems: &mut Problems) {
    let own: &[&str] = match kind {
        "at-most-one" => &["per"],
        "no-orphan" => &["owner", "unless"],
        "no-lost-update" => &["strict"],
        "within" => &["from", "is"],
        "staleness" => &["within"],
        _ => &[],
    };
    for (field, entry) in fields.iter() {
        if field.name != kind && !own.contains(&field.name) && !KINDS.contains(&field.name) {
            let message = format!("{} has no {}", quote(kind), quote(field.name));
            problems.push(Problem::error(Code::Together, entry.key.place, message));
        }
    }
}

struct Reader<'r, 'n> {
    fields: Fields<'n>,
    index: &'r Index<'n>,
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
                let scope = self.index.outside();
                let (value, _) = self.exprs.value(self.subject?, &scope, None, self.problems);
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
                let mut scope = self.index.outside();
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
        let scope = self.index.outside();
        Some(self.exprs.truth(self.subject?, &scope, self.problems))
    }

    /// `intent` has `outcome` and `effects`; its arguments are not known to the judge.
    fn per_intent(&mut self) -> Option<Expr> {
        let types = &mut self.exprs.types;
        let text = |types: &mut super::super::expr::Types| types.scalar(Scalar::Text, None);
        let bool = types.scalar(Scalar::Bool, None);
        let (table, step, outcome) = (text(types), text(types), text(types));
        let effect =
            types.record(vec![("table".into(), table), ("step".into(), step), ("undone".into(), bool)], None);
        let effects = types.list(effect, None);
        let intent = types.record(vec![("outcome".into(), outcome), ("effects".into(), effects)], None);
        let mut scope: Names = self.index.outside();
        scope.bind("intent", local(usize::from(INTENT), intent));
        let node = self.subject?;
        if let Some(text) = node.as_text()
            && let Some(at) = text.value.find("intent.args")
        {
            let place = text.place_in(at..at + "intent.args".len());
            self.problems.push(not_yet("`intent.args`", place));
            return None;
        }
        Some(self.exprs.truth(node, &scope, self.problems))
    }

    fn parameter(&mut self, key: &str, what: &str) -> Option<&'n Node> {
        let node = self.fields.node(key);
        if node.is_none() {
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
            Kind::List(nodes) => {
                let tables: Vec<Option<TableId>> = nodes.iter().map(|node| self.table(node)).collect();
                let mut tables = tables.into_iter().collect::<Option<Vec<_>>>()?;
                tables.sort_unstable();
                tables.dedup();
                Some(tables)
            }
            Kind::Bool(false) => {
                let message = "an invariant is demanded or left out";
                self.problems.push(Problem::error(Code::WrongKind, node.place, message).hint("write `{}`"));
                None
            }
            _ => Some(Vec::new()),
        }
    }
}

/// Completes an invariant.
pub(super) fn fill(
    invariant: &mut Named<'_>,
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
            intent_slots(expr, &mut bare);
            if bare {
                let message = "`intent` by itself is no value";
                let problem = Problem::error(Code::Meaning, invariant.name.place, message);
                problems.push(problem.hint("`intent.outcome`, `intent.effects`"));
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

/// Puts the slots of `check::per_intent` where the fields of `intent` are: its outcome is slot 0, its effects slot 1.
fn intent_slots(expr: &mut Expr, bare: &mut bool) {
    if let ExprKind::Field { of, name, .. } = &expr.kind
        && of.kind == ExprKind::Local(INTENT)
    {
        expr.kind = ExprKind::Local(u16::from(name != "outcome"));
        return;
    }
    *bare |= expr.kind == ExprKind::Local(INTENT);
    expr.for_each_child_mut(|child| intent_slots(child, bare));
}
