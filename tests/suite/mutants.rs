//! Mutants by the million: small files that together hold every key and word of the language, bent token by token, read
//! in a fraction of a millisecond each. `robust` bends the shipped files instead, which are larger and fewer.
//!
//! `HALFWAY_TINY_MUTANTS` sets how many, or which: `1000000`, `5000000..6000000`. They are the same on every machine.
//! `HALFWAY_KEEP_MUTANTS` names a folder for those that panic.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::rc::Rc;

use halfway::kernel::path::mix;
use halfway::scenario::read::language::SCENARIO;
use halfway::scenario::read::later;
use halfway::scenario::shape::{Shape, Table};
use halfway::scenario::{self, Scenario};

use crate::shipped::prepared;

/// Events of one run at most: a few rounds of everything.
const BUDGET: u64 = 2_000;
/// Of the mutants that can be read, one of so many is run.
const RUN_ONE_OF: u64 = 16;

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tiny")
}

/// The small files, by name.
fn bases() -> BTreeMap<String, String> {
    let files = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let base = |path: std::path::PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, std::fs::read_to_string(path).unwrap())
    };
    files.map(base).collect()
}

/// A sequence of numbers, the same everywhere.
struct Luck(u64, u64);

impl Luck {
    fn below(&mut self, n: usize) -> usize {
        self.1 += 1;
        (mix(self.0, self.1) % n.max(1) as u64) as usize
    }

    fn one<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.below(of.len())]
    }
}

/// The words of JSON: brackets, commas, colons, and everything between them. Spaces are left out.
fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' => rest[1..].find('"').unwrap() + 2,
            '{' | '}' | '[' | ']' | ',' | ':' => 1,
            _ => rest.find(|c: char| "{}[],:".contains(c) || c.is_whitespace()).unwrap_or(rest.len()),
        };
        tokens.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    tokens
}

/// What stands in for something: expressions, quantities, calls, points, links, names, keys.
const TEXTS: [&str; 101] = [
    "",
    " ",
    "0ms",
    "1ns",
    "5ms",
    "ever",
    "9999999d",
    "0ms..9000h",
    "3ms..1ms",
    "exp 5ms",
    "exp 0ms cap 1ms",
    "normal 1ms 9000h",
    "-5ms",
    "heal + 1s",
    "1s..2s",
    "100%",
    "0%",
    "0%..100%",
    "101%",
    "1..3",
    "2..2",
    "0..9223372036854775807",
    "1",
    "-1",
    "01",
    "9223372036854775807",
    "*",
    "a -> b",
    "a <-> c",
    "* <-> *",
    "a#1",
    "a#2",
    "a#9",
    "a.db",
    "null",
    "true",
    "'x'",
    "1 / 0",
    "1 % 0",
    "-(-9223372036854775807 - 1)",
    "9223372036854775807 + 1",
    "[1, 2][7]",
    "[[], [1]]",
    "{'n': 1}",
    "{'n': k, 'n': 2}",
    "now",
    "now + duration('1ms')",
    "now - now",
    "event.version",
    "event.seq",
    "client + intent",
    "count.lost > 0",
    "intent.outcome",
    "intent.effects",
    "intent.args.k",
    "it.n",
    "t",
    "t[k]",
    "t[]",
    "t[k].n",
    "t[k].n + 1",
    "t.filter(r, r.n > 0)",
    "t.map(r, r.n).sum()",
    "t.map(r, t.map(s, s.n)).size()",
    "a.t.all(r, r.n >= 0)",
    "a.t",
    "a.t.size()",
    "k in t",
    "has(t[k].n)",
    "k ? 1 : 2",
    "!k",
    "- k",
    "a.o(k)",
    "a.o()",
    "f(k)",
    "g()",
    "f()",
    "a.o(k, k, k)",
    "request *",
    "reply a.o",
    "commit a.o",
    "request a.o.fetch",
    "event e",
    "ack *",
    "publish e",
    "mark e",
    "log f",
    "log *",
    "unique('q')",
    "uniform(3, 1)",
    "zipf(1, 9, 0.5)",
    "pick()",
    "turn(null)",
    "c#1.i1.a1:reply~1 = lost",
    "c.i9 = none",
    "c#2.i1.a1/s1.o.t2:request = 9 copies",
    "c#1.i1.a1/s9.do before log = crash a for ever",
    "a at 1ms = cut for 0ms",
    "duration('ever')",
    "\\u0000",
    "\\ud83d\\ude00",
];

