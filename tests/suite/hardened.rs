//! The hardened strategy: over all shipped scenarios and cases nothing is broken and nothing is left hanging.
//!
//! `HALFWAY_SEEDS` sets how many seeds are tried; the figure in the README was made with many more than the default.

use crate::shipped::{files, prepared, read, swept};

#[test]
fn hardened_breaks_nothing_and_gets_stuck_nowhere() {
    let seeds = std::env::var("HALFWAY_SEEDS").map_or(60, |seeds| seeds.parse().unwrap());
    let (mut cells, mut runs, mut wrong) = (0, 0, Vec::new());
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
            for (invariant, tally) in prepared.invariants.iter().zip(&swept.tally.invariants) {
                if tally.violating_runs + tally.stuck_runs > 0 {
                    wrong.push(format!("{label}: {}: {tally:?}", invariant.name));
                }
            }
        }
    }
    println!("hardened: {runs} runs, {cells} invariants watched");
    assert!(cells > 0 && wrong.is_empty(), "{}", wrong.join("\n"));
}
