//! The weather: latencies, fault rules, the phases of a run.

use super::super::code::Code;
use super::super::expr::{Names, Scalar};
use super::super::fields::Fields;
use super::super::problem::{Problem, Problems, quote};
use super::super::quantity::{self, Nanos, TimeShape};
use super::super::source::Sources;
use super::super::tree::{Kind, Node};
use super::clients::time;
use super::exprs::{Exprs, local};
use super::identity::Identities;
use super::language::weather as language;
use super::later;
use super::lints;
use super::names::{Index, too_many};
use super::operations::REFUSED;
use super::points;
use super::values::{dist, share};
use crate::kernel::dist::Dist;
use crate::kernel::sample::Share;
use crate::kernel::time::{Span, Time};
use crate::model::flow::Target;
use crate::model::symbols::Symbols;
use crate::model::weather::{
    DEFAULT_CALM, DEFAULT_HEAL, Delay, Downtime, Fault, FaultVerb, Link, Messages, Moment, Place, Subject,
    Weather,
};

/// The most fault rules, and the most links with latencies of their own.
const MOST_RULES: usize = 1_000;
/// Entries of `nth` and of `again`.
const MOST_ENTRIES: usize = 64;

/// Reads the weather; without one, all is calm.
pub(super) fn read<'n>(
    document: &Fields<'n>,
    index: &Index<'n>,
    exprs: &mut Exprs,
    symbols: &mut Symbols,
    sources: &Sources,
    problems: &mut Problems,
) -> Weather {
    let any = Link { from: vec![Place::Any], to: vec![Place::Any], both: false };
    let mut weather = Weather {
        latency: vec![(any, Dist::Fixed(Span::MILLISECOND))],
        faults: Vec::new(),
        heal: DEFAULT_HEAL,
        end: DEFAULT_HEAL.saturating_add(DEFAULT_CALM),
        swarm: false,
        seed: None,
        script: None,
    };
    let Some(entry) = document.entry("weather") else { return weather };
    let fields = later::fields(&entry.value, entry.key.place, &language::WEATHER, problems);
    let Some(fields) = fields else { return weather };
    latency(&fields, &mut weather, index, problems);
    phases(&fields, &mut weather, problems);
    weather.swarm = fields.flag("swarm").unwrap_or(false);
    let nodes = fields.list("faults");
    if let Some(node) = nodes.get(MOST_RULES) {
        too_many("faults", node.head(), problems);
    }
    let mut identities = Identities::default();
    for node in nodes.iter().take(MOST_RULES) {
        let Some(own) = later::fields(node, node.head(), &language::FAULT, problems) else { continue };
        let mut reader = Reader { fields: own, index, exprs, symbols, problems };
        let Some((verb, nth)) = reader.verb() else { continue };
        let (when, when_args) = reader.when(&verb);
        let during = reader.fields.span("during").map(|(from, to)| (Time(from), Time(to)));
        let chance = reader.fields.share("chance").map_or(Share::ALL, share);
        let fault = Fault {
            text: one_line(sources.at(node.place)),
            identity: identities.of(&verb, &nth),
            verb,
            nth,
            chance,
            when,
            when_args,
            during,
        };
        if let Some(why) = lints::never(&fault, weather.heal) {
            let problem = Problem::warning(Code::LateFault, node.head(), "this fault can never strike");
            problems.push(problem.hint(why));
        }
        weather.faults.push(fault);
    }
    weather
}

/// A rule as written, without line breaks and comments of its own.
fn one_line(text: &str) -> String {
    let lines = text.lines().map(|line| line.split(" //").next().unwrap_or(line));
    lines.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}

fn latency(fields: &Fields<'_>, weather: &mut Weather, index: &Index<'_>, problems: &mut Problems) {
    let Some(node) = fields.node("latency") else { return };
    let mut read = |node: &Node| {
        let time = quantity::time(&node.as_text()?.value).ok().and_then(dist);
        if time.is_none() {
            let message = "a message that never arrives is lost: this time must have an end";
            problems.push(Problem::error(Code::Time, node.place, message));
        }
        time
    };
    match &node.kind {
        Kind::Object(entries) => {
            if let Some(entry) = entries.get(MOST_RULES) {
                too_many("links", entry.key.place, problems);
                return;
            }
            let times: Vec<Option<Dist>> = entries.iter().map(|entry| read(&entry.value)).collect();
            for (entry, time) in entries.iter().zip(times) {
                let link = points::link(&entry.key, index, problems);
                let (Some(link), Some(time)) = (link, time) else { continue };
                // The first entry is for the rest, wherever it stands.
                if entry.key.value.trim() == "*" {
                    weather.latency[0].1 = time;
                } else {
                    weather.latency.push((link, time));
                }
            }
        }
        _ => {
            if let Some(time) = read(node) {
                weather.latency[0].1 = time;
            }
        }
    }
}

