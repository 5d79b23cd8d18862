//! The identity of a fault rule: what its draws are named by.
//!
//! It is made of what the rule says by ordinals: verb, target, `nth`. Names, rates and times are left out, so renaming
//! shifts no luck and a higher rate only adds hits. Rules alike in all that are numbered.

use crate::kernel::path::mix;
use crate::model::weather::{FaultVerb, Link, Messages, Moment, Place, Point, Subject};

/// The identities given out so far.
#[derive(Debug, Default)]
pub(super) struct Identities {
    known: Vec<u64>,
}

impl Identities {
    /// The identity of the next rule.
    pub(super) fn of(&mut self, verb: &FaultVerb, nth: &[u32]) -> u64 {
        let mut alike = verb_hash(verb);
        for n in nth {
            alike = mix(alike, u64::from(*n));
        }
        let number = self.known.iter().filter(|known| **known == alike).count();
        self.known.push(alike);
        mix(alike, number as u64)
    }
}

/// The numbers of the verbs are part of what a seed means: they never change.
fn verb_hash(verb: &FaultVerb) -> u64 {
    match verb {
        FaultVerb::Lose(messages) => mix(1, messages_hash(messages)),
        FaultVerb::Delay(messages, _) => mix(2, messages_hash(messages)),
        FaultVerb::Duplicate(messages, _) => mix(3, messages_hash(messages)),
        FaultVerb::Refuse(subject, _) => mix(4, subject_hash(*subject)),
        FaultVerb::Fail(subject) => mix(5, subject_hash(*subject)),
        FaultVerb::Crash(place, moment, _) => mix(mix(6, place_hash(*place)), moment_hash(moment)),
        FaultVerb::Pause(place, moment, _) => mix(mix(7, place_hash(*place)), moment_hash(moment)),
        FaultVerb::Cut(link, moment, _) => mix(mix(8, link_hash(link)), moment_hash(moment)),
    }
}

fn messages_hash(messages: &Messages) -> u64 {
    match messages {
        Messages::At(point) => mix(1, point_hash(*point)),
        Messages::On(link) => mix(2, link_hash(link)),
    }
}

fn moment_hash(moment: &Moment) -> u64 {
    match moment {
        Moment::At(_) => 1,
        Moment::Every(_) => 2,
        Moment::Before(point) => mix(3, point_hash(*point)),
        Moment::After(point) => mix(4, point_hash(*point)),
    }
}

fn point_hash(point: Point) -> u64 {
    mix(point.kind as u64, subject_hash(point.of))
}

fn subject_hash(subject: Subject) -> u64 {
    match subject {
        Subject::Any => 0,
        Subject::Op(op) => mix(1, u64::from(op.0)),
        Subject::Flow(flow) => mix(2, u64::from(flow.0)),
        Subject::Topic(topic) => mix(3, u64::from(topic.0)),
    }
}

fn place_hash(place: Place) -> u64 {
    match place {
        Place::Any => 0,
        Place::Service(service) => mix(1, u64::from(service.0)),
        Place::Replica(service, n) => mix(mix(2, u64::from(service.0)), u64::from(n)),
        Place::Database(service) => mix(3, u64::from(service.0)),
        Place::Group(group) => mix(4, u64::from(group.0)),
    }
}

fn link_hash(link: &Link) -> u64 {
    let side =
        |places: &[Place]| places.iter().fold(places.len() as u64, |sum, place| mix(sum, place_hash(*place)));
    mix(mix(side(&link.from), side(&link.to)), u64::from(link.both))
}
