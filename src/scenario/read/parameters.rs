//! The parameters of policies, with the defaults of the language where a file says nothing.

use super::super::fields::Fields;
use super::values::span_or_ever;
use crate::kernel::time::Span;
use crate::model::how::*;

/// A number of times; `None` is without end.
fn times(fields: &Fields<'_>, key: &str, default: Option<u32>) -> Option<u32> {
    match fields.integer(key) {
        Some(n) => Some(n as u32),
        None if fields.has(key) => None,
        None => default,
    }
}

pub(super) fn write_policy(fields: &Fields<'_>, used: &str) -> WritePolicy {
    match used {
        "patch" => WritePolicy::Patch,
        "relative" => WritePolicy::Relative,
        "guarded" => WritePolicy::Guarded,
        "occ" => WritePolicy::Occ(Occ {
            scope: if fields.word("scope") == Some("reads") { OccScope::Reads } else { OccScope::Row },
            on_conflict: match fields.word("on_conflict") {
                Some("reject") => OnConflict::Reject,
                Some("force") => OnConflict::Force,
                Some("merge") => OnConflict::Merge,
                Some("already") => OnConflict::Already,
                _ => OnConflict::Redo,
            },
            tries: times(fields, "tries", None),
        }),
        "lock" => WritePolicy::Lock { wait: fields.time_or_ever("wait").map_or(Span::SECOND, span_or_ever) },
        _ => WritePolicy::Absolute,
    }
}

pub(super) fn key_source(word: &str) -> Option<KeySource> {
    Some(match word {
        "intent" => KeySource::Intent,
        "call" => KeySource::Call,
        "attempt" => KeySource::Attempt,
        "payload" => KeySource::Payload,
        "message" => KeySource::Message,
        _ => return None,
    })
}

pub(super) fn key_policy(fields: &Fields<'_>) -> KeyPolicy {
    let ever = |key| fields.time_or_ever(key).map_or(Span::MAX, span_or_ever);
    KeyPolicy {
        source: fields.word("key").and_then(key_source).unwrap_or(KeySource::Intent),
        store: match fields.word("store") {
            Some("before") => KeyStore::Before,
            Some("after") => KeyStore::After,
            _ => KeyStore::With,
        },
        same_key: if fields.word("same_key") == Some("compare") { SameKey::Compare } else { SameKey::Replay },
        busy: match fields.word("busy") {
            Some("wait") => Busy::Wait,
            Some("ignore") => Busy::Ignore,
            _ => Busy::Reject,
        },
        busy_for: ever("busy_for"),
        ttl: ever("ttl"),
        memory: if fields.word("memory") == Some("replica") { KeyMemory::Replica } else { KeyMemory::Shared },
        keep: match fields.word("keep") {
            Some("success") => Keep::Success,
            Some("nothing") => Keep::Nothing,
            _ => Keep::Any,
        },
    }
}

pub(super) fn retry_policy(fields: &Fields<'_>) -> Retry {
    Retry {
        timeout: fields.time_or_ever("timeout").map_or(Span::SECOND, span_or_ever),
        attempts: times(fields, "attempts", Some(1)),
        on_timeout: if fields.word("on_timeout") == Some("redo") {
            OnTimeout::Redo
        } else {
            OnTimeout::Resend
        },
        backoff: match fields.word("backoff") {
            Some("fixed") => Backoff::Fixed,
            Some("exponential") => Backoff::Exponential,
            Some("period") => Backoff::Period,
            _ => Backoff::None,
        },
        first: fields.fixed_time("first").map_or(Span::ZERO, Span),
        factor: fields.integer("factor").unwrap_or(2) as u32,
        cap: fields.time_or_ever("cap").map_or(Span::MAX, span_or_ever),
        jitter: match fields.word("jitter") {
            Some("full") => Jitter::Full,
            Some("equal") => Jitter::Equal,
            Some("decorrelated") => Jitter::Decorrelated,
            _ => Jitter::None,
        },
        give_up_on_refusals: fields.word("give_up_on") != Some("nothing"),
        late: if fields.word("late") == Some("accept") { Late::Accept } else { Late::Ignore },
    }
}

pub(super) fn coordination_policy(fields: &Fields<'_>, used: &str) -> Coordination {
    let answer = if fields.word("answer") == Some("accepted") { Answer::Accepted } else { Answer::Done };
    match used {
        "fire-and-forget" => Coordination::FireAndForget,
        "saga" => Coordination::Saga(SagaPolicy {
            answer,
            durable: fields.word("log") != Some("memory"),
            register: if fields.word("register") == Some("after") {
                Register::After
            } else {
                Register::Before
            },
            recover: if fields.word("recover") == Some("forward") { Recover::Forward } else { Recover::Back },
            undo: match fields.word("undo") {
                Some("forward") => UndoOrder::Forward,
                Some("parallel") => UndoOrder::Parallel,
                _ => UndoOrder::Reverse,
            },
            stuck_undo: match fields.word("stuck_undo") {
                Some("park") => StuckUndo::Park,
                Some("stop") => StuckUndo::Stop,
                _ => StuckUndo::Retry,
            },
            fence: fields.flag("fence").unwrap_or(false),
        }),
        "choreography" => Coordination::Choreography { answer },
        "merged" => Coordination::Merged,
        _ => Coordination::Calls { answer },
    }
}