/// `heal`, and `end`: an instant, or `heal + ` a time.
fn phases(fields: &Fields<'_>, weather: &mut Weather, problems: &mut Problems) {
    if let Some(ns) = fields.fixed_time("heal") {
        weather.heal = Time(ns);
    }
    weather.end = weather.heal.saturating_add(DEFAULT_CALM);
    let Some(text) = fields.text("end") else { return };
    let after = text.value.strip_prefix("heal").map(str::trim_start).and_then(|rest| rest.strip_prefix('+'));
    let (skipped, rest) = match after {
        Some(rest) => (text.value.len() - rest.trim_start().len(), rest.trim_start()),
        None => (0, text.value.as_str()),
    };
    match quantity::fixed_time(rest) {
        Ok(ns) if after.is_some() => weather.end = weather.heal.saturating_add(Span(ns)),
        Ok(ns) if ns > weather.heal.0 => weather.end = Time(ns),
        Ok(_) => {
            let message = format!("the run ends before it heals, at {}", Nanos(weather.heal.0));
            let hint = "later than `heal`, or `\"heal + 1min\"`";
            problems.push(Problem::error(Code::Order, text.place, message).hint(hint));
        }
        Err(wrong) => {
            let place = text.place_in(wrong.range.start + skipped..wrong.range.end + skipped);
            let hint = "an instant such as \"61s\", or \"heal + 1min\"";
            problems.push(Problem::error(wrong.code, place, wrong.message).hint(hint));
        }
    }
}

struct Reader<'r, 'n> {
    fields: Fields<'n>,
    index: &'r Index<'n>,
    exprs: &'r mut Exprs,
    symbols: &'r mut Symbols,
    problems: &'r mut Problems,
}

