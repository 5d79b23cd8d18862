//! The fault rules of a plan, filed by what they hit, so that a point without rules costs one look.

use crate::kernel::choose::{Ask, Chooser};
use crate::kernel::dist::Dist;
use crate::kernel::path::Path;
use crate::kernel::sample::{MILLION, chance};
use crate::model::how::Coordination;
use crate::model::plan::{FlowPlan, NodeKind, Plan};
use crate::model::weather::{Fault, FaultVerb, Link, Messages, Moment, Place, Point, PointKind, Subject};

/// A rule that hits messages.
#[derive(Clone, Debug)]
pub(super) struct MessageRule {
    pub(super) number: u16,
    /// Which messages of its point kind.
    pub(super) reach: Reach,
    /// It hits whatever it reaches: no count within the intent, no condition, no season.
    pub(super) plain: bool,
}

/// Which messages a rule reaches.
#[derive(Clone, Debug)]
pub(super) enum Reach {
    /// All.
    Everything,
    /// Those of a subject.
    Of(Subject),
    /// Those over a link.
    Over(Sides),
}

/// The two sides of a link as sets of nodes.
#[derive(Clone, Debug)]
pub(super) struct Sides {
    from: Vec<bool>,
    to: Vec<bool>,
    both: bool,
}

impl Sides {
    fn of(plan: &Plan, link: &Link) -> Sides {
        let nodes = |places: &[Place]| {
            (0..plan.nodes.count).map(|node| places.iter().any(|&place| is_at(plan, place, node))).collect()
        };
        Sides { from: nodes(&link.from), to: nodes(&link.to), both: link.both }
    }

    fn have(&self, from: u32, to: u32) -> bool {
        let (from, to) = (from as usize, to as usize);
        self.from[from] && self.to[to] || self.both && self.from[to] && self.to[from]
    }

    fn are_all(&self) -> bool {
        self.from.iter().chain(&self.to).all(|&is| is)
    }
}

impl MessageRule {
    /// Whether the rule speaks of a message of its point kind.
    #[inline]
    pub(super) fn reaches(&self, subject: Subject, from: u32, to: u32) -> bool {
        match &self.reach {
            Reach::Everything => true,
            Reach::Of(of) => *of == subject,
            Reach::Over(sides) => sides.have(from, to),
        }
    }
}

/// Rules by what they hit. Numbers are those of the model's faults.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    /// Rules that hit messages as a whole, by the point kinds they can hit.
    pub(super) messages: [Vec<MessageRule>; PointKind::COUNT],
    /// Rules that lose copies of messages, each copy by its own luck.
    pub(super) copies: [Vec<MessageRule>; PointKind::COUNT],
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
    /// Something can crash.
    pub(super) crashes: bool,
    /// Some flow is choreographed.
    pub(super) choreographed: bool,
    /// There is a script, which may strike at any point.
    pub(super) scripted: bool,
    /// Latencies of links, the first that matches holds; empty if one holds for all.
    pub(super) latencies: Vec<(Sides, Dist)>,
    /// The latency of all links that have none of their own.
    pub(super) latency: Dist,
    /// The links that rules can cut, by rule.
    pub(super) links: Vec<Option<Sides>>,
}

impl Rules {
    pub(super) fn of(plan: &Plan) -> Rules {
        let choreographed = |flow: &FlowPlan| matches!(flow.coordination, Coordination::Choreography { .. });
        let crashes = |fault: &Fault| matches!(fault.verb, FaultVerb::Crash(..));
        let mut rules = Rules {
            crashes: !plan.clean && plan.model.weather.faults.iter().any(crashes),
            choreographed: plan.flows.iter().any(choreographed),
            messages: Default::default(),
            copies: Default::default(),
            operations: Vec::new(),
            points: Default::default(),
            clock: Vec::new(),
            counter: Vec::new(),
            counting: 0,
            ppm: Vec::new(),
            latencies: Vec::new(),
            latency: Dist::ZERO,
            links: Vec::new(),
            scripted: false,
        };
        let latency = &plan.model.weather.latency;
        rules.latency = latency.first().map_or(Dist::ZERO, |(_, dist)| *dist);
        let own = latency.iter().skip(1).rev();
        rules.latencies = own.map(|(link, dist)| (Sides::of(plan, link), *dist)).collect();
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
            rules.links.push(match &fault.verb {
                FaultVerb::Cut(link, _, _) => Some(Sides::of(plan, link)),
                _ => None,
            });
            // Lines of a script are found by name, but for those by the clock.
            if script.is_some_and(|script| if number < script.first { script.calm } else { !by_clock(fault) })
            {
                continue;
            }
            match &fault.verb {
                FaultVerb::Lose(what) | FaultVerb::Delay(what, _) | FaultVerb::Duplicate(what, _) => {
                    let plain = !counts && fault.when.is_none() && fault.during.is_none();
                    let rule = |reach| MessageRule { number, reach, plain };
                    let filed = if fault.loses_copies() { &mut rules.copies } else { &mut rules.messages };
                    match what {
                        Messages::At(Point { kind, of: Subject::Any }) => {
                            filed[*kind as usize].push(rule(Reach::Everything));
                        }
                        Messages::At(point) => filed[point.kind as usize].push(rule(Reach::Of(point.of))),
                        Messages::On(link) => {
                            let sides = Sides::of(plan, link);
                            let reach = if sides.are_all() { Reach::Everything } else { Reach::Over(sides) };
                            filed.iter_mut().for_each(|kind| kind.push(rule(reach.clone())));
                        }
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

impl Rules {
    /// Whether a rule that cuts links cuts this one.
    pub(super) fn cuts(&self, rule: u16, from: u32, to: u32) -> bool {
        self.links[rule as usize].as_ref().is_some_and(|sides| sides.have(from, to))
    }

    /// How long a message over a link is under way.
    #[inline]
    pub(super) fn latency(&self, from: u32, to: u32) -> &Dist {
        let own = self.latencies.iter().find(|(sides, _)| sides.have(from, to));
        own.map_or(&self.latency, |(_, dist)| dist)
    }
}
