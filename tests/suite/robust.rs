//! Whatever a file holds, reading it ends in a scenario or in problems, and what can be read can be run: no panic, no
//! run without end, no more memory than a person's machine has.
//!
//! Mutants are made from the shipped files and from those that the language was settled with, by a fixed sequence:
//! the same mutants on every machine. `HALFWAY_MUTANTS` sets how many.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use halfway::kernel::path::mix;
use halfway::scenario::{self, Scenario, load};
use serde_json::{Map, Value, json};

use crate::shipped::{files, prepared};

/// What ends a run of a mutant that has turned into an endless one.
const BUDGET: u64 = 20_000;

/// A sequence of numbers, the same everywhere.
struct Luck(u64, u64);

impl Luck {
    fn below(&mut self, n: usize) -> usize {
        self.1 += 1;
        (mix(self.0, self.1) % n.max(1) as u64) as usize
    }

    fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// Reads bytes as a scenario; the problems, printed, if it is none.
fn read(bytes: &[u8]) -> Result<Scenario, String> {
    scenario::read(Path::new("test.json"), &mut |_| Ok(bytes.to_vec())).map_err(|rejected| {
        scenario::render::text(&rejected.problems, &rejected.sources, scenario::render::Look::Plain)
    })
}

/// Reads bytes and, if they are a scenario, runs one seed of everything in it. How many runs there were.
fn tried(bytes: &[u8], seed: u64) -> usize {
    let Ok(scenario) = read(bytes) else { return 0 };
    let mut runs = 0;
    for (_, mut prepared) in prepared(&scenario) {
        if let Ok(plan) = &mut prepared.plan {
            plan.event_budget = BUDGET;
        }
        if let Some(mut bench) = prepared.bench() {
            bench.run(seed);
            runs += 1;
        }
    }
    runs
}

/// The originals: shipped files, and the four of the language's page.
fn originals() -> Vec<(String, Vec<u8>)> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let pages = (1..=4).map(|n| fixtures.join(format!("language-{n}.jsonc")));
    let all = files().into_iter().chain(pages);
    all.map(|path| (path.display().to_string(), std::fs::read(&path).unwrap())).collect()
}

const BYTES: [&[u8]; 16] = [
    b"{",
    b"}",
    b"[",
    b"]",
    b"\"",
    b",",
    b":",
    b"/*",
    b"\\",
    b"\0",
    b"\xff",
    b"'",
    b"(",
    b"-",
    b"9",
    b"\xe2\x82",
];

/// A few bytes changed, cut out, put in, doubled or swapped.
fn bent_bytes(mut bytes: Vec<u8>, luck: &mut Luck) -> Vec<u8> {
    for _ in 0..=luck.below(3) {
        let at = luck.below(bytes.len());
        let end = (at + 1 + luck.below(40)).min(bytes.len());
        match luck.below(5) {
            0 => drop(bytes.drain(at..end)),
            1 => drop(bytes.splice(at..at, luck.one::<&[u8]>(&BYTES).iter().copied())),
            2 => bytes[at] ^= 1 << luck.below(8),
            3 => {
                let piece = bytes[at..end].to_vec();
                let to = luck.below(bytes.len());
                drop(bytes.splice(to..to, piece));
            }
            _ => {
                let other = luck.below(bytes.len());
                bytes.swap(at, other);
            }
        }
        if bytes.is_empty() {
            break;
        }
    }
    bytes
}

const NUMBERS: [&str; 14] = [
    "0",
    "-1",
    "1",
    "2",
    "3",
    "63",
    "64",
    "65536",
    "4294967295",
    "4294967296",
    "1e9",
    "0.5",
    "9223372036854775807",
    "-9223372036854775808",
];

const TEXTS: [&str; 40] = [
    "",
    "0ms",
    "1ns",
    "ever",
    "9999999d",
    "0ms..9000h",
    "exp 5ms",
    "exp 0ms",
    "normal 1ms 9000h",
    "100%",
    "0%",
    "0%..100%",
    "101%",
    "*",
    "a -> b",
    "* <-> *",
    "null",
    "true",
    "'x'",
    "1",
    "-1",
    "1 / 0",
    "1 % 0",
    "9223372036854775807 + 1",
    "[1, 2][7]",
    "now",
    "event.version",
    "reply *",
    "request *",
    "commit *",
    "saga",
    "merged",
    "choreography",
    "occ",
    "hardened",
    "naive",
    "outbox",
    "duration('1ms')",
    "unique('q')",
    "uniform(-9223372036854775808, 9223372036854775807)",
];

