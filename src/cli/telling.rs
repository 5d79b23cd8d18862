//! A replayed run as text: the stories of what broke, the lanes, and the line that shows it again.

use crate::check::Finding;
use crate::explore::{Prepared, Replay};
use crate::report::Look;
use crate::report::lanes::lanes;
use crate::report::look::Tone;
use crate::report::story::tell;
use crate::report::text::title;
use crate::report::words::{counted, safe, shell};
use crate::report::{CaseReport, words};

/// What is needed to show a run again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Again<'a> {
    pub(super) file: &'a str,
    pub(super) strategy: &'a str,
    pub(super) case: Option<&'a str>,
    pub(super) seed: u64,
}

impl Again<'_> {
    /// The command that shows it.
    pub(super) fn command(&self) -> String {
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

/// The stories of the given invariants in a replayed run, each with its lanes unless they were shown just before.
pub(super) fn stories(
    prepared: &Prepared,
    replay: &Replay,
    invariants: &[usize],
    head: &str,
    look: &Look,
) -> String {
    let mut out = String::new();
    let mut shown: Vec<String> = Vec::new();
    let mut pending: Option<String> = None;
    for (at, finding, times) in findings(replay, invariants) {
        let name = prepared.invariants.get(at).map_or("?", |one| one.name.as_str());
        let more = match times {
            1 => String::new(),
            n => format!(", first of {} in this run", counted(n, "violation", "violations")),
        };
        let stuck = replay.run.verdict.invariants.get(at).is_some_and(|run| run.violations == 0);
        let what = if stuck { "stuck" } else { "broken" };
        let heading = format!("{} {what} {head}{more}", safe(name));
        let story = tell(prepared, replay, at, finding);
        let picture = lanes(prepared, replay, Some((name, finding)), look);
        // Two invariants broken by the same parties have one picture, under the last of their stories.
        let cast = story.letting.join("\n");
        if let Some(picture) = pending.take().filter(|_| !shown.contains(&cast)) {
            out.push_str(&picture);
            out.push('\n');
        }
        out.push_str(&format!("{}\n", look.paint(Tone::Strong, &look.plain(&heading))));
        out.push_str(&story.render(look));
        out.push('\n');
        if !shown.contains(&cast) {
            shown = vec![cast];
            pending = Some(picture);
        }
    }
    if let Some(picture) = pending {
        out.push_str(&picture);
    }
    out
}

/// The stories of unexpected (or all) bad cells of a case, first failing seeds only.
pub(super) fn of_case(
    case: &CaseReport,
    prepared: &[Prepared],
    all: bool,
    most: usize,
    look: &Look,
) -> String {
    let mut out = String::new();
    let mut told = 0;
    let mut untold = 0;
    for (strategy, prepared) in case.strategies.iter().zip(prepared) {
        let mut seeds: Vec<(u64, Vec<usize>)> = Vec::new();
        for (at, cell) in strategy.cells.iter().enumerate() {
            let wanted = cell.is_finding() || (all && cell.is_bad());
            let Some(seed) = cell.first_seed.filter(|_| wanted) else { continue };
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
            let head = format!("under {} in {}, seed {seed}", safe(&strategy.name), title(case));
            let text = stories(prepared, &replay, &invariants, &head, look);
            if text.is_empty() {
                continue;
            }
            let again =
                Again { file: &case.file, strategy: &strategy.name, case: case.case.as_deref(), seed };
            out.push_str(&format!("\n{text}  {}\n", look.paint(Tone::Strong, &again.command())));
            told += 1;
        }
    }
    if untold > 0 {
        out.push_str(&format!(
            "\n{} more: --stories tells all\n",
            words::counted(untold, "story", "stories")
        ));
    }
    out
}
