//! What the expression of an invariant looks at: the values and rows that make it false, and the commits that wrote them.
//!
//! Such a finding blames no intent, so its story is about those who wrote what the expression reads.

use std::collections::BTreeSet;
use std::ops::Range;

use super::expression::{Writer, part};
use super::left::Left;
use super::scene::Scene;
use super::words::{counted, list, safe};
use crate::check::{Act, Finding, Party, Witness};
use crate::explore::{Prepared, Replay};
use crate::model::Model;
use crate::model::expr::{
    BinaryOp, Code, Expr, ExprKind, Failure, Fold, Over, Read, RecordField, Scratch, eval,
};
use crate::model::ids::{ColumnId, TableId};
use crate::model::invariant::InvariantKind;
use crate::model::record::{Kind, NONE, install};
use crate::model::service::Slot;
use crate::model::value::{Type, Word};
use crate::store::Tables;

/// A row: its table, and its slot there.
type RowId = (TableId, u32);

/// Rows that are named at most.
const ROWS: usize = 4;
/// Rows of a table that are looked at one by one at most: each is compiled into the expression.
const LOOKED_AT: usize = 1_000;
/// Intents that a story is about at most, if nothing but what they wrote makes them part of it.
const WRITERS: usize = 5;
/// With more commits than this on the tables, only those count that wrote a row that was read.
const COMMITS: usize = 12;

/// Who and what a story is about.
#[derive(Debug, Default)]
pub(super) struct Cast {
    pub(super) parties: Vec<Party>,
    pub(super) acts: Vec<Act>,
    /// Commits that are told whatever is left out.
    pub(super) kept: Vec<usize>,
}

impl Cast {
    /// Whoever breaks what must always be true does so on top of what others have written: they belong to it, in front.
    fn join_earlier(
        &mut self,
        scene: &Scene<'_>,
        prepared: &Prepared,
        replay: &Replay,
        findings: &[(Option<usize>, &Finding)],
    ) {
        for (invariant, finding) in findings {
            self.kept
                .extend(invariant.map(|at| last_writes(prepared, replay, at, finding)).unwrap_or_default());
        }
        self.kept.sort_unstable();
        self.kept.dedup();
        let mut earlier: Vec<Party> = Vec::new();
        for &at in &self.kept {
            let owner = scene.owner.get(at).copied().unwrap_or(NONE);
            let known = |party: &Party| {
                let mut all = self.parties.iter().chain(&earlier);
                all.any(|known| known.path == party.path)
            };
            if let Some(party) = scene.party(owner).filter(|party| !known(party))
                && earlier.len() < WRITERS
            {
                earlier.push(party);
            }
        }
        self.parties.splice(0..0, earlier);
    }
}

/// The cast of findings, each with the index of its invariant. If they blame nobody: who wrote what they read.
pub(super) fn cast(
    scene: &Scene<'_>,
    prepared: &Prepared,
    replay: &Replay,
    findings: &[(Option<usize>, &Finding)],
) -> Cast {
    let (parties, acts) = super::scene::cast_of_all(findings.iter().map(|(_, finding)| *finding));
    let mut cast = Cast { parties, acts, kept: Vec::new() };
    for (_, finding) in findings {
        if let Witness::LeftLocked(left) = finding.what {
            for party in Left::of(scene, prepared).parties(scene, left) {
                if cast.parties.iter().all(|known| known.path != party.path) {
                    cast.parties.push(party);
                }
            }
        }
    }
    if !cast.parties.is_empty() {
        cast.join_earlier(scene, prepared, replay, findings);
        return cast;
    }
    for (invariant, finding) in findings {
        cast.kept.extend(invariant.map(|at| commits(prepared, replay, at, finding)).unwrap_or_default());
    }
    cast.kept.sort_unstable();
    cast.kept.dedup();
    // The last ones, in the order of their first.
    let mut writers: Vec<u32> = Vec::new();
    for &at in cast.kept.iter().rev() {
        let owner = scene.owner.get(at).copied().unwrap_or(NONE);
        if owner != NONE && !writers.contains(&owner) && writers.len() < WRITERS {
            writers.push(owner);
        }
    }
    cast.kept.retain(|&at| scene.owner.get(at).is_some_and(|owner| writers.contains(owner)));
    let first = |&writer: &u32| cast.kept.iter().position(|&at| scene.owner[at] == writer);
    writers.sort_by_key(first);
    cast.parties = writers.iter().filter_map(|&at| scene.party(at)).collect();
    cast
}

