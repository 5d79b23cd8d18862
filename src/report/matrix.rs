//! The matrix as text: a row for each strategy, a column for each invariant, in each cell a verdict and a rate.
//!
//! Small letters are as expected, capitals are not. A table that is too wide first gives up the bounds in its cells, which
//! then stand below, and at last is cut into tables one below the other.

use super::look::{Look, Tone, columns_of, padded};
use super::summary::{CaseReport, CellReport, StrategyReport};
use super::words::{below, grouped, percent, safe};
use crate::explore::CellStatus;
use crate::model::invariant::Verdict;

/// Columns between two columns of the table.
const GAP: usize = 2;
/// Names of strategies are cut beyond this.
const NAME: usize = 28;
/// Headings are broken into lines of at most so many columns, where cells are narrower: if need be, and if there is room.
const HEADING: (usize, usize) = (8, 12);

/// A cell's text.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Shown {
    text: String,
    tone: Tone,
}

/// The table of a case with the explanation of its signs.
pub fn matrix(case: &CaseReport, look: &Look) -> String {
    let mut out = String::new();
    let fits = |&(bounds, heading): &(bool, usize)| {
        let layout = Layout::new(case, look, bounds, heading);
        (layout.width() <= look.width).then_some(layout)
    };
    let tries = [(true, HEADING.1), (true, HEADING.0), (false, HEADING.1), (false, HEADING.0)];
    let layout = tries.iter().find_map(fits).unwrap_or_else(|| Layout::new(case, look, false, HEADING.1));
    for columns in layout.blocks(look.width) {
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(&layout.table(case, look, &columns));
    }
    out.push_str(&legend(case, look, layout.bounds));
    out
}

struct Layout {
    /// The bounds stand in the cells.
    bounds: bool,
    names: usize,
    headings: Vec<Vec<String>>,
    cells: Vec<Vec<Shown>>,
    columns: Vec<usize>,
}

impl Layout {
    fn new(case: &CaseReport, look: &Look, bounds: bool, narrowest: usize) -> Layout {
        let name = |strategy: &StrategyReport| columns_of(&row_name(strategy, look));
        let names = case.strategies.iter().map(name).max().unwrap_or(0).max("strategy".len());
        let cells: Vec<Vec<Shown>> = case
            .strategies
            .iter()
            .map(|strategy| strategy.cells.iter().map(|cell| shown(cell, bounds)).collect())
            .collect();
        let mut headings = Vec::new();
        let mut columns = Vec::new();
        for (at, invariant) in case.invariants.iter().enumerate() {
            let column = cells.iter().filter_map(|row| row.get(at));
            let wide = column.map(|cell| columns_of(&cell.text)).max().unwrap_or(0);
            let heading = heading(&look.plain(&safe(&invariant.name)), wide.max(narrowest));
            columns.push(heading.iter().map(|line| columns_of(line)).max().unwrap_or(0).max(wide));
            headings.push(heading);
        }
        Layout { bounds, names, headings, cells, columns }
    }

    fn width(&self) -> usize {
        self.names + self.columns.iter().map(|wide| GAP + wide).sum::<usize>()
    }

    /// The columns of each table that fits.
    fn blocks(&self, width: usize) -> Vec<Vec<usize>> {
        let mut blocks: Vec<Vec<usize>> = vec![Vec::new()];
        let mut used = self.names;
        for (at, wide) in self.columns.iter().enumerate() {
            if used + GAP + wide > width && blocks.last().is_some_and(|block| !block.is_empty()) {
                blocks.push(Vec::new());
                used = self.names;
            }
            used += GAP + wide;
            if let Some(block) = blocks.last_mut() {
                block.push(at);
            }
        }
        blocks
    }

    fn table(&self, case: &CaseReport, look: &Look, columns: &[usize]) -> String {
        let mut out = String::new();
        let lines = columns.iter().map(|&at| self.headings[at].len()).max().unwrap_or(0);
        for line in 0..lines {
            let mut text = " ".repeat(self.names);
            for &at in columns {
                // Short headings stand at the bottom, next to their column.
                let heading = &self.headings[at];
                let own = (line + heading.len()).checked_sub(lines).and_then(|n| heading.get(n));
                let own = own.map_or("", String::as_str);
                text.push_str(&format!("{}{}", " ".repeat(GAP), padded(own, own, self.columns[at])));
            }
            out.push_str(&format!("{}\n", look.paint(Tone::Strong, text.trim_end())));
        }
        for (strategy, row) in case.strategies.iter().zip(&self.cells) {
            let name = row_name(strategy, look);
            let mut text = padded(&name, &name, self.names);
            for (n, &at) in columns.iter().enumerate() {
                let Some(cell) = row.get(at) else { continue };
                let last = n + 1 == columns.len();
                let painted = look.paint(cell.tone, &cell.text);
                let room = if last { 0 } else { self.columns[at] };
                text.push_str(&format!("{}{}", " ".repeat(GAP), padded(&painted, &cell.text, room)));
            }
            out.push_str(text.trim_end());
            out.push('\n');
        }
        out
    }
}

