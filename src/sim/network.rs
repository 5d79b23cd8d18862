//! The network: the fate of every copy of a message, and its delivery.
//!
//! A fate depends on what the message is, by its path, and on the rules in force, never on the link or on what was sent
//! before. A message that is lost, late or doubled is so under every strategy that sends it.

use super::Engine;
use super::due::Due;
use super::rules::{Filed, MessageRule, Reach};
use super::slab::Id;
use super::world::{Asking, Brief, Ctx, From, Message, Parcel, Phase, Status, Who, World};
use crate::kernel::agenda::Class;
use crate::kernel::choose::{Ask, Chooser};
use crate::kernel::path::{Path, Role};
use crate::kernel::script::Matter;
use crate::kernel::time::Span;
use crate::model::flow::Target;
use crate::model::record::{FLOW, Kind, LOST_CUT, LOST_DOWN};
use crate::model::value::Word;
use crate::model::weather::{Delay, FaultVerb, PointKind, Subject};
use crate::store::Sink;

/// What an answer belongs to: for its name, its rules and its contents.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answered<'a> {
    pub(super) node: u32,
    pub(super) target: Target,
    /// The path of the copy of the request that is answered.
    pub(super) path: Path,
    pub(super) ctx: &'a Ctx,
    /// The arguments of the request, for the conditions of rules.
    pub(super) args: &'a [Word],
    /// What is sent besides the status.
    pub(super) payload: &'a [Word],
}

/// A message to be sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outgoing<'a> {
    pub(super) parcel: Parcel,
    pub(super) point: PointKind,
    pub(super) subject: Subject,
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) path: Path,
    pub(super) ctx: &'a Ctx,
    pub(super) answer: From,
    pub(super) payload: &'a [Word],
    /// What the conditions of rules see.
    pub(super) args: &'a [Word],
}

