//! What grows with the size of a world and what does not: however many clients and services there are, an intent takes as
//! many events and leaves as many records as before. What a single step costs is counted where the structures are, in
//! `store::locks`, `store::tables`, `check::rows`, `check::meetings` and `check::pending`.

use halfway::explore::Prepared;
use halfway::model::plan::End;
use halfway::model::record::{Kind, Record};
use halfway::store::{Sink, Tables};

use crate::shipped::{prepared, read_text};

/// Counts records, and apart from them intents and crashes.
#[derive(Default)]
struct Counted {
    records: u64,
    intents: u64,
    crashes: u64,
}

impl Sink for Counted {
    fn record(&mut self, record: &Record, _tables: &mut Tables) {
        self.records += 1;
        self.intents += u64::from(record.kind == Kind::Settled);
        self.crashes += u64::from(record.kind == Kind::Crash);
    }
}

/// So many shops, each with as many clients and an archive of its own that it tells through its outbox. Shops crash now
/// and then, the way to each has a latency of its own, and messages get lost on it.
fn shops(count: u32, clients: u32) -> String {
    let each = |f: &dyn Fn(u32) -> String| (0..count).map(f).collect::<Vec<_>>().join(",\n");
    let services = each(&|n| {
        format!(
            r#""shop{n}": {{
              "tables": {{ "sold": {{}} }},
              "operations": {{ "sell": {{
                "args": ["sale", "by"],
                "put": {{ "sold[sale]": {{ "by": "by" }} }},
                "publish": {{ "sold{n}": {{ "sale": "sale", "by": "by" }} }}
              }} }}
            }},
            "archive{n}": {{
              "tables": {{ "known": {{}} }},
              "operations": {{ "note": {{
                "on": "sold{n}", "args": ["sale", "by"], "put": {{ "known[sale]": {{ "by": "by" }} }}
              }} }}
            }}"#
        )
    });
    let groups = each(&|n| {
        format!(
            r#""buyers{n}": {{
              "count": {clients}, "intents": 3, "start": "0ms..200ms", "does": "shop{n}.sell(sale, by)",
              "with": {{ "sale": "unique('s')", "by": "uniform(1, 9)" }}
            }}"#
        )
    });
    let latencies = each(&|n| format!(r#""buyers{n} -> shop{n}": "2ms""#));
    // One crash in so many commits of all shops, or a shop of many clients would be down most of the time.
    let faults = each(&|n| {
        format!(
            r#"{{ "crash": "shop{n}", "after": "commit shop{n}.sell", "chance": "{}%", "for": "2ms" }},
            {{ "lose": "buyers{n} -> shop{n}", "chance": "5%" }}"#,
            if clients > 100 { "0.01" } else { "1" }
        )
    });
    format!(
        r#"{{
          "services": {{ {services} }},
          "clients": {{ {groups} }},
          "weather": {{ "latency": {{ "* -> *": "1ms", {latencies} }}, "faults": [ {faults} ], "heal": "10s" }},
          "strategies": {{ "outbox": {{
            "retry": {{ "timeout": "20ms", "attempts": "ever" }}, "publish": "outbox", "idempotency": "key"
          }} }},
          "invariants": {{ "every-intent-ends": {{}} }}
        }}"#
    )
}

/// As many clients that all change one row and begin anew when it has changed under them.
fn one_row(clients: u32) -> String {
    format!(
        r#"{{
          "services": {{ "counter": {{
            "tables": {{ "rows": {{ "rows": {{ "1": {{ "n": 0 }} }} }} }},
            "operations": {{ "bump": {{ "set": {{ "rows[1].n": "rows[1].n + 1" }} }} }}
          }} }},
          "clients": {{ "all": {{ "count": {clients}, "intents": 3, "does": "counter.bump()" }} }},
          "weather": {{ "latency": "1ms", "heal": "10s" }},
          "strategies": {{ "occ": {{ "write": "occ", "retry": {{ "timeout": "ever" }} }} }},
          "invariants": {{ "every-intent-ends": {{}} }}
        }}"#
    )
}

/// Events and records for each thousand intents, and whether anything crashed.
fn costs(text: &str, seeds: u64) -> (u64, u64, bool) {
    let scenario = read_text(text);
    let all = prepared(&scenario);
    let prepared: &Prepared = &all[0].1;
    let mut bench = prepared.bench().expect("it can be carried out");
    let (mut events, mut counted) = (0, Counted::default());
    for seed in 0..seeds {
        let run = bench.run_with(seed, &mut counted);
        assert_eq!(run.ended.end, End::Rest);
        events += run.ended.events;
    }
    (events * 1000 / counted.intents, counted.records * 1000 / counted.intents, counted.crashes > 0)
}

/// Whether one is within a tenth of the other.
fn alike(one: u64, other: u64) -> bool {
    one.abs_diff(other) * 10 <= one.max(other)
}

#[test]
fn an_intent_takes_as_many_events_among_many_clients_and_services_as_among_few() {
    let (events, records, crashed) = costs(&shops(2, 8), 40);
    assert!(crashed);
    for (count, clients, seeds) in [(1, 600, 1), (60, 8, 2)] {
        let (many, told, crashed) = costs(&shops(count, clients), seeds);
        assert!(alike(events, many), "{events} and {many} events, {count} shops of {clients}");
        assert!(alike(records, told), "{records} and {told} records, {count} shops of {clients}");
        assert!(crashed, "{count} shops of {clients}");
    }
}

#[test]
fn where_clients_get_in_each_others_way_the_count_shows_it() {
    let (few, ..) = costs(&one_row(2), 20);
    let (many, ..) = costs(&one_row(40), 1);
    assert!(many > few && !alike(few, many), "{few} and {many}");
}
