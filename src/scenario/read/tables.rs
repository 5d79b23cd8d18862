//! Tables: their columns, which the file never lists by itself, and the rows they start with.

use std::collections::BTreeMap;

use super::super::code::Code;
use super::super::expr::Scalar;
use super::super::problem::{Problem, Problems, quote};
use super::super::quantity;
use super::super::source::Place;
use super::super::tree::{Entry, Kind, Node, Text};
use super::budget::Budget;
use super::exprs::Exprs;
use super::later::not_yet;
use super::names::{Index, is_member_name, member_name, undeclared};
use crate::model::ids::{ColumnId, ServiceId, TableId};
use crate::model::service::{Column, MAX_COLUMNS, Row, Table};
use crate::model::symbols::Symbols;
use crate::model::value::{NULL, Word, truth};

/// The most rows that all tables of a document start with.
const MOST_ROWS: usize = 100_000;

/// What was read of a table: everything but the types of its columns.
#[derive(Clone, Debug)]
pub(super) struct TableDraft {
    rows: Vec<Row>,
    defaults: Vec<Word>,
    unique: Vec<Vec<ColumnId>>,
    first_fresh: Word,
}

/// Adds the columns that `fields` and `rows` name.
pub(super) fn declare_columns(index: &Index<'_>, exprs: &mut Exprs, problems: &mut Problems) {
    for (at, table) in index.tables.iter().enumerate() {
        let id = TableId(at as u16);
        let hosted = index.services[table.service.index()].fields.has("process");
        for field in table.fields.members("fields") {
            if hosted && field.key.value == "id" {
                // No expression writes the table, so nothing else says of which kind its keys are.
                continue;
            }
            add_column(id, &field.key, &field.key.value, index, exprs, problems);
        }
        for row in table.fields.members("rows") {
            for field in row.value.as_object().unwrap_or_default() {
                if field.key.value != "id" && member_name(&field.key, problems) {
                    column_of(id, &field.key, index, exprs, problems);
                }
            }
        }
    }
}

/// A column that rows, a put or an insert name: of a table with `fields` it must be one of these.
pub(super) fn column_of(
    table: TableId,
    name: &Text,
    index: &Index<'_>,
    exprs: &mut Exprs,
    problems: &mut Problems,
) -> Option<ColumnId> {
    column_named(table, &name.value, name.place, index, exprs, problems)
}

/// The same for a name within an expression.
pub(super) fn column_named(
    table: TableId,
    name: &str,
    place: Place,
    index: &Index<'_>,
    exprs: &mut Exprs,
    problems: &mut Problems,
) -> Option<ColumnId> {
    if name == "id" {
        let problem = Problem::error(Code::Column, place, "`id` is the key of a row, not one of its fields");
        problems.push(problem.hint("the key stands in the brackets of the address"));
        return None;
    }
    if let Some(column) = exprs.types.column(table, name) {
        return Some(column);
    }
    if index.tables[table.index()].fields.has("fields") {
        let known: Vec<String> =
            exprs.types.columns(table)[1..].iter().map(|(name, _)| name.clone()).collect();
        let message = format!("the table `{}` has no field {}", index.table_name(table), quote(name));
        let meant = super::super::problem::did_you_mean(name, known.iter().map(String::as_str));
        let hint = meant.map(|meant| format!("did you mean `{meant}`?"));
        let hint = hint.unwrap_or_else(|| "its `fields` list all that it has".to_owned());
        problems.push(Problem::error(Code::Column, place, message).hint(hint));
        return None;
    }
    if !is_member_name(name) {
        let message = format!("{} cannot be the name of a field", quote(name));
        problems.push(Problem::error(Code::BadName, place, message));
        return None;
    }
    if exprs.types.columns(table).len() == MAX_COLUMNS {
        let message = format!("a table has at most {MAX_COLUMNS} fields, its key included");
        problems.push(Problem::error(Code::Limit, place, message));
        return None;
    }
    Some(exprs.types.add_column(table, name))
}

fn add_column(
    table: TableId,
    key: &Text,
    name: &str,
    index: &Index<'_>,
    exprs: &mut Exprs,
    problems: &mut Problems,
) {
    if name == "id" {
        column_of(table, key, index, exprs, problems);
    } else if !member_name(key, problems) {
    } else if exprs.types.columns(table).len() == MAX_COLUMNS {
        let message = format!("a table has at most {MAX_COLUMNS} fields, its key included");
        problems.push(Problem::error(Code::Limit, key.place, message));
    } else {
        exprs.types.add_column(table, name);
    }
}

