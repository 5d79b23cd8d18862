//! `halfway replay`: one seed again, twice, with its stories and lanes or its whole history.

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::args::{HistoryFormat, LookArgs, ReplayArgs};
use super::exit::Exit;
use super::files::{case_names, is_case, read_one, strategy_names, unknown};
use super::surroundings::{Surroundings, put, put_all, spares, write_file, write_file_all};
use crate::explore::{Prepared, Replay};
use crate::model::expr::Counter;
use crate::model::plan::End;
use crate::report::Look;
use crate::report::history::{Head, write_history};
use crate::report::json::digest;
use crate::report::lanes::{everything, lanes};
use crate::report::look::Tone;
use crate::report::telling::stories;
use crate::report::trouble;
use crate::report::words::{count, moment, safe};

pub(super) fn replay(
    args: &ReplayArgs,
    look_args: &LookArgs,
    around: &Surroundings<'_>,
    stdout: &mut dyn Write,
    stderr: &mut dyn Write,
) -> Result<Exit, Exit> {
    let look = around.look(look_args, args.out.is_some());
    let read = read_one(&args.file, &Look { colour: false, ..look }, stderr)?;
    spares(args.out.as_deref(), std::slice::from_ref(&args.file), std::slice::from_ref(&read), stderr)?;
    let (_, scenario) = &read;
    let wanted = args.case.as_deref().unwrap_or("-");
    let Some(case) = scenario.cases.iter().find(|case| is_case(case, Some(wanted))) else {
        unknown("case", wanted, &case_names(&scenario.cases), stderr);
        return Err(Exit::NothingSelected);
    };
    let names = strategy_names([case]);
    let strategy = match (&args.strategy, case.strategies.as_slice()) {
        (None, [only]) => only,
        (None, _) => {
            let _ = writeln!(stderr, "error: which strategy? --strategy takes one of {}", names.join(", "));
            return Err(Exit::Usage);
        }
        (Some(name), all) => match all.iter().find(|strategy| strategy.name == *name) {
            Some(strategy) => strategy,
            None => {
                unknown("strategy", name, &names, stderr);
                return Err(Exit::NothingSelected);
            }
        },
    };
    let prepared = Prepared::of(strategy);
    if let Err(reasons) = &prepared.plan {
        for reason in reasons {
            let _ = writeln!(
                stderr,
                "error: {} cannot carry this out: {}",
                safe(&strategy.name),
                safe(&reason.why)
            );
        }
        return Err(Exit::NothingSelected);
    }
    // Twice: a seed that tells two stories is worth nothing.
    let run = || catch_unwind(AssertUnwindSafe(|| (prepared.replay(args.seed), prepared.replay(args.seed))));
    let (one, two) = match run() {
        Ok((Some(one), Some(two))) => (one, two),
        _ => {
            let _ = writeln!(stderr, "error: seed {} panicked under {}", args.seed, safe(&strategy.name));
            return Err(Exit::Internal);
        }
    };
    match args.format {
        HistoryFormat::Human => {
            let head = match &case.name {
                Some(case) => format!("{}, case {}", safe(&scenario.name), safe(case)),
                None => safe(&scenario.name),
            };
            let head = format!("{head} under {}", safe(&strategy.name));
            let text = human(&prepared, &one, &head, args, &look);
            match &args.out {
                Some(path) => write_file(path, &text, stderr)?,
                None => put(stdout, &text)?,
            }
        }
        HistoryFormat::Jsonl => {
            // Straight from the records: the text of a long run would take more memory than all else.
            let head = Head { scenario: &scenario.name, case: case.name.as_deref(), seed: args.seed };
            match &args.out {
                Some(path) => {
                    write_file_all(path, |file| write_history(&prepared, &one, head, file), stderr)?
                }
                None => put_all(stdout, |out| write_history(&prepared, &one, head, out))?,
            }
        }
    }
    if one.run.digest != two.run.digest {
        let _ = writeln!(
            stderr,
            "error: seed {} told two stories: {} and {}",
            args.seed,
            digest(one.run.digest),
            digest(two.run.digest)
        );
        return Err(Exit::NotDeterministic);
    }
    at_fault(&prepared, &one, stderr)
}

