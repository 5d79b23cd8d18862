//! What the words of results mean: verdicts, hazards, moves and ends of flows, reasons, columns, records of a history.
//!
//! `halfway explain` tells it. Each kind of word is one exhaustive `match`, so that a new one cannot be left out; a test
//! holds that all of them are explained.

use super::history::{kind_word, move_word};
use super::json::status;
use super::summary::Ending;
use crate::explore::CellStatus;
use crate::model::invariant::Verdict;
use crate::model::own::Hazard;
use crate::model::record::{FlowMove, Kind};

/// A word of results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said {
    /// The word.
    pub word: &'static str,
    /// What kind of word it is.
    pub what: &'static str,
    /// What it means, in sentences.
    pub doc: &'static str,
    /// The same in a few words, where reports say that.
    pub also: Option<&'static str>,
}

/// All words of results, but for those that a key or a count of the language is named after and that mean the same.
pub fn words() -> Vec<Said> {
    let said = |what, word, doc| Said { word, what, doc, also: None };
    let mut all = Vec::new();
    // The others are words of the language, too.
    all.push(said("verdict", Verdict::Error.word(), verdict(Verdict::Error)));
    for one in Hazard::ALL {
        let (word, doc) = hazard(one);
        all.push(Said { word, what: "what may break an invariant", doc, also: Some(one.describe()) });
    }
    all.extend(REASONS.map(|(word, doc)| said("reason", word, doc)));
    all.extend(ANSWERS.map(|(word, doc)| said("answer in a picture", word, doc)));
    all.extend(COLUMNS.map(|(word, doc)| said("column of a report", word, doc)));
    let statuses = [
        CellStatus::Unremarkable,
        CellStatus::Expected,
        CellStatus::Finding,
        CellStatus::Missed,
        CellStatus::Inconclusive,
    ];
    all.extend(statuses.map(|one| said("status of a cell", status(one), cell(one))));
    all.extend(Ending::ALL.map(|one| said("result", one.word(), ending(one))));
    all.extend(FlowMove::ALL.map(|one| said("move of a flow", move_word(one as u8), flow(one))));
    all.extend(Kind::ALL.map(|one| said("record of a history", kind_word(one), record(one))));
    all
}

/// What a verdict says, where the language has no word for it.
fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Error => {
            "It has no value in some run, as where it divides by zero; see HW0601. Nobody can expect it."
        }
        Verdict::Holds
        | Verdict::Violated
        | Verdict::Stuck
        | Verdict::Inconclusive
        | Verdict::NotApplicable => "",
    }
}

fn hazard(hazard: Hazard) -> (&'static str, &'static str) {
    match hazard {
        Hazard::Contention => (
            "contention",
            "Two intents open at the same time met on one row, at least one of them through an operation that writes; or one \
             made the other wait for a lock.",
        ),
        Hazard::Duplicate => {
            ("duplicate", "A second copy of a message arrived, or an event that an outbox has sent again.")
        }
        Hazard::RequestLost => ("lost request", "A request or an event was lost."),
        Hazard::ReplyLost => (
            "lost answer",
            "An answer or an acknowledgement was lost although what it answers had been done.",
        ),
        Hazard::Crash => ("crash", "A node crashed that was at work."),
        Hazard::Refusal => {
            ("refusal", "An operation refused after another step of the same intent had taken effect.")
        }
        Hazard::Retry => ("retry", "A caller asked again after it had stopped waiting."),
        Hazard::Delay => ("delay", "A message was held up, or what was due at a node that stood still."),
        Hazard::Undo => ("undo", "A compensation was carried out."),
        Hazard::Failure => ("failure", "An operation failed technically."),
    }
}

