//! One record of a history with names in place of numbers.
//!
//! The order of the fields is that of the JSON lines; what a field means depends on the kind, as told beside the record's
//! own words in `model::record`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::ids::TableId;
use crate::model::record::{
    FLOW, FlowMove, Kind, LOST_CUT, LOST_DOWN, Masks, NONE, Outcome, Record, StepRole, commit, install,
};
use crate::model::value::{NULL, Type, Word};
use crate::model::weather::PointKind;
use crate::report::scene::Scene;
use crate::report::why::reason_at;

/// The cells of a row by the names of their fields. Whole numbers, booleans and texts are what they are in JSON, times are
/// nanoseconds, lists and records are shown as text.
pub type Cells = BTreeMap<String, Value>;

/// A record with names. Fields that a record of its kind does not have are absent, and false where they are flags.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Entry {
    /// When, in nanoseconds of virtual time.
    pub at_ns: u64,
    /// What happened: `invoke`, `sent`, `commit`, …
    pub kind: String,
    /// The name of what happened: 16 hexadecimal digits.
    pub path: String,
    /// The client that it is done for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// Which of the client's intents, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intent: Option<u64>,
    /// Invoke, timeout: the operation or flow asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Complete: `ok`, `failed` or `unknown`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// Flow: its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flow: Option<String>,
    /// Flow: what it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r#move: Option<String>,
    /// Publish, mark: the topic; of a letter of a choreography, the flow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// Lock-wait: the table; absent if the lock is that of a key or a fence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// The operation or flow that is executed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub op: Option<String>,
    /// Messages: what kind of message, such as `request`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Messages: what they are about; of what acknowledges a letter of a choreography, what that letter asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// Messages: who sends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Messages: who receives.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Sent: how many copies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copies: Option<u64>,
    /// Lost, delivered, delayed: which copy, counted from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copy: Option<u64>,
    /// Where it happens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// The number of the step of a flow, counted from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<u64>,
    /// `action` or `undo`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Why it was refused or has failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Cut: whether the link is open now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open: Option<bool>,
    /// Which rule of the weather did it, or what else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The effect: the same for all attempts and copies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effect: Option<String>,
    /// Commit: how many installs follow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub installs: Option<u64>,
    /// Timeout: which attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u64>,
    /// The row: `wallet.accounts['ana']`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<String>,
    /// Read: the version read; install: the one installed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// Install: the version that it was computed from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<u64>,
    /// Install: the fields meant.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub set: Vec<String>,
    /// Install: of these, those computed from what was read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub read_and_set: Vec<String>,
    /// Install: fields written back unmeant.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub carried: Vec<String>,
    /// Install: the row is as it was.
    #[serde(skip_serializing_if = "is_false")]
    pub noop: bool,
    /// Install: the row is new.
    #[serde(skip_serializing_if = "is_false")]
    pub create: bool,
    /// Install: the row is gone.
    #[serde(skip_serializing_if = "is_false")]
    pub delete: bool,
    /// Install: written because a requirement refused.
    #[serde(skip_serializing_if = "is_false")]
    pub otherwise: bool,
    /// Install, commit: kept by a strategy in Rust for itself.
    #[serde(skip_serializing_if = "is_false")]
    pub kept: bool,
    /// Commit: the operation refused.
    #[serde(skip_serializing_if = "is_false")]
    pub refused: bool,
    /// Commit: it skipped.
    #[serde(skip_serializing_if = "is_false")]
    pub skipped: bool,
    /// Commit: a fence made it do nothing.
    #[serde(skip_serializing_if = "is_false")]
    pub fenced: bool,
    /// Commit: visible before the end of its operation.
    #[serde(skip_serializing_if = "is_false")]
    pub early: bool,
    /// Install: what it did, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<String>,
    /// Install: the row before; absent if there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Cells>,
    /// Install: the row after; absent if it is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Cells>,
    /// End: how the run ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub how: Option<String>,
    /// End: how many locks, keys and transactions were left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events: Option<u64>,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

impl Entry {
    /// The record at this place of a replayed run.
    pub(super) fn of(scene: &Scene<'_>, at: usize, record: &Record) -> Entry {
        let mut entry = Entry {
            at_ns: record.at.0,
            kind: kind_word(record.kind).into(),
            path: record.path.to_string(),
            ..Entry::default()
        };
        if let Some(intent) = scene.intents.get(scene.owner[at] as usize) {
            entry.client = Some(scene.client(intent.client));
            entry.intent = Some(u64::from(intent.index) + 1);
        }
        entry.fill(scene, at, record);
        entry
    }

