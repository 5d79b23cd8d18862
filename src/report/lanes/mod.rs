//! One history as lanes: a column for each node that took part, time downwards, arrows for messages.
//!
//! Here is decided what is shown: everything done for the parties of a finding, and the weather that hit their nodes; of
//! a long history the middle is left out. `local` says what happens at one node, `answers` what answers say, `draw` puts it
//! all on paper.

mod answers;
mod draw;
mod local;

use std::collections::{BTreeMap, BTreeSet};

use super::look::{Look, Sign};
use super::reading::{self, Cast};
use super::scene::Scene;
use super::story::letter;
use super::words::count;
use crate::check::{Act, Finding};
use crate::explore::{Prepared, Replay};
use crate::kernel::path::Path;
use crate::kernel::time::Time;
use crate::model::record::{Kind, NONE, Record};
use crate::model::weather::PointKind;

/// More rows than this, and the middle is left out.
pub const ROWS: usize = 60;
/// Rows kept at the start and at the end.
const EDGE: usize = 16;
/// Stands in a label where the sign of a further copy belongs.
const AGAIN: char = '\u{1}';
/// Rows kept around one that matters.
const AROUND: usize = 3;

/// A row of the picture.
#[derive(Clone, Debug, PartialEq)]
struct Row {
    at: Time,
    what: What,
    /// It is part of what breaks the invariant.
    matters: bool,
    /// It is shown whatever is left out.
    keep: bool,
}

/// What a row shows.
#[derive(Clone, Debug, PartialEq)]
enum What {
    /// Something happens at a node.
    Event { node: u32, sign: Sign, note: String },
    /// A message, or a part of its way.
    Arrow { from: u32, to: u32, label: String, part: Part, note: String },
    /// Something that belongs to no node.
    World { note: String },
    /// So many rows are left out.
    Gap(usize),
}

/// How much of its way a row shows of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// All of it: nothing else happens in between.
    Whole,
    /// It leaves and arrives further down.
    Leaves,
    /// It left further up.
    Arrives,
    /// It never arrives.
    Lost,
}

/// The lanes of a replayed run. With findings (each with the name of its invariant) only what belongs to their parties is
/// shown, without any everything.
pub fn lanes(prepared: &Prepared, replay: &Replay, findings: &[(&str, &Finding)], look: &Look) -> String {
    let at = |name: &str| prepared.invariants.iter().position(|one| one.name == name);
    let of: Vec<(Option<usize>, &Finding)> =
        findings.iter().map(|&(name, finding)| (at(name), finding)).collect();
    let mut scene = Scene::new(prepared, replay);
    let cast = reading::cast(&scene, prepared, replay, &of);
    lanes_of(&mut scene, cast, findings, look)
}

/// The same in a scene that is at hand, with a cast that is known.
pub(super) fn lanes_of(
    scene: &mut Scene<'_>,
    cast: Cast,
    findings: &[(&str, &Finding)],
    look: &Look,
) -> String {
    let Cast { parties, acts, kept } = cast;
    let ours: Vec<u32> = parties.iter().filter_map(|party| scene.intent_of(party)).collect();
    // Where nobody is to blame, all is shown.
    if ours.is_empty() {
        scene.study_all();
    } else {
        scene.study(&parties, &acts);
    }
    let scene = &*scene;
    let mut picture = Picture::new(scene, ours, acts);
    picture.kept = kept;
    picture.collect();
    let mut rows = picture.rows;
    for (invariant, finding) in findings {
        let what = What::World { note: format!("{} is broken", super::words::safe(invariant)) };
        let at = rows.iter().rposition(|row| row.at <= finding.at).map_or(rows.len(), |at| at + 1);
        rows.insert(at, Row { at: finding.at, what, matters: true, keep: true });
    }
    draw::draw(scene, &elided(rows), look)
}

/// All that a replayed run says, with nothing left out.
pub fn everything(prepared: &Prepared, replay: &Replay, look: &Look) -> String {
    let scene = Scene::whole(prepared, replay);
    let mut picture = Picture::new(&scene, Vec::new(), Vec::new());
    picture.whole = true;
    picture.collect();
    draw::draw(&scene, &picture.rows, look)
}

struct Picture<'s, 'a> {
    scene: &'s Scene<'a>,
    /// Commits that are shown whatever is left out.
    kept: Vec<usize>,
    /// No read is too small to be shown.
    whole: bool,
    /// The intents shown, in the order of their letters; empty: all.
    ours: Vec<u32>,
    acts: Vec<Act>,
    rows: Vec<Row>,
    /// What answers say, by the records of their sending.
    answers: BTreeMap<usize, &'static str>,
    /// The record at which each copy of a message ends, by path and copy.
    ends: BTreeMap<(Path, u32), usize>,
    /// The record at which each message was sent.
    sent: BTreeMap<Path, usize>,
    /// The nodes that did something for the intents shown.
    took_part: BTreeSet<u32>,
    /// The first and the last record of the intents shown.
    span: Option<(usize, usize)>,
}

