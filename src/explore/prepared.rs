//! A strategy of a case made ready to run: compiled once, run under any seed, judged each time.

use std::sync::Arc;

use super::costs::Costs;
use super::digest::HistoryDigest;
use super::hush::running;
use super::trace::Trace;
use crate::check::{Judge, Leftovers, RunVerdict, fact_in};
use crate::kernel::script::Note;
use crate::model::Model;
use crate::model::expr::{Code, Counter, Failure, Scratch};
use crate::model::how::How;
use crate::model::ids::OpId;
use crate::model::invariant::{Expectation, Invariant};
use crate::model::own::Hazard;
use crate::model::plan::{End, NotApplicable, Plan};
use crate::model::record::Record;
use crate::model::weather::Subject;
use crate::scenario::{StrategyCase, Written};
use crate::sim::{Ended, Runner};
use crate::store::{Sink, Tables};
use crate::strategy;

/// One strategy of one case.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// The name of the strategy.
    pub strategy: String,
    /// What it runs.
    pub model: Arc<Model>,
    /// The compiled plan, or why the strategy cannot carry the model out.
    pub plan: Result<Plan, Vec<NotApplicable>>,
    /// What is watched.
    pub invariants: Vec<Invariant>,
    /// What is expected.
    pub expected: Expectation,
    /// What it was read from, if it was.
    pub written: Option<Written>,
    facts: Vec<Code>,
    sometimes: Vec<Code>,
}

/// What one run showed.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// How it ended.
    pub ended: Ended,
    /// The digest of its history.
    pub digest: [u64; 2],
    /// What the invariants say.
    pub verdict: RunVerdict,
    /// Which facts are true at rest, in their order; `None`: it has no value.
    pub facts: Vec<Option<bool>>,
    /// Which of the things that should happen sometimes did.
    pub sometimes: Vec<Option<bool>>,
    /// What code of the user's own did that ended the run: its name, and what it said when it panicked.
    pub broken: Option<String>,
    /// The numbers of the lines of the weather's script that nothing asked for.
    pub unasked: Vec<usize>,
}

/// One run with its whole history.
#[derive(Clone, Debug)]
pub struct Replay {
    /// What it showed.
    pub run: Run,
    /// The history.
    pub trace: Trace,
    /// The tables at the end.
    pub tables: crate::store::Tables,
}

impl Prepared {
    /// A strategy of a scenario, made ready.
    pub fn of(strategy: &StrategyCase) -> Prepared {
        let (invariants, expected) = (strategy.invariants.clone(), strategy.expected.clone());
        let prepared = Prepared::new(strategy.model.clone(), &strategy.how, invariants, expected);
        Prepared { written: Some(strategy.written.clone()), ..prepared }
    }

    /// Compiles a model under a strategy.
    pub fn new(model: Arc<Model>, how: &How, invariants: Vec<Invariant>, expected: Expectation) -> Prepared {
        let codes =
            |facts: &[crate::model::invariant::Fact]| facts.iter().map(|f| Code::compile(&f.that)).collect();
        Prepared {
            strategy: how.name.clone(),
            plan: strategy::compile(&model, how),
            facts: codes(&expected.facts),
            sometimes: codes(&expected.sometimes),
            model,
            invariants,
            expected,
            written: None,
        }
    }

    /// The same with another plan, such as one with a planted fault.
    pub fn with_plan(&self, plan: Plan) -> Prepared {
        Prepared { model: plan.model.clone(), plan: Ok(plan), ..self.clone() }
    }

    /// The same in clean weather: no fault, one intent at a time.
    pub fn clean_twin(&self) -> Prepared {
        let plan = self.plan.as_ref().map(strategy::clean_twin).map_err(Clone::clone);
        Prepared { plan, ..self.clone() }
    }

    /// What it takes to run it again and again; `None` if it cannot be carried out.
    pub fn bench(&self) -> Option<Bench<'_>> {
        let plan = self.plan.as_ref().ok()?;
        Some(Bench {
            prepared: self,
            runner: Box::new(Runner::new(plan)),
            judge: Box::new(Judge::new(&self.model, plan, &self.invariants)),
            scratch: Box::default(),
        })
    }

    /// Whether seeds can lead to other histories than this one does, as far as draws can: the order of what happens at the
    /// same instant is left aside.
    pub(super) fn varies(&self, seed: u64) -> bool {
        let Some(mut bench) = self.bench() else { return false };
        bench.run_noting(seed, &mut Unseen, &mut Vec::new());
        self.model.weather.seed.is_none() && bench.runner.drew()
    }

    /// Runs one seed with the whole history kept.
    pub fn replay(&self, seed: u64) -> Option<Replay> {
        let mut bench = self.bench()?;
        let mut trace = Trace::starting_with(bench.runner.initial_tables(), self.model.tables.len());
        let run = bench.run_with(seed, &mut trace);
        let tables = bench.runner.tables().clone();
        Some(Replay { run, trace, tables })
    }
}

/// Nobody who looks at records.
struct Unseen;

impl Sink for Unseen {
    fn record(&mut self, _record: &Record, _tables: &mut Tables) {}
}

