//! What shows only when a scenario is run and is its own fault: invariants without a value, operations that never come to
//! anything, faults that never strike. Each is told with the place where it is written.

use super::look::{Look, Tone, wrap};
use super::scene::rule_text;
use super::summary::{CaseReport, Ending, FaultReport, Report, StrategyReport, failure};
use super::telling::Again;
use super::words::{count, list, safe};
use crate::explore::{Prepared, Run};
use crate::scenario::Written;
use crate::scenario::code::Code;
use crate::scenario::problem::{Problem, Problems};
use crate::scenario::render;
use crate::scenario::source::Place;

/// From so many runs on, what is certain to strike and never did is a mistake; below, more runs may tell.
const ENOUGH_RUNS: u64 = 1000;

/// A fault rule, or a line of a script, that struck under no strategy of any case.
#[derive(Clone, Debug, PartialEq)]
pub struct NeverStruck {
    /// It.
    pub fault: FaultReport,
    /// The path of the file of its scenario as it was given.
    pub file: String,
    /// The most runs that there were of one strategy.
    pub runs: u64,
    /// Whether that is all there is: every case and every strategy was run, and enough of them.
    pub certain: bool,
    /// Every strategy has one history only: more seeds show no more.
    pub one_history: bool,
    /// Only some of the strategies and cases were run: it may strike elsewhere.
    pub selected: bool,
    /// Where its place lies.
    written: Option<Written>,
}

impl NeverStruck {
    /// Whether it is this rule, or line, of the scenario in this file.
    pub fn is(&self, file: &str, fault: &FaultReport) -> bool {
        self.file == file && self.fault.is(fault)
    }

    /// What follows from it.
    pub fn ending(&self) -> Ending {
        match (self.selected || self.fault.unlucky, self.certain) {
            (true, _) => Ending::AsExpected,
            (false, true) => Ending::Unsound,
            (false, false) => Ending::Inconclusive,
        }
    }

    fn problem(&self, place: Place) -> Problem {
        let problem = match self.ending() {
            Ending::Unsound => Problem::error(Code::NeverStrikes, place, self.message()),
            _ => Problem::warning(Code::NeverStrikes, place, self.message()),
        };
        problem.hint(self.hint())
    }

    fn message(&self) -> String {
        let rule = rule_text(&self.fault.text);
        let never = if self.fault.line { "nothing asks for" } else { "never strikes:" };
        let (runs, under) =
            (count(self.runs, "run"), if self.selected { "of what was run" } else { "of any strategy" });
        format!("{never} `{rule}`, in none of {runs} {under}")
    }

    fn hint(&self) -> &'static str {
        match (self.ending(), self.fault.unlucky) {
            (_, true) if self.one_history => {
                "its chance lets it strike nowhere in the one history that there is: give the weather another `seed`, or none"
            }
            (_, true) => "its chance is too small for so few runs: try more seeds",
            (Ending::Inconclusive, _) => "nothing was put to the test by it; more seeds may tell",
            (Ending::AsExpected, _) => "other strategies or cases may come to where it strikes",
            _ => {
                "is its point ever passed? look at `nth` (counted within one intent), `when`, `during` and `heal`"
            }
        }
    }
}

impl Report {
    /// The faults that struck nowhere. A rule that several cases share is one if it strikes in any of them; that it does
    /// not exist under some strategies is no matter.
    pub fn never_struck(&self) -> Vec<NeverStruck> {
        let mut all: Vec<NeverStruck> = Vec::new();
        let strategies =
            self.cases.iter().flat_map(|case| case.strategies.iter().map(move |one| (case, one)));
        for (case, strategy) in strategies.filter(|(_, strategy)| strategy.costs.runs > 0) {
            let runs = strategy.costs.runs;
            let enough = runs >= ENOUGH_RUNS || strategy.one_history;
            for fault in &strategy.faults {
                match all.iter_mut().find(|never| never.is(&case.file, fault)) {
                    Some(never) => {
                        never.fault.runs += fault.runs;
                        never.fault.unlucky |= fault.unlucky;
                        never.runs = never.runs.max(runs);
                        never.certain &= enough;
                        never.one_history &= strategy.one_history;
                    }
                    None => all.push(NeverStruck {
                        fault: fault.clone(),
                        file: case.file.clone(),
                        runs,
                        certain: enough,
                        one_history: strategy.one_history,
                        selected: self.selected || self.interrupted,
                        written: strategy.written.clone(),
                    }),
                }
            }
        }
        let worth = |never: &NeverStruck| match never.ending() {
            // Of few runs nobody wonders.
            Ending::AsExpected => never.certain,
            _ => never.runs > 1 || never.certain,
        };
        all.into_iter().filter(|never| never.fault.runs == 0 && worth(never)).collect()
    }
}

