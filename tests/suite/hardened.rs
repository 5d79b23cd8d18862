//! The hardened strategy: over all shipped scenarios and cases nothing is broken and nothing is left hanging.
//!
//! `HALFWAY_SEEDS` sets how many seeds are tried; the figure in the README was made with many more than the default.

use halfway::model::invariant::Verdict;

use crate::shipped::{files, prepared, read, swept};

#[test]
fn hardened_breaks_nothing_and_gets_stuck_nowhere() {
    let seeds = std::env::var("HALFWAY_SEEDS").map_or(60, |seeds| seeds.parse().unwrap());
    let (mut cells, mut runs, mut excused, mut wrong) = (0, 0, 0, Vec::new());
    for file in files() {
        let scenario = read(&file);
        for (case, prepared) in prepared(&scenario) {
            if prepared.strategy != "hardened" {
                continue;
            }
            let label = format!("{} {case}", scenario.name);
            let swept = swept(&prepared, 0..seeds).unwrap_or_else(|| panic!("{label}: not applicable"));
            cells += prepared.invariants.len();
            runs += swept.runs;
            if !swept.panics.is_empty() || !swept.tally.errors.is_empty() {
                wrong.push(format!("{label}: {:?} {:?}", swept.panics, swept.tally.errors));
            }
            if swept.rested != swept.runs {
                wrong.push(format!("{label}: {} of {} runs came to rest", swept.rested, swept.runs));
            }
            for (n, (invariant, tally)) in prepared.invariants.iter().zip(&swept.tally.invariants).enumerate()
            {
                // What the file itself says cannot be had this way, such as never to refund, is no finding.
                let own_words = prepared.expected.by_invariant.contains(&(n, Verdict::Violated));
                excused += u32::from(own_words);
                if tally.stuck_runs > 0 || tally.violating_runs > 0 && !own_words {
                    wrong.push(format!("{label}: {}: {tally:?}", invariant.name));
                }
            }
        }
    }
    println!("hardened: {runs} runs, {cells} invariants watched, {excused} of them expected to break");
    assert!(excused <= 2, "{excused} invariants are expected to break under hardened");
    assert!(cells > 0 && wrong.is_empty(), "{}", wrong.join("\n"));
}
