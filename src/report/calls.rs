//! Which requests are for the same step of a flow: those are counted together, a first request of another step is a first.
//!
//! Messages name no step. But the paths of a step's requests are made of that of its flow's run, so those that may come are
//! made when the step is asked for, and looked up when something is sent.

use std::collections::BTreeMap;

use crate::kernel::path::{Path, Role};
use crate::model::Model;
use crate::model::how::Coordination;
use crate::model::plan::{FlowPlan, Plan};
use crate::model::record::{FlowMove, Kind, NONE, Record};

/// How many numbers of requests may be missing in between: what is asked for at home is not sent.
const GAP: u32 = 3;

/// The calls of a run. What no step asks for is call 0, and so is what an intent asks for.
#[derive(Debug, Default)]
pub(super) struct Calls {
    /// Calls by the call that their flow was started by, and the step and its role: a run of the flow that is started again
    /// makes the same ones.
    numbers: BTreeMap<(u32, u32, bool), u32>,
    /// By the path of a message that has arrived or may come: its call, and how to make the paths of the next ones.
    known: BTreeMap<Path, (u32, Next)>,
    /// The greatest round that a run of a flow may be in, by its path; 0 where there is none.
    rounds: BTreeMap<Path, u32>,
    /// How many steps the longest flow has that travels from service to service.
    travels: u32,
}

/// How the path of a request is made: from which path, by which role, with which number.
#[derive(Clone, Copy, Debug)]
struct Next {
    from: Path,
    role: Role,
    n: u32,
}

impl Next {
    fn path(self) -> Path {
        match self.role {
            Role::Fetch => self.from.child(Role::Fetch, self.n).child(Role::Try, self.n),
            role => self.from.child(role, self.n),
        }
        .child(Role::Request, 0)
    }
}

impl Calls {
    pub(super) fn of(model: &Model, plan: Option<&Plan>) -> Calls {
        let how = plan.map_or(&[][..], |plan| &plan.flows);
        let travels = |how: &FlowPlan| matches!(how.coordination, Coordination::Choreography { .. });
        let flows = model.flows.iter().zip(how).filter(|(_, how)| travels(how));
        Calls {
            travels: flows.map(|(flow, _)| flow.steps.len() as u32).max().unwrap_or(0),
            ..Calls::default()
        }
    }

    /// An execution begins at a stop of a flow that travels, or such a flow starts: it may lead to any step.
    pub(super) fn stop(&mut self, path: Path) {
        for step in 0..self.travels {
            for undo in [false, true] {
                let call = self.number(0, step, undo);
                let role = if undo { Role::Undo } else { Role::Action };
                let from = path.child(Role::Step, step).child(role, 0);
                self.expect(call, Next { from, role: Role::Try, n: 0 });
            }
        }
    }

    fn number(&mut self, parent: u32, step: u32, undo: bool) -> u32 {
        let fresh = self.numbers.len() as u32 + 1;
        *self.numbers.entry((parent, step, undo)).or_insert(fresh)
    }

    /// A flow moves.
    pub(super) fn flow(&mut self, record: &Record) {
        let undo = match FlowMove::ALL.get(usize::from(record.flag)) {
            Some(FlowMove::Asked) => false,
            Some(FlowMove::UndoAsked) => true,
            Some(FlowMove::Started) => return self.stop(record.path),
            Some(FlowMove::Recovered | FlowMove::StepUnknown | FlowMove::StepRefused) => {
                *self.rounds.entry(record.path).or_default() += 1;
                return;
            }
            _ => return,
        };
        if record.row == NONE {
            return;
        }
        let parent = self.known.get(&record.path).map_or(0, |&(call, _)| call);
        let call = self.number(parent, record.row, undo);
        let role = if undo { Role::Undo } else { Role::Action };
        let name = record.path.child(Role::Step, record.row).child(role, 0);
        let rounds = self.rounds.get(&record.path).copied().unwrap_or(0);
        let rounds = (1..=rounds).map(|round| name.child(Role::Recovery, round));
        for from in std::iter::once(name).chain(rounds) {
            for role in [Role::Try, Role::Fetch] {
                self.expect(call, Next { from, role, n: 0 });
            }
        }
    }

    /// The call that a message belongs to.
    pub(super) fn sent(&mut self, record: &Record) -> u32 {
        debug_assert_eq!(record.kind, Kind::Sent);
        let Some(&(call, next)) = self.known.get(&record.path) else { return 0 };
        self.expect(call, next);
        for copy in 1..record.ver {
            self.known.insert(record.path.child(Role::Copy, copy), (call, next));
        }
        call
    }

    /// Notes the paths of the messages that may come after one.
    fn expect(&mut self, call: u32, last: Next) {
        for n in last.n + 1..=last.n + GAP {
            let next = Next { n, ..last };
            self.known.entry(next.path()).or_insert((call, next));
        }
    }
}
