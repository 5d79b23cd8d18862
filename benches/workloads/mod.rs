//! The workloads that benches, instruction counts and the echo example share, so that all of them measure the same thing.

#![allow(dead_code, reason = "each of them uses a part of these")]

use std::path::{Path, PathBuf};

use halfway::explore::Prepared;
use halfway::scenario::{self, Scenario, load::read_from_disk};

/// Reads a scenario from its text.
pub(crate) fn read(text: &str) -> Scenario {
    scenario::read(Path::new("workload.json"), &mut |_| Ok(text.as_bytes().to_vec())).expect("a scenario")
}

/// The strategy of the file as written, ready to run, however long the run is.
pub(crate) fn prepared(scenario: &Scenario, strategy: &str) -> Prepared {
    let mut all = scenario.cases[0].strategies.iter();
    let found = all.find(|one| one.name == strategy).expect("a strategy");
    let prepared = Prepared::of(found);
    let mut plan = prepared.plan.clone().expect("a strategy that can be carried out");
    plan.event_budget = u64::MAX;
    prepared.with_plan(plan)
}

/// A shipped scenario.
pub(crate) fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(name)
}

/// The order saga as shipped.
pub(crate) fn order_saga_scenario() -> Scenario {
    scenario::read(&shipped("order-saga.json"), &mut read_from_disk).expect("a scenario")
}

/// Clients, each with so many requests one after the other, to one server that reads, changes and writes a record and
/// replies; latency 1–10 ms, loss 1 %, duplication 1 %, retry timer 50 ms.
pub(crate) fn echo_text(clients: u64, requests: u64) -> String {
    services_text(1, clients, requests)
}

/// The same with so many servers, each with as many clients of its own.
pub(crate) fn services_text(services: u64, clients: u64, requests: u64) -> String {
    let each = |f: &dyn Fn(u64) -> String| (0..services).map(f).collect::<Vec<_>>().join(",\n");
    let servers = each(&|n| {
        format!(
            r#"    "counter{n}": {{
      "statement": "0ns",
      "tables": {{ "records": {{ "rows": {{ "1..{rows}": {{ "n": 0 }} }} }} }},
      "operations": {{ "bump": {{
        "args": ["k"],
        "set": {{ "records[k].n": "records[k].n + 1" }},
        "reply": "records[k].n"
      }} }}
    }}"#,
            rows = if services == 1 { 256 } else { 16 },
        )
    });
    let callers = each(&|n| {
        format!(
            r#"    "callers{n}": {{
      "count": {clients}, "intents": {requests},
      "does": "counter{n}.bump(k)", "with": {{ "k": "uniform(1, {rows})" }}
    }}"#,
            rows = if services == 1 { 256 } else { 16 },
        )
    });
    // A file has at most 256 invariants.
    let invariants = (0..services.min(100)).map(|n| {
        format!(r#"    "never negative {n}": {{ "always": "counter{n}.records.all(r, r.n >= 0)" }}"#)
    });
    let invariants = invariants.collect::<Vec<_>>().join(",\n");
    format!(
        r#"{{
  "about": "Clients bump counters, again and again.",
  "services": {{
{servers}
  }},
  "clients": {{
{callers}
  }},
  "weather": {{
    "latency": "1ms..10ms",
    "faults": [
      {{ "lose": "* -> *", "chance": "1%" }},
      {{ "duplicate": "* -> *", "chance": "1%" }}
    ],
    "heal": "10000d"
  }},
  "strategies": {{ "echo": {{ "retry": {{ "timeout": "50ms", "attempts": "ever" }} }} }},
  "invariants": {{
{invariants}
  }}
}}"#
    )
}
