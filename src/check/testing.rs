//! For tests only: a small shop, and histories written by hand, record by record.

use std::sync::Arc;

use super::finding::Leftovers;
use super::judge::Judge;
use super::verdict::{InvariantRun, RunVerdict};
use crate::kernel::path::{Path, Role};
use crate::kernel::time::{Span, Time};
use crate::model::Model;
use crate::model::expr::{BinaryOp, Expr, ExprKind, Fold, Over};
use crate::model::flow::{Call, CallStep, Class, Flow, Step, StepKind, Subscriber, Target, Topic};
use crate::model::how::{Answer, Coordination, PublishPolicy, Reasons};
use crate::model::ids::{ColumnId, FlowId, OpId, ServiceId, TableId, TopicId};
use crate::model::invariant::{Invariant, InvariantKind};
use crate::model::plan::{End, FlowPlan, Nodes, Plan};
use crate::model::record::{
    FLOW, FlowMove, Kind, Masks, NONE, Outcome, Record, StepRole, install, step_word,
};
use crate::model::service::{
    Address, By, Column, Effects, Operation, Part, Publish, Route, Row, Service, Slot, Table, Verb, Write,
};
use crate::model::symbols::Symbols;
use crate::model::value::{NULL, Type, Word};
use crate::model::weather::{PointKind, Weather};
use crate::store::{Sink, Tables};

/// `people(id, mail, phone)`, with row 1 from the start.
pub(super) const PEOPLE: TableId = TableId(0);
/// `charges(id, order, amount)`
pub(super) const CHARGES: TableId = TableId(1);
/// `orders(id, state)`
pub(super) const ORDERS: TableId = TableId(2);

pub(super) const SET_MAIL: u16 = 0;
pub(super) const RESERVE: u16 = 1;
pub(super) const RELEASE: u16 = 2;
pub(super) const CHARGE: u16 = 3;
pub(super) const REFUND: u16 = 4;
pub(super) const SHIP: u16 = 5;
pub(super) const LOOK: u16 = 6;

/// reserve (undo release), charge (undo refund, uses the answer of reserve), ship (retriable).
pub(super) const BUY: FlowId = FlowId(0);
/// The same with charge as its pivot, without an undo.
pub(super) const PAY: FlowId = FlowId(1);
/// reserve (undo release), charge under a condition, look, ship optional.
pub(super) const MAYBE: FlowId = FlowId(2);
/// A flow that calls `BUY` and ships.
pub(super) const OUTER: FlowId = FlowId(3);

pub(super) const ALL: FlowMove = FlowMove::Completed;

fn table(name: &str, columns: &[&str]) -> Table {
    let column = |name: &&str| Column { name: (*name).into(), ty: Type::Int, default: NULL };
    Table {
        name: name.into(),
        service: ServiceId(0),
        columns: columns.iter().map(column).collect(),
        rows: Vec::new(),
        unique: Vec::new(),
        first_fresh: 1,
        kept: false,
    }
}

fn operation(name: &str, writes: &[TableId]) -> Operation {
    let write = |table: &TableId| Write {
        table: *table,
        at: Address::Key(Expr::constant(1, Type::Int)),
        verb: Verb::Put,
        values: Vec::new(),
    };
    let effects = Effects { writes: writes.iter().map(write).collect(), publish: Vec::new() };
    Operation {
        name: name.into(),
        service: ServiceId(0),
        by: By::Owner,
        on: None,
        args: 0,
        slots: Vec::new(),
        parts: vec![Part { effects, ..Part::default() }],
        otherwise: Effects::default(),
        reply: None,
        hosted: false,
    }
}

fn step(op: u16, undo: Option<u16>, class: Class) -> CallStep {
    let call = |op: u16| Call { target: Target::Op(OpId(op)), args: Vec::new() };
    CallStep { action: call(op), bind: None, when: None, undo: undo.map(call), class, optional: false }
}

fn flow(name: &str, steps: Vec<CallStep>) -> Flow {
    let steps = (0..).zip(steps).map(|(group, call)| Step { group, does: StepKind::Call(Box::new(call)) });
    Flow {
        name: name.into(),
        by: None,
        on: None,
        args: 0,
        slots: vec![Slot { name: "reserved".into(), ty: Type::Int }],
        steps: steps.collect(),
        reply: None,
    }
}

