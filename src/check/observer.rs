//! One observer of each kind: how it is made from an invariant, what it wants to hear of, what it is about.

use std::sync::Arc;

use super::effects::{DuplicateEffect, LostUpdate};
use super::ends::{NoLeak, every_intent_ends};
use super::exprs::{Always, AtRest, Constant, tables_read};
use super::facts::{ALL_TABLES, Facts, bit, watch};
use super::flows::AllOrNothing;
use super::history::By;
use super::open::Open;
use super::own::Own;
use super::per_intent::PerIntent;
use super::rows::{AtMostOne, NoOrphan};
use super::saga::CompensationRules;
use super::sheet::Sheet;
use super::told::Told;
use crate::kernel::time::Time;
use crate::model::Model;
use crate::model::expr::{CellTest, Code, Scratch};
use crate::model::ids::TableId;
use crate::model::invariant::InvariantKind;
use crate::store::Tables;

/// One observer of each kind.
#[derive(Clone, Debug)]
pub(super) enum Observer {
    Always(Always),
    AtRest(AtRest),
    PerIntent(PerIntent),
    Constant(Constant),
    AtMostOne(AtMostOne),
    NoOrphan(NoOrphan),
    AllOrNothing(AllOrNothing),
    CompensationRules(CompensationRules),
    LostUpdate(LostUpdate),
    DuplicateEffect(DuplicateEffect),
    Told(Told),
    EveryIntentEnds,
    NoLeak(NoLeak),
    Own(Box<Own>),
}

/// Whom changes of one table concern, by number. It is one line of memory.
#[derive(Clone, Debug, Default)]
pub(super) struct OfTable {
    /// What all whom commits concern ask of a changed row, if that is nothing but tests of its cells.
    tests: Box<[CellTest]>,
    /// At each install.
    pub(super) install: Box<[u16]>,
    /// At the end of each commit.
    pub(super) commit: Box<[u16]>,
    /// So many changes of rows were fine by these tests, and nobody was told of them.
    fine: u64,
    /// These tests are all that is asked, also by who has something noted since the start of each run.
    tested: bool,
    /// The same in this run so far.
    calm: bool,
}

impl OfTable {
    /// Takes a commit that changed one row, if nothing needs to be told of it: all is well with the row and was with all of
    /// the table, so far as anybody knows. Without an observer, a view or the machine, which take some 250 instructions.
    #[inline(always)]
    pub(super) fn is_fine(&mut self, table: TableId, row: u32, tables: &Tables) -> bool {
        if !self.calm {
            return false;
        }
        let state = tables.table(table);
        if !self.tests.is_empty() && state.meta(row).live {
            let cells = state.cells(row);
            for test in &self.tests {
                if test.holds_of(cells) != Some(true) {
                    return false;
                }
            }
        }
        self.fine += 1;
        true
    }
}

/// Observers that changes of tables concern, by table, so that a change costs no look at those of other tables.
#[derive(Clone, Debug)]
pub(super) struct Changes(Vec<OfTable>);

impl Changes {
    /// `start`: observers who have something noted when a run starts.
    pub(super) fn of(occasions: &Occasions, observers: &[Observer], start: &[u16]) -> Changes {
        let of = |filed: &Filed| {
            let tests = filed.commit.iter().map(|&at| observers[usize::from(at)].cell_tests());
            let tests: Option<Vec<Vec<CellTest>>> = tests.collect();
            let tested = tests.is_some() && !filed.commit.iter().any(|at| start.contains(at));
            OfTable {
                tests: tests.unwrap_or_default().concat().into(),
                install: filed.install.clone().into(),
                commit: filed.commit.clone().into(),
                fine: 0,
                tested,
                calm: tested,
            }
        };
        Changes(occasions.tables.iter().map(of).collect())
    }

    #[inline(always)]
    pub(super) fn table(&self, table: u16) -> &OfTable {
        &self.0[usize::from(table)]
    }

    #[inline(always)]
    pub(super) fn table_mut(&mut self, table: u16) -> &mut OfTable {
        &mut self.0[usize::from(table)]
    }

