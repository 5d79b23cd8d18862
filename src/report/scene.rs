//! One replayed run, indexed for telling: who every record belongs to, where every execution ran, what every commit did.
//!
//! Stories and lanes are both written from it. It names things as people do and decides nothing. Of a long run only what is
//! done for the intents that are told is looked at closely.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use super::study::{Letters, Studied, is_topic};
use super::why::No;
use super::words::{ordinal, safe};
use crate::check::{Act, Party};
use crate::explore::{Prepared, Replay, Trace};
use crate::kernel::path::Path;
use crate::kernel::time::Time;
use crate::model::Model;
use crate::model::flow::StepKind;
use crate::model::flow::Target;
use crate::model::heap::Heap;
use crate::model::ids::{FlowId, OpId, TableId};
use crate::model::plan::{Nodes, Plan};
use crate::model::record::{FLOW, Kind, NONE, Outcome, Record, commit, install};
use crate::model::value::Word;
use crate::store::Tables;

/// An intent of the run.
#[derive(Clone, Debug)]
pub(super) struct Intent {
    pub(super) path: Path,
    /// Numbered over all groups.
    pub(super) client: u32,
    /// Among the client's.
    pub(super) index: u32,
    /// What it wants.
    pub(super) target: u16,
    pub(super) node: u32,
    /// What the client was told, when, and the reason of a refusal.
    pub(super) told: Option<(Outcome, Time, String)>,
    /// When it last got the answer that it is not known whether it is done.
    pub(super) answered: Option<Time>,
    /// How it was last said no to.
    no: No,
}

impl Intent {
    /// Whether its client, which does not know whether it is done, knows that from an answer.
    pub(super) fn was_told_unknown(&self) -> bool {
        matches!(&self.told, Some((Outcome::Unknown, at, _)) if self.answered == Some(*at))
    }
}

/// A replayed run.
#[derive(Debug)]
pub(super) struct Scene<'a> {
    pub(super) model: &'a Model,
    pub(super) plan: Option<&'a Plan>,
    pub(super) nodes: Nodes,
    pub(super) trace: &'a Trace,
    tables: &'a Tables,
    pub(super) intents: Vec<Intent>,
    /// The intent of each record, or [`NONE`].
    pub(super) owner: Vec<u32>,
    /// The intents of which what follows is known. What is nobody's is known with the first.
    pub(super) studied: Studied,
    /// Where each execution ran.
    pub(super) ran: BTreeMap<Path, u32>,
    /// Where the coordinator of a flow was at each of its moves, by record.
    pub(super) coordinators: BTreeMap<usize, u32>,
    /// The ends of flows that cannot tell whether they are done, by record.
    pub(super) unsure: BTreeSet<usize>,
    /// The records with which flows give up that had begun to undo.
    pub(super) turned_back: BTreeSet<usize>,
    /// Replays that answer for what was never carried out.
    pub(super) hollow: BTreeSet<usize>,
    /// Of each request or event, by the paths of its copies: which one it was of its intent, step and target, and the copy.
    pub(super) asked: BTreeMap<Path, (u32, u32)>,
    /// What is only asked for where a flow has no coordinator.
    pub(super) letters: OnceCell<Letters>,
}

