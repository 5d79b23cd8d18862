//! What an operation writes and tells: `set`, `put`, `insert`, `delete` and `publish`, of a part or of `otherwise`.
//!
//! Several values for one address under one verb are one write. Row writes happen in the order set, put, insert,
//! delete, and within each in the order of the file.

use super::super::code::Code;
use super::super::expr::ast::{Expr as Ast, Kind as AstKind};
use super::super::expr::{self, Names, Ty, parse};
use super::super::fields::Fields;
use super::super::problem::{Problem, Problems, quote};
use super::super::tree::{Entry, Kind, Node, Text};
use super::exprs::{Exprs, Parsed, WHOLE, unplaced};
use super::names::{Index, member_name, too_many};
use super::tables::{column_named, column_of};
use crate::model::expr::Expr;
use crate::model::ids::{ColumnId, ServiceId, TableId, TopicId};
use crate::model::service::{Address, Effects, Publish, Verb, Write};
use crate::model::value::Type;

/// The most writes, and the most events, of one part.
const MOST_WRITES: usize = 64;
/// The most fields of a topic.
const MOST_FIELDS: usize = 64;

/// A record given as a whole, to be split into fields when more is known about its type.
#[derive(Clone, Debug)]
pub(super) struct Whole {
    ty: Ty,
    to: Into,
    at: expr::Place,
}

#[derive(Clone, Copy, Debug)]
enum Into {
    Row(TableId),
    Event(TopicId),
}

/// Declares the columns that `put` and `insert` name, and the topics and fields that `publish` names.
pub(super) fn declare<'n>(
    part: &Fields<'n>,
    service: ServiceId,
    index: &mut Index<'n>,
    exprs: &mut Exprs,
    problems: &mut Problems,
) {
    for entry in part.members("put").iter().chain(part.members("insert")) {
        let Ok(Ast { kind: AstKind::Index { of, .. }, .. }) = parse(&entry.key.value) else { continue };
        let AstKind::Name(name) = &of.kind else { continue };
        let Some(table) = index.find_table_of(service, name) else { continue };
        match &entry.value.kind {
            Kind::Object(fields) => {
                for field in fields.iter() {
                    column_of(table, &field.key, index, exprs, problems);
                }
            }
            Kind::Text(text) => {
                for (name, span) in literal_names(text) {
                    let place = text.place_in(span);
                    column_named(table, &name, place, index, exprs, problems);
                }
            }
            _ => {}
        }
    }
    for entry in part.members("publish") {
        let Some(topic) = index.topic(&entry.key, problems) else { continue };
        index.topics[topic.index()].published = true;
        match &entry.value.kind {
            Kind::Object(fields) => {
                for field in fields.iter() {
                    if member_name(&field.key, problems) {
                        index.topic_field(topic, &field.key.value, exprs);
                    }
                }
            }
            Kind::Text(text) => {
                for (name, _) in literal_names(text) {
                    index.topic_field(topic, &name, exprs);
                }
            }
            _ => {}
        }
        if index.topics[topic.index()].columns.len() > MOST_FIELDS {
            too_many("fields of this topic", entry.key.place, problems);
        }
    }
}

/// The names of the fields of a map literal, and where they stand.
fn literal_names(text: &Text) -> Vec<(String, std::ops::Range<usize>)> {
    let Ok(Ast { kind: AstKind::Map(entries), .. }) = parse(&text.value) else { return Vec::new() };
    let name = |(key, _): (Ast, Ast)| match key.kind {
        AstKind::Text(name) => Some((name, key.span.start as usize..key.span.end as usize)),
        _ => None,
    };
    entries.into_iter().filter_map(name).collect()
}

/// Reads the effects of a part; all columns and topics are declared.
#[derive(Debug)]
pub(super) struct Reader<'r, 'n> {
    pub(super) scope: &'r Names,
    pub(super) index: &'r Index<'n>,
    pub(super) exprs: &'r mut Exprs,
    pub(super) wholes: &'r mut Vec<Whole>,
    pub(super) problems: &'r mut Problems,
}

/// The rows that an address names, as far as its form says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Key,
    Fresh,
    Matching,
}

struct Read {
    table: TableId,
    column: Option<ColumnId>,
    at: Address,
    rows: Ast,
}