/// The memory of many runs of one strategy.
#[derive(Debug)]
pub struct Bench<'p> {
    prepared: &'p Prepared,
    // Each of some kilobytes: a bench is handed around, and its makers would need 24 KiB of stack more.
    runner: Box<Runner<'p>>,
    judge: Box<Judge>,
    /// For facts.
    scratch: Box<Scratch>,
}

/// Engine and invariants meet here: every record is digested and judged, and goes to whoever else wants it. One type for
/// all runs, so that the engine is compiled once.
struct Watch<'j, 'a> {
    judge: &'j mut Judge,
    digest: HistoryDigest,
    /// Somebody else wants records, too.
    others: bool,
    costs: Option<&'a mut Costs>,
    more: Option<&'a mut dyn Sink>,
}

impl Watch<'_, '_> {
    #[inline(never)]
    fn tell_others(&mut self, record: &Record, tables: &mut Tables) {
        if let Some(costs) = &mut self.costs {
            costs.record(record, tables);
        }
        if let Some(more) = &mut self.more {
            more.record(record, tables);
        }
    }
}

impl Sink for Watch<'_, '_> {
    // In line, the judge first: it asks for the kind, of which the engine's code knows at each place what it is, and the
    // words of the digest would hide that.
    #[inline(always)]
    fn record(&mut self, record: &Record, tables: &mut Tables) {
        self.judge.record(record, tables);
        self.digest.record(record, tables);
        if self.others {
            self.tell_others(record, tables);
        }
    }

    fn offered(&mut self, hazard: Hazard, to: Subject) {
        self.judge.offered(hazard, to);
    }
}

impl Bench<'_> {
    /// Which fault rules struck in the last run, by number.
    pub fn struck(&self) -> &[bool] {
        self.runner.struck()
    }

    /// Which fault rules came to where they strike in the last run and were kept from it by their chance, by number.
    pub fn unlucky(&self) -> &[bool] {
        self.runner.unlucky()
    }

    /// Which lines of the weather's script the last run asked for.
    pub fn asked(&self) -> &[bool] {
        self.runner.asked()
    }

    /// Operations of which an expression had no value in the last run, and why at first.
    pub fn failures(&self) -> &[(OpId, Failure)] {
        self.runner.failures()
    }

    /// Runs a seed.
    pub fn run(&mut self, seed: u64) -> Run {
        self.watch(None, None, |runner, watch| runner.run(seed, watch))
    }

    /// Runs a seed. `more` gets every record too.
    pub fn run_with(&mut self, seed: u64, more: &mut dyn Sink) -> Run {
        self.watch(None, Some(more), |runner, watch| runner.run(seed, watch))
    }

    /// As [`Bench::run_with`]; what was decided in the run is added to `notes`.
    pub fn run_noting(&mut self, seed: u64, more: &mut dyn Sink, notes: &mut Vec<Note>) -> Run {
        self.watch(None, Some(more), |runner, watch| runner.run_noting(seed, watch, notes))
    }

    fn watch<'a>(
        &mut self,
        costs: Option<&'a mut Costs>,
        more: Option<&'a mut dyn Sink>,
        run: impl FnOnce(&mut Runner<'_>, &mut Watch<'_, '_>) -> Ended,
    ) -> Run {
        let _running = running();
        self.judge.reset();
        let others = costs.is_some() || more.is_some();
        let digest = HistoryDigest::default();
        let mut watch = Watch { digest, judge: &mut self.judge, others, costs, more };
        let ended = run(&mut self.runner, &mut watch);
        let digest = watch.digest;
        self.judged(ended, digest)
    }

    fn judged(&mut self, ended: Ended, digest: HistoryDigest) -> Run {
        let remains = ended.remains;
        let leftovers = Leftovers {
            locks: remains.locks,
            keys_in_progress: remains.keys,
            open_transactions: remains.transactions,
        };
        let tables = self.runner.tables();
        let mut verdict = self.judge.finish(ended.end, leftovers, tables);
        if !self.runner.failures().is_empty() && verdict.counts.get(Counter::Writes) == 0 {
            // Whoever failed may have done so because of a slip in an operation, and nothing was done: no progress.
            let failed = u64::try_from(verdict.counts.get(Counter::Failed)).unwrap_or(0);
            verdict.completed = verdict.completed.saturating_sub(failed);
        }
        let tables = self.runner.tables();
        let scratch = &mut *self.scratch;
        let mut hold = |codes: &[Code]| {
            codes.iter().map(|code| fact_in(scratch, code, tables, &verdict.counts).ok()).collect::<Vec<_>>()
        };
        let (facts, sometimes) = (hold(&self.prepared.facts), hold(&self.prepared.sometimes));
        let broken = self.runner.broken().map(str::to_owned);
        let unasked = self.runner.unasked();
        Run { ended, digest: digest.finish(), verdict, facts, sometimes, broken, unasked }
    }

    /// Runs a seed and adds up its costs.
    pub fn run_costed(&mut self, seed: u64, costs: &mut Costs) -> Run {
        let run = self.watch(Some(&mut *costs), None, |runner, watch| runner.run(seed, watch));
        costs.events += run.ended.events;
        run
    }
}

/// Whether a run came to rest.
pub(super) fn rests(run: &Run) -> bool {
    run.ended.end == End::Rest
}