/// The faults that never struck, as text; empty if all did.
pub fn never_struck(report: &Report, look: &Look) -> String {
    let mut out = String::new();
    for never in report.never_struck() {
        let text = match (never.fault.place, &never.written) {
            (Some(place), Some(written)) => excerpt(never.problem(place), written, look),
            _ => {
                let text = format!("{}: {}", never.message(), never.hint());
                note(Tone::Doubtful, "?", &text, look)
            }
        };
        out += &format!("\n{text}");
    }
    out
}

/// Invariants without a value and operations that never come to anything, each once for all strategies that show it.
pub fn of_case(case: &CaseReport, look: &Look) -> String {
    let mut found: Vec<Found> = Vec::new();
    for strategy in &case.strategies {
        for broken in &strategy.broken {
            let message = format!("{} has no value: {}", safe(&broken.invariant), safe(&broken.why));
            add(&mut found, true, message, broken.place, broken.seed, strategy);
        }
        for slip in &strategy.slips {
            let (operation, reason, why) = (safe(&slip.operation), slip.reason, safe(&slip.why));
            let message = format!("{operation} never comes to anything, it ends in `{reason}`: {why}");
            add(&mut found, false, message, slip.place, slip.first_seed, strategy);
        }
    }
    found.iter().map(|found| format!("\n{}", found.text(look))).collect()
}

/// The same of one run.
pub fn of_run(prepared: &Prepared, run: &Run, look: &Look) -> String {
    let mut out = String::new();
    for broken in &run.verdict.errors {
        let name = prepared.invariants.get(broken.invariant).map_or("?", |one| one.name.as_str());
        let message = format!("{} has no value: {}", safe(name), safe(&failure(broken.failure, prepared)));
        let written = prepared.written.as_ref();
        let place = written.and_then(|written| written.invariant(name, &broken.span));
        let found = Found { invariant: true, message, place, written, seed: None, strategies: Vec::new() };
        out += &format!("{}\n", found.text(look));
    }
    out
}

/// Something found, and the strategies that show it.
struct Found<'r> {
    invariant: bool,
    message: String,
    place: Option<Place>,
    written: Option<&'r Written>,
    /// The smallest seed that shows it; `None`: the run in question does.
    seed: Option<u64>,
    strategies: Vec<String>,
}

/// Files something under what is known already, or as new.
fn add<'r>(
    found: &mut Vec<Found<'r>>,
    invariant: bool,
    message: String,
    place: Option<Place>,
    seed: u64,
    strategy: &'r StrategyReport,
) {
    let name = safe(&strategy.name);
    match found.iter_mut().find(|known| known.message == message && known.place == place) {
        Some(known) => {
            known.strategies.push(name);
            known.seed = known.seed.map(|known| known.min(seed));
        }
        None => {
            let written = strategy.written.as_ref();
            let (seed, strategies) = (Some(seed), vec![name]);
            found.push(Found { invariant, message, place, written, seed, strategies });
        }
    }
}

impl Found<'_> {
    fn text(&self, look: &Look) -> String {
        let under = match self.seed {
            Some(seed) => format!("under {}, first in seed {seed}", list(&self.strategies)),
            None => "in this run".to_owned(),
        };
        let (Some(place), Some(written)) = (self.place, self.written) else {
            let (tone, mark) = if self.invariant { (Tone::Bad, "!") } else { (Tone::Doubtful, "?") };
            return note(tone, mark, &format!("{}; {under}", self.message), look);
        };
        let problem = match self.invariant {
            true => Problem::error(Code::NoValue, place, self.message.as_str()),
            false => Problem::warning(Code::NeverSucceeds, place, self.message.as_str()),
        };
        excerpt(problem.label(under), written, look)
    }
}

fn excerpt(problem: Problem, written: &Written, look: &Look) -> String {
    let mut problems = Problems::new();
    problems.push(problem);
    let colours = if look.colour { render::Look::Coloured } else { render::Look::Plain };
    render::text_in(&problems, written.sources(), colours, look.width)
}

/// A line, broken into several if need be, with a mark in front.
pub(super) fn note(tone: Tone, mark: &str, text: &str, look: &Look) -> String {
    let lines = wrap(&look.plain(text), look.width.saturating_sub(2));
    let mark = |n: usize| if n == 0 { mark } else { " " };
    lines.into_iter().enumerate().map(|(n, line)| format!("{} {line}\n", look.paint(tone, mark(n)))).collect()
}

/// What ran out of its budget of events, in a sentence.
pub(super) fn spent(case: &CaseReport, strategy: &StrategyReport) -> Option<String> {
    let spent = strategy.spent.as_ref()?;
    let (file, strategy, seed) = (&case.file, &strategy.name, spent.first_seed);
    let again = Again { file, strategy, case: case.case.as_deref(), seed };
    Some(format!(
        "{}: {} had more than {} and {} cut short, so what would be true at rest cannot be told: either something \
         repeats itself without end, or there is too much to do for one run (then fewer clients or intents, or rarer \
         faults, make it smaller); see {}",
        safe(strategy),
        count(spent.runs, "run"),
        count(spent.events, "event"),
        if spent.runs == 1 { "was" } else { "were" },
        again.command()
    ))
}
