//! For tests only: a small store, and the naive evaluation of a tree that compiled code is held against.

use std::collections::BTreeMap;

use super::arith;
use super::{BinaryOp, Counter, EventField, Expr, ExprKind, Failure, Fold, Over, View};
use crate::model::heap::Heap;
use crate::model::ids::{ColumnId, TableId};
use crate::model::value::{NULL, Word, truth};

/// Tables as ordered maps; a row's slot is its rank plus 10, so that slots and keys are not mixed up by chance.
#[derive(Debug, Default)]
pub(crate) struct World {
    pub(crate) tables: Vec<BTreeMap<Word, Vec<Word>>>,
    pub(crate) heap: Heap,
    /// The rows that were looked for, and those that passes went on from, in order.
    pub(crate) looks: Vec<(TableId, Word)>,
}

impl View for World {
    fn find(&mut self, table: TableId, key: Word) -> Option<u32> {
        assert_ne!(key, NULL);
        self.looks.push((table, key));
        self.tables.get(table.index())?.keys().position(|&k| k == key).map(|rank| rank as u32 + 10)
    }

    fn cell(&mut self, table: TableId, row: u32, column: u16) -> Word {
        let (&key, cells) = self.tables[table.index()].iter().nth(row as usize - 10).unwrap();
        if column == 0 { key } else { cells[usize::from(column) - 1] }
    }

    fn next_row(&mut self, table: TableId, after: Option<u32>) -> Option<u32> {
        self.looks.push((table, after.map_or(NULL, Word::from)));
        let next = after.map_or(10, |row| row + 1);
        let rows = self.tables.get(table.index())?.len() as u32;
        (next - 10 < rows).then_some(next)
    }

    fn counter(&mut self, counter: Counter) -> Word {
        counter as Word
    }

    fn now(&mut self) -> Word {
        5_000_000
    }

    fn event(&mut self, field: EventField) -> Word {
        field as Word + 100
    }

    fn heap(&mut self) -> &mut Heap {
        &mut self.heap
    }
}

/// Evaluates by walking, without constants folded, passes fused or failures absorbed by tables.
pub(crate) struct Walker<'a> {
    pub(crate) world: &'a mut World,
    pub(crate) locals: &'a [Word],
    /// Variable, and the row slot or element bound to it.
    pub(crate) bound: Vec<(u16, Word)>,
}

type Value = Result<Word, Failure>;