impl<'s, 'a> Picture<'s, 'a> {
    fn new(scene: &'s Scene<'a>, ours: Vec<u32>, acts: Vec<Act>) -> Self {
        let mut picture = Picture {
            scene,
            kept: Vec::new(),
            whole: false,
            ours,
            acts,
            rows: Vec::new(),
            answers: BTreeMap::new(),
            ends: BTreeMap::new(),
            sent: BTreeMap::new(),
            took_part: BTreeSet::new(),
            span: None,
        };
        picture.answers = answers::answers(scene.plan, &scene.trace.records, |at| picture.is_ours(at));
        for (at, record) in scene.trace.records.iter().enumerate() {
            if !picture.is_ours(at) {
                continue;
            }
            picture.span = Some((picture.span.map_or(at, |(first, _)| first), at));
            match record.kind {
                Kind::Begin | Kind::Timeout | Kind::Invoke => picture.took_part.extend([record.who]),
                Kind::Sent => {
                    picture.took_part.extend([record.who, record.row]);
                    picture.sent.insert(record.path, at);
                }
                Kind::Lost | Kind::Delivered => _ = picture.ends.insert((record.path, record.ver), at),
                _ => {}
            }
        }
        picture
    }

    fn is_ours(&self, at: usize) -> bool {
        let owner = self.scene.owner[at];
        if owner == NONE { self.is_act(&self.scene.trace.records[at]) } else { self.shows(owner) }
    }

    fn shows(&self, owner: u32) -> bool {
        self.ours.is_empty() || self.ours.contains(&owner)
    }

    fn is_act(&self, record: &Record) -> bool {
        record.kind == Kind::Commit
            && self
                .acts
                .iter()
                .any(|act| act.path == record.path && act.at == record.at && act.op == record.op)
    }

    /// `A ` before what belongs to the first of several parties.
    fn whose(&self, at: usize) -> String {
        match self.ours.iter().position(|&ours| ours == self.scene.owner[at]) {
            Some(n) if self.ours.len() > 1 => format!("{} ", letter(n)),
            _ => String::new(),
        }
    }

    /// Turns records into rows, in their order.
    fn collect(&mut self) {
        let records = &self.scene.trace.records;
        let shown: Vec<bool> = (0..records.len()).map(|at| self.shown(at)).collect();
        for at in self.scene.telling_order() {
            let record = &records[at];
            if !shown[at] {
                continue;
            }
            match record.kind {
                Kind::Sent => {
                    for copy in 0..record.ver.max(1) {
                        self.leaves(at, record, copy, &shown);
                    }
                }
                Kind::Delivered => self.arrives(at, record, &shown),
                Kind::Lost if record.data == crate::model::record::LOST_DOWN => {
                    self.arrives(at, record, &shown)
                }
                Kind::Lost => {}
                _ => {
                    if let Some(what) = self.local(at, record) {
                        let matters = self.is_act(record);
                        let keep = matters || self.kept.binary_search(&at).is_ok();
                        self.rows.push(Row { at: record.at, what, matters, keep });
                    }
                }
            }
        }
    }

    /// Whether anything of a record is drawn.
    fn shown(&self, at: usize) -> bool {
        let record = &self.scene.trace.records[at];
        match record.kind {
            Kind::Crash | Kind::Restart | Kind::Pause | Kind::Resume => {
                self.took_part.contains(&record.who) && self.in_time(at)
            }
            Kind::Cut => self.in_time(at),
            Kind::Heal => self.in_time(at),
            Kind::End => record.flag != 0,
            Kind::Read => self.is_ours(at) && self.read_matters(at),
            Kind::Sent | Kind::Delivered | Kind::Lost => self.is_ours(at),
            _ => self.is_ours(at) && self.local(at, record).is_some(),
        }
    }

    /// Whether a record lies between the first and the last of the intents shown.
    fn in_time(&self, at: usize) -> bool {
        self.span.is_some_and(|(first, last)| first < at && at < last)
    }

    /// A read is worth a row if somebody else does something before its transaction is over. Reads of the same instant
    /// share one.
    fn read_matters(&self, at: usize) -> bool {
        let records = &self.scene.trace.records;
        let path = records[at].path;
        if at > 0 && records[at - 1].kind == Kind::Read && records[at - 1].path == path {
            return false;
        }
        if self.whole {
            return true;
        }
        if at > 0 && records[at - 1].kind == Kind::Refused && records[at - 1].path == path {
            return false;
        }
        for (later, record) in records.iter().enumerate().skip(at + 1) {
            // Waiting for a lock is no end: what is decisive often happens meanwhile.
            let over = matches!(
                record.kind,
                Kind::Commit | Kind::Rollback | Kind::Refused | Kind::Conflict | Kind::Failed | Kind::Replay
            );
            if over && record.path == path {
                return false;
            }
            let busy = matches!(
                record.kind,
                Kind::Commit | Kind::Crash | Kind::Timeout | Kind::Pause | Kind::Refused | Kind::Read
            );
            if busy && record.path != path && self.is_ours(later) {
                return true;
            }
        }
        false
    }

