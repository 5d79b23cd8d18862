//! Events: handed to the network at once, or written to an outbox and relayed until acknowledged.
//!
//! A row gets its number when it is written, inside the transaction, not at the commit: that is what a relay with a cursor
//! stumbles over. Relays are woken on their grid by the row that needs them and never poll an empty outbox.

use super::Engine;
use super::network::{Answered, Outgoing};
use super::slab::Id;
use super::task::Went;
use super::world::{Ctx, From, Letter, OutboxRow, Parcel, Running, Status, Task, What};
use crate::kernel::agenda::Class;
use crate::kernel::choose::Chooser;
use crate::kernel::path::{Path, Role};
use crate::kernel::time::Span;
use crate::model::flow::Target;
use crate::model::how::RelayKind;
use crate::model::ids::{ServiceId, TopicId};
use crate::model::own::Hazard;
use crate::model::plan::NodeKind;
use crate::model::record::{Kind, NONE};
use crate::model::step::{Program, PublishPlan};
use crate::model::value::{NULL, Word};
use crate::model::weather::{PointKind, Subject};
use crate::store::Sink;

/// The words of an event before its fields: id, time, version, number.
const HEAD: usize = 4;
/// Letters of choreographies belong to no topic.
const NO_TOPIC: TopicId = TopicId(u16::MAX);

