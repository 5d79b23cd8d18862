//! Scenario files on their way in: read, their problems shown, cases and strategies chosen by name.

use std::io::Write;
use std::path::Path;

use super::exit::Exit;
use crate::report::Look;
use crate::report::summary::Rejected;
use crate::report::words::{self, counted, safe};
use crate::scenario::code::Code;
use crate::scenario::load::read_from_disk;
use crate::scenario::problem::{Problem, Problems};
use crate::scenario::render::{self, entries};
use crate::scenario::source::Sources;
use crate::scenario::{Case, Scenario, StrategyCase, read};

/// Problems as text in the colours and columns of a look.
pub(super) fn problems(problems: &Problems, sources: &Sources, look: &Look) -> String {
    let colours = if look.colour { render::Look::Coloured } else { render::Look::Plain };
    render::text_in(problems, sources, colours, look.width)
}

/// Reads all files, so that the problems of all of them are seen at once: those that can be run, and the others.
pub(super) fn read_each(
    files: &[impl AsRef<Path>],
    look: &Look,
    stderr: &mut dyn Write,
) -> (Vec<(String, Scenario)>, Vec<Rejected>) {
    let mut scenarios = Vec::new();
    let mut rejected = Vec::new();
    for file in files {
        let file = file.as_ref();
        let name = file.to_string_lossy().into_owned();
        let mut say = |found: &Problems, sources: &Sources| {
            let _ = writeln!(stderr, "{}", problems(found, sources, look));
        };
        let (found, sources) = match read(file, &mut read_from_disk) {
            Ok(scenario) => {
                if !scenario.warnings.is_empty() {
                    say(&scenario.warnings, &scenario.sources);
                }
                let missing = in_rust(&scenario);
                if missing.is_empty() {
                    scenarios.push((name, scenario));
                    continue;
                }
                (missing, scenario.sources)
            }
            Err(why) => (why.problems, why.sources),
        };
        say(&found, &sources);
        rejected.push(Rejected { file: name, problems: entries(&found, &sources) });
    }
    if !rejected.is_empty() {
        let count = counted(rejected.len() as u64, "scenario", "scenarios");
        let _ = writeln!(stderr, "{count} cannot be run");
    }
    (scenarios, rejected)
}

/// The same of one file.
pub(super) fn read_one(file: &Path, look: &Look, stderr: &mut dyn Write) -> Result<(String, Scenario), Exit> {
    read_each(&[file], look, stderr).0.pop().ok_or(Exit::Usage)
}

/// The command has no processes: what a service in Rust does, it cannot know.
fn in_rust(scenario: &Scenario) -> Problems {
    let mut missing = Problems::new();
    for (name, place) in &scenario.processes {
        let message = format!("this command has no process `{}`", safe(name));
        let hint = "run it from a program or a test that registers the process: `scenario.with_process(…)`";
        missing.push(Problem::error(Code::NoProcess, *place, message).hint(hint));
    }
    missing
}

/// Whether a case is the one asked for; `-` is the file as written.
pub(super) fn is_case(case: &Case, wanted: Option<&str>) -> bool {
    match (wanted, &case.name) {
        (None, _) => true,
        (Some("-"), None) => true,
        (Some(wanted), Some(name)) => wanted == name,
        (Some(_), None) => false,
    }
}

/// The strategies of a case that are asked for, by names; all if none is given.
pub(super) fn chosen<'c>(case: &'c Case, wanted: &[String]) -> Vec<&'c StrategyCase> {
    let asked = |strategy: &&StrategyCase| wanted.is_empty() || wanted.contains(&strategy.name);
    case.strategies.iter().filter(asked).collect()
}

/// Says which names there are, after one that is not there.
pub(super) fn unknown(what: &str, name: &str, known: &[String], stderr: &mut dyn Write) {
    let _ = writeln!(stderr, "error: {}", words::unknown(what, name, known));
    if what == "case" {
        let _ = writeln!(stderr, "- is the file as written, without a case");
    }
}

/// The names of all strategies, each once, in order.
pub(super) fn strategy_names<'a>(cases: impl IntoIterator<Item = &'a Case>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for strategy in cases.into_iter().flat_map(|case| &case.strategies) {
        if !names.contains(&strategy.name) {
            names.push(strategy.name.clone());
        }
    }
    names
}

/// The names of all cases.
pub(super) fn case_names<'a>(cases: impl IntoIterator<Item = &'a Case>) -> Vec<String> {
    cases.into_iter().map(|case| case.name.clone().unwrap_or_else(|| "-".into())).collect()
}