    fn label(&self, at: usize, record: &Record) -> String {
        let kind = |kind: PointKind| record.flag == kind as u8;
        let text = if kind(PointKind::Reply) {
            let sent = self.sent.get(&record.path).unwrap_or(&at);
            (*self.answers.get(sent).unwrap_or(&"answer")).to_owned()
        } else if kind(PointKind::Fetched) {
            "values".into()
        } else {
            let what = self.scene.subject(record);
            let what = if kind(PointKind::Fetch) { "read".into() } else { what };
            let what = if kind(PointKind::Ack) { format!("ack {what}") } else { what };
            match self.scene.request(record.path) {
                Some((n, _)) if n > 1 => format!("{what} #{n}"),
                _ => what,
            }
        };
        format!("{}{text}", self.whose(at))
    }

    fn leaves(&mut self, at: usize, record: &Record, copy: u32, shown: &[bool]) {
        let (from, to) = (record.who, record.row);
        let mut label = self.label(at, record);
        let held = self
            .scene
            .trace
            .records
            .get(at + 1)
            .filter(|next| next.kind == Kind::Delayed && next.path == record.path);
        let mut note =
            held.map(|rule| format!("held up: {}", self.scene.rule(rule.data))).unwrap_or_default();
        let end = self.ends.get(&(record.path, copy)).copied();
        let part = match end {
            None => {
                note = "still under way at the end".into();
                Part::Leaves
            }
            Some(end) => {
                let last = &self.scene.trace.records[end];
                if last.kind == Kind::Lost && last.data != crate::model::record::LOST_DOWN {
                    note = format!("lost: {}", self.scene.loss(last));
                    Part::Lost
                } else if self.undisturbed(at, end, shown) {
                    if last.kind == Kind::Lost {
                        note = self.scene.loss(last);
                        Part::Lost
                    } else {
                        Part::Whole
                    }
                } else if copy > 0 {
                    // Seen when it arrives.
                    return;
                } else {
                    Part::Leaves
                }
            }
        };
        if copy > 0 {
            label = format!("{} {label}", AGAIN);
        }
        let what = What::Arrow { from, to, label, part, note };
        self.rows.push(Row { at: record.at, what, matters: false, keep: false });
    }

    /// Whether nothing is shown between two records that would blur the order of things.
    fn undisturbed(&self, from: usize, to: usize, shown: &[bool]) -> bool {
        let records = &self.scene.trace.records;
        (from + 1..to)
            .all(|at| !shown[at] || matches!(records[at].kind, Kind::Sent | Kind::Delayed | Kind::Lost))
    }

    fn arrives(&mut self, at: usize, record: &Record, shown: &[bool]) {
        let sent = self.sent.get(&record.path).copied();
        if sent.is_some_and(|sent| self.undisturbed(sent, at, shown)) {
            return;
        }
        let mut label = self.label(at, record);
        if record.ver > 0 {
            label = format!("{} {label}", AGAIN);
        }
        let (part, note) = match record.kind {
            Kind::Lost => (Part::Lost, self.scene.loss(record)),
            _ => (Part::Arrives, String::new()),
        };
        let what = What::Arrow { from: record.who, to: record.row, label, part, note };
        self.rows.push(Row { at: record.at, what, matters: false, keep: false });
    }
}

/// Leaves out the middle of a long picture, except for what matters and its surroundings.
fn elided(rows: Vec<Row>) -> Vec<Row> {
    if rows.len() <= ROWS {
        return rows;
    }
    let last = rows.len() - EDGE;
    let near = |n: usize| {
        let around = n.saturating_sub(AROUND)..(n + AROUND + 1).min(rows.len());
        rows[around].iter().any(|row| row.matters) || rows[n].keep
    };
    let keep: Vec<bool> = (0..rows.len()).map(|n| n < EDGE || n >= last || near(n)).collect();
    let mut out: Vec<Row> = Vec::new();
    for (row, keep) in rows.into_iter().zip(keep) {
        if keep {
            out.push(row);
            continue;
        }
        match out.last_mut() {
            Some(Row { what: What::Gap(n), .. }) => *n += 1,
            _ => out.push(Row { at: row.at, what: What::Gap(1), matters: false, keep: false }),
        }
    }
    out
}

/// The words for rows left out.
fn gap(n: usize) -> String {
    format!("{} left out", count(n as u64, "row"))
}
