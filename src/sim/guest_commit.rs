//! Commits of processes: guard, install, records, and what is kept open across crashes.
//!
//! A commit takes place in one instant, after the time that its statements take; what the process looked at when it asked
//! for it may have changed by then. Only guards look again.

use super::Engine;
use super::guest::Looked;
use super::world::{Kept, Origin};
use crate::kernel::choose::Chooser;
use crate::kernel::path::mix;
use crate::model::ids::{ServiceId, TableId};
use crate::model::own::{Commit, Guard, RowWrite, Verb};
use crate::model::plan::NodeKind;
use crate::model::record::{Kind, Masks, NONE, install};
use crate::model::value::Word;
use crate::model::weather::{PointKind, Subject};
use crate::store::Sink;

/// A row about to be installed.
struct Planned {
    table: TableId,
    slot: u32,
    cells: Option<Vec<Word>>,
    base: u32,
    set: u32,
    flag: u8,
}

/// What becomes of a commit.
enum Planning {
    /// These rows are installed.
    Rows(Vec<Planned>),
    /// It does not take place, because of this row.
    Dropped(TableId, Word),
}

/// Where something kept open is filed.
fn kept_hash(service: ServiceId, key: Word) -> u64 {
    mix(u64::from(service.0), key as u64)
}

impl<C: Chooser, S: Sink> Engine<'_, C, S> {
    /// Carries out a commit. `None`: the replica crashed at one of its points; else whether it took place.
    pub(super) fn guest_commit(
        &mut self,
        node: u32,
        origin: Origin,
        commit: &Commit,
        looked: &Looked,
    ) -> Option<bool> {
        let NodeKind::Replica(service, _) = self.plan.nodes.kind(node) else { return None };
        let Origin { ctx, op, path } = origin;
        self.begin_activation(node, origin);
        if self.database_up(node) && self.passes(0, PointKind::Commit, Subject::Op(op), node, ctx, path, &[])
        {
            return None;
        }
        if !self.database_up(node) {
            self.record(Kind::Rollback, path, &ctx, |r| {
                r.op = op.0;
                r.who = node;
            });
            return Some(false);
        }
        let planned = match self.plan_commit(service, commit, looked) {
            Ok(Planning::Rows(planned)) => planned,
            Ok(Planning::Dropped(table, key)) => {
                let slot = self.world.tables.table(table).known(key);
                self.record(Kind::Conflict, path, &ctx, |r| {
                    r.op = op.0;
                    r.who = node;
                    r.row = slot.unwrap_or(NONE);
                    r.data = u64::from(table.0);
                });
                return Some(false);
            }
            Err(text) => {
                let who = self.guest_name(node);
                self.breaks_with(who, &text);
                return None;
            }
        };
        let further = commit.part > 0;
        let effect = if further { Self::effect(ctx.effect, u32::from(commit.part)) } else { ctx.effect };
        self.record(Kind::Commit, path, &ctx, |r| {
            r.op = op.0;
            r.data = effect;
            // A further effect of a request is not the step itself.
            r.who = if further { NONE } else { ctx.instance };
            r.row = if further { NONE } else { ctx.step };
            r.ver = planned.len() as u32;
        });
        for row in planned {
            let version = self.world.tables.table_mut(row.table).install(row.slot, row.cells.as_deref());
            let known = row.base != NONE;
            let masks = Masks { set: row.set, rmw: if known { row.set } else { 0 }, carried: 0 };
            self.record(Kind::Install, path, &ctx, |r| {
                r.op = row.table.0;
                r.row = row.slot;
                r.ver = version;
                r.who = row.base;
                r.flag = row.flag;
                r.data = masks.pack();
            });
        }
        for &key in &commit.keep {
            self.hold(&ctx);
            self.world.filed.insert(kept_hash(service, key), self.world.kept.len() as u32);
            self.world.kept.push(Kept { service, key, origin });
        }
        for &key in &commit.release {
            while let Some(at) = self.kept(service, key) {
                self.world.filed.remove(kept_hash(service, key), at);
                let kept = self.world.kept[at as usize];
                self.let_go(&kept.origin.ctx);
            }
        }
        if self.passes(1, PointKind::Commit, Subject::Op(op), node, ctx, path, &[]) {
            return None;
        }
        Some(true)
    }

    /// What a service keeps open under a key, the first that it kept.
    pub(super) fn kept(&self, service: ServiceId, key: Word) -> Option<u32> {
        let is = |at: u32| {
            let kept = &self.world.kept[at as usize];
            (kept.service, kept.key) == (service, key)
        };
        self.world.filed.least(kept_hash(service, key), is)
    }

    /// What a commit would install, if it takes place.
    fn plan_commit(
        &mut self,
        service: ServiceId,
        commit: &Commit,
        looked: &Looked,
    ) -> Result<Planning, String> {
        for guard in &commit.guards {
            if let Some((table, key)) = self.fails(service, guard, looked)? {
                return Ok(Planning::Dropped(table, key));
            }
        }
        let mut planned: Vec<Planned> = Vec::new();
        for write in &commit.writes {
            let RowWrite { table, key, verb, values } = write;
            let table = self.table_of_guest(service, table)?;
            let of = self.plan.model.table(table);
            let state = self.world.tables.table_mut(table);
            if planned.iter().any(|other| other.table == table && state.cells(other.slot)[0] == *key) {
                return Err(format!("writes a row of `{}` twice in one commit", of.name));
            }
            let found = state.find(*key);
            if found.is_some() && *verb == Verb::Insert {
                return Ok(Planning::Dropped(table, *key));
            }
            if found.is_none() && *verb == Verb::Delete {
                continue;
            }
            let slot = state.slot(*key);
            let mut cells: Vec<Word> = match found {
                Some(slot) => state.cells(slot).to_vec(),
                None => of.columns.iter().map(|column| column.default).collect(),
            };
            cells[0] = *key;
            let before = cells.clone();
            let mut set = 0;
            for (field, value) in values {
                let column = of.columns.iter().position(|column| column.name == *field);
                let column = column.filter(|&column| column > 0);
                let column =
                    column.ok_or_else(|| format!("writes a field `{field}` that `{}` has not", of.name))?;
                cells[column] = *value;
                set |= 1 << column;
            }
            let flag = match (verb, found) {
                (Verb::Delete, _) => install::DELETE,
                (_, None) => install::CREATE,
                (_, Some(_)) if cells == before => install::NOOP,
                _ => 0,
            };
            // What the commit has written before is as it left it.
            let own = |at: u32| planned.iter().any(|row| (row.table, row.slot) == (table, at));
            let shares = |n: usize, row: &Planned, cells: &[Word]| {
                row.table == table && row.cells.as_ref().is_some_and(|other| state.shares(n, other, cells))
            };
            let clashes = |cells: &[Word]| {
                (0..state.unique_count()).any(|n| {
                    state.unique_clash(n, cells, Some(slot)).is_some_and(|other| !own(other))
                        || planned.iter().any(|row| shares(n, row, cells))
                })
            };
            if *verb != Verb::Delete && clashes(&cells) {
                return Ok(Planning::Dropped(table, *key));
            }
            let seen = looked.iter().find(|(of, at, _)| (*of, *at) == (table, slot));
            let base = seen.map_or(NONE, |(_, _, version)| *version);
            let cells = (*verb != Verb::Delete).then_some(cells);
            planned.push(Planned { table, slot, cells, base, set, flag });
        }
        Ok(Planning::Rows(planned))
    }

    fn table_of_guest(&self, service: ServiceId, name: &str) -> Result<TableId, String> {
        let model = &self.plan.model;
        let found = model.service(service).tables.iter().find(|&&table| model.table(table).name == name);
        let own = &model.service(service).name;
        found.copied().ok_or_else(|| format!("writes to `{name}`, which is no table of `{own}`"))
    }

    /// The row because of which a guard does not hold.
    fn fails(
        &self,
        service: ServiceId,
        guard: &Guard,
        looked: &Looked,
    ) -> Result<Option<(TableId, Word)>, String> {
        let (Guard::Is { table, key, .. } | Guard::Absent { table, key } | Guard::Unchanged { table, key }) =
            guard;
        let table = self.table_of_guest(service, table)?;
        let state = self.world.tables.table(table);
        let found = state.find(*key);
        let holds = match guard {
            Guard::Is { field, value, .. } => {
                let of = self.plan.model.table(table);
                let column = of.columns.iter().position(|column| column.name == *field);
                let column =
                    column.ok_or_else(|| format!("asks for a field `{field}` that `{}` has not", of.name))?;
                found.is_some_and(|slot| state.cells(slot)[column] == *value)
            }
            Guard::Absent { .. } => found.is_none(),
            Guard::Unchanged { .. } => {
                let same = |slot: u32| {
                    let now = state.meta(slot).version;
                    looked.iter().any(|&(of, at, version)| (of, at, version) == (table, slot, now))
                };
                found.is_none_or(same)
            }
        };
        Ok(if holds { None } else { Some((table, *key)) })
    }
}