impl<'n> Reader<'_, 'n> {
    pub(super) fn effects(&mut self, part: &Fields<'n>) -> Effects {
        let mut effects = Effects::default();
        let mut known: Vec<(Verb, Ast)> = Vec::new();
        for (key, verb) in [("set", Verb::Set), ("put", Verb::Put), ("insert", Verb::Insert)] {
            for entry in part.members(key) {
                self.write(verb, entry, &mut effects, &mut known);
            }
        }
        for node in part.list("delete") {
            if let Some(read) = node.as_text().and_then(|text| self.address(text, Verb::Delete))
                && !known.contains(&(Verb::Delete, read.rows.clone()))
            {
                known.push((Verb::Delete, read.rows));
                effects.writes.push(Write {
                    table: read.table,
                    at: read.at,
                    verb: Verb::Delete,
                    values: vec![],
                });
            }
        }
        for entry in part.members("publish") {
            let Some(topic) = self.index.find_topic(&entry.key.value) else { continue };
            let mut fields = Vec::new();
            for (name, value) in self.parts(&entry.value, Into::Event(topic)) {
                fields.push((name, value));
            }
            effects.publish.push(Publish { topic, fields });
        }
        for (what, count) in [("writes", effects.writes.len()), ("events", effects.publish.len())] {
            if count > MOST_WRITES {
                too_many(&format!("{what} in one part"), part.head(), self.problems);
            }
        }
        effects
    }

    fn write(&mut self, verb: Verb, entry: &'n Entry, effects: &mut Effects, known: &mut Vec<(Verb, Ast)>) {
        let Some(read) = self.address(&entry.key, verb) else {
            // What is written may be wrong, too.
            self.parts_of_unknown(&entry.value);
            return;
        };
        let values = match read.column {
            Some(column) => {
                let ty = self.exprs.types.column_type(read.table, column);
                let (value, _) = self.exprs.value(&entry.value, self.scope, Some(ty), self.problems);
                vec![(column.0, value)]
            }
            None => self.parts(&entry.value, Into::Row(read.table)),
        };
        let fresh = form(&read.rows) == Form::Fresh;
        let same = known.iter().position(|other| !fresh && *other == (verb, read.rows.clone()));
        let write = match same {
            Some(at) => &mut effects.writes[at],
            None => {
                known.push((verb, read.rows));
                effects.writes.push(Write { table: read.table, at: read.at, verb, values: vec![] });
                // `known` and `writes` go side by side.
                let last = effects.writes.len() - 1;
                &mut effects.writes[last]
            }
        };
        for (column, value) in values {
            if column != WHOLE && write.values.iter().any(|(other, _)| other.0 == column) {
                let message = "this field of the row is written twice";
                self.problems.push(Problem::error(Code::Twice, entry.key.place, message));
            } else {
                write.values.push((ColumnId(column), value));
            }
        }
    }

    /// Reads an address, and whether it suits the verb.
    fn address(&mut self, text: &'n Text, verb: Verb) -> Option<Read> {
        let parsed = self.exprs.parse_text(text, self.problems)?;
        let rows = match &parsed.ast.kind {
            AstKind::Select { of, .. } => unplaced(of),
            _ => unplaced(&parsed.ast),
        };
        let (draft, at) = self.exprs.address(&parsed, self.scope, self.problems)?;
        let (table, column) = (draft.table(), draft.column());
        let wrong = match (verb, form(&rows), column) {
            (Verb::Set, _, None) => Some(("`set` names the field that changes", "write `t[key].field`")),
            (Verb::Set, Form::Fresh, _) => Some(("a fresh row has no fields to change", "use `insert`")),
            (Verb::Set, _, Some(_)) => None,
            (_, _, Some(_)) => Some(("this names a field, and a row is meant", "fields stand in the value")),
            (Verb::Put, Form::Fresh, _) => Some(("`put` names a key", "use `insert` for a fresh row")),
            (Verb::Put | Verb::Insert, Form::Matching, _) => {
                Some(("this names rows that are there already", "use `set` with `.field`"))
            }
            (Verb::Delete, Form::Fresh, _) => Some(("a fresh row cannot be removed", "name a key")),
            _ => None,
        };
        if let Some((message, hint)) = wrong {
            self.problems.push(Problem::error(Code::Address, text.place, message).hint(hint));
            return None;
        }
        Some(Read { table, column, at, rows })
    }

    /// The values of a row or an event by column or field.
    fn parts(&mut self, node: &'n Node, to: Into) -> Vec<(u16, Expr)> {
        if let Kind::Object(entries) = &node.kind {
            let mut values = Vec::new();
            for entry in entries.iter() {
                let Some((at, ty)) = self.slot(to, &entry.key.value) else { continue };
                let (value, _) = self.exprs.value(&entry.value, self.scope, Some(ty), self.problems);
                values.push((at, value));
            }
            return values;
        }
        let Some(Parsed { ast, source }) = self.exprs.parse_node(node, self.problems) else {
            return Vec::new();
        };
        let AstKind::Map(entries) = &ast.kind else {
            let (value, ty) = self.exprs.resolve(&ast, source, self.scope, None, self.problems);
            let at = expr::Place { source, range: ast.span.clone() };
            self.wholes.push(Whole { ty, to, at });
            return vec![(WHOLE, value)];
        };
        let mut values: Vec<(u16, Expr)> = Vec::new();
        for (key, value) in entries {
            let AstKind::Text(name) = &key.kind else {
                let place = self.exprs.place(source, &key.span);
                let message = "the name of a field is a fixed text";
                self.problems.push(Problem::error(Code::Meaning, place, message).hint("in quotes"));
                continue;
            };
            let Some((at, ty)) = self.slot(to, name) else { continue };
            if values.iter().any(|(other, _)| *other == at) {
                let place = self.exprs.place(source, &key.span);
                let message = format!("the field {} is there twice", quote(name));
                self.problems.push(Problem::error(Code::Twice, place, message));
                continue;
            }
            let (value, _) = self.exprs.resolve(value, source, self.scope, Some(ty), self.problems);
            values.push((at, value));
        }
        values
    }

    /// Looks at values whose row is not known.
    fn parts_of_unknown(&mut self, node: &'n Node) {
        match &node.kind {
            Kind::Object(entries) => {
                for entry in entries.iter() {
                    self.exprs.value(&entry.value, self.scope, None, self.problems);
                }
            }
            _ => {
                self.exprs.value(node, self.scope, None, self.problems);
            }
        }
    }

    /// The column or field of that name. One that is not there was reported when columns were declared.
    fn slot(&mut self, to: Into, name: &str) -> Option<(u16, Ty)> {
        match to {
            Into::Row(table) => {
                let column = self.exprs.types.column(table, name).filter(|id| *id != ColumnId::KEY)?;
                Some((column.0, self.exprs.types.column_type(table, column)))
            }
            Into::Event(topic) => {
                let columns = &self.index.topics[topic.index()].columns;
                let at = columns.iter().position(|(known, _)| known == name)?;
                Some((at as u16, columns[at].1))
            }
        }
    }
}

