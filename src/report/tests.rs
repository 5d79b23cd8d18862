//! Reports of small inputs as they are printed, worked out by hand, and the shapes that programs rely on.

use std::path::Path;

use super::history::{Head, history};
use super::json::{json, jsonl};
use super::junit::junit;
use super::lanes::lanes;
use super::look::{Look, columns_of};
use super::matrix::matrix;
use super::story::tell;
use super::summary::{
    CaseReport, CellReport, CostReport, FaultReport, InvariantName, Report, StrategyReport,
};
use super::{costs, text};
use crate::check::Finding;
use crate::explore::{Cell, CellStatus, FactStatus, Prepared, Replay};
use crate::kernel::time::Span;
use crate::model::expr::Counter;
use crate::model::invariant::Verdict;
use crate::scenario::source::Place;
use crate::scenario::{self, Scenario};

fn cell(verdict: Verdict, status: CellStatus, violating: u64) -> CellReport {
    let expected = (status != CellStatus::Unremarkable).then_some(match status {
        CellStatus::Finding => Verdict::Holds,
        CellStatus::Missed => Verdict::Violated,
        _ => verdict,
    });
    let first_seed = (violating > 0).then_some(3);
    let cell = Cell { verdict, expected, status };
    let (runs, obligations, hazards) = (1_000, 9, 5);
    let silent = violating;
    CellReport { cell, runs, violating, silent, first_seed, obligations, hazards, one_history: false }
}

fn strategy(name: &str, cells: Vec<CellReport>) -> StrategyReport {
    let mut counts = vec![0; Counter::ALL.len()];
    counts[Counter::Intents as usize] = 3_000;
    counts[Counter::Ok as usize] = 2_700;
    counts[Counter::Unknown as usize] = 300;
    counts[Counter::Attempts as usize] = 4_500;
    counts[Counter::Messages as usize] = 9_000;
    StrategyReport {
        name: name.into(),
        about: None,
        rewritten: name == "merged",
        cannot: Vec::new(),
        cells,
        overall: None,
        facts: Vec::new(),
        costs: CostReport {
            runs: 1_000,
            rested: 1_000,
            events: 20_000,
            store_ops: 6_000,
            p50: Some(Span::micros(4_200)),
            p99: Some(Span::millis(48)),
            silent: if name == "naive" { 167 } else { 0 },
            counts,
        },
        one_history: false,
        spent: None,
        slips: Vec::new(),
        faults: Vec::new(),
        written: None,
        broken: Vec::new(),
        panics: Vec::new(),
        halted: Vec::new(),
    }
}

fn sample() -> CaseReport {
    use CellStatus::*;
    let name = |name: &str| InvariantName { name: name.into(), kind: "always", needs: vec!["a crash"] };
    CaseReport {
        file: "shop.json".into(),
        name: "shop".into(),
        about: Some("Money and goods.".into()),
        digest: [1, 2],
        case: None,
        seeds: 0..1_000,
        invariants: vec![name("charged once"), name("no-lost-update"), name("every-intent-ends")],
        strategies: vec![
            strategy(
                "naive",
                vec![
                    cell(Verdict::Violated, Expected, 167),
                    cell(Verdict::Violated, Finding, 20),
                    cell(Verdict::Holds, Expected, 0),
                ],
            ),
            strategy(
                "idempotent",
                vec![
                    cell(Verdict::Holds, Missed, 0),
                    cell(Verdict::Inconclusive, Inconclusive, 0),
                    cell(Verdict::Stuck, Finding, 1),
                ],
            ),
            strategy(
                "merged",
                vec![
                    cell(Verdict::Holds, Unremarkable, 0),
                    cell(Verdict::NotApplicable, Unremarkable, 0),
                    cell(Verdict::Violated, Unremarkable, 5),
                ],
            ),
        ],
    }
}

#[test]
fn a_matrix_shouts_only_what_was_not_expected() {
    let got = matrix(&sample(), &Look::default());
    let golden = "
                           no-lost-      every-intent-
            charged once   update        ends
naive       violated 17%*  VIOLATED 2%!  holds <0.3%
idempotent  holds <0.3%!   inconcl.?     STUCK 0.1%!
merged ~    holds <0.3%    n/a           violated 0.5%
* as the file expects   ! not as expected   ? too little seen
~ with a body of its own   holds <x%: none seen, fewer than x% of runs (95%)
";
    assert_eq!(format!("\n{got}"), golden, "{got}");
}

