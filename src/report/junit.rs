//! The report for build servers, in the JUnit dialect of Jenkins: a suite for each case, a test for each strategy and
//! invariant.

use super::summary::{CaseReport, CellReport, Report, Unfinished};
use super::text::title;
use super::words::{count as count_of, grouped, percent};
use crate::explore::CellStatus;

/// The report as an XML document.
pub fn junit(report: &Report) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"halfway\">\n");
    for case in &report.cases {
        suite(case, &mut out);
    }
    if report.interrupted {
        interrupted(report, &mut out);
    }
    out.push_str("</testsuites>\n");
    out
}

/// What was stopped must not pass for what was run and found good.
fn interrupted(report: &Report, out: &mut String) {
    let count = report.unfinished.len();
    out.push_str(&format!(
        "  <testsuite name=\"interrupted\" tests=\"{count}\" failures=\"0\" skipped=\"0\" errors=\"{count}\">\n"
    ));
    for Unfinished { case, strategy, runs, wanted } in &report.unfinished {
        out.push_str(&format!(
            "    <testcase classname=\"{}\" name=\"{}\">\n      <error type=\"interrupted\" message=\"stopped after {} of {}\"/>\n    </testcase>\n",
            escaped(case),
            escaped(strategy),
            grouped(*runs),
            count_of(*wanted, "seed"),
        ));
    }
    out.push_str("  </testsuite>\n");
}

fn suite(case: &CaseReport, out: &mut String) {
    let cells = || case.strategies.iter().flat_map(|strategy| &strategy.cells);
    let failed = |cell: &&CellReport| matches!(cell.cell.status, CellStatus::Finding | CellStatus::Missed);
    let skipped = |cell: &&CellReport| cell.cell.status == CellStatus::Inconclusive;
    out.push_str(&format!(
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" skipped=\"{}\" errors=\"0\">\n",
        escaped(&title(case)),
        cells().count(),
        cells().filter(failed).count(),
        cells().filter(skipped).count(),
    ));
    out.push_str(&format!(
        "    <properties>\n      <property name=\"seeds\" value=\"{}..{}\"/>\n    </properties>\n",
        case.seeds.start, case.seeds.end
    ));
    for strategy in &case.strategies {
        for (cell, invariant) in strategy.cells.iter().zip(&case.invariants) {
            let head = format!(
                "    <testcase classname=\"{}\" name=\"{}: {}\" file=\"{}\"",
                escaped(&title(case)),
                escaped(&strategy.name),
                escaped(&invariant.name),
                escaped(&case.file),
            );
            let verdict = cell.cell.verdict.word();
            let wanted = cell.cell.expected.map_or("nothing in particular", |wanted| wanted.word());
            let seed = cell.first_seed.map(|seed| format!(", first in seed {seed}")).unwrap_or_default();
            let said = format!(
                "{verdict} in {} of runs{seed}; expected {wanted}",
                percent(cell.violating, cell.runs)
            );
            match cell.cell.status {
                CellStatus::Finding | CellStatus::Missed => out.push_str(&format!(
                    "{head}>\n      <failure type=\"{verdict}\" message=\"{}\"/>\n    </testcase>\n",
                    escaped(&said)
                )),
                CellStatus::Inconclusive => out.push_str(&format!(
                    "{head}>\n      <skipped message=\"{}\"/>\n    </testcase>\n",
                    escaped(&said)
                )),
                CellStatus::Expected | CellStatus::Unremarkable => out.push_str(&format!("{head}/>\n")),
            }
        }
    }
    out.push_str("  </testsuite>\n");
}

/// Text for an attribute; characters that XML cannot hold are left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => out.push(' '),
            '\u{fffe}' | '\u{ffff}' => {}
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}
