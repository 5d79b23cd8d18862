//! What became of the steps of a flow instance, by what was committed and not by what anybody believes; and the
//! invariant that asks for all of them or none.

use super::facts::{Facts, FlowFacts};
use super::finding::{Steps, Witness};
use super::open::{Deed, Instance, NESTING, Open};
use super::sheet::Sheet;
use crate::kernel::time::Time;
use crate::model::ids::FlowId;
use crate::model::record::{FlowMove, NONE, StepRole, commit};

/// What became of the steps of an instance. Several observers ask this one after the other, mostly of the only flow there
/// is, so the last answer is kept.
pub(super) fn steps(facts: &Facts, open: &Open, instance: &Instance) -> Steps {
    match open.steps.get() {
        Some((id, steps)) if id == instance.id => steps,
        _ => {
            let steps = steps_from(facts, open, instance, taken_back(facts, open, instance), 0);
            open.steps.set(Some((instance.id, steps)));
            steps
        }
    }
}

/// Behind which place among the deeds of its intent an instance is to be judged: what it did as a step of another flow, and
/// that one undid, it need not undo itself. One that has done it all has not failed by that.
fn taken_back(facts: &Facts, open: &Open, instance: &Instance) -> u32 {
    if instance.end == Some(FlowMove::Completed) {
        return 0;
    }
    let outer = |&(of, ..): &(u32, u8, StepRole)| open.flows.iter().find(|flow| flow.id == of)?.caller;
    let callers = std::iter::successors(instance.caller, outer).take(NESTING);
    let callers = callers.take_while(|(_, _, role)| *role == StepRole::Action);
    let ends = callers.filter_map(|(id, step, _)| Some(undone(facts, open, (id, step), 0, 0)?.end));
    ends.max().unwrap_or(0)
}

/// What became of the steps of an instance, by what was done from a place among the deeds of its intent on.
fn steps_from(facts: &Facts, open: &Open, instance: &Instance, from: u32, depth: usize) -> Steps {
    let flow = &facts.flows[usize::from(instance.flow)];
    let mut steps = Steps::default();
    // Where a fence finds nothing to undo, a flow that undoes something has nothing to do.
    let idle = |deed: &Deed| deed.ran() || deed.flag & commit::FENCED != 0 && open.compensates(instance);
    for deed in open.deeds_from(from) {
        let Some((step, role)) = deed.step_of(instance.id) else { continue };
        let bit = 1_u64.checked_shl(step.into()).unwrap_or(0) & !flow.nested;
        let changed = deed.changed(u64::MAX);
        match role {
            StepRole::Action if changed => {
                steps.done |= bit;
                steps.undone &= !bit;
                steps.idle &= !bit;
            }
            StepRole::Action if (steps.done | steps.undone) & bit == 0 && idle(deed) => steps.idle |= bit,
            StepRole::Undo if changed && (steps.done | steps.undone | steps.idle) & bit != 0 => {
                steps.undone |= bit;
                steps.done &= !bit;
                steps.idle &= !bit;
            }
            _ => {}
        }
    }
    if depth < NESTING {
        for step in Steps::numbers(flow.nested) {
            nested(facts, open, (instance.id, step), from, depth, &mut steps);
        }
    }
    let ran = steps.done | steps.undone | steps.idle;
    let undecided = flow.conditional & !ran & !instance.asked & !flow.passed(ran, instance);
    steps.left_out = (instance.skipped | undecided) & !ran;
    steps.missing |= flow.required & !ran & !steps.left_out;
    steps
}

/// A compensation that changed something.
struct Undone {
    /// The place behind its last change.
    end: u32,
    /// How many steps it took; more than it could still need if it is whole.
    count: u32,
}

/// A step that a flow does or undoes: done if all of that flow is, and both done and missing if it is half done. Which flow
/// did it, and which undid it, was said when these started. What was done before its compensation ended is undone by it.
fn nested(facts: &Facts, open: &Open, (id, step): (u32, u8), from: u32, depth: usize, steps: &mut Steps) {
    let bit = 1_u64 << step;
    let undone = undone(facts, open, (id, step), from, depth);
    let since = undone.as_ref().map_or(from, |undone| undone.end);
    let did = |from: u32, until: u32| match open.called((id, step, StepRole::Action)) {
        // What comes later is left out by looking at it alone: the number of steps is all that is asked for.
        Some(inner) => within_from(facts, open, inner, from, depth),
        None => {
            let own =
                |deed: &&Deed| deed.step_of(id) == Some((step, StepRole::Action)) && deed.place() < until;
            let changed = open.deeds_from(from).filter(own).any(|deed| deed.changed(u64::MAX));
            let ran = open.deeds_from(from).filter(own).any(Deed::ran);
            let done = u64::from(changed);
            (Steps { done, idle: u64::from(ran && !changed), ..Steps::default() }, !ran)
        }
    };
    let (now, lacks) = did(since, u32::MAX);
    match (now.done != 0, lacks, undone) {
        (true, true, _) => {
            steps.done |= bit;
            steps.missing |= bit;
        }
        (true, false, _) => steps.done |= bit,
        (false, _, Some(undone)) => {
            let before = did(from, undone.end).0;
            let some = before.done | before.undone;
            // If some of its steps did nothing, one for each step that was done is enough.
            if undone.count < before.done.count_ones() {
                steps.done |= bit;
                steps.missing |= bit;
            } else if some != 0 || before.idle != 0 {
                steps.undone |= bit;
            }
        }
        (false, true, None) if now.undone != 0 => steps.undone |= bit,
        (false, true, None) => {}
        (false, false, None) => steps.idle |= bit,
    }
}

/// What became of the steps of a flow that is a step, and whether it lacks some.
pub(super) fn within(facts: &Facts, open: &Open, inner: &Instance) -> (Steps, bool) {
    within_from(facts, open, inner, 0, 0)
}

fn within_from(facts: &Facts, open: &Open, inner: &Instance, from: u32, depth: usize) -> (Steps, bool) {
    let within = steps_from(facts, open, inner, from, depth + 1);
    let lacks = facts.flows[usize::from(inner.flow)].lacking(&within) != 0;
    (within, lacks)
}

/// What undid a step that a flow does or undoes, if something did.
fn undone(facts: &Facts, open: &Open, (id, step): (u32, u8), from: u32, depth: usize) -> Option<Undone> {
    let part =
        |deed: &&Deed| deed.changed(u64::MAX) && open.part_of(deed, id) == Some((step, StepRole::Undo));
    let last = open.deeds_from(from).rfind(part)?;
    let end = last.place() + 1;
    let Some(inner) = open.called((id, step, StepRole::Undo)) else {
        return Some(Undone { end, count: u32::MAX });
    };
    let (within, lacks) = within_from(facts, open, inner, from, depth);
    // A step that could have changed something and did not has left what there was.
    let whole = !lacks && within.idle & facts.flows[usize::from(inner.flow)].writing == 0;
    let count = if whole { u32::MAX } else { within.done.count_ones() };
    (within.done != 0).then_some(Undone { end, count })
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