impl<'a> Scene<'a> {
    /// A scene that knows whose each record is, but nothing more of anybody: see [`Scene::study`].
    pub(super) fn new(prepared: &'a Prepared, replay: &'a Replay) -> Scene<'a> {
        let mut scene = Scene::of_names(&prepared.model, replay);
        scene.plan = prepared.plan.as_ref().ok();
        scene.studied = Studied::These(BTreeSet::new());
        scene.index();
        scene
    }

    /// A scene that knows everything of everybody.
    pub(super) fn whole(prepared: &'a Prepared, replay: &'a Replay) -> Scene<'a> {
        let mut scene = Scene::new(prepared, replay);
        scene.study_all();
        scene
    }

    /// A scene that can name things, but was not indexed: it knows no intents and not where anything ran.
    pub(super) fn of_names(model: &'a Model, replay: &'a Replay) -> Scene<'a> {
        Scene {
            model,
            plan: None,
            nodes: Nodes::of(model),
            trace: &replay.trace,
            tables: &replay.tables,
            intents: Vec::new(),
            owner: Vec::new(),
            studied: Studied::All,
            ran: BTreeMap::new(),
            coordinators: BTreeMap::new(),
            unsure: BTreeSet::new(),
            turned_back: BTreeSet::new(),
            hollow: BTreeSet::new(),
            asked: BTreeMap::new(),
            letters: OnceCell::new(),
        }
    }

    fn index(&mut self) {
        let records = &self.trace.records;
        self.owner.reserve(records.len());
        // By slot. Slots are used again, so who owns a record depends on when it was written.
        let mut slots: Vec<u32> = Vec::new();
        for (at, record) in records.iter().enumerate() {
            let slot = record.intent as usize;
            if record.kind == Kind::Invoke && record.intent != NONE {
                slots.resize(slots.len().max(slot + 1), NONE);
                slots[slot] = self.intents.len() as u32;
                self.intents.push(Intent {
                    path: record.path,
                    client: record.client,
                    index: record.ver,
                    target: record.op,
                    node: record.who,
                    told: None,
                    answered: None,
                    no: No::default(),
                });
            }
            let owner = slots.get(slot).copied().unwrap_or(NONE);
            self.owner.push(owner);
            let Some(intent) = self.intents.get_mut(owner as usize) else { continue };
            intent.no.note(at, record);
            match record.kind {
                Kind::Settled => slots[slot] = NONE,
                Kind::Complete => {
                    let why = intent.no.reason(record, records);
                    let why =
                        why.map_or_else(|| safe(&self.model.symbols.text(record.data as Word)), Into::into);
                    intent.told = Some((Outcome::of(record.flag), record.at, why));
                }
                _ => {}
            }
        }
    }

    pub(super) fn heap(&self) -> &Heap {
        self.tables.heap()
    }

    pub(super) fn node(&self, node: u32) -> String {
        if node == NONE || node >= self.nodes.count {
            "?".into()
        } else {
            safe(&self.nodes.name(self.model, node))
        }
    }

    /// The name of a client, numbered over all groups.
    pub(super) fn client(&self, client: u32) -> String {
        match self.nodes.clients.first() {
            Some(first) => self.node(first + client),
            None => "?".into(),
        }
    }

    /// Where an execution ran.
    pub(super) fn place(&self, execution: Path) -> Option<u32> {
        self.ran.get(&execution).copied()
    }

    /// Where the coordinator of a flow was when it made a move.
    pub(super) fn coordinator(&self, record: usize) -> Option<u32> {
        self.coordinators.get(&record).copied().filter(|&node| node < self.nodes.count)
    }

    /// Whether a flow gives up with this record, and had begun to undo what was done.
    pub(super) fn turned_back(&self, record: usize) -> bool {
        self.turned_back.contains(&record)
    }

    /// Whether a flow ends with this record and cannot tell whether it is done.
    pub(super) fn is_unsure(&self, record: usize) -> bool {
        self.unsure.contains(&record)
    }

    /// Which request of its intent an execution or a message is, counted from 1, and which copy, counted from 0.
    pub(super) fn request(&self, path: Path) -> Option<(u32, u32)> {
        self.asked.get(&path).copied()
    }

    /// `wallet.charge`, or the name of a flow.
    pub(super) fn target(&self, word: u16) -> String {
        if word & FLOW != 0 {
            self.flow(FlowId(word & !FLOW))
        } else if usize::from(word) < self.model.operations.len() {
            safe(&self.model.operation_name(OpId(word)))
        } else {
            "?".into()
        }
    }

    /// `charge`, or the name of a flow.
    pub(super) fn short_target(&self, word: u16) -> String {
        match word & FLOW {
            0 => self.model.operations.get(usize::from(word)).map_or("?".into(), |op| safe(&op.name)),
            _ => self.flow(FlowId(word & !FLOW)),
        }
    }

    pub(super) fn flow(&self, flow: FlowId) -> String {
        self.model.flows.get(flow.index()).map_or("?".into(), |flow| safe(&flow.name))
    }

    /// What a message, or a note about one, is about.
    pub(super) fn subject(&self, record: &Record) -> String {
        let (point, op) = self.subject_words(record);
        match self.model.topics.get(usize::from(op)) {
            Some(topic) if is_topic(point) => safe(&topic.name),
            _ => self.short_target(op),
        }
    }

    /// The order in which records are told: who refuses notes what it read after it has refused, and that reads better the
    /// other way round.
    pub(super) fn telling_order(&self) -> Vec<usize> {
        let records = &self.trace.records;
        let mut order: Vec<usize> = (0..records.len()).collect();
        for at in 0..records.len() {
            let refused = &records[at];
            let cause = |read: &&Record| {
                read.kind == Kind::Read && read.path == refused.path && read.at == refused.at
            };
            let reads = match refused.kind {
                Kind::Refused => records[at + 1..].iter().take_while(cause).count(),
                _ => 0,
            };
            order[at..=at + reads].rotate_left(1);
        }
        order
    }

    /// The name of a step: what it calls.
    pub(super) fn step(&self, flow: FlowId, step: u8) -> String {
        let step_of = self.model.flows.get(flow.index()).and_then(|flow| flow.steps.get(usize::from(step)));
        match step_of.map(|step| &step.does) {
            Some(StepKind::Call(call)) => match call.action.target {
                Target::Op(op) => self.target(op.0),
                Target::Flow(flow) => self.flow(flow),
            },
            Some(StepKind::Wait(_)) => "a wait".into(),
            None => format!("step {step}"),
        }
    }

    /// `service.table`; none if it is no table but what locks of keys and fences have in its place.
    pub(super) fn table(&self, table: TableId) -> Option<String> {
        self.model.tables.get(table.index()).map(|_| self.model.table_name(table))
    }

    /// How many rows a table ever had.
    pub(super) fn slots(&self, table: TableId) -> u32 {
        self.tables.table(table).slots()
    }

    /// A row: `wallet.accounts['ana']`; short: without its service.
    pub(super) fn row(&self, table: TableId, slot: u32, short: bool) -> String {
        let of = self.model.table(table);
        let name = if short { of.name.clone() } else { self.model.table_name(table) };
        let state = self.tables.table(table);
        let key = match (slot < state.slots(), of.columns.first()) {
            (true, Some(key)) => self.model.symbols.show(state.cells(slot)[0], &key.ty, self.heap()),
            _ => "?".into(),
        };
        safe(&format!("{name}[{key}]"))
    }

    pub(super) fn column(&self, table: TableId, column: usize) -> String {
        self.model.table(table).columns.get(column).map_or("?".into(), |column| safe(&column.name))
    }

    pub(super) fn value(&self, table: TableId, column: usize, word: Word) -> String {
        match self.model.table(table).columns.get(column) {
            Some(column) => safe(&self.model.symbols.show(word, &column.ty, self.heap())),
            None => word.to_string(),
        }
    }

    /// The names of the columns of a mask.
    pub(super) fn columns(&self, table: TableId, mask: u32) -> Vec<String> {
        let count = self.model.table(table).columns.len();
        (0..count).filter(|n| mask >> n & 1 == 1).map(|n| self.column(table, n)).collect()
    }

    /// The intent of a party, if it is known.
    pub(super) fn intent_of(&self, party: &Party) -> Option<u32> {
        let at = self.intents.iter().position(|intent| intent.path == party.path)?;
        party.is_known().then_some(at as u32)
    }

    /// An intent as a party.
    pub(super) fn party(&self, intent: u32) -> Option<Party> {
        let of = self.intents.get(intent as usize)?;
        let mut party = Party::NOBODY;
        (party.client, party.intent, party.target, party.path) = (of.client, of.index, of.target, of.path);
        party.told = of.told.as_ref().map(|(outcome, ..)| *outcome);
        Some(party)
    }

    /// `shop's 2nd wallet.charge`: an intent as people refer to it.
    pub(super) fn intent(&self, client: u32, index: u32, target: u16) -> String {
        format!("the {} {} of {}", ordinal(u64::from(index) + 1), self.target(target), self.client(client))
    }

    /// The installs that follow a commit record.
    pub(super) fn installs(&self, commit: usize) -> impl Iterator<Item = usize> + use<> {
        let count = self.trace.records.get(commit).map_or(0, |record| record.ver as usize);
        commit + 1..commit + 1 + count
    }

    /// What a transaction that is broken off comes to, if not to a rollback: where the store does not isolate there is
    /// none, and what it wrote stays.
    pub(super) fn rolled_back(&self, at: usize) -> Option<&'static str> {
        let record = &self.trace.records[at];
        if self.wrote_early(at) {
            return Some("breaks off; what it wrote stays");
        }
        let loose = |plan: &Plan| plan.programs.iter().any(|one| one.op.0 == record.op && one.loose);
        self.plan.is_some_and(loose).then_some("breaks off, having written nothing")
    }

    /// Whether the transaction of a record has written statement by statement, as where the store does not isolate.
    fn wrote_early(&self, at: usize) -> bool {
        let record = &self.trace.records[at];
        let before = self.trace.records[..at].iter().rev().filter(|before| before.path == record.path);
        let mut since = before.take_while(|before| !matches!(before.kind, Kind::Begin | Kind::Rollback));
        since.any(|before| before.kind == Kind::Commit && before.flag & commit::EARLY != 0)
    }

    /// Whether a replay answers from a key that was stored before the effect, and what was asked for was not carried out.
    pub(super) fn is_hollow(&self, record: usize) -> bool {
        self.hollow.contains(&record)
    }

    /// What a commit did: `accounts['ana'].balance 1000 → 970`, one piece for each row.
    pub(super) fn changes(&self, commit_at: usize, short: bool) -> Vec<String> {
        let flag = self.trace.records.get(commit_at).map_or(0, |record| record.flag);
        if flag & commit::FENCED != 0 {
            return vec!["fenced off: nothing is done".into()];
        }
        if flag & commit::SKIPPED != 0 {
            return vec!["done without effect: it skips".into()];
        }
        let changes: Vec<String> = self.installs(commit_at).map(|at| self.change(at, short)).collect();
        match changes.is_empty() {
            true if self.wrote_early(commit_at) => vec!["done, all is written".into()],
            true => vec!["done, nothing to write".into()],
            false => changes,
        }
    }

    /// What an install did to its row.
    pub(super) fn change(&self, at: usize, short: bool) -> String {
        let Some(record) = self.trace.records.get(at).filter(|record| record.kind == Kind::Install) else {
            return "?".into();
        };
        let table = TableId(record.op);
        let row = self.row(table, record.row, short);
        if record.flag & install::NOOP != 0 {
            return format!("{row} as before");
        }
        let Some(image) = self.trace.image(at) else { return row };
        match (image.before, image.after) {
            (_, None) => format!("{row} deleted"),
            (None, Some(after)) => {
                let cells = after.iter().enumerate().skip(1);
                let cells = cells
                    .map(|(n, &word)| format!("{}: {}", self.column(table, n), self.value(table, n, word)));
                format!("new {row} {{{}}}", cells.collect::<Vec<_>>().join(", "))
            }
            (Some(before), Some(after)) => {
                let changed = (1..after.len()).filter(|&n| before.get(n) != after.get(n));
                let one = |n: usize| {
                    let show = |cells: &[Word]| self.value(table, n, cells[n]);
                    format!(".{} {} → {}", self.column(table, n), show(before), show(after))
                };
                let all: Vec<String> = changed.map(one).collect();
                match all.as_slice() {
                    [] => format!("{row} as before"),
                    [only] => format!("{row}{only}"),
                    many => {
                        let many: Vec<&str> = many.iter().map(|one| one.trim_start_matches('.')).collect();
                        format!("{row} {}", many.join(", "))
                    }
                }
            }
        }
    }

    /// Why a message was lost.
    pub(super) fn loss(&self, record: &Record) -> String {
        match record.data {
            crate::model::record::LOST_DOWN => format!("{} is down", self.node(record.row)),
            crate::model::record::LOST_CUT => "the link is cut".into(),
            rule => self.rule(rule),
        }
    }

    /// A rule of the weather: `lose reply wallet.charge, chance 50%, nth 1`.
    pub(super) fn rule(&self, number: u64) -> String {
        let rule = usize::try_from(number).ok().and_then(|n| self.model.weather.faults.get(n));
        rule.map_or_else(|| "weather".into(), |rule| rule_text(&rule.text))
    }

    /// Why an operation failed technically.
    pub(super) fn failure(&self, at: usize) -> &'static str {
        super::why::failure(&self.trace.records, at)
    }

    /// A text word, such as the reason of a refusal.
    pub(super) fn text(&self, word: Word) -> String {
        safe(&self.model.symbols.text(word))
    }
}