    fn step_of(&mut self, record: &Record) {
        if let Some((step, role)) = record.step() {
            self.step = Some(step.into());
            self.role = Some(if role == StepRole::Action { "action".into() } else { "undo".into() });
        }
    }

    fn row_of(&mut self, scene: &Scene<'_>, record: &Record) {
        self.row = Some(scene.row(TableId(record.op), record.row, false));
        self.version = Some(record.ver.into());
    }

    fn fill(&mut self, scene: &Scene<'_>, at: usize, record: &Record) {
        let node = || Some(scene.node(record.who));
        match record.kind {
            Kind::Invoke => self.target = Some(scene.target(record.op)),
            Kind::Complete => {
                let outcome = Outcome::of(record.flag);
                self.outcome = Some(outcome_word(outcome).into());
                let known = || reason_at(&scene.trace.records, at);
                let reason = || known().map_or_else(|| scene.text(record.data as Word), Into::into);
                self.reason = (outcome == Outcome::Failed).then(reason);
            }
            Kind::Sent | Kind::Lost | Kind::Delivered | Kind::Delayed => self.message(scene, record),
            Kind::Begin | Kind::Refused | Kind::Failed => {
                (self.op, self.node) = (Some(scene.target(record.op)), node());
                self.step_of(record);
                match record.kind {
                    Kind::Refused => self.reason = Some(scene.text(record.data as Word)),
                    Kind::Begin => self.effect = Some(format!("{:016x}", record.data)),
                    _ => {}
                }
            }
            Kind::Read => self.row_of(scene, record),
            Kind::Install => self.install(scene, at, record),
            Kind::Commit => self.commit(scene, record),
            Kind::Rollback | Kind::Replay | Kind::Busy => {
                (self.op, self.node) = (Some(scene.target(record.op)), node());
            }
            Kind::Conflict => {
                (self.op, self.node) = (Some(scene.target(record.op)), node());
                self.row = Some(scene.row(TableId(record.data as u16), record.row, false));
            }
            Kind::LockWait => {
                (self.table, self.node) = (scene.table(TableId(record.op)), node());
            }
            Kind::Timeout => {
                (self.target, self.node) = (Some(scene.target(record.op)), node());
                self.attempt = Some(record.ver.into());
            }
            Kind::Crash | Kind::Pause => (self.node, self.why) = (node(), Some(scene.rule(record.data))),
            Kind::Restart | Kind::Resume => self.node = node(),
            Kind::Cut => (self.open, self.why) = (Some(record.flag != 1), Some(scene.rule(record.data))),
            Kind::Flow => {
                self.flow = Some(scene.target(record.op | FLOW));
                self.r#move = Some(move_word(record.flag).into());
                // One that starts tells which step of another flow it is, in other words.
                let own = record.row != NONE && record.flag != FlowMove::Started as u8;
                self.step = own.then_some(record.row.into());
            }
            Kind::Publish | Kind::Mark => {
                self.topic = Some(scene.subject(record));
                self.node = node();
            }
            Kind::End => {
                let words = ["rest", "not at rest", "budget spent", "broken"];
                self.how = Some((*words.get(usize::from(record.flag)).unwrap_or(&"?")).into());
                self.events = Some(record.data);
            }
            Kind::Settled | Kind::Heal => {}
        }
    }

    fn message(&mut self, scene: &Scene<'_>, record: &Record) {
        self.message = Some(point_word(record.flag).into());
        self.of = Some(scene.subject(record));
        (self.from, self.to) = (Some(scene.node(record.who)), Some(scene.node(record.row)));
        match record.kind {
            Kind::Sent => self.copies = Some(record.ver.into()),
            _ => self.copy = Some(record.ver.into()),
        }
        self.why = match (record.kind, record.data) {
            (Kind::Lost, LOST_DOWN) => Some("receiver down".into()),
            (Kind::Lost, LOST_CUT) => Some("link cut".into()),
            (Kind::Lost | Kind::Delayed, rule) => Some(scene.rule(rule)),
            _ => None,
        };
    }

    fn install(&mut self, scene: &Scene<'_>, at: usize, record: &Record) {
        self.row_of(scene, record);
        self.base = (record.who != NONE).then_some(record.who.into());
        let table = TableId(record.op);
        let masks = Masks::unpack(record.data);
        self.set = scene.columns(table, masks.set);
        self.read_and_set = scene.columns(table, masks.rmw);
        self.carried = scene.columns(table, masks.carried);
        let is = |bit: u8| record.flag & bit != 0;
        (self.noop, self.create) = (is(install::NOOP), is(install::CREATE));
        (self.delete, self.otherwise) = (is(install::DELETE), is(install::OTHERWISE));
        self.kept = is(install::KEPT);
        self.change = Some(scene.change(at, false));
        if let Some(image) = scene.trace.image(at) {
            let cells = |cells: &[Word]| cells_of(scene, table, cells);
            (self.before, self.after) = (image.before.map(cells), image.after.map(cells));
        }
    }

