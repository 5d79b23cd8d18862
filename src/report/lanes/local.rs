//! What happens at one node, in a few words: the part of a picture that is no message.

use super::{Picture, What};
use crate::model::ids::{FlowId, TableId};
use crate::model::record::{FlowMove, Kind, Outcome, Record, StepRole, commit};
use crate::model::value::Word;
use crate::report::look::Sign;

impl Picture<'_, '_> {
    /// What happens at one node, if it is shown at all.
    pub(super) fn local(&self, at: usize, record: &Record) -> Option<What> {
        let scene = self.scene;
        let whose = self.whose(at);
        let event = |node: u32, sign: Sign, note: String| {
            Some(What::Event { node, sign, note: format!("{whose}{note}") })
        };
        let place = || scene.place(record.path).or((record.who < scene.nodes.count).then_some(record.who));
        let op = || scene.short_target(record.op);
        match record.kind {
            Kind::Invoke => event(record.who, Sign::Client, format!("wants {}", scene.target(record.op))),
            Kind::Complete => {
                let intent = scene.intents.get(scene.owner[at] as usize)?;
                let node = intent.node;
                let reason = intent.told.as_ref().map_or("", |(_, _, reason)| reason);
                let note = match Outcome::of(record.flag) {
                    Outcome::Ok => "told ok".into(),
                    Outcome::Failed => format!("told failed: {reason}"),
                    Outcome::Unknown if intent.was_told_unknown() => "told: not known".into(),
                    Outcome::Unknown => "gives up, knows nothing".into(),
                };
                event(node, Sign::Client, note)
            }
            Kind::Read => {
                let same = scene.trace.records[at..].iter();
                let same = same.take_while(|next| next.kind == Kind::Read && next.path == record.path);
                let rows: Vec<String> = same
                    .map(|read| format!("{} v{}", scene.row(TableId(read.op), read.row, true), read.ver))
                    .collect();
                event(place()?, Sign::Nothing, format!("reads {}", rows.join(", ")))
            }
            Kind::Commit => {
                let node = scene.place(record.path)?;
                let quiet = commit::SKIPPED | commit::FENCED;
                let sign = if record.flag & quiet != 0 { Sign::Nothing } else { Sign::Commit };
                let note = scene.changes(at, true).join("; ");
                let how = match record.step() {
                    _ if record.flag & commit::REFUSED != 0 => format!("{} refused: ", op()),
                    Some((_, StepRole::Undo)) => format!("undone by {}: ", op()),
                    _ => String::new(),
                };
                event(node, sign, format!("{how}{note}"))
            }
            Kind::Rollback => {
                let how = scene.rolled_back(at).unwrap_or("rolled back");
                event(place()?, Sign::Nothing, format!("{} {how}", op()))
            }
            Kind::Refused => {
                let by = if record.flag == 1 { " (weather)" } else { "" };
                event(
                    place()?,
                    Sign::Nothing,
                    format!("{} refuses: {}{by}", op(), scene.text(record.data as Word)),
                )
            }
            Kind::Failed => event(place()?, Sign::Nothing, format!("{} fails: {}", op(), scene.failure(at))),
            Kind::Conflict => {
                let row = scene.row(TableId(record.data as u16), record.row, true);
                event(place()?, Sign::Nothing, format!("{}: {row} has changed", op()))
            }
            Kind::Replay if scene.is_hollow(at) => {
                event(place()?, Sign::Nothing, format!("{}: key known, but not carried out", op()))
            }
            Kind::Replay => event(place()?, Sign::Nothing, format!("{}: known, answers again", op())),
            Kind::Busy => event(place()?, Sign::Nothing, format!("{}: the first is in progress", op())),
            Kind::LockWait if record.flag == 1 => {
                event(place()?, Sign::Nothing, "waits for a table lock".into())
            }
            Kind::LockWait => event(place()?, Sign::Nothing, "waits for a row lock".into()),
            Kind::Timeout => event(record.who, Sign::Timeout, format!("no answer to {} in time", op())),
            Kind::Crash => event(record.who, Sign::Crash, format!("crashes: {}", scene.rule(record.data))),
            Kind::Restart => event(record.who, Sign::Crash, "is back".into()),
            Kind::Pause => event(record.who, Sign::Crash, format!("pauses: {}", scene.rule(record.data))),
            Kind::Resume => event(record.who, Sign::Crash, "goes on".into()),
            Kind::Cut => {
                let what = if record.flag == 1 { "cut" } else { "mended" };
                Some(What::World { note: format!("{what}: {}", scene.rule(record.data)) })
            }
            Kind::Heal => Some(What::World { note: "the weather ends: no fault from here on".into() }),
            Kind::End => {
                Some(What::World { note: "the run is over, and something never came to rest".into() })
            }
            Kind::Flow => {
                let note = match FlowMove::ALL.get(usize::from(record.flag))? {
                    FlowMove::StepUnknown => {
                        format!("cannot know about {}", scene.step(FlowId(record.op), record.row as u8))
                    }
                    FlowMove::Compensating => "turns back".into(),
                    FlowMove::Parked => "sets it aside for a person".into(),
                    FlowMove::Completed => "believes: all done".into(),
                    FlowMove::Compensated => "believes: all undone".into(),
                    FlowMove::Escalated => "stops in between".into(),
                    FlowMove::Recovered => "takes it up again".into(),
                    FlowMove::GaveUp if scene.turned_back(at) => "gives up undoing".into(),
                    FlowMove::GaveUp => "gives up, undoes nothing".into(),
                    _ => return None,
                };
                let node = scene.coordinator(at)?;
                event(node, Sign::Flow, format!("{}: {note}", scene.flow(FlowId(record.op))))
            }
            Kind::Publish if record.flag == 1 => {
                event(record.who, Sign::Flow, format!("{} in the outbox", scene.subject(record)))
            }
            Kind::Publish | Kind::Mark | Kind::Sent | Kind::Lost | Kind::Delivered | Kind::Begin => None,
            Kind::Install | Kind::Settled | Kind::Delayed => None,
        }
    }
}
