//! `halfway run`: sweeps, and what came out.

use std::io::Write;
use std::ops::Range;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, Once};
use std::time::{Duration, Instant};

use super::args::{Format, LookArgs, RunArgs};
use super::exit::Exit;
use super::files::{case_names, chosen, is_case, read_each, strategy_names, unknown};
use super::surroundings::{Surroundings, put, spares, write_file};
use crate::explore::{Prepared, sweep};
use crate::report::telling::{has_story, of_case};
use crate::report::words::{count, grouped, safe};
use crate::report::{CaseReport, InvariantName, Look, Report, StrategyReport, json, junit, text, trouble};
use crate::scenario::{Case, Scenario, StrategyCase};

/// Seeds where neither command nor file says how many.
const SEEDS: u64 = 1_000;
/// Stories told of a case without being asked.
const STORIES: usize = 3;

pub(super) fn run(
    args: &RunArgs,
    look_args: &LookArgs,
    around: &Surroundings<'_>,
    stdout: &mut dyn Write,
    stderr: &mut dyn Write,
) -> Result<Exit, Exit> {
    let look = around.look(look_args, args.out.is_some());
    // A file that cannot be run spoils no other; programs find it in the report.
    let (scenarios, rejected) = read_each(&args.files, &Look { colour: false, ..look }, stderr);
    if scenarios.is_empty() && args.format == Format::Human {
        return Err(Exit::Usage);
    }
    spares(args.out.as_deref(), &args.files, &scenarios, stderr)?;
    if !scenarios.is_empty() {
        let all = rejected.is_empty();
        // What is not there may be in a file that could not be read.
        select(&scenarios, args, stderr).map_err(|exit| if all { exit } else { Exit::Usage })?;
    }
    // One seed takes one thread, and asking how many there could be takes longer than reading the scenario.
    let asked = scenarios.iter().flat_map(|(_, scenario)| &scenario.cases);
    let one = asked.filter(|case| is_case(case, args.case.as_deref())).all(|case| {
        let seeds = seeds(args, case);
        seeds.end.saturating_sub(seeds.start) <= 1
    });
    let all = || if one { 1 } else { std::thread::available_parallelism().map_or(1, usize::from) };
    let jobs = args.jobs.unwrap_or_else(all).max(1);
    let began = Instant::now();
    let listening = Once::new();
    let patience = || {
        // Listening takes a thread. One seed is mostly over sooner than anybody could interrupt it.
        const PATIENCE: Duration = Duration::from_millis(5);
        if !listening.is_completed() && began.elapsed() >= PATIENCE {
            listening.call_once(|| around.listen());
        }
    };
    if !one {
        listening.call_once(|| around.listen());
    }
    let selected = args.case.is_some() || !args.strategy.is_empty();
    let mut report = Report { selected, rejected, ..Report::default() };
    let mut told = String::new();
    for (file, scenario) in &scenarios {
        for case in scenario.cases.iter().filter(|case| is_case(case, args.case.as_deref())) {
            let strategies = chosen(case, &args.strategy);
            if strategies.is_empty() {
                continue;
            }
            let wanted = seeds(args, case);
            if report.interrupted {
                let none = strategies.iter().map(|strategy| (*strategy, None));
                report.cut_short(scenario, case, none, &wanted);
                continue;
            }
            let (swept, prepared) =
                sweep_case(args, (file, scenario, case), &strategies, jobs, around, &patience);
            report.interrupted |= around.stop.load(Ordering::Relaxed);
            if report.interrupted {
                let begun = swept.strategies.iter().map(Some).chain(std::iter::repeat(None));
                report.cut_short(scenario, case, strategies.iter().copied().zip(begun), &wanted);
            }
            let case = swept;
            if args.format == Format::Human {
                let mut said = if report.cases.is_empty() { String::new() } else { "\n\n".into() };
                said += &text::case(&case, &look);
                said += &of_case(
                    &case,
                    prepared.iter().map(Option::as_ref),
                    args.stories,
                    if args.stories { usize::MAX } else { STORIES },
                    &|again| vec![again.command()],
                    &look,
                );
                if args.out.is_some() { told += &said } else { put(stdout, &said)? }
            }
            report.cases.push(case);
        }
    }
    patience();
    let exit = exit_of(&report);
    let whole = match args.format {
        Format::Human => {
            let never = trouble::never_struck(&report, &look);
            format!("{told}{never}\n{}", text::closing(&report, exit.code(), &look))
        }
        Format::Json => json::json(&report),
        Format::Jsonl => json::jsonl(&report),
        Format::Junit => junit::junit(&report),
    };
    match &args.out {
        Some(path) => {
            write_file(path, &whole, stderr)?;
            let closing = text::closing(&report, exit.code(), &Look { colour: false, ..look });
            let _ = write!(stderr, "{closing}");
        }
        None => put(stdout, &whole)?,
    }
    if args.format != Format::Human {
        // Programs find it in the report; whoever reads the log should not have to.
        let _ = write!(stderr, "{}", trouble::never_struck(&report, &Look { colour: false, ..look }));
    }
    // In one piece: nothing lies between this and the terminal that would put pieces together.
    let _ = stderr.write_all(speed(report.runs(), began.elapsed()).as_bytes());
    around.leave((scenarios, report));
    Ok(exit)
}