#[test]
fn that_nothing_bounds_what_holds_is_said_only_where_something_does() {
    let legend = |verdict| {
        let mut case = sample();
        let one = CellReport { one_history: true, ..cell(verdict, CellStatus::Unremarkable, 0) };
        case.strategies = vec![StrategyReport { one_history: true, ..strategy("occ", vec![one]) }];
        case.invariants.truncate(1);
        matrix(&case, &Look::default()).contains("holds without a bound")
    };
    assert!(legend(Verdict::Holds));
    assert!(!legend(Verdict::Inconclusive) && !legend(Verdict::Stuck));
}

#[test]
fn a_cell_of_which_nothing_is_expected_says_why_it_is_inconclusive() {
    let mut case = sample();
    let open = |obligations, hazards| CellReport {
        obligations,
        hazards,
        ..cell(Verdict::Inconclusive, CellStatus::Unremarkable, 0)
    };
    let told = |case: &CaseReport| {
        let look = Look { width: 200, ..Look::default() };
        let text = text::verdicts(case, &look);
        text.lines().filter(|line| line.contains("inconclusive under")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(told(&case), [""; 0]);
    for strategy in &mut case.strategies {
        strategy.cells[2] = open(9, 0);
    }
    case.strategies[0].cells[1] = open(9, 0);
    case.strategies[2].cells[1] = open(0, 0);
    case.strategies[2].cells[0] = open(9, 5);
    let never = "nothing happened to its tables that could have broken it (a crash)";
    assert_eq!(
        told(&case),
        [
            "- inconclusive under merged: charged once; no intent came to an end other than by a slip of an operation".to_owned(),
            "- inconclusive under merged: no-lost-update; nothing was there to be examined".to_owned(),
            format!("- inconclusive under naive: no-lost-update; {never}"),
            format!("- inconclusive under all strategies: every-intent-ends; {never}"),
        ]
    );
    // What is so for the same reason is told together, and then not what each of them waits for.
    case.strategies[2].cells[2] = open(0, 0);
    case.strategies[1].cells[2] = cell(Verdict::Holds, CellStatus::Unremarkable, 0);
    assert_eq!(
        told(&case)[1..],
        [
            "- inconclusive under merged: no-lost-update and every-intent-ends; nothing was there to be examined",
            "- inconclusive under naive: no-lost-update and every-intent-ends; nothing happened to their tables that could \
             have broken them",
        ]
    );
    // What is expected to be so needs no reason.
    for strategy in &mut case.strategies {
        strategy.cells[1].cell = Cell {
            verdict: Verdict::Inconclusive,
            expected: Some(Verdict::Inconclusive),
            status: CellStatus::Expected,
        };
    }
    let every: Vec<String> = told(&case)[1..].iter().map(|line| line.chars().take(52).collect()).collect();
    assert_eq!(
        every,
        [
            "- inconclusive under merged: every-intent-ends; noth",
            "- inconclusive under naive: every-intent-ends; nothi",
        ]
    );
    // Where nothing is earned at all, that is said with the first reason, too.
    for strategy in &mut case.strategies {
        (strategy.cells, strategy.overall) = (vec![open(0, 0), open(9, 0), open(9, 0)], None);
    }
    let text = text::verdicts(&case, &Look { width: 200, ..Look::default() });
    assert!(text.contains("can be said; charged once: nothing was there to be examined"), "{text}");
    assert_eq!(told(&case).len(), 2);
}

/// A rule that never struck in a thousand runs.
fn idle(name: &str, file: &str, case: Option<&str>) -> CaseReport {
    let place = Some(Place::new(0, 7, 9));
    let fault = FaultReport { text: "lose request *".into(), line: false, runs: 0, unlucky: false, place };
    let mut idle =
        CaseReport { file: file.into(), name: name.into(), case: case.map(Into::into), ..sample() };
    idle.strategies.iter_mut().for_each(|strategy| strategy.faults = vec![fault.clone()]);
    idle
}

#[test]
fn rules_of_two_files_are_two_though_they_stand_at_the_same_place() {
    let mut report =
        Report { cases: vec![idle("a", "a.json", None), idle("b", "b.json", None)], ..Report::default() };
    assert_eq!(report.never_struck().len(), 2);
    assert_eq!(junit(&report).matches("strikes: lose request *").count(), 2);
    report.cases[1].strategies[0].faults[0].runs = 1;
    let never = report.never_struck();
    assert_eq!(never.iter().map(|never| never.file.as_str()).collect::<Vec<_>>(), ["a.json"]);
    let xml = junit(&report);
    let (at, second) = (xml.find("strikes: ").unwrap(), xml.find("<testsuite name=\"b").unwrap());
    assert!(at < second, "{xml}");
}

#[test]
fn a_rule_that_cases_share_is_one_finding_for_a_build_server_too() {
    let cases = vec![idle("a", "a.json", None), idle("a", "a.json", Some("other"))];
    let report = Report { cases, ..Report::default() };
    assert_eq!(report.never_struck().len(), 1);
    assert_eq!(junit(&report).matches("strikes: lose request *").count(), 1);
}

#[cfg(feature = "cli")]
#[test]
fn what_was_run_with_the_one_seed_of_its_weather_is_not_cut_short() {
    let text = |weather: &str| format!(r#"{{ "weather": {{ {weather} }}, "clients": {{}} }}"#);
    let unfinished = |weather: &str, runs: u64, cannot: &[&str]| {
        let scenario = read(&text(weather));
        let case = &scenario.cases[0];
        let mut begun = strategy("any", Vec::new());
        begun.costs.runs = runs;
        begun.cannot = cannot.iter().map(|&why| why.into()).collect();
        let mut report = Report::default();
        let strategies = case.strategies.iter().take(2).zip([Some(&begun), None]);
        report.cut_short(&scenario, case, strategies, &(0..1_000));
        report.unfinished.iter().map(|one| (one.runs, one.wanted)).collect::<Vec<_>>()
    };
    assert_eq!(unfinished(r#""seed": 17"#, 1, &[]), [(0, 1)]);
    assert_eq!(unfinished("", 1, &[]), [(1, 1_000), (0, 1_000)]);
    assert_eq!(unfinished("", 0, &["no table"]), [(0, 1_000)]);
}

#[test]
fn a_narrow_matrix_is_cut_into_tables_that_fit() {
    let mut case = sample();
    for n in 0..8 {
        case.invariants.push(InvariantName {
            name: format!("a rather long name, number {n}"),
            kind: "always",
            needs: Vec::new(),
        });
        for strategy in &mut case.strategies {
            strategy.cells.push(cell(Verdict::Violated, CellStatus::Expected, 500));
        }
    }
    for width in [60, 80, 120, 200] {
        let got = matrix(&case, &Look { width, ..Look::default() });
        assert!(got.lines().all(|line| columns_of(line) <= width), "{width}:\n{got}");
        assert_eq!(got.matches("violated 50%*").count(), 24, "{got}");
    }
}

#[test]
fn costs_are_per_intent_and_leave_out_what_nobody_has() {
    let got = costs::costs(&sample(), &Look::default());
    let lines: Vec<&str> = got.lines().collect();
    assert_eq!(lines[1], "per intent   ok  known  quests  sages    ops    p50   p99  silent", "{got}");
    // 2,700 and 300 of 3,000 intents; 4,500 requests, 9,000 messages, 6,000 operations by 3,000.
    assert_eq!(lines[2], "naive       90%    10%     1.5      3      2  4.2ms  48ms     167", "{got}");
}

#[test]
fn what_was_expected_and_did_not_come_is_named() {
    let mut case = sample();
    case.strategies[1].facts = vec![
        FactStatus {
            text: "count.ok == 3".into(),
            sometimes: false,
            held: false,
            seed: Some(7),
            inconclusive: false,
            void: None,
        },
        FactStatus {
            text: "count.lost > 0".into(),
            sometimes: true,
            held: false,
            seed: None,
            inconclusive: true,
            void: None,
        },
    ];
    case.strategies[2].panics = vec![(12, "index out of bounds".into())];
    let got = text::case(&case, &Look { width: 200, ..Look::default() });
    for line in [
        "! naive: no-lost-update: expected holds, got violated, first in seed 3",
        "! idempotent: charged once: expected violated, got holds",
        "! idempotent: not true (seed 7): count.ok == 3",
        "? idempotent: not true yet, expected sometimes: count.lost > 0",
        "! merged panicked in seed 12: index out of bounds",
    ] {
        assert!(got.lines().any(|have| have == line), "{line}\n{got}");
    }
}

#[test]
fn the_json_report_has_the_fields_it_promises() {
    let report = Report { cases: vec![sample()], ..Report::default() };
    let value: serde_json::Value = serde_json::from_str(&json(&report)).unwrap();
    assert_eq!((&value["format"], &value["version"]), (&"halfway.report".into(), &1.into()));
    let scenario = &value["scenarios"][0];
    assert_eq!(scenario["digest"], "00000000000000010000000000000002");
    assert_eq!(scenario["case"], serde_json::Value::Null);
    assert_eq!(scenario["seeds"], serde_json::json!({ "from": 0, "to": 1_000 }));
    let first = &scenario["cells"][0];
    for (key, expected) in [
        ("strategy", serde_json::json!("naive")),
        ("invariant", "charged once".into()),
        ("verdict", "violated".into()),
        ("expected", "violated".into()),
        ("runs", 1_000.into()),
        ("violating", 167.into()),
        ("silent", 167.into()),
        ("first_seed", 3.into()),
        ("obligations", 9.into()),
    ] {
        assert_eq!(first[key], expected, "{key}");
    }
    assert!(
        first["rate_ppm"]["low"].as_u64() < Some(167_000)
            && first["rate_ppm"]["high"].as_u64() > Some(167_000)
    );
    let strategy = &scenario["strategies"][0];
    for key in [
        "name",
        "intents",
        "ok",
        "failed",
        "unknown",
        "messages",
        "store_ops",
        "attempts",
        "conflicts",
        "replays",
        "compensations",
        "latency_us",
        "witnesses",
    ] {
        assert!(!strategy[key].is_null(), "{key}");
    }
    assert_eq!(strategy["latency_us"], serde_json::json!({ "p50": 4_200, "p99": 48_000 }));
    let lines = jsonl(&report);
    assert_eq!(lines.lines().count(), 1 + 9 + 3, "a head, the cells, the strategies");
    for line in lines.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
}

#[test]
fn the_xml_report_counts_failures_and_escapes_names() {
    let mut case = sample();
    case.invariants[0].name = "a < b & \"c\"\u{1}".into();
    let got = junit(&Report { cases: vec![case], ..Report::default() });
    // What cannot be carried out was not tested either.
    assert!(got.contains("tests=\"9\" failures=\"3\" skipped=\"2\" errors=\"0\""), "{got}");
    assert!(got.contains("name=\"naive: a &lt; b &amp; &quot;c&quot;\""), "{got}");
}

/// A charge whose first answer is lost: everything at fixed times.
const LOST: &str = r#"{
  "services": { "wallet": {
    "statement": "1ms",
    "tables": { "accounts": { "rows": { "ana": { "balance": 100 } } }, "charges": {} },
    "operations": { "charge": { "args": ["who", "order"],
      "set": { "accounts[who].balance": "accounts[who].balance - 30" },
      "insert": { "charges[]": { "order": "order" } } } } } },
  "clients": { "shop": { "script": [ { "at": "0ms", "do": "wallet.charge('ana', 'o1')" } ] } },
  "weather": { "latency": "2ms", "faults": [ { "lose": "reply wallet.charge", "nth": 1 } ] },
  "strategies": { "naive": { "retry": { "timeout": "40ms", "attempts": 3 } } },
  "invariants": { "charged once": { "at-most-one": "wallet.charges", "per": "order" } }
}"#;

fn read(text: &str) -> Scenario {
    scenario::read(Path::new("test.json"), &mut |_| Ok(text.as_bytes().to_vec())).unwrap_or_else(|why| {
        panic!("{}", scenario::render::text(&why.problems, &why.sources, scenario::render::Look::Plain))
    })
}

fn prepared(scenario: &Scenario) -> Vec<Prepared> {
    let all = scenario.cases.iter().flat_map(|case| &case.strategies);
    all.map(|one| Prepared::new(one.model.clone(), &one.how, one.invariants.clone(), one.expected.clone()))
        .collect()
}

fn first(replay: &Replay, invariant: usize) -> &Finding {
    &replay.run.verdict.invariants[invariant].findings[0]
}

// The request is under way for 2 ms; then the read, two writes and the commit take 1 ms each, so the charge is durable at
// 6 ms. The shop waits for 40 ms, asks again, and the second charge is durable at 46 ms; its answer arrives at 48 ms.
#[test]
fn a_lost_answer_is_told_as_a_story() {
    let prepared = &prepared(&read(LOST))[0];
    let replay = prepared.replay(0).unwrap();
    let story = tell(prepared, &replay, &[(0, first(&replay, 0))]).render(&Look::default());
    let golden = "
  Let   A = the 1st wallet.charge of shop, told ok at 48.000ms
  Then   6.000ms  ⚑ wallet.charge: accounts['ana'].balance 100 → 70; new
                    charges[1] {order: 'o1'}
         6.000ms    the answer to charge is lost between wallet and shop: lose
                    reply wallet.charge, nth 1
        40.000ms    shop stops waiting for charge
        46.000ms  ⚑ 2nd request: wallet.charge: accounts['ana'].balance 70 →
                    40; new charges[2] {order: 'o1'}
        48.000ms    shop is told ok
  So    wallet.charges[1] and wallet.charges[2] have the same order, 'o1'.
        Its client was told ok. Nobody notices.
";
    assert_eq!(format!("\n{story}"), golden, "{story}");
}

#[test]
fn a_lost_answer_is_drawn_as_lanes() {
    let prepared = &prepared(&read(LOST))[0];
    let replay = prepared.replay(0).unwrap();
    let findings = [("charged once", first(&replay, 0))];
    let rich = lanes(prepared, &replay, &findings, &Look::default());
    let golden = "
 virtual   shop             wallet
 0.000ms   ◆                │  wants wallet.charge
 0.000ms   ├──── charge ───▶│
 6.000ms   │                ●  ⚑ accounts['ana'].balance 100 → 70; new
           │                │  charges[1] {order: 'o1'}
 6.000ms   │      ✕──── ok ─┤  lost: lose reply wallet.charge, nth 1
40.000ms   ⟲                │  no answer to charge in time
40.000ms   ├── charge #2 ──▶│
46.000ms   │                ●  ⚑ accounts['ana'].balance 70 → 40; new charges[2]
           │                │  {order: 'o1'}
46.000ms   │◀───── ok ──────┤
46.000ms   │                │  ⚑ charged once is broken
48.000ms   ◆                │  told ok
  ◆ client  ● committed  ⟲ stops waiting  ✕ lost  ⚑ breaks it
";
    assert_eq!(format!("\n{rich}"), golden, "{rich}");
    let ascii = lanes(prepared, &replay, &findings, &Look { ascii: true, ..Look::default() });
    assert!(ascii.is_ascii(), "{ascii}");
    assert!(ascii.contains(" 6.000ms   |      x---- ok -+  lost: lose"), "{ascii}");
}

#[test]
fn a_history_is_one_object_a_line_with_the_names_that_people_gave() {
    let prepared = &prepared(&read(LOST))[0];
    let replay = prepared.replay(0).unwrap();
    let text = history(prepared, &replay, Head { scenario: "test", case: None, seed: 0 });
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 1 + replay.trace.records.len());
    assert_eq!(lines[0]["format"], "halfway.history");
    let lost = lines.iter().find(|line| line["kind"] == "lost").unwrap();
    assert_eq!(
        (&lost["at_ns"], &lost["of"], &lost["from"]),
        (&6_000_000.into(), &"charge".into(), &"wallet".into())
    );
    let install = lines.iter().find(|line| line["kind"] == "install").unwrap();
    assert_eq!(install["change"], "wallet.accounts['ana'].balance 100 → 70");
    assert_eq!(install["set"], serde_json::json!(["balance"]));
}

// Every form of witness and record that the shipped scenarios bring about can be told within the width asked for.
#[test]
fn every_shipped_scenario_can_be_told_within_any_width() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    for entry in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        for prepared in prepared(&read(&text)) {
            for seed in 0..3 {
                let Some(replay) = prepared.replay(seed) else { continue };
                for (width, ascii) in [(80, false), (120, true)] {
                    let look = Look { width, ascii, colour: false };
                    let mut told = lanes(&prepared, &replay, &[], &look);
                    for (at, run) in replay.run.verdict.invariants.iter().enumerate() {
                        for finding in &run.findings {
                            told += &tell(&prepared, &replay, &[(at, finding)]).render(&look);
                            told += &lanes(&prepared, &replay, &[("it", finding)], &look);
                        }
                    }
                    let wide = told.lines().find(|line| columns_of(line) > width);
                    assert_eq!(wide, None, "{} seed {seed}", prepared.strategy);
                    assert!(!ascii || told.is_ascii(), "{told}");
                }
            }
        }
    }
}

#[test]
fn a_table_of_costs_that_is_too_wide_is_cut_in_two() {
    let mut case = sample();
    let counters = [Counter::Failed, Counter::Conflicts, Counter::Replays, Counter::Compensations];
    for strategy in &mut case.strategies {
        strategy.name = format!("a-strategy-named-{}", strategy.name);
        counters.iter().for_each(|&counter| strategy.costs.counts[counter as usize] = 123_456);
    }
    let look = Look { width: 80, ..Look::default() };
    let table = costs::costs(&case, &look);
    assert!(table.lines().all(|line| columns_of(line) <= 80), "{table}");
    assert_eq!(table.matches("per intent").count(), 2, "{table}");
    for heading in ["ok", "flicts", "plays", "done", "p99", "silent"] {
        assert!(table.contains(heading), "{heading}: {table}");
    }
    let wide = costs::costs(&case, &Look { width: 140, ..look });
    assert_eq!(wide.matches("per intent").count(), 1, "{wide}");
}
