//! *Then*: what happened to the intents of a finding, in order.

use super::{Event, Teller};
use crate::check::{Finding, Witness};
use crate::kernel::path::Path;
use crate::model::ids::{FlowId, TableId};
use crate::model::record::{FlowMove, Kind, Outcome, Record, StepRole, commit};
use crate::model::value::Word;
use crate::model::weather::PointKind;
use crate::report::scene::Intent;
use crate::report::words::{count, ordinal};

/// A longer chronicle loses its middle: the lanes show it whole.
const LONGEST: usize = 14;

impl Teller<'_, '_> {
    /// What happened to the parties, as far as it matters.
    pub(super) fn chronicle(&self, findings: &[(usize, &Finding)]) -> Vec<Event> {
        let rows: Vec<(u16, u32)> = findings
            .iter()
            .filter_map(|(_, finding)| match &finding.what {
                Witness::LostUpdate { table, row, .. } => Some((table.0, *row)),
                _ => None,
            })
            .collect();
        let ours: Vec<u32> = self.nodes();
        let mut events = Vec::new();
        for at in self.scene.telling_order() {
            let record = &self.scene.trace.records[at];
            let text = match record.kind {
                Kind::Crash | Kind::Pause if ours.contains(&record.who) => self.weather(record),
                _ if !self.is_ours(at) && !self.is_act(record) => continue,
                Kind::Read if rows.contains(&(record.op, record.row)) => {
                    let row = self.scene.row(TableId(record.op), record.row, false);
                    {
                        let who = self.owner_name(at);
                        format!("{who} reads {row}, version {}", record.ver)
                    }
                }
                _ => match self.event(at, record) {
                    Some(text) => text,
                    None => continue,
                },
            };
            let matters = record.kind == Kind::Commit && self.is_act(record);
            let keep = matters || self.kept.binary_search(&at).is_ok();
            events.push((Event { at: Some(record.at), text, matters }, keep));
        }
        shortened(events)
    }

    /// The nodes where something was done for the parties.
    fn nodes(&self) -> Vec<u32> {
        let records = self.scene.trace.records.iter().enumerate();
        let ours = records.filter(|(at, record)| record.kind == Kind::Begin && self.is_ours(*at));
        let mut nodes: Vec<u32> = ours.map(|(_, record)| record.who).collect();
        nodes.sort_unstable();
        nodes.dedup();
        nodes
    }

    fn is_act(&self, record: &Record) -> bool {
        self.acts.iter().any(|act| act.path == record.path && act.at == record.at)
    }

    fn weather(&self, record: &Record) -> String {
        let verb = if record.kind == Kind::Crash { "crashes" } else { "pauses" };
        format!("{} {verb}: {}", self.scene.node(record.who), self.scene.rule(record.data))
    }

    /// `A, 2nd request: ` and the like: which request of whom an execution answers.
    fn request(&self, at: usize, path: Path) -> String {
        let owner = if self.parties.len() > 1 { Some(self.owner_name(at)) } else { None };
        let nth = |n: u32| ordinal(u64::from(n));
        let which = match self.scene.request(path) {
            Some((n, 0)) if n > 1 => Some(format!("{} request", nth(n))),
            Some((_, 0)) | None => None,
            Some((1, copy)) => Some(format!("{} copy of the request", nth(copy + 1))),
            Some((n, copy)) => Some(format!("{} copy of the {} request", nth(copy + 1), nth(n))),
        };
        let parts: Vec<String> = owner.into_iter().chain(which).collect();
        if parts.is_empty() { String::new() } else { format!("{}: ", parts.join(", ")) }
    }

    /// What a message is, and if it is to be told in full, also whether it asks or answers.
    fn message(&self, record: &Record, full: bool) -> String {
        let what = self.scene.subject(record);
        let is = |kind: PointKind| record.flag == kind as u8;
        match record.flag {
            _ if is(PointKind::Ack) => format!("the acknowledgement of {what}"),
            _ if full && is(PointKind::Reply) => format!("the answer to {what}"),
            _ if full && is(PointKind::Request) => format!("the request {what}"),
            _ => what,
        }
    }

