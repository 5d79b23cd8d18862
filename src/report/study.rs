//! What a story or a picture needs to know of those it is about: which request each of their messages is, where their
//! executions ran and their flows' coordinators were.
//!
//! A run may have millions of records, and most stories are about two intents: only the records of these are looked at.

use std::collections::{BTreeMap, BTreeSet};

use super::calls::Calls;
use super::doubt::Doubts;
use super::scene::Scene;
use crate::check::{Act, Party};
use crate::kernel::path::{Path, Role};
use crate::model::how::{KeySource, KeyStore};
use crate::model::record::{FLOW, FlowMove, Kind, NONE, Record, commit};
use crate::model::step::KeyPlan;
use crate::model::weather::PointKind;

/// Whose records were looked at closely.
#[derive(Debug)]
pub(super) enum Studied {
    These(BTreeSet<u32>),
    All,
}

impl Studied {
    pub(super) fn knows(&self, owner: u32) -> bool {
        match self {
            Studied::These(these) => these.contains(&owner),
            Studied::All => true,
        }
    }
}

/// What acknowledgements and notes of a choreography are about: their records say no more than where they belong.
#[derive(Debug, Default)]
pub(super) struct Letters {
    /// What was sent: its flag and subject by the path of its acknowledgement.
    acknowledged: BTreeMap<Path, (u8, u16)>,
    /// The flow by the path of its run.
    flows: BTreeMap<Path, u16>,
}

impl Letters {
    fn of<'r>(records: impl Iterator<Item = &'r Record>) -> Letters {
        let mut letters = Letters::default();
        for record in records {
            match record.kind {
                Kind::Sent if record.flag != PointKind::Ack as u8 => {
                    for copy in 0..record.ver.max(1) {
                        let path = if copy == 0 { record.path } else { record.path.child(Role::Copy, copy) };
                        letters.acknowledged.insert(path.child(Role::Ack, 0), (record.flag, record.op));
                    }
                }
                Kind::Flow => {
                    letters.flows.insert(record.path, record.op | FLOW);
                }
                _ => {}
            }
        }
        letters
    }
}

impl Scene<'_> {
    /// Looks closely at all that is done for parties, at what acts belong to, and at what is nobody's.
    pub(super) fn study(&mut self, parties: &[Party], acts: &[Act]) {
        let mut owners: BTreeSet<u32> = parties.iter().filter_map(|party| self.intent_of(party)).collect();
        owners.insert(NONE);
        if !acts.is_empty() {
            for (record, &owner) in self.trace.records.iter().zip(&self.owner) {
                if record.kind == Kind::Commit
                    && acts.iter().any(|act| act.path == record.path && act.at == record.at)
                {
                    owners.insert(owner);
                }
            }
        }
        owners.retain(|&owner| !self.studied.knows(owner));
        self.look_at(|owner| owners.contains(&owner));
        if let Studied::These(these) = &mut self.studied {
            these.extend(owners);
        }
        self.letters.take();
    }

    /// Looks closely at everything.
    pub(super) fn study_all(&mut self) {
        let before = std::mem::replace(&mut self.studied, Studied::All);
        self.look_at(|owner| !before.knows(owner));
        self.letters.take();
    }

    /// Takes up the records of some owners. An intent's requests are counted, and its flows followed, by its own records.
    fn look_at(&mut self, is_wanted: impl Fn(u32) -> bool) {
        let mut requests: BTreeMap<(u32, u8, u16, u32, u32), u32> = BTreeMap::new();
        let mut calls = Calls::of(self.model, self.plan);
        let mut coordinators: BTreeMap<Path, u32> = BTreeMap::new();
        let mut doubts = Doubts::of(self.plan);
        // Answers that say so.
        let mut unsure: BTreeSet<Path> = BTreeSet::new();
        // Flows that undo, and what was carried out: operations with their effects.
        let mut undoing: BTreeSet<Path> = BTreeSet::new();
        let mut done: BTreeSet<(u16, u64)> = BTreeSet::new();
        for (at, record) in self.trace.records.iter().enumerate() {
            let owner = self.owner[at];
            if !is_wanted(owner) {
                continue;
            }
            match record.kind {
                Kind::Flow => {
                    // Only some moves say where they are made; the others are made where the last of these was.
                    let says = matches!(
                        FlowMove::ALL.get(usize::from(record.flag)),
                        Some(FlowMove::Started | FlowMove::Asked | FlowMove::UndoAsked | FlowMove::Recovered)
                    );
                    if let Some(node) = u32::try_from(record.data).ok().filter(|_| says) {
                        coordinators.insert(record.path, node);
                    }
                    if let Some(&node) = coordinators.get(&record.path) {
                        self.coordinators.insert(at, node);
                    }
                    match FlowMove::ALL.get(usize::from(record.flag)) {
                        Some(FlowMove::Compensating | FlowMove::UndoAsked) => _ = undoing.insert(record.path),
                        Some(FlowMove::GaveUp) if undoing.contains(&record.path) => {
                            self.turned_back.insert(at);
                        }
                        _ => {}
                    }
                    calls.flow(record);
                    if doubts.end_in(record) {
                        self.unsure.insert(at);
                        unsure.insert(record.path.child(Role::Reply, 0));
                    }
                }
                Kind::Delivered if unsure.contains(&record.path) => {
                    if let Some(intent) = self.intents.get_mut(owner as usize)
                        && intent.node == record.row
                    {
                        intent.answered = Some(record.at);
                    }
                }
                Kind::Commit if record.flag & (commit::REFUSED | commit::KEPT) == 0 => {
                    done.insert((record.op, record.data));
                }
                Kind::Replay
                    if !done.contains(&(record.op, record.data)) && self.may_be_hollow(record.op) =>
                {
                    self.hollow.insert(at);
                }
                Kind::Begin => {
                    calls.stop(record.path);
                    self.ran.entry(record.path).or_insert(record.who);
                }
                Kind::Sent => {
                    let call = calls.sent(record);
                    let number =
                        requests.entry((owner, record.flag, record.op, record.row, call)).or_default();
                    *number += 1;
                    for copy in 0..record.ver.max(1) {
                        let path = if copy == 0 { record.path } else { record.path.child(Role::Copy, copy) };
                        self.asked.insert(path, (*number, copy));
                    }
                }
                _ => {}
            }
        }
    }

    /// Whether the key of an operation, one for each intent, is stored before its effect. What writes nothing leaves no commit.
    fn may_be_hollow(&self, op: u16) -> bool {
        let early = |key: &KeyPlan| {
            key.policy.store == KeyStore::Before && matches!(key.policy.source, KeySource::Intent)
        };
        let mut programs = self.plan.iter().flat_map(|plan| &plan.programs);
        self.model.operations.get(usize::from(op)).is_some_and(|op| op.writes())
            && programs.any(|program| program.op.0 == op && program.key.as_ref().is_some_and(early))
    }

    /// What a message is about, as a point kind and the word of its subject. What acknowledges a letter of a choreography
    /// is about what the letter asks for.
    pub(super) fn subject_words(&self, record: &Record) -> (u8, u16) {
        let point = match record.kind {
            Kind::Publish | Kind::Mark => PointKind::Event as u8,
            _ => record.flag,
        };
        let letter = record.kind == Kind::Mark || record.flag == PointKind::Ack as u8 && is_topic(point);
        if !letter || usize::from(record.op) < self.model.topics.len() {
            return (point, record.op);
        }
        let letters = self.letters.get_or_init(|| {
            let owner = |at: usize| self.owner.get(at).copied().unwrap_or(NONE);
            let records = self.trace.records.iter().enumerate();
            Letters::of(records.filter(|&(at, _)| self.studied.knows(owner(at))).map(|(_, record)| record))
        });
        match record.kind {
            Kind::Mark => letters.flows.get(&record.path).map_or((point, record.op), |&flow| (point, flow)),
            _ => letters.acknowledged.get(&record.path).copied().unwrap_or((point, record.op)),
        }
    }
}

