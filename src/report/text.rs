//! A whole case as text: its heading, the matrix, what was missed, the costs. And the last line of a run.
//!
//! Stories and lanes of findings follow it; whoever replays seeds puts them there.

use super::costs::costs;
use super::look::{Look, Tone, wrap};
use super::matrix::matrix;
use super::summary::{CaseReport, Ending, Report, StrategyReport, fact_status};
use super::words::{count, counted, grouped, safe};
use crate::explore::CellStatus;

/// `payment-lost-ack`, or `payment-lost-ack, case scripted`.
pub fn title(case: &CaseReport) -> String {
    match &case.case {
        Some(of) => format!("{}, case {}", safe(&case.name), safe(of)),
        None => safe(&case.name),
    }
}

/// A case without the stories.
pub fn case(case: &CaseReport, look: &Look) -> String {
    let seeds = case.seeds.end - case.seeds.start;
    let seeds = match seeds {
        1 => format!("seed {}", case.seeds.start),
        n => format!("{} seeds from {}", grouped(n), grouped(case.seeds.start)),
    };
    let mut out = format!("{}  {seeds}\n", look.paint(Tone::Strong, &look.plain(&title(case))));
    for line in case.about.iter().flat_map(|about| wrap(&look.plain(&safe(about)), look.width)) {
        out.push_str(&format!("{}\n", look.paint(Tone::Faint, &line)));
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
    let costs = costs(case, look);
    if !costs.is_empty() {
        out.push('\n');
        out.push_str(&costs);
    }
    out
}

/// What cannot be carried out, what was expected and did not come, what could not be evaluated.
fn notes(case: &CaseReport, look: &Look) -> String {
    let mut out = String::new();
    let mut note = |tone: Tone, mark: &str, text: String| {
        for (n, line) in wrap(&look.plain(&text), look.width.saturating_sub(2)).into_iter().enumerate() {
            let mark = if n == 0 { mark } else { " " };
            out.push_str(&format!("{} {line}\n", look.paint(tone, mark)));
        }
    };
    for strategy in &case.strategies {
        let name = safe(&strategy.name);
        for why in &strategy.cannot {
            note(Tone::Faint, "-", format!("{name} cannot carry this out: {}", safe(why)));
        }
        for (seed, said) in &strategy.panics {
            note(Tone::Bad, "!", format!("{name} panicked in seed {seed}: {}", safe(said)));
        }
        for broken in &strategy.broken {
            let name_of = safe(&broken.invariant);
            note(
                Tone::Bad,
                "!",
                format!("{name}: {name_of} has no value in seed {}: {}", broken.seed, broken.why),
            );
        }
        expectations(case, strategy, &mut note);
        for fact in &strategy.facts {
            let text = safe(&fact.text);
            let seed = fact.seed.map(|seed| format!(" (seed {seed})")).unwrap_or_default();
            match (fact_status(fact), fact.sometimes) {
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

/// Expectations that were not met, one line each.
fn expectations(case: &CaseReport, strategy: &StrategyReport, note: &mut impl FnMut(Tone, &str, String)) {
    let name = safe(&strategy.name);
    let cells = strategy.cells.iter().zip(&case.invariants);
    let named = cells.map(|(cell, invariant)| (&cell.cell, safe(&invariant.name), cell.first_seed));
    let overall = strategy.overall.iter().map(|cell| (cell, "all invariants together".to_owned(), None));
    for (cell, of, seed) in named.chain(overall) {
        let Some(wanted) = cell.expected else { continue };
        let seed = seed.map(|seed| format!(", first in seed {seed}")).unwrap_or_default();
        let (got, wanted) = (cell.verdict.word(), wanted.word());
        match cell.status {
            CellStatus::Missed | CellStatus::Finding => {
                note(Tone::Bad, "!", format!("{name}: {of}: expected {wanted}, got {got}{seed}"));
            }
            CellStatus::Inconclusive => {
                note(
                    Tone::Doubtful,
                    "?",
                    format!("{name}: {of}: expected {wanted}, got {got} so far; more seeds may tell"),
                );
            }
            CellStatus::Expected | CellStatus::Unremarkable => {}
        }
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
    let (tone, end) = match report.ending() {
        _ if report.interrupted => (Tone::Doubtful, "interrupted"),
        Ending::AsExpected => (Tone::Good, "all as expected"),
        Ending::Inconclusive => (Tone::Doubtful, "inconclusive"),
        Ending::Finding => (Tone::Bad, "not as expected"),
        Ending::Unsound => (Tone::Bad, "an invariant could not be evaluated"),
        Ending::Panicked => (Tone::Bad, "a run panicked"),
    };
    format!("{}: {} (exit {code})\n", parts.join(", "), look.paint(tone, end))
}
