//! A read-only look at tables by the names that the file gives them, for code of the user's own.
//!
//! A process sees the tables of its service as `log`; an invariant sees all of them as `bank.log`. Asking for what the
//! model does not have is a mistake in the code and panics with its name; the run it happens in says so and ends.

use std::fmt;

use crate::kernel::time::Time;
use crate::model::Model;
use crate::model::expr::View;
use crate::model::ids::{ServiceId, TableId};
use crate::model::value::{NULL, Type, Word};

/// A read-only look at tables.
pub struct Db<'a> {
    model: &'a Model,
    view: &'a mut dyn View,
    service: Option<ServiceId>,
    now: Time,
}

impl fmt::Debug for Db<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Db").field("service", &self.service).field("now", &self.now).finish_non_exhaustive()
    }
}

impl<'a> Db<'a> {
    /// A look at the tables of one service, or at all of them. `now` is the virtual time of the look.
    pub fn new(model: &'a Model, view: &'a mut dyn View, service: Option<ServiceId>, now: Time) -> Db<'a> {
        Db { model, view, service, now }
    }

    /// The model: names of everything that has a number.
    pub fn model(&self) -> &'a Model {
        self.model
    }

    /// The virtual time of this look, without skew.
    pub fn now(&self) -> Time {
        self.now
    }

    /// The number of a table: `log` for a process of that service, `bank.log` for an invariant.
    ///
    /// # Panics
    /// If there is no such table.
    pub fn table(&self, name: &str) -> TableId {
        table(self.model, self.service, name).unwrap_or_else(|| panic!("there is no table `{name}`"))
    }

    /// The row with a key, if there is one.
    ///
    /// # Panics
    /// If there is no such table.
    pub fn get(&mut self, table: &str, key: Word) -> Option<Row<'a>> {
        let table = self.table(table);
        let slot = self.view.find(table, key)?;
        Some(self.row(table, slot))
    }

    /// All rows of a table, in the order of their keys.
    ///
    /// # Panics
    /// If there is no such table.
    pub fn rows(&mut self, table: &str) -> Vec<Row<'a>> {
        let table = self.table(table);
        let mut rows = Vec::new();
        let mut next = self.view.next_row(table, None);
        while let Some(slot) = next {
            rows.push(self.row(table, slot));
            next = self.view.next_row(table, Some(slot));
        }
        rows
    }

    /// The live row in a slot, as records name rows.
    pub fn row(&mut self, table: TableId, slot: u32) -> Row<'a> {
        let columns = self.model.table(table).columns.len() as u16;
        let cells = (0..columns).map(|column| self.view.cell(table, slot, column)).collect();
        Row { model: self.model, table, cells }
    }

    /// The word of a text.
    ///
    /// # Panics
    /// If the text stands neither in the file nor among the texts that the code announced
    /// ([`Process::texts`](super::Process::texts)): words are given out before a run, not during it.
    pub fn text(&self, text: &str) -> Word {
        let found = self.model.symbols.find(text);
        found.unwrap_or_else(|| panic!("the text '{text}' is neither in the file nor announced"))
    }

    /// The text behind a word.
    pub fn show(&self, text: Word) -> String {
        self.model.symbols.text(text)
    }
}

/// The number of a table by name, within a service or as `service.table`.
pub(super) fn table(model: &Model, service: Option<ServiceId>, name: &str) -> Option<TableId> {
    let named = |id: &TableId| {
        let of = model.table(*id);
        match service {
            Some(service) => of.service == service && of.name == name,
            None => name.split_once('.').is_some_and(|(service, table)| {
                model.service(of.service).name == service && of.name == table
            }),
        }
    };
    model.table_ids().find(named)
}

/// A row as it was when it was looked at.
#[derive(Clone, Debug)]
pub struct Row<'a> {
    model: &'a Model,
    table: TableId,
    cells: Vec<Word>,
}

impl Row<'_> {
    /// The key.
    pub fn key(&self) -> Word {
        self.cells[0]
    }

    /// The value of a field.
    ///
    /// # Panics
    /// If the table has no such field.
    pub fn get(&self, field: &str) -> Word {
        self.cells[self.column(field)]
    }

    /// Whether a field holds this text.
    ///
    /// # Panics
    /// If the table has no such field.
    pub fn is(&self, field: &str, text: &str) -> bool {
        let word = self.get(field);
        word != NULL && self.model.symbols.find(text) == Some(word)
    }

    /// A field's value as text: a text without quotes, anything else as an expression would write it. Lists and records
    /// are shown as `?`.
    ///
    /// # Panics
    /// If the table has no such field.
    pub fn show(&self, field: &str) -> String {
        let column = self.column(field);
        let word = self.cells[column];
        match &self.model.table(self.table).columns[column].ty {
            Type::Text => self.model.symbols.text(word),
            ty if ty.is_tuple() => "?".into(),
            ty => self.model.symbols.show(word, ty, &crate::model::heap::Heap::new()),
        }
    }

    /// All cells, the key first, in the order of the table's columns.
    pub fn cells(&self) -> &[Word] {
        &self.cells
    }

    fn column(&self, field: &str) -> usize {
        let of = self.model.table(self.table);
        let found = of.columns.iter().position(|column| column.name == field);
        found.unwrap_or_else(|| panic!("the table `{}` has no field `{field}`", of.name))
    }
}