/// All parties and acts of a finding, in the order in which a story names them.
pub(super) fn cast(witness: &crate::check::Witness) -> (Vec<Party>, Vec<Act>) {
    use crate::check::Witness::*;
    let (mut parties, mut acts) = (Vec::new(), Vec::new());
    match witness {
        LostUpdate { victim, culprit, .. } => acts.extend([*victim, *culprit]),
        DuplicateEffect { first, second } => acts.extend([*first, *second]),
        NotDurable { who, .. } | WrongBelief { who, .. } | HalfDone { who, .. } | NeverEnded { who } => {
            parties.push(*who);
        }
        NotUndone { who, stands } => {
            parties.push(*who);
            acts.extend(stands);
        }
        Rule { who, acts: shown, .. } => {
            parties.push(*who);
            acts.extend(shown);
        }
        TwoRows { first, second, .. } => acts.extend([first.1, second.1]),
        Orphan { by, .. } => acts.extend(by),
        Expression { by, who, .. } => {
            parties.extend(who);
            acts.extend(by);
        }
        LeftRow { by, .. } => acts.push(*by),
        Own { acts: shown, about, .. } => {
            parties.extend(about);
            acts.extend(shown);
        }
        Changed { .. } | LeftLocked(_) => {}
    }
    parties.extend(acts.iter().map(|act| act.party));
    parties.retain(Party::is_known);
    let mut seen = Vec::new();
    parties.retain(|party| {
        let new = !seen.contains(&party.path);
        seen.push(party.path);
        new
    });
    acts.retain(|act| *act != Act::NONE);
    (parties, acts)
}