pub(super) fn model() -> Model {
    let mut symbols = Symbols::new();
    for text in ["ok", "failed", "shop.charges"] {
        symbols.intern(text);
    }
    let mut people = table("people", &["id", "mail", "phone"]);
    people.rows.push(Row { cells: vec![1, 10, 20], times: 1 });
    let local = || Expr::new(ExprKind::Local(0), Type::Int, 0..0);
    let (compensatable, retriable) = (Class::Compensatable, Class::Retriable);
    let mut reserve = step(RESERVE, Some(RELEASE), compensatable);
    reserve.bind = Some(0);
    let mut charge = step(CHARGE, Some(REFUND), compensatable);
    charge.action.args.push(local());
    let ship = step(SHIP, None, retriable);
    let pivot = step(CHARGE, None, Class::Pivot);
    let mut sometimes = step(CHARGE, Some(REFUND), compensatable);
    sometimes.when = Some(Expr::truth(true));
    let mut optional = ship.clone();
    optional.optional = true;
    let mut outer = step(0, None, compensatable);
    outer.action.target = Target::Flow(BUY);
    let mut set_mail = operation("set_mail", &[PEOPLE]);
    set_mail.parts[0].effects.publish.push(Publish { topic: TopicId(0), fields: Vec::new() });
    let shop = Service {
        name: "shop".into(),
        replicas: 2,
        route: Route::RoundRobin,
        external: false,
        statement: Span(1),
        tables: vec![PEOPLE, CHARGES, ORDERS],
        operations: (0..7).map(OpId).collect(),
        host: None,
    };
    Model {
        symbols,
        services: vec![shop],
        tables: vec![people, table("charges", &["id", "order", "amount"]), table("orders", &["id", "state"])],
        operations: vec![
            set_mail,
            operation("reserve", &[ORDERS]),
            operation("release", &[ORDERS]),
            operation("charge", &[CHARGES]),
            operation("refund", &[CHARGES]),
            operation("ship", &[ORDERS]),
            operation("look", &[]),
        ],
        flows: vec![
            flow("buy", vec![reserve.clone(), charge, ship.clone()]),
            flow("pay", vec![reserve.clone(), pivot, ship.clone()]),
            flow("maybe", vec![reserve, sometimes, step(LOOK, None, Class::ReadOnly), optional]),
            flow("outer", vec![outer, ship]),
        ],
        topics: vec![Topic {
            name: "mailed".into(),
            fields: Vec::new(),
            key: None,
            subscribers: vec![Subscriber { target: Target::Op(OpId(CHARGE)), args: Vec::new() }],
        }],
        groups: Vec::new(),
        weather: Weather {
            latency: Vec::new(),
            faults: Vec::new(),
            heal: Time::ZERO,
            end: Time::MAX,
            swarm: false,
            seed: None,
            script: None,
        },
    }
}

pub(super) fn plan(model: &Arc<Model>) -> Plan {
    let flow = |_: &Flow| FlowPlan {
        coordination: Coordination::Calls { answer: Answer::Done },
        key: None,
        publish: PublishPolicy::AfterCommit,
        slots: 0,
        steps: Vec::new(),
        groups: Vec::new(),
        reply: None,
        merged: None,
        pivot: None,
    };
    Plan {
        model: model.clone(),
        strategy: "by hand".into(),
        programs: Vec::new(),
        operations: Vec::new(),
        flows: model.flows.iter().map(flow).collect(),
        groups: Vec::new(),
        nodes: Nodes::of(model),
        retries: Vec::new(),
        fault_when: Vec::new(),
        reasons: Reasons { missing: 0, exists: 0, error: 0, mismatch: 0, fenced: 0 },
        event_budget: crate::model::plan::EVENT_BUDGET,
        serial: false,
        clean: false,
    }
}

/// A row that a commit writes.
#[derive(Clone, Copy)]
pub(super) struct Put<'a> {
    table: TableId,
    key: Word,
    cells: Option<&'a [Word]>,
    base: Option<u32>,
    masks: Masks,
    flag: u8,
}

/// A write without a read: blind, or merged by the store.
pub(super) fn put(table: TableId, cells: &[Word]) -> Put<'_> {
    let masks = Masks { set: u32::MAX >> 11 & !1, rmw: 0, carried: 0 };
    Put { table, key: cells[0], cells: Some(cells), base: None, masks, flag: 0 }
}

pub(super) fn delete(table: TableId, key: Word) -> Put<'static> {
    Put { table, key, cells: None, base: None, masks: Masks::default(), flag: 0 }
}

