//! The ground of a document: what its services, flows and topics declare, and what their operations and steps do.
//!
//! Cases seldom change it – most change weather, clients and expectations – and it is the most to read. So that of the
//! file as written is kept, and every document that holds the very same parts goes on from a copy of it.

use std::sync::Arc;

use super::super::expr::Ty;
use super::super::fields::Fields;
use super::super::problem::Problems;
use super::super::tree::{Entry, Kind};
use super::budget::Budget;
use super::effects::Whole;
use super::exprs::Exprs;
use super::flows::{self, FlowDraft, circles, settle_classes};
use super::names::Index;
use super::operations::{self, REFUSED};
use super::tables::{self, TableDraft};
use crate::model::flow::Target;
use crate::model::ids::{FlowId, OpId, TopicId};
use crate::model::service::Operation;
use crate::model::symbols::Symbols;

/// The members it is read from.
const PARTS: [&str; 3] = ["services", "flows", "topics"];

/// See above. Types are not settled and expressions are holes: what follows may still say more of them.
#[derive(Clone, Debug)]
pub(super) struct Ground<'n> {
    parts: [Option<&'n Entry>; 3],
    /// Clients are not in it yet.
    pub(super) index: Index<'n>,
    pub(super) exprs: Exprs,
    pub(super) symbols: Symbols,
    pub(super) tables: Vec<TableDraft>,
    pub(super) wholes: Vec<Whole>,
    pub(super) operations: Vec<Operation>,
    /// The types of their slots.
    pub(super) operation_tys: Vec<Vec<Ty>>,
    pub(super) flows: Vec<FlowDraft>,
    /// The cells that its tables start with.
    cells: usize,
}

impl<'n> Ground<'n> {
    /// The ground of a document, from one that is `known` if the document has the same.
    pub(super) fn of(
        document: &Fields<'n>,
        known: Option<&Ground<'n>>,
        budget: &mut Budget,
        problems: &mut Problems,
    ) -> Self {
        let parts = PARTS.map(|part| document.entry(part));
        let same = known.filter(|known| parts.iter().zip(known.parts).all(|(own, known)| same(*own, known)));
        // Where the budget ends it matters which row was too much, so there it is read anew.
        match same.filter(|known| budget.afford_again(known.cells)) {
            Some(known) => known.clone(),
            None => Ground::read(document, parts, budget, problems),
        }
    }

    fn read(
        document: &Fields<'n>,
        parts: [Option<&'n Entry>; 3],
        budget: &mut Budget,
        problems: &mut Problems,
    ) -> Self {
        let mut exprs = Exprs::new();
        let mut index = Index::of(document, &mut exprs, problems);
        declare(&mut index, &mut exprs, problems);

        let mut symbols = Symbols::new();
        // The words of the engine's own reasons are the same in every model.
        for reason in ["missing", "exists", "error", "other request", "fenced", REFUSED] {
            symbols.intern(reason);
        }
        let before = budget.cells;
        let tables = tables::read(&index, &mut exprs, &mut symbols, budget, problems);
        let cells = budget.cells - before;
        let mut wholes = Vec::new();
        let (mut operations, mut operation_tys) = (Vec::new(), Vec::new());
        for op in 0..index.operations.len() as u16 {
            let (operation, tys) =
                operations::read(OpId(op), &index, &mut exprs, &mut wholes, &mut symbols, problems);
            operations.push(operation);
            operation_tys.push(tys);
        }
        let mut flows: Vec<FlowDraft> = (0..index.flows.len() as u16)
            .map(|flow| flows::read(FlowId(flow), &index, &mut exprs, problems))
            .collect();
        circles(&flows, &index, problems);
        settle_classes(&mut flows, &operations);
        Ground { parts, index, exprs, symbols, tables, wholes, operations, operation_tys, flows, cells }
    }
}

/// Whether two members are one and the same, not only alike: then all places are the same, too.
fn same(a: Option<&Entry>, b: Option<&Entry>) -> bool {
    match (a, b) {
        (None, None) => true,
        (Some(a), Some(b)) => match (&a.value.kind, &b.value.kind) {
            (Kind::Object(of_a), Kind::Object(of_b)) => {
                Arc::ptr_eq(of_a, of_b) && (a.key.place, a.value.place) == (b.key.place, b.value.place)
            }
            _ => false,
        },
        _ => false,
    }
}

/// Declares columns, topics and the fields of topics.
fn declare(index: &mut Index<'_>, exprs: &mut Exprs, problems: &mut Problems) {
    tables::declare_columns(index, exprs, problems);
    for op in 0..index.operations.len() {
        operations::declare(OpId(op as u16), index, exprs, problems);
    }
    let on = |fields: &Fields<'_>| fields.has("on");
    for op in 0..index.operations.len() {
        if on(&index.operations[op].fields) {
            subscribe(Target::Op(OpId(op as u16)), index, exprs, problems);
        }
    }
    for flow in 0..index.flows.len() {
        if on(&index.flows[flow].fields) {
            subscribe(Target::Flow(FlowId(flow as u16)), index, exprs, problems);
        }
    }
    for topic in 0..index.topics.len() as u16 {
        let key = index.topics[usize::from(topic)].fields.as_ref().and_then(|fields| fields.text("key"));
        if let Some(key) = key {
            index.topic_field(TopicId(topic), &key.value, exprs);
        }
    }
}

/// The arguments of what an event runs are fields of the event.
fn subscribe<'n>(target: Target, index: &mut Index<'n>, exprs: &mut Exprs, problems: &mut Problems) {
    let callable = index.callable(target);
    let Some(name) = callable.fields.text("on") else { return };
    let args = callable.args.clone();
    let fields = callable.fields.clone();
    let Some(topic) = index.topic(name, problems) else { return };
    for (arg, ty) in args {
        let (_, field) = index.topic_field(topic, &arg, exprs);
        let written = fields.list("args").iter().find(|node| node.as_text().is_some_and(|t| t.value == arg));
        let place = exprs.data_place(written.map_or(name.place, |node| node.place));
        exprs.unify(ty, field, &place, problems);
    }
}
