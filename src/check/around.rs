//! Of which flows an operation is a step, and which flows an intent can come to. What stops a step stops the flow, so it
//! concerns all that the flow can change.
//!
//! Sets of flows are words with one bit a flow; flows from the 64th on share the last bit.

use crate::model::Model;
use crate::model::flow::{StepKind, Target};
use crate::model::how::Coordination;
use crate::model::ids::FlowId;
use crate::model::plan::Plan;
use crate::model::record::FLOW;

fn bit(flow: FlowId) -> u64 {
    1 << flow.0.min(63)
}

/// Something for each operation and for each flow.
#[derive(Clone, Debug, Default)]
struct Of {
    operations: Vec<u64>,
    flows: Vec<u64>,
}

impl Of {
    fn none(model: &Model) -> Of {
        Of { operations: vec![0; model.operations.len()], flows: vec![0; model.flows.len()] }
    }

    fn at(&mut self, target: Target) -> &mut u64 {
        match target {
            Target::Op(op) => &mut self.operations[op.index()],
            Target::Flow(flow) => &mut self.flows[flow.index()],
        }
    }

    /// That of an operation, or a flow with [`FLOW`] added.
    fn get(&self, op: u16) -> u64 {
        let of = if op & FLOW == 0 { &self.operations } else { &self.flows };
        of.get(usize::from(op & !FLOW)).copied().unwrap_or(0)
    }
}

/// Which flows are around what.
#[derive(Clone, Debug, Default)]
pub(super) struct Around {
    /// The flows of which it is a step.
    step_of: Of,
    /// The flows that may be carried out because of it, with itself.
    leads_to: Of,
    /// The flows that letters take from step to step.
    carried: u64,
    /// By bit the tables that its flows can change.
    tables: Vec<u64>,
}

impl Around {
    /// `tables` are those that each flow can change.
    pub(super) fn of(model: &Model, plan: &Plan, tables: impl Iterator<Item = u64>) -> Around {
        let (step_of, leads_to) = (Of::none(model), Of::none(model));
        let mut around = Around { step_of, leads_to, carried: 0, tables: vec![0; 64] };
        for ((id, flow), tables) in model.flow_ids().zip(&model.flows).zip(tables) {
            around.tables[bit(id).trailing_zeros() as usize] |= tables;
            if let Some(Coordination::Choreography { .. }) =
                plan.flows.get(id.index()).map(|plan| &plan.coordination)
            {
                around.carried |= bit(id);
            }
            around.leads_to.flows[id.index()] |= bit(id);
            for step in &flow.steps {
                let StepKind::Call(call) = &step.does else { continue };
                for call in std::iter::once(&call.action).chain(&call.undo) {
                    *around.step_of.at(call.target) |= bit(id);
                }
            }
        }
        while around.grow(model) {}
        around
    }

    /// Operations tell topics, topics run operations and flows, flows call operations and flows. Whether anything came to it.
    fn grow(&mut self, model: &Model) -> bool {
        let mut grown = false;
        let mut join = |leads: &mut Of, from: Target, to: u64| {
            let set = leads.at(from);
            grown |= *set | to != *set;
            *set |= to;
        };
        let leads = &mut self.leads_to;
        for (id, operation) in model.operation_ids().zip(&model.operations) {
            // Whom a process asks for what, nobody can tell from outside.
            let mut to = if operation.hosted { u64::MAX } else { 0 };
            for event in operation.all_effects().flat_map(|effects| &effects.publish) {
                for subscriber in &model.topics[event.topic.index()].subscribers {
                    to |= *leads.at(subscriber.target);
                }
            }
            join(leads, Target::Op(id), to);
        }
        for (id, flow) in model.flow_ids().zip(&model.flows) {
            for step in &flow.steps {
                let StepKind::Call(call) = &step.does else { continue };
                for call in std::iter::once(&call.action).chain(&call.undo) {
                    let to = *leads.at(call.target);
                    join(leads, Target::Flow(id), to);
                }
            }
        }
        grown
    }

    /// The tables of the flows whose step something is when it is done for an intent with this target, and of those around
    /// them.
    pub(super) fn tables(&self, op: u16, target: u16) -> u64 {
        self.within(op, self.leads_to.get(target))
    }

    /// The same of flows that letters take from step to step: what is done twice at a step of one goes on twice.
    pub(super) fn carried(&self, op: u16, target: u16) -> u64 {
        self.within(op, self.leads_to.get(target) & self.carried)
    }

    /// The tables of all flows that letters take from step to step for such an intent.
    pub(super) fn letters(&self, target: u16) -> u64 {
        self.tables_of(self.leads_to.get(target) & self.carried)
    }

    fn within(&self, op: u16, flows: u64) -> u64 {
        let mut around = self.step_of.get(op) & flows;
        if around == 0 {
            return 0;
        }
        loop {
            let outer =
                bits(around).fold(around, |set, flow| set | self.step_of.get(flow as u16 | FLOW)) & flows;
            if outer == around {
                return self.tables_of(around);
            }
            around = outer;
        }
    }

    fn tables_of(&self, flows: u64) -> u64 {
        bits(flows).fold(0, |set, flow| set | self.tables[flow])
    }
}

/// The numbers of the bits of a set.
fn bits(mut set: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let first = (set != 0).then(|| set.trailing_zeros() as usize)?;
        set &= set - 1;
        Some(first)
    })
}