    /// Something was noted of the tables of these rows: from now on observers are told of each change.
    pub(super) fn trouble(&mut self, rows: &[(u16, u32)]) {
        for &(table, _) in rows {
            self.table_mut(table).calm = false;
        }
    }

    pub(super) fn reset(&mut self) {
        for of in &mut self.0 {
            (of.fine, of.calm) = (0, of.tested);
        }
    }

    /// Counts for each observer what it was not told of.
    pub(super) fn count(&mut self, observers: &[Observer], sheets: &mut [Sheet]) {
        for of in &mut self.0 {
            let fine = std::mem::take(&mut of.fine);
            for &at in of.commit.iter().filter(|_| fine > 0) {
                if let Observer::Always(always) = &observers[usize::from(at)] {
                    sheets[usize::from(at)].run.obligations += fine * always.parts();
                }
            }
        }
    }

    /// Those that commits concern which changed these rows, each once.
    #[inline(never)]
    pub(super) fn of_commit(&self, rows: &[(u16, u32)], into: &mut Vec<u16>) {
        into.clear();
        let mut last = None;
        for &(table, _) in rows {
            if last.replace(table) != Some(table) {
                into.extend_from_slice(&self.table(table).commit);
            }
        }
        into.sort_unstable();
        into.dedup();
    }
}

/// Observers that changes of one table concern, while they are filed.
#[derive(Clone, Debug, Default)]
struct Filed {
    install: Vec<u16>,
    commit: Vec<u16>,
}

/// Which observers an occasion concerns, by number.
#[derive(Debug, Default)]
pub(super) struct Occasions {
    tables: Vec<Filed>,
    pub(super) settled: Vec<u16>,
    /// By flow: the end of an intent that has instances of it.
    pub(super) flows: Vec<Vec<u16>>,
    /// Whether somebody asks for the arguments of intents.
    pub(super) args: bool,
    /// Any record at all.
    pub(super) record: Vec<u16>,
}

impl Occasions {
    /// Those of a model with so many tables, which concern nobody yet.
    pub(super) fn of(tables: usize) -> Occasions {
        Occasions { tables: vec![Filed::default(); tables], ..Occasions::default() }
    }

    /// The tables of a set.
    fn in_set(&mut self, set: u64) -> impl Iterator<Item = &mut Filed> {
        let all = (0..).zip(&mut self.tables);
        all.filter(move |(table, _)| set & bit(*table) != 0).map(|(_, of)| of)
    }

    fn add_commit(&mut self, at: u16, set: u64) {
        self.in_set(set).for_each(|of| add(&mut of.commit, at));
    }
}

/// Adds an observer, once; they are added one after the other.
fn add(into: &mut Vec<u16>, at: u16) {
    if into.last() != Some(&at) {
        into.push(at);
    }
}

/// An intent at its end.
#[derive(Clone, Copy)]
pub(super) struct Settling<'a> {
    pub(super) open: &'a Open<'a>,
    /// It has come to its end by itself.
    pub(super) settled: bool,
    /// Nothing more can happen for it.
    pub(super) quiescent: bool,
    pub(super) at: Time,
}

/// The tables that an invariant is about.
pub(super) fn scope(model: &Model, kind: &InvariantKind, facts: &Facts) -> u64 {
    match kind {
        InvariantKind::Own(own) => watch(&own.scope(model)),
        InvariantKind::Always(expr) | InvariantKind::AtRest(expr) | InvariantKind::Constant(expr) => {
            tables_read(expr)
        }
        InvariantKind::AtMostOne { table, .. } => bit(table.0),
        InvariantKind::NoOrphan { table, owner, .. } => bit(table.0) | tables_read(owner),
        InvariantKind::AllOrNothing(flow) | InvariantKind::CompensationRules(flow) => {
            facts.flows.get(flow.index()).map_or(ALL_TABLES, |flow| flow.tables)
        }
        InvariantKind::NoLostUpdate { tables, .. }
        | InvariantKind::NoDuplicateEffect(tables)
        | InvariantKind::AckedIsDurable(tables)
        | InvariantKind::NoLeak(tables) => watch(tables),
        InvariantKind::PerIntent(_)
        | InvariantKind::FailedHasNoEffect
        | InvariantKind::OutcomeAgrees
        | InvariantKind::EveryIntentEnds => ALL_TABLES,
    }
}