    fn commit(&mut self, scene: &Scene<'_>, record: &Record) {
        self.op = Some(scene.target(record.op));
        self.node = scene.place(record.path).map(|node| scene.node(node));
        self.step_of(record);
        self.effect = Some(format!("{:016x}", record.data));
        self.installs = Some(record.ver.into());
        let is = |bit: u8| record.flag & bit != 0;
        (self.refused, self.skipped) = (is(commit::REFUSED), is(commit::SKIPPED));
        (self.fenced, self.early) = (is(commit::FENCED), is(commit::EARLY));
        self.kept = is(commit::KEPT);
    }
}

fn cells_of(scene: &Scene<'_>, table: TableId, cells: &[Word]) -> Cells {
    let columns = scene.model.table(table).columns.iter().zip(cells);
    columns.map(|(column, &word)| (column.name.clone(), value(scene, &column.ty, word))).collect()
}

fn value(scene: &Scene<'_>, ty: &Type, word: Word) -> Value {
    match ty {
        _ if word == NULL => Value::Null,
        Type::Bool => Value::Bool(word != 0),
        Type::Text => Value::String(scene.text(word)),
        Type::List(_) | Type::Record(_) => Value::String(scene.model.symbols.show(word, ty, scene.heap())),
        Type::Int | Type::Instant | Type::Duration | Type::Null => Value::from(word),
    }
}

pub(super) fn outcome_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Ok => "ok",
        Outcome::Failed => "failed",
        Outcome::Unknown => "unknown",
    }
}

pub(in crate::report) fn kind_word(kind: Kind) -> &'static str {
    match kind {
        Kind::Invoke => "invoke",
        Kind::Complete => "complete",
        Kind::Sent => "sent",
        Kind::Lost => "lost",
        Kind::Delivered => "delivered",
        Kind::Begin => "begin",
        Kind::Read => "read",
        Kind::Install => "install",
        Kind::Commit => "commit",
        Kind::Rollback => "rollback",
        Kind::Refused => "refused",
        Kind::Failed => "failed",
        Kind::Conflict => "conflict",
        Kind::Replay => "replay",
        Kind::Busy => "busy",
        Kind::LockWait => "lock-wait",
        Kind::Timeout => "timeout",
        Kind::Crash => "crash",
        Kind::Restart => "restart",
        Kind::Pause => "pause",
        Kind::Resume => "resume",
        Kind::Cut => "cut",
        Kind::Heal => "heal",
        Kind::Flow => "flow",
        Kind::Publish => "publish",
        Kind::Mark => "mark",
        Kind::Settled => "settled",
        Kind::Delayed => "delayed",
        Kind::End => "end",
    }
}

pub(super) fn point_word(flag: u8) -> &'static str {
    use PointKind::*;
    let all = [Request, Reply, Fetch, Fetched, Commit, Event, Ack, Publish, Mark, Log];
    match all.into_iter().find(|&point| point as u8 == flag) {
        Some(Request) => "request",
        Some(Reply) => "reply",
        Some(Fetch) => "fetch",
        Some(Fetched) => "fetched",
        Some(Commit) => "commit",
        Some(Event) => "event",
        Some(Ack) => "ack",
        Some(Publish) => "publish",
        Some(Mark) => "mark",
        Some(Log) => "log",
        None => "?",
    }
}

pub(in crate::report) fn move_word(flag: u8) -> &'static str {
    match FlowMove::ALL.get(usize::from(flag)) {
        Some(FlowMove::Started) => "started",
        Some(FlowMove::Asked) => "asked",
        Some(FlowMove::Done) => "done",
        Some(FlowMove::StepRefused) => "step-refused",
        Some(FlowMove::StepUnknown) => "step-unknown",
        Some(FlowMove::Compensating) => "compensating",
        Some(FlowMove::UndoAsked) => "undo-asked",
        Some(FlowMove::Undone) => "undone",
        Some(FlowMove::Parked) => "parked",
        Some(FlowMove::Completed) => "completed",
        Some(FlowMove::Compensated) => "compensated",
        Some(FlowMove::Escalated) => "escalated",
        Some(FlowMove::Recovered) => "recovered",
        Some(FlowMove::Logged) => "logged",
        Some(FlowMove::GaveUp) => "gave-up",
        None => "?",
    }
}
