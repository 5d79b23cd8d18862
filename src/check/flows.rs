//! What became of the steps of a flow instance, by what was committed and not by what anybody believes; and the
//! invariant that asks for all of them or none.

use super::facts::{Facts, FlowFacts};
use super::finding::{Steps, Witness};
use super::open::{Instance, Open};
use super::sheet::Sheet;
use crate::kernel::time::Time;
use crate::model::ids::FlowId;
use crate::model::record::{FlowMove, NONE, StepRole};

/// Flows call flows; the reader refuses circles, and this refuses to run in one.
const NESTING: u32 = 8;

/// What became of the steps of an instance. Several observers ask this one after the other, mostly of the only flow there
/// is, so the last answer is kept.
pub(super) fn steps(facts: &Facts, open: &Open, instance: &Instance) -> Steps {
    match open.steps.get() {
        Some((id, steps)) if id == instance.id => steps,
        _ => {
            let steps = steps_at(facts, open, instance, 0);
            open.steps.set(Some((instance.id, steps)));
            steps
        }
    }
}

fn steps_at(facts: &Facts, open: &Open, instance: &Instance, depth: u32) -> Steps {
    let flow = &facts.flows[usize::from(instance.flow)];
    let mut steps = Steps::default();
    for deed in open.deeds() {
        let Some((step, role)) = deed.step_of(instance.id) else { continue };
        let bit = 1_u64.checked_shl(step.into()).unwrap_or(0);
        let changed = deed.changed(u64::MAX);
        // What a nested flow did is looked at below, so its compensation is taken at its word.
        let nested = flow.nested.get(usize::from(step)).is_some_and(|called| called.is_some());
        let ran = nested || (steps.done | steps.undone | steps.idle) & bit != 0;
        match role {
            StepRole::Action if changed => {
                steps.done |= bit;
                steps.undone &= !bit;
                steps.idle &= !bit;
            }
            StepRole::Action if deed.ran() && (steps.done | steps.undone) & bit == 0 => steps.idle |= bit,
            StepRole::Undo if changed && ran => {
                steps.undone |= bit;
                steps.done &= !bit;
                steps.idle &= !bit;
            }
            _ => {}
        }
    }
    if depth < NESTING {
        nested(facts, open, flow, &mut steps, depth);
    }
    let ran = steps.done | steps.undone | steps.idle;
    let undecided = flow.conditional & !ran & !instance.asked & !flow.passed(ran, instance);
    steps.left_out = (instance.skipped | undecided) & !ran;
    steps.missing |= flow.required & !ran & !steps.left_out;
    steps
}

/// Steps that call flows: done if all of that flow is, and both done and missing if it is half done. The n-th such
/// step is held against the n-th instance.
fn nested(facts: &Facts, open: &Open, flow: &FlowFacts, steps: &mut Steps, depth: u32) {
    for (n, called) in flow.nested.iter().enumerate() {
        let (Some(called), bit) = (*called, 1_u64 << n) else { continue };
        let nth = flow.nested[..n].iter().filter(|&&earlier| earlier == Some(called)).count();
        let inner = open.flows.iter().filter(|instance| instance.flow == called).nth(nth);
        let Some(inner) = inner else { continue };
        if steps.undone & bit != 0 {
            continue;
        }
        let within = steps_at(facts, open, inner, depth + 1);
        let lacks = (within.missing | within.undone) & facts.flows[usize::from(called)].required;
        match (within.done != 0, lacks != 0) {
            (true, true) => {
                steps.done |= bit;
                steps.missing |= bit;
            }
            (true, false) => steps.done |= bit,
            (false, true) if within.undone != 0 => steps.undone |= bit,
            (false, true) => {}
            (false, false) => steps.idle |= bit,
        }
    }
}

impl FlowFacts {
    /// Steps that the flow has come by, so that their conditions were decided: all if it completed, else those in front
    /// of some step that was executed.
    fn passed(&self, ran: u64, instance: &Instance) -> u64 {
        if instance.end == Some(FlowMove::Completed) {
            return u64::MAX;
        }
        let group = |step: u8| self.groups.get(usize::from(step)).copied().unwrap_or(0);
        let last = Steps::numbers(ran).map(group).max().unwrap_or(0);
        let before = (0_u8..64).take(self.count).filter(|&step| group(step) < last);
        before.fold(0, |set, step| set | 1 << step)
    }

    /// Steps that must be done and are not, or no longer.
    pub(super) fn lacking(&self, steps: &Steps) -> u64 {
        (steps.missing | steps.undone) & self.required
    }

    /// Whether some steps that change something are done and others are not.
    pub(super) fn half_done(&self, steps: &Steps) -> bool {
        let due = self.required & self.writing & !steps.left_out;
        steps.done & due != 0 && (steps.missing | steps.undone) & due != 0
    }
}

/// All steps of a flow or none.
#[derive(Clone, Debug)]
pub(super) struct AllOrNothing {
    pub(super) flow: FlowId,
}

impl AllOrNothing {
    pub(super) fn settled(&self, open: &Open, quiescent: bool, at: Time, facts: &Facts, sheet: &mut Sheet) {
        let instances = open.flows.iter().filter(|instance| instance.flow == self.flow.0);
        for instance in instances {
            if !quiescent {
                sheet.run.stuck = true;
                continue;
            }
            sheet.run.obligations += 1;
            let steps = steps(facts, open, instance);
            if facts.flows[self.flow.index()].half_done(&steps) {
                sheet.violated(at, [open.party.serial, NONE], || Witness::HalfDone {
                    who: open.party,
                    flow: self.flow,
                    instance: instance.id,
                    steps,
                });
            }
        }
    }
}