const NUMBERS: [&str; 16] = [
    "0",
    "-1",
    "1",
    "2",
    "3",
    "20",
    "21",
    "63",
    "64",
    "65536",
    "4294967296",
    "1e9",
    "0.5",
    "9223372036854775807",
    "-9223372036854775808",
    "null",
];

const MARKS: [&str; 12] = ["{", "}", "[", "]", ",", ":", "{}", "[]", "true", "false", "/*", "//"];

/// Parts of expressions.
const PARTS: [&str; 30] = [
    "k",
    "n",
    "r",
    "t",
    "u",
    "1",
    "0",
    "'a'",
    "null",
    "true",
    "+",
    "-",
    "*",
    "/",
    "%",
    "==",
    "<",
    "in",
    "&&",
    "||",
    "?",
    ":",
    "(",
    ")",
    "[",
    "]",
    ".",
    ".size()",
    ".all(r, true)",
    "now",
];

/// All that mutants are made of.
struct Stock {
    names: Vec<String>,
    /// The tokens of each file.
    files: Vec<Vec<Rc<str>>>,
    /// Keys and words of the language.
    words: Vec<(&'static str, &'static str)>,
    /// What other files are there to extend.
    texts: BTreeMap<String, String>,
}

impl Stock {
    fn new() -> Stock {
        let texts = bases();
        let owned = |text: &String| tokens(text).into_iter().map(Rc::from).collect();
        Stock {
            names: texts.keys().cloned().collect(),
            files: texts.values().map(owned).collect(),
            words: vocabulary().into_iter().collect(),
            texts,
        }
    }

    /// The n-th mutant, and the file it comes from.
    fn mutant(&self, n: u64) -> (&str, Vec<u8>) {
        let mut luck = Luck(0x7469_6e79, n << 16);
        let file = luck.below(self.files.len());
        let mut tokens: Vec<Rc<str>> = self.files[file].clone();
        for _ in 0..=luck.below(5) / 2 {
            self.bend(&mut tokens, &mut luck);
            if tokens.is_empty() {
                break;
            }
        }
        let mut bytes = tokens.join(" ").into_bytes();
        if luck.below(12) == 0 && !bytes.is_empty() {
            let at = luck.below(bytes.len());
            match luck.below(3) {
                0 => bytes[at] ^= 1 << luck.below(8),
                1 => drop(bytes.drain(at..(at + 1 + luck.below(9)).min(bytes.len()))),
                _ => bytes.insert(at, *luck.one(&[&b'"', &b'\\', &b'\n', &0xff, &0, &0xe2])),
            }
        }
        (&self.names[file], bytes)
    }

    fn bend(&self, tokens: &mut Vec<Rc<str>>, luck: &mut Luck) {
        let at = luck.below(tokens.len());
        match luck.below(24) {
            0 => drop(tokens.remove(at)),
            1 => tokens.insert(at, tokens[at].clone()),
            2 => {
                let other = luck.below(tokens.len());
                tokens.swap(at, other);
            }
            3 => tokens[at] = luck.one(&MARKS).into(),
            // A value, whole: gone, doubled, put elsewhere, or taken from another file.
            4 => drop(tokens.drain(member(tokens, at))),
            5 => {
                let piece = tokens[member(tokens, at)].to_vec();
                tokens.splice(at..at, piece);
            }
            6 => {
                let from = luck.below(tokens.len());
                let piece = tokens[value(tokens, from)].to_vec();
                tokens.splice(value(tokens, at), piece);
            }
            7 => {
                let other = &self.files[luck.below(self.files.len())];
                let from = luck.below(other.len());
                tokens.splice(value(tokens, at), other[value(other, from)].to_vec());
            }
            8 => {
                let word = format!("\"{}\"", self.words[luck.below(self.words.len())].1);
                self.replace(tokens, luck, |token| token.starts_with('"'), word.into());
            }
            12..=17 => self.turn_word(tokens, luck),
            18 | 19 => {
                // An expression or a quantity for one that is there in this or another file: most fit.
                let other = &self.files[luck.below(self.files.len())];
                let text = other[luck.below(other.len())].clone();
                if text.starts_with('"') {
                    self.replace(tokens, luck, |token| token.starts_with('"'), text);
                }
            }
            9 => {
                let text = format!("\"{}\"", luck.one(&TEXTS));
                self.replace(tokens, luck, |token| token.starts_with('"'), text.into());
            }
            10 => {
                let number = luck.one(&NUMBERS).into();
                self.replace(tokens, luck, |token| token.starts_with(|c: char| c.is_ascii_digit()), number);
            }
            _ => bend_text(tokens, at, luck),
        }
    }

