//! The rules of compensation, S1 to S14: what a saga owes to its steps, judged on effects and held against what its
//! coordinator believes. S10 and S11 across flows are `no-orphan` and `no-leak`; S7, S8 and S15 are not judged.

use super::facts::{Facts, FlowFacts};
use super::finding::{SagaRule, Steps, Witness};
use super::flows::{steps, within};
use super::open::{Deed, Instance, Open};
use super::sheet::Sheet;
use crate::kernel::time::Time;
use crate::model::ids::FlowId;
use crate::model::record::{FLOW, FlowMove, NONE, Outcome, StepRole, commit};

/// Judges the instances of one flow.
#[derive(Clone, Debug)]
pub(super) struct CompensationRules {
    pub(super) flow: FlowId,
}

/// One instance under judgement.
struct Case<'a> {
    open: &'a Open<'a>,
    instance: &'a Instance,
    flow: FlowId,
    all: &'a Facts,
    facts: &'a FlowFacts,
    steps: Steps,
    sheet: &'a mut Sheet,
}

impl CompensationRules {
    /// The rules about the order of acts hold at any time; those about the outcome only when nothing can follow.
    pub(super) fn settled(&self, open: &Open, quiescent: bool, at: Time, facts: &Facts, sheet: &mut Sheet) {
        for instance in open.flows.iter().filter(|instance| instance.flow == self.flow.0) {
            sheet.run.obligations += 1;
            let mut case = Case {
                open,
                instance,
                flow: self.flow,
                all: facts,
                facts: &facts.flows[self.flow.index()],
                steps: steps(facts, open, instance),
                sheet,
            };
            let undo_accepted = case.order();
            if quiescent {
                case.outcome(undo_accepted, at);
            } else {
                let (steps, who) = (case.steps, open.party);
                let (rule, flow, acts) = (SagaRule::NeverEnded, self.flow, Vec::new());
                let instance = instance.id;
                sheet.stuck(at, || Witness::Rule { rule, who, flow, instance, step: None, steps, acts });
            }
        }
    }
}

