//! A counter in Rust behind a modelled flow, for several stories.

use halfway::explore::Prepared;
use halfway::model::value::Word;
use halfway::own::{Commit, Db, Input, Out, Process};

use super::one;
use crate::shipped::read_text;

/// A counter in Rust beside a modelled shop: each request adds one and answers when that is durable, or before.
#[derive(Clone, PartialEq)]
pub(super) struct Counter {
    pub(super) answers_early: bool,
    /// Volatile: requests under way.
    pub(super) open: Vec<(Word, halfway::own::Ticket)>,
    pub(super) panics_at: Word,
}

pub(super) const COUNTED: u32 = 1;

impl Process for Counter {
    fn on(&mut self, input: Input<'_>, db: &mut Db<'_>, out: &mut Out) {
        match input {
            Input::Request { ticket, args, .. } => {
                let who = args[0];
                if db.get("seen", who).is_some() {
                    return out.again(ticket, halfway::own::Said::Ok(1));
                }
                let n = db.get("counts", 1).map_or(0, |row| row.get("n"));
                assert!(n != self.panics_at, "I never liked {n}");
                let commit = Commit::new().put("counts", 1, &[("n", n + 1)]).insert("seen", who, &[]);
                out.commit(commit.only_if_unchanged("counts", 1), COUNTED, who);
                match self.answers_early {
                    true => out.ok(ticket, n + 1),
                    false => self.open.push((who, ticket)),
                }
            }
            Input::Committed { note, .. } => {
                if let Some(at) = self.open.iter().position(|(who, _)| *who == note) {
                    out.ok(self.open.remove(at).1, 1);
                }
            }
            Input::Dropped { note, .. } => {
                if let Some(at) = self.open.iter().position(|(who, _)| *who == note) {
                    out.fail(self.open.remove(at).1);
                }
            }
            _ => {}
        }
    }
}

impl Counter {
    pub(super) fn new(answers_early: bool) -> Counter {
        Counter { answers_early, open: Vec::new(), panics_at: -1 }
    }
}

pub(super) const COUNT: &str = r#"{
    "services": {
        "shop": { "tables": { "orders": {} }, "operations": { "note": { "args": ["o"], "put": { "orders[o]": {} } } } },
        "counts": { "process": "counter",
            "tables": { "counts": { "rows": { "1": { "n": 0 } } }, "seen": { "fields": {} } },
            "operations": { "add": { "args": ["who"] } } } },
    "flows": { "buy": { "by": "shop", "args": ["who"], "steps": [
        { "do": "shop.note(who)" }, { "do": "counts.add(who)" } ] } },
    "clients": { "adders": { "count": 2, "does": "buy(who)", "with": { "who": "uniform(1, 1000000)" } } },
    "weather": { "latency": "1ms..3ms", "faults": [ FAULTS ] },
    "strategies": { "naive": { "retry": { "timeout": "40ms", "attempts": 9 },
        "where": { "adders": { "retry": { "timeout": "2s" } } } } },
    "invariants": { "no-lost-update": {}, "no-duplicate-effect": {}, "acked-is-durable": {}, "every-intent-ends": {},
        "all counted": { "at_rest": "counts.counts[1].n == counts.seen.size()" } }
}"#;

pub(super) fn counts(faults: &str, process: Counter) -> Prepared {
    let scenario = read_text(&COUNT.replace("FAULTS", faults)).with_process("counter", process).unwrap();
    one(&scenario, "naive")
}
