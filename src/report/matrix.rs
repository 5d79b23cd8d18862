//! The matrix as text: a row for each strategy, a column for each invariant, in each cell a verdict and a rate.
//!
//! Small letters are as expected, capitals are not. A table that is too wide first gives up the bounds in its cells, which
//! then stand below, and at last is cut into tables one below the other.

use std::cell::OnceCell;

use super::look::{Look, Tone, blanks, columns_of, trim, wrap};
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
/// A word of a heading is broken only beyond this.
const WORD: usize = 18;

/// A cell's text.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Shown {
    text: String,
    wide: usize,
    tone: Tone,
}

/// The table of a case with the explanation of its signs.
pub fn matrix(case: &CaseReport, look: &Look) -> String {
    let sheet = Sheet::of(case, look);
    let mut out = String::new();
    let fits = |&(bounds, heading): &(bool, usize)| {
        // Where the cells alone are too wide the headings need not be tried.
        if sheet.width(&sheet.cells(bounds).wide) > look.width {
            return None;
        }
        let layout = Layout::new(&sheet, bounds, heading);
        (sheet.width(&layout.columns) <= look.width).then_some(layout)
    };
    let tries = [(true, HEADING.1), (true, HEADING.0), (false, HEADING.1), (false, HEADING.0)];
    let layout = tries.iter().find_map(fits).unwrap_or_else(|| Layout::new(&sheet, false, HEADING.1));
    for columns in layout.blocks(look.width) {
        if !out.is_empty() {
            out.push('\n');
        }
        layout.table(look, &columns, &mut out);
    }
    legend(case, look, layout.bounds, &mut out);
    out
}

/// What all ways to lay the table out have in common: found once, whichever of them is taken.
struct Sheet<'c> {
    case: &'c CaseReport,
    /// Names of strategies, and the columns of the longest.
    names: Vec<String>,
    longest: usize,
    /// Names of invariants.
    headings: Vec<String>,
    /// The cells without bounds and with them.
    cells: [OnceCell<Cells>; 2],
}

/// All cells, a row for each strategy, and how wide the widest of each column is.
struct Cells {
    rows: Vec<Vec<Shown>>,
    wide: Vec<usize>,
}

impl Sheet<'_> {
    fn of<'c>(case: &'c CaseReport, look: &Look) -> Sheet<'c> {
        let names: Vec<String> = case.strategies.iter().map(|strategy| row_name(strategy, look)).collect();
        let longest = names.iter().map(|name| columns_of(name)).max().unwrap_or(0).max("strategy".len());
        let headings = case.invariants.iter().map(|invariant| look.plain(&safe(&invariant.name))).collect();
        Sheet { case, names, longest, headings, cells: Default::default() }
    }

    /// How wide a table with columns so wide is.
    fn width(&self, columns: &[usize]) -> usize {
        self.longest + columns.iter().map(|wide| GAP + wide).sum::<usize>()
    }

    fn cells(&self, bounds: bool) -> &Cells {
        self.cells[usize::from(bounds)].get_or_init(|| {
            let mut wide = vec![0; self.headings.len()];
            let mut row = |strategy: &StrategyReport| -> Vec<Shown> {
                let row: Vec<Shown> = strategy.cells.iter().map(|cell| shown(cell, bounds)).collect();
                wide.iter_mut().zip(&row).for_each(|(wide, cell)| *wide = cell.wide.max(*wide));
                row
            };
            let rows = self.case.strategies.iter().map(&mut row).collect();
            Cells { rows, wide }
        })
    }
}

struct Layout<'s> {
    sheet: &'s Sheet<'s>,
    /// The bounds stand in the cells.
    bounds: bool,
    headings: Vec<Vec<String>>,
    columns: Vec<usize>,
}

impl Layout<'_> {
    fn new<'s>(sheet: &'s Sheet<'s>, bounds: bool, narrowest: usize) -> Layout<'s> {
        let mut headings = Vec::with_capacity(sheet.headings.len());
        let mut columns = Vec::with_capacity(sheet.headings.len());
        for (name, &wide) in sheet.headings.iter().zip(&sheet.cells(bounds).wide) {
            let heading = heading(name, wide.max(narrowest));
            columns.push(heading.iter().map(|line| columns_of(line)).max().unwrap_or(0).max(wide));
            headings.push(heading);
        }
        Layout { sheet, bounds, headings, columns }
    }

    /// The columns of each table that fits.
    fn blocks(&self, width: usize) -> Vec<Vec<usize>> {
        let mut blocks: Vec<Vec<usize>> = vec![Vec::new()];
        let mut used = self.sheet.longest;
        for (at, wide) in self.columns.iter().enumerate() {
            if used + GAP + wide > width && blocks.last().is_some_and(|block| !block.is_empty()) {
                blocks.push(Vec::new());
                used = self.sheet.longest;
            }
            used += GAP + wide;
            if let Some(block) = blocks.last_mut() {
                block.push(at);
            }
        }
        blocks
    }

    fn table(&self, look: &Look, columns: &[usize], out: &mut String) {
        let lines = columns.iter().map(|&at| self.headings[at].len()).max().unwrap_or(0);
        let mut text = String::new();
        for line in 0..lines {
            text.clear();
            blanks(&mut text, self.sheet.longest);
            for &at in columns {
                // Short headings stand at the bottom, next to their column.
                let heading = &self.headings[at];
                let own = (line + heading.len()).checked_sub(lines).and_then(|n| heading.get(n));
                let own = own.map_or("", String::as_str);
                blanks(&mut text, GAP);
                text.push_str(own);
                blanks(&mut text, self.columns[at].saturating_sub(columns_of(own)));
            }
            look.put(out, Tone::Strong, text.trim_end());
            out.push('\n');
        }
        for (name, row) in self.sheet.names.iter().zip(&self.sheet.cells(self.bounds).rows) {
            let from = out.len();
            out.push_str(name);
            blanks(out, self.sheet.longest.saturating_sub(columns_of(name)));
            for (n, &at) in columns.iter().enumerate() {
                let Some(cell) = row.get(at) else { continue };
                blanks(out, GAP);
                look.put(out, cell.tone, &cell.text);
                if n + 1 < columns.len() {
                    blanks(out, self.columns[at].saturating_sub(cell.wide));
                }
            }
            trim(out, from);
            out.push('\n');
        }
    }
}