/// The slots of an expression that is judged for each intent, as `check::per_intent` numbers them.
fn intent_slots(model: &Model) -> Vec<Slot> {
    let args = model.intent_args().into_iter().map(|arg| format!("args.{arg}"));
    let names = ["outcome".to_owned(), "effects".to_owned()].into_iter().chain(args);
    names.map(|name| Slot { name: format!("intent.{name}"), ty: Type::Null }).collect()
}

/// The part of an invariant's expression that is not true, and the tables it was judged on.
struct Reading<'p> {
    model: &'p Model,
    broken: &'p Expr,
    slots: Vec<Slot>,
    whole: &'p Expr,
    tables: Tables,
    scratch: Scratch,
    /// How many records there were.
    end: usize,
    at_rest: bool,
    row: Option<RowId>,
}

/// What an invariant's expression says that is not so, and what it reads there.
pub(super) fn lines(
    prepared: &Prepared,
    replay: &Replay,
    invariant: usize,
    finding: &Finding,
) -> Option<Vec<String>> {
    Reading::of(prepared, replay, invariant, finding).map(|mut reading| reading.lines())
}

/// The commits that wrote what an expression reads.
fn commits(prepared: &Prepared, replay: &Replay, invariant: usize, finding: &Finding) -> Vec<usize> {
    // Whether it is known which rows matter.
    let mut certain = false;
    let (end, tables, rows) = match (Reading::of(prepared, replay, invariant, finding), &finding.what) {
        (Some(mut reading), _) => {
            let (row, looked_at) = reading.rows();
            let once = reading.search(row).and_then(|search| reading.once_found(&search, replay));
            certain = once.is_some();
            let rows = row.into_iter().chain(looked_at).chain(once.unwrap_or_default()).collect();
            (reading.end, tables_of(reading.broken), rows)
        }
        (None, Witness::Changed { .. }) => match prepared.invariants.get(invariant).map(|one| &one.kind) {
            Some(InvariantKind::Constant(expr)) => (usize::MAX, tables_of(expr), Vec::new()),
            _ => return Vec::new(),
        },
        _ => return Vec::new(),
    };
    let records = &replay.trace.records;
    let all = |wanted: &dyn Fn(TableId, u32) -> bool| -> Vec<usize> {
        let commits = (0..records.len().min(end)).filter(|&at| records[at].kind == Kind::Commit);
        let writes = |&at: &usize| {
            let installs = records[at + 1..].iter().take(records[at].ver as usize);
            installs
                .filter(|install| install.kind == Kind::Install)
                .any(|install| wanted(TableId(install.op), install.row))
        };
        commits.filter(writes).collect()
    };
    let of_rows = || all(&|table, row| rows.contains(&(table, row)));
    if certain
        && let of_rows = of_rows()
        && !of_rows.is_empty()
    {
        return of_rows;
    }
    let of_tables = all(&|table, _| tables.contains(&table));
    if of_tables.len() <= COMMITS || rows.is_empty() {
        return of_tables;
    }
    of_rows()
}

/// A search for a row that is not there.
struct Search {
    table: TableId,
    /// The variable that stands for a row.
    var: u16,
    /// What all must be true of it.
    asked: Vec<Expr>,
}

/// The parts of an expression that must all be true.
fn conjuncts(expr: &Expr, into: &mut Vec<Expr>) {
    match &expr.kind {
        ExprKind::And(left, right) => {
            conjuncts(left, into);
            conjuncts(right, into);
        }
        _ => into.push(expr.clone()),
    }
}

/// Of what must always be true: for each row that is named, the commit that wrote what it held then.
fn last_writes(prepared: &Prepared, replay: &Replay, invariant: usize, finding: &Finding) -> Vec<usize> {
    let always = prepared.invariants.get(invariant).map(|one| &one.kind);
    let Some(InvariantKind::Always(_)) = always else { return Vec::new() };
    let Some(mut reading) = Reading::of(prepared, replay, invariant, finding) else { return Vec::new() };
    let (row, looked_at) = reading.rows();
    let mut rows: Vec<RowId> = row.into_iter().chain(looked_at.into_iter().take(ROWS)).collect();
    rows.extend(reading.addressed(row));
    let records = &replay.trace.records;
    let commits = (0..records.len().min(reading.end)).filter(|&at| records[at].kind == Kind::Commit);
    let mut last: Vec<Option<usize>> = vec![None; rows.len()];
    for at in commits {
        for write in records[at + 1..].iter().take(records[at].ver as usize) {
            let changes = write.kind == Kind::Install && write.flag & install::NOOP == 0;
            for (row, last) in rows.iter().zip(&mut last).filter(|_| changes) {
                if *row == (TableId(write.op), write.row) {
                    *last = Some(at);
                }
            }
        }
    }
    last.into_iter().flatten().collect()
}

