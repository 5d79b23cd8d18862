//! The agenda beside a plain sorted list, and the fairness of ties.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::path::{Role, draw};
use super::super::sample::below;
use super::super::seed::run_key;
use super::*;

fn all(agenda: &mut Agenda) -> Vec<u32> {
    std::iter::from_fn(|| agenda.next()).collect()
}

#[test]
fn what_is_due_first_comes_up_first() {
    let mut agenda = Agenda::new();
    agenda.add(1, Span::millis(5), 0);
    agenda.add(2, Span::millis(1), 0);
    agenda.add(3, Span::millis(3), 0);
    assert_eq!(agenda.peek_time(), Some(Time(1_000_000)));
    assert_eq!(agenda.next(), Some(2));
    assert_eq!(agenda.now(), Time(1_000_000));
    agenda.add(4, Span::millis(1), 0);
    assert_eq!((agenda.len(), all(&mut agenda)), (3, vec![4, 3, 1]));
    assert_eq!((agenda.now(), agenda.peek_time(), agenda.is_empty()), (Time(5_000_000), None, true));
}

#[test]
fn at_one_instant_crashes_go_before_timers_and_timers_before_deliveries() {
    let mut agenda = Agenda::new();
    let cause = Path::ROOT;
    for (slot, class) in [(1, Class::Delivery), (2, Class::Timer), (3, Class::Crash)] {
        agenda.add(slot, Span::ZERO, tie(class, 7, cause, 0));
    }
    assert_eq!(all(&mut agenda), [3, 2, 1]);
}

#[test]
fn emissions_of_one_cause_stay_in_order() {
    let mut agenda = Agenda::new();
    let cause = Path::ROOT.child(Role::Task, 4);
    for n in (0..200).rev() {
        agenda.add(n, Span::ZERO, tie(Class::Delivery, run_key(1), cause, n));
    }
    assert!(all(&mut agenda).into_iter().eq(0..200));
    assert_eq!(tie(Class::Timer, 1, cause, 255), tie(Class::Timer, 1, cause, u32::MAX));
}

/// Computed by a second implementation, from the formula.
#[test]
fn a_golden_tie() {
    let cause = Path::ROOT.child(Role::Group, 0).child(Role::Client, 3).child(Role::Intent, 7);
    assert_eq!(tie(Class::Timer, run_key(42), cause, 5), 0x57_24d7_5405);
}

/// Of 10,000 ties one side wins 5,000 with a standard deviation of 50; three are allowed.
#[test]
fn the_first_client_wins_half_of_the_ties() {
    for other in [1, 2, 1_000] {
        let wins = (0..10_000).map(run_key).filter(|&key| {
            let of = |client| tie(Class::Delivery, key, Path::ROOT.child(Role::Client, client), 0);
            of(0) < of(other)
        });
        let wins = wins.count();
        assert!((4_850..=5_150).contains(&wins), "{wins} against client {other}");
    }
}

/// Each of the six orders of three clients: 2,000 of 12,000, with a standard deviation of 41; four are allowed.
#[test]
fn three_clients_meet_in_every_order() {
    let mut counts = [0; 9];
    for key in (0..12_000).map(run_key) {
        let ties = [0, 1, 2].map(|c| tie(Class::Delivery, key, Path::ROOT.child(Role::Client, c), 0));
        let rank = |c: usize| ties.iter().filter(|&&tie| tie < ties[c]).count();
        counts[rank(0) * 3 + rank(1)] += 1;
    }
    let seen: Vec<i32> = counts.into_iter().filter(|&count| count > 0).collect();
    assert_eq!(seen.len(), 6, "{counts:?}");
    assert!(seen.iter().all(|count| (1_836..=2_164).contains(count)), "{counts:?}");
}

#[test]
fn equal_timers_share_a_lane() {
    let mut agenda = Agenda::new();
    let (short, long) = (agenda.lane(Span::millis(1)), agenda.lane(Span::millis(50)));
    assert_eq!(agenda.lane(Span::millis(50)), long);
    assert_ne!(short, long);
    assert_eq!(agenda.lane_span(long), Span::millis(50));
    agenda.add_in_lane(long, 1, 0);
    agenda.add(2, Span::millis(20), 0);
    agenda.add_in_lane(short, 3, 0);
    assert_eq!(agenda.len(), 3);
    assert_eq!(all(&mut agenda), [3, 2, 1]);
}

