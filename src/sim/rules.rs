//! The fault rules of a plan, filed by what they hit, so that a point without rules costs one look.

use crate::kernel::choose::{Ask, Chooser};
use crate::kernel::path::Path;
use crate::kernel::sample::{MILLION, chance};
use crate::model::how::Coordination;
use crate::model::plan::{FlowPlan, NodeKind, Plan};
use crate::model::weather::{Fault, FaultVerb, Link, Messages, Moment, Place, Point, PointKind, Subject};

/// Rules by what they hit. Numbers are those of the model's faults.
#[derive(Clone, Debug, Default)]
pub(super) struct Rules {
    /// Rules that lose, delay or duplicate messages, by the point kinds they can hit.
    pub(super) messages: [Vec<u16>; PointKind::COUNT],
    /// Rules that refuse or fail operations.
    pub(super) operations: Vec<u16>,
    /// Rules that strike before (0) or after (1) points.
    pub(super) points: [[Vec<u16>; PointKind::COUNT]; 2],
    /// Rules that strike by the clock.
    pub(super) clock: Vec<u16>,
    /// For each rule the number of its counter within an intent, if it counts.
    pub(super) counter: Vec<Option<u16>>,
    /// How many rules count.
    pub(super) counting: u16,
    /// For each rule its rate in this run.
    pub(super) ppm: Vec<u32>,
    /// Some flow is choreographed.
    pub(super) choreographed: bool,
    /// Latency entries that do not match every link, and whether there are any.
    pub(super) latencies: bool,
    /// There is a script, which may strike at any point.
    pub(super) scripted: bool,
}

impl Rules {
    pub(super) fn of(plan: &Plan) -> Rules {
        let choreographed = |flow: &FlowPlan| matches!(flow.coordination, Coordination::Choreography { .. });
        let mut rules = Rules {
            latencies: plan.model.weather.latency.len() > 1,
            choreographed: plan.flows.iter().any(choreographed),
            ..Rules::default()
        };
        if plan.clean {
            return rules;
        }
        let script = plan.model.weather.script.as_ref();
        rules.scripted = script.is_some();
        for (number, fault) in plan.model.weather.faults.iter().enumerate() {
            let number = number as u16;
            let counts = !fault.nth.is_empty();
            rules.counter.push(counts.then_some(rules.counting));
            rules.counting += u16::from(counts);
            // Lines of a script are found by name, but for those by the clock.
            if script.is_some_and(|script| if number < script.first { script.calm } else { !by_clock(fault) })
            {
                continue;
            }
            match &fault.verb {
                FaultVerb::Lose(what) | FaultVerb::Delay(what, _) | FaultVerb::Duplicate(what, _) => {
                    match what {
                        Messages::At(point) => rules.messages[point.kind as usize].push(number),
                        Messages::On(_) => rules.messages.iter_mut().for_each(|kind| kind.push(number)),
                    }
                }
                FaultVerb::Refuse(..) | FaultVerb::Fail(_) => rules.operations.push(number),
                FaultVerb::Crash(_, moment, _)
                | FaultVerb::Pause(_, moment, _)
                | FaultVerb::Cut(_, moment, _) => match moment {
                    Moment::Before(point) => rules.points[0][point.kind as usize].push(number),
                    Moment::After(point) => rules.points[1][point.kind as usize].push(number),
                    Moment::At(_) | Moment::Every(_) => rules.clock.push(number),
                },
            }
        }
        rules
    }

    /// Whether nothing can strike before (0) or after (1) points of a kind.
    pub(super) fn quiet(&self, after: usize, kind: PointKind) -> bool {
        self.points[after][kind as usize].is_empty() && !self.scripted
    }

    /// Draws the rates of a run.
    pub(super) fn draw(&mut self, plan: &Plan, chooser: &mut impl Chooser) {
        self.ppm.clear();
        if plan.clean {
            return;
        }
        let first = plan.model.weather.script.as_ref().map_or(usize::MAX, |script| script.first.into());
        for (number, fault) in plan.model.weather.faults.iter().enumerate() {
            let name = Path(fault.identity);
            let swarm = plan.model.weather.swarm && number < first;
            let off = swarm && chance(chooser.word(name, Ask::Swarm), MILLION / 2);
            self.ppm.push(if off { 0 } else { fault.chance.at(chooser.word(name, Ask::Rate)) });
        }
    }
}

fn by_clock(fault: &Fault) -> bool {
    match &fault.verb {
        FaultVerb::Crash(_, moment, _) | FaultVerb::Pause(_, moment, _) | FaultVerb::Cut(_, moment, _) => {
            matches!(moment, Moment::At(_) | Moment::Every(_))
        }
        _ => false,
    }
}

/// Whether a subject is meant by another that may say "any".
pub(super) fn covers(rule: Subject, subject: Subject) -> bool {
    rule == Subject::Any || rule == subject
}

/// Whether a point is meant by a rule's.
pub(super) fn covers_point(rule: Point, kind: PointKind, subject: Subject) -> bool {
    rule.kind == kind && covers(rule.of, subject)
}

/// Whether a node is meant by a place.
pub(super) fn is_at(plan: &Plan, place: Place, node: u32) -> bool {
    match (place, plan.nodes.kind(node)) {
        (Place::Any, _) => true,
        (Place::Service(service), NodeKind::Replica(of, _)) => service == of,
        (Place::Replica(service, n), NodeKind::Replica(of, m)) => service == of && n == m,
        (Place::Database(service), NodeKind::Database(of)) => service == of,
        (Place::Group(group), NodeKind::Client(of, _)) => group == of,
        _ => false,
    }
}

/// Whether a message from one node to another goes over a link.
pub(super) fn is_on(plan: &Plan, link: &Link, from: u32, to: u32) -> bool {
    let any = |places: &[Place], node| places.iter().any(|&place| is_at(plan, place, node));
    any(&link.from, from) && any(&link.to, to) || link.both && any(&link.from, to) && any(&link.to, from)
}
