//! `halfway check`: problems of scenarios without running them, and what they amount to.
//!
//! Besides what the reader finds it looks whether anything in the weather or the workload could put each invariant to the
//! test. That is a guess from what is declared; what really happened is counted when a scenario is run.

use std::io::Write;

use super::args::{CheckArgs, CheckFormat, LookArgs};
use super::exit::Exit;
use super::files::problems;
use super::surroundings::{Surroundings, put};
use crate::check::witness::{Hazard, needs};
use crate::explore::Prepared;
use crate::model::Model;
use crate::model::client::Arrival;
use crate::model::flow::StepKind;
use crate::model::weather::{Fault, FaultVerb};
use crate::report::Look;
use crate::report::look::{Tone, columns_of, wrap};
use crate::report::rule_text;
use crate::report::words::{count, counted, list, safe};
use crate::scenario::load::read_from_disk;
use crate::scenario::{Case, Scenario, read, render};

pub(super) fn check(
    args: &CheckArgs,
    look_args: &LookArgs,
    around: &Surroundings<'_>,
    stdout: &mut dyn Write,
) -> Result<Exit, Exit> {
    let look = around.look(look_args, false);
    let mut exit = Exit::AsExpected;
    let mut documents = Vec::new();
    for (n, file) in args.files.iter().enumerate() {
        let read = read(file, &mut read_from_disk);
        if read.is_err() {
            exit = Exit::Usage;
        }
        let (found, sources) = match &read {
            Ok(scenario) => (&scenario.warnings, &scenario.sources),
            Err(why) => (&why.problems, &why.sources),
        };
        if args.format == CheckFormat::Json {
            documents.push(serde_json::json!({
                "file": file.to_string_lossy(),
                "runs": read.is_ok(),
                "problems": render::entries(found, sources),
            }));
            continue;
        }
        let mut out = String::new();
        if n > 0 {
            out.push('\n');
        }
        if !found.is_empty() {
            out += &problems(found, sources, &look);
            out.push('\n');
        }
        match &read {
            Ok(scenario) => out += &summary(scenario, &look),
            Err(_) => out += &format!("{}: cannot be run\n", safe(&file.to_string_lossy())),
        }
        put(stdout, &out)?;
    }
    if args.format == CheckFormat::Json {
        let document = serde_json::json!({ "format": "halfway.check", "version": 1, "files": documents });
        put(stdout, &format!("{document:#}\n"))?;
    }
    Ok(exit)
}

fn summary(scenario: &Scenario, look: &Look) -> String {
    let mut out = String::new();
    for case in &scenario.cases {
        let title = match &case.name {
            Some(name) => format!("{}, case {}", safe(&scenario.name), safe(name)),
            None => safe(&scenario.name),
        };
        let Some(model) = case.strategies.first().map(|strategy| &strategy.model) else { continue };
        let (title, size) = (look.plain(&title), size(model, case));
        // The numbers stand beside a title that leaves room for them.
        let beside = columns_of(&title) + 2 + columns_of(&size) <= look.width;
        out += &look.paint(Tone::Strong, &title);
        match beside {
            true => out += &format!("  {size}\n"),
            false => out += &format!("\n  {}\n", wrap(&size, look.width - 2).join("\n  ")),
        }
        if case.name.is_none() {
            out += &weather(model, look);
        }
        for line in cell_notes(case, model) {
            for (n, line) in wrap(&look.plain(&line), look.width.saturating_sub(4)).into_iter().enumerate() {
                out += &format!("  {} {line}\n", if n == 0 { "-" } else { " " });
            }
        }
    }
    out
}

fn size(model: &Model, case: &Case) -> String {
    let intents: u64 =
        model.groups.iter().map(|group| u64::from(group.count) * u64::from(group.intents)).sum();
    [
        count(model.services.len() as u64, "service"),
        count(model.operations.len() as u64, "operation"),
        count(model.flows.len() as u64, "flow"),
        count(intents, "intent"),
        counted(case.strategies.len() as u64, "strategy", "strategies"),
        count(case.invariants.len() as u64, "invariant"),
    ]
    .join(", ")
}