impl<C: Chooser, S: Sink> Engine<'_, C, S> {
    /// Sends a message. Returns `false` if the sender is down now.
    pub(super) fn send(&mut self, message: &Outgoing<'_>) -> bool {
        let Outgoing { point, subject, from, to, path, .. } = *message;
        match self.plainly(point, subject, from, to, path) {
            Some(after) => {
                let id = self.under_way(point, subject, from, to, path, &Brief::from(message.ctx), after);
                let sent = &mut self.world.messages[id];
                sent.parcel = message.parcel;
                sent.answer = message.answer;
                sent.payload.set(message.payload);
                true
            }
            None => self.send_in_weather(message),
        }
    }

    /// How long a message is under way that no rule touches and nothing strikes at, as most of them; `None`: it has to take
    /// the long way. This looks at rules without memory only, so that the long way may ask them again.
    ///
    /// In line, like [`Engine::under_way`], where requests and answers are made: they are written into their slot without
    /// being put together elsewhere first, which spares some 300 instructions a request.
    #[inline(always)]
    pub(super) fn plainly(
        &mut self,
        point: PointKind,
        subject: Subject,
        from: u32,
        to: u32,
        path: Path,
    ) -> Option<Span> {
        let rules = self.rules;
        if self.world.paused > 0 || rules.is_wild(point) || !self.world.cuts.now().is_empty() {
            return None;
        }
        let name = path.child(Role::Copy, 0);
        if !self.world.calm {
            for rule in &rules.messages[point as usize].rules {
                if rule.reaches(subject, from, to) && !(rule.plain && self.spares(rule, path)) {
                    return None;
                }
            }
            for rule in &rules.copies[point as usize].rules {
                if rule.reaches(subject, from, to) && !(rule.plain && self.spares(rule, name)) {
                    return None;
                }
            }
            self.world.spared |= 1 << point as u32;
        }
        Some(self.chooser.span(name, Ask::Latency, rules.latency(self.plan, from, to)))
    }

    /// Whether a plain rule that reaches something spares it by chance. Of rules that reach everything that is noted by kind of
    /// message, once all of them have spared one: see [`Rules::spared`](super::rules::Rules::spared).
    #[inline(always)]
    fn spares(&mut self, rule: &MessageRule, name: Path) -> bool {
        match rule.reach {
            Reach::Everything => !self.chooser.hits(name, rule.identity, rule.ppm),
            _ => !self.chance_lets(name, rule.number, rule.identity, rule.ppm),
        }
    }

    /// A message is under way, as one copy. Whoever sends it fills in what it is and carries.
    #[expect(clippy::too_many_arguments, reason = "a message is all of this")]
    #[inline(always)]
    pub(super) fn under_way(
        &mut self,
        point: PointKind,
        subject: Subject,
        from: u32,
        to: u32,
        path: Path,
        brief: &Brief,
        after: Span,
    ) -> Id {
        let who = Who::from(brief);
        self.record_sent(point, subject, from, to, path, who, 1);
        let name = path.child(Role::Copy, 0);
        self.chooser.note(name, Matter::ARRIVES, after.0);
        self.hold(who);
        let (id, sent) = self.world.messages.take();
        sent.point = point;
        sent.path = path;
        sent.copy = 0;
        sent.from = from;
        sent.to = to;
        sent.brief = *brief;
        self.put(Due::Message(id.slot), after, Class::Delivery, name);
        id
    }

    #[expect(clippy::too_many_arguments, reason = "a message is all of this")]
    #[inline]
    fn record_sent(
        &mut self,
        point: PointKind,
        subject: Subject,
        from: u32,
        to: u32,
        path: Path,
        who: Who,
        copies: u32,
    ) {
        self.record(Kind::Sent, path, who, |r| {
            r.flag = point as u8;
            r.op = subject_word(subject);
            r.who = from;
            r.row = to;
            r.ver = copies;
        });
    }

    /// A copy is under way.
    fn copy(&mut self, message: &Outgoing<'_>, name: Path, copy: u32, after: Span) {
        self.hold(message.ctx);
        let (id, sent) = self.world.messages.take();
        sent.parcel = message.parcel;
        sent.point = message.point;
        sent.path = message.path;
        sent.copy = copy as u16;
        sent.from = message.from;
        sent.to = message.to;
        sent.brief = Brief::from(message.ctx);
        sent.answer = message.answer;
        sent.payload.set(message.payload);
        self.put(Due::Message(id.slot), after, Class::Delivery, name);
    }

    /// Sends a message that something may happen to: crash points around it, then the fate of each copy.
    #[cold]
    pub(super) fn send_in_weather(&mut self, message: &Outgoing<'_>) -> bool {
        let Outgoing { point, subject, from, path, args, ctx, .. } = *message;
        if self.passes(0, point, subject, from, *ctx, path, args) {
            return false;
        }
        self.dispatch(message);
        !self.passes(1, point, subject, from, *ctx, path, args)
    }

    fn dispatch(&mut self, message: &Outgoing<'_>) {
        let plan = self.plan;
        let rules = self.rules;
        let Outgoing { point, subject, from, to, path, ctx, .. } = *message;
        let op = subject_word(subject);
        let calm = self.world.calm;
        let mut lost_whole: Option<u16> = None;
        let mut extra = Span::ZERO;
        let mut until = None;
        let mut delayed = None;
        if self.stands_still(from) {
            // It was paused at the point just before: the message leaves when it goes on.
            extra = self.world.nodes[from as usize].resumes.since(self.now());
        }
        // Further copies: each with a latency of its own, or so long after the first.
        let mut again = std::mem::take(&mut self.world.copies);
        again.clear();
        if !calm {
            let filed = &rules.messages[point as usize];
            let narrow = if filed.few().is_none() { self.narrow(filed, message) } else { Vec::new() };
            for &at in filed.few().unwrap_or(&narrow) {
                let rule = &filed.rules[usize::from(at)];
                let number = rule.number;
                let fault = &plan.model.weather.faults[number as usize];
                if !self.hits(rule, message, path) {
                    continue;
                }
                self.world.struck[usize::from(number)] = true;
                match &fault.verb {
                    FaultVerb::Lose(_) => lost_whole = lost_whole.or(Some(number)),
                    FaultVerb::Delay(_, Delay::For(by)) => {
                        let name = path.child(Role::Rule, u32::from(number));
                        extra = extra.saturating_add(self.chooser.span(name, Ask::Delay, by));
                        delayed = Some(number);
                    }
                    FaultVerb::Delay(_, Delay::Until(at)) => {
                        until = until.max(Some(*at));
                        delayed = Some(number);
                    }
                    FaultVerb::Duplicate(_, times) if times.is_empty() => again.push(None),
                    FaultVerb::Duplicate(_, times) => again.extend(times.iter().copied().map(Some)),
                    _ => {}
                }
            }
            if filed.few().is_none() {
                self.world.narrow = narrow;
            }
        }
        if rules.scripted && !calm {
            if let Some(decided) = self.chooser.decided(path, Matter::COPIES) {
                again.clear();
                again.resize((decided >> 32) as usize, None);
            }
            if let Some(number) = self.chooser.decided(path, Matter::LATE)
                && let FaultVerb::Delay(_, Delay::For(by)) =
                    &plan.model.weather.faults[number as u16 as usize].verb
            {
                extra = extra.saturating_add(by.max());
                delayed = Some(number as u16);
            }
        }
        // All rules together may ask for more than anybody can tell apart.
        again.truncate(usize::from(u16::MAX));
        let copies = 1 + again.len() as u32;
        if copies > 1 {
            self.chooser.note(path, Matter::COPIES, copies.into());
        }
        let cut = rules.cuts(&self.world.cuts, plan, from, to);
        self.record_sent(point, subject, from, to, path, Who::from(ctx), copies);
        if let Some(number) = delayed {
            self.record(Kind::Delayed, path, ctx, |r| {
                r.flag = point as u8;
                r.op = op;
                r.who = from;
                r.row = to;
                r.data = u64::from(number);
            });
        }
        let (mut first, mut late) = (Span::ZERO, Span::ZERO);
        for copy in 0..copies {
            let name = path.child(Role::Copy, copy);
            let lost = match (cut, lost_whole) {
                (true, _) => Some(LOST_CUT),
                (false, Some(number)) => Some(u64::from(number)),
                (false, None) if calm => None,
                (false, None) => match self.copy_lost(message, name) {
                    None if rules.scripted => self.chooser.decided(name, Matter::LOST),
                    lost => lost.map(u64::from),
                },
            };
            let latency = self.chooser.span(name, Ask::Latency, rules.latency(plan, from, to));
            let mut after = latency.saturating_add(extra);
            if let Some(at) = until {
                after = after.max(at.since(self.now()));
            }
            match copy.checked_sub(1).and_then(|n| again[n as usize]) {
                None if copy == 0 => first = after,
                None => {}
                Some(later) => after = first.saturating_add(self.chooser.span(name, Ask::Delay, &later)),
            }
            if copy == 0 && delayed.is_some() {
                late = after.saturating_sub(latency);
                self.chooser.note(path, Matter::LATE, late.0);
            }
            if rules.scripted
                && let Some(ns) = self.chooser.decided(name, Matter::ARRIVES)
            {
                after = late.saturating_add(Span(ns));
            }
            if let Some(why) = lost {
                if why != LOST_CUT {
                    self.chooser.note(name, Matter::LOST, why);
                }
                self.record(Kind::Lost, path, ctx, |r| {
                    r.flag = point as u8;
                    r.op = op;
                    r.who = from;
                    r.row = to;
                    r.ver = copy;
                    r.data = why;
                });
                continue;
            }
            self.chooser.note(name, Matter::ARRIVES, after.saturating_sub(late).0);
            self.copy(message, name, copy, after);
        }
        self.world.copies = again;
    }

    /// The places of the rules that may reach a message; to be given back.
    #[cold]
    fn narrow(&mut self, filed: &Filed, message: &Outgoing<'_>) -> Vec<u16> {
        let mut narrow = std::mem::take(&mut self.world.narrow);
        filed.narrow(self.plan, message.subject, message.from, message.to, &mut narrow);
        narrow
    }

    /// Whether a rule hits a message, or a copy of it, of that name.
    fn hits(&mut self, rule: &MessageRule, message: &Outgoing<'_>, name: Path) -> bool {
        rule.reaches(message.subject, message.from, message.to)
            && (rule.plain || self.applies(rule.number, *message.ctx, message.args))
            && self.chance_lets(name, rule.number, rule.identity, rule.ppm)
    }

    /// The first rule without a count that loses this copy: each copy has its own luck. With a count it is the message
    /// that is meant, with all its copies.
    fn copy_lost(&mut self, message: &Outgoing<'_>, name: Path) -> Option<u16> {
        let number = self.copy_lost_by(message, name)?;
        self.world.struck[usize::from(number)] = true;
        Some(number)
    }

    fn copy_lost_by(&mut self, message: &Outgoing<'_>, name: Path) -> Option<u16> {
        let rules = self.rules;
        let filed = &rules.copies[message.point as usize];
        if filed.few().is_some() {
            return filed.rules.iter().find(|rule| self.hits(rule, message, name)).map(|rule| rule.number);
        }
        let narrow = self.narrow(filed, message);
        let mut some = narrow.iter().map(|&at| &filed.rules[usize::from(at)]);
        let number = some.find(|rule| self.hits(rule, message, name)).map(|rule| rule.number);
        self.world.narrow = narrow;
        number
    }

    /// Answers a request of another node.
    pub(super) fn send_reply(
        &mut self,
        to: u32,
        call: Id,
        attempt: u32,
        fetch: bool,
        status: Status,
        what: Answered<'_>,
    ) {
        let point = if fetch { PointKind::Fetched } else { PointKind::Reply };
        let (subject, from, path) = (subject(what.target), what.node, what.path.child(Role::Reply, 0));
        if let Some(after) = self.plainly(point, subject, from, to, path) {
            let id = self.under_way(point, subject, from, to, path, &Brief::from(what.ctx), after);
            let sent = &mut self.world.messages[id];
            sent.parcel = Parcel::Reply(what.target, status);
            sent.answer = From::Remote { node: to, call, attempt, fetch };
            sent.payload.set(what.payload);
            return;
        }
        self.send_in_weather(&Outgoing {
            parcel: Parcel::Reply(what.target, status),
            point,
            subject,
            from,
            to,
            path,
            ctx: what.ctx,
            answer: From::Remote { node: to, call, attempt, fetch },
            payload: what.payload,
            args: what.args,
        });
    }

    /// Answers a request of a process.
    pub(super) fn reply_to_guest(&mut self, to: u32, asker: Id, status: Status, what: Answered<'_>) {
        self.send(&Outgoing {
            parcel: Parcel::Reply(what.target, status),
            point: PointKind::Reply,
            subject: subject(what.target),
            from: what.node,
            to,
            path: what.path.child(Role::Reply, 0),
            ctx: what.ctx,
            answer: From::Guest { asker },
            payload: what.payload,
            args: what.args,
        });
    }

    /// A copy arrives.
    pub(super) fn arrive(&mut self, slot: u32) {
        let id = self.world.messages.id(slot);
        let Message { ref parcel, point, path, copy, from, to, ref brief, .. } = self.world.messages[id];
        let (who, copy) = (Who::from(brief), u32::from(copy));
        // Where nothing can crash, the node need not be looked at: of many clients that is a cache miss a message.
        let down = self.rules.crashes && self.world.nodes[to as usize].down;
        let op = match *parcel {
            Parcel::Request(target, _) | Parcel::Reply(target, _) => super::target_word(target),
            parcel => self.parcel_word(parcel),
        };
        self.record(if down { Kind::Lost } else { Kind::Delivered }, path, who, |r| {
            r.flag = point as u8;
            r.op = op;
            r.who = from;
            r.row = to;
            r.ver = copy;
            r.data = if down { LOST_DOWN } else { 0 };
        });
        // The first copy has the name of the message; later ones need one of their own for what they cause.
        let name = if copy == 0 { path } else { path.child(Role::Copy, copy) };
        let Message { ref parcel, ref answer, .. } = self.world.messages[id];
        match (parcel, answer) {
            _ if down => self.world.messages.leave(id),
            (&Parcel::Request(Target::Op(op), asking), _) => {
                self.request_arrives(id, op, asking, false, name);
            }
            (&Parcel::Fetch(op), _) => self.request_arrives(id, op, Asking::PLAINLY, true, name),
            (&Parcel::Reply(_, status), &From::Remote { call, attempt, fetch, .. }) => {
                if fetch {
                    self.take_frame(call, attempt, id);
                }
                self.world.messages.leave(id);
                self.answered(call, attempt, status);
                self.drain();
            }
            _ => self.other_arrives(id, name),
        }
        self.let_go(who);
    }

    /// What a record calls a parcel.
    fn parcel_word(&self, parcel: Parcel) -> u16 {
        match parcel {
            Parcel::Request(target, _) | Parcel::Reply(target, _) => super::target_word(target),
            Parcel::Fetch(op) => op.0,
            Parcel::Event(topic, _) | Parcel::Ack(topic, _, _) => topic.0,
            Parcel::Hop(flow, step, undo) => self.hop_op(flow, step, undo).map_or(flow.0 | FLOW, |op| op.0),
            Parcel::Over(flow, _) => flow.0 | FLOW,
            Parcel::Nothing => 0,
        }
    }

    /// Something arrives that is neither asked of an operation nor answered to a call.
    fn other_arrives(&mut self, id: Id, name: Path) {
        let Message { parcel, path, to, brief, answer, .. } = self.world.messages[id];
        let ctx = brief.ctx(path);
        let words = std::mem::take(&mut self.world.messages[id].payload);
        let payload = words.all();
        match parcel {
            Parcel::Request(Target::Flow(flow), _) => self.start_flow(flow, to, ctx, name, answer, payload),
            Parcel::Reply(_, status) => {
                if let From::Guest { asker } = answer {
                    self.guest_replied(asker, name, status);
                }
            }
            Parcel::Event(topic, subscriber) => {
                self.letter_arrives(answer, Subject::Topic(topic));
                self.event_arrives(topic, subscriber, to, ctx, name, answer, payload);
            }
            Parcel::Hop(flow, step, undo) => {
                // What is done once more at a stop goes on once more from there.
                self.letter_arrives(answer, Subject::Flow(flow));
                self.hop_arrives(flow, (step, undo), to, ctx, name, answer, payload)
            }
            Parcel::Over(flow, status) => self.over_arrives(flow, status, to, ctx, name, payload, answer),
            Parcel::Ack(topic, row, subscriber) => self.acknowledged(topic, row, subscriber, to),
            Parcel::Request(Target::Op(_), _) | Parcel::Fetch(_) | Parcel::Nothing => {}
        }
        self.world.messages[id].payload = words;
        self.world.messages.leave(id);
        self.drain();
    }

    /// What was fetched goes to the call that fetched it.
    fn take_frame(&mut self, call: Id, attempt: u32, message: Id) {
        let World { calls, messages, .. } = &mut *self.world;
        if let Some(call) = calls.get_mut(call)
            && call.phase == Phase::Fetch
            && call.accepts(attempt)
        {
            let frame = &mut call.more().frame;
            frame.clear();
            frame.extend_from_slice(messages[message].payload.all());
        }
    }
}

/// The subject of a target.
pub(super) fn subject(target: Target) -> Subject {
    match target {
        Target::Op(op) => Subject::Op(op),
        Target::Flow(flow) => Subject::Flow(flow),
    }
}

fn subject_word(subject: Subject) -> u16 {
    match subject {
        Subject::Any => 0,
        Subject::Op(op) => op.0,
        Subject::Flow(flow) => flow.0 | FLOW,
        Subject::Topic(topic) => topic.0,
    }
}
