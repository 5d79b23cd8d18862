//! Clients: they begin intents, are told how they ended, and begin the next.

use super::Engine;
use super::due::Due;
use super::slab::Id;
use super::target_word;
use super::world::{Brief, Call, Client, Ctx, Owner, Phase, Status};
use crate::kernel::agenda::{Class, Key};
use crate::kernel::choose::{Ask, Chooser};
use crate::kernel::path::{Path, Role, mix};
use crate::kernel::sample::{below, between};
use crate::kernel::script::Matter;
use crate::kernel::time::{Span, Time};
use crate::model::client::{Arrival, ClientGroup, Generator};
use crate::model::expr::eval;
use crate::model::ids::GroupId;
use crate::model::plan::{CallPlan, GroupPlan};
use crate::model::record::{Kind, NONE, Outcome};
use crate::model::value::{NULL, Word, generated};
use crate::store::Sink;

/// Marks effects as such: they must not collide with paths.
const EFFECT: u64 = 0x6566_6665_6374;

impl<C: Chooser, S: Sink> Engine<'_, C, S> {
    pub(super) fn client_node(&self, client: u32) -> u32 {
        self.home_of(self.world.clients[client as usize])
    }

    #[inline]
    fn home_of(&self, client: Client) -> u32 {
        self.plan.nodes.clients[client.group as usize] + client.number
    }

    /// Puts the first intent of every client on the agenda.
    pub(super) fn start_clients(&mut self) {
        let model = self.plan.model.clone();
        for (group, of) in model.groups.iter().enumerate() {
            let name = Path::ROOT.child(Role::Group, group as u32);
            for number in 0..of.count {
                let path = name.child(Role::Client, number);
                self.world.clients.push(Client { path, group: group as u16, number, next: 0 });
            }
        }
        if self.plan.serial {
            self.next_in_turn();
            return;
        }
        for client in 0..self.world.clients.len() as u32 {
            let state = self.world.clients[client as usize];
            let of = model.group(GroupId(state.group));
            let plan = &self.plan.groups[state.group as usize];
            if intents_of(plan, of) == 0 {
                continue;
            }
            let path = state.path;
            let after = match plan.script.first() {
                Some((at, _)) => at.since(Time::ZERO),
                None => self.chooser.span(path, Ask::Start, &of.start),
            };
            self.put(Due::Client(client), after, Class::Timer, path);
        }
    }

    /// In the clean-weather twin, the next intent in turn begins.
    pub(super) fn next_in_turn(&mut self) {
        if !self.plan.serial {
            return;
        }
        while let Some(&state) = self.world.clients.get(self.world.turn as usize) {
            let of = self.plan.model.group(GroupId(state.group));
            if state.next < intents_of(&self.plan.groups[state.group as usize], of) {
                let path = state.path;
                self.put(Due::Client(self.world.turn), Span::NANOSECOND, Class::Timer, path);
                return;
            }
            self.world.turn += 1;
        }
    }

    /// A client begins its next intent.
    pub(super) fn client_starts(&mut self, client: u32) {
        let state = self.world.clients[client as usize];
        let index = state.next;
        self.world.clients[client as usize].next += 1;
        let path = state.path.child(Role::Intent, index);
        let group = GroupId(state.group);
        let plan = &self.plan.groups[group.index()];
        let of = self.plan.model.group(group);
        if !self.plan.serial && index + 1 < intents_of(plan, of) {
            let client_path = state.path;
            match (plan.script.get(index as usize + 1), &of.arrival) {
                (Some((at, _)), _) => {
                    let after = at.since(self.now());
                    self.put(Due::Client(client), after, Class::Timer, client_path);
                }
                (None, Arrival::Open(every)) => {
                    let after = self.chooser.span(path, Ask::Gap, every);
                    self.put(Due::Client(client), after, Class::Timer, client_path);
                }
                (None, Arrival::Closed(_)) => {}
            }
        }

        if self.chooser.decided(path, Matter::LEFT_OUT).is_some() {
            self.chooser.note(path, Matter::LEFT_OUT, 0);
            self.next_in_turn();
            return self.next_after_end(client, path);
        }
        let effect = mix(path.0, EFFECT);
        let rules = self.rules.counting as usize;
        let (id, intent) = self.world.intents.take();
        intent.client = client;
        intent.index = index;
        intent.path = path;
        intent.effect = effect;
        intent.holds = 1;
        intent.outcome = None;
        intent.forget_more(rules);
        let ctx = Ctx { intent: id.slot, client, effect, call: path.0, ..Ctx::default() };
        let mut slots = std::mem::take(&mut self.world.slots);
        self.client_slots(of, path, state.number, index, &mut slots);
        let wanted: &CallPlan = match plan.script.get(index as usize) {
            Some((_, call)) => call,
            None => {
                let Some(call) = self.wish(&plan.does, path) else {
                    self.world.slots = slots;
                    self.world.intents.leave(id);
                    return;
                };
                call
            }
        };
        let target = wanted.target;
        let node = self.home_of(state);
        // The words of the arguments come behind those that they are computed from.
        let from = slots.len();
        for code in &wanted.args {
            let word = code.at_hand(&slots[..from]).unwrap_or_else(|| {
                let mut view = super::view::plain(&mut self.world.tables, self.agenda.now());
                eval(code, &slots[..from], &mut view, self.scratch).unwrap_or(NULL)
            });
            slots.push(word);
        }
        self.world.tables.set_arguments(&slots[from..]);
        self.record(Kind::Invoke, path, &ctx, |r| {
            r.op = target_word(target);
            r.ver = index;
            r.data = effect;
            r.who = node;
        });
        let (call, made) = self.world.calls.take();
        made.reset(Owner::Intent(id.slot), target, node, ctx, path, wanted.retry);
        made.args.set(&slots[from..]);
        self.world.slots = slots;
        self.start_call(call);
    }

    /// Which of the things that its group wants an intent wants.
    fn wish<'p>(&mut self, does: &'p [(CallPlan, u32)], path: Path) -> Option<&'p CallPlan> {
        if let [(call, 1..)] = does {
            return Some(call);
        }
        let total: u64 = does.iter().map(|(_, weight)| u64::from(*weight)).sum();
        let mut drawn = self.chooser.below(path, Ask::Want, total.max(1));
        let by_weight = |(_, weight): &&(CallPlan, u32)| {
            let here = drawn < u64::from(*weight);
            drawn = drawn.wrapping_sub(u64::from(*weight));
            here
        };
        does.iter().find(by_weight).map(|(call, _)| call)
    }

    /// What the arguments of an intent are computed from.
    fn client_slots(&mut self, of: &ClientGroup, path: Path, number: u32, index: u32, slots: &mut Vec<Word>) {
        slots.clear();
        for (n, generator) in of.with.iter().enumerate() {
            let name = path.child(Role::Draw, n as u32);
            slots.push(match generator {
                Generator::Unique(generator) => generated(*generator, number + 1, index + 1),
                Generator::Uniform(low, high) => between(self.chooser.word(name, Ask::Argument), *low, *high),
                Generator::Zipf(zipf) => zipf.sample(self.chooser.word(name, Ask::Argument)),
                Generator::Pick(words) => {
                    let draw = self.chooser.word(name, Ask::Argument);
                    words[below(draw, words.len() as u64) as usize]
                }
                Generator::Turn(words) => words[index as usize % words.len()],
                Generator::Value(word) => *word,
                Generator::Now => self.now().0 as Word,
            });
        }
        slots.extend([Word::from(number) + 1, Word::from(index) + 1]);
    }

    /// A client is told how its intent ended.
    pub(super) fn intent_ends(&mut self, slot: u32, status: Status, maybe: bool) {
        let id: Id = self.world.intents.id(slot);
        let (outcome, reason) = match status {
            Status::Ok(_) | Status::Skipped(_) => (Outcome::Ok, 0),
            Status::Refused(reason) => (Outcome::Failed, reason),
            Status::Conflict => (Outcome::Failed, 0),
            // An attempt before may have been carried out, whatever became of the last one.
            Status::Error if !maybe => (Outcome::Failed, 0),
            Status::Error | Status::Busy | Status::Unknown => (Outcome::Unknown, 0),
        };
        let intent = &mut self.world.intents[id];
        intent.outcome = Some(outcome);
        let (path, client, index, effect) = (intent.path, intent.client, intent.index, intent.effect);
        let ctx = Ctx { intent: slot, client, effect, ..Ctx::default() };
        self.record(Kind::Complete, path, &ctx, |r| {
            r.flag = outcome as u8;
            r.data = reason as u64;
            r.ver = index;
            r.row = NONE;
        });
        self.next_after_end(client, path);
        self.let_go(&ctx);
    }

    /// After the end of an intent of a client that waits for it, the next one starts in a while.
    fn next_after_end(&mut self, client: u32, path: Path) {
        let state = self.world.clients[client as usize];
        let group = GroupId(state.group);
        let of = self.plan.model.group(group);
        if let Arrival::Closed(gap) = &of.arrival
            && !self.plan.serial
            && state.next < of.intents
            && self.plan.groups[group.index()].script.is_empty()
        {
            let after = self.chooser.span(path, Ask::Gap, gap);
            self.put(Due::Client(client), after, Class::Timer, state.path);
        }
    }
}

/// How many intents each client of a group has.
fn intents_of(plan: &GroupPlan, of: &ClientGroup) -> u32 {
    let script = plan.script.len() as u32;
    if script > 0 { script } else { of.intents }
}

impl Call {
    /// Makes a call anew for another request.
    pub(super) fn reset(
        &mut self,
        owner: Owner,
        target: crate::model::flow::Target,
        node: u32,
        ctx: Ctx,
        path: Path,
        retry: u16,
    ) {
        // Field by field: a call made anew by assignment would be built elsewhere, moved here, and its lists dropped.
        self.owner = owner;
        self.target = Some(target);
        self.node = node;
        self.brief = Brief::from(&ctx);
        self.path = path;
        self.retry = retry;
        self.phase = Phase::Request;
        self.next = Phase::Request;
        self.requests = 0;
        self.fetches = 0;
        self.failures = 0;
        self.attempt = 0;
        self.since = 0;
        self.maybe = false;
        self.insist = false;
        self.local = false;
        self.sent = Time::ZERO;
        self.timer = Key::NONE;
        if let Some(more) = &mut self.more {
            more.frame.clear();
            (more.refused, more.redone, more.waited) = (None, 0, Span::ZERO);
        }
    }
}