/// A name with its mark, for the left side of a table.
pub(super) fn row_name(strategy: &StrategyReport, look: &Look) -> String {
    let mark = if strategy.rewritten { " ~" } else { "" };
    format!("{}{mark}", look.fit(&safe(&strategy.name), NAME))
}

/// A name in lines of at most so many columns, broken at blanks and behind hyphens and underscores; within a word only if it
/// is a very long one.
fn heading(name: &str, columns: usize) -> Vec<String> {
    const BREAKS: [char; 3] = [' ', '-', '_'];
    // Behind a name that ends in a break there is a piece of nothing.
    let last = name.ends_with(BREAKS).then_some("");
    let pieces = name.split_inclusive(BREAKS).chain(last);
    let longest = pieces.clone().map(|piece| columns_of(piece.trim_end())).max().unwrap_or(0);
    let columns = columns.max(longest.min(WORD));
    let mut lines: Vec<String> = vec![String::new()];
    for piece in pieces {
        let used = lines.last().map_or(0, |line| columns_of(line));
        if used > 0 && used + columns_of(piece.trim_end()) > columns {
            lines.push(String::new());
        }
        // The blank behind a piece stands where the line has room for it.
        for line in wrap(piece.trim_end(), columns).into_iter().enumerate() {
            match (line, lines.last_mut()) {
                ((0, text), Some(last)) => last.push_str(&text),
                ((_, text), _) => lines.push(text),
            }
        }
        if piece.ends_with(' ')
            && let Some(last) = lines.last_mut()
        {
            last.push(' ');
        }
    }
    for line in &mut lines {
        trim(line, 0);
    }
    lines
}

fn shown(cell: &CellReport, bounds: bool) -> Shown {
    let missed = cell.cell.status == CellStatus::Missed;
    let doubtful = cell.cell.status == CellStatus::Inconclusive;
    let as_expected = cell.cell.status == CellStatus::Expected;
    // A file may leave a cell open; then whatever shows there is no alarm.
    let calm = as_expected || cell.cell.status == CellStatus::Unremarkable;
    let bounded = bounds && !cell.one_history;
    let (word, tone) = match cell.cell.verdict {
        Verdict::Violated if calm => ("violated ", Tone::Plain),
        Verdict::Violated => ("VIOLATED ", Tone::Bad),
        Verdict::Stuck if calm => ("stuck ", Tone::Plain),
        Verdict::Stuck => ("STUCK ", Tone::Bad),
        Verdict::Error => ("ERROR", Tone::Bad),
        Verdict::Holds if bounded => ("holds ", Tone::Good),
        Verdict::Holds => ("holds", Tone::Good),
        Verdict::Inconclusive => ("inconcl.", if doubtful { Tone::Doubtful } else { Tone::Faint }),
        Verdict::NotApplicable => ("n/a", Tone::Faint),
    };
    let mut text = String::from(word);
    match cell.cell.verdict {
        Verdict::Violated | Verdict::Stuck => text.push_str(&percent(cell.violating, cell.runs)),
        Verdict::Holds if bounded => text.push_str(&below(cell.runs)),
        _ => {}
    }
    let (mark, tone) = match (missed || cell.is_finding(), doubtful) {
        (true, _) => ("!", Tone::Bad),
        (false, true) => ("?", Tone::Doubtful),
        (false, false) if as_expected && cell.is_bad() => ("*", tone),
        (false, false) => ("", tone),
    };
    text.push_str(mark);
    Shown { wide: columns_of(&text), text, tone }
}

/// What the signs of this table mean.
fn legend(case: &CaseReport, look: &Look, bounds: bool, out: &mut String) {
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
    if any(&|cell| cell.cell.verdict == Verdict::Holds && cell.one_history) {
        words.push("holds without a bound: one history, whatever the seed".into());
    }
    let bounded = |cell: &&CellReport| cell.cell.verdict == Verdict::Holds && !cell.one_history;
    if cells().any(|cell| bounded(&cell)) {
        let runs = cells().filter(bounded).map(|cell| cell.runs);
        let (least, most) = (runs.clone().min().unwrap_or(0), runs.max().unwrap_or(0));
        words.push(match (bounds, least == most) {
            (true, _) => "holds <x%: none seen, fewer than x% of runs (95%)".into(),
            (false, true) => format!("holds: 0 of {}, so {} of runs (95%)", grouped(most), below(most)),
            (false, false) => {
                format!("holds: 0 of {} or more, so {} of runs (95%)", grouped(least), below(least))
            }
        });
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
    for line in lines {
        look.put(out, Tone::Faint, &line);
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_broken_between_words_only() {
        assert_eq!(heading("paid is confirmed", 8), ["paid is", "confirmed"]);
        assert_eq!(heading("no-duplicate-effect", 8), ["no-", "duplicate-", "effect"]);
        assert_eq!(heading("all or nothing", 8), ["all or", "nothing"]);
        assert_eq!(heading("one", 8), ["one"]);
        // Nobody's table is made as wide as this.
        assert_eq!(heading("averyveryverylongwordindeed", 8), ["averyveryverylongw", "ordindeed"]);
    }
}