#[test]
fn a_reset_agenda_keeps_its_lanes_and_nothing_else() {
    let mut agenda = Agenda::new();
    let lane = agenda.lane(Span(5));
    agenda.add_in_lane(lane, 1, 0);
    agenda.add_in_lane(lane, 2, 1);
    agenda.add(3, Span(9), 0);
    agenda.next();
    agenda.reset();
    assert_eq!((agenda.len(), agenda.now(), agenda.peek_time(), agenda.next()), (0, Time::ZERO, None, None));
    agenda.add_in_lane(lane, 4, 0);
    assert_eq!(agenda.next(), Some(4));
    assert_eq!(agenda.now(), Time(5));
}

#[test]
fn a_cancelled_timer_moves_no_clock() {
    let mut agenda = Agenda::new();
    let lane = agenda.lane(Span::millis(50));
    for slot in 0..10 {
        agenda.add_in_lane(lane, slot, u64::from(slot));
    }
    agenda.add(20, Span::millis(60), 0);
    let mut dropped = Vec::new();
    let next = agenda.next_live(|key| {
        if key.slot() < 20 {
            dropped.push(key.slot());
        }
        key.slot() == 20
    });
    assert_eq!((next.map(Key::slot), agenda.now()), (Some(20), Time(60_000_000)));
    assert!(dropped.into_iter().eq(0..10));
    agenda.add_in_lane(lane, 1, 0);
    agenda.add(2, Span::ZERO, 0);
    assert_eq!((agenda.next_live(|_| false), agenda.len(), agenda.now()), (None, 0, Time(60_000_000)));
}

/// The last slot, the last tie and the end of time make the greatest key there is.
#[test]
fn even_the_greatest_key_comes_up() {
    let mut agenda = Agenda::new();
    // A lane where nothing is must not hide one whose keys are as great as none.
    agenda.lane(Span::SECOND);
    let lane = agenda.lane(Span::MAX);
    agenda.add_in_lane(lane, SLOTS - 1, u64::MAX);
    agenda.add_in_lane(lane, SLOTS - 1, u64::MAX);
    agenda.add(SLOTS - 1, Span::MAX, u64::MAX);
    assert_eq!(agenda.peek_time(), Some(Time::MAX));
    assert_eq!(all(&mut agenda), [SLOTS - 1; 3]);
    assert!(agenda.is_empty());
}

#[test]
fn a_place_tells_its_slot_and_its_time_and_an_earlier_one_of_that_slot_from_it() {
    let mut agenda = Agenda::new();
    let lane = agenda.lane(Span::millis(5));
    let first = agenda.add_in_lane(lane, 7, 3);
    assert_eq!((first.slot(), first.time()), (7, Time(5_000_000)));
    agenda.add(1, Span::millis(1), 0);
    assert_eq!(agenda.next(), Some(1));
    let second = agenda.add_in_lane(lane, 7, 3);
    assert_eq!((second.slot(), second.time()), (7, Time(6_000_000)));
    assert_eq!(agenda.next_live(|key| key == second), Some(second));
    assert!(first < second && second < Key::NONE && Key::default() == Key::NONE);
}

#[test]
#[should_panic(expected = "more than 2^24")]
fn a_slot_beyond_24_bits_is_refused() {
    Agenda::new().add(SLOTS, Span::ZERO, 0);
}

#[derive(Clone, Debug)]
enum Do {
    Add { after: u64, tie: u64 },
    Lane { lane: usize, tie: u64 },
    Next,
}

const LANES: [u64; 3] = [0, 3, 7];

/// Few times and ties, so that many are equal.
fn any_do() -> impl Strategy<Value = Do> {
    prop_oneof![
        3 => (0u64..10, 0u64..5).prop_map(|(after, tie)| Do::Add { after, tie }),
        3 => (0usize..3, 0u64..5).prop_map(|(lane, tie)| Do::Lane { lane, tie }),
        4 => Just(Do::Next),
    ]
}

/// So many are added, each within 2^`scale` nanoseconds, some within 2^`far`; once there are more than `keep`, one comes up
/// for each.
#[derive(Clone, Debug)]
struct Phase {
    scale: u32,
    add: usize,
    keep: usize,
    far: u32,
}