impl Put<'_> {
    /// It was computed from this version.
    pub(super) fn from(mut self, base: u32) -> Self {
        self.base = Some(base);
        self
    }

    /// The operation meant these columns; `rmw` of them from what it read; it carried others along.
    pub(super) fn columns(mut self, set: u32, rmw: u32, carried: u32) -> Self {
        self.masks = Masks { set, rmw, carried };
        self
    }

    pub(super) fn flag(mut self, flag: u8) -> Self {
        self.flag = flag;
        self
    }
}

/// A history in the making. Time goes on by one millisecond with each record.
pub(super) struct Story {
    pub(super) model: Arc<Model>,
    pub(super) judge: Judge,
    pub(super) tables: Tables,
    at: u64,
    paths: u32,
    /// Bits of the next commit.
    pub(super) flag: u8,
    /// The path of the next commit.
    pub(super) path: Option<Path>,
}

impl Story {
    pub(super) fn of(kind: InvariantKind) -> Story {
        Story::with(model(), vec![kind], |_| {})
    }

    pub(super) fn with(model: Model, kinds: Vec<InvariantKind>, change: impl FnOnce(&mut Plan)) -> Story {
        let model = Arc::new(model);
        let named = |kind: InvariantKind| Invariant { name: kind.word().into(), kind };
        let invariants: Vec<Invariant> = kinds.into_iter().map(named).collect();
        let mut plan = plan(&model);
        change(&mut plan);
        let judge = Judge::new(&model, &plan, &invariants);
        let tables = Tables::of(&model);
        Story { model, judge, tables, at: 0, paths: 0, flag: 0, path: None }
    }

    /// Begins anew with the same judge.
    pub(super) fn again(&mut self) {
        self.judge.reset();
        let start = Tables::of(&self.model);
        self.tables.reset(&start);
        (self.at, self.paths) = (0, 0);
    }

    pub(super) fn blank(&mut self, kind: Kind, slot: u32) -> Record {
        self.at += 1_000_000;
        Record {
            at: Time(self.at),
            path: Path(0),
            data: 0,
            kind,
            flag: 0,
            op: 0,
            who: 0,
            client: slot,
            intent: slot,
            row: NONE,
            ver: 0,
        }
    }

    /// Lets the next record have the time of the last one.
    pub(super) fn rewind(&mut self) {
        self.at -= 1_000_000;
    }

    pub(super) fn tell(&mut self, record: Record) {
        self.judge.record(&record, &mut self.tables);
    }

    fn fresh(&mut self) -> Path {
        self.paths += 1;
        self.path.take().unwrap_or(Path::ROOT.child(Role::Task, self.paths))
    }

    /// The root effect of the intent in a slot.
    pub(super) fn root(slot: u32) -> u64 {
        1000 + u64::from(slot)
    }

    /// Client n begins an intent in slot n.
    pub(super) fn invoke(&mut self, slot: u32, op: u16) -> &mut Self {
        let record = self.blank(Kind::Invoke, slot);
        let path = Path::ROOT.child(Role::Intent, slot);
        self.tell(Record { op, path, data: Self::root(slot), ..record });
        self
    }

    pub(super) fn start(&mut self, slot: u32, flow: FlowId) -> &mut Self {
        self.invoke(slot, flow.0 | FLOW)
    }

    pub(super) fn told(&mut self, slot: u32, outcome: Outcome) -> &mut Self {
        let record = self.blank(Kind::Complete, slot);
        self.tell(Record { flag: outcome as u8, ..record });
        self
    }

    pub(super) fn ok(&mut self, slot: u32) -> &mut Self {
        self.told(slot, Outcome::Ok)
    }

    pub(super) fn settle(&mut self, slot: u32) -> &mut Self {
        let record = self.blank(Kind::Settled, slot);
        self.tell(record);
        self
    }

    /// Told ok, and settled.
    pub(super) fn end(&mut self, slot: u32) -> &mut Self {
        self.ok(slot).settle(slot)
    }

