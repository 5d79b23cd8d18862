//! A scenario in a test: run it under some strategies and seeds, and fail with a story if something is not as expected.
//!
//! It judges exactly as `halfway run` does and prints what that would print. This and the command are the only places
//! that look at the environment: `HALFWAY_SEED` narrows every trial to that one seed.

mod failed;
#[cfg(test)]
mod tests;

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicBool;

use self::failed::Written;
pub use self::failed::{Checked, Failed};
use crate::explore::{Prepared, show_panics_once, sweep};
use crate::model::invariant::Verdict;
use crate::report::words::{safe, unknown};
use crate::report::{CaseReport, InvariantName, Report, StrategyReport, text};
use crate::scenario::{Case, Scenario};

/// Seeds where neither trial nor file says how many.
const SEEDS: u64 = 1_000;

/// What the environment of a test says.
#[derive(Clone, Debug, Default)]
struct Around {
    /// `HALFWAY_SEED`
    seed: Option<String>,
    /// The name of the test, if its thread has one.
    test: Option<String>,
}

impl Around {
    fn of_process() -> Around {
        let test = std::thread::current().name().filter(|name| *name != "main").map(str::to_owned);
        Around { seed: std::env::var("HALFWAY_SEED").ok().filter(|seed| !seed.is_empty()), test }
    }
}

/// A scenario about to be checked, narrowed to some strategies, cases and seeds.
///
/// ```
/// # use halfway::Scenario;
/// let scenario = Scenario::load("scenarios/payment-lost-ack.json")?;
/// scenario.strategy("idempotent").seeds(0..50).check()?;
/// // What breaks has to break, or the test says nothing.
/// scenario.strategy("naive").violates("charged once").seeds(0..50).check()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is run before `check`"]
pub struct Trial<'s> {
    scenario: &'s Scenario,
    /// The case; `Some(None)` is the file as written.
    case: Option<Option<String>>,
    strategies: Vec<String>,
    seeds: Option<Range<u64>>,
    jobs: Option<usize>,
    /// What is expected beside what the file expects; without an invariant, of all together.
    expected: Vec<(Option<String>, Verdict)>,
}

impl Scenario {
    /// A trial of all strategies in all cases, against what the file expects. With 1,000 seeds, or as many as the file asks
    /// for, unless it is told otherwise.
    pub fn trial(&self) -> Trial<'_> {
        let (strategies, expected) = (Vec::new(), Vec::new());
        Trial { scenario: self, case: None, strategies, seeds: None, jobs: None, expected }
    }

    /// A trial of one strategy, in all cases that have it.
    pub fn strategy(&self, name: impl Into<String>) -> Trial<'_> {
        self.trial().strategy(name)
    }

    /// A trial of one case.
    pub fn case(&self, name: impl Into<String>) -> Trial<'_> {
        self.trial().case(name)
    }

    /// A trial with these seeds.
    pub fn seeds(&self, seeds: Range<u64>) -> Trial<'_> {
        self.trial().seeds(seeds)
    }
}

