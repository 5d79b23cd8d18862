//! What a client was told against what is: acked-is-durable, failed-has-no-effect, outcome-agrees.

use super::facts::{ALL_TABLES, Facts};
use super::finding::{Act, Steps, Witness};
use super::flows::steps;
use super::open::{Deed, Open};
use super::sheet::Sheet;
use crate::kernel::time::Time;
use crate::model::ids::FlowId;
use crate::model::record::{FLOW, FlowMove, NONE, Outcome, StepRole};

/// How many standing effects a witness names.
const NAMED: usize = 4;

/// Judges intents by what their clients were told.
#[derive(Clone, Debug)]
pub(super) struct Told {
    /// Told ok: everything must be there.
    pub(super) ok: bool,
    /// Told failed: nothing may be there.
    pub(super) failed: bool,
    /// What coordinators believe must be so.
    pub(super) belief: bool,
    /// Of what was told ok, only what concerns these tables.
    pub(super) watch: u64,
}

impl Told {
    pub(super) fn settled(&self, open: &Open, quiescent: bool, at: Time, facts: &Facts, sheet: &mut Sheet) {
        let found = match open.party.told {
            Some(Outcome::Ok) if self.ok => self.ok(open, quiescent, at, facts, sheet),
            Some(Outcome::Failed) if self.failed => failed(open, quiescent, at, facts, sheet),
            _ => false,
        };
        if self.belief {
            let spared = if found { open.target_flow() } else { None };
            belief(open, quiescent, at, facts, sheet, spared);
        }
    }

    fn ok(&self, open: &Open, quiescent: bool, at: Time, facts: &Facts, sheet: &mut Sheet) -> bool {
        let target = open.target_flow();
        let (due, steps, instance) = match target {
            None => {
                let watched = self.watch == ALL_TABLES || facts.tables(open.party.target) & self.watch != 0;
                (u64::from(watched), single(open), NONE)
            }
            Some(flow) => {
                let of = &facts.flows[usize::from(flow)];
                let watched = |&step: &u8| {
                    self.watch == ALL_TABLES || of.step_tables[usize::from(step)] & self.watch != 0
                };
                let due = Steps::numbers(of.required).filter(watched).fold(0, |set, step| set | 1 << step);
                match open.instance_of(flow) {
                    Some(instance) => (due, steps(facts, open, instance), instance.id),
                    None => {
                        let (missing, left_out) = (of.required & !of.conditional, of.conditional);
                        (due, Steps { missing, left_out, ..Steps::default() }, NONE)
                    }
                }
            }
        };
        if due == 0 {
            return false;
        }
        if !quiescent {
            sheet.run.stuck = true;
            return false;
        }
        sheet.run.obligations += 1;
        let broken = (steps.missing | steps.undone) & due != 0;
        if broken {
            let (who, flow) = (open.party, target.map(FlowId));
            sheet.violated(at, [who.serial, NONE], || Witness::NotDurable { who, flow, instance, steps });
        }
        broken
    }
}

/// What became of an intent that called one operation, as step 0.
fn single(open: &Open) -> Steps {
    let done = open.deeds().any(|deed| is_root(open, deed) && deed.ran());
    if done { Steps { done: 1, ..Steps::default() } } else { Steps { missing: 1, ..Steps::default() } }
}

fn is_root(open: &Open, deed: &Deed) -> bool {
    deed.step.is_none() && deed.effect == open.effect
}

/// What stands: effects of the operation called, or of steps not undone. Effects that events had elsewhere are no part
/// of it, since telling of a failure is one of them.
fn stands(open: &Open, facts: &Facts) -> Vec<Act> {
    let mut left: Vec<Act> = Vec::new();
    let root = open.deeds().filter(|deed| is_root(open, deed) && deed.changed(ALL_TABLES));
    left.extend(root.map(|deed| open.act(deed)).take(1));
    // What a flow did as a step of another one stands if that step does; what one undid is no effect.
    for instance in open.flows.iter().filter(|instance| instance.caller.is_none()) {
        let done = steps(facts, open, instance).done;
        let own = |deed: &&Deed, step: u8| {
            open.part_of(deed, instance.id) == Some((step, StepRole::Action)) && deed.changed(ALL_TABLES)
        };
        let last = |step: u8| open.deeds().rfind(|deed| own(deed, step));
        left.extend(Steps::numbers(done).filter_map(last).map(|deed| open.act(deed)));
    }
    left.sort_by_key(|act| act.at);
    left
}

fn failed(open: &Open, quiescent: bool, at: Time, facts: &Facts, sheet: &mut Sheet) -> bool {
    if !quiescent {
        sheet.run.stuck = true;
        return false;
    }
    sheet.run.obligations += 1;
    let mut stands = stands(open, facts);
    let broken = !stands.is_empty();
    if broken {
        stands.truncate(NAMED);
        sheet.violated(at, [open.party.serial, NONE], || Witness::NotUndone { who: open.party, stands });
    }
    broken
}

fn belief(open: &Open, quiescent: bool, at: Time, facts: &Facts, sheet: &mut Sheet, spared: Option<u16>) {
    for instance in open.flows {
        let Some(believed @ (FlowMove::Completed | FlowMove::Compensated)) = instance.end else { continue };
        if !quiescent {
            sheet.run.stuck = true;
            continue;
        }
        sheet.run.obligations += 1;
        let flow = &facts.flows[usize::from(instance.flow)];
        let steps = steps(facts, open, instance);
        let wrong = match believed {
            FlowMove::Completed => flow.lacking(&steps) != 0,
            _ => steps.done & flow.writing != 0,
        };
        if wrong && spared != Some(instance.flow & !FLOW) {
            let who = open.party;
            let (flow, instance) = (FlowId(instance.flow), instance.id);
            sheet.violated(at, [who.serial, NONE], || Witness::WrongBelief {
                who,
                flow,
                instance,
                believed,
                steps,
            });
        }
    }
}