impl Observer {
    /// `tables` are those that every run starts with.
    pub(super) fn new(
        model: &Arc<Model>,
        kind: &InvariantKind,
        tables: &mut Tables,
        scratch: &mut Scratch,
    ) -> Observer {
        let told = |ok, failed, belief, watch| Observer::Told(Told { ok, failed, belief, watch });
        match kind {
            InvariantKind::Always(expr) => Observer::Always(Always::new(expr)),
            InvariantKind::AtRest(expr) => Observer::AtRest(AtRest::new(expr)),
            InvariantKind::PerIntent(expr) => Observer::PerIntent(PerIntent::new(model, expr)),
            InvariantKind::Constant(expr) => Observer::Constant(Constant::new(expr, tables, scratch)),
            InvariantKind::AtMostOne { table, per } => {
                Observer::AtMostOne(AtMostOne::new(tables, *table, *per))
            }
            InvariantKind::NoOrphan { table, owner, unless } => {
                let unless = unless.as_ref().map(Code::compile);
                Observer::NoOrphan(NoOrphan::new(*table, Code::compile(owner), unless))
            }
            InvariantKind::AllOrNothing(flow) => Observer::AllOrNothing(AllOrNothing { flow: *flow }),
            InvariantKind::CompensationRules(flow) => {
                Observer::CompensationRules(CompensationRules { flow: *flow })
            }
            InvariantKind::NoLostUpdate { tables, strict } => {
                Observer::LostUpdate(LostUpdate { watch: watch(tables), strict: *strict })
            }
            InvariantKind::NoDuplicateEffect(tables) => {
                Observer::DuplicateEffect(DuplicateEffect { watch: watch(tables) })
            }
            InvariantKind::AckedIsDurable(tables) => told(true, false, false, watch(tables)),
            InvariantKind::FailedHasNoEffect => told(false, true, false, ALL_TABLES),
            InvariantKind::OutcomeAgrees => told(true, true, true, ALL_TABLES),
            InvariantKind::EveryIntentEnds => Observer::EveryIntentEnds,
            InvariantKind::NoLeak(tables) => Observer::NoLeak(NoLeak::new(watch(tables))),
            InvariantKind::Own(own) => Observer::Own(Box::new(Own::new(model, own))),
        }
    }

    /// Whether it asks what was done for an intent.
    pub(super) fn asks_for_deeds(&self) -> bool {
        match self {
            Observer::PerIntent(each) => each.wants_effects(),
            Observer::AllOrNothing(_)
            | Observer::CompensationRules(_)
            | Observer::DuplicateEffect(_)
            | Observer::Told(_)
            | Observer::NoLeak(_)
            | Observer::Own(_) => true,
            Observer::Always(_)
            | Observer::AtRest(_)
            | Observer::Constant(_)
            | Observer::AtMostOne(_)
            | Observer::NoOrphan(_)
            | Observer::LostUpdate(_)
            | Observer::EveryIntentEnds => false,
        }
    }

    pub(super) fn occasions(&self, at: u16, occasions: &mut Occasions) {
        match self {
            Observer::Always(always) => {
                // A set has one bit for all tables from the 64th on, a row belongs to one table alone.
                occasions.add_commit(at, always.watch());
                for table in always.row_tables() {
                    add(&mut occasions.tables[table.index()].commit, at);
                }
            }
            Observer::AtMostOne(rows) => add(&mut occasions.tables[usize::from(rows.table())].commit, at),
            Observer::LostUpdate(lost) => {
                occasions.in_set(lost.watch).for_each(|of| add(&mut of.install, at))
            }
            Observer::NoOrphan(rows) => add(&mut occasions.tables[usize::from(rows.table())].install, at),
            Observer::PerIntent(each) => {
                occasions.settled.push(at);
                occasions.args |= each.wants_args();
            }
            Observer::AllOrNothing(AllOrNothing { flow })
            | Observer::CompensationRules(CompensationRules { flow }) => {
                let flows = &mut occasions.flows;
                flows.resize(flows.len().max(flow.index() + 1), Vec::new());
                flows[flow.index()].push(at);
            }
            Observer::DuplicateEffect(_)
            | Observer::Told(_)
            | Observer::EveryIntentEnds
            | Observer::NoLeak(_) => occasions.settled.push(at),
            Observer::Own(_) => {
                occasions.record.push(at);
                occasions.add_commit(at, ALL_TABLES);
                occasions.settled.push(at);
            }
            Observer::AtRest(_) | Observer::Constant(_) => {}
        }
    }

