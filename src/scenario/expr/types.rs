//! Inference of types over all expressions of a file: a handle for every column, key, argument, `let` and reply, joined
//! by unification, since a file declares no types. What an operator means for its operands may be known only later, so
//! such rules wait until the types are settled.

use std::ops::Range;

use super::problem::{Place, Problem};
use crate::model::ids::{ColumnId, TableId};
use crate::model::value::Type;

/// A type that may not be known yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ty(pub(super) u32);

/// The types that hold no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scalar {
    /// Whole numbers.
    Int,
    /// True and false.
    Bool,
    /// Texts.
    Text,
    /// Points of time.
    Instant,
    /// Lengths of time.
    Duration,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Shape {
    /// Not known yet; `null` if nothing but null was seen.
    Free {
        null: bool,
    },
    Scalar(Scalar),
    List(Ty),
    /// An open record may have more fields than those mentioned so far.
    Record {
        fields: Vec<(String, Ty)>,
        open: bool,
    },
}

#[derive(Clone, Debug)]
enum Node {
    Same(Ty),
    Root { shape: Shape, origin: Option<Place> },
}

#[derive(Clone, Debug)]
struct Table {
    name: String,
    /// The first one is the key.
    columns: Vec<(String, Ty)>,
    row: Option<Ty>,
}

/// All types of a file, and the tables with their columns.
#[derive(Clone, Debug, Default)]
pub struct Types {
    nodes: Vec<Node>,
    tables: Vec<Table>,
    pub(super) waiting: Vec<super::rules::Rule>,
}

/// Types with more parts than this are refused, as nobody writes them and they may be built to grow without limit.
const LARGEST: usize = 1000;

impl Types {
    /// No types and no tables.
    pub fn new() -> Self {
        Self::default()
    }

    /// A type of which nothing is known.
    pub fn free(&mut self) -> Ty {
        self.add(Shape::Free { null: false }, None)
    }

    /// A scalar type; the place, if any, is what a conflict will point at as its reason.
    pub fn scalar(&mut self, scalar: Scalar, place: Option<Place>) -> Ty {
        self.add(Shape::Scalar(scalar), place)
    }

    /// The list of a type.
    pub fn list(&mut self, of: Ty, place: Option<Place>) -> Ty {
        self.add(Shape::List(of), place)
    }

    /// A record of exactly these fields.
    pub fn record(&mut self, fields: Vec<(String, Ty)>, place: Option<Place>) -> Ty {
        self.add(Shape::Record { fields, open: false }, place)
    }

    /// A record that has at least these fields; others may turn up.
    pub fn open_record(&mut self, fields: Vec<(String, Ty)>, place: Option<Place>) -> Ty {
        self.add(Shape::Record { fields, open: true }, place)
    }

    /// The type of null: nothing is known yet, but it will not default to a number.
    pub fn null(&mut self) -> Ty {
        self.add(Shape::Free { null: true }, None)
    }

    /// Declares a table, whose only column so far is its key, `id`. Tables are numbered in order. All columns must be
    /// added before an expression uses the table as a whole.
    pub fn add_table(&mut self, name: &str) -> TableId {
        let key = self.free();
        self.tables.push(Table { name: name.to_owned(), columns: vec![("id".to_owned(), key)], row: None });
        TableId((self.tables.len() - 1) as u16)
    }

    /// Adds a column, or finds the one that has this name already.
    pub fn add_column(&mut self, table: TableId, name: &str) -> ColumnId {
        if let Some(column) = self.column(table, name) {
            return column;
        }
        let ty = self.free();
        let columns = &mut self.tables[table.index()].columns;
        columns.push((name.to_owned(), ty));
        ColumnId((columns.len() - 1) as u16)
    }

    /// The column of this name; `id` is the key.
    pub fn column(&self, table: TableId, name: &str) -> Option<ColumnId> {
        let columns = &self.tables.get(table.index())?.columns;
        columns.iter().position(|(column, _)| column == name).map(|place| ColumnId(place as u16))
    }