/// Ends with what is at fault in the scenario itself: an invariant without a value, and since a script is replayed to the
/// letter, a line that nothing asked for.
fn at_fault(prepared: &Prepared, replay: &Replay, stderr: &mut dyn Write) -> Result<Exit, Exit> {
    let lines = prepared.model.weather.script.as_ref().map_or(&[][..], |script| &script.lines);
    for &line in &replay.run.unasked {
        let line = lines.get(line).map_or("", String::as_str);
        let _ = writeln!(stderr, "error: nothing in this run asked for `{}`", safe(line));
    }
    let wrong = !(replay.run.unasked.is_empty() && replay.run.verdict.errors.is_empty());
    if wrong { Err(Exit::Usage) } else { Ok(Exit::AsExpected) }
}

fn human(prepared: &Prepared, replay: &Replay, head: &str, args: &ReplayArgs, look: &Look) -> String {
    let run = &replay.run;
    let seed = match prepared.model.weather.seed {
        Some(seed) => format!("seed {seed}, the only one that this weather has"),
        None => format!("seed {}", args.seed),
    };
    let mut out = format!("{}\n", look.paint(Tone::Strong, &look.plain(&format!("{head}, {seed}"))));
    let counts = &run.verdict.counts;
    let number = |counter: Counter| u64::try_from(counts.get(counter)).unwrap_or(0);
    let mut told = Vec::new();
    for (counter, word) in [(Counter::Ok, "ok"), (Counter::Failed, "failed"), (Counter::Unknown, "unknown")] {
        if number(counter) > 0 {
            told.push(format!("{} {word}", number(counter)));
        }
    }
    let told = if told.is_empty() { String::new() } else { format!(" ({})", told.join(", ")) };
    let end = match run.ended.end {
        End::Rest => "at rest",
        End::NotAtRest => "not at rest",
        End::Spent => "out of its budget of events",
        End::Broken => "ended by code of its own that broke",
    };
    out += &format!(
        "{}{told}, {}, {}; {end} at {}\ndigest {}\n\n",
        count(number(Counter::Intents), "intent"),
        count(number(Counter::Messages), "message"),
        count(run.ended.events, "event"),
        moment(run.ended.at),
        digest(run.digest)
    );
    let bad: Vec<usize> = (0..run.verdict.invariants.len())
        .filter(|&at| run.verdict.invariants[at].violations > 0 || run.verdict.invariants[at].stuck)
        .collect();
    let bad_names: Vec<String> = bad.iter().map(|&at| safe(&prepared.invariants[at].name)).collect();
    let stories = stories(prepared, replay, &bad, ("", args.all), look);
    out += &trouble::of_run(prepared, run, look);
    if bad.is_empty() {
        let none = if run.verdict.errors.is_empty() { "No invariant" } else { "No other invariant" };
        out += &format!("{none} is broken in this run. What happened:\n\n");
    } else if stories.is_empty() {
        out += &format!("{} cannot be decided, because something never ended.\n\n", bad_names.join(", "));
    }
    out += &stories;
    if bad.is_empty() || stories.is_empty() || args.all {
        if args.all && !stories.is_empty() {
            out += "\nEverything:\n\n";
        }
        out += &match args.all {
            true => everything(prepared, replay, look),
            false => lanes(prepared, replay, &[], look),
        };
    }
    if !(run.facts.is_empty() && run.sometimes.is_empty()) {
        out.push('\n');
    }
    for (held, fact) in run.facts.iter().zip(&prepared.expected.facts) {
        let is = match held {
            Some(true) => "true, as expected",
            Some(false) => "NOT TRUE, though expected",
            None => "WITHOUT A VALUE, though expected",
        };
        out += &format!("  {is}: {}\n", look.plain(&safe(&fact.text)));
    }
    for (held, fact) in run.sometimes.iter().zip(&prepared.expected.sometimes) {
        let is = match held {
            Some(true) => "true here",
            Some(false) => "not true here",
            None => "without a value here",
        };
        out += &format!("  {is}, expected in some run: {}\n", look.plain(&safe(&fact.text)));
    }
    out
}