    /// Replaces a word of the language by another one that may stand in the same object.
    fn turn_word(&self, tokens: &mut [Rc<str>], luck: &mut Luck) {
        // About one token in three is such a word.
        let known = (0..16).find_map(|_| {
            let at = luck.below(tokens.len());
            let word = tokens[at].strip_prefix('"')?.strip_suffix('"')?;
            let of = self.words.iter().find(|(_, known)| *known == word)?;
            Some((at, of.0))
        });
        let Some((at, table)) = known else { return };
        let others: Vec<&str> =
            self.words.iter().filter(|(of, _)| *of == table).map(|(_, word)| *word).collect();
        tokens[at] = format!("\"{}\"", luck.one(&others)).into();
    }

    /// Replaces one of the tokens that are meant, or any.
    fn replace(&self, tokens: &mut [Rc<str>], luck: &mut Luck, meant: fn(&str) -> bool, by: Rc<str>) {
        let all: Vec<usize> = (0..tokens.len()).filter(|&at| meant(&tokens[at])).collect();
        let at = if all.is_empty() { luck.below(tokens.len()) } else { all[luck.below(all.len())] };
        tokens[at] = by;
    }
}

/// The value that begins at a token: to its closing bracket.
fn value(tokens: &[Rc<str>], at: usize) -> Range<usize> {
    let mut depth = 0_usize;
    for (n, token) in tokens.iter().enumerate().skip(at) {
        match &**token {
            "{" | "[" => depth += 1,
            "}" | "]" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return at..n + 1;
        }
    }
    at..tokens.len()
}

/// A value with its key and a comma behind it, if they are there.
fn member(tokens: &[Rc<str>], at: usize) -> Range<usize> {
    let keyed = tokens.get(at + 1).is_some_and(|next| **next == *":") && at + 2 < tokens.len();
    let mut end = value(tokens, if keyed { at + 2 } else { at }).end;
    end += usize::from(tokens.get(end).is_some_and(|next| **next == *","));
    at..end
}

/// A text or an expression: a piece of it is put elsewhere, left out, or something else is put in.
fn bend_text(tokens: &mut [Rc<str>], at: usize, luck: &mut Luck) {
    let texts: Vec<usize> =
        (0..tokens.len()).filter(|&n| tokens[n].len() > 4 && tokens[n].starts_with('"')).collect();
    let at = if texts.is_empty() { at } else { texts[luck.below(texts.len())] };
    let mut pieces: Vec<String> = Vec::new();
    let mut word = false;
    for letter in tokens[at].trim_matches('"').chars() {
        let is_word = letter.is_alphanumeric() || letter == '_';
        match pieces.last_mut() {
            Some(last) if is_word && word => last.push(letter),
            _ => pieces.push(letter.to_string()),
        }
        word = is_word;
    }
    if pieces.is_empty() {
        return;
    }
    let (one, two) = (luck.below(pieces.len()), luck.below(pieces.len()));
    match luck.below(4) {
        0 => drop(pieces.remove(one)),
        1 => pieces.swap(one, two),
        2 => pieces[one] = luck.one(&PARTS).to_owned(),
        _ => pieces.insert(one, luck.one(&PARTS).to_owned()),
    }
    tokens[at] = format!("\"{}\"", pieces.concat()).into();
}

/// Every key and word of the language that can be used, with the name of the table it belongs to.
fn vocabulary() -> BTreeSet<(&'static str, &'static str)> {
    let mut all = BTreeSet::new();
    let mut seen = BTreeSet::new();
    of_table(&SCENARIO, &mut seen, &mut all);
    all
}

fn of_table(
    table: &'static Table,
    seen: &mut BTreeSet<*const Table>,
    all: &mut BTreeSet<(&'static str, &'static str)>,
) {
    if !seen.insert(table) {
        return;
    }
    for field in table.fields {
        if !later::KEYS.contains(&(table.name, field.name)) {
            all.insert((table.name, field.name));
            of_shape(&field.shape, (table.name, field.name), seen, all);
        }
    }
}