impl<'n> Reader<'_, 'n> {
    fn verb(&mut self) -> Option<(FaultVerb, Vec<u32>)> {
        let (field, entry) = self.fields.choice(&language::VERBS, self.problems)?;
        let known = language::keys_of(field.name);
        for (other, stray) in self.fields.iter() {
            if other.name != field.name && !known.contains(&other.name) {
                let message = format!("{} has no {}", quote(field.name), quote(other.name));
                let problem = Problem::error(Code::Together, stray.key.place, message);
                self.problems.push(problem.hint(format!("it knows {}", known.join(" "))));
            }
        }
        let text = entry.value.as_text()?;
        let (index, problems) = (self.index, &mut *self.problems);
        let verb = match field.name {
            "lose" => FaultVerb::Lose(points::messages(text, index, problems)?),
            "delay" => {
                let messages = points::messages(text, index, problems);
                let delay = self.delay();
                FaultVerb::Delay(messages?, delay?)
            }
            "duplicate" => {
                let messages = points::messages(text, index, problems)?;
                FaultVerb::Duplicate(messages, self.again())
            }
            "refuse" => {
                let reason = self.fields.text("reason").map_or(REFUSED, |reason| &reason.value);
                FaultVerb::Refuse(points::operation(text, index, problems)?, self.symbols.intern(reason))
            }
            "fail" => FaultVerb::Fail(points::operation(text, index, problems)?),
            "cut" => {
                let link = points::link(text, index, problems);
                let (moment, downtime) = (self.moment(field.name), self.downtime());
                FaultVerb::Cut(link?, moment?, downtime?)
            }
            crash => {
                let node = points::node(text, index, problems);
                let (moment, downtime) = (self.moment(crash), self.downtime());
                if crash == "crash" {
                    FaultVerb::Crash(node?, moment?, downtime?)
                } else {
                    FaultVerb::Pause(node?, moment?, downtime?)
                }
            }
        };
        let nth = self.fields.list("nth").iter().filter_map(|node| match &node.kind {
            Kind::Number(number) => quantity::integer(number).ok().map(|n| n as u32),
            _ => None,
        });
        let mut nth: Vec<u32> = nth.collect();
        nth.sort_unstable();
        nth.dedup();
        if nth.len() > MOST_ENTRIES {
            too_many("entries", self.fields.head(), self.problems);
        }
        Some((verb, nth))
    }

    fn delay(&mut self) -> Option<Delay> {
        let (field, entry) = self.fields.choice(&["for", "until"], self.problems)?;
        if field.name == "until" {
            return self.fields.fixed_time("until").map(|ns| Delay::Until(Time(ns)));
        }
        let time = self.fields.time("for").and_then(dist);
        if time.is_none() {
            let problem = Problem::error(Code::Time, entry.value.place, "what is late for ever is lost");
            self.problems.push(problem.hint("use `lose`"));
        }
        time.map(Delay::For)
    }

    fn again(&mut self) -> Vec<Dist> {
        let nodes = self.fields.list("again");
        if let Some(node) = nodes.get(MOST_ENTRIES) {
            too_many("copies", node.place, self.problems);
        }
        let mut again = Vec::new();
        for node in nodes.iter().take(MOST_ENTRIES) {
            match node.as_text().and_then(|text| quantity::time(&text.value).ok()).and_then(dist) {
                Some(time) => again.push(time),
                None => {
                    let problem = Problem::error(Code::Time, node.place, "this time must have an end");
                    self.problems.push(problem);
                }
            }
        }
        again
    }

    fn moment(&mut self, verb: &str) -> Option<Moment> {
        let keys: &[&str] =
            if verb == "cut" { &["at", "every"] } else { &["at", "every", "before", "after"] };
        let (field, entry) = self.fields.choice(keys, self.problems)?;
        if matches!(field.name, "at" | "every") {
            for key in ["nth", "when"] {
                if let Some(stray) = self.fields.entry(key) {
                    let message = format!(
                        "{} counts within an intent, and {} is on the clock",
                        quote(key),
                        quote(field.name)
                    );
                    let problem = Problem::error(Code::Together, stray.key.place, message);
                    self.problems.push(problem.hint("use `before` or `after` a point"));
                }
            }
        }
        match field.name {
            "at" => self.fields.fixed_time("at").map(|ns| Moment::At(Time(ns))),
            "every" => {
                let every = time(&self.fields, "every", self.problems)?;
                if every.max().is_zero() {
                    let message = "it would strike without end at one instant";
                    self.problems.push(Problem::error(Code::Time, entry.value.place, message));
                    return None;
                }
                Some(Moment::Every(every))
            }
            "before" => points::point(entry.value.as_text()?, self.index, self.problems).map(Moment::Before),
            _ => points::point(entry.value.as_text()?, self.index, self.problems).map(Moment::After),
        }
    }

    fn downtime(&mut self) -> Option<Downtime> {
        let Some(time) = self.fields.time("for") else {
            if !self.fields.has("for") {
                let problem = Problem::error(Code::MissingKey, self.fields.head(), "how long does it last?");
                self.problems.push(problem.hint("add `for`: a time, or \"ever\""));
            }
            return None;
        };
        if time.shape == TimeShape::Ever { Some(Downtime::Ever) } else { dist(time).map(Downtime::For) }
    }

    /// A condition over the arguments of what the rule is about, `client` and `intent`; and how many arguments there are.
    fn when(&mut self, verb: &FaultVerb) -> (Option<crate::model::expr::Expr>, u16) {
        let Some(node) = self.fields.node("when") else { return (None, 0) };
        let mut scope = Names::new();
        let columns = match subject_of(verb) {
            Subject::Any => Vec::new(),
            Subject::Op(op) => self.index.callable(Target::Op(op)).args.clone(),
            Subject::Flow(flow) => self.index.callable(Target::Flow(flow)).args.clone(),
            Subject::Topic(topic) => self.index.topics[topic.index()].columns.clone(),
        };
        for (slot, (name, ty)) in columns.iter().enumerate() {
            scope.bind(name, local(slot, *ty));
        }
        for (at, name) in ["client", "intent"].into_iter().enumerate() {
            let ty = self.exprs.types.scalar(Scalar::Int, None);
            scope.bind(name, local(columns.len() + at, ty));
        }
        (Some(self.exprs.truth(node, &scope, self.problems)), columns.len() as u16)
    }
}

/// What a rule is about, as far as it has arguments.
pub(super) fn subject_of(verb: &FaultVerb) -> Subject {
    match verb {
        FaultVerb::Lose(messages) | FaultVerb::Delay(messages, _) | FaultVerb::Duplicate(messages, _) => {
            match messages {
                Messages::At(point) => point.of,
                Messages::On(_) => Subject::Any,
            }
        }
        FaultVerb::Refuse(subject, _) | FaultVerb::Fail(subject) => *subject,
        FaultVerb::Crash(_, moment, _) | FaultVerb::Pause(_, moment, _) | FaultVerb::Cut(_, moment, _) => {
            match moment {
                Moment::Before(point) | Moment::After(point) => point.of,
                Moment::At(_) | Moment::Every(_) => Subject::Any,
            }
        }
    }
}
