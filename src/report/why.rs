//! Why something was said no to, where the record of it does not say so: conflicts and technical errors carry no reason.

use crate::model::record::{FlowMove, Kind, NONE, Record, StepRole};

/// The reasons that are told where the record has none.
#[cfg(test)]
pub(super) const REASONS: [&str; 5] = [CONFLICT, ERROR, DEADLOCK, WAITED, WAITED_TABLE];
const CONFLICT: &str = "conflict";
const ERROR: &str = "technical error";
const DEADLOCK: &str = "deadlock";
const WAITED: &str = "waited too long for a row lock";
const WAITED_TABLE: &str = "waited too long for a table lock";

/// How an intent was last said no to, kept while its records go by.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct No {
    /// The record of a conflict or a technical error, if that was the last.
    last: Option<usize>,
    /// A step of its flow is known to be refused: that has a reason, whatever its compensations met.
    refused: bool,
}

impl No {
    /// Notes a record of the intent.
    #[inline]
    pub(super) fn note(&mut self, at: usize, record: &Record) {
        if matches!(record.kind, Kind::Invoke | Kind::Refused | Kind::Conflict | Kind::Failed | Kind::Flow) {
            self.note_no(at, record);
        }
    }

    fn note_no(&mut self, at: usize, record: &Record) {
        match record.kind {
            Kind::Invoke => *self = No::default(),
            Kind::Flow if record.flag == FlowMove::StepRefused as u8 => self.refused = true,
            Kind::Conflict => self.last = Some(at),
            Kind::Refused | Kind::Failed if !matches!(record.step(), Some((_, StepRole::Undo))) => {
                self.last = (record.kind == Kind::Failed).then_some(at);
            }
            _ => {}
        }
    }

    /// The reason that its end has, if the record of the end has none.
    pub(super) fn reason(&self, end: &Record, records: &[Record]) -> Option<&'static str> {
        let at = self.last.filter(|_| end.data == 0 && !self.refused)?;
        Some(if records[at].kind == Kind::Conflict { CONFLICT } else { failure(records, at) })
    }
}

/// The reason of the end of an intent, if its record has none: what keeping a [`No`] comes to, looked up afterwards.
pub(super) fn reason_at(records: &[Record], at: usize) -> Option<&'static str> {
    let mut kept: Option<No> = None;
    for (n, record) in records[..=at].iter().enumerate() {
        if record.intent != records[at].intent || record.intent == NONE {
            continue;
        }
        if record.kind == Kind::Invoke {
            kept = Some(No::default());
        }
        if let Some(no) = &mut kept {
            no.note(n, record);
        }
    }
    kept?.reason(&records[at], records)
}

/// Why an operation failed technically, as far as the records tell.
///
/// A deadlock is found when somebody begins to wait, and its victim fails at once: that record is the one before. Who had
/// been waiting and fails at another time has waited long enough.
pub(super) fn failure(records: &[Record], at: usize) -> &'static str {
    let failed = &records[at];
    let last = records[..at].iter().rev().find(|before| before.path == failed.path);
    let Some(last) = last.filter(|last| last.kind == Kind::LockWait) else { return ERROR };
    // Where many rings close at once, others have failed in between.
    let fails = |record: &&Record| {
        matches!(record.kind, Kind::Failed | Kind::Rollback | Kind::Sent | Kind::Lost | Kind::Delayed)
    };
    let before = records[..at].iter().rev().find(|record| record.at < failed.at || !fails(record));
    let closed = before.is_some_and(|last| last.kind == Kind::LockWait && last.at == failed.at);
    match closed {
        true => DEADLOCK,
        false if last.flag == 1 => WAITED_TABLE,
        false => WAITED,
    }
}