/// Reads rows, defaults and uniqueness of all tables; all columns are known.
pub(super) fn read<'n>(
    index: &Index<'n>,
    exprs: &mut Exprs,
    symbols: &mut Symbols,
    budget: &mut Budget,
    problems: &mut Problems,
) -> Vec<TableDraft> {
    let mut left = MOST_ROWS;
    (0..index.tables.len())
        .map(|table| one(TableId(table as u16), index, exprs, symbols, &mut left, budget, problems))
        .collect()
}

fn one<'n>(
    table: TableId,
    index: &Index<'n>,
    exprs: &mut Exprs,
    symbols: &mut Symbols,
    left: &mut usize,
    budget: &mut Budget,
    problems: &mut Problems,
) -> TableDraft {
    let fields = &index.tables[table.index()].fields;
    let mut defaults = vec![NULL; exprs.types.columns(table).len()];
    for field in fields.members("fields") {
        if let Some(column) = exprs.types.column(table, &field.key.value)
            && let Some(word) = data(&field.value, table, column, exprs, symbols, problems)
        {
            defaults[column.index()] = word;
        }
    }
    let mut rows = Vec::new();
    // The first key of each entry, and its last.
    let mut keys: BTreeMap<Word, Word> = BTreeMap::new();
    let mut first: Option<(bool, Place)> = None;
    for entry in fields.members("rows") {
        let Some(range) = keys_of(&entry.key, symbols, problems) else { continue };
        let is_int = matches!(range, Keys::Numbers(..));
        match first {
            Some((int, place)) if int != is_int => {
                let message = "some keys of this table are numbers and some are texts";
                let problem = Problem::error(Code::Rows, entry.key.place, message);
                problems.push(problem.also(place, "this one is of the other kind"));
                continue;
            }
            Some(_) => {}
            None => {
                first = Some((is_int, entry.key.place));
                let place = exprs.data_place(entry.key.place);
                let scalar = if is_int { Scalar::Int } else { Scalar::Text };
                let ty = exprs.types.scalar(scalar, Some(place.clone()));
                let key = exprs.types.column_type(table, ColumnId::KEY);
                exprs.unify(ty, key, &place, problems);
            }
        }
        let mut cells = row(entry, table, &defaults, exprs, symbols, problems);
        let (low, high) = match range {
            Keys::Numbers(low, high) => (low, high),
            Keys::Text(word) => (word, word),
        };
        if high.abs_diff(low) >= *left as u64 {
            let message = format!("the tables start with more than {MOST_ROWS} rows");
            problems.push(Problem::error(Code::Limit, entry.key.place, message));
            break;
        }
        let times = high.abs_diff(low) as usize + 1;
        *left -= times;
        if keys.range(..=high).next_back().is_some_and(|(_, last)| *last >= low) {
            let message = format!("{} stands for a row that is there already", quote(&entry.key.value));
            problems.push(Problem::error(Code::Rows, entry.key.place, message));
            continue;
        }
        if !budget.afford_cells(times * cells.len(), entry.key.place, problems) {
            break;
        }
        keys.insert(low, high);
        cells[0] = low;
        rows.push(Row { cells, times: times as u32 });
    }
    let int = first.is_some_and(|(int, _)| int);
    let greatest = keys.values().last().copied().filter(|_| int).unwrap_or(0).max(0);
    if greatest >= Word::MAX / 2 {
        let place = fields.head();
        problems.push(Problem::error(Code::Limit, place, "a key of this table is too large"));
    }
    let unique = unique(table, index, exprs, problems);
    TableDraft { rows, defaults, unique, first_fresh: greatest.saturating_add(1) }
}

fn unique(table: TableId, index: &Index<'_>, exprs: &Exprs, problems: &mut Problems) -> Vec<Vec<ColumnId>> {
    let mut unique = Vec::new();
    for node in index.tables[table.index()].fields.list("unique") {
        let names = node.as_list().unwrap_or(std::slice::from_ref(node));
        let mut columns = Vec::new();
        for name in names.iter().filter_map(Node::as_text) {
            match exprs.types.column(table, &name.value) {
                Some(column) => columns.push(column),
                None => {
                    let known: Vec<String> =
                        exprs.types.columns(table).iter().map(|(name, _)| name.clone()).collect();
                    undeclared("field", &name.value, name.place, &known, problems);
                }
            }
        }
        columns.sort_unstable();
        columns.dedup();
        if !columns.is_empty() && !unique.contains(&columns) {
            unique.push(columns);
        }
    }
    unique
}

