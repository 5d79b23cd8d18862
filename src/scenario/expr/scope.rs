//! What names mean where an expression stands.

use super::types::Ty;
use crate::model::ids::TableId;

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// A slot of the caller: an argument, a `let`, a reply, `client`, `intent`, `args`, `outcome`, `effects`.
    Local {
        /// The slot.
        slot: u16,
        /// The type of what is in it.
        ty: Ty,
    },
    /// A table, by its bare name.
    Table(TableId),
    /// A row that the caller binds before evaluation, such as `it`.
    Row {
        /// The row variable, below [`BOUND_ROWS`](crate::model::expr::BOUND_ROWS).
        var: u16,
        /// The table of the row.
        table: TableId,
    },
    /// A service; its tables follow after a dot.
    Service,
    /// The clock.
    Now,
    /// The event that runs the operation.
    Event,
    /// The counts of the run.
    Count,
}

/// The names that an expression may use.
pub trait Scope {
    /// What a name stands for.
    fn lookup(&self, name: &str) -> Option<Binding>;
    /// A table of a service, written `service.table`.
    fn table(&self, service: &str, table: &str) -> Option<TableId>;
    /// All names, for hints.
    fn known(&self) -> Vec<&str>;
    /// The names of a service's tables, for hints.
    fn tables(&self, service: &str) -> Vec<&str>;
}

/// A scope as a plain list of names; a later one hides an earlier one.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Names and what they stand for.
    pub names: Vec<(String, Binding)>,
    /// Services, their tables, and the tables' numbers.
    pub services: Vec<(String, Vec<(String, TableId)>)>,
}

impl Names {
    /// No names.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a name.
    pub fn bind(&mut self, name: &str, binding: Binding) {
        self.names.push((name.to_owned(), binding));
    }

    /// Adds a service with its tables, reachable as `service.table`.
    pub fn add_service(&mut self, name: &str, tables: Vec<(String, TableId)>) {
        self.bind(name, Binding::Service);
        self.services.push((name.to_owned(), tables));
    }

    fn service(&self, name: &str) -> Option<&[(String, TableId)]> {
        self.services.iter().find(|(service, _)| service == name).map(|(_, tables)| &tables[..])
    }
}

impl Scope for Names {
    fn lookup(&self, name: &str) -> Option<Binding> {
        self.names.iter().rev().find(|(known, _)| known == name).map(|(_, binding)| *binding)
    }

    fn table(&self, service: &str, table: &str) -> Option<TableId> {
        self.service(service)?.iter().find(|(name, _)| name == table).map(|(_, id)| *id)
    }

    fn known(&self) -> Vec<&str> {
        self.names.iter().map(|(name, _)| name.as_str()).collect()
    }

    fn tables(&self, service: &str) -> Vec<&str> {
        self.service(service).unwrap_or_default().iter().map(|(name, _)| name.as_str()).collect()
    }
}
