//! A whole case as text: its heading, the matrix, what was missed, the costs. And the last line of a run.
//!
//! Stories and lanes of findings follow it; whoever replays seeds puts them there.

use super::costs::costs;
use super::look::{Look, Tone, wrap};
use super::matrix::matrix;
use super::summary::{CaseReport, CellReport, Ending, InvariantName, Report, StrategyReport, fact_status};
use super::trouble;
use super::words::{count, counted, grouped, list, safe};
use crate::explore::{Cell, CellStatus};
use crate::model::invariant::Verdict;

/// `payment-lost-ack`, or `payment-lost-ack, case scripted`.
pub fn title(case: &CaseReport) -> String {
    match &case.case {
        Some(of) => format!("{}, case {}", safe(&case.name), safe(of)),
        None => safe(&case.name),
    }
}

/// A case without the stories.
pub fn case(case: &CaseReport, look: &Look) -> String {
    let mut out = verdicts(case, look);
    let costs = costs(case, look);
    if !costs.is_empty() {
        out.push('\n');
        out.push_str(&costs);
    }
    out
}

/// A case without stories and costs: its heading, the matrix, and what is not as expected.
pub fn verdicts(case: &CaseReport, look: &Look) -> String {
    let seeds = case.seeds.end - case.seeds.start;
    let seeds = match seeds {
        1 => format!("seed {}", case.seeds.start),
        n => format!("{} seeds from {}", grouped(n), grouped(case.seeds.start)),
    };
    let one = !case.strategies.is_empty() && case.strategies.iter().all(|strategy| strategy.one_history);
    let seeds = match case.strategies.iter().all(|strategy| strategy.costs.runs == 1) {
        true if one => "one history, whatever the seed".to_owned(),
        false if one => format!("{seeds}, one history"),
        _ => seeds,
    };
    let mut out = format!("{}  {seeds}\n", look.paint(Tone::Strong, &look.plain(&title(case))));
    for line in case.about.iter().flat_map(|about| wrap(&look.plain(&safe(about)), look.width)) {
        look.put(&mut out, Tone::Faint, &line);
        out.push('\n');
    }
    out.push('\n');
    if case.invariants.is_empty() {
        out.push_str("No invariant is stated: nothing can be said about integrity.\n");
    } else {
        out.push_str(&matrix(case, look));
    }
    let notes = notes(case, look);
    if !notes.is_empty() {
        out.push('\n');
        out.push_str(&notes);
    }
    out.push_str(&trouble::of_case(case, look));
    out
}

