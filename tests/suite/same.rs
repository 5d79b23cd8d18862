//! The determinism contract: same scenario, strategy and seed, same history; alone or in a sweep, on any number of threads.

use std::fmt::Write;
use std::sync::atomic::AtomicBool;

use halfway::explore::{Costs, sweep};

use crate::shipped::{files, prepared, read};

#[test]
fn a_run_is_the_same_twice_alone_and_in_a_sweep_and_on_any_number_of_threads() {
    for file in files() {
        let scenario = read(&file);
        for (case, prepared) in prepared(&scenario) {
            let label = format!("{} {case} {}", scenario.name, prepared.strategy);
            let Some(mut bench) = prepared.bench() else { continue };
            let swept: Vec<_> = (0..12).map(|seed| bench.run(seed)).collect();
            // A fresh world each, last seed first: nothing may be left over from a run before.
            for seed in (0..12).rev() {
                let alone = prepared.bench().unwrap().run(seed);
                assert_eq!(alone, swept[seed as usize], "{label}, seed {seed}");
            }
            let stop = AtomicBool::new(false);
            let one = sweep(&prepared, 0..40, 1, &|_| {}, &stop);
            let two = sweep(&prepared, 0..40, 2, &|_| {}, &stop);
            assert_eq!(one, two, "{label}");
            let mut costs = Costs::default();
            for seed in 0..40 {
                let mut own = Costs::default();
                bench.run_costed(seed, &mut own);
                costs.merge(&own);
            }
            assert_eq!(
                one.map(|swept| swept.costs),
                Some(costs),
                "{label}: the sum of the costs of all runs"
            );
        }
    }
}

/// The digests of the file as written, ten seeds each. They may change only together with the seed contract; then
/// `HALFWAY_RENEW=1 cargo test golden` writes them anew.
#[test]
fn golden_digests_have_not_moved() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/digests.txt");
    let mut text = format!("seed contract {}\n", halfway::kernel::seed::SEED_CONTRACT);
    for file in files() {
        let scenario = read(&file);
        for (case, prepared) in prepared(&scenario) {
            if !case.is_empty() {
                continue;
            }
            let swept = sweep(&prepared, 0..10, 1, &|_| {}, &AtomicBool::new(false));
            let digest = swept.map_or("n/a".to_owned(), |swept| {
                format!("{:016x}{:016x}", swept.digest[0], swept.digest[1])
            });
            writeln!(text, "{digest} {} {}", scenario.name, prepared.strategy).unwrap();
        }
    }
    if std::env::var_os("HALFWAY_RENEW").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(golden == text, "the digests moved; expected\n{golden}\ngot\n{text}");
}

/// Lots of several seeds, a last one that is shorter, more jobs than seeds: every seed is run once, whoever takes it.
#[test]
fn a_sweep_is_the_same_however_it_is_cut() {
    let scenario = read(&files()[0]);
    let (_, prepared) = prepared(&scenario).remove(0);
    let swept = |seeds: std::ops::Range<u64>, jobs| {
        let told = std::sync::atomic::AtomicU64::new(0);
        let done = |n| _ = told.fetch_add(n, std::sync::atomic::Ordering::Relaxed);
        let swept = sweep(&prepared, seeds.clone(), jobs, &done, &AtomicBool::new(false)).unwrap();
        let length = seeds.end - seeds.start;
        assert_eq!((swept.runs, told.into_inner()), (length, length), "{seeds:?} by {jobs}");
        swept
    };
    for seeds in [0..1_003, 7..8, u64::MAX - 40..u64::MAX] {
        let one = swept(seeds.clone(), 1);
        for jobs in [2, 3, 64, 5_000] {
            assert_eq!(swept(seeds.clone(), jobs), one, "{seeds:?} by {jobs}");
        }
    }
}