    pub(super) fn reset(&mut self) {
        match self {
            Observer::Always(always) => always.reset(),
            Observer::AtMostOne(rows) => rows.reset(),
            Observer::NoOrphan(rows) => rows.reset(),
            Observer::NoLeak(leak) => leak.reset(),
            Observer::Own(own) => own.reset(),
            _ => {}
        }
    }

    /// All that it asks of changed rows, if that is nothing but tests of their cells.
    fn cell_tests(&self) -> Option<Vec<CellTest>> {
        match self {
            Observer::Always(always) => always.cell_tests(),
            _ => None,
        }
    }

    /// Takes rows changed by a commit, of tables that concern it and others. Returns whether it has something noted, and so
    /// must be told of changes even if all is well with them.
    pub(super) fn committed(
        &mut self,
        changed: &[(u16, u32)],
        by: &By,
        tables: &mut Tables,
        scratch: &mut Scratch,
        sheet: &mut Sheet,
    ) -> bool {
        match self {
            Observer::Always(always) => return always.committed(changed, by, tables, scratch, sheet),
            Observer::AtMostOne(rows) => rows.committed(changed, Some(by), tables, sheet),
            Observer::Own(own) => own.committed(changed, tables, sheet),
            _ => {}
        }
        false
    }

    pub(super) fn settled(
        &mut self,
        cx: Settling<'_>,
        facts: &Facts,
        tables: &mut Tables,
        scratch: &mut Scratch,
        sheet: &mut Sheet,
    ) {
        let Settling { open, settled, quiescent, at } = cx;
        match self {
            Observer::PerIntent(each) => each.settled(open, quiescent, at, tables, scratch, sheet),
            Observer::AllOrNothing(flow) => flow.settled(open, quiescent, at, facts, sheet),
            Observer::CompensationRules(flow) => flow.settled(open, quiescent, at, facts, sheet),
            Observer::DuplicateEffect(effects) => effects.settled(open, sheet),
            Observer::Told(told) => told.settled(open, quiescent, at, facts, sheet),
            Observer::EveryIntentEnds => every_intent_ends(open, settled, at, sheet),
            Observer::NoLeak(leak) => leak.settled(open, facts, sheet),
            Observer::Own(own) => own.settled(cx, tables, sheet),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_of_a_table_concern_is_one_line_of_memory() {
        assert!(size_of::<OfTable>() <= 64);
    }

    #[test]
    fn a_commit_of_several_tables_concerns_each_observer_once_and_others_not_at_all() {
        let mut occasions = Occasions::of(70);
        occasions.add_commit(0, bit(2) | bit(69));
        occasions.add_commit(1, bit(2));
        occasions.add_commit(2, ALL_TABLES);
        add(&mut occasions.tables[69].commit, 3);
        add(&mut occasions.tables[68].commit, 4);
        let observers = vec![Observer::EveryIntentEnds; 5];
        let changes = Changes::of(&occasions, &observers, &[]);
        let of = |rows: &[(u16, u32)]| {
            let mut of = vec![9];
            changes.of_commit(rows, &mut of);
            of
        };
        assert_eq!(of(&[(2, 0), (2, 1)]), [0, 1, 2]);
        assert_eq!(of(&[(69, 0), (2, 0), (69, 1)]), [0, 1, 2, 3]);
        // Of sets the tables from the 64th on are one, of single tables each is its own.
        assert_eq!(of(&[(68, 0)]), [0, 2, 4]);
        assert_eq!(of(&[(5, 0)]), [2]);
    }
}