/// The keys that one entry of `rows` stands for.
enum Keys {
    /// From the one to the other.
    Numbers(Word, Word),
    Text(Word),
}

fn keys_of(key: &Text, symbols: &mut Symbols, problems: &mut Problems) -> Option<Keys> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = |text: &str| text.parse::<Word>().ok();
    let wrong = |message: &str| Problem::error(Code::Rows, key.place, message);
    let text = key.value.as_str();
    if digits(text) {
        let Some(key) = number(text) else {
            problems.push(wrong("this key is too large"));
            return None;
        };
        return Some(Keys::Numbers(key, key));
    }
    if let Some((low, high)) = text.split_once("..").filter(|(low, high)| digits(low) && digits(high)) {
        return match (number(low), number(high)) {
            (Some(low), Some(high)) if low <= high => Some(Keys::Numbers(low, high)),
            (Some(_), Some(_)) => {
                problems.push(wrong("the range ends before it begins"));
                None
            }
            _ => {
                problems.push(wrong("this key is too large"));
                None
            }
        };
    }
    if text.is_empty() {
        problems.push(wrong("a key cannot be empty"));
        return None;
    }
    Some(Keys::Text(symbols.intern(text)))
}

fn row(
    entry: &Entry,
    table: TableId,
    defaults: &[Word],
    exprs: &mut Exprs,
    symbols: &mut Symbols,
    problems: &mut Problems,
) -> Vec<Word> {
    let mut cells = defaults.to_vec();
    for field in entry.value.as_object().unwrap_or_default() {
        if field.key.value == "id" {
            let message = "`id` is the key of a row, not one of its fields";
            problems.push(Problem::error(Code::Column, field.key.place, message));
        } else if let Some(column) = exprs.types.column(table, &field.key.value)
            && let Some(word) = data(&field.value, table, column, exprs, symbols, problems)
        {
            cells[column.index()] = word;
        }
    }
    cells
}

/// A value of plain data in a column.
fn data(
    node: &Node,
    table: TableId,
    column: ColumnId,
    exprs: &mut Exprs,
    symbols: &mut Symbols,
    problems: &mut Problems,
) -> Option<Word> {
    let (scalar, word) = constant(node, symbols, problems)?;
    if let Some(scalar) = scalar {
        let place = exprs.data_place(node.place);
        let ty = exprs.types.scalar(scalar, Some(place.clone()));
        let needed = exprs.types.column_type(table, column);
        exprs.unify(ty, needed, &place, problems);
    }
    Some(word)
}

/// A plain value and its type; null has none.
pub(super) fn constant(
    node: &Node,
    symbols: &mut Symbols,
    problems: &mut Problems,
) -> Option<(Option<Scalar>, Word)> {
    match &node.kind {
        Kind::Null => Some((None, NULL)),
        Kind::Bool(value) => Some((Some(Scalar::Bool), truth(*value))),
        Kind::Text(text) => Some((Some(Scalar::Text), symbols.intern(&text.value))),
        Kind::Number(number) => match quantity::integer(number) {
            Ok(value) => Some((Some(Scalar::Int), value)),
            Err(wrong) => {
                let problem = Problem::error(wrong.code, node.place, wrong.message);
                problems.push(problem.maybe_hint(wrong.hint));
                None
            }
        },
        Kind::List(_) | Kind::Object(_) => {
            problems.push(not_yet(&format!("{} as plain data", node.kind_name()), node.head()));
            None
        }
    }
}

/// The tables with their types.
pub(super) fn finish(drafts: Vec<TableDraft>, index: &Index<'_>, exprs: &Exprs) -> Vec<Table> {
    let table = |(at, draft): (usize, TableDraft)| {
        let id = TableId(at as u16);
        let name: &super::names::TableName<'_> = &index.tables[at];
        let columns = exprs.types.columns(id).iter().zip(&draft.defaults);
        let columns = columns.map(|((name, ty), default)| Column {
            name: name.clone(),
            ty: exprs.known(*ty),
            default: *default,
        });
        Table {
            name: name.name.value.owned(),
            service: name.service,
            columns: columns.collect(),
            rows: draft.rows,
            unique: draft.unique,
            first_fresh: draft.first_fresh,
            kept: false,
        }
    };
    drafts.into_iter().enumerate().map(table).collect()
}

/// The tables of a service.
pub(super) fn of_service(index: &Index<'_>, service: ServiceId) -> Vec<TableId> {
    index.services[service.index()].tables.clone()
}
