//! The fault rules of a plan, filed by what they hit, so that a point without rules costs one look.

use std::collections::BTreeMap;

use super::links::{Cuts, FEW, Links, Sides};
use crate::kernel::choose::{Ask, Chooser};
use crate::kernel::dist::Dist;
use crate::kernel::path::Path;
use crate::kernel::sample::{MILLION, chance};
use crate::model::how::Coordination;
use crate::model::plan::{FlowPlan, Plan};
use crate::model::weather::{Fault, FaultVerb, Link, Messages, Moment, Point, PointKind, Subject};

/// A rule that hits messages.
#[derive(Clone, Debug)]
pub(super) struct MessageRule {
    pub(super) number: u16,
    /// Which messages of its point kind.
    pub(super) reach: Reach,
    /// It hits whatever it reaches: no count within the intent, no condition, no season.
    pub(super) plain: bool,
    pub(super) identity: u64,
    /// Its rate in this run.
    pub(super) ppm: u32,
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

/// The rules that hit messages at one kind of point.
#[derive(Clone, Debug, Default)]
pub(super) struct Filed {
    pub(super) rules: Vec<MessageRule>,
    all: Vec<u16>,
    /// Those that reach everything, those that reach a subject, those that reach a link: places among the rules.
    wide: Vec<u16>,
    subjects: BTreeMap<Subject, Vec<u16>>,
    links: Links,
}

impl Filed {
    fn add(&mut self, rule: MessageRule, link: Option<&Link>) {
        let at = self.rules.len() as u16;
        match (&rule.reach, link) {
            (Reach::Over(_), Some(link)) => self.links.add(at, link),
            (Reach::Of(subject), _) => self.subjects.entry(*subject).or_default().push(at),
            _ => self.wide.push(at),
        }
        self.all.push(at);
        self.rules.push(rule);
    }

    /// The places of all rules, unless they are many.
    #[inline]
    pub(super) fn few(&self) -> Option<&[u16]> {
        (self.rules.len() <= FEW).then_some(&self.all)
    }

    /// The places of the rules that may reach a message, in order.
    #[cold]
    pub(super) fn narrow(&self, plan: &Plan, subject: Subject, from: u32, to: u32, into: &mut Vec<u16>) {
        into.clear();
        into.extend_from_slice(&self.wide);
        into.extend(self.subjects.get(&subject).into_iter().flatten());
        self.links.between(plan, from, to).for_each(|rules| into.extend_from_slice(rules));
        into.sort_unstable();
        into.dedup();
    }
}

/// Numbers of rules by the subject that they speak of.
#[derive(Clone, Debug, Default)]
pub(super) struct BySubject {
    any: Vec<u16>,
    /// With those of any subject, in order.
    of: BTreeMap<Subject, Vec<u16>>,
}

impl BySubject {
    fn add(&mut self, rule: u16, subject: Subject) {
        if subject == Subject::Any {
            self.any.push(rule);
            self.of.values_mut().for_each(|rules| rules.push(rule));
        } else {
            self.of.entry(subject).or_insert_with(|| self.any.clone()).push(rule);
        }
    }

