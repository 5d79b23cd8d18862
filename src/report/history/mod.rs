//! The history of one run as a value: every record with the names that people gave, to be asked and to be kept.
//!
//! Written as JSON lines it is `halfway.history`, version 1: a head, then one object for each record; fields are only
//! ever added. Reading such lines gives the same history back, so it can be looked at by other programs and by later
//! versions of one's own.

mod entry;
mod lines;
mod names;
mod pen;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io;

use serde::{Deserialize, Serialize};

pub use self::entry::{Cells, Entry};
pub(super) use self::entry::{kind_word, move_word};
use super::json::digest;
use super::scene::Scene;
use crate::explore::{Prepared, Replay};
use crate::kernel::seed::SEED_CONTRACT;

/// What the first line says besides the strategy.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    /// The name of the scenario.
    pub scenario: &'a str,
    /// The name of the case.
    pub case: Option<&'a str>,
    /// The seed.
    pub seed: u64,
}

/// Where a history comes from: the first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// `halfway.history`
    pub format: String,
    /// 1
    pub version: u32,
    /// Which meaning seeds have.
    pub seed_contract: u32,
    /// The name of the scenario.
    pub scenario: String,
    /// The name of the case; `None` is the file as written.
    pub case: Option<String>,
    /// The name of the strategy.
    pub strategy: String,
    /// The seed.
    pub seed: u64,
    /// The digest of the run: 32 hexadecimal digits.
    pub digest: String,
}

/// Every record of one run, with names.
///
/// ```
/// # use halfway::report::history::{Head, History};
/// # use halfway::{Scenario, explore::Prepared};
/// let scenario = Scenario::load("scenarios/payment-lost-ack.json")?;
/// let prepared = Prepared::of(&scenario.cases[0].strategies[0]);
/// let replay = prepared.replay(3).unwrap();
/// let history = History::of(&prepared, &replay, Head { scenario: &scenario.name, case: None, seed: 3 });
/// let first = history.intents().next().unwrap();
/// println!("{:?} ended {:?}", first.target, history.outcome(first.client.as_deref().unwrap(), 1));
/// for install in history.of_intent("shop", 1).filter(|entry| entry.kind == "install") {
///     println!("{:?} was {:?} and is {:?}", install.row, install.before, install.after);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    /// Where it comes from.
    pub origin: Origin,
    /// The records, in order of time.
    pub entries: Vec<Entry>,
}

/// A text that is no history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoHistory {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub why: String,
}

impl fmt::Display for NoHistory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.why)
    }
}

impl std::error::Error for NoHistory {}

impl Origin {
    fn of(prepared: &Prepared, replay: &Replay, head: Head<'_>) -> Origin {
        Origin {
            format: FORMAT.into(),
            version: 1,
            seed_contract: SEED_CONTRACT,
            scenario: head.scenario.into(),
            case: head.case.map(str::to_owned),
            strategy: prepared.strategy.clone(),
            seed: head.seed,
            digest: digest(replay.run.digest),
        }
    }

    fn line(&self) -> String {
        // Plain structs of text and numbers always serialise.
        serde_json::to_string(self).unwrap_or_default() + "\n"
    }
}

impl History {
    /// The history of a replayed run.
    pub fn of(prepared: &Prepared, replay: &Replay, head: Head<'_>) -> History {
        let scene = Scene::whole(prepared, replay);
        let records = replay.trace.records.iter().enumerate();
        let origin = Origin::of(prepared, replay, head);
        History { origin, entries: records.map(|(at, record)| Entry::of(&scene, at, record)).collect() }
    }

    /// The history as JSON lines.
    pub fn to_jsonl(&self) -> String {
        let mut all = self.origin.line();
        for entry in &self.entries {
            all += &serde_json::to_string(entry).unwrap_or_default();
            all.push('\n');
        }
        all
    }

    /// Reads JSON lines. Fields that this version does not know are left out.
    ///
    /// # Errors
    /// The first line that is not what it should be.
    pub fn from_jsonl(text: &str) -> Result<History, NoHistory> {
        let wrong = |line: usize| move |error: serde_json::Error| NoHistory { line, why: error.to_string() };
        let mut lines = text.lines().enumerate();
        let (_, first) = lines.next().ok_or(NoHistory { line: 1, why: "there is no line".into() })?;
        let origin: Origin = serde_json::from_str(first).map_err(wrong(1))?;
        if origin.format != FORMAT {
            return Err(NoHistory { line: 1, why: format!("the format is not `{FORMAT}`") });
        }
        let entry = |(at, line): (usize, &str)| serde_json::from_str(line).map_err(wrong(at + 1));
        Ok(History { origin, entries: lines.map(entry).collect::<Result<_, _>>()? })
    }

