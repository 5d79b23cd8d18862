//! What an engine still holds at the end of a run, and for whom. The verdict only counts; the records tell the rest: a flow
//! that began under a key and never ended, an execution that began and came to nothing.

use std::collections::BTreeMap;

use super::scene::Scene;
use super::words::{counted, list, moment};
use crate::check::{Leftovers, Party};
use crate::explore::Prepared;
use crate::kernel::path::Path;
use crate::kernel::time::Time;
use crate::model::how::{KeyMemory, KeySource};
use crate::model::ids::FlowId;
use crate::model::plan::Plan;
use crate::model::record::{FlowMove, Kind, NONE, Record, commit};

/// So many are told one by one.
const TOLD: usize = 3;

/// Something that began and did not end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    /// The record with which it began.
    began: usize,
    /// Where.
    node: u32,
    /// When its node crashed after that.
    crashed: Option<Time>,
}

/// What is held, as far as records tell.
#[derive(Debug, Default)]
pub(super) struct Left {
    /// Flows whose key is in progress. A choreography whose home crashed may have settled its key without a word.
    keys: Vec<Held>,
    /// Executions that hold locks and have a transaction open.
    executions: Vec<Held>,
}

impl Left {
    pub(super) fn of(scene: &Scene<'_>, prepared: &Prepared) -> Left {
        let Ok(plan) = &prepared.plan else { return Left::default() };
        let mut flows: BTreeMap<(u32, u32, Path), Held> = BTreeMap::new();
        let mut executions: BTreeMap<Path, Held> = BTreeMap::new();
        for (at, record) in scene.trace.records.iter().enumerate() {
            match record.kind {
                Kind::Flow => {
                    let name = key_name(plan, scene.owner[at], record);
                    if record.flag == FlowMove::Started as u8 {
                        let node = u32::try_from(record.data).unwrap_or(NONE);
                        flows.insert(name, Held { began: at, node, crashed: None });
                    } else if FlowMove::ALL.get(usize::from(record.flag)).is_some_and(|what| what.is_end()) {
                        flows.remove(&name);
                    }
                }
                Kind::Begin => {
                    executions.insert(record.path, Held { began: at, node: record.who, crashed: None });
                }
                Kind::Commit if record.flag & commit::EARLY == 0 => _ = executions.remove(&record.path),
                Kind::Rollback
                | Kind::Refused
                | Kind::Failed
                | Kind::Conflict
                | Kind::Replay
                | Kind::Busy => {
                    executions.remove(&record.path);
                }
                Kind::Crash => {
                    executions.retain(|_, held| held.node != record.who);
                    for held in flows.values_mut().filter(|held| held.node == record.who) {
                        held.crashed.get_or_insert(record.at);
                    }
                }
                _ => {}
            }
        }
        let end = scene.trace.records.last().map_or(Time::ZERO, |record| record.at);
        let in_progress = |held: &Held| {
            let began = &scene.trace.records[held.began];
            let of = plan.flows.get(usize::from(began.op)).filter(|of| of.merged.is_none());
            of.and_then(|of| of.key.as_ref()).is_some_and(|key| {
                let lasts = key.policy.busy_for;
                let lost = key.policy.memory == KeyMemory::Replica && held.crashed.is_some();
                !lost && (lasts.is_ever() || end.since(began.at) < lasts)
            })
        };
        let mut left =
            Left { keys: flows.into_values().collect(), executions: executions.into_values().collect() };
        left.keys.retain(in_progress);
        left.keys.sort_unstable_by_key(|held| held.began);
        left.executions.sort_unstable_by_key(|held| held.began);
        left
    }

    /// Whose all that is.
    pub(super) fn parties(&self, scene: &Scene<'_>, left: Leftovers) -> Vec<Party> {
        let executions = if left.locks + left.open_transactions > 0 { &self.executions[..] } else { &[] };
        let keys = if left.keys_in_progress > 0 { &self.keys[..] } else { &[] };
        let all = keys.iter().take(TOLD).chain(executions.iter().take(TOLD));
        all.filter_map(|held| scene.party(scene.owner[held.began])).collect()
    }

    /// What is held, in sentences.
    pub(super) fn lines(
        &self,
        scene: &Scene<'_>,
        left: Leftovers,
        name: impl Fn(&Party) -> String,
    ) -> Vec<String> {
        let nouns = [
            (left.locks, "row lock", "row locks"),
            (left.keys_in_progress, "key in progress", "keys in progress"),
            (left.open_transactions, "open transaction", "open transactions"),
        ];
        let held = nouns.into_iter().filter(|(n, ..)| *n > 0);
        let what: Vec<String> = held.map(|(n, one, many)| counted(u64::from(n), one, many)).collect();
        let mut so = vec![format!("At the end something is still held: {}.", list(&what))];
        let whose = |held: &Held| match scene.party(scene.owner[held.began]) {
            Some(party) => format!(" for {}", name(&party)),
            None => String::new(),
        };
        if left.keys_in_progress > 0 {
            // If the records speak of more flows than there are keys, nobody knows which they are.
            let is = if self.keys.len() == left.keys_in_progress as usize { "is" } else { "may be" };
            for held in self.keys.iter().take(TOLD) {
                let began = &scene.trace.records[held.began];
                let flow = scene.flow(FlowId(began.op));
                let why = match held.crashed {
                    Some(at) => format!(
                        "{}, where it ran, crashed at {}, and nobody goes on with it",
                        scene.node(held.node),
                        moment(at)
                    ),
                    None => "it never ended".into(),
                };
                let key = format!("The key of {flow}{} at {}", whose(held), scene.node(held.node));
                so.push(format!("{key} {is} in progress since {}: {why}.", moment(began.at)));
            }
            so.extend(more(self.keys.len()));
        }
        if left.locks + left.open_transactions > 0 {
            for held in self.executions.iter().take(TOLD) {
                let began = &scene.trace.records[held.began];
                let op = scene.target(began.op);
                let (node, at) = (scene.node(held.node), moment(began.at));
                so.push(format!("{op}{} at {node} began at {at} and never came to its commit.", whose(held)));
            }
            so.extend(more(self.executions.len()));
        }
        so
    }
}

/// What all starts of a flow share that meet in one key: its run, where each request has a key of its own, else its place
/// among what its intent does.
fn key_name(plan: &Plan, owner: u32, record: &Record) -> (u32, u32, Path) {
    let key = plan.flows.get(usize::from(record.op)).and_then(|flow| flow.key.as_ref());
    let own = key.is_some_and(|key| matches!(key.policy.source, KeySource::Attempt | KeySource::Message));
    (owner, record.who, if own { record.path } else { Path(0) })
}

/// That there are more than are told.
fn more(count: usize) -> Option<String> {
    let more = count.checked_sub(TOLD).filter(|more| *more > 0)?;
    Some(format!("And {more} more."))
}