fn any_phase() -> impl Strategy<Value = Phase> {
    let scale = || prop_oneof![Just(0u32), 1u32..20, 20u32..34, 0u32..64];
    (scale(), 0usize..1_500, 0usize..900, scale()).prop_map(|(scale, add, keep, far)| Phase {
        scale,
        add,
        keep,
        far,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// `dead` marks every k-th slot as cancelled; with a k of 0 none is.
    #[test]
    fn a_lane_changes_no_order(script in prop::collection::vec(any_do(), 1..300), k in 0u32..4) {
        let live = |slot: u32| k == 0 || !slot.is_multiple_of(k);
        let live_key = |key: Key| live(key.slot());
        let mut sorted: Vec<(u64, u64, u32)> = Vec::new();
        let mut now = 0;
        let (mut with, mut without) = (Agenda::new(), Agenda::new());
        let lanes = LANES.map(|span| with.lane(Span(span)));
        let drain = script.len();
        for (slot, step) in (0..).zip(script.into_iter().chain(vec![Do::Next; drain])) {
            let (after, tie) = match step {
                Do::Add { after, tie } => {
                    with.add(slot, Span(after), tie);
                    (after, tie)
                }
                Do::Lane { lane, tie } => {
                    with.add_in_lane(lanes[lane], slot, tie);
                    (LANES[lane], tie)
                }
                Do::Next => {
                    sorted.sort_unstable();
                    let first = sorted.iter().position(|&(_, _, slot)| live(slot));
                    let expected = match first {
                        Some(at) => {
                            let (time, _, slot) = sorted.drain(..=at).next_back().unwrap();
                            now = time;
                            Some(slot)
                        }
                        None => {
                            sorted.clear();
                            None
                        }
                    };
                    prop_assert_eq!(with.next_live(live_key).map(Key::slot), expected);
                    prop_assert_eq!(without.next_live(live_key).map(Key::slot), expected);
                    prop_assert_eq!((with.now(), without.now()), (Time(now), Time(now)));
                    continue;
                }
            };
            without.add(slot, Span(after), tie);
            sorted.push((now + after, tie, slot));
        }
        prop_assert!(with.is_empty() && without.is_empty() && sorted.is_empty());
    }

    /// Times of every scale, one after the other and mixed, in crowds that few, the calendar and the heap have to share.
    #[test]
    fn many_come_up_sorted_at_any_scale(phases in prop::collection::vec(any_phase(), 1..6), seed in any::<u64>()) {
        let mut agenda = Agenda::new();
        let mut sorted = BTreeSet::new();
        let mut draws = (0..).map(|n| draw(seed, Path::ROOT, n));
        let mut slots = 0..SLOTS;
        let next = |agenda: &mut Agenda, sorted: &mut BTreeSet<(u64, u64, u32)>| {
            let first = sorted.pop_first();
            assert_eq!(agenda.next(), first.map(|(_, _, slot)| slot));
            assert_eq!(agenda.len(), sorted.len());
            if let Some((time, ..)) = first {
                assert_eq!(agenda.now(), Time(time));
            }
        };
        for Phase { scale, add, keep, far } in phases {
            for (_, slot) in (0..add).zip(&mut slots) {
                let [word, tie] = [draws.next().unwrap(), draws.next().unwrap() % 4];
                let scale = if tie == 0 { far } else { scale };
                let after = below(word, 1 << scale);
                agenda.add(slot, Span(after), tie);
                sorted.insert((agenda.now().0.saturating_add(after), tie, slot));
                if sorted.len() > keep {
                    next(&mut agenda, &mut sorted);
                }
            }
        }
        while !sorted.is_empty() {
            next(&mut agenda, &mut sorted);
        }
        assert!(agenda.next().is_none() && agenda.is_empty());
    }

    #[test]
    fn any_number_of_slots_comes_up_sorted(spans in prop::collection::vec(0u64..1_000, 0..200)) {
        let mut agenda = Agenda::new();
        let mut sorted: Vec<(u64, u32)> = spans.iter().copied().zip(0..).collect();
        for &(span, slot) in &sorted {
            agenda.add(slot, Span(span), 0);
        }
        sorted.sort_unstable();
        prop_assert!(all(&mut agenda).into_iter().eq(sorted.into_iter().map(|(_, slot)| slot)));
    }
}