/// All paths to the values of a tree.
fn paths(value: &Value, here: &mut Vec<usize>, all: &mut Vec<Vec<usize>>) {
    all.push(here.clone());
    let children: Vec<&Value> = match value {
        Value::Array(items) => items.iter().collect(),
        Value::Object(entries) => entries.values().collect(),
        _ => Vec::new(),
    };
    for (n, child) in children.into_iter().enumerate() {
        here.push(n);
        paths(child, here, all);
        here.pop();
    }
}

fn at<'v>(value: &'v mut Value, path: &[usize]) -> &'v mut Value {
    path.iter().fold(value, |value, &n| match value {
        Value::Array(items) => &mut items[n],
        Value::Object(entries) => entries.values_mut().nth(n).unwrap(),
        _ => unreachable!(),
    })
}

/// One or two values deleted, doubled, swapped, replaced, renamed or buried.
fn bent_tree(mut tree: Value, luck: &mut Luck) -> Vec<u8> {
    for _ in 0..=luck.below(2) {
        let mut all = Vec::new();
        paths(&tree, &mut Vec::new(), &mut all);
        let path = luck.one(&all).clone();
        let other = luck.one(&all).clone();
        let donor = at(&mut tree, &other).clone();
        let (parent, last) = match path.split_last() {
            Some((last, parent)) => (parent.to_vec(), *last),
            None => continue,
        };
        let number: Value = serde_json::from_str(luck.one::<&str>(&NUMBERS)).unwrap();
        let text = Value::String((*luck.one::<&str>(&TEXTS)).to_owned());
        match luck.below(9) {
            0 => match at(&mut tree, &parent) {
                Value::Array(items) => drop(items.remove(last)),
                Value::Object(entries) => {
                    let key = entries.keys().nth(last).unwrap().clone();
                    entries.remove(&key);
                }
                _ => {}
            },
            1 => match at(&mut tree, &parent) {
                Value::Array(items) => items.insert(last, items[last].clone()),
                Value::Object(entries) => {
                    let (key, value) = entries.iter().nth(last).unwrap();
                    let (key, value) = (format!("{key}_2"), value.clone());
                    entries.insert(key, value);
                }
                _ => {}
            },
            2 => *at(&mut tree, &path) = donor,
            3 => {
                // Numbers by numbers where there are any, else anything.
                let leaves: Vec<_> =
                    all.iter().filter(|path| at(&mut tree, path).is_number()).cloned().collect();
                let path = if leaves.is_empty() { path } else { luck.one(&leaves).clone() };
                *at(&mut tree, &path) = number;
            }
            4 | 5 => {
                let leaves: Vec<_> =
                    all.iter().filter(|path| at(&mut tree, path).is_string()).cloned().collect();
                let path = if leaves.is_empty() { path } else { luck.one(&leaves).clone() };
                *at(&mut tree, &path) = text;
            }
            6 => {
                let target = at(&mut tree, &parent);
                if let Value::Object(entries) = target {
                    let key = entries.keys().nth(last).unwrap().clone();
                    let value = entries.remove(&key).unwrap();
                    let taken = luck.one::<&str>(&TEXTS).to_string();
                    entries.insert(if luck.below(2) == 0 { taken } else { key.to_uppercase() }, value);
                }
            }
            7 => {
                let target = at(&mut tree, &path);
                let mut buried = target.take();
                for _ in 0..1 + luck.below(100) {
                    buried = if luck.below(2) == 0 { json!([buried]) } else { json!({ "steps": [buried] }) };
                }
                *target = buried;
            }
            _ => {
                // Part of an expression is replaced by another one: most of these still parse.
                let texts: Vec<_> =
                    all.iter().filter(|path| at(&mut tree, path).is_string()).cloned().collect();
                if texts.is_empty() {
                    continue;
                }
                let (one, two) = (luck.one(&texts).clone(), luck.one(&texts).clone());
                let with = at(&mut tree, &two).clone();
                *at(&mut tree, &one) = with;
            }
        }
    }
    tree.to_string().into_bytes()
}

/// The n-th mutant, and from which file it comes.
fn mutant(n: u64, originals: &[(String, Vec<u8>, Value)]) -> (&str, Vec<u8>) {
    let mut luck = Luck(0x6d75_7461_6e74, n << 20);
    let (name, bytes, tree) = luck.one(originals);
    // Two of three on the tree: bytes rarely make anything that can be read.
    let bent = if n.is_multiple_of(3) {
        bent_bytes(bytes.clone(), &mut luck)
    } else {
        bent_tree(tree.clone(), &mut luck)
    };
    (name, bent)
}

