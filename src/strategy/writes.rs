//! How one part of an operation meets the store under each write policy.
//!
//! Every policy gets the same phases; only what is checked and written at the end differs (`language.md` of the project's
//! scenario language, the table of six write policies). `rmw` marks the columns whose new value depends on a read of the
//! row: that is what makes an overwrite a lost update.

use super::locks::{Tables, collect_reads};
use super::rewrite::{can_inline, inline, shift};
use crate::model::Model;
use crate::model::expr::{Code, Delta, Expr, ExprKind, Over, relative};
use crate::model::how::{StoreLevel, WritePolicy};
use crate::model::ids::{ColumnId, OpId, TableId};
use crate::model::service::{Address, Effects, Part, Publish, Think, Verb, Write};
use crate::model::step::{AtPlan, PartPlan, PublishPlan, ThinkPlan, ValuePlan, WritePlan};

/// Frame space, handed out from the bottom up.
pub(super) struct Frame {
    /// How far the slots of the operation's expressions are moved up.
    pub(super) offset: u16,
    /// The next free word.
    pub(super) next: u16,
    /// More was asked for than there is.
    full: bool,
}

impl Frame {
    /// A frame of which so many words are taken.
    pub(super) fn behind(slots: u16) -> Frame {
        Frame { offset: 0, next: slots, full: false }
    }

    pub(super) fn take(&mut self, words: usize) -> u16 {
        let at = self.next;
        match u16::try_from(usize::from(at) + words) {
            Ok(next) => self.next = next,
            Err(_) => self.full = true,
        }
        at
    }

    /// Whether all that was asked for is there; if not, why `what` cannot be carried out.
    pub(super) fn suffices(&self, what: &str) -> Result<(), String> {
        match self.full {
            false => Ok(()),
            true => Err(format!("{what} reads and writes more than one transaction can hold")),
        }
    }
}

/// What is compiled: a part of this operation under this policy.
pub(super) struct Writer<'a> {
    pub(super) model: &'a Model,
    pub(super) op: OpId,
    pub(super) policy: &'a WritePolicy,
    pub(super) store: StoreLevel,
    /// The tables that some operation locks whole.
    pub(super) whole: &'a Tables,
}