/// Whether a point is about a topic.
pub(super) fn is_topic(point: u8) -> bool {
    point == PointKind::Event as u8 || point == PointKind::Ack as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explore::{Prepared, Replay};
    use crate::scenario;

    /// What is known of each intent if only it was studied is what is known of it if all were, and no more is kept than
    /// what is its own and nobody's.
    #[test]
    fn who_is_studied_alone_is_known_as_among_all() {
        for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios")).unwrap() {
            let text = std::fs::read(entry.unwrap().path()).unwrap();
            let read = scenario::read("shipped.json".as_ref(), &mut |_| Ok(text.clone())).unwrap();
            for strategy in read.cases.iter().flat_map(|case| &case.strategies) {
                let prepared = Prepared::of(strategy);
                if let Some(replay) = prepared.replay(1) {
                    each_alone(&prepared, &replay);
                }
            }
        }
    }

    fn each_alone(prepared: &Prepared, replay: &Replay) {
        let whole = Scene::whole(prepared, replay);
        let mut one_by_one = Scene::new(prepared, replay);
        let mut nobody = Scene::new(prepared, replay);
        nobody.study(&[], &[]);
        let mut kept = nobody.asked.len();
        for at in 0..whole.intents.len() as u32 {
            let party = whole.party(at).unwrap();
            let mut alone = Scene::new(prepared, replay);
            alone.study(&[party], &[]);
            one_by_one.study(&[party], &[]);
            kept += alone.asked.len() - nobody.asked.len();
            let of = |scene: &Scene<'_>, n: usize, record: &Record| {
                let places = (scene.place(record.path), scene.coordinator(n));
                (scene.request(record.path), places, scene.is_unsure(n), scene.subject_words(record))
            };
            let records = replay.trace.records.iter().enumerate();
            for (n, record) in records.filter(|&(n, _)| whole.owner[n] == at) {
                assert_eq!(of(&alone, n, record), of(&whole, n, record), "{} record {n}", prepared.strategy);
                assert_eq!(
                    of(&one_by_one, n, record),
                    of(&whole, n, record),
                    "{} record {n}",
                    prepared.strategy
                );
            }
            let unknown = |scene: &Scene<'_>| scene.intents[at as usize].was_told_unknown();
            assert_eq!(unknown(&alone), unknown(&whole));
        }
        assert_eq!(kept, whole.asked.len());
    }
}