/// Why something was said no to, but for the reasons that a file gives itself.
const REASONS: [(&str, &str); 11] = [
    ("missing", "There is no such row. A refusal: definite."),
    ("exists", "There is such a row already, or one with the same value of `unique`. A refusal: definite."),
    (
        "error",
        "An expression of the operation had no value: it divides by zero, overflows, or meets null. A refusal: definite.",
    ),
    (
        "other request",
        "The key is known, but the arguments differ (`same_key` `compare`). A refusal: definite.",
    ),
    ("fenced", "The step came after its compensation, and a `fence` kept it out. A refusal: definite."),
    ("refused", "A `require` without a name was not met, or the weather refuses."),
    ("conflict", "A version had changed, and the caller was told (`on_conflict`)."),
    (
        "deadlock",
        "Each of some transactions waited for a lock of the next one, in a ring: one of them gave way. Nothing of it is \
         done, and its caller may repeat it.",
    ),
    (
        "waited too long for a table lock",
        "Who looks through a table under the policy `lock` keeps others from its rows, and they wait. What `wait` allows was \
         over; nothing is done, and the caller may repeat it.",
    ),
    (
        "waited too long for a row lock",
        "What `wait` of the policy `lock` allows was over. Nothing is done, and the caller may repeat it.",
    ),
    ("technical error", "A fault `fail`, a database that is down, or a step that could not be carried out."),
];

/// What the arrows of pictures say of answers, besides the words for outcomes.
const ANSWERS: [(&str, &str); 6] = [
    ("answer", "It says nothing but that it is there, as to who fetches."),
    ("accepted", "The flow has begun; what becomes of it is told to nobody."),
    ("ok again", "The request was known, and its answer is repeated: done."),
    ("refused again", "The request was known, and its answer is repeated: refused."),
    ("failed again", "The request was known, and its answer is repeated: the flow failed."),
    ("again", "The request was known, and its answer is repeated; which one it was nobody can tell."),
];

/// What stands above columns, and what is said of whole rows.
const COLUMNS: [(&str, &str); 6] = [
    ("requests", "Requests sent for each intent, repetitions included; `count.attempts`."),
    ("no end", "The share of intents that never ended for their client."),
    ("store ops", "Statements of databases for each intent."),
    (
        "wait p50",
        "How long half of the intents took at most, for their client: an upper bound, to about a sixteenth.",
    ),
    ("wait p99", "The same of 99 in a hundred."),
    (
        "one history",
        "Nothing is left to the seed, so that all runs are alike: they are one, and there is no bound for others.",
    ),
];

fn cell(status: CellStatus) -> &'static str {
    match status {
        CellStatus::Unremarkable => "Nothing is expected of it, and nothing is wrong.",
        CellStatus::Expected => "As the file expects.",
        CellStatus::Finding => {
            "Something is violated or stuck, or without a value, that is not expected to be."
        }
        CellStatus::Missed => "What was expected did not come.",
        CellStatus::Inconclusive => "Too little was seen to say whether it is as expected.",
    }
}

fn ending(ending: Ending) -> &'static str {
    match ending {
        Ending::AsExpected => "All is as expected; the exit code is 0.",
        Ending::Inconclusive => {
            "Too little was seen of something expected, or in some case no cell was earned; the exit code is 3."
        }
        Ending::Finding => {
            "Something is wrong that was not expected, or an expectation was missed; the exit code is 1."
        }
        Ending::Unsound => {
            "A file cannot be run, an invariant has no value, or a fault never strikes; the exit code is 2."
        }
        Ending::Panicked => "A run panicked: a fault of the program or of code in Rust; the exit code is 70.",
    }
}