    /// The names and types of the columns of a table, its key first.
    pub fn columns(&self, table: TableId) -> &[(String, Ty)] {
        self.tables.get(table.index()).map_or(&[], |table| &table.columns)
    }

    /// The type of a column; column 0 is the key.
    pub fn column_type(&self, table: TableId, column: ColumnId) -> Ty {
        self.tables[table.index()].columns[column.index()].1
    }

    /// The name of a table, as it was declared.
    pub fn table_name(&self, table: TableId) -> &str {
        self.tables.get(table.index()).map_or("?", |table| &table.name)
    }

    /// The type of a whole row: a record of all columns.
    pub fn row(&mut self, table: TableId) -> Ty {
        if let Some(row) = self.tables[table.index()].row {
            return row;
        }
        let columns = self.tables[table.index()].columns.clone();
        let row = self.record(columns, None);
        self.tables[table.index()].row = Some(row);
        row
    }

    /// Makes two types one: `found` stands at this place, `needed` is what is asked for there.
    pub fn unify(&mut self, found: Ty, needed: Ty, place: &Place) -> Result<(), Problem> {
        self.join(found, needed).map_err(|clash| self.explain(clash, place))
    }

    /// The final type; what nothing is known of is a whole number. None if it is too large to be meant.
    pub fn resolved(&self, ty: Ty) -> Option<Type> {
        let mut parts = 0;
        self.resolve(ty, &mut parts)
    }

    fn resolve(&self, ty: Ty, parts: &mut usize) -> Option<Type> {
        *parts += 1;
        if *parts > LARGEST {
            return None;
        }
        Some(match self.shape(ty) {
            Shape::Free { null: false } | Shape::Scalar(Scalar::Int) => Type::Int,
            Shape::Free { null: true } => Type::Null,
            Shape::Scalar(Scalar::Bool) => Type::Bool,
            Shape::Scalar(Scalar::Text) => Type::Text,
            Shape::Scalar(Scalar::Instant) => Type::Instant,
            Shape::Scalar(Scalar::Duration) => Type::Duration,
            Shape::List(of) => Type::List(Box::new(self.resolve(*of, parts)?)),
            Shape::Record { fields, .. } => {
                let typed = fields.iter().map(|(name, ty)| Some((name.clone(), self.resolve(*ty, parts)?)));
                Type::Record(typed.collect::<Option<_>>()?)
            }
        })
    }

    /// The type in words, such as `list of text`.
    pub fn describe(&self, ty: Ty) -> String {
        match self.shape(ty) {
            Shape::Free { .. } => "value of any type".to_owned(),
            Shape::Scalar(Scalar::Int) => "whole number".to_owned(),
            Shape::Scalar(Scalar::Bool) => "boolean".to_owned(),
            Shape::Scalar(Scalar::Text) => "text".to_owned(),
            Shape::Scalar(Scalar::Instant) => "point of time".to_owned(),
            Shape::Scalar(Scalar::Duration) => "length of time".to_owned(),
            Shape::List(of) => match self.shape(*of) {
                Shape::List(_) => "list of lists".to_owned(),
                Shape::Record { .. } => "list of records".to_owned(),
                Shape::Free { .. } => "list".to_owned(),
                Shape::Scalar(_) => format!("list of {}s", self.describe(*of)),
            },
            Shape::Record { fields, .. } => {
                let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
                format!("record of {}", names.join(", "))
            }
        }
    }

    fn add(&mut self, shape: Shape, origin: Option<Place>) -> Ty {
        self.nodes.push(Node::Root { shape, origin });
        Ty((self.nodes.len() - 1) as u32)
    }

    pub(super) fn root(&self, mut ty: Ty) -> Ty {
        while let Node::Same(next) = self.nodes[ty.0 as usize] {
            ty = next;
        }
        ty
    }