fn exit_of(report: &Report) -> Exit {
    let code = report.exit_code();
    Exit::ALL.iter().map(|(exit, _)| *exit).find(|exit| exit.code() == code).unwrap_or(Exit::Internal)
}

/// Names that select nothing are mistakes, each of them.
fn select(scenarios: &[(String, Scenario)], args: &RunArgs, stderr: &mut dyn Write) -> Result<(), Exit> {
    let cases = || scenarios.iter().flat_map(|(_, scenario)| &scenario.cases);
    let mut missing = false;
    if let Some(name) = &args.case
        && !cases().any(|case| is_case(case, Some(name)))
    {
        unknown("case", name, &case_names(cases()), stderr);
        missing = true;
    }
    let known = strategy_names(cases());
    for name in args.strategy.iter().filter(|name| !known.contains(name)) {
        unknown("strategy", name, &known, stderr);
        missing = true;
    }
    let any =
        cases().any(|case| is_case(case, args.case.as_deref()) && !chosen(case, &args.strategy).is_empty());
    if !any && !missing {
        let _ = writeln!(stderr, "error: nothing is selected: no chosen case has a chosen strategy");
    }
    if missing || !any { Err(Exit::NothingSelected) } else { Ok(()) }
}

fn seeds(args: &RunArgs, case: &Case) -> Range<u64> {
    match (args.seed, &args.seeds) {
        (Some(seed), _) => seed..seed.saturating_add(1),
        (None, Some(range)) => range.clone(),
        (None, None) => 0..case.seeds.unwrap_or(SEEDS),
    }
}

/// Sweeps all chosen strategies of a case. What is needed to tell stories is kept of those that have some; the memory of the
/// others is used again, which spares a short run a third of it.
fn sweep_case(
    args: &RunArgs,
    (file, scenario, case): (&str, &Scenario, &Case),
    strategies: &[&StrategyCase],
    jobs: usize,
    around: &Surroundings<'_>,
    patience: &(dyn Fn() + Sync),
) -> (CaseReport, Vec<Option<Prepared>>) {
    let seeds = seeds(args, case);
    let mut report = CaseReport {
        file: file.to_owned(),
        name: scenario.name.clone(),
        about: case.about.clone().or_else(|| scenario.about.clone()),
        digest: scenario.digest,
        case: case.name.clone(),
        seeds: case.seeds_of(seeds.clone()),
        invariants: InvariantName::all(&case.invariants),
        strategies: Vec::new(),
    };
    let mut all = Vec::new();
    for strategy in strategies {
        if around.stop.load(Ordering::Relaxed) {
            break;
        }
        patience();
        let prepared = Prepared::of(strategy);
        let label = around.watched.then(|| safe(&format!("{} {}", text::title(&report), strategy.name)));
        let own = strategy.model.weather.seeds(seeds.clone());
        let progress = Progress::new(label, own.end.saturating_sub(own.start));
        let done = |n| {
            patience();
            progress.more(n);
        };
        let swept = sweep(&prepared, seeds.clone(), jobs, &done, around.stop);
        progress.clear();
        let about = strategy.about.clone();
        let of = StrategyReport::new(&prepared, about, strategy.rewritten, swept.as_ref());
        all.push(has_story(&of, args.stories).then_some(prepared));
        report.strategies.push(of);
    }
    (report, all)
}

fn speed(runs: u64, took: Duration) -> String {
    let seconds = took.as_secs_f64().max(1e-6);
    format!(
        "{} in {seconds:.1} s, {} a second\n",
        count(runs, "run"),
        grouped((runs as f64 / seconds) as u64)
    )
}

/// A line on the terminal that says how far a sweep is. Nothing at all where nobody looks.
struct Progress {
    /// What is said before it; `None`: nobody looks.
    label: Option<String>,
    total: u64,
    state: Mutex<(u64, Instant, Option<Instant>)>,
}

impl Progress {
    fn new(label: Option<String>, total: u64) -> Progress {
        Progress { label, total, state: Mutex::new((0, Instant::now(), None)) }
    }

    fn more(&self, n: u64) {
        // Nobody sees more than a few changes a second.
        const PAUSE: Duration = Duration::from_millis(100);
        let Some(label) = &self.label else { return };
        let Ok(mut state) = self.state.lock() else { return };
        state.0 += n;
        let now = Instant::now();
        let first = state.2.is_none() && now - state.1 < PAUSE;
        if first || state.2.is_some_and(|last| now - last < PAUSE) {
            return;
        }
        state.2 = Some(now);
        let rate = state.0 as f64 / (now - state.1).as_secs_f64().max(1e-6);
        let left = self.total.saturating_sub(state.0) as f64 / rate.max(1e-6);
        let line = format!(
            "{label}  {} of {} seeds, {} a second, {left:.0} s left",
            grouped(state.0),
            grouped(self.total),
            grouped(rate as u64)
        );
        let _ = write!(std::io::stderr(), "\r{line}\u{1b}[K");
    }

    fn clear(&self) {
        if self.state.lock().is_ok_and(|state| state.2.is_some()) {
            let _ = write!(std::io::stderr(), "\r\u{1b}[K");
        }
    }
}