/// What rows an address names by its form.
fn form(rows: &Ast) -> Form {
    match &rows.kind {
        AstKind::Index { index: None, .. } => Form::Fresh,
        AstKind::Call { .. } => Form::Matching,
        _ => Form::Key,
    }
}

/// Makes the fields of records given as a whole agree with columns and fields of events.
pub(super) fn split_wholes(wholes: &[Whole], index: &Index<'_>, exprs: &mut Exprs, problems: &mut Problems) {
    for whole in wholes {
        let place = exprs.place(whole.at.source, &whole.at.range);
        let Type::Record(fields) = exprs.known(whole.ty) else {
            let message = "this is no record, or too little is known about it";
            let hint = "write `{ \"field\": value, … }`, field by field";
            problems.push(Problem::error(Code::Meaning, place, message).hint(hint));
            continue;
        };
        for (name, _) in fields {
            let ty = match whole.to {
                Into::Row(table) => {
                    if name == "id" {
                        continue;
                    }
                    let column = exprs.types.column(table, &name);
                    let Some(column) = column else {
                        let table = index.table_name(table);
                        let message =
                            format!("this record has {}, and `{table}` no such field", quote(&name));
                        let hint = "write the fields one by one, or list them in the table's `fields`";
                        problems.push(Problem::error(Code::Column, place, message).hint(hint));
                        continue;
                    };
                    exprs.types.column_type(table, column)
                }
                Into::Event(topic) => {
                    let columns = &index.topics[topic.index()].columns;
                    match columns.iter().find(|(known, _)| *known == name) {
                        Some((_, ty)) => *ty,
                        None => continue,
                    }
                }
            };
            let needed = exprs.types.open_record(vec![(name, ty)], None);
            exprs.unify(whole.ty, needed, &whole.at, problems);
        }
    }
}