impl<C: Chooser, S: Sink> Engine<'_, C, S> {
    /// What an event says, and the path it has.
    fn event_words(&mut self, task: &Task, part: u8, n: usize, publish: &PublishPlan) -> (Path, Vec<Word>) {
        let now = self.agenda.now();
        let topic = self.plan.model.topic(publish.topic);
        let path = task.path.child(Role::Event, u32::from(part) << 8 | n as u32);
        let base = publish.base as usize;
        let fields = task.frame[base..base + publish.fields.len()].to_vec();
        let version = task.frame[base + publish.fields.len()];
        let number = match topic.key {
            None => NULL,
            Some(field) => self.world.sequences.next(publish.topic, fields[field as usize]),
        };
        let mut words = vec![(path.0 >> 2) as Word, now.0 as Word, version, number];
        words.extend(fields);
        (path, words)
    }

    /// Writes the part's events into the outbox, inside the transaction.
    pub(super) fn outbox_step(&mut self, task: &mut Task, program: &Program, part: u8) -> Went {
        let of = &program.parts[part as usize];
        if task.is_silent(program, part) {
            return Went::On;
        }
        let Task { ctx, path: task_path, node, .. } = *task;
        let NodeKind::Replica(service, _) = self.plan.nodes.kind(node) else { return Went::On };
        for (n, publish) in of.publish.iter().enumerate() {
            let (path, words) = self.event_words(task, part, n, publish);
            let open = (1u64 << self.plan.model.topic(publish.topic).subscribers.len().min(63)) - 1;
            let row = self.put_letter(service, Letter::Event(publish.topic), ctx, path, &words, open);
            task.outbox.push(row);
            self.record(Kind::Publish, task_path, &ctx, |r| {
                r.op = publish.topic.0;
                r.who = node;
                r.flag = 1;
            });
        }
        Went::On
    }

    fn put_letter(
        &mut self,
        service: ServiceId,
        letter: Letter,
        ctx: Ctx,
        path: Path,
        words: &[Word],
        open: u64,
    ) -> Id {
        self.hold(&ctx);
        let relay = &mut self.world.relays[service.index()];
        relay.next_number += 1;
        let number = relay.next_number;
        let (id, row) = self.world.outbox.take();
        let mut payload = std::mem::take(&mut row.payload);
        payload.clear();
        payload.extend_from_slice(words);
        *row = OutboxRow {
            service: service.0,
            letter,
            number,
            ctx,
            path,
            payload,
            open,
            ..OutboxRow::default()
        };
        id
    }

    /// A letter of a choreography goes into the outbox, durable at once.
    pub(super) fn post(&mut self, letter: Letter, node: u32, ctx: Ctx, path: Path, state: &[Word]) {
        let NodeKind::Replica(service, _) = self.plan.nodes.kind(node) else { return };
        let row = self.put_letter(service, letter, ctx, path, state, 1);
        self.letter_commits(row);
    }

    /// The rows of a transaction become visible with its commit. Returns whether the task is still there.
    #[inline]
    pub(super) fn commit_outbox(&mut self, task: &mut Running) -> bool {
        if !task.outbox.is_empty() {
            self.letters_commit(task);
        }
        let From::Stop(run) = task.from else { return true };
        // The flow may go on at once, and what it sends may crash this very node.
        let status = task.refused.map_or(Status::Ok(task.reply), Status::Refused);
        let id = self.put_back(task);
        self.hand_over(run, status);
        self.take_out(id, task)
    }

    fn letters_commit(&mut self, task: &mut Task) {
        let mut rows = std::mem::take(&mut task.outbox);
        for row in rows.drain(..) {
            self.letter_commits(row);
        }
        task.outbox = rows;
    }

    fn letter_commits(&mut self, row: Id) {
        let now = self.agenda.now();
        let letter = &mut self.world.outbox[row];
        letter.committed = true;
        letter.committed_at = now;
        let service = ServiceId(letter.service);
        let (number, open) = (letter.number, letter.open);
        let relay = &mut self.world.relays[service.index()];
        relay.waiting += 1;
        let passed = self.known.relays[service.index()].kind == RelayKind::Cursor && number <= relay.cursor;
        // A relay that has passed a number never looks back; one without subscribers needs no relay.
        if passed || open == 0 {
            return self.drop_letter(row);
        }
        relay.rows.push((number, row));
        self.wake_relay(service);
    }

    /// A row leaves the outbox.
    pub(super) fn drop_letter(&mut self, row: Id) {
        let OutboxRow { ctx, service, committed, .. } = self.world.outbox[row];
        self.world.relays[service as usize].waiting -= u32::from(committed);
        self.world.outbox.leave(row);
        self.let_go(&ctx);
    }

    /// The relay of a service looks at its outbox at the next point of its grid, if anything is there.
    pub(super) fn wake_relay(&mut self, service: ServiceId) {
        let relay = &mut self.world.relays[service.index()];
        if relay.due || relay.waiting == 0 {
            return;
        }
        relay.due = true;
        let every = self.known.relays[service.index()].every.0.max(1);
        let after = Span(every - self.now().0 % every);
        let name = Path::ROOT.child(Role::Relay, u32::from(service.0));
        self.schedule(What::Relay(service.0), after, Class::Timer, name, false);
    }

    /// The replica that relays the outbox of a service: the first that is up.
    pub(super) fn relays_at(&self, service: ServiceId) -> Option<u32> {
        let replicas = self.plan.model.service(service).replicas;
        let first = self.plan.nodes.replica(service, 0);
        let up = |node: &u32| {
            let state = &self.world.nodes[*node as usize];
            !state.down && !state.paused
        };
        (first..first + replicas).find(up)
    }

    /// A letter of an outbox arrives. One that has been there before, or has been acknowledged since, is a repetition by its
    /// relay: no copy that the network made.
    pub(super) fn letter_arrives(&mut self, answer: From, to: Subject) {
        let From::Relay { row, subscriber, .. } = answer else { return };
        let again = self.world.outbox.get_mut(row).is_none_or(|letter| {
            let before = letter.reached;
            letter.reached |= 1 << subscriber.min(63);
            before == letter.reached
        });
        if again {
            self.sink.offered(Hazard::Duplicate, to);
        }
    }

    /// The relay looks at its outbox.
    pub(super) fn relay_tick(&mut self, service: u16) {
        let service = ServiceId(service);
        self.world.relays[service.index()].due = false;
        // Where all replicas are down or paused, the first that is back wakes it again.
        let Some(node) = self.relays_at(service) else { return };
        let policy = &self.known.relays[service.index()];
        let now = self.now();
        let mut rows = std::mem::take(&mut self.world.relays[service.index()].rows);
        rows.retain(|&(_, id)| self.world.outbox.has(id));
        rows.sort_unstable_by_key(|&(number, _)| number);
        for &(number, id) in &rows {
            let Some(row) = self.world.outbox.get(id) else { continue };
            let cursor = self.world.relays[service.index()].cursor;
            let waited = now.since(row.committed_at) >= policy.gap;
            let due = row.picked
                || match policy.kind {
                    RelayKind::Flag => true,
                    RelayKind::Cursor => number > cursor,
                    RelayKind::Gap => number <= cursor + 1 || waited,
                };
            if !due {
                continue;
            }
            self.world.relays[service.index()].cursor = cursor.max(number);
            let row = &mut self.world.outbox[id];
            row.picked = true;
            row.sends += 1;
            row.last_sent = now;
            if !self.send_letter(id, node) {
                break;
            }
        }
        // What was committed meanwhile comes behind.
        let relay = &mut self.world.relays[service.index()];
        rows.append(&mut relay.rows);
        relay.rows = rows;
        self.wake_relay(service);
    }

    /// Sends a letter to all who have not acknowledged it. Returns whether the relay's node is still up.
    fn send_letter(&mut self, id: Id, node: u32) -> bool {
        let OutboxRow { letter, ctx, path, open, sends, .. } = self.world.outbox[id];
        let words = self.world.outbox[id].payload.clone();
        match letter {
            Letter::Event(topic) => self.send_event(topic, node, ctx, path, &words, open, sends, Some(id)),
            letter => {
                let answer = From::Relay { node, row: id, subscriber: 0 };
                let life = self.world.nodes[node as usize].life;
                self.carry(letter, node, ctx, path, &words, sends, answer);
                self.world.nodes[node as usize].life == life
            }
        }
    }

    /// Hands the part's events to the network, once.
    pub(super) fn publish_step(&mut self, task: &mut Running, program: &Program, part: u8) -> Went {
        let of = &program.parts[part as usize];
        if task.is_silent(program, part) {
            return Went::On;
        }
        for (n, publish) in of.publish.iter().enumerate() {
            let Task { ctx, node, path: task_path, .. } = **task;
            let (path, words) = self.event_words(task, part, n, publish);
            self.record(Kind::Publish, task_path, &ctx, |r| {
                r.op = publish.topic.0;
                r.who = node;
            });
            // What strikes on the way may end the task.
            let id = self.put_back(task);
            let up = self.send_event(publish.topic, node, ctx, path, &words, u64::MAX, 1, None);
            if !self.take_out(id, task) || !up {
                return Went::Gone;
            }
        }
        Went::On
    }

    /// Sends an event to its subscribers. Returns whether the sender is still up.
    #[expect(clippy::too_many_arguments, reason = "an event is all of this")]
    fn send_event(
        &mut self,
        topic: TopicId,
        node: u32,
        ctx: Ctx,
        path: Path,
        words: &[Word],
        open: u64,
        n: u32,
        row: Option<Id>,
    ) -> bool {
        let plan = self.plan;
        let subject = Subject::Topic(topic);
        if self.passes(0, PointKind::Publish, subject, node, ctx, path, &words[HEAD..]) {
            return false;
        }
        for (number, subscriber) in plan.model.topic(topic).subscribers.iter().enumerate() {
            if open & 1 << number.min(63) == 0 {
                continue;
            }
            let service = match subscriber.target {
                Target::Op(op) => Some(plan.model.operation(op).service),
                Target::Flow(flow) => plan.model.flow(flow).by,
            };
            let Some(service) = service else { continue };
            let replicas = plan.model.service(service).replicas;
            let to = plan.nodes.replica(service, (ctx.client.wrapping_add(n)) % replicas);
            let name = path.child(Role::Subscriber, number as u32).child(Role::Try, n);
            let effect = Self::effect(ctx.effect, (u32::from(topic.0) << 8 | number as u32) + 0x1_0000);
            let told = Ctx { effect, instance: NONE, step: NONE, call: path.0, sent: name.0, ..ctx };
            let answer = match row {
                Some(row) => From::Relay { node, row, subscriber: number as u8 },
                None => From::Nobody,
            };
            let sent = self.send(&Outgoing {
                parcel: Parcel::Event(topic, number as u8),
                point: PointKind::Event,
                subject,
                from: node,
                to,
                path: name,
                ctx: &told,
                answer,
                payload: words,
                args: &words[HEAD..],
            });
            if !sent {
                return false;
            }
        }
        !self.passes(1, PointKind::Publish, subject, node, ctx, path, &words[HEAD..])
    }

    /// An event arrives at a subscriber.
    #[expect(clippy::too_many_arguments, reason = "an event is all of this")]
    pub(super) fn event_arrives(
        &mut self,
        topic: TopicId,
        number: u8,
        node: u32,
        ctx: Ctx,
        path: Path,
        answer: From,
        words: &[Word],
    ) {
        let plan = self.plan;
        let subscriber = &plan.model.topic(topic).subscribers[number as usize];
        let mut event = [NULL; HEAD];
        event.copy_from_slice(&words[..HEAD]);
        let fields = &words[HEAD..];
        let args: Vec<Word> =
            subscriber.args.iter().map(|field| field.map_or(NULL, |field| fields[field as usize])).collect();
        match subscriber.target {
            Target::Op(op) => self.start_subscriber(op, node, ctx, path, answer, &args, event),
            Target::Flow(flow) => self.start_flow(flow, node, ctx, path, answer, &args),
        }
    }

    /// Acknowledges an event, if it has been dealt with.
    pub(super) fn send_ack(&mut self, to: u32, row: Id, subscriber: u8, status: Status, what: Answered<'_>) {
        if !matches!(status, Status::Ok(_) | Status::Refused(_) | Status::Skipped(_)) {
            return;
        }
        let topic = match self.world.outbox.get(row).map(|row| row.letter) {
            Some(Letter::Event(topic)) => topic,
            _ => NO_TOPIC,
        };
        if to == what.node {
            return self.acknowledged(topic, row, subscriber, to);
        }
        self.send(&Outgoing {
            parcel: Parcel::Ack(topic, row, subscriber),
            point: PointKind::Ack,
            subject: Subject::Topic(topic),
            from: what.node,
            to,
            path: what.path.child(Role::Ack, 0),
            ctx: what.ctx,
            answer: From::Nobody,
            payload: &[],
            args: what.args,
        });
    }

    /// The relay notes that a subscriber has an event.
    pub(super) fn acknowledged(&mut self, topic: TopicId, row: Id, subscriber: u8, node: u32) {
        let Some(letter) = self.world.outbox.get(row) else { return };
        let (ctx, path, open) = (letter.ctx, letter.path, letter.open);
        let subject = Subject::Topic(topic);
        if open & 1 << subscriber == 0 || self.passes(0, PointKind::Mark, subject, node, ctx, path, &[]) {
            return;
        }
        let letter = &mut self.world.outbox[row];
        letter.open &= !(1 << subscriber);
        let done = letter.open == 0;
        self.record(Kind::Mark, path, &ctx, |r| {
            r.op = topic.0;
            r.who = node;
        });
        self.hold(&ctx);
        if done {
            self.drop_letter(row);
        }
        self.passes(1, PointKind::Mark, subject, node, ctx, path, &[]);
        self.let_go(&ctx);
    }
}
