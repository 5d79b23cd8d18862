//! How the paths of a run came about: from what a run says, the names of all that was decided in it.
//!
//! A path is a fold and cannot be taken apart, so the names that clients, calls, flows and events can have are made one after
//! the other, as far as the run went, and looked up.

use std::collections::{BTreeMap, BTreeSet};

use super::trace::Trace;
use crate::kernel::path::{Path, Role};
use crate::kernel::script::Note;
use crate::model::Model;
use crate::model::flow::StepKind;
use crate::model::name::{Name, label};
use crate::model::record::{FLOW, FlowMove, Kind};

/// How many of a kind may be missing before no more are looked for.
const GAP: u32 = 2;
/// The most copies, parts, subscribers and rounds that are looked for.
const MOST: u32 = 32;

/// Names for the paths of a run.
#[derive(Debug)]
pub(super) struct Naming<'a> {
    model: &'a Model,
    /// The flow that runs under a path.
    flows: BTreeMap<Path, usize>,
    seen: BTreeSet<Path>,
    wanted: BTreeSet<Path>,
    rounds: u32,
    /// Some service is in Rust.
    hosted: bool,
    found: BTreeMap<Path, Name>,
}

impl<'a> Naming<'a> {
    /// Names what was noted in a run.
    pub(super) fn of(model: &'a Model, trace: &Trace, notes: &[Note]) -> Naming<'a> {
        Naming::of_paths(model, trace, notes.iter().map(|note| note.path))
    }

    /// Names these paths of a run.
    pub(super) fn of_paths(
        model: &'a Model,
        trace: &Trace,
        wanted: impl Iterator<Item = Path>,
    ) -> Naming<'a> {
        let wanted: BTreeSet<Path> = wanted.collect();
        let mut seen = wanted.clone();
        let mut flows = BTreeMap::new();
        let mut rounds = 0;
        let mut intents = Vec::new();
        for record in &trace.records {
            seen.insert(record.path);
            match record.kind {
                Kind::Flow => {
                    flows.insert(record.path, usize::from(record.op & !FLOW));
                    let again = [FlowMove::Recovered, FlowMove::UndoAsked, FlowMove::StepUnknown];
                    rounds += u32::from(again.iter().any(|&what| what as u8 == record.flag));
                }
                Kind::Invoke => intents.push((record.client, record.ver)),
                _ => {}
            }
        }
        let rounds = rounds.min(MOST);
        let hosted = model.services.iter().any(|service| service.host.is_some());
        let mut naming = Naming { model, flows, seen, wanted, rounds, hosted, found: BTreeMap::new() };
        let mut clients = Vec::new();
        for (group, of) in model.groups.iter().enumerate() {
            clients.extend((0..of.count).map(|number| Name::client(model, group, number)));
        }
        for client in &clients {
            naming.keep(client);
        }
        // An intent that was left out was noted, but never begun.
        for (number, client) in clients.iter().enumerate() {
            let last = intents.iter().filter(|(of, _)| *of as usize == number).map(|(_, n)| *n).max();
            for n in 0..=last.unwrap_or(0).saturating_add(MOST) {
                naming.keep(&client.child(Role::Intent, n, None));
            }
        }
        for (client, n) in intents {
            if let Some(client) = clients.get(client as usize) {
                naming.call(&client.child(Role::Intent, n, None), Role::Attempt);
            }
        }
        naming
    }

    /// The name of a path.
    pub(super) fn name(&self, path: Path) -> Name {
        self.found.get(&path).cloned().unwrap_or_else(|| Name::unknown(path))
    }

    fn keep(&mut self, name: &Name) -> bool {
        if self.wanted.contains(&name.path) {
            self.found.insert(name.path, name.clone());
        }
        self.seen.contains(&name.path)
    }

    /// Numbers from `first` on, until some in a row are missing.
    fn each(&mut self, first: u32, mut there: impl FnMut(&mut Self, u32) -> bool) {
        let mut missing = 0;
        for n in first..first.saturating_add(10_000) {
            missing = if there(self, n) { 0 } else { missing + 1 };
            if missing > GAP {
                return;
            }
        }
    }

