//! The command as its users meet it: arguments in, text and an exit code out.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use super::surroundings::write_file_all;
use super::{Exit, Surroundings, run, run_in};

/// A file that is gone at the end of the test.
pub(super) struct Scratch(PathBuf);

impl Scratch {
    pub(super) fn new(name: &str, text: &str) -> Scratch {
        let path = std::env::temp_dir().join(format!("halfway-{}-{name}", std::process::id()));
        std::fs::write(&path, text).unwrap();
        Scratch(path)
    }

    pub(super) fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

pub(super) fn halfway(args: &[&str]) -> (Exit, String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let exit = run(std::iter::once("halfway").chain(args.iter().copied()), &mut out, &mut err);
    (exit, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
}

/// A lamp, two buyers, and what is expected of the naive way.
fn last_lamp(expect: &str) -> String {
    format!(
        r#"{{
  "services": {{ "shop": {{
    "tables": {{ "stock": {{ "rows": {{ "lamp": {{ "free": 1 }} }} }}, "sold": {{}} }},
    "operations": {{ "buy": {{ "args": ["item"], "require": {{ "sold out": "stock[item].free >= 1" }},
      "think": "5ms", "set": {{ "stock[item].free": "stock[item].free - 1" }},
      "insert": {{ "sold[]": {{ "item": "item" }} }} }} }} }} }},
  "clients": {{ "buyers": {{ "count": 2, "intents": 1, "does": "shop.buy('lamp')", "start": "0ms" }} }},
  "weather": {{ "latency": "1ms" }},
  "strategies": {{ "naive": {{}}, "locked": {{ "write": {{ "use": "lock" }} }} }},
  "invariants": {{ "one lamp": {{ "at_rest": "shop.stock['lamp'].free + shop.sold.size() == 1" }} }},
  "expect": {{ {expect} }}
}}"#
    )
}