    /// A commit of the intent's own operation.
    pub(super) fn commit(&mut self, slot: u32, op: u16, puts: &[Put<'_>]) -> &mut Self {
        self.transact(slot, op, Self::root(slot), NONE, NONE, puts)
    }

    /// A commit of a step of instance n, of the intent in slot n.
    pub(super) fn done(&mut self, slot: u32, step: u8, op: u16, puts: &[Put<'_>]) -> &mut Self {
        self.role(slot, step, StepRole::Action, op, puts)
    }

    pub(super) fn undone(&mut self, slot: u32, step: u8, op: u16, puts: &[Put<'_>]) -> &mut Self {
        self.role(slot, step, StepRole::Undo, op, puts)
    }

    fn role(&mut self, slot: u32, step: u8, role: StepRole, op: u16, puts: &[Put<'_>]) -> &mut Self {
        let row = step_word(step, role);
        self.transact(slot, op, 5000 + u64::from(row), slot, row, puts)
    }

    pub(super) fn transact(
        &mut self,
        slot: u32,
        op: u16,
        effect: u64,
        instance: u32,
        row: u32,
        puts: &[Put<'_>],
    ) -> &mut Self {
        let path = self.fresh();
        let commit = self.blank(Kind::Commit, slot);
        let flag = std::mem::take(&mut self.flag);
        let mut records = Vec::new();
        for put in puts {
            let table = self.tables.table_mut(put.table);
            let created = table.find(put.key).is_none() && put.cells.is_some();
            let row = table.slot(put.key);
            let ver = table.install(row, put.cells);
            let gone = if put.cells.is_none() { install::DELETE } else { 0 };
            let flag = put.flag | gone | if created { install::CREATE } else { 0 };
            let who = put.base.unwrap_or(NONE);
            let data = put.masks.pack();
            let kind = Kind::Install;
            records.push(Record { kind, op: put.table.0, row, ver, who, data, flag, path, ..commit });
        }
        let ver = puts.len() as u32;
        self.tell(Record { op, data: effect, who: instance, row, ver, flag, path, ..commit });
        records.into_iter().for_each(|record| self.tell(record));
        self
    }

    /// The coordinator of instance n moves.
    pub(super) fn flow(&mut self, slot: u32, flow: FlowId, moved: FlowMove, step: Option<u8>) -> &mut Self {
        let record = self.blank(Kind::Flow, slot);
        let row = step.map_or(NONE, u32::from);
        self.tell(Record { op: flow.0, flag: moved as u8, who: slot, row, ..record });
        self
    }

    pub(super) fn read(&mut self, slot: u32, table: TableId, key: Word, path: Path) -> &mut Self {
        let state = self.tables.table(table);
        let row = state.find(key).expect("a row to be read");
        let ver = state.meta(row).version;
        let record = self.blank(Kind::Read, slot);
        self.tell(Record { op: table.0, row, ver, path, ..record });
        self
    }

    pub(super) fn begin(&mut self, slot: u32, op: u16, path: Path) -> &mut Self {
        let record = self.blank(Kind::Begin, slot);
        self.tell(Record { op, path, ..record });
        self
    }

    /// A message record.
    pub(super) fn message(
        &mut self,
        kind: Kind,
        slot: u32,
        point: PointKind,
        op: u16,
        ver: u32,
    ) -> &mut Self {
        let record = self.blank(kind, slot);
        let message = Path::ROOT.child(Role::Request, slot);
        let path = if kind == Kind::Sent { message } else { message.child(Role::Copy, ver) };
        self.tell(Record { op, flag: point as u8, ver, path, ..record });
        self
    }

    pub(super) fn finish(&mut self, end: End) -> RunVerdict {
        self.judge.finish(end, Leftovers::default(), &mut self.tables)
    }

    /// What the first invariant says at rest.
    pub(super) fn rest(&mut self) -> InvariantRun {
        let verdict = self.finish(End::Rest);
        assert_eq!(verdict.errors, []);
        verdict.invariants[0].clone()
    }
}

/// A column of the row bound to a variable.
pub(super) fn cell(var: u16, table: TableId, column: u16) -> Expr {
    Expr::new(ExprKind::RowVar { var, table, column: ColumnId(column) }, Type::Int, 0..0)
}

pub(super) fn int(word: Word) -> Expr {
    Expr::constant(word, Type::Int)
}

pub(super) fn binary(op: BinaryOp, left: Expr, right: Expr) -> Expr {
    let ty = match op {
        BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Div => Type::Int,
        _ => Type::Bool,
    };
    Expr::new(ExprKind::Binary(op, Box::new(left), Box::new(right)), ty, 0..0)
}

/// A pass over a table with row variable 4.
pub(super) fn over(table: TableId, keep: Vec<Expr>, fold: Fold, body: Option<Expr>) -> Expr {
    let ty = if fold == Fold::All { Type::Bool } else { Type::Int };
    let body = body.map(Box::new);
    Expr::new(
        ExprKind::Loop { over: Over::Rows(table), var: 4, name: Default::default(), keep, fold, body },
        ty,
        0..0,
    )
}

pub(super) fn at(mut expr: Expr, span: std::ops::Range<u32>) -> Expr {
    expr.span = span;
    expr
}