impl Walker<'_> {
    pub(crate) fn value(&mut self, expr: &Expr) -> Value {
        match &expr.kind {
            ExprKind::Const(word) => Ok(*word),
            ExprKind::Local(slot) => Ok(self.locals.get(usize::from(*slot)).copied().unwrap_or(NULL)),
            ExprKind::Element(var) => Ok(self.bound(*var)),
            ExprKind::RowVar { var, table, column } => {
                let row = self.bound(*var) as u32;
                Ok(self.world.cell(*table, row, column.0))
            }
            ExprKind::RowVarRecord { var, table, columns } => {
                let row = self.bound(*var) as u32;
                Ok(self.record(*table, row, columns))
            }
            ExprKind::Cell { table, key, column } => {
                let row = self.row(*table, key)?;
                Ok(self.world.cell(*table, row, column.0))
            }
            ExprKind::Row { table, key, columns } => {
                let row = self.row(*table, key)?;
                Ok(self.record(*table, row, columns))
            }
            ExprKind::HasRow { table, key } => {
                let key = self.value(key)?;
                Ok(truth(key != NULL && self.world.find(*table, key).is_some()))
            }
            ExprKind::Now => Ok(self.world.now()),
            ExprKind::EventField(field) => Ok(self.world.event(*field)),
            ExprKind::Counter(counter) => Ok(self.world.counter(*counter)),
            ExprKind::Unary(op, of) => arith::unary(*op, self.value(of)?),
            ExprKind::Binary(BinaryOp::Concat, left, right) => {
                let (left, right) = (self.value(left)?, self.value(right)?);
                if left == NULL || right == NULL {
                    return Err(Failure::NullOperand);
                }
                let items = [self.world.heap.get(left), self.world.heap.get(right)].concat();
                Ok(self.world.heap.tuple(&items))
            }
            ExprKind::Binary(BinaryOp::Append, list, item) => {
                let (list, item) = (self.value(list)?, self.value(item)?);
                let mut items = self.items(list)?;
                items.push(item);
                Ok(self.world.heap.tuple(&items))
            }
            ExprKind::Binary(op, left, right) => {
                let (left, right) = (self.value(left)?, self.value(right)?);
                arith::binary(*op, left, right)
            }
            ExprKind::And(left, right) => {
                let values = [self.decision(left), self.decision(right)];
                decide(&values, false)
            }
            ExprKind::Or(left, right) => {
                let values = [self.decision(left), self.decision(right)];
                decide(&values, true)
            }
            ExprKind::Cond(test, yes, no) => {
                let branch = if self.decision(test)? { yes } else { no };
                self.value(branch)
            }
            ExprKind::In(item, list) => {
                let (item, list) = (self.value(item)?, self.value(list)?);
                Ok(truth(self.items(list)?.contains(&item)))
            }
            ExprKind::List(items) => {
                let items: Vec<Word> = items.iter().map(|item| self.value(item)).collect::<Result<_, _>>()?;
                Ok(self.world.heap.tuple(&items))
            }
            ExprKind::Record(fields) => {
                let items: Vec<Word> =
                    fields.iter().map(|field| self.value(&field.value)).collect::<Result<_, _>>()?;
                Ok(self.world.heap.tuple(&items))
            }
            ExprKind::Field { of, index, .. } => {
                let of = self.value(of)?;
                Ok(self.items(of)?.get(usize::from(*index)).copied().unwrap_or(NULL))
            }
            ExprKind::Index(list, index) => {
                let (list, index) = (self.value(list)?, self.value(index)?);
                if index == NULL {
                    return Err(Failure::NullOperand);
                }
                let items = self.items(list)?;
                usize::try_from(index).ok().and_then(|i| items.get(i)).copied().ok_or(Failure::OutOfRange)
            }
            ExprKind::Size(list) => {
                let list = self.value(list)?;
                Ok(self.items(list)?.len() as Word)
            }
            ExprKind::IndexOf(list, item) => {
                let (list, item) = (self.value(list)?, self.value(item)?);
                let place = self.items(list)?.iter().position(|&word| word == item);
                Ok(place.map_or(-1, |place| place as Word))
            }
            ExprKind::Has(of) => Ok(truth(self.value(of)? != NULL)),
            ExprKind::Loop { over, var, keep, fold, body, .. } => {
                self.pass(over, *var, keep, *fold, body.as_deref())
            }
        }
    }

    fn pass(&mut self, over: &Over, var: u16, keep: &[Expr], fold: Fold, body: Option<&Expr>) -> Value {
        let items = match over {
            Over::Rows(table) => {
                let rows = self.world.tables.get(table.index()).map_or(0, BTreeMap::len) as Word;
                (10..10 + rows).collect()
            }
            Over::List(list) => {
                let list = self.value(list)?;
                self.items(list)?
            }
        };
        let mut values = Vec::new();
        'items: for item in items {
            self.bound.push((var, item));
            for test in keep {
                let kept = self.decision(test);
                if kept != Ok(true) {
                    self.bound.pop();
                    kept?;
                    continue 'items;
                }
            }
            let value = body.map_or(Ok(0), |body| self.value(body));
            self.bound.pop();
            let decided = matches!(value, Ok(word) if (fold == Fold::All && word == 0) || (fold == Fold::Exists && word == 1));
            let fatal = value.is_err() && !matches!(fold, Fold::All | Fold::Exists);
            values.push(value);
            if decided {
                return value;
            }
            if fatal {
                return value;
            }
            // Null is noticed where it is used, at once.
            if value == Ok(NULL) && matches!(fold, Fold::ExistsOne | Fold::Sum | Fold::Min | Fold::Max) {
                return Err(Failure::NullOperand);
            }
            if fold == Fold::Sum {
                let so_far =
                    values.iter().try_fold(0, |sum, value| arith::binary(BinaryOp::Add, sum, (*value)?));
                so_far?;
            }
        }
        let truths = |value: &Value| value.and_then(as_truth);
        match fold {
            Fold::All => decide(&values.iter().map(truths).collect::<Vec<_>>(), false),
            Fold::Exists => decide(&values.iter().map(truths).collect::<Vec<_>>(), true),
            Fold::ExistsOne => Ok(truth(values.iter().filter(|value| **value == Ok(1)).count() == 1)),
            Fold::Count => Ok(values.len() as Word),
            _ => {
                let words: Vec<Word> = values.into_iter().collect::<Result<_, _>>()?;
                match fold {
                    Fold::Sum => Ok(words.iter().sum()),
                    Fold::Min => words.into_iter().min().ok_or(Failure::Empty),
                    Fold::Max => words.into_iter().max().ok_or(Failure::Empty),
                    _ => Ok(self.world.heap.tuple(&words)),
                }
            }
        }
    }

    fn bound(&self, var: u16) -> Word {
        self.bound.iter().rev().find(|(name, _)| *name == var).unwrap().1
    }

    fn decision(&mut self, expr: &Expr) -> Result<bool, Failure> {
        self.value(expr).and_then(as_truth)
    }

    fn row(&mut self, table: TableId, key: &Expr) -> Result<u32, Failure> {
        let key = self.value(key)?;
        if key == NULL {
            return Err(Failure::Missing(table));
        }
        self.world.find(table, key).ok_or(Failure::Missing(table))
    }

    fn record(&mut self, table: TableId, row: u32, columns: &[ColumnId]) -> Word {
        let cells: Vec<Word> = columns.iter().map(|column| self.world.cell(table, row, column.0)).collect();
        self.world.heap.tuple(&cells)
    }

    fn items(&self, list: Word) -> Result<Vec<Word>, Failure> {
        if list == NULL { Err(Failure::NullOperand) } else { Ok(self.world.heap.get(list).to_vec()) }
    }
}

fn as_truth(word: Word) -> Result<bool, Failure> {
    if word == NULL { Err(Failure::NullOperand) } else { Ok(word != 0) }
}

/// One deciding value decides; else the first failure; else the opposite.
fn decide(values: &[Result<bool, Failure>], deciding: bool) -> Value {
    if values.contains(&Ok(deciding)) {
        return Ok(truth(deciding));
    }
    match values.iter().find_map(|value| value.err()) {
        Some(failure) => Err(failure),
        None => Ok(truth(!deciding)),
    }
}