#[test]
fn a_run_as_expected_is_calm_and_ends_with_0() {
    let file = Scratch::new("calm.json", &last_lamp(r#""naive": "violated", "locked": "holds""#));
    let (exit, out, err) = halfway(&["run", file.path(), "--seeds", "0..20", "--jobs", "2"]);
    assert_eq!(exit, Exit::AsExpected, "{out}{err}");
    assert!(out.contains("violated 100%") && !out.contains("VIOLATED"), "{out}");
    assert!(out.contains("1 case, 40 runs: all as expected (exit 0)"), "{out}");
    assert!(!out.contains("halfway replay"), "no story is told without need: {out}");
    assert!(err.contains("40 runs in"), "{err}");
}

#[test]
fn a_finding_ends_with_1_and_the_command_it_prints_shows_it_again() {
    let file = Scratch::new("finding.json", &last_lamp(r#""naive": { "*": "holds" }"#));
    let (exit, out, _) = halfway(&["run", file.path(), "--seeds", "3..20", "--strategy", "naive"]);
    assert_eq!(exit, Exit::Finding, "{out}");
    assert!(out.contains("VIOLATED 100%!"), "{out}");
    assert!(out.contains("! naive: one lamp: expected holds, got violated, first in seed 3"), "{out}");
    let again = out.lines().find_map(|line| line.trim().strip_prefix("halfway ")).expect(&out);
    let args: Vec<&str> = again.split(' ').collect();
    let (exit, story, _) = halfway(&args);
    assert_eq!(exit, Exit::AsExpected);
    assert!(story.contains("one lamp is broken") && story.contains("seed 3"), "{story}");
    assert!(story.contains("Not true: shop.stock['lamp'].free + shop.sold.size() == 1"), "{story}");
    assert!(story.contains("At rest it reads: 2 == 1"), "{story}");
}

#[test]
fn what_is_expected_and_not_seen_in_few_runs_is_inconclusive() {
    let file = Scratch::new("unseen.json", &last_lamp(r#""locked": "violated""#));
    let (exit, out, _) = halfway(&["run", file.path(), "--seed", "1", "--strategy", "locked"]);
    assert_eq!(exit, Exit::Inconclusive, "{out}");
}

#[test]
fn mistakes_end_with_2_and_say_where() {
    let file = Scratch::new("wrong.json", r#"{ "servces": {} }"#);
    let (exit, out, err) = halfway(&["run", file.path()]);
    assert_eq!((exit, out.as_str()), (Exit::Usage, ""));
    assert!(err.contains("servces") && err.contains("services"), "{err}");
    assert_eq!(halfway(&["check", file.path()]).0, Exit::Usage);
    assert_eq!(halfway(&["run", "/nowhere/to/be/found.json"]).0, Exit::Usage);
    assert_eq!(halfway(&["fly"]).0, Exit::Usage);
    assert_eq!(halfway(&["run"]).0, Exit::Usage);
    assert_eq!(halfway(&["run", file.path(), "--seeds", "9..1"]).0, Exit::Usage);
    let (exit, out, err) = halfway(&["--help"]);
    assert_eq!((exit, err.as_str()), (Exit::AsExpected, ""));
    assert!(out.contains("130  interrupted"), "{out}");
}

#[test]
fn names_that_select_nothing_end_with_4_and_a_guess() {
    let file = Scratch::new("names.json", &last_lamp(r#""naive": "violated""#));
    let (exit, _, err) = halfway(&["run", file.path(), "--strategy", "niave"]);
    assert_eq!(exit, Exit::NothingSelected);
    assert!(err.contains("did you mean naive?"), "{err}");
    assert_eq!(halfway(&["run", file.path(), "--case", "other"]).0, Exit::NothingSelected);
    assert_eq!(
        halfway(&["replay", file.path(), "--strategy", "other", "--seed", "1"]).0,
        Exit::NothingSelected
    );
    assert_eq!(halfway(&["explain", "HW9999"]).0, Exit::NothingSelected);
}

#[test]
fn the_last_seeds_there_are_run_like_any() {
    let file = Scratch::new("last.json", &last_lamp(r#""naive": "violated""#));
    let range = "18446744073709551606..18446744073709551615";
    let (exit, out, err) = halfway(&["run", file.path(), "--strategy", "naive", "--seeds", range]);
    assert_eq!(exit, Exit::AsExpected, "{err}");
    assert!(out.contains("1 case, 9 runs"), "{out}");
    let greatest = ["run", file.path(), "--seed", "18446744073709551615"];
    assert_eq!(halfway(&greatest).0, Exit::Usage, "nothing would be run, and all would seem well");
}

#[test]
fn long_lines_are_shown_around_the_mistake_within_the_width() {
    let about = "x".repeat(90);
    let file =
        Scratch::new("long.json", &format!(r#"{{ "about": "{about}", "servces": {{}}, "end": "1s" }}"#));
    let (exit, _, err) = halfway(&["run", file.path(), "--width", "80"]);
    assert_eq!(exit, Exit::Usage);
    let excerpt = err.lines().find(|line| line.starts_with("1 |")).expect(&err);
    assert!(excerpt.contains("servces") && excerpt.chars().count() <= 80, "{err}");
}

#[test]
fn a_check_cuts_no_line_of_the_weather() {
    let fault = r#""latency": "1ms", "faults": [ { "crash": "shop", "after": "commit shop.buy", "chance": "10%", "for": "20ms" } ]"#;
    let file = Scratch::new("weather.json", &last_lamp("").replace(r#""latency": "1ms""#, fault));
    let (exit, out, _) = halfway(&["check", file.path(), "--width", "60"]);
    assert_eq!(exit, Exit::AsExpected, "{out}");
    assert!(out.contains("10% of the") && !out.contains('…'), "{out}");
    assert!(out.lines().all(|line| line.chars().count() <= 60 || line.starts_with("halfway")), "{out}");
}

/// The text between a line that opens a fence after `from` and the line that closes it.
fn fenced<'r>(readme: &'r str, from: &str, fence: &str) -> &'r str {
    let after = readme.split_once(from).expect(from).1;
    after.split_once(&format!("```{fence}\n")).expect(fence).1.split("```").next().unwrap()
}

#[test]
fn the_readme_shows_what_the_command_prints() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let (first, shown) = fenced(&readme, "# halfway", "console").split_once('\n').unwrap();
    let args: Vec<&str> =
        first.split_once(" -- ").expect(first).1.split(' ').chain(["--width", "80"]).collect();
    assert_eq!(halfway(&args).1, shown);

    let written = fenced(&readme, "## A first scenario", "jsonc");
    let file = Scratch::new("tickets.json", written);
    let (exit, out, _) = halfway(&["run", file.path(), "--strategy", "naive,occ,hardened", "--width", "80"]);
    assert_eq!(exit, Exit::Finding);
    let own = file.0.file_stem().unwrap().to_str().unwrap();
    assert!(out.replace(own, "tickets").contains(fenced(&readme, "## Reading a failure", "text")), "{out}");
    for strategy in ["occ", "hardened"] {
        assert!(!out.contains(&format!("is broken under {strategy}")), "{out}");
    }

    let slip = written.replace(r#""set":     { "tickets[show].free""#, r#""set":     { "tickets[show].fre""#);
    let file = Scratch::new("slip.json", &slip);
    let err = halfway(&["run", file.path()]).2.replace(file.path(), "tickets.json");
    assert!(err.contains(fenced(&readme, "Mistakes in a file", "text")), "{err}");
}

/// A reader that has seen enough, or a full disk.
struct Broken(io::ErrorKind);

impl Write for Broken {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(self.0.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_closed_pipe_is_no_failure_and_a_full_disk_is() {
    let args = ["halfway", "list", "faults"];
    assert_eq!(run(args, &mut Broken(io::ErrorKind::BrokenPipe), &mut Vec::new()), Exit::AsExpected);
    assert_eq!(run(args, &mut Broken(io::ErrorKind::StorageFull), &mut Vec::new()), Exit::CannotWrite);
}

#[test]
fn a_result_file_is_written_whole_or_not_at_all() {
    let file = Scratch::new("out.json", &last_lamp(r#""naive": "violated""#));
    let target = Scratch::new("result.json", "old");
    let args = ["run", file.path(), "--seeds", "5", "--format", "json", "--out"];
    let (exit, out, err) = halfway(&[&args[..], &[target.path()]].concat());
    assert_eq!((exit, out.as_str()), (Exit::AsExpected, ""), "{err}");
    let written = std::fs::read_to_string(&target.0).unwrap();
    let value: serde_json::Value = serde_json::from_str(&written).unwrap();
    assert_eq!(value["scenarios"][0]["strategies"][1]["name"], "locked");
    let (exit, _, err) = halfway(&[&args[..], &["/nowhere/to/be/found.json"]].concat());
    assert_eq!(exit, Exit::CannotWrite);
    assert!(err.contains("cannot write"), "{err}");
}

#[test]
fn a_result_that_breaks_off_leaves_the_old_file_and_nothing_beside_it() {
    let folder = std::env::temp_dir().join(format!("halfway-{}-broken-off", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let target = folder.join("history.jsonl");
    std::fs::write(&target, "old").unwrap();
    let breaks = |file: &mut std::fs::File| {
        file.write_all(b"half of it")?;
        Err(io::ErrorKind::StorageFull.into())
    };
    let mut err = Vec::new();
    assert_eq!(write_file_all(&target, breaks, &mut err), Err(Exit::CannotWrite));
    assert!(String::from_utf8(err).unwrap().contains("cannot write"));
    assert_eq!(std::fs::read_to_string(&target).unwrap(), "old");
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_service_in_rust_is_more_than_the_command_can_run_and_it_says_where() {
    let text = r#"{
        "services": { "bank": { "process": "teller", "operations": { "pay": {} } } },
        "clients": { "shop": { "does": "bank.pay()" } },
        "invariants": { "every-intent-ends": {} } }"#;
    let file = Scratch::new("process.json", text);
    for command in [&["run"][..], &["replay", "--strategy", "naive", "--seed", "1"]] {
        let mut args = command.to_vec();
        args.insert(1, file.path());
        let (exit, _, err) = halfway(&args);
        assert_eq!(exit, Exit::Usage, "{err}");
        assert!(err.contains("HW0402") && err.contains("no process `teller`"), "{err}");
        assert!(err.contains("process.json:2:") && err.contains("with_process"), "{err}");
    }
    // Whether the file itself is right can be said all the same.
    assert_eq!(halfway(&["check", file.path()]).0, Exit::AsExpected);
}

#[test]
fn who_interrupts_keeps_what_was_finished() {
    let file = Scratch::new("stop.json", &last_lamp(r#""naive": "violated""#));
    let stop = AtomicBool::new(true);
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let args = ["halfway", "run", file.path(), "--format", "json"];
    let exit = run_in(&Surroundings::none(&stop), args, &mut out, &mut err);
    assert_eq!(exit, Exit::Interrupted);
    let value: serde_json::Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(value["interrupted"], true);
}

#[test]
fn a_replay_is_the_same_history_byte_for_byte() {
    let file = Scratch::new("replay.json", &last_lamp(r#""naive": "violated""#));
    let args = ["replay", file.path(), "--strategy", "naive", "--seed", "7", "--format", "jsonl"];
    let (one, two) = (halfway(&args), halfway(&args));
    assert_eq!(one, two);
    assert_eq!(one.0, Exit::AsExpected);
    assert!(one.1.lines().count() > 10, "{}", one.1);
    let target = Scratch::new("history.jsonl", "old");
    let written = halfway(&[&args[..], &["--out", target.path()]].concat());
    assert_eq!(written, (Exit::AsExpected, String::new(), String::new()));
    assert_eq!(std::fs::read_to_string(&target.0).unwrap(), one.1);
    let closed = |kind| run(std::iter::once("halfway").chain(args), &mut Broken(kind), &mut Vec::new());
    assert_eq!(closed(io::ErrorKind::BrokenPipe), Exit::AsExpected);
    assert_eq!(closed(io::ErrorKind::StorageFull), Exit::CannotWrite);
}

#[test]
fn a_check_says_what_can_hardly_be_put_to_the_test() {
    let lonely = last_lamp("").replace(r#""count": 2"#, r#""count": 1"#).replace(
        r#""at_rest": "shop.stock['lamp'].free + shop.sold.size() == 1""#,
        r#""no-lost-update": "shop.stock""#,
    );
    let file = Scratch::new("check.json", &lonely);
    let (exit, out, _) = halfway(&["check", file.path()]);
    assert_eq!(exit, Exit::AsExpected, "{out}");
    assert!(out.contains("1 service, 1 operation, 0 flows, 1 intent, 2 strategies, 1 invariant"), "{out}");
    assert!(out.contains("one lamp can hardly be put to the test"), "{out}");
    let (_, json, _) = halfway(&["check", file.path(), "--format", "json"]);
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(value["files"][0]["runs"], true);
}

#[test]
fn every_list_has_something_and_every_code_an_explanation() {
    for what in ["strategies", "invariants", "faults", "scenarios"] {
        let (exit, out, _) = halfway(&["list", what]);
        assert_eq!(exit, Exit::AsExpected);
        assert!(out.lines().count() > 3, "{what}: {out}");
    }
    for code in crate::scenario::code::Code::ALL {
        assert_eq!(halfway(&["explain", code.name()]).0, Exit::AsExpected);
    }
    assert!(halfway(&["explain", "no-lost-update"]).1.contains("overwritten"));
    let (exit, out, _) = halfway(&["explain", "outbox"]);
    assert_eq!(exit, Exit::AsExpected);
    assert!(out.contains("outbox (policy of publish)"), "{out}");
}

#[test]
fn what_the_command_line_says_twice_or_not_at_all_is_refused_in_plain_words() {
    let file = Scratch::new("flags.json", &last_lamp(""));
    let refused = |more: &[&str]| {
        let args: Vec<&str> = ["run", file.path()].iter().chain(more).copied().collect();
        let (exit, _, err) = halfway(&args);
        assert_eq!(exit, Exit::Usage, "{more:?}: {err}");
        err
    };
    assert!(refused(&["--seed", "1", "--seeds", "0..5"]).contains("cannot be used with"));
    assert!(refused(&["--seed", "-1"]).contains("`-1` is not a whole number from 0 on"));
    assert!(refused(&["--seeds", "-5..2"]).contains("`-5` is not a whole number from 0 on"));
    for jobs in ["0", "x", "-2"] {
        assert!(refused(&["-j", jobs]).contains(&format!("`{jobs}` is not a whole number from 1 on")));
    }
    assert!(refused(&["--width", "wide"]).contains("`wide` is not a whole number from 1 on"));
    let (exit, out, _) = halfway(&["run", file.path(), "--seeds", "5"]);
    assert!(exit == Exit::Finding && out.contains("5 seeds from 0"), "{out}");
    let (_, help, _) = halfway(&["run", "--help"]);
    assert!(help.contains("a number alone is so many from 0 on"), "{help}");
}

#[test]
fn a_directory_that_somebody_names_must_be_there() {
    let (exit, out, err) = halfway(&["list", "scenarios", "--dir", "/no/such/directory"]);
    assert_eq!((exit, out.as_str()), (Exit::Usage, ""));
    assert!(err.contains("cannot look into /no/such/directory"), "{err}");
}

#[test]
fn a_result_is_not_written_over_its_scenario() {
    let text = last_lamp("");
    let file = Scratch::new("over.json", &text);
    let base = Scratch::new("base.json", &text);
    let name = base.0.file_name().unwrap().to_str().unwrap();
    let more = Scratch::new("more.json", &format!(r#"{{ "extends": "{name}", "about": "more" }}"#));
    for (read, out) in [(&file, &file), (&more, &base)] {
        for command in [&["run"][..], &["replay", "--strategy", "naive"]] {
            let mut args = command.to_vec();
            args.extend([read.path(), "--out", out.path()]);
            let (exit, _, err) = halfway(&args);
            assert_eq!(exit, Exit::Usage, "{err}");
            assert!(err.contains("would overwrite the scenario"), "{err}");
            assert_eq!(std::fs::read_to_string(&out.0).unwrap(), text);
        }
    }
}

#[test]
fn an_interrupted_report_for_build_servers_says_what_was_not_run() {
    let file = Scratch::new("cut.json", &last_lamp(r#""naive": "violated""#));
    let stop = AtomicBool::new(true);
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let args = ["halfway", "run", file.path(), "--format", "junit", "--seeds", "0..900"];
    assert_eq!(run_in(&Surroundings::none(&stop), args, &mut out, &mut err), Exit::Interrupted);
    let out = String::from_utf8(out).unwrap();
    assert!(
        out.contains(r#"<testsuite name="interrupted" tests="2" failures="0" skipped="0" errors="2">"#),
        "{out}"
    );
    for strategy in ["naive", "locked"] {
        assert!(out.contains(&format!("name=\"{strategy}\">")), "{out}");
    }
    assert!(out.contains(r#"message="stopped after 0 of 900 seeds""#), "{out}");
}

#[test]
fn columns_are_those_that_somebody_asks_for() {
    let file = Scratch::new("wide.json", &last_lamp(""));
    let stop = AtomicBool::new(false);
    let widest = |asked: Option<usize>, args: &[&str]| {
        let mut around = Surroundings::none(&stop);
        around.asked = asked;
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let all = ["halfway", "replay", file.path(), "--strategy", "naive", "--all"];
        run_in(&around, all.iter().chain(args), &mut out, &mut err);
        String::from_utf8(out).unwrap().lines().map(crate::report::look::columns_of).max().unwrap()
    };
    assert!((61..=80).contains(&widest(None, &[])));
    assert!((81..=200).contains(&widest(Some(200), &[])));
    assert!(widest(Some(200), &["--width", "60"]) <= 60, "the command line comes first");
}

#[test]
fn a_bad_file_does_not_keep_a_good_one_from_being_run() {
    let good = Scratch::new("good-beside.json", &last_lamp(r#""naive": "violated", "locked": "holds""#));
    let bad = Scratch::new("bad-beside.json", r#"{ "services": { "s": 3 } }"#);
    let both = |format: &str| {
        halfway(&["run", bad.path(), good.path(), "--seeds", "0..20", "--jobs", "1", "--format", format])
    };
    let (exit, out, err) = both("human");
    assert_eq!(exit, Exit::Usage, "{out}{err}");
    assert!(err.contains("1 scenario cannot be run") && err.contains("error[HW"), "{err}");
    assert!(out.contains("violated 100%"), "{out}");
    assert!(out.contains("1 case, 40 runs, 1 file rejected: a scenario cannot be run (exit 2)"), "{out}");
    let (exit, out, _) = both("json");
    assert_eq!(exit, Exit::Usage);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(json["scenarios"][0]["cells"][0]["verdict"], "violated");
    assert_eq!((&json["result"], &json["exit"]), (&"unsound".into(), &2.into()), "{out}");
    assert_eq!(json["rejected"][0]["file"], bad.path());
    assert_eq!(json["rejected"][0]["problems"][0]["severity"], "error");
    let (_, out, _) = both("jsonl");
    assert!(out.lines().next().unwrap().contains(r#""result":"unsound","exit":2"#), "{out}");
    assert!(out.lines().last().unwrap().contains(r#""record":"rejected""#), "{out}");
    let (_, out, _) = both("junit");
    assert!(out.contains("bad-beside.json:1:") && out.contains("<error type=\"HW"), "{out}");
    assert!(out.contains("locked: one lamp"), "{out}");
    // Alone it leaves a report that says so, too.
    let (exit, out, _) = halfway(&["run", bad.path(), "--format", "json"]);
    assert_eq!(exit, Exit::Usage);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&json["exit"], json["scenarios"].as_array().map(Vec::len)), (&2.into(), Some(0)));
    // And it is not written over.
    let (exit, _, err) = halfway(&["run", bad.path(), good.path(), "--out", bad.path()]);
    assert!(exit == Exit::Usage && err.contains("would overwrite"), "{err}");
}

#[test]
fn a_report_for_programs_says_how_it_all_went() {
    for (expect, seeds, exit, word) in [
        (r#""naive": "violated", "locked": "holds""#, "0..20", Exit::AsExpected, "as-expected"),
        (r#""naive": "holds""#, "0..20", Exit::Finding, "finding"),
    ] {
        let file = Scratch::new("how-it-went.json", &last_lamp(expect));
        for format in ["json", "jsonl"] {
            let (got, out, _) = halfway(&["run", file.path(), "--seeds", seeds, "--format", format]);
            assert_eq!(got, exit, "{out}");
            let head = if format == "json" { out.as_str() } else { out.lines().next().unwrap() };
            let json: serde_json::Value = serde_json::from_str(head).unwrap();
            assert_eq!((&json["result"], &json["exit"]), (&word.into(), &exit.code().into()), "{out}");
            assert_eq!(json["version"], 1, "fields are only added");
        }
    }
}

#[test]
fn a_fact_without_a_value_is_not_told_as_false() {
    let fact = "shop.sold.size() / (shop.stock['lamp'].free - shop.stock['lamp'].free) == 1";
    let expect =
        format!(r#""naive": {{ "facts": ["{fact}"] }}, "locked": {{ "facts": ["shop.sold.size() == 7"] }}"#);
    let file = Scratch::new("void.json", &last_lamp(&expect));
    let (_, out, _) = halfway(&["run", file.path(), "--seeds", "0..5"]);
    assert!(out.contains("! naive: without a value (seed 0)"), "{out}");
    assert!(out.contains("! locked: not true (seed 0)"), "{out}");
    let replay = |strategy: &str| halfway(&["replay", file.path(), "--strategy", strategy]).1;
    assert!(replay("naive").contains("WITHOUT A VALUE, though expected"), "{}", replay("naive"));
    assert!(replay("locked").contains("NOT TRUE, though expected"));
    let (_, out, _) = halfway(&["run", file.path(), "--seeds", "0..5", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    let fact = |at: usize| json["scenarios"][0]["strategies"][at]["facts"][0]["no_value"].clone();
    assert_eq!([fact(0), fact(1)], [0.into(), serde_json::Value::Null]);
}

#[test]
fn what_is_said_of_every_row_of_a_table_without_rows_is_not_earned() {
    for (rule, verdict) in [
        // Nobody ever writes a refund.
        ("\"at_rest\": \"shop.refunds.all(r, shop.sold.size() <= 9)\"", "inconclusive"),
        ("\"at_rest\": \"!shop.refunds.exists(r, shop.sold.size() > 9)\"", "inconclusive"),
        ("\"always\": \"shop.refunds.all(r, shop.sold.size() <= 1)\"", "inconclusive"),
        // Something is sold, and everything sold is a lamp; or it is not.
        ("\"at_rest\": \"shop.sold.all(s, s.item == 'lamp')\"", "holds"),
        ("\"always\": \"shop.sold.all(s, shop.stock['lamp'].free >= 0)\"", "holds"),
        ("\"at_rest\": \"shop.refunds.all(r, r.item == 'lamp') && shop.sold.size() >= 1\"", "holds"),
        ("\"at_rest\": \"shop.sold.all(s, s.item == 'chair')\"", "violated"),
        // That there is none is said of the table.
        ("\"at_rest\": \"shop.refunds.size() < shop.sold.size()\"", "holds"),
    ] {
        let text = last_lamp("")
            .replace("\"sold\": {} }", "\"sold\": {}, \"refunds\": { \"fields\": { \"item\": \"\" } } }");
        let (before, after) = text.split_once("\"at_rest\"").unwrap();
        let (_, after) = after.split_once(" }").unwrap();
        let file = Scratch::new("every-row.json", &format!("{before}{rule} }}{after}"));
        let (_, out, _) =
            halfway(&["run", file.path(), "--strategy", "naive", "--seeds", "0..5", "--format", "json"]);
        let json: serde_json::Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{rule}: {out}"));
        assert_eq!(json["scenarios"][0]["cells"][0]["verdict"], verdict, "{rule}");
    }
}
