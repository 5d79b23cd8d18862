//! A replayed run as text: the stories of what broke, the lanes, and the line that shows it again.

use super::lanes::lanes_of;
use super::look::{Look, Tone, wrap};
use super::scene::Scene;
use super::story::{parties, tell_in};
use super::summary::{CaseReport, CellReport, StrategyReport};
use super::text::title;
use super::words::{count, counted, safe, shell};
use crate::check::Finding;
use crate::explore::{Prepared, Replay};

/// What is needed to show a run again.
#[derive(Clone, Copy, Debug)]
pub struct Again<'a> {
    /// The path of the scenario.
    pub file: &'a str,
    /// The name of the strategy.
    pub strategy: &'a str,
    /// The name of the case; `None`: the file as written.
    pub case: Option<&'a str>,
    /// The seed.
    pub seed: u64,
}

impl Again<'_> {
    /// The command that shows it.
    pub fn command(&self) -> String {
        let case = self.case.map(|case| format!(" --case {}", shell(case))).unwrap_or_default();
        let (file, strategy) = (shell(self.file), shell(self.strategy));
        // A file whose name looks like a flag must not be taken for one.
        let file = if file.starts_with('-') { format!("./{file}") } else { file };
        format!("halfway replay {file} --strategy {strategy}{case} --seed {}", self.seed)
    }
}

/// The first finding of each of the given invariants.
fn findings<'r>(replay: &'r Replay, invariants: &[usize]) -> Vec<(usize, &'r Finding, u64)> {
    let runs = &replay.run.verdict.invariants;
    let first = |&at: &usize| {
        let run = runs.get(at)?;
        Some((at, run.findings.first()?, run.violations.max(1)))
    };
    invariants.iter().filter_map(first).collect()
}

/// The stories of the given invariants in a replayed run, one for each set of intents that findings are about. `head`
/// says which run it is; if it is to be brief, what is nobody's doing gets no picture beside others.
pub fn stories(
    prepared: &Prepared,
    replay: &Replay,
    invariants: &[usize],
    (head, brief): (&str, bool),
    look: &Look,
) -> String {
    let mut groups: Vec<Vec<(usize, &Finding, u64)>> = Vec::new();
    for found in findings(replay, invariants) {
        let about = parties(found.1);
        match groups.iter_mut().find(|group| parties(group[0].1) == about) {
            Some(group) => group.push(found),
            None => groups.push(vec![found]),
        }
    }
    if groups.is_empty() {
        return String::new();
    }
    let mut scene = Scene::new(prepared, replay);
    let mut out = String::new();
    for group in groups {
        let is_first = out.is_empty();
        if !is_first {
            out.push('\n');
        }
        let name = |at: usize| prepared.invariants.get(at).map_or("?", |one| one.name.as_str());
        for (at, _, times) in &group {
            let stuck = replay.run.verdict.invariants.get(*at).is_some_and(|run| run.violations == 0);
            let what = if stuck { "stuck" } else { "broken" };
            let more = match times {
                1 => String::new(),
                n => format!(", the first of {} in this run", count(*n, "violation")),
            };
            let heading = format!("{} is {what}{head}{more}", safe(name(*at)));
            for (n, line) in wrap(&look.plain(&heading), look.width - 2).iter().enumerate() {
                let indent = if n == 0 { "" } else { "  " };
                out.push_str(&format!("{indent}{}\n", look.paint(Tone::Strong, line)));
            }
        }
        let told: Vec<(usize, &Finding)> = group.iter().map(|(at, finding, _)| (*at, *finding)).collect();
        let (story, cast) = tell_in(&mut scene, prepared, replay, &told);
        out.push_str(&story.render(look));
        out.push('\n');
        if brief && !is_first && cast.parties.is_empty() {
            out.push_str("  No single intent is to blame; the whole run is shown by --all.\n");
            continue;
        }
        let named: Vec<(&str, &Finding)> = told.iter().map(|(at, finding)| (name(*at), *finding)).collect();
        out.push_str(&lanes_of(&mut scene, cast, &named, look));
    }
    out
}

/// Whether a cell has a story: it is a finding, or it is bad and all are to be told.
fn is_told(cell: &CellReport, all: bool) -> bool {
    cell.is_finding() || (all && cell.is_bad())
}

/// Whether there may be a story of a strategy, for which it must be at hand.
pub fn has_story(strategy: &StrategyReport, all: bool) -> bool {
    strategy.cells.iter().any(|cell| is_told(cell, all))
}

/// The stories of unexpected (or all) bad cells of a case, first failing seeds only. Of `prepared` there is one for each
/// strategy; those without a story need not be there. `show_again` gives the lines that follow a story and say how to see
/// it again.
pub fn of_case<'p>(
    case: &CaseReport,
    prepared: impl IntoIterator<Item = Option<&'p Prepared>>,
    all: bool,
    most: usize,
    show_again: &dyn Fn(&Again<'_>) -> Vec<String>,
    look: &Look,
) -> String {
    let mut out = String::new();
    let mut told = 0;
    let mut untold = 0;
    for (strategy, prepared) in case.strategies.iter().zip(prepared) {
        let Some(prepared) = prepared else { continue };
        let mut seeds: Vec<(u64, Vec<usize>)> = Vec::new();
        for (at, cell) in strategy.cells.iter().enumerate() {
            let Some(seed) = cell.first_seed.filter(|_| is_told(cell, all)) else { continue };
            match seeds.iter_mut().find(|(known, _)| *known == seed) {
                Some((_, invariants)) => invariants.push(at),
                None => seeds.push((seed, vec![at])),
            }
        }
        for (seed, invariants) in seeds {
            if told >= most {
                untold += invariants.len() as u64;
                continue;
            }
            let Some(replay) = prepared.replay(seed) else { continue };
            let head = format!(" under {} in {}, seed {seed}", safe(&strategy.name), title(case));
            let text = stories(prepared, &replay, &invariants, (&head, true), look);
            if text.is_empty() {
                continue;
            }
            let again =
                Again { file: &case.file, strategy: &strategy.name, case: case.case.as_deref(), seed };
            out.push_str(&format!("\n{text}\n"));
            for line in show_again(&again) {
                out.push_str(&format!("  {}\n", look.paint(Tone::Strong, &line)));
            }
            told += 1;
        }
    }
    if untold > 0 {
        out.push_str(&format!("\n{} more: --stories tells all\n", counted(untold, "story", "stories")));
    }
    out
}