    /// The rules that speak of a subject, in order.
    pub(super) fn of(&self, subject: Subject) -> &[u16] {
        self.of.get(&subject).unwrap_or(&self.any)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.any.is_empty() && self.of.is_empty()
    }
}

/// Rules by what they hit. Numbers are those of the model's faults.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    /// Rules that hit messages as a whole, by the point kinds they can hit.
    pub(super) messages: [Filed; PointKind::COUNT],
    /// Rules that lose copies of messages, each copy by its own luck.
    pub(super) copies: [Filed; PointKind::COUNT],
    /// Rules that refuse or fail operations.
    pub(super) operations: BySubject,
    /// Rules that strike before (0) or after (1) points.
    pub(super) points: [[BySubject; PointKind::COUNT]; 2],
    /// Point kinds, a bit each, before (0) or after (1) which something may strike.
    strikes: [u32; 2],
    /// Rules that strike by the clock.
    pub(super) clock: Vec<u16>,
    /// For each rule the number of its counter within an intent, if it counts.
    pub(super) counter: Vec<Option<u16>>,
    /// How many rules count.
    pub(super) counting: u16,
    /// For each rule its rate in this run.
    pub(super) ppm: Vec<u32>,
    /// Point kinds of messages, a bit each, at which something may strike, or for which there are too many rules to look
    /// through: such messages always take the long way.
    pub(super) wild: u32,
    /// No rule and no script refuses or fails operations.
    pub(super) fair_for_operations: bool,
    /// Something can crash.
    pub(super) crashes: bool,
    /// Something may strike nodes or links.
    pub(super) strikes_nodes: bool,
    /// Intents list what goes with them: there are flows, or processes that ask.
    pub(super) lists: bool,
    /// Some flow is choreographed.
    pub(super) choreographed: bool,
    /// There is a script, which may strike at any point.
    pub(super) scripted: bool,
    /// Latencies of links, the first that matches holds; empty if one holds for all.
    latencies: Vec<(Sides, Dist)>,
    latency_links: Links,
    /// The latency of all links that have none of their own.
    pub(super) latency: Dist,
    /// The links that rules can cut, by rule.
    cut: Vec<Option<Sides>>,
    cut_links: Links,
}

