//! A service in Rust between modelled ones: a participant of a two-phase commit, and what is left behind if it makes one
//! mistake.
//!
//! The desk books a flight and a room: both vote, then both are told to commit. That is a flow of the scenario file; the
//! two that vote are this process. What it must remember it commits to its service's tables, so that the invariants see
//! it and a crash can fall before and after. What it keeps in its fields is gone after a crash.
//!
//! ```text
//! cargo run --example own_process
//! ```

use halfway::Scenario;
use halfway::kernel::time::Span;
use halfway::model::value::Word;
use halfway::own::{Commit, Db, Input, Out, Process, Said, Ticket};

/// The one mistake that a participant makes.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Mistake {
    None,
    /// It says yes before its vote is in the log.
    VotesEarly,
    /// It has voted yes, hears nothing for a while, and decides by itself.
    AbortsAlone,
}

#[derive(Clone, PartialEq)]
pub(crate) struct Participant {
    mistake: Mistake,
    /// Who waits for a commit to become durable. Volatile.
    waiting: Vec<(u32, Word, Ticket)>,
}

const VOTE: u32 = 1;
const DECIDE: u32 = 2;
const DOUBT: u32 = 3;
const PATIENCE: Span = Span::millis(100);

impl Participant {
    fn prepare(&mut self, ticket: Ticket, booking: Word, db: &mut Db<'_>, out: &mut Out) {
        if let Some(row) = db.get("log", booking) {
            let no = row.is("state", "aborted");
            return out.again(ticket, if no { Said::Refused(db.text("aborted")) } else { Said::Ok(1) });
        }
        let free = db.get("places", 1).map_or(0, |row| row.get("free"));
        if free == 0 {
            return out.refuse(ticket, db.text("full"));
        }
        let vote = Commit::new()
            .insert("log", booking, &[("state", db.text("prepared"))])
            .put("places", 1, &[("free", free - 1)])
            .only_if_unchanged("places", 1);
        // From here on until it is decided the booking is open, whatever crashes.
        out.commit(vote.keep(booking), VOTE, booking);
        if self.mistake == Mistake::VotesEarly {
            return out.ok(ticket, 1);
        }
        self.waiting.push((VOTE, booking, ticket));
    }

    fn decide(&mut self, ticket: Option<Ticket>, booking: Word, state: &str, db: &mut Db<'_>, out: &mut Out) {
        let before = db.get("log", booking);
        let prepared = before.as_ref().is_some_and(|row| row.is("state", "prepared"));
        if let (Some(row), Some(ticket), false) = (&before, ticket, prepared) {
            let same = row.is("state", state);
            return out.again(ticket, if same { Said::Ok(1) } else { Said::Refused(row.get("state")) });
        }
        let mut decision = Commit::new().put("log", booking, &[("state", db.text(state))]).release(booking);
        if prepared && state == "aborted" {
            let free = db.get("places", 1).map_or(0, |row| row.get("free"));
            decision = decision.put("places", 1, &[("free", free + 1)]).only_if_unchanged("places", 1);
        }
        out.commit(
            decision.only_if_unchanged("log", booking).part(u16::from(ticket.is_none())),
            DECIDE,
            booking,
        );
        self.waiting.extend(ticket.map(|ticket| (DECIDE, booking, ticket)));
    }

    fn answer(&mut self, tag: u32, booking: Word, mut say: impl FnMut(Ticket)) {
        let mine = |(of, about, _): &(u32, Word, Ticket)| (*of, *about) == (tag, booking);
        self.waiting.iter().filter(|one| mine(one)).for_each(|one| say(one.2));
        self.waiting.retain(|one| !mine(one));
    }
}

impl Process for Participant {
    fn texts(&self) -> Vec<String> {
        ["prepared", "committed", "aborted", "full"].map(String::from).into()
    }

    /// After a crash: what is in doubt is waited for again.
    fn start(&mut self, db: &mut Db<'_>, out: &mut Out) {
        for row in db.rows("log").iter().filter(|row| row.is("state", "prepared")) {
            out.resume(row.key());
            out.arm(PATIENCE, DOUBT, row.key());
        }
    }

    fn on(&mut self, input: Input<'_>, db: &mut Db<'_>, out: &mut Out) {
        match input {
            Input::Request { ticket, op: "prepare", args } => self.prepare(ticket, args[0], db, out),
            Input::Request { ticket, op: "commit", args } => {
                self.decide(Some(ticket), args[0], "committed", db, out);
            }
            Input::Request { ticket, args, .. } => self.decide(Some(ticket), args[0], "aborted", db, out),
            Input::Committed { tag, note } => {
                self.answer(tag, note, |ticket| out.ok(ticket, 1));
                if tag == VOTE {
                    out.arm(PATIENCE, DOUBT, note);
                }
            }
            Input::Dropped { tag, note } => self.answer(tag, note, |ticket| out.fail(ticket)),
            // Who has voted yes can only wait: the decision is not its own.
            Input::Timer { note, .. } if self.mistake == Mistake::AbortsAlone => {
                self.decide(None, note, "aborted", db, out);
            }
            Input::Timer { .. } | Input::Reply { .. } => {}
        }
    }
}

impl Participant {
    /// A participant that has not been asked for anything yet.
    pub(crate) fn new(mistake: Mistake) -> Participant {
        Participant { mistake, waiting: Vec::new() }
    }
}

/// The scenario, with a participant at both ends.
fn booking(mistake: Mistake) -> Result<Scenario, Box<dyn std::error::Error>> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/own_process.json");
    Ok(Scenario::load(file)?.with_process("participant", Participant::new(mistake))?)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("{}", booking(Mistake::None)?.seeds(0..300).check()?);
    for mistake in [Mistake::VotesEarly, Mistake::AbortsAlone] {
        match booking(mistake)?.seeds(0..300).check() {
            Ok(checked) => println!("nothing found:\n{checked}"),
            Err(failed) => println!("{failed}"),
        }
    }
    Ok(())
}

#[test]
fn a_participant_that_waits_leaves_no_half_booking_and_either_mistake_does() {
    let tried = |mistake| booking(mistake).unwrap();
    assert!(tried(Mistake::None).seeds(0..100).check().is_ok());
    let early = tried(Mistake::VotesEarly);
    assert!(early.seeds(0..100).violates("outcome-agrees").violates("places add up").check().is_ok());
    let alone = tried(Mistake::AbortsAlone);
    assert!(alone.seeds(0..100).violates("both or none").violates("places add up").check().is_ok());
}
