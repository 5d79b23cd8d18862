//! Invariants written as expressions: true after every commit, true at rest, the same at rest as at the start.
//!
//! An expression is taken apart at its outermost `&&`, so that a finding can say which part is false. A part of the form
//! `t.all(r, …)` that looks at nothing but the row is evaluated on the rows that changed; any other one as a whole, after
//! commits that touched a table it reads. A part counts as violated when it becomes false, not as long as it is.

use std::ops::Range;
use std::sync::Arc;

use super::facts::bit;
use super::finding::Witness;
use super::history::By;
use super::sheet::{EVERYBODY, Sheet};
use crate::kernel::time::Time;
use crate::model::expr::{CellTest, Code, Expr, ExprKind, Failure, Fold, Over, Read, Scratch, UnaryOp, eval};
use crate::model::heap::Heap;
use crate::model::ids::TableId;
use crate::model::record::NONE;
use crate::model::value::{NULL, Type, Word};
use crate::store::Tables;

/// The tables that an expression looks at.
pub(super) fn tables_read(expr: &Expr) -> u64 {
    expr.reads().iter().fold(0, |set, read| match read {
        Read::Exists(table) | Read::Scan(table) | Read::Column(table, _) => set | bit(table.0),
    })
}

/// One of the parts that `&&` joins.
#[derive(Debug)]
struct Part {
    span: Range<u32>,
    whole: Code,
    watch: u64,
    /// The same for one row of a table, which is row variable 0.
    row: Option<(TableId, Code)>,
    /// The table of which it says something of every row: as long as that has had none, nothing is examined.
    every: Option<TableId>,
}

fn parts(expr: &Expr) -> Arc<[Part]> {
    fn split<'a>(expr: &'a Expr, into: &mut Vec<&'a Expr>) {
        match &expr.kind {
            ExprKind::And(left, right) => {
                split(left, into);
                split(right, into);
            }
            _ => into.push(expr),
        }
    }
    let mut all = Vec::new();
    split(expr, &mut all);
    let part = |expr: &Expr| Part {
        span: expr.span.clone(),
        whole: Code::compile(expr),
        watch: tables_read(expr),
        row: row_form(expr),
        every: every(expr),
    };
    all.into_iter().map(part).collect()
}

/// The table of `t.all(…)`, or `!t.exists(…)`.
fn every(expr: &Expr) -> Option<TableId> {
    match &expr.kind {
        ExprKind::Loop { over: Over::Rows(table), fold: Fold::All, .. } => Some(*table),
        ExprKind::Unary(UnaryOp::Not, of) => match &of.kind {
            ExprKind::Loop { over: Over::Rows(table), fold: Fold::Exists, .. } => Some(*table),
            _ => None,
        },
        _ => None,
    }
}

impl Part {
    /// Whether there is anything to examine.
    fn examines(&self, tables: &Tables) -> bool {
        self.every.is_none_or(|table| tables.table(table).slots() > 0)
    }
}

/// `t.filter(r, k).all(r, b)` for one row: `k ? b : true`.
fn row_form(expr: &Expr) -> Option<(TableId, Code)> {
    let ExprKind::Loop { over: Over::Rows(table), var, keep, fold: Fold::All, body: Some(body), .. } =
        &expr.kind
    else {
        return None;
    };
    let mut test = (**body).clone();
    if !bind(&mut test, *var) {
        return None;
    }
    for filter in keep.iter().rev() {
        let mut filter = filter.clone();
        if !bind(&mut filter, *var) {
            return None;
        }
        let span = test.span.clone();
        let kind = ExprKind::Cond(Box::new(filter), Box::new(test), Box::new(Expr::truth(true)));
        test = Expr::new(kind, Type::Bool, span);
    }
    Some((*table, Code::compile(&test)))
}

/// Makes row variable 0 of the variable; `false` if the expression looks at anything but that row, or has a form for
/// which this was not worth writing.
fn bind(expr: &mut Expr, of: u16) -> bool {
    match &mut expr.kind {
        ExprKind::Const(_) => true,
        ExprKind::RowVar { var, .. } if *var == of => {
            *var = 0;
            true
        }
        ExprKind::Unary(_, part) | ExprKind::Has(part) | ExprKind::Size(part) => bind(part, of),
        ExprKind::Field { of: part, .. } => bind(part, of),
        ExprKind::Binary(_, left, right)
        | ExprKind::And(left, right)
        | ExprKind::Or(left, right)
        | ExprKind::In(left, right)
        | ExprKind::Index(left, right)
        | ExprKind::IndexOf(left, right) => bind(left, of) && bind(right, of),
        ExprKind::Cond(test, yes, no) => bind(test, of) && bind(yes, of) && bind(no, of),
        ExprKind::List(items) => items.iter_mut().all(|item| bind(item, of)),
        _ => false,
    }
}