impl Writer<'_> {
    /// Compiles a part.
    pub(super) fn part(&self, part: &Part, frame: &mut Frame) -> Result<PartPlan, String> {
        let offset = frame.offset;
        let values = part.effects.writes.iter().flat_map(|write| write.values.iter().map(|(_, value)| value));
        let keys = part.effects.writes.iter().filter_map(|write| match &write.at {
            Address::Key(key) => Some(key),
            Address::Fresh | Address::Matching(_) => None,
        });
        let checks = part.require.iter().map(|require| &require.that).chain(&part.skip);
        if !can_inline(values.chain(keys).chain(checks), &part.lets) {
            let name = self.model.operation_name(self.op);
            return Err(format!("`{name}` has names that stand for more than anybody could write out"));
        }
        let code = |expr: &Expr| Code::compile(&shift(expr, offset));
        let inlined = |expr: &Expr| inline(expr, &part.lets);
        let requires: Vec<Expr> = part.require.iter().map(|require| inlined(&require.that)).collect();
        let guarded = *self.policy == WritePolicy::Guarded && !part.effects.writes.is_empty();
        let mut plan = PartPlan {
            op: self.op,
            lets: part.lets.iter().map(|(slot, expr)| (slot + offset, code(expr))).collect(),
            skip: part.skip.as_ref().map(code),
            // What is checked again at the store must not look at names that were computed before.
            require: (part.require.iter().zip(&requires))
                .map(|(require, inlined)| {
                    (require.reason, code(if guarded { inlined } else { &require.that }))
                })
                .collect(),
            ..PartPlan::default()
        };
        plan.think = match &part.think {
            Think::None => ThinkPlan::None,
            Think::Time(dist) => ThinkPlan::Time(*dist),
            Think::Computed(expr) => ThinkPlan::Computed(code(expr), frame.take(1)),
        };
        let checks: Vec<Expr> = requires.iter().cloned().chain(part.skip.as_ref().map(inlined)).collect();
        self.effects(&part.effects, &part.lets, &checks, frame, &mut plan)?;
        if guarded && !requires.is_empty() {
            self.guard(&requires, &part.effects.writes)?;
            let at = requires.iter().map(|require| self.guard_at(require, &part.effects.writes));
            plan.guards = at.collect::<Result<_, _>>()?;
            for &at in &plan.guards {
                plan.writes[usize::from(at)].guarded = true;
            }
        }
        // What a part skips for belongs to the statement, too, if it is about the rows that are written: nobody can change
        // them in between.
        if guarded
            && let Some(skip) = part.skip.as_ref().map(inlined)
            && looks_at_rows(&skip)
            && self.guard(std::slice::from_ref(&skip), &part.effects.writes).is_ok()
            && self.guard_at(&skip, &part.effects.writes) == Ok(0)
            && let Some(first) = plan.writes.first_mut()
        {
            plan.skip_at_store = Some(code(&skip));
            first.guarded = true;
        }
        plan.reads = self.locked(part, offset);
        Ok(plan)
    }

    /// Compiles what is done when a requirement refuses.
    pub(super) fn otherwise(&self, effects: &Effects, frame: &mut Frame) -> Result<PartPlan, String> {
        let mut plan = PartPlan { op: self.op, otherwise: true, ..PartPlan::default() };
        // Refusals write what they say, no more: the policy guards the operation, not its excuse.
        let plain = Writer { policy: &WritePolicy::Patch, ..*self };
        plain.effects(effects, &[], &[], frame, &mut plan)?;
        Ok(plan)
    }

    fn effects(
        &self,
        effects: &Effects,
        lets: &[(u16, Expr)],
        checks: &[Expr],
        frame: &mut Frame,
        plan: &mut PartPlan,
    ) -> Result<(), String> {
        for write in &effects.writes {
            plan.writes.push(self.write(write, lets, checks, frame)?);
        }
        for publish in &effects.publish {
            plan.publish.push(self.publish(publish, effects, frame));
        }
        plan.intends = self.intends(effects);
        Ok(())
    }

    fn publish(&self, publish: &Publish, effects: &Effects, frame: &mut Frame) -> PublishPlan {
        let topic = self.model.topic(publish.topic);
        let mut fields = vec![None; topic.fields.len()];
        for (field, expr) in &publish.fields {
            fields[*field as usize] = Some(Code::compile(&shift(expr, frame.offset)));
        }
        let base = frame.take(topic.fields.len() + 1);
        let version_of = effects.writes.iter().position(|write| write.verb != Verb::Delete).map(|n| n as u8);
        PublishPlan { topic: publish.topic, fields, base, version_of }
    }

    fn write(
        &self,
        write: &Write,
        lets: &[(u16, Expr)],
        checks: &[Expr],
        frame: &mut Frame,
    ) -> Result<WritePlan, String> {
        let table = self.model.table(write.table);
        let columns = table.columns.len();
        let offset = frame.offset;
        let code = |expr: &Expr| Code::compile(&shift(expr, offset));
        let at = match &write.at {
            Address::Key(key) => AtPlan::Key(code(key)),
            Address::Fresh => AtPlan::Fresh,
            Address::Matching(test) => AtPlan::Matching(code(test)),
        };
        let existing = matches!(write.verb, Verb::Set | Verb::Put);
        let key = match &write.at {
            Address::Key(key) => Some(inline(key, lets)),
            _ => None,
        };
        let reads_row = |expr: &Expr| key.as_ref().is_some_and(|key| reads_row(expr, write.table, key));
        let checked = checks.iter().any(reads_row);
        let mut values = Vec::new();
        let (mut set, mut rmw, mut fresh_values) = (0u32, 0u32, false);
        for (column, value) in &write.values {
            let plain = inline(value, lets);
            let target = |part: &Expr| is_cell(part, write.table, key.as_ref(), *column);
            let delta = if existing && matches!(self.policy, WritePolicy::Relative | WritePolicy::Guarded) {
                relative(&plain, target)
            } else {
                None
            };
            set |= 1 << column.0;
            match delta {
                Some(Delta::Add(expr) | Delta::Concat(expr)) => {
                    values.push(ValuePlan { column: *column, code: code(&expr), delta: true });
                    continue;
                }
                None if existing && *self.policy == WritePolicy::Relative => {
                    return Err(format!(
                        "write: relative cannot carry out `{}.{}`: its new value is not the field plus or minus something",
                        self.model.table_name(write.table),
                        table.columns[column.index()].name,
                    ));
                }
                None => {}
            }
            let computed = reads_row(&plain);
            if computed && *self.policy == WritePolicy::Guarded {
                fresh_values = true;
            }
            if computed || checked {
                rmw |= 1 << column.0;
            }
            values.push(ValuePlan { column: *column, code: code(&plain), delta: false });
        }
        if write.verb == Verb::Delete {
            set = (1u32 << columns) - 1;
            rmw = if checked { set } else { 0 };
        }
        let whole = existing
            && matches!(self.policy, WritePolicy::Absolute | WritePolicy::Occ(_) | WritePolicy::Lock { .. });
        Ok(WritePlan {
            table: write.table,
            at,
            verb: write.verb,
            base: frame.take(2 + columns + values.len()),
            columns: columns as u16,
            deltas: values.iter().any(|value| value.delta),
            values,
            unique: write.verb != Verb::Delete && !table.unique.is_empty(),
            whole,
            set,
            rmw,
            guarded: false,
            versioned: matches!(self.policy, WritePolicy::Occ(_))
                && key.is_some()
                && write.verb != Verb::Insert,
            fresh_values,
        })
    }

    /// A guard is one statement at the store: its requirements may look only at rows that the part writes.
    fn guard(&self, requires: &[Expr], writes: &[Write]) -> Result<(), String> {
        let mut read = Vec::new();
        requires.iter().for_each(|expr| collect_reads(expr, &mut read));
        for (table, key) in read {
            if !writes.iter().any(|write| is_of(write, table, key.as_ref())) {
                return Err(format!(
                    "write: guarded cannot carry out `{}`: it requires something of `{}` that it does not write",
                    self.model.operation_name(self.op),
                    self.model.table_name(table),
                ));
            }
        }
        Ok(())
    }

    /// The write in whose statement a requirement is looked at. In a transaction that is the first one, which locks all rows;
    /// without one nothing keeps a row as it is from one statement to the next, so it is the one that writes the row.
    fn guard_at(&self, require: &Expr, writes: &[Write]) -> Result<u16, String> {
        let mut read = Vec::new();
        collect_reads(require, &mut read);
        if self.store != StoreLevel::None || read.is_empty() {
            return Ok(0);
        }
        let of_all = |write: &Write| read.iter().all(|(table, key)| is_of(write, *table, key.as_ref()));
        let at = writes.iter().position(of_all).ok_or_else(|| {
            format!(
                "write: guarded cannot carry out `{}` at a store without transactions: it requires something of several \
                 rows at once, and a statement writes one",
                self.model.operation_name(self.op),
            )
        })?;
        Ok(at as u16)
    }
}

/// Whether a write is at this row.
fn is_of(write: &Write, table: TableId, key: Option<&Expr>) -> bool {
    write.table == table && matches!((&write.at, key), (Address::Key(at), Some(key)) if at == key)
}

/// Whether anything that rows hold goes into an expression.
fn looks_at_rows(expr: &Expr) -> bool {
    let mut read = Vec::new();
    collect_reads(expr, &mut read);
    !read.is_empty()
}

fn is_cell(part: &Expr, table: TableId, key: Option<&Expr>, column: ColumnId) -> bool {
    match &part.kind {
        ExprKind::Cell { table: t, key: k, column: c } => *t == table && *c == column && Some(&**k) == key,
        _ => false,
    }
}

fn reads_row(expr: &Expr, table: TableId, key: &Expr) -> bool {
    expr.any(|part| match &part.kind {
        ExprKind::Cell { table: t, key: k, .. } | ExprKind::Row { table: t, key: k, .. } => {
            *t == table && **k == *key
        }
        ExprKind::HasRow { table: t, key: k } => *t == table && **k == *key,
        ExprKind::Loop { over: Over::Rows(t), .. } => *t == table,
        _ => false,
    })
}
