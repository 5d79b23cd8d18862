//! One observer of each kind: how it is made from an invariant, what it wants to hear of, what it is about.

use std::sync::Arc;

use super::effects::{DuplicateEffect, LostUpdate};
use super::ends::{NoLeak, every_intent_ends};
use super::exprs::{Always, AtRest, Constant, tables_read};
use super::facts::{ALL_TABLES, Facts, bit, watch};
use super::flows::AllOrNothing;
use super::open::Open;
use super::own::Own;
use super::per_intent::PerIntent;
use super::rows::{AtMostOne, NoOrphan};
use super::saga::CompensationRules;
use super::sheet::Sheet;
use super::told::Told;
use crate::kernel::time::Time;
use crate::model::Model;
use crate::model::expr::{Code, Scratch};
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

/// Observers that changes of tables concern, filed by table, so that a change costs no look at those of other tables.
#[derive(Debug, Default)]
pub(super) struct ByTable {
    /// By the bit of the table.
    filed: Vec<Vec<u16>>,
    /// By observer the tables that it wants to hear of.
    watch: Vec<u64>,
}

impl ByTable {
    fn add(&mut self, at: u16, watch: u64) {
        self.filed.resize(64, Vec::new());
        self.watch.resize(self.watch.len().max(usize::from(at) + 1), 0);
        self.watch[usize::from(at)] = watch;
        for (bit, filed) in self.filed.iter_mut().enumerate() {
            if watch >> bit & 1 == 1 {
                filed.push(at);
            }
        }
    }

    /// Those that one table concerns.
    #[inline]
    pub(super) fn of(&self, table: u16) -> &[u16] {
        self.filed.get(usize::from(table.min(63))).map_or(&[], |filed| filed)
    }

    /// Those that some of the tables of these rows concern, each once.
    #[inline(never)]
    pub(super) fn of_all(&self, rows: &[(u16, u32)], into: &mut Vec<u16>) {
        into.clear();
        let tables = rows.iter().fold(0, |set, row| set | bit(row.0));
        let mut left = tables;
        while left != 0 {
            let lowest = left.trailing_zeros();
            left &= left - 1;
            let first = |at: &&u16| (self.watch[usize::from(**at)] & tables).trailing_zeros() == lowest;
            into.extend(self.filed.get(lowest as usize).into_iter().flatten().filter(first));
        }
    }
}

/// Which observers an occasion concerns, by number.
#[derive(Debug, Default)]
pub(super) struct Occasions {
    pub(super) install: ByTable,
    pub(super) commit: ByTable,
    pub(super) settled: Vec<u16>,
    /// By flow: the end of an intent that has instances of it.
    pub(super) flows: Vec<Vec<u16>>,
    /// Whether somebody asks for the arguments of intents.
    pub(super) args: bool,
    /// Any record at all.
    pub(super) record: Vec<u16>,
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
            Observer::Always(always) => occasions.commit.add(at, always.watch()),
            Observer::AtMostOne(rows) => occasions.commit.add(at, bit(rows.table())),
            Observer::LostUpdate(lost) => occasions.install.add(at, lost.watch),
            Observer::NoOrphan(rows) => occasions.install.add(at, bit(rows.table())),
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
                occasions.commit.add(at, ALL_TABLES);
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