/// The tables that an expression reads.
fn tables_of(expr: &Expr) -> Vec<TableId> {
    let table = |read: &Read| match read {
        Read::Exists(table) | Read::Scan(table) | Read::Column(table, _) => *table,
    };
    let mut tables: Vec<TableId> = expr.reads().iter().map(table).collect();
    tables.dedup();
    tables
}

/// The tables as they were before the record with this index.
fn tables_before(replay: &Replay, end: usize) -> Tables {
    let mut tables = replay.tables.clone();
    for (at, record) in replay.trace.records.iter().enumerate().skip(end).rev() {
        if let Some(image) =
            Some(at).filter(|_| record.kind == Kind::Install).and_then(|at| replay.trace.image(at))
        {
            tables.table_mut(TableId(record.op)).install(record.row, image.before);
        }
    }
    tables
}

/// What stands for the row variable of a pass in its body.
fn with_row(expr: &Expr, of: u16, cells: &[Word], types: &[Type], names: &[String]) -> Expr {
    let mut expr = expr.clone();
    let cell = |column: ColumnId| {
        let n = column.index();
        Expr::constant(cells[n], types[n].clone())
    };
    match &expr.kind {
        ExprKind::RowVar { var, column, .. } if *var == of => {
            let span = expr.span.clone();
            expr = cell(*column);
            expr.span = span;
        }
        ExprKind::RowVarRecord { var, columns, .. } if *var == of => {
            let field =
                |&column: &ColumnId| RecordField { name: names[column.index()].clone(), value: cell(column) };
            expr.kind = ExprKind::Record(columns.iter().map(field).collect());
        }
        _ => expr.for_each_child_mut(|child| *child = with_row(child, of, cells, types, names)),
    }
    expr
}

/// Whether an expression looks at nothing but tables, so that it has a value without those who use it.
fn is_closed(expr: &Expr) -> bool {
    let mut bound = Vec::new();
    expr.walk(&mut |part| {
        if let ExprKind::Loop { var, .. } = part.kind {
            bound.push(var);
        }
    });
    !expr.any(|part| match &part.kind {
        ExprKind::Local(_) | ExprKind::Now | ExprKind::EventField(_) | ExprKind::Counter(_) => true,
        ExprKind::RowVar { var, .. } | ExprKind::RowVarRecord { var, .. } | ExprKind::Element(var) => {
            !bound.contains(var)
        }
        _ => false,
    })
}

fn compares(op: BinaryOp) -> bool {
    !matches!(op, BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Div | BinaryOp::Rem)
}