#[test]
fn no_mutant_of_any_file_makes_the_reader_or_the_engine_panic() {
    let count: u64 = std::env::var("HALFWAY_MUTANTS").map_or(3_000, |count| count.parse().unwrap());
    let originals: Vec<(String, Vec<u8>, Value)> = originals()
        .into_iter()
        .map(|(name, bytes)| {
            let text = String::from_utf8(bytes.clone()).unwrap();
            let tree = jsonc_parser::parse_to_serde_value(&text, &Default::default()).unwrap();
            (name, bytes, tree)
        })
        .collect();
    let next = std::sync::atomic::AtomicU64::new(0);
    let work = || {
        let (mut readable, mut runs, mut panics) = (0_u64, 0, Vec::new());
        loop {
            let n = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            if n >= count {
                return (readable, runs, panics);
            }
            let (name, bytes) = mutant(n, &originals);
            match catch_unwind(AssertUnwindSafe(|| tried(&bytes, n))) {
                Ok(more) => {
                    readable += u64::from(more > 0);
                    runs += more;
                }
                Err(_) => {
                    if let Some(folder) = std::env::var_os("HALFWAY_KEEP_MUTANTS") {
                        std::fs::write(Path::new(&folder).join(format!("{n}.json")), &bytes).unwrap();
                    }
                    panics.push((n, name));
                }
            }
        }
    };
    let (one, two) = std::thread::scope(|scope| {
        let other = scope.spawn(work);
        (work(), other.join().unwrap())
    });
    let (readable, runs) = (one.0 + two.0, one.1 + two.1);
    let panics: Vec<_> = one.2.into_iter().chain(two.2).collect();
    println!("{count} mutants, {readable} readable, {runs} runs");
    assert!(
        panics.is_empty(),
        "{} mutants panic, the first few: {:?}",
        panics.len(),
        &panics[..panics.len().min(9)]
    );
    assert!(readable * 20 > count, "only {readable} of {count} mutants can be read: they show little");
}

/// The smallest whole scenario, to be made hostile in one place.
fn small() -> Value {
    json!({
        "services": { "a": { "tables": { "t": { "rows": { "1": { "n": 0 } } } },
                             "operations": { "o": { "set": { "t[1].n": "t[1].n + 1" } } } } },
        "clients": { "c": { "does": "a.o()" } },
        "strategies": { "naive": {} },
        "invariants": { "every-intent-ends": {} }
    })
}

fn refused(label: &str, bytes: &[u8]) -> String {
    match read(bytes) {
        Ok(_) => panic!("{label} is read without a word"),
        Err(problems) => problems,
    }
}

#[test]
fn the_smallest_scenario_can_be_read_and_run() {
    assert_eq!(tried(small().to_string().as_bytes(), 0), 1);
}

#[test]
fn two_hundred_thousand_brackets_are_an_error_and_no_stack_overflow() {
    refused("brackets", "[".repeat(200_000).as_bytes());
    refused("closed brackets", ("[".repeat(200_000) + &"]".repeat(200_000)).as_bytes());
    refused("objects", "{\"a\":".repeat(200_000).as_bytes());
    let mut deep = small();
    for (open, close) in [("(", ")"), ("!", ""), ("-", ""), ("[", "]"), ("1 + (", ")"), ("true ? 1 : ", "")] {
        let text = open.repeat(200_000) + "1" + &close.repeat(200_000);
        deep["services"]["a"]["operations"]["o"]["set"]["t[1].n"] = json!(text);
        refused(&format!("an expression of {open}"), deep.to_string().as_bytes());
    }
}

#[test]
fn nine_mebibytes_are_refused() {
    let mut text = small().to_string();
    text.push_str(&" ".repeat(9 << 20));
    assert!(refused("9 MiB", text.as_bytes()).contains("8 MiB"));
    let mut long = small();
    long["about"] = json!("x".repeat(9 << 20));
    assert!(refused("9 MiB", long.to_string().as_bytes()).contains("8 MiB"));
    // Just below: one text of 7 MiB is fine, a comment of that length too.
    long["about"] = json!("x".repeat(7 << 20));
    assert_eq!(tried(long.to_string().as_bytes(), 0), 1);
    let text = format!("/*{}*/{}", "x".repeat(7 << 20), small());
    assert_eq!(tried(text.as_bytes(), 0), 1);
}

