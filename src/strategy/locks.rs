//! What an operation locks before it looks at it, under [`WritePolicy::Lock`], and what whoever writes says at tables that others
//! lock whole.
//!
//! Rows are locked by their keys, else the table: what is counted, searched or summed stays so only if nobody adds a row, or
//! writes one that was not looked at by its key. Whoever locks or writes a row of such a table says so there before; of other
//! tables nobody need ask, and nobody does.

use super::rewrite::{can_inline, inline, shift};
use super::writes::Writer;
use crate::model::Model;
use crate::model::expr::{Code, Expr, ExprKind, Over};
use crate::model::how::{How, StoreLevel, WritePolicy};
use crate::model::ids::TableId;
use crate::model::service::{Address, Effects, Operation, Part, Think, Verb};
use crate::model::step::LockPlan;

/// A set of tables.
pub(super) type Tables = Vec<bool>;

/// Rows by key and, with no key, whole tables.
type Reads = Vec<(TableId, Option<Expr>)>;

/// The tables that some operation locks whole.
pub(super) fn whole_tables(model: &Model, how: &How) -> Tables {
    let mut tables = vec![false; model.tables.len()];
    for (operation, how) in model.operations.iter().zip(&how.operations) {
        if matches!(how.write, WritePolicy::Lock { .. }) && how.store != StoreLevel::None {
            looked_through(operation, &mut tables);
        }
    }
    tables
}

/// Adds the tables that an operation looks through, or tells of.
fn looked_through(operation: &Operation, tables: &mut Tables) {
    let mut read = Vec::new();
    for part in &operation.parts {
        // Whatever names stand for is looked at, too.
        looked_at(part).for_each(|expr| collect_reads(expr, &mut read));
        tells(part, None, &mut read);
        let writes = part.effects.writes.iter().filter(|write| matches!(write.at, Address::Matching(_)));
        read.extend(writes.map(|write| (write.table, None)));
    }
    operation.reply.iter().for_each(|reply| collect_reads(reply, &mut read));
    read.iter().filter(|(_, key)| key.is_none()).for_each(|(table, _)| tables[table.index()] = true);
}

impl Writer<'_> {
    /// The tables that the operation locks whole itself. It does so the first time that it locks anything there: two that had
    /// begun with rows could only wait for each other.
    pub(super) fn own_whole(&self) -> Tables {
        let mut tables = vec![false; self.whole.len()];
        if matches!(self.policy, WritePolicy::Lock { .. }) {
            looked_through(self.model.operation(self.op), &mut tables);
        }
        tables
    }

    /// What is locked before a part looks at it.
    pub(super) fn locked(&self, part: &Part, offset: u16) -> Vec<LockPlan> {
        match self.policy {
            WritePolicy::Lock { .. } => self.locks(&looks_at(part), offset),
            _ => Vec::new(),
        }
    }

    /// What is locked before the events of a part are computed, and the reply, if there is one: as far as it is not locked by
    /// then.
    pub(super) fn told(&self, part: &Part, reply: Option<&Expr>, offset: u16) -> Vec<LockPlan> {
        if !matches!(self.policy, WritePolicy::Lock { .. }) {
            return Vec::new();
        }
        let mut locked = looks_at(part);
        // A part that skips has written nothing. It tells nothing either, but there is a reply.
        if part.skip.is_none() || reply.is_none() {
            for write in &part.effects.writes {
                if let Address::Key(key) = &write.at {
                    add_read(&mut locked, write.table, Some(&inline(key, &part.lets)));
                }
            }
        }
        let mut read = Vec::new();
        tells(part, reply, &mut read);
        read.retain(|(table, key)| {
            let key = key.as_ref().map(|key| match can_inline([key].into_iter(), &part.lets) {
                true => inline(key, &part.lets),
                false => key.clone(),
            });
            !locked.contains(&(*table, key))
        });
        self.locks(&read, offset)
    }

    /// What is said at tables before rows are written there.
    pub(super) fn intends(&self, effects: &Effects) -> Vec<LockPlan> {
        let mut plans = Vec::new();
        let mut writes = effects.writes.iter().filter(|write| self.whole[write.table.index()]).peekable();
        if self.store != StoreLevel::None && writes.peek().is_some() {
            let own = self.own_whole();
            writes.for_each(|write| self.announce(write.table, &own, &mut plans));
        }
        plans
    }

    fn locks(&self, reads: &Reads, offset: u16) -> Vec<LockPlan> {
        let own = self.own_whole();
        let mut plans = Vec::new();
        for (table, key) in reads {
            self.announce(*table, &own, &mut plans);
            if let Some(key) = key {
                plans.push(LockPlan::Row(*table, Box::new(Code::compile(&shift(key, offset)))));
            }
        }
        plans
    }

    /// Adds what is locked of a table before any row of it, once.
    fn announce(&self, table: TableId, own: &Tables, plans: &mut Vec<LockPlan>) {
        let is_there = |plan: &LockPlan| match plan {
            LockPlan::Whole(known) | LockPlan::Intention(known) => *known == table,
            LockPlan::Row(..) => false,
        };
        if !self.whole[table.index()] || plans.iter().any(is_there) {
            return;
        }
        plans.push(match own[table.index()] {
            true => LockPlan::Whole(table),
            false => LockPlan::Intention(table),
        });
    }
}