/// The same of several findings, each party and act once.
pub(super) fn cast_of_all<'f>(
    findings: impl Iterator<Item = &'f crate::check::Finding>,
) -> (Vec<Party>, Vec<Act>) {
    let (mut parties, mut acts): (Vec<Party>, Vec<Act>) = (Vec::new(), Vec::new());
    for finding in findings {
        let (more, done) = cast(&finding.what);
        let new = |party: &Party| !parties.iter().any(|known| known.path == party.path);
        let more: Vec<Party> = more.into_iter().filter(new).collect();
        parties.extend(more);
        acts.extend(done);
    }
    (parties, acts)
}

/// A rule as written, without the signs of JSON: what it does first.
pub(crate) fn rule_text(written: &str) -> String {
    const VERBS: [&str; 8] = ["lose", "delay", "duplicate", "refuse", "fail", "crash", "pause", "cut"];
    let Ok(serde_json::Value::Object(rule)) = serde_json::from_str(written) else {
        return safe(&written.split_whitespace().collect::<Vec<_>>().join(" "));
    };
    let value = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| item.to_string().replace('"', "")).collect();
            items.join(" and ")
        }
        other => other.to_string(),
    };
    let (verbs, rest): (Vec<_>, Vec<_>) = rule.iter().partition(|(key, _)| VERBS.contains(&key.as_str()));
    let parts: Vec<String> =
        verbs.into_iter().chain(rest).map(|(key, of)| format!("{key} {}", value(of))).collect();
    safe(&parts.join(", "))
}