fn weather(model: &Model, look: &Look) -> String {
    let weather = &model.weather;
    let mut lines = Vec::new();
    for group in &model.groups {
        let arrival = match &group.arrival {
            Arrival::Closed(gap) => format!("the next {gap} after an end"),
            Arrival::Open(gap) => format!("one every {gap}"),
        };
        let arrival = if group.script.is_empty() { arrival } else { "as scripted".into() };
        let each = format!("{} each", count(u64::from(group.intents), "intent"));
        lines.push(format!(
            "{}: {}, {each}, {arrival}",
            safe(&group.name),
            count(u64::from(group.count), "client")
        ));
    }
    let latency = weather.latency.iter().map(|(_, dist)| dist.to_string()).collect::<Vec<_>>();
    lines.push(format!("latency {}; heal at {}, end at {}", latency.join(", "), weather.heal, weather.end));
    for fault in &weather.faults {
        lines.push(format!("fault {}: {}", rule_text(&fault.text), chance(fault)));
    }
    let broken = |line: &String| wrap(&look.plain(line), look.width.saturating_sub(4)).join("\n    ");
    lines.iter().map(|line| format!("  {}\n", broken(line))).collect()
}

fn chance(fault: &Fault) -> String {
    let percent = |ppm: u32| crate::report::words::percent(ppm.into(), 1_000_000);
    let often = match (fault.chance.low, fault.chance.high) {
        (low, high) if low == high && low == 1_000_000 => "always".to_owned(),
        (low, high) if low == high => format!("{} of the time", percent(low)),
        (low, high) => format!("{} to {} of the time, drawn for each seed", percent(low), percent(high)),
    };
    match fault.nth.as_slice() {
        [] => often,
        nth => {
            let nth: Vec<String> = nth.iter().map(|&n| crate::report::words::ordinal(n.into())).collect();
            format!("{often}, {} of an intent only", list(&nth))
        }
    }
}

/// Strategies that cannot carry a case out, and invariants that nothing declared could break.
fn cell_notes(case: &Case, model: &Model) -> Vec<String> {
    let mut notes = Vec::new();
    for strategy in &case.strategies {
        if let Err(reasons) = Prepared::of(strategy).plan {
            for reason in reasons {
                notes.push(format!("{} cannot carry this out: {}", safe(&strategy.name), safe(&reason.why)));
            }
        }
    }
    let possible = possible(model);
    for invariant in &case.invariants {
        let needed = needs(&invariant.kind);
        if !needed.iter().any(|hazard| possible.contains(hazard)) {
            let needed: Vec<&str> = needed.iter().map(|hazard| hazard.describe()).collect();
            notes.push(format!(
                "{} can hardly be put to the test: it takes {}, and nothing here brings it about",
                safe(&invariant.name),
                needed.join(" or ")
            ));
        }
    }
    notes
}

/// The hazards that what is declared can bring about.
fn possible(model: &Model) -> Vec<Hazard> {
    let mut found = Vec::new();
    let mut add = |hazards: &[Hazard]| found.extend_from_slice(hazards);
    let clients: u64 = model.groups.iter().map(|group| u64::from(group.count)).sum();
    let overlap = |group: &crate::model::client::ClientGroup| {
        group.script.len() > 1 || (group.intents > 1 && matches!(group.arrival, Arrival::Open(_)))
    };
    if clients > 1 || model.groups.iter().any(overlap) || !model.topics.is_empty() {
        add(&[Hazard::Contention]);
    }
    let refuses =
        |op: &crate::model::service::Operation| op.parts.iter().any(|part| !part.require.is_empty());
    if model.operations.iter().any(refuses) {
        add(&[Hazard::Refusal]);
    }
    for fault in &model.weather.faults {
        add(match &fault.verb {
            FaultVerb::Lose(_) | FaultVerb::Cut(..) => {
                &[Hazard::RequestLost, Hazard::ReplyLost, Hazard::Retry, Hazard::Refusal]
            }
            FaultVerb::Delay(..) => &[Hazard::Delay, Hazard::Retry],
            FaultVerb::Duplicate(..) => &[Hazard::Duplicate],
            FaultVerb::Refuse(..) | FaultVerb::Fail(_) => &[Hazard::Refusal, Hazard::Retry],
            FaultVerb::Crash(..) => &[Hazard::Crash, Hazard::RequestLost, Hazard::ReplyLost, Hazard::Retry],
            FaultVerb::Pause(..) => &[Hazard::Retry, Hazard::Delay],
        });
    }
    let has_undo = |flow: &crate::model::flow::Flow| {
        flow.steps.iter().any(|step| matches!(&step.does, StepKind::Call(call) if call.undo.is_some()))
    };
    if model.flows.iter().any(has_undo) {
        add(&[Hazard::Undo]);
    }
    found
}
