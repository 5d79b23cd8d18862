//! A range of seeds on several threads. Workers take seeds in small lots and add up integers only, so the result does not
//! depend on how many workers there are or who takes what.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::costs::Costs;
use super::prepared::{Bench, Prepared, Run, rests};
use crate::check::{CellTally, least};
use crate::kernel::path::mix;
use crate::model::expr::Failure;
use crate::model::ids::OpId;
use crate::model::plan::End;

/// How many seeds a worker takes at a time, at most. Of a short range it takes fewer, so that all workers end together.
const LOT: u64 = 16;
/// Into how many lots for each worker a range is divided, at least, if it holds so many seeds.
const LOTS: u64 = 32;

/// How a fact fared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FactTally {
    /// Runs in which it is true.
    pub yes: u64,
    /// The smallest seed in which it is not.
    pub first_no: Option<u64>,
    /// The smallest seed in which it is.
    pub first_yes: Option<u64>,
    /// The smallest seed in which it has no value.
    pub first_void: Option<u64>,
}

impl FactTally {
    fn add(&mut self, seed: u64, held: Option<bool>) {
        if held == Some(true) {
            self.yes += 1;
            self.first_yes = Some(self.first_yes.map_or(seed, |first| first.min(seed)));
        } else {
            self.first_no = least(self.first_no, Some(seed));
            self.first_void = least(self.first_void, held.is_none().then_some(seed));
        }
    }

    fn merge(&mut self, other: &FactTally) {
        self.yes += other.yes;
        self.first_no = least(self.first_no, other.first_no);
        self.first_yes = least(self.first_yes, other.first_yes);
        self.first_void = least(self.first_void, other.first_void);
    }
}

/// What a sweep showed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Swept {
    /// How many seeds were run.
    pub runs: u64,
    /// Runs that came to rest.
    pub rested: u64,
    /// What the invariants say.
    pub tally: CellTally,
    /// What it cost.
    pub costs: Costs,
    /// One for each fact.
    pub facts: Vec<FactTally>,
    /// One for each thing that should happen sometimes.
    pub sometimes: Vec<FactTally>,
    /// The digests of all runs, summed so that order does not matter.
    pub digest: [u64; 2],
    /// All seeds have one and the same history: no number of runs says more than one. Either the weather has one seed, or
    /// nothing is drawn and at least 32 runs, all there are, have the same digest. Of fewer runs nothing is claimed: the
    /// order of what happens at the same instant depends on the seed, and may be the same in all of them by chance.
    pub one_history: bool,
    /// The digest of all runs, if they have the same; `Some(None)`: they differ.
    alike: Option<Option<[u64; 2]>>,
    /// Runs that ran out of their budget of events.
    pub spent: u64,
    /// The smallest seed of such a run.
    pub first_spent: Option<u64>,
    /// For each fault rule the number of runs in which it struck.
    pub struck: Vec<u64>,
    /// Fault rules that in some run came to where they strike and were kept from it by their chance: if such a rule never
    /// struck, it was bad luck.
    pub unlucky: Vec<bool>,
    /// For each line of the weather's script the number of runs that asked for it.
    pub asked: Vec<u64>,
    /// Operations of which an expression had no value, each with the smallest such seed and why; sorted by operation.
    pub failures: Vec<(OpId, u64, Failure)>,
    /// Seeds whose run panicked, and what it said: a fault of ours or of user code, never a verdict on the scenario.
    pub panics: Vec<(u64, String)>,
    /// Seeds in which a process or a step of the user's own panicked, and what it said. Such a run is stuck.
    pub broken: Vec<(u64, String)>,
}

impl Swept {
    /// Adds what a run showed, but for its costs.
    fn add(&mut self, seed: u64, run: &Run) {
        self.broken.extend(run.broken.clone().map(|what| (seed, what)));
        self.rested += u64::from(rests(run));
        self.tally.add(seed, &run.verdict);
        for (tallies, held) in [(&mut self.facts, &run.facts), (&mut self.sometimes, &run.sometimes)] {
            tallies.resize(held.len(), FactTally::default());
            tallies.iter_mut().zip(held).for_each(|(tally, held)| tally.add(seed, *held));
        }
        for lane in 0..2 {
            self.digest[lane] = self.digest[lane].wrapping_add(mix(seed, run.digest[lane]));
        }
        self.alike = alike(self.alike, Some(Some(run.digest)));
        if run.ended.end == End::Spent {
            self.spent += 1;
            self.first_spent = least(self.first_spent, Some(seed));
        }
    }

    /// Adds what there is to say of the weather and the operations of a run.
    fn note(&mut self, seed: u64, bench: &Bench<'_>) {
        count(&mut self.struck, bench.struck());
        count(&mut self.asked, bench.asked());
        either(&mut self.unlucky, bench.unlucky());
        for &(op, failure) in bench.failures() {
            self.failed(op, seed, failure);
        }
    }

    fn failed(&mut self, op: OpId, seed: u64, failure: Failure) {
        match self.failures.binary_search_by_key(&op, |known| known.0) {
            Ok(at) if seed < self.failures[at].1 => self.failures[at] = (op, seed, failure),
            Ok(_) => {}
            Err(at) => self.failures.insert(at, (op, seed, failure)),
        }
    }

