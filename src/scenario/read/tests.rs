//! Tests of the whole reader: files in, models or printed problems out.

mod budget;
mod files;
mod lints;
mod mistakes;
mod model;
mod mutations;
mod policies;
mod script;
mod slips;
mod unsupported;

use std::path::Path;

use super::super::render::{self, Look};
use super::*;

/// Every supported key, at least once.
const EVERYTHING: &str = include_str!("tests/everything.json");
/// The files of the language's reference that need nothing that is not supported.
const FILES: [&str; 3] = [
    include_str!("tests/lost_update.json"),
    include_str!("tests/lost_reply.json"),
    include_str!("tests/order.json"),
];

/// Reads one file.
fn read_text(text: &str) -> Result<Scenario, Box<Rejected>> {
    read(Path::new("dir/s.json"), &mut |_| Ok(text.as_bytes().to_vec()))
}

/// Everything that is said about a file.
fn said(text: &str) -> String {
    match read_text(text) {
        Ok(scenario) => render::text(&scenario.warnings, &scenario.sources, Look::Plain),
        Err(rejected) => render::text(&rejected.problems, &rejected.sources, Look::Plain),
    }
}

/// The first line of everything that is said, with the text that is marked.
fn marks(text: &str) -> Vec<String> {
    let (problems, sources) = match read_text(text) {
        Ok(scenario) => (scenario.warnings, scenario.sources),
        Err(rejected) => (rejected.problems, rejected.sources),
    };
    let mark = |problem: &super::super::problem::Problem| {
        format!("{} at {}: {}", problem.code, sources.at(problem.place), problem.message)
    };
    problems.iter().map(mark).collect()
}

/// A file that must be good.
fn good(text: &str) -> Scenario {
    read_text(text).unwrap_or_else(|rejected| {
        panic!("{}", render::text(&rejected.problems, &rejected.sources, Look::Plain))
    })
}

/// A small file: one service with an operation, one client. `put` replaces parts of its text, each of which must be
/// there.
fn small(put: &[(&str, &str)]) -> String {
    let mut text = r#"{
  "services": { "bank": {
    "tables": { "accounts": { "rows": { "ana": { "balance": 100 } } }, "moves": {} },
    "operations": {
      "pay": { "args": ["who", "sum"], "set": { "accounts[who].balance": "accounts[who].balance - sum" } }
    }
  } },
  "flows": {},
  "clients": { "shop": { "does": "bank.pay('ana', 5)" } },
  "weather": { "faults": [] },
  "strategies": { "naive": {} },
  "invariants": { "no-lost-update": {} },
  "expect": {}
}"#
    .to_owned();
    for (old, new) in put {
        assert!(text.contains(old), "{old}");
        text = text.replacen(old, new, 1);
    }
    text
}