impl<'p> Reading<'p> {
    fn of(
        prepared: &'p Prepared,
        replay: &Replay,
        invariant: usize,
        finding: &Finding,
    ) -> Option<Reading<'p>> {
        let Witness::Expression { span, row, by, who } = &finding.what else { return None };
        let (expr, at_rest) = match prepared.invariants.get(invariant).map(|one| &one.kind)? {
            InvariantKind::AtRest(expr) => (expr, true),
            InvariantKind::Always(expr) | InvariantKind::PerIntent(expr) => (expr, false),
            _ => return None,
        };
        let records = &replay.trace.records;
        let end = match (by.as_ref().filter(|by| **by != Act::NONE), who) {
            (Some(by), _) => {
                let is = |record: &&crate::model::record::Record| {
                    record.kind == Kind::Commit
                        && (record.path, record.at, record.op) == (by.path, by.at, by.op)
                };
                let at = records.iter().position(|record| is(&record));
                at.map_or(records.len(), |at| at + 1 + records[at].ver as usize)
            }
            (None, Some(who)) => {
                let settled = |record: &crate::model::record::Record| {
                    record.kind == Kind::Settled && record.path == who.path
                };
                records.iter().position(settled).unwrap_or(records.len())
            }
            (None, None) if at_rest => records.len(),
            (None, None) => 0,
        };
        Some(Reading {
            model: &prepared.model,
            broken: part(expr, span),
            whole: expr,
            slots: if who.is_some() { intent_slots(&prepared.model) } else { Vec::new() },
            tables: tables_before(replay, end),
            scratch: Scratch::new(),
            end,
            at_rest,
            row: *row,
        })
    }

    fn text(&self, expr: &Expr) -> String {
        safe(&Writer { model: self.model, slots: &self.slots, whole: self.whole }.text(expr))
    }

    /// The value of an expression, if it has one by itself; a row that is not there, as the range of the text that wants it.
    fn value(&mut self, expr: &Expr) -> Option<Result<Word, Range<u32>>> {
        if !is_closed(expr) {
            return None;
        }
        let code = Code::compile(expr);
        match eval(&code, &[], &mut self.tables.rows(), &mut self.scratch) {
            Ok(word) => Some(Ok(word)),
            Err(Failure::Missing(_)) => Some(Err(code.failed_span(&self.scratch))),
            Err(_) => None,
        }
    }

    fn is_true(&mut self, expr: &Expr) -> bool {
        matches!(self.value(expr), Some(Ok(1)))
    }

    fn shown(&mut self, expr: &Expr) -> Option<String> {
        let word = self.value(expr)?.ok()?;
        Some(safe(&self.model.symbols.show(word, &expr.ty, self.tables.heap())))
    }

    fn lines(&mut self) -> Vec<String> {
        let broken = self.broken;
        let mut so = vec![format!("Not true: {}", self.text(broken))];
        let (row, looked_at) = self.rows();
        let judged = self.judged(row);
        let (when, reads) = match self.at_rest {
            true => ("At rest it", "reads"),
            false => ("Then it", "read"),
        };
        let value = self.value(&judged);
        if let Some(Err(span)) = value {
            let wanted = match &part(&judged, &span).kind {
                ExprKind::Cell { table, key, .. } | ExprKind::Row { table, key, .. } => {
                    format!("{}[{}]", safe(&self.model.table_name(*table)), self.text(key))
                }
                _ => self.text(part(&judged, &span)),
            };
            so.push(format!("It asks for {wanted}, and there is no such row."));
        } else if let (Some(Ok(0)), ExprKind::Binary(op, left, right)) = (value, &judged.kind) {
            let sides = (self.shown(left), self.shown(right));
            if let ((Some(left), Some(right)), true) = (sides, compares(*op)) {
                so.push(format!("{when} {reads}: {left} {} {right}", op.sign()));
            }
        }
        if let Some(row) = row {
            so.push(format!("The row is {}.", self.row_text(row)));
        }
        if let Some(search) = self.search(row).filter(|_| looked_at.is_empty()) {
            let table = safe(&self.model.table_name(search.table));
            let asked: Vec<String> = search.asked.iter().map(|test| self.text(test)).collect();
            so.push(format!("There is no row in {table} with {}.", list(&asked)));
        }
        let named: Vec<String> = looked_at.iter().take(ROWS).map(|&row| self.row_text(row)).collect();
        match looked_at.len() - named.len() {
            _ if named.is_empty() => {}
            0 => so.push(format!("It looks at {}.", list(&named))),
            more => so.push(format!(
                "It looks at {} and {}.",
                named.join(", "),
                counted(more as u64, "row more", "rows more")
            )),
        }
        so
    }

    /// The false part of what is said of a row; of all that is said, if it is said of none.
    fn judged(&mut self, row: Option<RowId>) -> Expr {
        let mut judged = match (row, &self.broken.kind) {
            (Some(row), ExprKind::Loop { var, body: Some(body), .. }) => self.of_row(body, *var, row),
            _ => self.broken.clone(),
        };
        while let ExprKind::And(left, right) = &judged.kind {
            judged = if self.is_true(left) { (**right).clone() } else { (**left).clone() };
        }
        judged
    }

    /// An expression with the values of a row in place of its variable.
    fn of_row(&self, expr: &Expr, var: u16, (table, row): RowId) -> Expr {
        self.of_cells(expr, var, table, self.tables.table(table).cells(row))
    }

    fn of_cells(&self, expr: &Expr, var: u16, table: TableId, cells: &[Word]) -> Expr {
        let columns = &self.model.table(table).columns;
        let types: Vec<Type> = columns.iter().map(|column| column.ty.clone()).collect();
        let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
        with_row(expr, var, cells, &types, &names)
    }

    /// What is judged, if it is a search that finds nothing.
    fn search(&mut self, row: Option<RowId>) -> Option<Search> {
        let judged = self.judged(row);
        if !matches!(self.value(&judged), Some(Ok(0))) {
            return None;
        }
        match judged.kind {
            ExprKind::Loop {
                over: Over::Rows(table),
                var,
                keep,
                fold: Fold::Exists,
                body: Some(body),
                ..
            } => {
                let mut asked = keep;
                conjuncts(&body, &mut asked);
                Some(Search { table, var, asked })
            }
            _ => None,
        }
    }

    /// The rows that come closest to what is searched: those of which that part of it is true which is true of the fewest.
    fn nearly_found(&mut self, search: &Search) -> Vec<RowId> {
        let rows = self.live(search.table);
        let mut nearest: Vec<RowId> = Vec::new();
        for test in &search.asked {
            let fits = |&row: &RowId| self.is_true(&self.of_row(test, search.var, row));
            let fit: Vec<RowId> = rows.iter().map(|&row| (search.table, row)).filter(fits).collect();
            if !fit.is_empty() && (nearest.is_empty() || fit.len() < nearest.len()) {
                nearest = fit;
            }
        }
        nearest
    }

    /// The rows that once were what is searched: who took them away matters. `None` if that is too much to look through.
    fn once_found(&mut self, search: &Search, replay: &Replay) -> Option<Vec<RowId>> {
        let records = replay.trace.records.iter().enumerate().take(self.end);
        let installs =
            records.filter(|(_, record)| record.kind == Kind::Install && record.op == search.table.0);
        let mut found = Vec::new();
        for (n, (at, record)) in installs.enumerate() {
            if n >= LOOKED_AT {
                return None;
            }
            let Some(image) = replay.trace.image(at) else { continue };
            for cells in [image.before, image.after].into_iter().flatten() {
                let of = |test| self.of_cells(test, search.var, search.table, cells);
                let asked: Vec<Expr> = search.asked.iter().map(of).collect();
                if asked.iter().all(|test| self.is_true(test)) {
                    found.push((search.table, record.row));
                }
            }
        }
        Some(found)
    }

    /// The row that the expression is not true for, if it is one about each row of a table, and the others that it looks at.
    fn rows(&mut self) -> (Option<RowId>, Vec<RowId>) {
        let row = self.row.or_else(|| match &self.broken.kind {
            ExprKind::Loop {
                over: Over::Rows(table), var, keep, fold: Fold::All, body: Some(body), ..
            } => {
                let rows = self.live(*table);
                rows.into_iter()
                    .find(|&row| {
                        let row = (*table, row);
                        keep.iter().all(|test| self.is_true(&self.of_row(test, *var, row)))
                            && !self.is_true(&self.of_row(body, *var, row))
                    })
                    .map(|row| (*table, row))
            }
            _ => None,
        });
        if let Some(search) = self.search(row).filter(|_| row.is_some()) {
            return (row, self.nearly_found(&search));
        }
        let judged = self.judged(row);
        let mut rows = Vec::new();
        judged.walk(&mut |part| {
            let ExprKind::Loop { over: Over::Rows(table), var, keep, .. } = &part.kind else { return };
            for slot in self.live(*table) {
                if keep.iter().all(|test| self.is_true(&self.of_row(test, *var, (*table, slot)))) {
                    rows.push((*table, slot));
                }
            }
        });
        // In the order of their keys, each once.
        let mut seen = BTreeSet::new();
        rows.retain(|&row| seen.insert(row));
        (row, rows)
    }

    /// The rows that are asked for by their keys.
    fn addressed(&mut self, row: Option<RowId>) -> Vec<RowId> {
        let mut keys: Vec<(TableId, Expr)> = Vec::new();
        self.judged(row).walk(&mut |part| {
            if let ExprKind::Cell { table, key, .. } | ExprKind::Row { table, key, .. } = &part.kind {
                keys.push((*table, (**key).clone()));
            }
        });
        let slot = |(table, key): (TableId, Expr)| {
            let word = self.value(&key)?.ok()?;
            Some((table, self.tables.table(table).known(word)?))
        };
        keys.into_iter().filter_map(slot).collect()
    }

    fn live(&mut self, table: TableId) -> Vec<u32> {
        self.tables.table_mut(table).sort();
        let state = self.tables.table(table);
        std::iter::successors(state.next_row(None), |&row| state.next_row(Some(row)))
            .take(LOOKED_AT)
            .collect()
    }

    /// `money.purses['ana'] {left: 15}`
    fn row_text(&self, (table, row): RowId) -> String {
        let of = self.model.table(table);
        let cells = self.tables.table(table).cells(row);
        let show = |n: usize| self.model.symbols.show(cells[n], &of.columns[n].ty, self.tables.heap());
        let fields: Vec<String> =
            (1..cells.len()).map(|n| format!("{}: {}", of.columns[n].name, show(n))).collect();
        let key = format!("{}[{}]", self.model.table_name(table), show(0));
        safe(&if fields.is_empty() { key } else { format!("{key} {{{}}}", fields.join(", ")) })
    }
}
