//! The weather as measured in the records of a run: rates and latencies are those of the file, and each rule, selector and
//! crash point hits exactly what it names. The exact scenarios have one op and fixed times, worked out by hand: 1 ms a
//! message; read, write and commit 0.1 ms each.

use halfway::explore::Replay;
use halfway::kernel::time::Time;
use halfway::model::record::{Kind, LOST_CUT, Record};
use halfway::model::weather::PointKind;

use crate::shipped::{prepared, read_text};

/// Runs the one strategy of a small scenario: clients call `echo.ping(n)`, which notes `n`.
fn run(clients: &str, weather: &str, retry: &str, seed: u64) -> Replay {
    let text = r#"{
        "services": { "echo": { "tables": { "seen": {} },
            "operations": { "ping": { "args": ["n"], "insert": { "seen[]": { "n": "n" } } } } } },
        "clients": { "callers": CLIENTS },
        "weather": WEATHER,
        "strategies": { "naive": { "retry": RETRY } },
        "invariants": { "no-duplicate-effect": {} }
    }"#;
    let text = text.replace("CLIENTS", clients).replace("WEATHER", weather).replace("RETRY", retry);
    let mut all = prepared(&read_text(&text));
    let mut one = all.remove(0).1;
    one.plan.as_mut().unwrap().event_budget = u64::MAX;
    one.replay(seed).unwrap()
}

const ONCE: &str = r#"{ "timeout": "10ms", "attempts": 1 }"#;
const THRICE: &str = r#"{ "timeout": "10ms", "attempts": 3 }"#;