impl<'s> Trial<'s> {
    /// This strategy; called again, this one too.
    pub fn strategy(mut self, name: impl Into<String>) -> Trial<'s> {
        self.strategies.push(name.into());
        self
    }

    /// This case only.
    pub fn case(mut self, name: impl Into<String>) -> Trial<'s> {
        self.case = Some(Some(name.into()));
        self
    }

    /// The file as written only, without its cases.
    pub fn as_written(mut self) -> Trial<'s> {
        self.case = Some(None);
        self
    }

    /// These seeds. Fewer than 1,000 cannot show that something never breaks: an expected violation that does not come
    /// is inconclusive then.
    pub fn seeds(mut self, seeds: Range<u64>) -> Trial<'s> {
        self.seeds = Some(seeds);
        self
    }

    /// This seed only.
    pub fn seed(self, seed: u64) -> Trial<'s> {
        self.seeds(seed..seed.saturating_add(1))
    }

    /// How many threads run seeds, at least 1; without it, as many as there are processors. The result is the same.
    pub fn jobs(mut self, jobs: usize) -> Trial<'s> {
        self.jobs = Some(jobs);
        self
    }

    /// Expects a verdict of an invariant, whatever the file expects of it. Invariants of which neither the trial nor the
    /// file expects anything are left open then: a trial that names some asks about these. (Without a word in the trial,
    /// as in `halfway run`, what breaks and is not expected to is a finding.)
    pub fn expect(mut self, invariant: impl Into<String>, verdict: Verdict) -> Trial<'s> {
        self.expected.push((Some(invariant.into()), verdict));
        self
    }

    /// Expects that an invariant is violated in some run.
    pub fn violates(self, invariant: impl Into<String>) -> Trial<'s> {
        self.expect(invariant, Verdict::Violated)
    }

    /// Expects that an invariant holds, and that this is earned: something happened that could have broken it.
    pub fn holds(self, invariant: impl Into<String>) -> Trial<'s> {
        self.expect(invariant, Verdict::Holds)
    }

    /// Expects a verdict of all invariants together, the worst of them, whatever the file expects.
    pub fn expect_overall(mut self, verdict: Verdict) -> Trial<'s> {
        self.expected.push((None, verdict));
        self
    }

    /// Runs it. If the environment has `HALFWAY_SEED`, just that seed is run, and that it shows too little is forgiven.
    ///
    /// # Errors
    /// If something is not as expected: a violation or a stuck run that nobody expects, an expectation that is missed or
    /// cannot be told yet, a fact that is not true. If the scenario itself is at fault: an invariant has no value, or in a
    /// trial of all strategies and cases a fault never strikes. If a case says nothing, since no cell of it is earned. Also
    /// if a name is not there, and if nothing was run.
    pub fn check(self) -> Result<Checked, Failed> {
        self.check_in(Around::of_process())
    }

    fn check_in(self, around: Around) -> Result<Checked, Failed> {
        let only = match around.seed.as_deref().map(str::parse::<u64>) {
            None => None,
            Some(Ok(seed)) => Some(seed),
            Some(Err(_)) => return Err(Failed::usage("HALFWAY_SEED is no seed: a number from 0 on")),
        };
        if let [missing, ..] = self.scenario.missing_processes()[..] {
            let missing = safe(missing);
            let message =
                format!("no process `{missing}` is registered: `scenario.with_process(\"{missing}\", …)`");
            return Err(Failed::usage(message));
        }
        let chosen = self.chosen().map_err(Failed::usage)?;
        if !self.scenario.is_plain() {
            show_panics_once();
        }
        let selected = self.case.is_some() || !self.strategies.is_empty();
        let mut report = Report { selected, ..Report::default() };
        let mut prepared = Vec::new();
        for case in chosen {
            let (case, ready) = self.sweep(case, only).map_err(Failed::usage)?;
            report.cases.push(case);
            prepared.push(ready);
        }
        if report.runs() == 0 && report.strategies().all(|strategy| strategy.cannot.is_empty()) {
            return Err(Failed::usage("nothing was run: the range of seeds is empty"));
        }
        if !self.scenario.is_plain()
            && let Some(text) = impure(&report, &prepared)
        {
            return Err(Failed::impure(report, text));
        }
        if failed::is_fine(&report, only.is_some()) {
            return Ok(Checked::new(report));
        }
        let written = match (self.scenario.is_plain(), &self.scenario.file) {
            (false, _) => Written::InRust,
            (true, Some(_)) => Written::InFile,
            (true, None) => Written::Nowhere,
        };
        Err(Failed::new(report, &prepared, around.test.as_deref(), written))
    }

    /// The cases that are asked for and have something to run; names that select nothing are mistakes.
    fn chosen(&self) -> Result<Vec<&'s Case>, String> {
        let all = &self.scenario.cases;
        let asked = |case: &&Case| self.case.as_ref().is_none_or(|wanted| *wanted == case.name);
        let cases: Vec<&Case> = all.iter().filter(asked).collect();
        if let (Some(Some(name)), []) = (&self.case, cases.as_slice()) {
            let known: Vec<String> = all.iter().filter_map(|case| case.name.clone()).collect();
            return Err(unknown("case", name, &known));
        }
        let mut known: Vec<String> = Vec::new();
        for strategy in cases.iter().flat_map(|case| &case.strategies) {
            if !known.contains(&strategy.name) {
                known.push(strategy.name.clone());
            }
        }
        if let Some(name) = self.strategies.iter().find(|name| !known.contains(name)) {
            return Err(unknown("strategy", name, &known));
        }
        let runs = |case: &&Case| case.strategies.iter().any(|strategy| self.is_asked(&strategy.name));
        Ok(cases.into_iter().filter(runs).collect())
    }

    fn is_asked(&self, strategy: &String) -> bool {
        self.strategies.is_empty() || self.strategies.contains(strategy)
    }

    /// Sweeps all strategies of a case.
    fn sweep(&self, case: &Case, only: Option<u64>) -> Result<(CaseReport, Vec<Prepared>), String> {
        let scenario = self.scenario;
        let seeds = match (only, &self.seeds) {
            (Some(seed), _) => seed..seed.saturating_add(1),
            (None, Some(seeds)) => seeds.clone(),
            (None, None) => 0..case.seeds.unwrap_or(SEEDS),
        };
        let file = match &scenario.file {
            Some(file) => file.to_string_lossy().into_owned(),
            None => format!("{}.json", scenario.name),
        };
        let mut report = CaseReport {
            file,
            name: scenario.name.clone(),
            about: case.about.clone().or_else(|| scenario.about.clone()),
            digest: scenario.digest,
            case: case.name.clone(),
            seeds: case.seeds_of(seeds.start..seeds.end.max(seeds.start)),
            invariants: InvariantName::all(&case.invariants),
            strategies: Vec::new(),
        };
        let jobs = self.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
        let never = AtomicBool::new(false);
        let mut all = Vec::new();
        for strategy in case.strategies.iter().filter(|strategy| self.is_asked(&strategy.name)) {
            let mut prepared = Prepared::of(strategy);
            self.expectations(&mut prepared)?;
            let swept = sweep(&prepared, seeds.clone(), jobs.max(1), &|_| {}, &never);
            let about = strategy.about.clone();
            report.strategies.push(StrategyReport::new(&prepared, about, strategy.rewritten, swept.as_ref()));
            all.push(prepared);
        }
        Ok((report, all))
    }

    /// Lays what the trial expects over what the file expects.
    fn expectations(&self, prepared: &mut Prepared) -> Result<(), String> {
        let expected = &mut prepared.expected;
        for (invariant, verdict) in &self.expected {
            expected.open = true;
            let Some(name) = invariant else {
                (expected.overall, expected.every) = (Some(*verdict), None);
                expected.by_invariant.clear();
                continue;
            };
            let at = prepared.invariants.iter().position(|known| known.name == *name).ok_or_else(|| {
                let known: Vec<String> = prepared.invariants.iter().map(|known| known.name.clone()).collect();
                unknown("invariant", name, &known)
            })?;
            // Who speaks of invariants one by one does not mean all of them.
            expected.overall = None;
            expected.by_invariant.retain(|(known, _)| *known != at);
            expected.by_invariant.push((at, *verdict));
        }
        Ok(())
    }
}