    fn merge(&mut self, other: &Swept) {
        self.runs += other.runs;
        self.rested += other.rested;
        self.tally.merge(&other.tally);
        self.costs.merge(&other.costs);
        for (own, more) in [(&mut self.facts, &other.facts), (&mut self.sometimes, &other.sometimes)] {
            own.resize(own.len().max(more.len()), FactTally::default());
            own.iter_mut().zip(more).for_each(|(own, more)| own.merge(more));
        }
        for lane in 0..2 {
            self.digest[lane] = self.digest[lane].wrapping_add(other.digest[lane]);
        }
        self.alike = alike(self.alike, other.alike);
        self.spent += other.spent;
        self.first_spent = least(self.first_spent, other.first_spent);
        for (own, more) in [(&mut self.struck, &other.struck), (&mut self.asked, &other.asked)] {
            own.resize(own.len().max(more.len()), 0);
            own.iter_mut().zip(more).for_each(|(own, more)| *own += more);
        }
        either(&mut self.unlucky, &other.unlucky);
        for &(op, seed, failure) in &other.failures {
            self.failed(op, seed, failure);
        }
        self.panics.extend(other.panics.iter().cloned());
        self.panics.sort();
        self.broken.extend(other.broken.iter().cloned());
        self.broken.sort();
    }
}

/// Whether two lots of runs are all alike.
fn alike(a: Option<Option<[u64; 2]>>, b: Option<Option<[u64; 2]>>) -> Option<Option<[u64; 2]>> {
    match (a, b) {
        (None, one) | (one, None) => one,
        (Some(a), Some(b)) => Some(a.filter(|_| a == b)),
    }
}

/// Counts a run for all for which something is so in it.
fn count(runs: &mut Vec<u64>, so: &[bool]) {
    if runs.len() < so.len() {
        runs.resize(so.len(), 0);
    }
    runs.iter_mut().zip(so).for_each(|(runs, &so)| *runs += u64::from(so));
}

/// What is so in either of two lots of runs.
fn either(known: &mut Vec<bool>, so: &[bool]) {
    if known.len() < so.len() {
        known.resize(so.len(), false);
    }
    known.iter_mut().zip(so).for_each(|(known, &so)| *known |= so);
}

/// So many runs with one digest are one history. What happens at the same instant is put in order by the seed, so that of
/// two orders a few runs may well meet one only.
const ALIKE: u64 = 32;

/// More workers than this only take memory: each has tables of its own.
const WORKERS: u64 = 256;

/// Runs all seeds of a range with up to `jobs` threads, and never more than 256. `done` is told how many more are done;
/// when `stop` is set, workers finish their lot and what is finished is kept. `None` if the strategy cannot be carried out.
pub fn sweep(
    prepared: &Prepared,
    seeds: Range<u64>,
    jobs: usize,
    done: &(dyn Fn(u64) + Sync),
    stop: &AtomicBool,
) -> Option<Swept> {
    let plan = prepared.plan.as_ref().ok()?;
    let seeds = plan.model.weather.seeds(seeds);
    // Counted from the start of the range: what workers take beyond its end may pass the greatest seed.
    let taken = AtomicU64::new(0);
    let length = seeds.end.saturating_sub(seeds.start);
    let most = u64::try_from(jobs).unwrap_or(u64::MAX).clamp(1, length.clamp(1, WORKERS));
    let size = (length / most.saturating_mul(LOTS)).clamp(1, LOT);
    let workers = most.min(length.div_ceil(size).max(1));
    let work = || {
        let mut own = Swept::default();
        let mut worker = Worker { prepared, bench: None, costs: Costs::default() };
        while !stop.load(Ordering::Relaxed) {
            let before = taken.fetch_add(size, Ordering::Relaxed);
            if before >= length {
                break;
            }
            let from = seeds.start + before;
            let lot = from..from + size.min(length - before);
            let count = lot.end - lot.start;
            worker.run(lot, &mut own);
            done(count);
        }
        own
    };
    let mut all = if workers == 1 {
        work()
    } else {
        let all = Mutex::new(Swept::default());
        let add = |own: Swept| all.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).merge(&own);
        // This thread is one of the workers.
        std::thread::scope(|scope| {
            for _ in 1..workers {
                scope.spawn(|| add(work()));
            }
            add(work());
        });
        all.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner())
    };
    let pinned = plan.model.weather.seed.is_some();
    let alike = all.runs >= ALIKE && all.panics.is_empty() && matches!(all.alike, Some(Some(_)));
    // Runs that are alike may have been drawn all the same, each time with the same luck.
    let drawn = || catch_unwind(AssertUnwindSafe(|| prepared.varies(seeds.start))).unwrap_or(true);
    all.one_history = pinned && all.runs > 0 || alike && !stop.load(Ordering::Relaxed) && !drawn();
    Some(all)
}

/// What a worker keeps from lot to lot.
struct Worker<'p> {
    prepared: &'p Prepared,
    bench: Option<Bench<'p>>,
    /// The costs of one run, added to the sum only when it is known not to have panicked.
    costs: Costs,
}

impl Worker<'_> {
    /// Runs a lot of seeds one after the other. A panic costs its own seed only.
    fn run(&mut self, lot: Range<u64>, own: &mut Swept) {
        for seed in lot {
            if self.bench.is_none() {
                self.bench = self.prepared.bench();
            }
            let Some(bench) = &mut self.bench else { return };
            self.costs.clear();
            let costs = &mut self.costs;
            let run = catch_unwind(AssertUnwindSafe(|| bench.run_costed(seed, costs)));
            own.runs += 1;
            match run {
                Ok(run) => {
                    own.add(seed, &run);
                    own.note(seed, bench);
                    own.costs.merge(&self.costs);
                }
                Err(panic) => {
                    let said = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
                    let said = said.or_else(|| panic.downcast_ref::<String>().cloned());
                    own.panics.push((seed, said.unwrap_or_default()));
                    // What the panic left half done is dropped with the bench.
                    self.bench = None;
                }
            }
        }
    }
}