#[test]
fn numbers_that_no_machine_could_hold_are_refused() {
    for (at, value) in [
        ("/clients/c/count", json!(1_000_000_000)),
        ("/clients/c/count", json!(9_223_372_036_854_775_807_i64)),
        ("/clients/c/intents", json!(9_223_372_036_854_775_807_i64)),
        ("/services/a/replicas", json!(1_000_000_000)),
        ("/services/a/tables/t/rows", json!({ "1..1000000000": { "n": 0 } })),
        ("/services/a/tables/t/rows", json!({ "0..9223372036854775807": { "n": 0 } })),
    ] {
        let mut hostile = small();
        let (parent, key) = at.rsplit_once('/').unwrap();
        hostile.pointer_mut(parent).unwrap()[key] = value.clone();
        refused(&format!("{at} = {value}"), hostile.to_string().as_bytes());
    }
}

#[test]
fn a_hundred_thousand_services_end_in_an_error() {
    let mut hostile = small();
    for n in 0..100_000 {
        hostile["services"][format!("s{n}")] = json!({});
    }
    refused("services", hostile.to_string().as_bytes());
}

/// `count` names, each twice the one before.
fn doubling(count: usize) -> Map<String, Value> {
    let twice = |n: usize| format!("v{:02} + v{:02}", n - 1, n - 1);
    let name = |n: usize| format!("v{n:02}");
    (0..count).map(|n| (name(n), if n == 0 { json!("1") } else { json!(twice(n)) })).collect()
}

/// Reads and runs a scenario whose names double so often, under each write policy.
fn doubled(count: usize) {
    let mut hostile = small();
    hostile["services"]["a"]["operations"]["o"]["let"] = Value::Object(doubling(count));
    hostile["services"]["a"]["operations"]["o"]["set"]["t[1].n"] =
        json!(format!("t[1].n + v{:02}", count - 1));
    assert!(read(hostile.to_string().as_bytes()).is_ok());
    for strategy in ["absolute", "patch", "occ", "relative", "guarded"] {
        hostile["strategies"] = json!({ "tried": { "write": strategy } });
        tried(hostile.to_string().as_bytes(), 0);
    }
}

#[test]
fn names_that_double_are_read_and_run() {
    doubled(2);
    doubled(12);
}

#[test]
fn names_that_double_sixty_times_are_no_trap_for_policies_that_look_through_names() {
    doubled(60);
}

/// A loop over a table in a loop over it, and so on.
fn loops(depth: usize) -> String {
    let all = (0..depth).rev().fold("0".to_owned(), |inner, n| format!("t.map(r{n}, {inner}).sum()"));
    format!("{all} >= 0")
}

#[test]
fn loops_in_loops_over_a_hundred_rows_end() {
    let mut hostile = small();
    hostile["services"]["a"]["tables"]["t"]["rows"] = json!({ "1..100": { "n": 0 } });
    hostile["services"]["a"]["operations"]["o"]["require"] = json!(loops(8));
    tried(hostile.to_string().as_bytes(), 0);
}

#[test]
fn loops_in_loops_in_an_invariant_end() {
    let mut hostile = small();
    hostile["services"]["a"]["tables"]["t"]["rows"] = json!({ "1..100": { "n": 0 } });
    hostile["invariants"] = json!({ "sum": { "always": loops(8).replace("t.map", "a.t.map") } });
    tried(hostile.to_string().as_bytes(), 0);
}

#[test]
fn lists_in_lists_are_read_or_refused() {
    for depth in [3, 10, 40, 400] {
        let text = (0..depth).fold("[1]".to_owned(), |text, _| format!("[{text}]"));
        let mut hostile = small();
        hostile["services"]["a"]["operations"]["o"]["reply"] = json!(text);
        tried(hostile.to_string().as_bytes(), 0);
    }
}

#[test]
fn what_cannot_be_read_from_the_disk_is_an_error() {
    for error in
        [std::io::ErrorKind::NotFound, std::io::ErrorKind::PermissionDenied, std::io::ErrorKind::Other]
    {
        let read = scenario::read(Path::new("a.json"), &mut |_| Err(error.into()));
        assert!(read.is_err());
    }
    assert!(scenario::read(Path::new("/"), &mut load::read_from_disk).is_err());
}
