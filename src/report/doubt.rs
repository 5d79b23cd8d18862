//! Flows that end without knowing whether they did what they were asked for, and say so. Their last move alone does not tell:
//! a flow that gives up may know that a step was refused.

use std::collections::BTreeMap;

use crate::kernel::path::Path;
use crate::model::flow::StepKind;
use crate::model::how::Coordination;
use crate::model::plan::Plan;
use crate::model::record::{FlowMove, Record};

/// What is known of the trouble that runs of flows are in.
#[derive(Debug)]
pub(super) struct Doubts<'a> {
    plan: Option<&'a Plan>,
    /// By the path of a run: whether nobody knows of a step, and no other was refused.
    troubled: BTreeMap<Path, bool>,
}

impl<'a> Doubts<'a> {
    pub(super) fn of(plan: Option<&'a Plan>) -> Doubts<'a> {
        Doubts { plan, troubled: BTreeMap::new() }
    }

    /// Takes a move of a flow. Returns whether the flow ends with it and cannot tell whether it is done.
    pub(super) fn end_in(&mut self, record: &Record) -> bool {
        let Some(plan) = self.plan else { return false };
        let flow = usize::from(record.op);
        match FlowMove::ALL.get(usize::from(record.flag)) {
            Some(FlowMove::StepUnknown) => {
                self.troubled.entry(record.path).or_insert(true);
                false
            }
            Some(FlowMove::StepRefused) => {
                let step = plan.model.flows.get(flow).and_then(|flow| flow.steps.get(record.row as usize));
                let spared =
                    step.is_some_and(|step| matches!(&step.does, StepKind::Call(call) if call.optional));
                if !spared {
                    self.troubled.insert(record.path, false);
                }
                false
            }
            // What is set aside for a person is not undone and not done.
            Some(FlowMove::Escalated) => true,
            Some(FlowMove::GaveUp) => match plan.flows.get(flow).map(|how| &how.coordination) {
                Some(Coordination::Saga(_)) => false,
                Some(Coordination::Choreography { .. }) => true,
                _ => self.troubled.get(&record.path) == Some(&true),
            },
            _ => false,
        }
    }
}