fn of_shape(
    shape: &'static Shape,
    key: (&'static str, &'static str),
    seen: &mut BTreeSet<*const Table>,
    all: &mut BTreeSet<(&'static str, &'static str)>,
) {
    match shape {
        Shape::OneOf(words) => {
            // A strategy may name a policy without its parameters.
            let policy = (key.1, "use");
            let later =
                later::WORDS.iter().filter(|(table, field, _)| [key, policy].contains(&(*table, *field)));
            let later: Vec<&str> = later.flat_map(|(.., words)| words.iter().copied()).collect();
            let usable = words.iter().map(|word| word.name).filter(|word| !later.contains(word));
            all.extend(usable.map(|word| (key.0, word)));
        }
        Shape::List(of) | Shape::OneOrMany(of) | Shape::Map(_, of) => of_shape(of, key, seen, all),
        Shape::Object(table) => of_table(table, seen, all),
        Shape::Either(shapes) => shapes.iter().for_each(|of| of_shape(of, key, seen, all)),
        _ => {}
    }
}

/// Parameters, and their words, of what cannot be carried out yet.
const UNUSABLE: [(&str, &str); 14] = [
    ("conflict", "rule"),
    ("consume", "ack"),
    ("consume", "apply"),
    ("consume", "event"),
    ("consume", "field"),
    ("consume", "never"),
    ("consume", "record"),
    ("consume", "stamp"),
    ("consume", "window"),
    ("invariant", "from"),
    ("invariant", "is"),
    ("isolation", "lease"),
    ("repair", "how"),
    ("repair", "literal"),
];

fn read(bytes: &[u8], texts: &BTreeMap<String, String>) -> Option<Scenario> {
    let mut read = |path: &Path| match path.to_str() {
        Some("mutant.json") => Ok(bytes.to_vec()),
        Some(name) => {
            texts.get(name).map(|text| text.clone().into_bytes()).ok_or(std::io::ErrorKind::NotFound.into())
        }
        None => Err(std::io::ErrorKind::NotFound.into()),
    };
    scenario::read(Path::new("mutant.json"), &mut read).ok()
}

/// Runs one seed of everything in a scenario; how many runs there were.
fn run(scenario: &Scenario, seed: u64) -> u64 {
    let mut runs = 0;
    for (_, mut prepared) in prepared(scenario).into_iter().take(4) {
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

#[test]
fn every_small_file_is_a_scenario_that_runs() {
    let stock = Stock::new();
    for (name, text) in &stock.texts {
        let scenario = read(text.as_bytes(), &stock.texts).unwrap_or_else(|| panic!("{name} cannot be read"));
        // A process needs a program that brings it.
        assert!(run(&scenario, 0) > 0 || text.contains("\"process\""), "{name}");
        let again = tokens(text).join(" ");
        assert!(read(again.as_bytes(), &stock.texts).is_some(), "{name} in tokens");
    }
}

#[test]
fn the_small_files_hold_every_key_and_word_of_the_language() {
    let texts = bases();
    let there = |word: &str| texts.values().any(|text| text.contains(&format!("\"{word}\"")));
    let usable = |key: &(&str, &str)| !UNUSABLE.contains(key);
    let missing: Vec<_> = vocabulary().into_iter().filter(usable).filter(|(_, word)| !there(word)).collect();
    assert_eq!(missing, []);
}

#[test]
fn no_tiny_mutant_makes_the_reader_or_the_engine_panic() {
    let which = std::env::var("HALFWAY_TINY_MUTANTS").unwrap_or("1500".to_owned());
    let number = |text: &str| text.parse::<u64>().unwrap();
    let which = match which.split_once("..") {
        Some((from, to)) => number(from)..number(to),
        None => 0..number(&which),
    };
    let count = which.end - which.start;
    let stock = Stock::new();
    let (mut readable, mut runs, mut panics) = (0_u64, 0, Vec::new());
    for n in which {
        let (name, bytes) = stock.mutant(n);
        let tried = catch_unwind(AssertUnwindSafe(|| {
            let scenario = read(&bytes, &stock.texts)?;
            Some(if n.is_multiple_of(RUN_ONE_OF) { run(&scenario, n) } else { 0 })
        }));
        match tried {
            Ok(ran) => {
                readable += u64::from(ran.is_some());
                runs += ran.unwrap_or(0);
            }
            Err(_) => {
                if let Some(folder) = std::env::var_os("HALFWAY_KEEP_MUTANTS") {
                    std::fs::write(Path::new(&folder).join(format!("tiny-{n}.json")), &bytes).unwrap();
                }
                panics.push((n, name));
            }
        }
    }
    println!("{count} tiny mutants, {readable} readable, {runs} runs, {} panics", panics.len());
    assert!(panics.is_empty(), "the first few: {:?}", &panics[..panics.len().min(9)]);
    assert!(readable * 20 > count, "only {readable} of {count} can be read: they show little");
}