/// One intent at each of the times, with `n` counted from 1.
fn script(at: &[&str]) -> String {
    let entries: Vec<String> = (at.iter().zip(1..))
        .map(|(at, n)| format!(r#"{{ "at": "{at}", "do": "echo.ping({n})" }}"#))
        .collect();
    format!(r#"{{ "script": [{}] }}"#, entries.join(", "))
}

/// Weather of 1 ms a message with these faults.
fn faults(faults: &str) -> String {
    format!(r#"{{ "latency": "1ms", "faults": [{faults}], "heal": "10s" }}"#)
}

fn of(replay: &Replay, kind: Kind, point: PointKind) -> Vec<&Record> {
    let meant = |record: &&Record| record.kind == kind && record.flag == point as u8;
    replay.trace.records.iter().filter(meant).collect()
}

/// Microseconds since the start: exact in all that follows.
fn micros(at: Time) -> u64 {
    assert_eq!(at.0 % 1000, 0);
    at.0 / 1000
}

fn times(replay: &Replay, kind: Kind, point: PointKind) -> Vec<u64> {
    of(replay, kind, point).iter().map(|record| micros(record.at)).collect()
}

fn when(replay: &Replay, kind: Kind) -> Vec<u64> {
    replay.trace.records.iter().filter(|r| r.kind == kind).map(|r| micros(r.at)).collect()
}

/// A measured share is within three standard errors of the true one.
fn share(label: &str, hits: usize, of: usize, truth: f64) {
    let (n, measured) = (of as f64, hits as f64 / of as f64);
    let error = (truth * (1.0 - truth) / n).sqrt();
    println!(
        "{label}: {measured:.4} of {of}, true {truth}, {:.2} standard errors",
        (measured - truth) / error
    );
    assert!((measured - truth).abs() <= 3.0 * error, "{label}: {measured} of {of}, true {truth} ± {error}");
}

/// A measured mean, in ms, is within three standard errors of the true one.
fn mean(label: &str, spans: &[f64], truth: f64, deviation: f64) {
    let n = spans.len() as f64;
    let measured = spans.iter().sum::<f64>() / n;
    let error = deviation / n.sqrt();
    println!(
        "{label}: {measured:.4} ms of {n}, true {truth}, {:.2} standard errors",
        (measured - truth) / error
    );
    assert!((measured - truth).abs() <= 3.0 * error, "{label}: {measured}, true {truth} ± {error}");
}

/// Latencies in ms of the first copies of a point's messages.
fn latencies(replay: &Replay, point: PointKind) -> Vec<f64> {
    let sent = of(replay, Kind::Sent, point);
    let sent: std::collections::BTreeMap<u64, Time> = sent.iter().map(|r| (r.path.0, r.at)).collect();
    let first = of(replay, Kind::Delivered, point).into_iter().filter(|r| r.ver == 0);
    first.map(|r| (r.at.0 - sent[&r.path.0].0) as f64 / 1e6).collect()
}

const MANY: &str =
    r#"{ "count": 8, "intents": 1000, "does": "echo.ping(n)", "with": { "n": "uniform(1, 9)" } }"#;

#[test]
fn measured_loss_and_duplication_are_those_of_the_file_in_each_direction() {
    let weather = r#"{ "latency": "1ms", "heal": "24h", "faults": [
        { "lose": "callers -> echo", "chance": "10%" }, { "lose": "reply *", "chance": "3%" },
        { "duplicate": "request echo.ping", "chance": "20%" }, { "duplicate": "echo -> callers", "chance": "0.5%" } ] }"#;
    let replay = run(MANY, weather, r#"{ "timeout": "50ms", "attempts": 1 }"#, 1);
    for (point, lost, doubled) in [(PointKind::Request, 0.10, 0.20), (PointKind::Reply, 0.03, 0.005)] {
        let sent = of(&replay, Kind::Sent, point);
        let copies: usize = sent.iter().map(|record| record.ver as usize).sum();
        share(&format!("{point:?} lost"), of(&replay, Kind::Lost, point).len(), copies, lost);
        let two = sent.iter().filter(|record| record.ver == 2).count();
        share(&format!("{point:?} doubled"), two, sent.len(), doubled);
        assert_eq!(of(&replay, Kind::Delivered, point).len() + of(&replay, Kind::Lost, point).len(), copies);
    }
    assert_eq!(of(&replay, Kind::Sent, PointKind::Request).len(), 8000);
}

#[test]
fn copies_of_one_message_are_lost_independently() {
    let weather = r#"{ "latency": "1ms", "heal": "24h", "faults": [
        { "lose": "request *", "chance": "30%" }, { "duplicate": "request *" } ] }"#;
    let replay = run(MANY, weather, r#"{ "timeout": "50ms", "attempts": 1 }"#, 2);
    let mut lost: std::collections::BTreeMap<u64, usize> = Default::default();
    for record in of(&replay, Kind::Lost, PointKind::Request) {
        *lost.entry(record.path.0).or_default() += 1;
    }
    share("both copies lost", lost.values().filter(|&&n| n == 2).count(), 8000, 0.09);
    share("one copy lost", lost.values().filter(|&&n| n == 1).count(), 8000, 0.42);
}

#[test]
fn measured_latencies_are_those_of_the_file_in_each_direction() {
    let calm = |latency: &str, seed| {
        run(MANY, &format!(r#"{{ "latency": {latency}, "heal": "24h" }}"#), r#"{ "timeout": "10s" }"#, seed)
    };
    // Uniform over 9 ms: 9 / √12. Exponential: as its mean.
    let replay = calm(r#"{ "*": "1ms..10ms", "echo -> callers": "exp 5ms" }"#, 3);
    let requests = latencies(&replay, PointKind::Request);
    assert!(requests.iter().all(|&ms| (1.0..=10.0).contains(&ms)));
    mean("uniform", &requests, 5.5, 9.0 / 12.0_f64.sqrt());
    mean("exponential", &latencies(&replay, PointKind::Reply), 5.0, 5.0);
    let replay = calm(r#"{ "callers -> echo": "normal 10ms 2ms", "echo -> *": "7ms" }"#, 4);
    mean("normal", &latencies(&replay, PointKind::Request), 10.0, 2.0);
    assert!(latencies(&replay, PointKind::Reply).iter().all(|&ms| ms == 7.0));
    // With a cap no sample is above it; of an exponential one with mean 5 ms, e^-2 are above 10 ms.
    let replay = calm(r#""exp 5ms cap 10ms""#, 5);
    let capped = latencies(&replay, PointKind::Request);
    assert!(capped.iter().all(|&ms| ms <= 10.0));
    mean("capped", &capped, 5.0 * (1.0 - (-2.0_f64).exp()), 3.5);
}

#[test]
fn a_one_way_rule_leaves_the_other_direction_alone() {
    for (link, hit, spared) in [
        ("callers -> echo", PointKind::Request, PointKind::Reply),
        ("echo -> callers", PointKind::Reply, PointKind::Request),
        ("* -> echo", PointKind::Request, PointKind::Reply),
    ] {
        let weather = faults(&format!(r#"{{ "delay": "{link}", "for": "2ms" }}"#));
        let replay = run(&script(&["0ms"]), &weather, ONCE, 0);
        assert_eq!(latencies(&replay, hit), [3.0], "{link}");
        assert_eq!(latencies(&replay, spared), [1.0], "{link}");
        let weather = faults(&format!(r#"{{ "duplicate": "{link}" }}"#));
        let replay = run(&script(&["0ms"]), &weather, ONCE, 0);
        // Doubled requests are executed twice, each with an answer of its own.
        let answers = if hit == PointKind::Request { 2 } else { 1 };
        assert_eq!(of(&replay, Kind::Delivered, PointKind::Request).len(), answers, "{link}");
        assert!(of(&replay, Kind::Sent, hit).iter().all(|record| record.ver == 2), "{link}");
        assert!(of(&replay, Kind::Sent, spared).iter().all(|record| record.ver == 1), "{link}");
    }
    let replay = run(&script(&["0ms"]), &faults(r#"{ "delay": "callers <-> echo", "for": "2ms" }"#), ONCE, 0);
    assert_eq!(latencies(&replay, PointKind::Request), [3.0]);
    assert_eq!(latencies(&replay, PointKind::Reply), [3.0]);
}

#[test]
fn nth_counts_within_one_intent_and_from_one() {
    // Both intents lose their first and third attempt; the second one gets through: at 10 ms, executed till 11.3 ms,
    // answered at 12.3 ms, when the next intent begins.
    let clients = r#"{ "intents": 2, "does": "echo.ping(1)" }"#;
    let weather = faults(r#"{ "lose": "request echo.ping", "nth": [1, 3] }"#);
    let replay = run(clients, &weather, THRICE, 0);
    assert_eq!(times(&replay, Kind::Sent, PointKind::Request), [0, 10_000, 12_300, 22_300]);
    assert_eq!(times(&replay, Kind::Lost, PointKind::Request), [0, 12_300]);
    assert_eq!(times(&replay, Kind::Delivered, PointKind::Request), [11_000, 23_300]);
    assert_eq!(when(&replay, Kind::Commit), [11_300, 23_600]);
    assert_eq!(when(&replay, Kind::Complete), [12_300, 24_600]);
}

#[test]
fn nth_means_a_message_with_all_its_copies() {
    let weather =
        faults(r#"{ "duplicate": "request echo.ping" }, { "lose": "request echo.ping", "nth": 1 }"#);
    let replay = run(&script(&["0ms"]), &weather, THRICE, 0);
    let lost: Vec<(u64, u32)> =
        of(&replay, Kind::Lost, PointKind::Request).iter().map(|r| (micros(r.at), r.ver)).collect();
    assert_eq!(lost, [(0, 0), (0, 1)]);
    assert_eq!(times(&replay, Kind::Delivered, PointKind::Request), [11_000, 11_000]);
}

#[test]
fn chance_nothing_never_hits_and_chance_everything_always() {
    let replay =
        run(&script(&["0ms", "20ms"]), &faults(r#"{ "lose": "request *", "chance": "0%" }"#), ONCE, 0);
    assert_eq!(of(&replay, Kind::Lost, PointKind::Request).len(), 0);
    let replay =
        run(&script(&["0ms", "20ms"]), &faults(r#"{ "lose": "request *", "chance": "100%" }"#), ONCE, 0);
    assert_eq!(times(&replay, Kind::Lost, PointKind::Request), [0, 20_000]);
}

#[test]
fn when_picks_by_argument_client_and_intent() {
    let at = ["0ms", "20ms", "40ms"];
    for (when, lost) in [
        ("n == 2", vec![20_000]),
        ("n != 2", vec![0, 40_000]),
        ("intent == 3", vec![40_000]),
        ("intent == 1 || n == 3", vec![0, 40_000]),
        ("client == 1", vec![0, 20_000, 40_000]),
        ("client == 2", vec![]),
    ] {
        let weather = faults(&format!(r#"{{ "lose": "request echo.ping", "when": "{when}" }}"#));
        let replay = run(&script(&at), &weather, ONCE, 0);
        assert_eq!(times(&replay, Kind::Lost, PointKind::Request), lost, "{when}");
        // The reply carries no arguments, and yet it is the reply to that request.
        let weather = faults(&format!(r#"{{ "lose": "reply echo.ping", "when": "{when}" }}"#));
        let replay = run(&script(&at), &weather, ONCE, 0);
        let lost: Vec<u64> = lost.iter().map(|at| at + 1_300).collect();
        assert_eq!(times(&replay, Kind::Lost, PointKind::Reply), lost, "{when}");
    }
}

#[test]
fn when_and_nth_together_count_only_what_the_condition_picks() {
    let weather = faults(
        r#"{ "lose": "request echo.ping", "when": "n == 2", "nth": 2 }, { "lose": "reply echo.ping" }"#,
    );
    let replay = run(&script(&["0ms", "50ms"]), &weather, THRICE, 0);
    assert_eq!(times(&replay, Kind::Lost, PointKind::Request), [60_000]);
}

#[test]
fn during_begins_at_its_first_instant_and_ends_before_its_last() {
    let weather = faults(r#"{ "lose": "request *", "during": "20ms..60ms" }"#);
    let replay = run(&script(&["0ms", "20ms", "40ms", "60ms", "80ms"]), &weather, ONCE, 0);
    assert_eq!(times(&replay, Kind::Lost, PointKind::Request), [20_000, 40_000]);
}

#[test]
fn a_delay_adds_to_the_latency_or_holds_until_an_instant() {
    let weather = faults(r#"{ "delay": "request *", "for": "5ms" }"#);
    let replay = run(&script(&["0ms"]), &weather, ONCE, 0);
    assert_eq!(times(&replay, Kind::Delayed, PointKind::Request), [0]);
    assert_eq!(times(&replay, Kind::Delivered, PointKind::Request), [6_000]);
    // What would arrive later anyway is not held.
    let weather = faults(r#"{ "delay": "request *", "until": "50ms" }"#);
    let replay = run(&script(&["0ms", "20ms", "60ms"]), &weather, ONCE, 0);
    assert_eq!(times(&replay, Kind::Delivered, PointKind::Request), [50_000, 50_000, 61_000]);
    // A delay decided before heal may end after it.
    let weather =
        r#"{ "latency": "1ms", "heal": "30ms", "faults": [ { "delay": "request *", "until": "50ms" } ] }"#;
    let replay = run(&script(&["0ms", "40ms"]), weather, ONCE, 0);
    assert_eq!(times(&replay, Kind::Delivered, PointKind::Request), [41_000, 50_000]);
}

#[test]
fn again_lists_one_copy_each_so_long_after_the_first() {
    let weather = faults(r#"{ "duplicate": "request *", "again": ["3ms", "20ms"] }"#);
    let replay = run(&script(&["0ms"]), &weather, ONCE, 0);
    let arrived: Vec<(u64, u32)> =
        of(&replay, Kind::Delivered, PointKind::Request).iter().map(|r| (micros(r.at), r.ver)).collect();
    assert_eq!(arrived, [(1_000, 0), (4_000, 1), (21_000, 2)]);
    assert_eq!(of(&replay, Kind::Sent, PointKind::Request)[0].ver, 3);
    // Executed three times, under nothing that would notice.
    assert_eq!(when(&replay, Kind::Commit), [1_300, 4_300, 21_300]);
    // Without a list: one more copy with a latency of its own.
    let replay = run(&script(&["0ms"]), &faults(r#"{ "duplicate": "request *" }"#), ONCE, 0);
    assert_eq!(times(&replay, Kind::Delivered, PointKind::Request), [1_000, 1_000]);
}

#[test]
fn a_cut_loses_what_is_sent_while_it_lasts_and_not_what_is_under_way() {
    // Sent at 0 and at 4.5 ms, the second arrives during the cut. Both are answered over the other direction. What is
    // sent at 20 ms is lost, at 40 ms the link is whole again.
    let weather = faults(r#"{ "cut": "callers -> echo", "at": "5ms", "for": "30ms" }"#);
    let replay = run(&script(&["0ms", "4500us", "20ms", "40ms"]), &weather, ONCE, 0);
    assert_eq!(times(&replay, Kind::Delivered, PointKind::Request), [1_000, 5_500, 41_000]);
    assert_eq!(times(&replay, Kind::Delivered, PointKind::Reply), [2_300, 6_800, 42_300]);
    let lost = of(&replay, Kind::Lost, PointKind::Request);
    assert_eq!(lost.iter().map(|r| (micros(r.at), r.data)).collect::<Vec<_>>(), [(20_000, LOST_CUT)]);
    assert_eq!(of(&replay, Kind::Lost, PointKind::Reply).len(), 0);
    let cuts = replay.trace.records.iter().filter(|r| r.kind == Kind::Cut);
    assert_eq!(cuts.map(|r| (micros(r.at), r.flag)).collect::<Vec<_>>(), [(5_000, 1), (35_000, 0)]);
}

#[test]
fn a_cut_can_come_again_and_again_and_heal_ends_the_last() {
    let weather = r#"{ "latency": "1ms", "heal": "50ms", "faults": [ { "cut": "* <-> *", "every": "20ms", "for": "15ms" } ] }"#;
    // From 20 to 35 and from 40 ms on, till heal.
    let replay = run(&script(&["0ms", "25ms", "37ms", "45ms", "51ms"]), weather, ONCE, 0);
    assert_eq!(times(&replay, Kind::Lost, PointKind::Request), [25_000, 45_000]);
    let cuts = replay.trace.records.iter().filter(|r| r.kind == Kind::Cut);
    let cuts: Vec<_> = cuts.map(|r| (micros(r.at), r.flag)).collect();
    assert_eq!(cuts, [(20_000, 1), (35_000, 0), (40_000, 1), (50_000, 0)]);
}

#[test]
fn a_refusal_by_weather_is_the_reason_it_says_and_leaves_nothing() {
    let weather = faults(
        r#"{ "refuse": "echo.ping", "when": "n == 1" }, { "fail": "echo.ping", "when": "n == 2", "nth": 1 }"#,
    );
    let replay = run(&script(&["0ms", "50ms", "100ms"]), &weather, THRICE, 0);
    // The weather is asked before the first statement. A technical error may be tried again, a refusal is final.
    assert_eq!(when(&replay, Kind::Refused), [1_000]);
    assert_eq!(when(&replay, Kind::Failed), [51_000]);
    assert_eq!(when(&replay, Kind::Commit).len(), 2);
    let outcomes = replay.trace.records.iter().filter(|r| r.kind == Kind::Complete).map(|r| r.flag);
    assert_eq!(outcomes.collect::<Vec<_>>(), [1, 0, 0]);
}

/// What is left of one ping whose server crashes at a point for 5 ms, and how the crash lies among the records.
fn crashed(at: &str) -> (Vec<(Kind, u64)>, Replay) {
    let weather = faults(&format!(r#"{{ "crash": "echo", {at}, "nth": 1, "for": "5ms" }}"#));
    let replay = run(&script(&["0ms"]), &weather, ONCE, 0);
    let shown = [Kind::Begin, Kind::Commit, Kind::Install, Kind::Rollback, Kind::Crash, Kind::Restart];
    let story = replay.trace.records.iter().filter(|r| shown.contains(&r.kind) || r.kind == Kind::Complete);
    (story.map(|r| (r.kind, micros(r.at))).collect(), replay)
}

#[test]
fn a_crash_falls_exactly_at_the_point_it_names() {
    use Kind::{Begin, Commit, Complete, Crash, Install, Lost, Restart, Rollback, Sent};
    let told = |replay: &Replay| replay.trace.records.iter().find(|r| r.kind == Complete).unwrap().flag;
    // Before the commit: all was written, nothing stays.
    let (story, replay) = crashed(r#""before": "commit echo.ping""#);
    assert_eq!(
        story,
        [(Begin, 1_000), (Crash, 1_300), (Rollback, 1_300), (Restart, 6_300), (Complete, 10_000)]
    );
    assert_eq!((told(&replay), of(&replay, Sent, PointKind::Reply).len()), (2, 0));
    // After it: it is there, and nobody is told.
    let (story, replay) = crashed(r#""after": "commit echo.ping""#);
    let durable = [(Begin, 1_000), (Commit, 1_300), (Install, 1_300), (Crash, 1_300), (Restart, 6_300)];
    assert_eq!(story, [&durable[..], &[(Complete, 10_000)]].concat());
    assert_eq!((told(&replay), of(&replay, Sent, PointKind::Reply).len()), (2, 0));
    // Before the reply: for the client the same.
    let (story, replay) = crashed(r#""before": "reply echo.ping""#);
    assert_eq!(story, [&durable[..], &[(Complete, 10_000)]].concat());
    assert_eq!((told(&replay), of(&replay, Sent, PointKind::Reply).len()), (2, 0));
    // After the reply: it is on its way.
    let (story, replay) = crashed(r#""after": "reply echo.ping""#);
    let answered = [durable[0], durable[1], durable[2], durable[3], (Complete, 2_300), durable[4]];
    assert_eq!((story, told(&replay)), (answered.to_vec(), 0));
    // At the request, which the caller sends: the server is down when it comes.
    for at in [r#""before": "request echo.ping""#, r#""after": "request echo.ping""#] {
        let (story, replay) = crashed(at);
        assert_eq!(story, [(Crash, 0), (Restart, 5_000), (Complete, 10_000)], "{at}");
        assert_eq!(times(&replay, Lost, PointKind::Request), [1_000], "{at}");
    }
    // The point is named in the record.
    for (at, point) in
        [("commit", PointKind::Commit), ("reply", PointKind::Reply), ("request", PointKind::Request)]
    {
        let (_, replay) = crashed(&format!(r#""after": "{at} echo.ping""#));
        let crash = replay.trace.records.iter().find(|r| r.kind == Crash).unwrap();
        assert_eq!(crash.flag, point as u8 + 1, "{at}");
    }
}

#[test]
fn a_crash_by_the_clock_falls_at_its_instant_and_kills_what_runs() {
    // At 1.15 ms the row has been read, and not written.
    let (story, _) = (
        run(&script(&["0ms"]), &faults(r#"{ "crash": "echo", "at": "1150us", "for": "5ms" }"#), ONCE, 0),
        (),
    );
    let of = |kind| when(&story, kind);
    assert_eq!(
        (of(Kind::Begin), of(Kind::Crash), of(Kind::Restart)),
        (vec![1_000], vec![1_150], vec![6_150])
    );
    assert_eq!((of(Kind::Commit), of(Kind::Complete)), (vec![], vec![10_000]));
}

#[test]
fn a_pause_holds_messages_and_work_and_loses_neither() {
    // Paused from 0.5 to 8.5 ms: the request of 0 ms is taken up then.
    let replay =
        run(&script(&["0ms"]), &faults(r#"{ "pause": "echo", "at": "500us", "for": "8ms" }"#), ONCE, 0);
    assert_eq!(when(&replay, Kind::Pause), [500]);
    assert_eq!(when(&replay, Kind::Resume), [8_500]);
    assert_eq!(times(&replay, Kind::Delivered, PointKind::Request), [8_500]);
    assert_eq!(when(&replay, Kind::Commit), [8_800]);
    assert_eq!(when(&replay, Kind::Complete), [9_800]);
    assert_eq!(of(&replay, Kind::Lost, PointKind::Request).len(), 0);
    // Paused in the middle of an operation: what was due at 1.2 ms comes at 6.15 ms, the commit 0.1 ms after that.
    let replay =
        run(&script(&["0ms"]), &faults(r#"{ "pause": "echo", "at": "1150us", "for": "5ms" }"#), ONCE, 0);
    assert_eq!(when(&replay, Kind::Commit), [6_250]);
    // Paused at a point: what comes after the point waits. The commit of 1.3 ms comes at 6.3 ms; or the commit was in
    // time, and the answer leaves at 6.3 ms.
    for (point, commit) in
        [(r#""before": "commit echo.ping""#, 6_300), (r#""after": "commit echo.ping""#, 1_300)]
    {
        let fault = format!(r#"{{ "pause": "echo", {point}, "for": "5ms" }}"#);
        let replay = run(&script(&["0ms"]), &faults(&fault), ONCE, 0);
        assert_eq!((when(&replay, Kind::Pause), when(&replay, Kind::Commit)), (vec![1_300], vec![commit]));
        assert_eq!(when(&replay, Kind::Complete), [7_300], "{point}");
    }
    // Paused before it sends: the answer of 1.3 ms leaves at 6.3 ms.
    let before = r#"{ "pause": "echo", "before": "reply echo.ping", "for": "5ms" }"#;
    let replay = run(&script(&["0ms"]), &faults(before), ONCE, 0);
    assert_eq!((when(&replay, Kind::Commit), when(&replay, Kind::Complete)), (vec![1_300], vec![7_300]));
    // A client that sleeps hears nothing, and then everything.
    let replay =
        run(&script(&["0ms"]), &faults(r#"{ "pause": "callers", "at": "2ms", "for": "5ms" }"#), ONCE, 0);
    assert_eq!(when(&replay, Kind::Complete), [7_000]);
    assert_eq!(
        replay.trace.records.iter().filter(|r| r.kind == Kind::Complete).map(|r| r.flag).max(),
        Some(0)
    );
}

#[test]
fn after_heal_nothing_is_decided_any_more_and_everything_is_mended() {
    let weather = r#"{ "latency": "1ms..5ms", "heal": "200ms", "faults": [
        { "lose": "*  <-> *", "chance": "20%" }, { "delay": "* <-> *", "for": "5ms", "chance": "20%" },
        { "duplicate": "* <-> *", "chance": "20%" }, { "refuse": "echo.ping", "chance": "10%" },
        { "fail": "echo.ping", "chance": "10%" }, { "crash": "echo", "every": "30ms", "for": "1h" },
        { "crash": "echo", "after": "commit *", "chance": "2%", "for": "10ms" },
        { "pause": "callers", "every": "exp 40ms", "for": "5ms" },
        { "cut": "callers <-> echo", "every": "50ms", "for": "20ms" } ] }"#;
    let clients = r#"{ "count": 6, "intents": 60, "gap": "5ms", "does": "echo.ping(1)" }"#;
    let (mut before, mut after) = (0, 0);
    for seed in 0..20 {
        let replay = run(clients, weather, THRICE, seed);
        let records = &replay.trace.records;
        let heal = records.iter().position(|r| r.kind == Kind::Heal).unwrap();
        assert_eq!(micros(records[heal].at), 200_000);
        let decided = |r: &&Record| match r.kind {
            Kind::Lost | Kind::Delayed | Kind::Crash | Kind::Pause | Kind::Failed => true,
            Kind::Cut | Kind::Refused => r.flag == 1,
            Kind::Sent => r.ver > 1,
            _ => false,
        };
        before += records[..heal].iter().filter(decided).count();
        let late: Vec<_> = records[heal..].iter().filter(decided).collect();
        assert!(late.is_empty(), "seed {seed}: {late:?}");
        after += records[heal..].iter().filter(|r| r.kind == Kind::Sent).count();
        // Who is down or asleep is back at that very instant, and nobody comes back later.
        let back = |r: &&Record| matches!(r.kind, Kind::Restart | Kind::Resume | Kind::Cut);
        assert!(records[heal..].iter().filter(back).all(|r| micros(r.at) == 200_000), "seed {seed}");
        let count = |kind| records.iter().filter(|r| r.kind == kind).count();
        assert_eq!(count(Kind::Crash), count(Kind::Restart), "seed {seed}");
        assert_eq!(count(Kind::Pause), count(Kind::Resume), "seed {seed}");
        // All intents end.
        assert_eq!(count(Kind::Settled), 360, "seed {seed}");
    }
    assert!(before > 1000 && after > 1000, "{before} {after}");
}

#[test]
fn who_crashes_for_ever_stays_down_after_heal() {
    let weather = r#"{ "latency": "1ms", "heal": "50ms", "faults": [ { "crash": "echo", "at": "10ms", "for": "ever" } ] }"#;
    let replay = run(&script(&["0ms", "20ms", "100ms"]), weather, ONCE, 0);
    assert_eq!((when(&replay, Kind::Crash).len(), when(&replay, Kind::Restart).len()), (1, 0));
    assert_eq!(times(&replay, Kind::Lost, PointKind::Request), [21_000, 101_000]);
}

/// Two copies arrive at the same time, or 50 us apart. A key stored with the effect is claimed, one stored before it is there
/// once; one that is stored after it is looked for by both before either has it.
#[test]
fn of_two_copies_at_the_same_time_one_finds_the_key() {
    let charged = |store: &str, again: &str| {
        let text = format!(
            r#"{{ "services": {{ "pay": {{ "tables": {{ "log": {{}} }}, "operations": {{
                "charge": {{ "args": ["o"], "think": "5ms", "insert": {{ "log[]": {{ "o": "o" }} }} }} }} }} }},
              "clients": {{ "k": {{ "does": "pay.charge('a')" }} }},
              "weather": {{ "latency": "1ms", "faults": [ {{ "duplicate": "request pay.charge", "again": "{again}" }} ] }},
              "strategies": {{ "keyed": {{ "idempotency": {{ "use": "key", "store": "{store}" }} }} }},
              "invariants": {{ "once": {{ "at-most-one": "pay.log", "per": "o" }} }} }}"#
        );
        let (_, prepared) = prepared(&read_text(&text)).remove(0);
        (0..5).map(|seed| prepared.replay(seed).unwrap().run.verdict.invariants[0].violations).sum::<u64>()
    };
    for again in ["0ms", "50us", "2ms"] {
        assert_eq!((charged("with", again), charged("before", again)), (0, 0), "{again}");
        assert_eq!(charged("after", again), 5, "{again}");
    }
}