    /// A call, by a client or for a step: its requests, fetches and pauses.
    fn call(&mut self, call: &Name, role: Role) {
        self.keep(call);
        for n in 1..=MOST {
            self.keep(&call.child(Role::Occurrence, n, None));
        }
        self.each(1, |own, n| own.message(&call.child(role, n, None).child(Role::Request, 0, None)));
        self.each(1, |own, n| {
            let fetch = call.child(Role::Fetch, n, None);
            own.keep(&fetch);
            own.message(&fetch.child(Role::Try, n, None).child(Role::Request, 0, None))
        });
    }

    /// A message: its copies, and what each of them causes. Returns whether it was sent, or meant to be.
    fn message(&mut self, message: &Name) -> bool {
        if !self.keep(message) {
            return false;
        }
        self.copies(message);
        self.arrives(message);
        for n in 1..MOST {
            let copy = message.child(Role::Copy, n, None);
            if self.seen.contains(&copy.path) {
                self.arrives(&copy);
            }
        }
        true
    }

    fn copies(&mut self, message: &Name) {
        for n in 0..MOST {
            self.keep(&message.child(Role::Copy, n, None));
        }
    }

    /// What a copy causes where it arrives: an execution, its events, its answer; or a flow.
    fn arrives(&mut self, at: &Name) {
        self.keep(at);
        let answers = [at.child(Role::Reply, 0, None), at.child(Role::Ack, 0, None)];
        let waiters = (1..=MOST).map(|n| at.child(Role::Occurrence, n, None).child(Role::Reply, 0, None));
        for answer in answers.into_iter().chain(waiters) {
            if self.keep(&answer) {
                self.copies(&answer);
                self.outputs(&answer);
            }
        }
        for part in 0..4 {
            for round in 0..MOST {
                self.keep(&at.child(Role::Task, part << 16 | round, None));
            }
            for n in 0..4 {
                self.event(&at.child(Role::Event, part << 8 | n, None));
            }
        }
        for step in 0..64 {
            // Executions of merged flows have a name for each step.
            self.keep(&at.child(Role::Step, step, None));
        }
        if let Some(&flow) = self.flows.get(&at.path) {
            self.flow(at, flow);
        }
        self.outputs(at);
    }

    /// What a process in Rust does about an input: messages, timers and commits, and what they lead to.
    fn outputs(&mut self, input: &Name) {
        if !self.hosted {
            return;
        }
        for tag in 0..MOST {
            let tag = input.child(Role::Emission, tag, None);
            self.each(1, |own, n| {
                let later = tag.child(Role::Occurrence, n, None);
                let due = own.keep(&later);
                if due {
                    own.outputs(&later);
                }
                let sent = own.message(&tag.child(Role::Try, n, None).child(Role::Request, 0, None));
                due || sent
            });
        }
    }

    fn event(&mut self, event: &Name) {
        self.keep(event);
        for n in 0..MOST {
            let subscriber = event.child(Role::Subscriber, n, None);
            self.each(1, |own, n| own.message(&subscriber.child(Role::Try, n, None)));
        }
        // How the end of a choreography is told.
        self.each(1, |own, n| {
            let told = event.child(Role::Try, n, None).child(Role::Request, 0, None);
            own.message(&told)
        });
    }

    fn flow(&mut self, run: &Name, flow: usize) {
        let model = self.model;
        let Some(of) = model.flows.get(flow) else { return };
        for (n, step) in of.steps.iter().enumerate() {
            let name = run.child(Role::Step, n as u32, None);
            self.keep(&name);
            let StepKind::Call(call) = &step.does else { continue };
            for (role, undo) in [(Role::Action, false), (Role::Undo, true)] {
                if undo && call.undo.is_none() {
                    continue;
                }
                let label = label(model, of, n, undo);
                let name = name.child(role, 0, label.as_deref());
                self.call(&name, Role::Try);
                for round in 1..=self.rounds {
                    self.call(&name.child(Role::Recovery, round, None), Role::Try);
                }
            }
        }
        let steps = of.steps.len() as u32;
        for asked in 0..=steps {
            for done in 0..=steps {
                for undone in 0..=2 * steps + 1 {
                    let log = run.child(Role::Log, asked << 16 | done << 8 | undone, None);
                    for round in 0..=self.rounds {
                        self.keep(&log.child(Role::Recovery, round, None));
                    }
                }
            }
        }
    }
}