/// What a part looks at until it has written, by key or as whole tables.
fn looks_at(part: &Part) -> Reads {
    let inlined = |expr: &Expr| inline(expr, &part.lets);
    let mut read = Vec::new();
    looked_at(part).for_each(|expr| collect_reads(&inlined(expr), &mut read));
    for write in &part.effects.writes {
        match &write.at {
            Address::Key(key) if write.verb != Verb::Insert => {
                add_read(&mut read, write.table, Some(&inlined(key)))
            }
            Address::Matching(_) => add_read(&mut read, write.table, None),
            _ => {}
        }
    }
    read
}

/// The expressions that a part computes until it has written.
fn looked_at(part: &Part) -> impl Iterator<Item = &Expr> {
    let writes = &part.effects.writes;
    let checks = part.require.iter().map(|require| &require.that).chain(&part.skip);
    let lets = part.lets.iter().map(|(_, expr)| expr);
    let think = match &part.think {
        Think::Computed(expr) => Some(expr),
        Think::None | Think::Time(_) => None,
    };
    let values = writes.iter().flat_map(|write| &write.values).map(|(_, value)| value);
    let places = writes.iter().filter_map(|write| match &write.at {
        Address::Key(expr) | Address::Matching(expr) => Some(expr),
        Address::Fresh => None,
    });
    checks.chain(lets).chain(think).chain(values).chain(places)
}

/// Adds what the events of a part look at, and the reply, if there is one.
fn tells(part: &Part, reply: Option<&Expr>, read: &mut Reads) {
    let events = part.effects.publish.iter().flat_map(|publish| &publish.fields).map(|(_, expr)| expr);
    events.chain(reply).for_each(|expr| collect_reads(expr, read));
}

fn add_read(reads: &mut Reads, table: TableId, key: Option<&Expr>) {
    // A key that a macro computes row by row names no single row: the whole table is read.
    let by_row = |part: &Expr| {
        matches!(part.kind, ExprKind::RowVar { .. } | ExprKind::RowVarRecord { .. } | ExprKind::Element(_))
    };
    let read = (table, key.filter(|key| !key.any(by_row)).cloned());
    if !reads.contains(&read) {
        reads.push(read);
    }
}

pub(super) fn collect_reads(expr: &Expr, reads: &mut Reads) {
    expr.walk(&mut |part| match &part.kind {
        ExprKind::Cell { table, key, .. }
        | ExprKind::Row { table, key, .. }
        | ExprKind::HasRow { table, key } => {
            add_read(reads, *table, Some(key));
        }
        ExprKind::Loop { over: Over::Rows(table), .. } => add_read(reads, *table, None),
        _ => {}
    });
}