impl Rules {
    pub(super) fn of(plan: &Plan) -> Rules {
        let choreographed = |flow: &FlowPlan| matches!(flow.coordination, Coordination::Choreography { .. });
        let crashes = |fault: &Fault| matches!(fault.verb, FaultVerb::Crash(..));
        let strikes = |fault: &Fault| {
            matches!(fault.verb, FaultVerb::Crash(..) | FaultVerb::Pause(..) | FaultVerb::Cut(..))
        };
        let mut rules = Rules {
            strikes_nodes: !plan.clean
                && (plan.model.weather.script.is_some() || plan.model.weather.faults.iter().any(strikes)),
            crashes: !plan.clean && plan.model.weather.faults.iter().any(crashes),
            lists: !plan.flows.is_empty() || plan.model.services.iter().any(|of| of.host.is_some()),
            choreographed: plan.flows.iter().any(choreographed),
            messages: Default::default(),
            copies: Default::default(),
            operations: BySubject::default(),
            points: Default::default(),
            strikes: [0; 2],
            clock: Vec::new(),
            counter: Vec::new(),
            counting: 0,
            ppm: Vec::new(),
            latencies: Vec::new(),
            latency_links: Links::default(),
            latency: Dist::ZERO,
            cut: Vec::new(),
            cut_links: Links::default(),
            scripted: false,
            wild: 0,
            fair_for_operations: true,
        };
        let latency = &plan.model.weather.latency;
        rules.latency = latency.first().map_or(Dist::ZERO, |(_, dist)| *dist);
        let own = latency.iter().skip(1).rev();
        for (link, dist) in own {
            rules.latency_links.add(rules.latencies.len() as u16, link);
            rules.latencies.push((Sides::of(plan, link), *dist));
        }
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
            rules.cut.push(match &fault.verb {
                FaultVerb::Cut(link, _, _) => {
                    rules.cut_links.add(number, link);
                    Some(Sides::of(plan, link))
                }
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
                    let rule = |reach| MessageRule { number, reach, plain, identity: fault.identity, ppm: 0 };
                    let filed = if fault.loses_copies() { &mut rules.copies } else { &mut rules.messages };
                    match what {
                        Messages::At(Point { kind, of: Subject::Any }) => {
                            filed[*kind as usize].add(rule(Reach::Everything), None);
                        }
                        Messages::At(point) => {
                            filed[point.kind as usize].add(rule(Reach::Of(point.of)), None)
                        }
                        Messages::On(link) => {
                            let sides = Sides::of(plan, link);
                            let reach =
                                if sides.are_all(plan) { Reach::Everything } else { Reach::Over(sides) };
                            filed.iter_mut().for_each(|kind| kind.add(rule(reach.clone()), Some(link)));
                        }
                    }
                }
                FaultVerb::Refuse(of, _) | FaultVerb::Fail(of) => rules.operations.add(number, *of),
                FaultVerb::Crash(_, moment, _)
                | FaultVerb::Pause(_, moment, _)
                | FaultVerb::Cut(_, moment, _) => match moment {
                    Moment::Before(point) => rules.points[0][point.kind as usize].add(number, point.of),
                    Moment::After(point) => rules.points[1][point.kind as usize].add(number, point.of),
                    Moment::At(_) | Moment::Every(_) => rules.clock.push(number),
                },
            }
        }
        rules.fair_for_operations = rules.operations.is_empty() && !rules.scripted;
        for kind in 0..PointKind::COUNT {
            let many = rules.messages[kind].few().is_none() || rules.copies[kind].few().is_none();
            rules.wild |= u32::from(many) << kind;
            for (strikes, points) in rules.strikes.iter_mut().zip(&rules.points) {
                *strikes |= u32::from(!points[kind].is_empty() || rules.scripted) << kind;
            }
        }
        rules.wild |= rules.strikes[0] | rules.strikes[1];
        rules
    }

    /// Whether a message always takes the long way.
    #[inline]
    pub(super) fn is_wild(&self, point: PointKind) -> bool {
        self.wild >> point as u32 & 1 == 1
    }

    /// The rules that reach all messages of a kind and have no condition, for kinds of which a message was spared by all of
    /// them; a bit for each kind.
    pub(super) fn spared(&self, kinds: u32) -> impl Iterator<Item = u16> {
        let of = (0..PointKind::COUNT).filter(move |kind| kinds >> kind & 1 == 1);
        let rules = of.flat_map(|kind| self.messages[kind].rules.iter().chain(&self.copies[kind].rules));
        rules.filter(|rule| rule.plain && matches!(rule.reach, Reach::Everything)).map(|rule| rule.number)
    }

    /// Whether nothing can strike before (0) or after (1) points of a kind.
    #[inline]
    pub(super) fn quiet(&self, after: usize, kind: PointKind) -> bool {
        self.strikes[after] >> kind as u32 & 1 == 0
    }

    /// Whether what is drawn once a run can differ from seed to seed.
    pub(super) fn varies(&self, plan: &Plan) -> bool {
        let weather = &plan.model.weather;
        let drawn = |fault: &Fault| fault.chance.low != fault.chance.high;
        !plan.clean && weather.seed.is_none() && (weather.swarm || weather.faults.iter().any(drawn))
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
        for filed in self.messages.iter_mut().chain(&mut self.copies) {
            filed.rules.iter_mut().for_each(|rule| rule.ppm = self.ppm[usize::from(rule.number)]);
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

impl Rules {
    /// Whether a link is cut now.
    #[inline]
    pub(super) fn cuts(&self, cuts: &Cuts, plan: &Plan, from: u32, to: u32) -> bool {
        !cuts.now().is_empty() && self.cuts_some(cuts, plan, from, to)
    }

    #[cold]
    fn cuts_some(&self, cuts: &Cuts, plan: &Plan, from: u32, to: u32) -> bool {
        if cuts.now().len() > FEW {
            return self.cut_links.between(plan, from, to).flatten().any(|&rule| cuts.has(rule));
        }
        let have =
            |rule: &u16| self.cut[usize::from(*rule)].as_ref().is_some_and(|sides| sides.have(from, to));
        cuts.now().iter().any(have)
    }

    /// How long a message over a link is under way.
    #[inline]
    pub(super) fn latency(&self, plan: &Plan, from: u32, to: u32) -> &Dist {
        if self.latencies.is_empty() { &self.latency } else { self.own_latency(plan, from, to) }
    }

    fn own_latency(&self, plan: &Plan, from: u32, to: u32) -> &Dist {
        if self.latencies.len() <= FEW {
            let own = self.latencies.iter().find(|(sides, _)| sides.have(from, to));
            return own.map_or(&self.latency, |(_, dist)| dist);
        }
        let own = self.latency_links.between(plan, from, to).filter_map(|rules| rules.first()).min();
        own.map_or(&self.latency, |&first| &self.latencies[usize::from(first)].1)
    }
}
