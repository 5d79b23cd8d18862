//! What integrity costs, as a table beside the matrix: how intents ended, and what each of them took.
//!
//! Columns in which every strategy has nothing are left out, so that a small scenario has a small table.

use super::look::{Look, Tone, blanks, columns_of, trim};
use super::matrix::row_name;
use super::summary::{CaseReport, CostReport, StrategyReport};
use super::words::{at_most, grouped, percent, ratio};
use crate::model::expr::Counter;

type Cell = fn(&CostReport) -> String;

struct Column {
    heading: [&'static str; 2],
    shown: fn(&CostReport) -> bool,
    cell: Cell,
}

fn per_intent(costs: &CostReport, n: u64) -> String {
    ratio(n, costs.count(Counter::Intents))
}

fn of_intents(costs: &CostReport, counter: Counter) -> String {
    percent(costs.count(counter), costs.count(Counter::Intents))
}

fn unfinished(costs: &CostReport) -> u64 {
    let ended =
        [Counter::Ok, Counter::Failed, Counter::Unknown].map(|counter| costs.count(counter)).iter().sum();
    costs.count(Counter::Intents).saturating_sub(ended)
}

macro_rules! counted {
    ($first:literal, $second:literal, $counter:ident) => {
        Column {
            heading: [$first, $second],
            shown: |costs| costs.count(Counter::$counter) > 0,
            cell: |costs| per_intent(costs, costs.count(Counter::$counter)),
        }
    };
}

/// How intents end, what each takes, and how long clients wait.
const COLUMNS: &[Column] = &[
    Column { heading: ["", "ok"], shown: |_| true, cell: |costs| of_intents(costs, Counter::Ok) },
    Column {
        heading: ["", "failed"],
        shown: |costs| costs.count(Counter::Failed) > 0,
        cell: |costs| of_intents(costs, Counter::Failed),
    },
    Column {
        heading: ["un-", "known"],
        shown: |costs| costs.count(Counter::Unknown) > 0,
        cell: |costs| of_intents(costs, Counter::Unknown),
    },
    Column {
        heading: ["no", "end"],
        shown: |costs| unfinished(costs) > 0,
        cell: |costs| percent(unfinished(costs), costs.count(Counter::Intents)),
    },
    counted!("re-", "quests", Attempts),
    counted!("mes-", "sages", Messages),
    Column {
        heading: ["store", "ops"],
        shown: |costs| costs.store_ops > 0,
        cell: |costs| per_intent(costs, costs.store_ops),
    },
    counted!("con-", "flicts", Conflicts),
    counted!("re-", "plays", Replays),
    counted!("un-", "done", Compensations),
    Column {
        heading: ["wait", "p50"],
        shown: |costs| costs.p50.is_some(),
        cell: |costs| costs.p50.map_or_else(|| "-".into(), at_most),
    },
    Column {
        heading: ["wait", "p99"],
        shown: |costs| costs.p99.is_some(),
        cell: |costs| costs.p99.map_or_else(|| "-".into(), at_most),
    },
    Column { heading: ["", "silent"], shown: |costs| costs.silent > 0, cell: |costs| grouped(costs.silent) },
];

/// What stands above the columns.
#[cfg(all(test, feature = "cli"))]
pub(crate) fn headings() -> impl Iterator<Item = String> {
    let whole = |[first, second]: [&str; 2]| match first.strip_suffix('-') {
        Some(first) => format!("{first}{second}"),
        None => format!("{first} {second}").trim().to_owned(),
    };
    COLUMNS.iter().map(move |column| whole(column.heading))
}

/// The table of a case.
pub fn costs(case: &CaseReport, look: &Look) -> String {
    let strategies: Vec<&StrategyReport> =
        case.strategies.iter().filter(|strategy| strategy.costs.runs > 0).collect();
    if strategies.is_empty() {
        return String::new();
    }
    let columns: Vec<&Column> = COLUMNS
        .iter()
        .filter(|column| strategies.iter().any(|strategy| (column.shown)(&strategy.costs)))
        .collect();
    let title = "per intent";
    let names: Vec<String> = strategies.iter().map(|strategy| row_name(strategy, look)).collect();
    let longest = names.iter().map(|name| columns_of(name)).max().unwrap_or(0).max(title.len());
    let cells: Vec<Vec<String>> = strategies
        .iter()
        .map(|strategy| columns.iter().map(|column| (column.cell)(&strategy.costs)).collect())
        .collect();
    let wide: Vec<usize> = columns
        .iter()
        .enumerate()
        .map(|(at, column)| {
            let cells = cells.iter().map(|row| columns_of(&row[at]));
            cells.chain(column.heading.map(str::len)).max().unwrap_or(0)
        })
        .collect();
    let width = |gap: usize| longest + wide.iter().map(|wide| wide + gap).sum::<usize>();
    // Closer together, if that is enough; else in tables one below the other.
    let gap = if width(2) > look.width && width(1) <= look.width { 1 } else { 2 };
    let mut blocks: Vec<std::ops::Range<usize>> = Vec::new();
    let mut used = longest;
    for (at, wide) in wide.iter().enumerate() {
        if at == 0 || used + gap + wide > look.width && used > longest {
            blocks.push(at..at);
            used = longest;
        }
        used += gap + wide;
        if let Some(block) = blocks.last_mut() {
            block.end = at + 1;
        }
    }
    let mut out = String::new();
    let row = |out: &mut String, left: &str, cells: &mut dyn Iterator<Item = (&str, &usize)>| {
        let from = out.len();
        out.push_str(left);
        blanks(out, longest.saturating_sub(columns_of(left)));
        for (cell, wide) in cells {
            blanks(out, gap + wide.saturating_sub(columns_of(cell)));
            out.push_str(cell);
        }
        trim(out, from);
    };
    let mut text = String::new();
    for (n, block) in blocks.iter().enumerate() {
        if n > 0 {
            out.push('\n');
        }
        for line in 0..2 {
            text.clear();
            let headings = columns[block.clone()].iter().map(|column| column.heading[line]);
            row(&mut text, if line == 1 { title } else { "" }, &mut headings.zip(&wide[block.clone()]));
            look.put(&mut out, Tone::Strong, &text);
            out.push('\n');
        }
        for (name, cells) in names.iter().zip(&cells) {
            let cells = cells[block.clone()].iter().map(String::as_str);
            row(&mut out, name, &mut cells.zip(&wide[block.clone()]));
            out.push('\n');
        }
    }
    if strategies.iter().any(|strategy| strategy.costs.p50.is_some()) {
        look.put(&mut out, Tone::Faint, "wait: upper bounds, to about a sixteenth");
        out.push('\n');
    }
    if strategies.iter().any(|strategy| strategy.costs.silent > 0) {
        let text = "silent: violations in all runs of which every client was told ok";
        look.put(&mut out, Tone::Faint, text);
        out.push('\n');
    }
    out
}