    pub(super) fn shape(&self, ty: Ty) -> &Shape {
        match &self.nodes[self.root(ty).0 as usize] {
            Node::Root { shape, .. } => shape,
            Node::Same(_) => &Shape::Free { null: false },
        }
    }

    pub(super) fn origin(&self, ty: Ty) -> Option<&Place> {
        match &self.nodes[self.root(ty).0 as usize] {
            Node::Root { origin, .. } => origin.as_ref(),
            Node::Same(_) => None,
        }
    }

    /// The root, with the way there made short.
    pub(super) fn shorten(&mut self, ty: Ty) -> Ty {
        let root = self.root(ty);
        let mut at = ty;
        while let Node::Same(next) = self.nodes[at.0 as usize] {
            self.nodes[at.0 as usize] = Node::Same(root);
            at = next;
        }
        root
    }

    pub(super) fn link(&mut self, from: Ty, to: Ty) {
        self.nodes[from.0 as usize] = Node::Same(to);
    }

    pub(super) fn reshape(&mut self, at: Ty, new: Shape) {
        if let Node::Root { shape, .. } = &mut self.nodes[at.0 as usize] {
            *shape = new;
        }
    }
}

/// A place within one text.
pub(super) fn at(source: u32, range: &Range<u32>) -> Place {
    Place { source, range: range.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(source: u32) -> Place {
        Place { source, range: 0..1 }
    }

    #[test]
    fn a_conflict_names_both_places() {
        let mut types = Types::new();
        let column = types.free();
        let text = types.scalar(Scalar::Text, Some(place(1)));
        let int = types.scalar(Scalar::Int, Some(place(2)));
        types.unify(text, column, &place(1)).unwrap();
        let problem = types.unify(int, column, &place(2)).unwrap_err();
        assert_eq!(problem.place, place(2));
        assert_eq!(problem.message, "this is a whole number, not a text");
        assert_eq!(problem.other, Some((place(1), "here it is a text".to_owned())));
    }

    #[test]
    fn an_open_record_takes_the_order_of_the_closed_one() {
        let mut types = Types::new();
        let (a, b, c) = (types.free(), types.free(), types.scalar(Scalar::Bool, None));
        let open = types.open_record(vec![("b".into(), c)], None);
        let closed = types.record(vec![("a".into(), a), ("b".into(), b)], None);
        types.unify(open, closed, &place(0)).unwrap();
        let expected = Type::Record(vec![("a".into(), Type::Int), ("b".into(), Type::Bool)]);
        assert_eq!(types.resolved(open), Some(expected));
        let more = types.open_record(vec![("z".into(), a)], None);
        let problem = types.unify(more, closed, &place(0)).unwrap_err();
        assert_eq!(problem.message, "the field `z` is not expected in this record");
    }

    #[test]
    fn a_list_cannot_contain_itself() {
        let mut types = Types::new();
        let item = types.free();
        let list = types.list(item, None);
        assert!(types.unify(item, list, &place(0)).is_err());
        let record = types.open_record(vec![("all".into(), list)], None);
        assert!(types.unify(record, item, &place(0)).is_err());
    }

    #[test]
    fn a_type_that_doubles_without_end_is_refused() {
        let mut types = Types::new();
        let mut ty = types.free();
        for _ in 0..60 {
            ty = types.record(vec![("l".into(), ty), ("r".into(), ty)], None);
        }
        assert_eq!(types.resolved(ty), None);
    }

    #[test]
    fn what_is_never_seen_is_a_number_and_what_is_only_null_is_null() {
        let mut types = Types::new();
        let (free, null) = (types.free(), types.null());
        assert_eq!(types.resolved(free), Some(Type::Int));
        assert_eq!(types.resolved(null), Some(Type::Null));
        let text = types.scalar(Scalar::Text, None);
        types.unify(null, text, &place(0)).unwrap();
        assert_eq!(types.resolved(null), Some(Type::Text));
    }
}