/// Of so many seeds one is run twice more, to see whether code of the user's own does the same each time.
const ONE_IN: u64 = 64;
/// But no more than so many of a strategy: that is not done on several threads.
const MOST_AGAIN: u64 = 256;

/// Whether code of the user's own makes another run of the same seed: of each strategy the first seed, one in 64 behind it,
/// and those that are to be told, are run twice more.
fn impure(report: &Report, prepared: &[Vec<Prepared>]) -> Option<String> {
    for (case, prepared) in report.cases.iter().zip(prepared) {
        for (strategy, prepared) in case.strategies.iter().zip(prepared) {
            let told = strategy.cells.iter().filter_map(|cell| cell.first_seed);
            // What is done otherwise in some seeds only must not pass because nothing is to be told.
            let length = case.seeds.end - case.seeds.start;
            let step = usize::try_from((length / MOST_AGAIN).max(ONE_IN)).unwrap_or(usize::MAX);
            let spread = case.seeds.clone().step_by(step);
            let mut seeds: Vec<u64> = std::iter::once(case.seeds.start).chain(spread).chain(told).collect();
            seeds.sort_unstable();
            seeds.dedup();
            let digest = |seed: u64| {
                let run = || prepared.bench().map(|mut bench| bench.run(seed).digest);
                catch_unwind(AssertUnwindSafe(run)).ok().flatten()
            };
            if let Some(seed) = seeds.into_iter().find(|&seed| digest(seed) != digest(seed)) {
                return Some(format!(
                    "the same seed told two stories: {} in {}, seed {seed}\nIts code in Rust is not pure: it asks a clock, a \
                     thread, a static or the order of a hash map. Nothing that was seen can be shown again.",
                    safe(&strategy.name),
                    text::title(case),
                ));
            }
        }
    }
    None
}