/// Which parts, and for parts judged by row which rows, are false now.
#[derive(Clone, Debug, Default)]
struct Now {
    whole: bool,
    rows: Vec<bool>,
}

/// True after every commit.
#[derive(Clone, Debug)]
pub(super) struct Always {
    parts: Arc<[Part]>,
    broken: Vec<Now>,
    /// Some row is or was false in this run, or without a value.
    noted: bool,
}

impl Always {
    pub(super) fn new(expr: &Expr) -> Always {
        let parts = parts(expr);
        Always { broken: vec![Now::default(); parts.len()], parts, noted: false }
    }

    /// The tables whose changes concern it as a whole.
    pub(super) fn watch(&self) -> u64 {
        self.parts.iter().filter(|part| part.row.is_none()).fold(0, |set, part| set | part.watch)
    }

    /// The tables whose rows it is judged on one by one.
    pub(super) fn row_tables(&self) -> impl Iterator<Item = TableId> {
        self.parts.iter().filter_map(|part| part.row.as_ref().map(|(table, _)| *table))
    }

    pub(super) fn reset(&mut self) {
        for now in &mut self.broken {
            now.whole = false;
            now.rows.clear();
        }
        self.noted = false;
    }

    /// The start of a run, where it is judged as well, once and as a whole.
    pub(super) fn start(&mut self, tables: &mut Tables, scratch: &mut Scratch, sheet: &mut Sheet) {
        for (part, now) in self.parts.iter().zip(&mut self.broken) {
            if let Some((table, code)) = &part.row {
                for row in 0..tables.table(*table).slots() {
                    self.noted |= now.row(part, (*table, code), row, None, tables, scratch, sheet);
                }
            } else {
                now.whole(part, None, tables, scratch, sheet);
            }
        }
        sheet.run.obligations = 0;
    }

    /// How many parts there are.
    pub(super) fn parts(&self) -> u64 {
        self.parts.len() as u64
    }

    /// All that it asks of the rows of one table, if it asks nothing else and that is nothing but tests of their cells.
    pub(super) fn cell_tests(&self) -> Option<Vec<CellTest>> {
        let (first, _) = self.parts.first()?.row.as_ref()?;
        let mut tests = Vec::new();
        for part in &*self.parts {
            let (table, code) = part.row.as_ref()?;
            if table != first {
                return None;
            }
            tests.extend(code.cell_tests()?);
        }
        Some(tests)
    }

    /// Returns whether some row is or was noted in this run.
    pub(super) fn committed(
        &mut self,
        changed: &[(u16, u32)],
        by: &By,
        tables: &mut Tables,
        scratch: &mut Scratch,
        sheet: &mut Sheet,
    ) -> bool {
        // By place, since two slices side by side cost a call here.
        for at in 0..self.parts.len() {
            let (part, now) = (&self.parts[at], &mut self.broken[at]);
            if let Some((table, code)) = &part.row {
                for &(of, row) in changed {
                    if of == table.0 {
                        self.noted |= now.row(part, (*table, code), row, Some(by), tables, scratch, sheet);
                    }
                }
            } else if changed.iter().any(|change| part.watch & bit(change.0) != 0) {
                now.whole(part, Some(by), tables, scratch, sheet);
            }
        }
        self.noted
    }
}

impl Now {
    fn whole(
        &mut self,
        part: &Part,
        by: Option<&By>,
        tables: &mut Tables,
        scratch: &mut Scratch,
        sheet: &mut Sheet,
    ) {
        sheet.run.obligations += u64::from(part.examines(tables));
        let Some(holds) = sheet.test(&part.whole, &[], tables, scratch) else { return };
        if !holds && !self.whole {
            let span = part.span.clone();
            let what = || Witness::Expression { span, row: None, by: by.map(By::act), who: None };
            sheet.violated(by.map_or(Time::ZERO, |by| by.commit.at), [EVERYBODY, NONE], what);
        }
        self.whole = !holds;
    }