    /// The beginnings of all intents, in order of time.
    pub fn intents(&self) -> impl Iterator<Item = &Entry> {
        self.of_kind("invoke")
    }

    /// All records of a kind, such as `commit`.
    pub fn of_kind<'h>(&'h self, kind: &'h str) -> impl Iterator<Item = &'h Entry> {
        self.entries.iter().filter(move |entry| entry.kind == kind)
    }

    /// All that belongs to the n-th intent of a client, counted from 1.
    pub fn of_intent<'h>(&'h self, client: &'h str, n: u64) -> impl Iterator<Item = &'h Entry> {
        self.entries
            .iter()
            .filter(move |entry| entry.client.as_deref() == Some(client) && entry.intent == Some(n))
    }

    /// What the client of an intent was told: `ok`, `failed` or `unknown`; `None`: nothing.
    pub fn outcome(&self, client: &str, n: u64) -> Option<&str> {
        let own = |entry: &&Entry| entry.client.as_deref() == Some(client) && entry.intent == Some(n);
        self.entries.iter().filter(own).find_map(|entry| entry.outcome.as_deref())
    }

    /// All messages of an intent: what was sent, lost, held up and delivered.
    pub fn messages_of<'h>(&'h self, client: &'h str, n: u64) -> impl Iterator<Item = &'h Entry> {
        self.of_intent(client, n).filter(|entry| entry.message.is_some())
    }

    /// All that happens at a service: its operations, rows, replicas and its database.
    pub fn of_service<'h>(&'h self, service: &'h str) -> impl Iterator<Item = &'h Entry> {
        let own = move |name: &Option<String>| {
            let rest = name.as_deref().and_then(|name| name.strip_prefix(service));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '#']))
        };
        let at = move |entry: &Entry| {
            [&entry.op, &entry.row, &entry.table, &entry.node, &entry.from, &entry.to].into_iter().any(own)
        };
        self.entries.iter().filter(move |entry| at(entry))
    }

    /// All versions of a row, written as the history does: `wallet.accounts['ana']`.
    pub fn installs_of<'h>(&'h self, row: &'h str) -> impl Iterator<Item = &'h Entry> {
        self.of_kind("install").filter(move |entry| entry.row.as_deref() == Some(row))
    }

    /// The commit that an install belongs to, by its index among the entries.
    pub fn commit_of(&self, install: usize) -> Option<usize> {
        let entry = self.entries.get(install).filter(|entry| entry.kind == "install")?;
        let commit = self.entries[..install].iter().rposition(|other| other.kind == "commit")?;
        (self.entries[commit].path == entry.path).then_some(commit)
    }
}

const FORMAT: &str = "halfway.history";

/// All lines: a head with the digest of the run, then one line for each record.
pub fn history(prepared: &Prepared, replay: &Replay, head: Head<'_>) -> String {
    // Lines of the shipped scenarios have 150 to 180 bytes.
    let mut all = String::with_capacity(512 + replay.trace.records.len() * 184);
    let (origin, scene) =
        (Origin::of(prepared, replay, head).line(), Scene::of_names(&prepared.model, replay));
    lines::write(&origin, &scene, |text| all.push_str(str::from_utf8(text).unwrap_or_default()));
    all
}

/// The same, written to `out` in pieces of some 64 KiB, so that the text takes no more memory however long it is.
///
/// # Errors
/// The first that `out` has; nothing is written after it.
pub fn write_history(
    prepared: &Prepared,
    replay: &Replay,
    head: Head<'_>,
    out: &mut impl io::Write,
) -> io::Result<()> {
    let (origin, scene) =
        (Origin::of(prepared, replay, head).line(), Scene::of_names(&prepared.model, replay));
    let mut done = Ok(());
    lines::write(&origin, &scene, |text| {
        if done.is_ok() {
            done = out.write_all(text);
        }
    });
    done
}