fn flow(what: FlowMove) -> &'static str {
    match what {
        FlowMove::Started => "It starts.",
        FlowMove::Asked => "A step is asked for.",
        FlowMove::Done => "A step is known to be done, or is left out because of its `when`.",
        FlowMove::StepRefused => "A step is known to be refused.",
        FlowMove::StepUnknown => "Nobody knows whether a step is done.",
        FlowMove::Compensating => "It turns back: from here on, it undoes what may have been done.",
        FlowMove::UndoAsked => "The compensation of a step is asked for.",
        FlowMove::Undone => "A step is known to be undone.",
        FlowMove::Parked => "A compensation that cannot be carried out is set aside for a person.",
        FlowMove::Completed => "It ends and believes that all is done.",
        FlowMove::Compensated => "It ends and believes that all is undone.",
        FlowMove::Escalated => "It ends in between, and knows it.",
        FlowMove::Recovered => "It is taken up again after a crash.",
        FlowMove::Logged => "Its log is written.",
        FlowMove::GaveUp => {
            "It ends as failed, or without knowing whether it is done, and has undone nothing."
        }
    }
}

fn record(kind: Kind) -> &'static str {
    match kind {
        Kind::Invoke => "A client begins an intent.",
        Kind::Complete => "An intent ends for its client.",
        Kind::Sent => "A message is handed to the network.",
        Kind::Lost => "A copy of a message is lost.",
        Kind::Delivered => "A copy of a message arrives.",
        Kind::Begin => "An operation begins to execute.",
        Kind::Read => "An operation read a row.",
        Kind::Install => "A commit leaves a row with these cells; it follows its `commit`.",
        Kind::Commit => "A transaction is durable.",
        Kind::Rollback => "A transaction is undone by a crash, a conflict or a deadlock.",
        Kind::Refused => "The business says no.",
        Kind::Failed => "An operation fails technically, without effect.",
        Kind::Conflict => "A version had changed.",
        Kind::Replay => "A repetition is recognised and answered from memory.",
        Kind::Busy => "A repetition meets its first in progress.",
        Kind::LockWait => "An operation waits for a lock.",
        Kind::Timeout => "A caller stops waiting for the answer to an attempt.",
        Kind::Crash => "A node crashes.",
        Kind::Restart => "A node is back.",
        Kind::Pause => "A node stops for a while.",
        Kind::Resume => "A node that had stopped goes on.",
        Kind::Cut => "A link is cut, or whole again.",
        Kind::Heal => "Faults end.",
        Kind::Flow => "A flow moves.",
        Kind::Publish => "An event is handed over, or written to the outbox.",
        Kind::Mark => "A relay notes an event as out.",
        Kind::Settled => "Nothing more can happen for an intent.",
        Kind::Delayed => "A message waits longer than its latency.",
        Kind::End => "The run is over.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::how::Reasons;

    /// The engine's own reasons, the words for conflicts and failures, and the one of a bare `require`.
    #[test]
    fn every_reason_has_its_meaning() {
        let scenario = crate::scenario::Draft::parse(
            "t",
            r#"{ "services": { "a": { "tables": { "t": {} }, "operations": { "o": { "insert": { "t[]": { "n": "1" } } } } } },
                "clients": { "c": { "does": "a.o()" } }, "strategies": { "naive": {} } }"#,
        );
        let scenario = scenario.unwrap().read().unwrap();
        let strategy = &scenario.cases[0].strategies[0];
        let plan = crate::strategy::compile(&strategy.model, &strategy.how).unwrap();
        let Reasons { missing, exists, error, mismatch, fenced } = plan.reasons;
        let known: Vec<&str> = REASONS.iter().map(|(word, _)| *word).collect();
        for word in [missing, exists, error, mismatch, fenced] {
            let text = plan.model.symbols.text(word);
            assert!(known.contains(&&*text), "{text}");
        }
        for word in super::super::why::REASONS.into_iter().chain(["refused"]) {
            assert!(known.contains(&word), "{word}");
        }
    }

    #[test]
    fn every_meaning_is_told_in_sentences() {
        for said in words() {
            assert!(said.doc.ends_with('.') && said.doc.len() > 8, "{}: {}", said.word, said.doc);
            assert!(!said.word.is_empty() && said.word != "?", "{said:?}");
        }
    }
}