    fn event(&self, at: usize, record: &Record) -> Option<String> {
        let scene = &self.scene;
        let who = || self.request(at, record.path);
        Some(match record.kind {
            Kind::Lost => {
                let (from, to) = (scene.node(record.who), scene.node(record.row));
                let what = self.message(record, true);
                format!("{}{what} is lost between {from} and {to}: {}", self.whose(at), scene.loss(record))
            }
            Kind::Delayed => {
                let what = self.message(record, false);
                format!("{}{what} is held up: {}", self.whose(at), scene.rule(record.data))
            }
            Kind::Delivered if record.ver > 0 => {
                let what = self.message(record, false);
                let to = scene.node(record.row);
                format!(
                    "{}the {} copy of {what} reaches {to}",
                    self.whose(at),
                    ordinal(u64::from(record.ver) + 1)
                )
            }
            Kind::Timeout => {
                let (node, what) = (scene.node(record.who), scene.short_target(record.op));
                format!("{}{node} stops waiting for {what}", self.whose(at))
            }
            Kind::Commit => {
                let quiet = commit::SKIPPED | commit::FENCED;
                let op = scene.target(record.op);
                let done = scene.changes(at, true).join("; ");
                let undo = matches!(record.step(), Some((_, StepRole::Undo)));
                if record.ver == 0 && record.flag & quiet == 0 && !self.is_act(record) {
                    return None;
                }
                let how = match (record.flag & commit::REFUSED != 0, undo) {
                    (true, _) => " (refused)",
                    (false, true) => " (compensation)",
                    (false, false) => "",
                };
                format!("{}{op}{how}: {done}", who())
            }
            Kind::Rollback => {
                let how = scene.rolled_back(at).unwrap_or("is rolled back");
                format!("{}{} {how}", who(), scene.target(record.op))
            }
            Kind::Refused => {
                let why = scene.text(record.data as Word);
                let by = if record.flag == 1 { ", by weather" } else { "" };
                format!("{}{} refuses: {why}{by}", who(), scene.target(record.op))
            }
            Kind::Failed => format!("{}{} fails: {}", who(), scene.target(record.op), scene.failure(at)),
            Kind::Conflict => {
                let table = TableId(record.data as u16);
                format!(
                    "{}{} finds {} changed",
                    who(),
                    scene.target(record.op),
                    scene.row(table, record.row, true)
                )
            }
            Kind::Replay if scene.is_hollow(at) => {
                let op = scene.target(record.op);
                format!(
                    "{}{op} knows the key of the request and answers ok, but it was not carried out",
                    who()
                )
            }
            Kind::Replay => {
                format!("{}{} knows the request and repeats its answer", who(), scene.target(record.op))
            }
            Kind::Busy => {
                format!("{}{} is still busy with the same request", who(), scene.target(record.op))
            }
            Kind::Flow => {
                let flow = scene.flow(FlowId(record.op));
                let believes = match FlowMove::ALL.get(usize::from(record.flag))? {
                    FlowMove::Compensating => "turns back",
                    FlowMove::Parked => "sets a compensation aside for a person",
                    FlowMove::Completed => "ends and believes that all is done",
                    FlowMove::Compensated => "ends and believes that all is undone",
                    FlowMove::Escalated => "ends in between, and knows it",
                    FlowMove::Recovered => "is taken up again",
                    FlowMove::GaveUp if scene.turned_back(at) => "ends as failed, before all is undone",
                    FlowMove::GaveUp if scene.is_unsure(at) => {
                        "ends without knowing whether it is done, and undoes nothing"
                    }
                    FlowMove::GaveUp => "ends as failed, without undoing anything",
                    _ => return None,
                };
                format!("{}{flow} {believes}", self.whose(at))
            }
            Kind::Complete => {
                let client = scene.client(record.client);
                match Outcome::of(record.flag) {
                    Outcome::Ok => format!("{}{client} is told ok", self.whose(at)),
                    Outcome::Failed => format!("{}{client} is told that it failed", self.whose(at)),
                    Outcome::Unknown => {
                        let intent = scene.intents.get(scene.owner[at] as usize);
                        let how = match intent.is_some_and(Intent::was_told_unknown) {
                            true => "is answered, and does not know whether it is done",
                            false => "gives up without an answer",
                        };
                        format!("{}{client} {how}", self.whose(at))
                    }
                }
            }
            _ => return None,
        })
    }
}

/// The first and the last of a long chronicle, and all that is to be kept in between.
fn shortened(events: Vec<(Event, bool)>) -> Vec<Event> {
    if events.len() <= LONGEST {
        return events.into_iter().map(|(event, _)| event).collect();
    }
    let keep = LONGEST / 2;
    let last = events.len() - keep;
    let mut out: Vec<Event> = Vec::new();
    let mut left_out = 0;
    for (n, (event, is_kept)) in events.into_iter().enumerate() {
        if n < keep || n >= last || is_kept {
            if left_out > 0 {
                out.push(Event { at: None, text: left_out_text(left_out), matters: false });
                left_out = 0;
            }
            out.push(event);
        } else {
            left_out += 1;
        }
    }
    out
}

fn left_out_text(n: u64) -> String {
    format!("{} left out", count(n, "event"))
}
