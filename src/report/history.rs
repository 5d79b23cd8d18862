//! The history of one run as JSON lines: `halfway.history`, version 1. Fields are only ever added.
//!
//! Rendered after the run, line by line; ids are written as the names that people gave. Fields that a record does not have
//! are left out.

use std::fmt::Write;

use super::json::digest;
use super::scene::Scene;
use crate::explore::{Prepared, Replay};
use crate::kernel::seed::SEED_CONTRACT;
use crate::model::ids::TableId;
use crate::model::record::{
    FLOW, FlowMove, Kind, LOST_CUT, LOST_DOWN, Masks, NONE, Outcome, Record, StepRole, commit, install,
};
use crate::model::value::Word;
use crate::model::weather::PointKind;

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

/// All lines: a head with the digest of the run, then one line for each record.
pub fn history(prepared: &Prepared, replay: &Replay, head: Head<'_>) -> String {
    let scene = Scene::new(&prepared.model, replay);
    let mut out = Line::new();
    out.text("format", "halfway.history").number("version", 1).number("seed_contract", SEED_CONTRACT.into());
    out.text("scenario", head.scenario);
    match head.case {
        Some(case) => out.text("case", case),
        None => out.raw("case", "null"),
    };
    out.text("strategy", &prepared.strategy).number("seed", head.seed);
    out.text("digest", &digest(replay.run.digest));
    let mut all = out.end();
    for (at, record) in replay.trace.records.iter().enumerate() {
        all.push_str(&line(&scene, at, record));
    }
    all
}

/// One object on one line.
struct Line(String);

impl Line {
    fn new() -> Line {
        Line("{".into())
    }

    fn key(&mut self, key: &str) -> &mut String {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        let _ = write!(self.0, "\"{key}\":");
        &mut self.0
    }

    fn raw(&mut self, key: &str, value: &str) -> &mut Self {
        self.key(key).push_str(value);
        self
    }

    fn number(&mut self, key: &str, value: u64) -> &mut Self {
        let _ = write!(self.key(key), "{value}");
        self
    }

    fn text(&mut self, key: &str, value: &str) -> &mut Self {
        let value = serde_json::to_string(value).unwrap_or_default();
        self.key(key).push_str(&value);
        self
    }

    fn texts(&mut self, key: &str, values: &[String]) -> &mut Self {
        let value = serde_json::to_string(values).unwrap_or_default();
        self.raw(key, &value)
    }

    fn end(mut self) -> String {
        self.0.push_str("}\n");
        self.0
    }
}

fn kind_word(kind: Kind) -> &'static str {
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

fn point_word(flag: u8) -> &'static str {
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

fn move_word(flag: u8) -> &'static str {
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