impl Case<'_> {
    fn broken(&mut self, rule: SagaRule, at: Time, step: Option<u8>, acts: &[&Deed]) {
        let (open, flow, instance, steps) = (self.open, self.flow, self.instance.id, self.steps);
        self.sheet.violated(at, [open.party.serial, NONE], || Witness::Rule {
            rule,
            who: open.party,
            flow,
            instance,
            step,
            steps,
            acts: acts.iter().map(|deed| open.act(deed)).collect(),
        });
    }

    /// S1 to S6, in the order of the acts. Returns the steps whose compensation was accepted.
    ///
    /// Of a step that a flow does or undoes, the acts of that flow are the acts: it is done twice if one of them is.
    fn order(&mut self) -> u64 {
        let open = self.open;
        // For each step its last action and its last compensation that changed something, and the first compensation
        // that was accepted at all.
        let mut last: [[Option<&Deed>; 2]; 64] = [[None; 2]; 64];
        let mut first_undo: [Option<&Deed>; 64] = [None; 64];
        let (mut stands, mut accepted, mut pivot) = (0_u64, 0_u64, None);
        let far_pivot = self.facts.pivot & self.facts.nested;
        let pivot_whole = lowest(far_pivot).and_then(|step| self.whole(step, StepRole::Action));
        // A flow that had nothing to do is passed by doing nothing.
        let pivot_idle = far_pivot & self.steps.idle != 0;
        for deed in open.deeds() {
            let Some((step, role)) = open.part_of(deed, self.instance.id).filter(|(step, _)| *step < 64)
            else {
                continue;
            };
            let (bit, at) = (1_u64 << step, usize::from(step));
            let changed = deed.changed(u64::MAX);
            let far = self.facts.nested & bit != 0;
            match role {
                StepRole::Action if deed.ran() => {
                    if changed {
                        if let Some(undo) = first_undo[at].filter(|undo| !self.asked_again(step, undo, deed))
                        {
                            self.broken(SagaRule::DoneAfterUndo, deed.at, Some(step), &[undo, deed]);
                        } else if stands & bit != 0 {
                            let before = if far { done_before(open, deed) } else { last[at][0] };
                            if let Some(before) = before {
                                self.broken(SagaRule::DoneTwice, deed.at, Some(step), &[before, deed]);
                            }
                        }
                        if self.facts.after_pivot & bit != 0 && pivot.is_none() && !pivot_idle {
                            self.broken(SagaRule::PivotCrossed, deed.at, Some(step), &[deed]);
                        }
                        stands |= bit;
                        last[at][0] = Some(deed);
                    }
                    let whole = match far {
                        true => pivot_whole == Some(deed.place()),
                        false => true,
                    };
                    if self.facts.pivot & bit != 0 && whole {
                        pivot.get_or_insert(deed);
                    }
                }
                StepRole::Undo if deed.flag & commit::REFUSED == 0 => {
                    let whole = deed.instance == self.instance.id
                        || self.whole(step, StepRole::Undo) == Some(deed.place());
                    if whole {
                        first_undo[at].get_or_insert(deed);
                        accepted |= bit;
                    }
                    if !changed {
                        continue;
                    }
                    match last[at] {
                        [None, _] => self.broken(SagaRule::EmptyUndo, deed.at, Some(step), &[deed]),
                        // A flow undoes a step by several acts.
                        [Some(done), undone] if stands & bit == 0 => {
                            let shown = undone.unwrap_or(done);
                            if (shown.instance, shown.step) == (deed.instance, deed.step) {
                                self.broken(SagaRule::UndoneTooOften, deed.at, Some(step), &[shown, deed]);
                            }
                        }
                        _ => {}
                    }
                    if let (true, Some(pivot)) = (self.facts.before_pivot & bit != 0, pivot) {
                        self.broken(SagaRule::PivotCrossed, deed.at, Some(step), &[pivot, deed]);
                    }
                    stands &= !bit;
                    last[at][1].get_or_insert(deed);
                }
                _ => {}
            }
        }
        self.reverse(&last);
        accepted
    }

    /// The place of the act by which the flow that does or undoes a step has done the last thing that was new.
    fn whole(&self, step: u8, role: StepRole) -> Option<u32> {
        let open = self.open;
        let inner = open.called((self.instance.id, step, role))?;
        let (_, lacks) = within(self.all, open, inner);
        if lacks {
            return None;
        }
        let (mut seen, mut last) = (Vec::new(), None);
        for deed in open.deeds().filter(|deed| deed.flag & commit::REFUSED == 0) {
            let of = (deed.instance, deed.step);
            if open.part_of(deed, self.instance.id) == Some((step, role)) && !seen.contains(&of) {
                seen.push(of);
                last = Some(deed.place());
            }
        }
        last
    }

    /// Whether a step was asked for anew, by a later run of the flow, between its compensation and its next action.
    fn asked_again(&self, step: u8, undo: &Deed, deed: &Deed) -> bool {
        self.open.again.iter().any(|again| {
            (again.instance, again.step) == (self.instance.id, step)
                && undo.place() < again.started
                && again.asked <= deed.place()
        })
    }

    /// S6: of two steps that build on each other, the later one is undone first.
    fn reverse(&mut self, last: &[[Option<&Deed>; 2]; 64]) {
        let count = self.facts.count.min(64);
        for later in 0..count {
            for earlier in 0..later {
                let (Some(undone_first), Some(undone_last)) = (last[earlier][1], last[later][1]) else {
                    continue;
                };
                if self.facts.groups[earlier] < self.facts.groups[later]
                    && undone_first.at < undone_last.at
                    && (self.facts.builds_on[later] >> earlier & 1 == 1 || self.share(earlier, later))
                {
                    let acts = [undone_first, undone_last];
                    self.broken(SagaRule::WrongOrder, undone_first.at, Some(earlier as u8), &acts);
                }
            }
        }
    }

    /// Whether the actions of two steps wrote the same row.
    fn share(&self, a: usize, b: usize) -> bool {
        let of = |step: usize| {
            self.open.puts.iter().filter(move |put| {
                let deed = self.open.deed_of(put);
                self.open.part_of(deed, self.instance.id) == Some((step as u8, StepRole::Action))
            })
        };
        of(a).any(|put| of(b).any(|other| (other.table, other.row) == (put.table, put.row)))
    }

    /// S9, S10, S12 and S13. One fault shows in several of them: only the first of S13, S10, S12, S9 is noted.
    fn outcome(&mut self, undo_accepted: u64, at: Time) {
        let (open, facts, steps, instance) = (self.open, self.facts, self.steps, self.instance);
        let end = instance.end;
        let own = open.party.target == self.flow.0 | FLOW
            && open.instance_of(self.flow.0).is_some_and(|first| first.id == instance.id);
        let told = open.party.told.filter(|_| own);
        let lacking = facts.lacking(&steps);
        let due = facts.required & facts.writing & !steps.left_out;
        let known = end == Some(FlowMove::Escalated);
        let believed_failed = matches!(end, Some(FlowMove::Compensated | FlowMove::GaveUp));
        let failed = end != Some(FlowMove::Completed)
            && (believed_failed || undo_accepted != 0 || told == Some(Outcome::Failed));
        let far_pivot = facts.pivot & facts.nested;
        let passed = far_pivot & (steps.done | steps.idle) & !steps.missing != 0
            || open.deeds().any(|deed| {
                matches!(deed.step_of(instance.id), Some((step, StepRole::Action))
                    if deed.ran() && facts.pivot & !far_pivot & 1 << (step & 63) != 0)
            });
        let acts_of = |set: u64| -> Vec<&Deed> {
            let in_set = |deed: &&Deed| {
                open.part_of(deed, instance.id).is_some_and(|(step, _)| set >> (step & 63) & 1 == 1)
                    && deed.changed(u64::MAX)
            };
            open.deeds().filter(in_set).take(4).collect()
        };
        let late = open.deeds().rfind(|deed| {
            matches!(open.part_of(deed, instance.id), Some((step, StepRole::Action))
                if deed.changed(u64::MAX) && steps.done >> (step & 63) & 1 == 1)
                && deed.at > instance.ended
        });
        let unfinished = lacking & facts.after_pivot;
        let not_undone = steps.done & facts.compensatable;
        if passed && unfinished != 0 && !known {
            self.broken(SagaRule::NotFinished, at, lowest(unfinished), &[]);
        } else if let Some(late) = late.filter(|_| failed) {
            let step = open.part_of(late, instance.id).map(|(step, _)| step);
            self.broken(SagaRule::LateEffect, late.at, step, &[late]);
        } else if failed && !known && !passed && not_undone != 0 {
            let acts = acts_of(not_undone);
            self.broken(SagaRule::NotUndone, at, lowest(not_undone), &acts);
        } else if (facts.half_done(&steps) && !known)
            || (end == Some(FlowMove::Completed) && lacking != 0)
            || (end == Some(FlowMove::Compensated) && steps.done & due != 0)
            || (told == Some(Outcome::Ok) && lacking != 0)
            || (told == Some(Outcome::Failed) && steps.done & due != 0)
        {
            let acts = acts_of(steps.done);
            self.broken(SagaRule::HalfDone, at, lowest(lacking), &acts);
        }
    }
}

/// The same act of a flow that does a step, done before and not taken back since, be it by that flow itself.
fn done_before<'a>(open: &Open<'a>, deed: &Deed) -> Option<&'a Deed> {
    let at = deed.place();
    let same = |of: &&Deed| (of.instance, of.step) == (deed.instance, deed.step);
    let before = open.deeds_in(0..at).rfind(|of| same(of) && of.changed(u64::MAX))?;
    let undone = |of: &Deed| of.changed(u64::MAX) && open.opposite(of, before);
    (!open.deeds_in(before.place() + 1..at).any(undone)).then_some(before)
}

/// The first step of a set.
fn lowest(set: u64) -> Option<u8> {
    Steps::numbers(set).next()
}