/// A name with its mark, for the left side of a table.
pub(super) fn row_name(strategy: &StrategyReport, look: &Look) -> String {
    let mark = if strategy.rewritten { " ~" } else { "" };
    format!("{}{mark}", look.fit(&safe(&strategy.name), NAME))
}

/// A name in lines of at most so many columns, broken at blanks and behind hyphens and underscores.
fn heading(name: &str, columns: usize) -> Vec<String> {
    let mut pieces: Vec<String> = vec![String::new()];
    for c in name.chars() {
        if let Some(piece) = pieces.last_mut() {
            piece.push(c);
        }
        if matches!(c, ' ' | '-' | '_') {
            pieces.push(String::new());
        }
    }
    let mut lines: Vec<String> = vec![String::new()];
    for piece in pieces {
        let used = lines.last().map_or(0, |line| columns_of(line));
        if used > 0 && used + columns_of(piece.trim_end()) > columns {
            lines.push(String::new());
        }
        for line in super::look::wrap(&piece, columns).into_iter().enumerate() {
            match (line, lines.last_mut()) {
                ((0, text), Some(last)) => last.push_str(&text),
                ((_, text), _) => lines.push(text),
            }
        }
    }
    lines.into_iter().map(|line| line.trim_end().to_owned()).collect()
}

fn shown(cell: &CellReport, bounds: bool) -> Shown {
    let rate = || percent(cell.violating, cell.runs);
    let missed = cell.cell.status == CellStatus::Missed;
    let doubtful = cell.cell.status == CellStatus::Inconclusive;
    let as_expected = cell.cell.status == CellStatus::Expected;
    // A file may leave a cell open; then whatever shows there is no alarm.
    let calm = as_expected || cell.cell.status == CellStatus::Unremarkable;
    let (text, tone) = match cell.cell.verdict {
        Verdict::Violated if calm => (format!("violated {}", rate()), Tone::Plain),
        Verdict::Violated => (format!("VIOLATED {}", rate()), Tone::Bad),
        Verdict::Stuck if calm => (format!("stuck {}", rate()), Tone::Plain),
        Verdict::Stuck => (format!("STUCK {}", rate()), Tone::Bad),
        Verdict::Error => ("ERROR".into(), Tone::Bad),
        Verdict::Holds if bounds && !cell.one_history => (format!("holds {}", below(cell.runs)), Tone::Good),
        Verdict::Holds => ("holds".into(), Tone::Good),
        Verdict::Inconclusive => ("inconcl.".into(), if doubtful { Tone::Doubtful } else { Tone::Faint }),
        Verdict::NotApplicable => ("n/a".into(), Tone::Faint),
    };
    let (mark, tone) = match (missed || cell.is_finding(), doubtful) {
        (true, _) => ("!", Tone::Bad),
        (false, true) => ("?", Tone::Doubtful),
        (false, false) if as_expected && cell.is_bad() => ("*", tone),
        (false, false) => ("", tone),
    };
    Shown { text: format!("{text}{mark}"), tone }
}

/// What the signs of this table mean.
fn legend(case: &CaseReport, look: &Look, bounds: bool) -> String {
    let cells = || case.strategies.iter().flat_map(|strategy| &strategy.cells);
    let any = |test: &dyn Fn(&CellReport) -> bool| cells().any(test);
    let mut words = Vec::new();
    if any(&|cell| cell.is_bad() && cell.cell.status == CellStatus::Expected) {
        words.push("* as the file expects".to_owned());
    }
    if any(&|cell| cell.is_finding() || cell.cell.status == CellStatus::Missed) {
        words.push("! not as expected".into());
    }
    if any(&|cell| cell.cell.status == CellStatus::Inconclusive) {
        words.push("? too little seen".into());
    }
    if case.strategies.iter().any(|strategy| strategy.rewritten) {
        words.push("~ with a body of its own".into());
    }
    if any(&|cell| cell.cell.verdict == Verdict::Error) {
        words.push("ERROR has no value in some run".into());
    }
    if case.strategies.iter().any(|strategy| strategy.one_history) {
        words.push("holds without a bound: one history, whatever the seed".into());
    }
    let bounded = |cell: &&CellReport| cell.cell.verdict == Verdict::Holds && !cell.one_history;
    if cells().any(|cell| bounded(&cell)) {
        let runs = cells().filter(bounded).map(|cell| cell.runs);
        let (least, most) = (runs.clone().min().unwrap_or(0), runs.max().unwrap_or(0));
        let bound = match (bounds, least == most) {
            (true, _) => String::new(),
            (false, true) => format!("holds: 0 of {}, so {} of runs (95%)", grouped(most), below(most)),
            (false, false) => {
                format!("holds: 0 of {} or more, so {} of runs (95%)", grouped(least), below(least))
            }
        };
        words.push(if bounds { "holds <x%: none seen, fewer than x% of runs (95%)".into() } else { bound });
    }
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        match lines.last_mut() {
            Some(line) if columns_of(line) + 3 + columns_of(&word) <= look.width => {
                line.push_str(&format!("   {word}"))
            }
            _ => lines.push(word),
        }
    }
    lines.iter().map(|line| format!("{}\n", look.paint(Tone::Faint, line))).collect()
}