fn line(scene: &Scene<'_>, at: usize, record: &Record) -> String {
    let mut line = Line::new();
    line.number("at_ns", record.at.0)
        .text("kind", kind_word(record.kind))
        .text("path", &record.path.to_string());
    if let Some(intent) = scene.intents.get(scene.owner[at] as usize) {
        line.text("client", &scene.client(intent.client)).number("intent", u64::from(intent.index) + 1);
    }
    let step = |line: &mut Line| {
        if let Some((step, role)) = record.step() {
            line.number("step", step.into());
            line.text("role", if role == StepRole::Action { "action" } else { "undo" });
        }
    };
    let row = |line: &mut Line, table: u16, slot: u32| {
        line.text("row", &scene.row(TableId(table), slot, false)).number("version", record.ver.into());
    };
    match record.kind {
        Kind::Invoke => {
            line.text("target", &scene.target(record.op));
        }
        Kind::Complete => {
            let outcome = match Outcome::of(record.flag) {
                Outcome::Ok => "ok",
                Outcome::Failed => "failed",
                Outcome::Unknown => "unknown",
            };
            line.text("outcome", outcome);
            if Outcome::of(record.flag) == Outcome::Failed {
                line.text("reason", &scene.text(record.data as Word));
            }
        }
        Kind::Sent | Kind::Lost | Kind::Delivered | Kind::Delayed => {
            line.text("message", point_word(record.flag)).text("of", &scene.subject(record.flag, record.op));
            line.text("from", &scene.node(record.who)).text("to", &scene.node(record.row));
            match record.kind {
                Kind::Sent => line.number("copies", record.ver.into()),
                _ => line.number("copy", record.ver.into()),
            };
            match (record.kind, record.data) {
                (Kind::Lost, LOST_DOWN) => line.text("why", "receiver down"),
                (Kind::Lost, LOST_CUT) => line.text("why", "link cut"),
                (Kind::Lost | Kind::Delayed, rule) => line.text("why", &scene.rule(rule)),
                _ => &mut line,
            };
        }
        Kind::Begin | Kind::Refused | Kind::Failed => {
            line.text("op", &scene.target(record.op)).text("node", &scene.node(record.who));
            step(&mut line);
            if record.kind == Kind::Refused {
                line.text("reason", &scene.text(record.data as Word));
            }
            if record.kind == Kind::Begin {
                line.text("effect", &format!("{:016x}", record.data));
            }
        }
        Kind::Read => row(&mut line, record.op, record.row),
        Kind::Install => {
            row(&mut line, record.op, record.row);
            if record.who != NONE {
                line.number("base", record.who.into());
            }
            let table = TableId(record.op);
            let masks = Masks::unpack(record.data);
            for (key, mask) in [("set", masks.set), ("read_and_set", masks.rmw), ("carried", masks.carried)] {
                if mask != 0 {
                    line.texts(key, &scene.columns(table, mask));
                }
            }
            let flags = [
                (install::NOOP, "noop"),
                (install::CREATE, "create"),
                (install::DELETE, "delete"),
                (install::OTHERWISE, "otherwise"),
            ];
            for (_, word) in flags.into_iter().filter(|(bit, _)| record.flag & bit != 0) {
                line.raw(word, "true");
            }
            line.text("change", &scene.change(at, false));
        }
        Kind::Commit => {
            line.text("op", &scene.target(record.op));
            if let Some(node) = scene.place(record.path) {
                line.text("node", &scene.node(node));
            }
            step(&mut line);
            line.text("effect", &format!("{:016x}", record.data)).number("installs", record.ver.into());
            let flags = [
                (commit::REFUSED, "refused"),
                (commit::SKIPPED, "skipped"),
                (commit::FENCED, "fenced"),
                (commit::EARLY, "early"),
            ];
            for (_, word) in flags.into_iter().filter(|(bit, _)| record.flag & bit != 0) {
                line.raw(word, "true");
            }
        }
        Kind::Rollback | Kind::Replay | Kind::Busy => {
            line.text("op", &scene.target(record.op)).text("node", &scene.node(record.who));
        }
        Kind::Conflict => {
            line.text("op", &scene.target(record.op)).text("node", &scene.node(record.who));
            line.text("row", &scene.row(TableId(record.data as u16), record.row, false));
        }
        Kind::LockWait => {
            line.text("table", &scene.model.table_name(TableId(record.op)))
                .text("node", &scene.node(record.who));
        }
        Kind::Timeout => {
            line.text("target", &scene.target(record.op)).text("node", &scene.node(record.who));
            line.number("attempt", record.ver.into());
        }
        Kind::Crash | Kind::Pause => {
            line.text("node", &scene.node(record.who)).text("why", &scene.rule(record.data));
        }
        Kind::Restart | Kind::Resume => {
            line.text("node", &scene.node(record.who));
        }
        Kind::Cut => {
            line.raw("open", if record.flag == 1 { "false" } else { "true" })
                .text("why", &scene.rule(record.data));
        }
        Kind::Flow => {
            line.text("flow", &scene.target(record.op | FLOW)).text("move", move_word(record.flag));
            if record.row != NONE {
                line.number("step", record.row.into());
            }
        }
        Kind::Publish | Kind::Mark => {
            line.text("topic", &scene.subject(PointKind::Event as u8, record.op));
            line.text("node", &scene.node(record.who));
        }
        Kind::End => {
            let how = ["rest", "not at rest", "budget spent", "broken"]
                .get(usize::from(record.flag))
                .unwrap_or(&"?");
            line.text("how", how).number("events", record.data);
        }
        Kind::Settled | Kind::Heal => {}
    }
    line.end()
}