    /// Judges a row. Returns whether something was noted of it.
    #[expect(
        clippy::too_many_arguments,
        reason = "it is called for each row, and a struct would be made for each"
    )]
    fn row(
        &mut self,
        part: &Part,
        (table, code): (TableId, &Code),
        row: u32,
        by: Option<&By>,
        tables: &mut Tables,
        scratch: &mut Scratch,
        sheet: &mut Sheet,
    ) -> bool {
        sheet.run.obligations += 1;
        let state = tables.table(table);
        let known = if state.meta(row).live { code.holds_of(state.cells(row)) } else { Some(true) };
        let holds = known.or_else(|| {
            scratch.bind_row(0, row);
            sheet.test(code, &[], tables, scratch)
        });
        // What holds and always did, so far as anybody knows, is nothing to be noted.
        let noted = holds != Some(true) || self.rows.len() > row as usize;
        if noted {
            self.note(part, (table, row), holds, by, sheet);
        }
        noted
    }

    /// Notes what a row is now: false, without a value, or true again.
    #[inline(never)]
    fn note(
        &mut self,
        part: &Part,
        at: (TableId, u32),
        holds: Option<bool>,
        by: Option<&By>,
        sheet: &mut Sheet,
    ) {
        let Some(holds) = holds else { return };
        let row = at.1 as usize;
        if self.rows.len() <= row {
            self.rows.resize(row + 1, false);
        }
        if !holds && !self.rows[row] {
            let span = part.span.clone();
            let serial = by.map_or(EVERYBODY, |by| by.party.serial);
            let what = || Witness::Expression { span, row: Some(at), by: by.map(By::act), who: None };
            sheet.violated(by.map_or(Time::ZERO, |by| by.commit.at), [serial, NONE], what);
        }
        self.rows[row] = !holds;
    }
}

/// True at rest.
#[derive(Clone, Debug)]
pub(super) struct AtRest {
    parts: Arc<[Part]>,
}

impl AtRest {
    pub(super) fn new(expr: &Expr) -> AtRest {
        AtRest { parts: parts(expr) }
    }

    pub(super) fn finish(&self, at: Time, tables: &mut Tables, scratch: &mut Scratch, sheet: &mut Sheet) {
        sheet.run.obligations += u64::from(self.parts.iter().any(|part| part.examines(tables)));
        for part in &*self.parts {
            if sheet.test(&part.whole, &[], tables, scratch) != Some(false) {
                continue;
            }
            let row = part.row.as_ref().and_then(|(table, code)| {
                tables.table_mut(*table).sort();
                let mut next = tables.table(*table).next_row(None);
                while let Some(row) = next {
                    scratch.bind_row(0, row);
                    if sheet.test(code, &[], tables, scratch) == Some(false) {
                        return Some((*table, row));
                    }
                    next = tables.table(*table).next_row(Some(row));
                }
                None
            });
            let span = part.span.clone();
            let what = || Witness::Expression { span, row, by: None, who: None };
            sheet.violated(at, [EVERYBODY, NONE], what);
        }
    }
}

/// The same at rest as at the start.
#[derive(Clone, Debug)]
pub(super) struct Constant {
    code: Arc<Code>,
    ty: Type,
    start: Result<Vec<Word>, (Failure, Range<u32>)>,
}

impl Constant {
    /// `tables` are those that every run starts with.
    pub(super) fn new(expr: &Expr, tables: &mut Tables, scratch: &mut Scratch) -> Constant {
        let code = Arc::new(Code::compile(expr));
        let mut constant = Constant { code, ty: expr.ty.clone(), start: Ok(Vec::new()) };
        constant.start = constant.value(tables, scratch);
        constant
    }

    /// The value with all that it consists of: handles of two runs cannot be compared.
    fn value(&self, tables: &mut Tables, scratch: &mut Scratch) -> Result<Vec<Word>, (Failure, Range<u32>)> {
        let word = eval(&self.code, &[], &mut tables.rows(), scratch)
            .map_err(|failure| (failure, self.code.failed_span(scratch)))?;
        let mut words = Vec::new();
        flatten(word, &self.ty, tables.heap(), &mut words);
        Ok(words)
    }

    pub(super) fn finish(&self, at: Time, tables: &mut Tables, scratch: &mut Scratch, sheet: &mut Sheet) {
        sheet.run.obligations += 1;
        let end = self.value(tables, scratch);
        for value in [&self.start, &end] {
            if let Err((failure, span)) = value
                && !matches!(failure, Failure::Missing(_))
            {
                sheet.error.get_or_insert_with(|| (*failure, span.clone()));
                return;
            }
        }
        if self.start != end {
            let shown = |value: &Result<Vec<Word>, _>| match value {
                Ok(words) if !self.ty.is_tuple() => words.first().copied(),
                _ => None,
            };
            let (from, to) = (shown(&self.start), shown(&end));
            sheet.violated(at, [EVERYBODY, NONE], || Witness::Changed { from, to });
        }
    }
}

fn flatten(word: Word, ty: &Type, heap: &Heap, into: &mut Vec<Word>) {
    match ty {
        _ if word == NULL || !ty.is_tuple() => into.push(word),
        Type::List(of) => {
            let items = heap.get(word);
            into.push(items.len() as Word);
            items.iter().for_each(|&item| flatten(item, of, heap, into));
        }
        Type::Record(fields) => {
            let items = heap.get(word);
            fields.iter().zip(items).for_each(|((_, ty), &item)| flatten(item, ty, heap, into));
        }
        _ => into.push(word),
    }
}