/// What cannot be carried out, what was expected and did not come, what says nothing.
fn notes(case: &CaseReport, look: &Look) -> String {
    let mut out = String::new();
    let mut note =
        |tone: Tone, mark: &str, text: String| out.push_str(&trouble::note(tone, mark, &text, look));
    let open = open(case);
    if case.says_nothing() {
        let cells = case.strategies.iter().flat_map(|strategy| strategy.cells.iter().zip(&case.invariants));
        let mut all = cells.filter(|(cell, _)| cell.cell.verdict == Verdict::Inconclusive);
        let why = all.next().map(|(cell, of)| format!("{}: {}", safe(&of.name), unearned(cell, of)));
        let why = why.unwrap_or_else(|| "nothing is asked, or nothing could be carried out".into());
        note(Tone::Doubtful, "?", format!("no cell is earned, so nothing can be said; {why}"));
    }
    for Open { doubt, of, under } in open {
        let all = under.len() == case.strategies.len() && under.len() > 1;
        let under = if all { "all strategies".to_owned() } else { list(&under) };
        let (names, why) = match of[..] {
            [one] => (safe(&one.name), doubt.of(one)),
            _ => (list(&of.iter().map(|one| safe(&one.name)).collect::<Vec<_>>()), doubt.of_many().into()),
        };
        note(Tone::Faint, "-", format!("inconclusive under {under}: {names}; {why}"));
    }
    for strategy in &case.strategies {
        let name = safe(&strategy.name);
        for why in &strategy.cannot {
            note(Tone::Faint, "-", format!("{name} cannot carry this out: {}", safe(why)));
        }
        for (seed, said) in &strategy.panics {
            note(Tone::Bad, "!", format!("{name} panicked in seed {seed}: {}", safe(said)));
        }
        for (seed, said) in &strategy.halted {
            note(Tone::Bad, "!", format!("{name}: seed {seed} ends early: {}", safe(said)));
        }
        if let Some(text) = trouble::spent(case, strategy) {
            note(Tone::Bad, "!", text);
        }
        expectations(case, strategy, &mut note);
        for fact in &strategy.facts {
            let status = fact_status(fact);
            if status == CellStatus::Expected {
                continue;
            }
            let text = safe(&fact.text);
            let seed = fact.seed.map(|seed| format!(" (seed {seed})")).unwrap_or_default();
            // What fails has no value, which is another fault than being false.
            let text = match fact.void {
                Some(seed) if fact.sometimes => format!("{text} (without a value in seed {seed})"),
                _ => text,
            };
            match (status, fact.sometimes) {
                (CellStatus::Missed, false) if fact.void.is_some() => {
                    note(Tone::Bad, "!", format!("{name}: without a value{seed}: {text}"));
                }
                (CellStatus::Missed, true) => {
                    note(Tone::Bad, "!", format!("{name}: never true, expected sometimes: {text}"))
                }
                (CellStatus::Inconclusive, _) => {
                    note(Tone::Doubtful, "?", format!("{name}: not true yet, expected sometimes: {text}"));
                }
                (CellStatus::Missed, false) => {
                    note(Tone::Bad, "!", format!("{name}: not true{seed}: {text}"))
                }
                _ => {}
            }
        }
    }
    out
}

/// Why a cell is inconclusive.
#[derive(Clone, Copy, PartialEq)]
enum Doubt {
    Unexamined,
    Unharmed,
    Unended,
}

impl Doubt {
    fn about(cell: &CellReport) -> Option<Doubt> {
        match (cell.cell.verdict, cell.obligations, cell.hazards) {
            (Verdict::Inconclusive, 0, _) => Some(Doubt::Unexamined),
            (Verdict::Inconclusive, _, 0) => Some(Doubt::Unharmed),
            (Verdict::Inconclusive, ..) => Some(Doubt::Unended),
            _ => None,
        }
    }

    /// In words, of one invariant: what never happened is told.
    fn of(self, invariant: &InvariantName) -> String {
        match self {
            Doubt::Unharmed => {
                let needs = invariant.needs.join(", ");
                format!("nothing happened to its tables that could have broken it ({needs})")
            }
            _ => self.of_many().into(),
        }
    }

    /// Of several, each of which something else could break.
    fn of_many(self) -> &'static str {
        match self {
            Doubt::Unexamined => "nothing was there to be examined",
            Doubt::Unharmed => "nothing happened to their tables that could have broken them",
            Doubt::Unended => "no intent came to an end other than by a slip of an operation",
        }
    }
}

/// Invariants that are inconclusive although nothing is expected of them: why, and under which strategies.
struct Open<'c> {
    doubt: Doubt,
    of: Vec<&'c InvariantName>,
    under: Vec<String>,
}

/// All of them; those that are so for the same reason under the same strategies are told together.
fn open(case: &CaseReport) -> Vec<Open<'_>> {
    let mut all: Vec<Open<'_>> = Vec::new();
    for (at, invariant) in case.invariants.iter().enumerate() {
        for wanted in [Doubt::Unexamined, Doubt::Unharmed, Doubt::Unended] {
            let is_open =
                |cell: &CellReport| cell.cell.expected.is_none() && Doubt::about(cell) == Some(wanted);
            let under = case.strategies.iter().filter(|strategy| strategy.cells.get(at).is_some_and(is_open));
            let under: Vec<String> = under.map(|strategy| safe(&strategy.name)).collect();
            match all.iter_mut().find(|open| open.doubt == wanted && open.under == under) {
                _ if under.is_empty() => {}
                Some(open) => open.of.push(invariant),
                None => all.push(Open { doubt: wanted, of: vec![invariant], under }),
            }
        }
    }
    all
}

