//! The report for build servers, in the JUnit dialect of Jenkins: a suite for each case, a test for each strategy and
//! invariant, for each fact, and for each fault that never struck.

use super::scene::rule_text;
use super::summary::{
    CaseReport, CellReport, Ending, Rejected, Report, StrategyReport, Unfinished, fact_status,
};
use super::text::title;
use super::trouble::NeverStruck;
use super::words::{count as count_of, grouped, percent};
use crate::explore::CellStatus;
use crate::model::invariant::Verdict;
use crate::scenario::render::Entry;

/// The report as an XML document.
pub fn junit(report: &Report) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"halfway\">\n");
    let mut never = report.never_struck();
    for case in &report.cases {
        let faults = || case.strategies.iter().flat_map(|strategy| &strategy.faults);
        // What several cases share is one finding: the first of them has it.
        let (own, others) =
            never.into_iter().partition(|never| faults().any(|fault| never.is(&case.file, fault)));
        never = others;
        suite(case, &own, &mut out);
    }
    for one in &report.rejected {
        rejected(one, &mut out);
    }
    if report.interrupted {
        interrupted(report, &mut out);
    }
    out.push_str("</testsuites>\n");
    out
}

/// A file that cannot be run: each of its problems is an error.
fn rejected(one: &Rejected, out: &mut String) {
    let errors: Vec<&Entry> = one.problems.iter().filter(|problem| problem.severity == "error").collect();
    let (file, count) = (escaped(&one.file), errors.len());
    out.push_str(&format!(
        "  <testsuite name=\"{file}\" tests=\"{count}\" failures=\"0\" skipped=\"0\" errors=\"{count}\">\n"
    ));
    for problem in errors {
        let at = escaped(&format!("{}:{}:{}", problem.file, problem.line, problem.column));
        out.push_str(&format!(
            "    <testcase classname=\"{file}\" name=\"{} at {at}\">\n      <error type=\"{}\" message=\"{}\"/>\n    </testcase>\n",
            problem.code,
            problem.code,
            escaped(&problem.message),
        ));
    }
    out.push_str("  </testsuite>\n");
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

/// What a build server is told of one test.
enum Went {
    Well,
    Failed(String),
    Skipped,
    Error,
}

/// One test: its name, how it went, and what there is to say.
struct Test {
    name: String,
    went: Went,
    said: String,
}

impl Test {
    /// A test of a strategy that compares with what was expected as `status` says.
    fn new(strategy: &StrategyReport, name: &str, status: CellStatus, word: &str, said: String) -> Test {
        let went = match status {
            CellStatus::Finding | CellStatus::Missed => Went::Failed(word.to_owned()),
            CellStatus::Inconclusive => Went::Skipped,
            CellStatus::Expected | CellStatus::Unremarkable => Went::Well,
        };
        Test { name: format!("{}: {name}", strategy.name), went, said }
    }

    /// The test of a cell of the matrix.
    fn of_cell(strategy: &StrategyReport, cell: &CellReport, invariant: &str) -> Test {
        let verdict = cell.cell.verdict.word();
        let wanted = cell.cell.expected.map_or("nothing in particular", |wanted| wanted.word());
        let seed = cell.first_seed.map(|seed| format!(", first in seed {seed}")).unwrap_or_default();
        let percent = percent(cell.violating, cell.runs);
        let said = format!("{verdict} in {percent} of runs{seed}; expected {wanted}");
        let test = Test::new(strategy, invariant, cell.cell.status, verdict, said);
        if let Some(broken) = strategy.broken.iter().find(|broken| broken.invariant == invariant) {
            let at =
                broken.place.and_then(|place| strategy.written.as_ref().map(|written| written.at(place)));
            let at = at.map(|(file, at)| format!(" at {file}:{}:{}", at.line, at.column)).unwrap_or_default();
            let said = format!("no value{at}: {}, first in seed {}", broken.why, broken.seed);
            return Test { went: Went::Error, said, ..test };
        }
        match cell.cell.verdict {
            // Whether it was expected or not, nothing was tested.
            Verdict::Inconclusive | Verdict::NotApplicable if matches!(test.went, Went::Well) => {
                let expected = cell.cell.status == CellStatus::Expected;
                Test { went: if expected { Went::Well } else { Went::Skipped }, ..test }
            }
            _ => test,
        }
    }

    /// All tests of a strategy.
    fn of_strategy(case: &CaseReport, strategy: &StrategyReport) -> Vec<Test> {
        let cells = strategy.cells.iter().zip(&case.invariants);
        let mut tests: Vec<Test> =
            cells.map(|(cell, invariant)| Test::of_cell(strategy, cell, &invariant.name)).collect();
        if let Some(cell) = &strategy.overall {
            let wanted = cell.expected.map_or("nothing in particular", |wanted| wanted.word());
            let said = format!("{}; expected {wanted}", cell.verdict.word());
            tests.push(Test::new(
                strategy,
                "all invariants together",
                cell.status,
                cell.verdict.word(),
                said,
            ));
        }
        for fact in &strategy.facts {
            let often = if fact.sometimes { "in some run" } else { "in every run" };
            let said = format!("expected {often}: {}", fact.text);
            tests.push(Test::new(strategy, &fact.text, fact_status(fact), "fact", said));
        }
        for (seed, what) in strategy.panics.iter().chain(&strategy.halted) {
            let name = format!("{}: seed {seed}", strategy.name);
            tests.push(Test { name, went: Went::Error, said: what.clone() });
        }
        tests
    }

    fn write(&self, case: &CaseReport, out: &mut String) {
        let head = format!(
            "    <testcase classname=\"{}\" name=\"{}\" file=\"{}\"",
            escaped(&title(case)),
            escaped(&self.name),
            escaped(&case.file),
        );
        let said = escaped(&self.said);
        let inner = match &self.went {
            Went::Well => {
                out.push_str(&format!("{head}/>\n"));
                return;
            }
            Went::Failed(word) => format!("<failure type=\"{word}\" message=\"{said}\"/>"),
            Went::Skipped => format!("<skipped message=\"{said}\"/>"),
            Went::Error => format!("<error type=\"error\" message=\"{said}\"/>"),
        };
        out.push_str(&format!("{head}>\n      {inner}\n    </testcase>\n"));
    }
}

fn suite(case: &CaseReport, never: &[NeverStruck], out: &mut String) {
    let mut tests: Vec<Test> =
        case.strategies.iter().flat_map(|strategy| Test::of_strategy(case, strategy)).collect();
    tests.extend(never.iter().filter_map(|never| {
        let went = match never.ending() {
            Ending::Unsound => Went::Error,
            Ending::Inconclusive => Went::Skipped,
            _ => return None,
        };
        let name = format!("strikes: {}", rule_text(&never.fault.text));
        Some(Test { name, went, said: format!("in none of {} runs of any strategy", never.runs) })
    }));
    let number = |wanted: fn(&Went) -> bool| tests.iter().filter(|test| wanted(&test.went)).count();
    out.push_str(&format!(
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" skipped=\"{}\" errors=\"{}\">\n",
        escaped(&title(case)),
        tests.len(),
        number(|went| matches!(went, Went::Failed(_))),
        number(|went| matches!(went, Went::Skipped)),
        number(|went| matches!(went, Went::Error)),
    ));
    out.push_str(&format!(
        "    <properties>\n      <property name=\"seeds\" value=\"{}..{}\"/>\n    </properties>\n",
        case.seeds.start, case.seeds.end
    ));
    tests.iter().for_each(|test| test.write(case, out));
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