/// Expectations that were not met, one line each.
fn expectations(case: &CaseReport, strategy: &StrategyReport, note: &mut impl FnMut(Tone, &str, String)) {
    // Mostly there is nothing to tell, and then nothing is put into words.
    let told = |cell: &Cell| {
        let unmet =
            matches!(cell.status, CellStatus::Missed | CellStatus::Finding | CellStatus::Inconclusive);
        unmet && cell.expected.is_some()
    };
    let name = safe(&strategy.name);
    for (cell, invariant) in strategy.cells.iter().zip(&case.invariants).filter(|(cell, _)| told(&cell.cell))
    {
        let seed = cell.first_seed.map(|seed| format!(", first in seed {seed}")).unwrap_or_default();
        let of = safe(&invariant.name);
        expectation(&cell.cell, &format!("{name}: {of}"), &seed, &unearned(cell, invariant), note);
    }
    if let Some(cell) = &strategy.overall {
        expectation(cell, &format!("{name}: all invariants together"), "", "", note);
    }
}

/// Why a cell may not say that its invariant holds.
fn unearned(cell: &CellReport, invariant: &InvariantName) -> String {
    Doubt::about(cell).map_or_else(|| "more seeds may tell".into(), |doubt| doubt.of(invariant))
}

fn expectation(cell: &Cell, of: &str, seed: &str, why: &str, note: &mut impl FnMut(Tone, &str, String)) {
    let Some(wanted) = cell.expected else { return };
    let (got, wanted) = (cell.verdict.word(), wanted.word());
    match cell.status {
        CellStatus::Missed | CellStatus::Finding => {
            note(Tone::Bad, "!", format!("{of}: expected {wanted}, got {got}{seed}"));
        }
        CellStatus::Inconclusive => {
            let why = if why.is_empty() { String::new() } else { format!(": {why}") };
            note(Tone::Doubtful, "?", format!("{of}: expected {wanted}, {got} so far{why}"));
        }
        CellStatus::Expected | CellStatus::Unremarkable => {}
    }
}

/// The last line: how much was run, what came out, and what the exit code says.
pub fn closing(report: &Report, code: u8, look: &Look) -> String {
    let all: Vec<CellStatus> = report.strategies().flat_map(StrategyReport::statuses).collect();
    let number = |wanted: &[CellStatus]| all.iter().filter(|status| wanted.contains(status)).count() as u64;
    let findings = number(&[CellStatus::Finding]);
    let missed = number(&[CellStatus::Missed]);
    let doubtful = number(&[CellStatus::Inconclusive]);
    let mut parts = vec![counted(report.cases.len() as u64, "case", "cases"), count(report.runs(), "run")];
    for (n, noun) in [(findings, "finding"), (missed, "missed expectation")] {
        if n > 0 {
            parts.push(count(n, noun));
        }
    }
    if doubtful > 0 {
        parts.push(format!("{doubtful} inconclusive"));
    }
    if !report.rejected.is_empty() {
        parts.push(format!("{} rejected", counted(report.rejected.len() as u64, "file", "files")));
    }
    let (tone, end) = match report.ending() {
        _ if report.interrupted => (Tone::Doubtful, "interrupted"),
        Ending::AsExpected => (Tone::Good, "all as expected"),
        Ending::Inconclusive => (Tone::Doubtful, "inconclusive"),
        Ending::Finding => (Tone::Bad, "not as expected"),
        Ending::Unsound => (Tone::Bad, unsound(report)),
        Ending::Panicked => (Tone::Bad, "a run panicked"),
    };
    format!("{}: {} (exit {code})\n", parts.join(", "), look.paint(tone, end))
}

/// Why a scenario is at fault.
pub fn unsound(report: &Report) -> &'static str {
    match report.strategies().all(|strategy| strategy.broken.is_empty()) {
        true if !report.rejected.is_empty() => "a scenario cannot be run",
        true => "a fault never strikes",
        false => "an invariant could not be evaluated",
    }
}
