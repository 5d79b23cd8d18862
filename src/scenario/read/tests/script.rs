//! Scripts as they are written: what each line decides, and what is said about lines that decide nothing.

use super::*;
use crate::kernel::path::{Path as Name, Role};
use crate::kernel::script::Matter;
use crate::model::weather::{Downtime, FaultVerb, Moment};

/// The small file with a script.
fn scripted(lines: &str) -> String {
    small(&[
        (r#""faults": []"#, &format!(r#""script": [ {lines} ]"#)),
        ("'ana', 5)\"", "'ana', 5)\", \"count\": 2"),
    ])
}

fn decided(lines: &str) -> Vec<(Name, Matter, u64)> {
    let scenario = good(&scripted(lines));
    let script = scenario.cases[0].strategies[0].model.weather.script.clone().unwrap();
    let mut decided = script.decided.clone();
    decided.sort_by_key(|decided| decided.line);
    decided.iter().map(|decided| (decided.path, decided.what, decided.value)).collect()
}

fn request(client: u32) -> Name {
    let client = Name::ROOT.child(Role::Group, 0).child(Role::Client, client);
    client.child(Role::Intent, 0).child(Role::Attempt, 1).child(Role::Request, 0)
}

#[test]
fn a_line_names_its_path_and_what_is_decided() {
    let lines = r#""shop#2.i1 = none", "shop#1.i1.a1:reply~1 = lost", "shop#1.i1.a1:request~1 = 3ms",
        "shop#1.i1.a1:request = 3 copies", "shop#1?start = 2ms", "shop#1.i1.a1:request = late 5ms""#;
    let copy = |message: Name| message.child(Role::Copy, 0);
    let expected = [
        (Name::ROOT.child(Role::Group, 0).child(Role::Client, 1).child(Role::Intent, 0), Matter::LEFT_OUT),
        (copy(request(0).child(Role::Reply, 0)), Matter::LOST),
        (copy(request(0)), Matter::ARRIVES),
        (request(0), Matter::COPIES),
        (
            Name::ROOT.child(Role::Group, 0).child(Role::Client, 0),
            Matter::from(crate::kernel::choose::Ask::Start),
        ),
        (request(0), Matter::LATE),
    ];
    let found = decided(lines);
    let names: Vec<(Name, Matter)> = found.iter().map(|(path, what, _)| (*path, *what)).collect();
    assert_eq!(names, expected);
    // Times are in ns; of copies, two more than one; faults are numbered in the order of their lines: lost, copies, late.
    assert_eq!((found[2].2, found[3].2, found[4].2, found[5].2), (3_000_000, 1 | 2 << 32, 2_000_000, 2));
}

#[test]
fn nodes_strike_at_points_and_by_the_clock() {
    let lines = r#""shop#1.i1.a1:request before commit = crash bank for 20ms", "bank.db at 7ms = pause for ever",
        "shop -> bank at 1ms = cut for 2ms""#;
    let clock = |number| (Name(number), Matter::CLOCK, number);
    assert_eq!(decided(lines), [(request(0), Matter::point(0, 4), 0), clock(1), clock(2)]);
    let scenario = good(&scripted(lines));
    let faults = &scenario.cases[0].strategies[0].model.weather.faults;
    assert!(matches!(&faults[0].verb, FaultVerb::Crash(_, Moment::Before(_), Downtime::For(_))));
    assert!(matches!(&faults[1].verb, FaultVerb::Pause(_, Moment::At(_), Downtime::Ever)));
    assert!(matches!(&faults[2].verb, FaultVerb::Cut(_, Moment::At(_), _)));
    assert_eq!(faults[2].text, "shop -> bank at 1ms = cut for 2ms");
}

#[test]
fn a_name_that_nobody_bears_is_marked_where_it_goes_wrong() {
    for (line, mark) in [
        ("shap.i1 = none", "HW0320 at shap: there is no group of clients `shap`"),
        ("shop.i1 = none", "HW0320 at shop: which of the 2 of `shop`?"),
        ("shop#3.i1 = none", "HW0320 at #3: `shop` has the clients #1 to #2"),
        ("shop#1.i2 = none", "HW0320 at .i2: each of them has one intent only"),
        ("shop#1.i1.a1:replay~1 = lost", "HW0320 at replay: no message is called `replay`"),
        ("shop#1.i1.a1/s1.pay.t1:reply~1 = lost", "HW0320 at /s1: there is no flow, so nothing has steps"),
        ("shop#1.i1.b1:reply~1 = lost", "HW0320 at b1: no part of a name is called `b1`"),
        ("0xabc = lost", "HW0320 at 0xabc: a path has 16 hexadecimal digits"),
    ] {
        assert_eq!(marks(&scripted(&format!("\"{line}\""))), [mark], "{line}");
    }
}

#[test]
fn a_decision_that_means_nothing_is_marked_where_it_goes_wrong() {
    for (line, mark) in [
        ("shop#1.i1", "HW0320 at shop#1.i1: this is not a decision"),
        ("shop#1.i1 = gone", "HW0320 at gone: nothing is decided like this"),
        ("shop#1.i1.a1:reply = lost", "HW0320 at shop#1.i1.a1:reply: a message may have several copies"),
        ("shop#1.i1.a1:reply = 1 copies", "HW0320 at 1 copies: this is no number of copies"),
        ("shop#1.i1.a1:reply = none", "HW0320 at shop#1.i1.a1:reply: only an intent can be left out"),
        ("shop#1.i1?gup = 1ms", "HW0320 at gup: `gup` is not known here"),
        ("shop#1.i1?jitter = 1ms", "HW0320 at 1ms: this is not a draw"),
        ("shop#1.i1 before comit = crash bank for 1ms", "HW0320 at comit: `comit` is not known here"),
        ("shop#1.i1 before commit = crash bank", "HW0320 at crash bank: nothing strikes like this"),
        ("bank at 1ms = crash", "HW0320 at crash: how long does it last?"),
        ("bonk at 1ms = crash for 1ms", "HW0301 at bonk: there is no service or group of clients `bonk`"),
    ] {
        assert_eq!(marks(&scripted(&format!("\"{line}\""))), [mark], "{line}");
    }
}

#[test]
fn a_mistake_is_shown_with_a_caret_and_a_way_out() {
    assert_eq!(
        said(&small(&[(r#""faults": []"#, r#""script": [ "shop.i1.a1:replay~1 = lost" ]"#)])),
        "\
error[HW0320]: no message is called `replay`
  --> dir/s.json:10:40
   |
10 |   \"weather\": { \"script\": [ \"shop.i1.a1:replay~1 = lost\" ] },
   |                                        ^^^^^^
   |
help: did you mean `reply`?
"
    );
}

#[test]
fn one_thing_is_decided_once() {
    let twice = r#""shop#1.i1.a1:reply~1 = lost", "shop#1.i1.a1:request:reply~1 = lost""#;
    let said = marks(&scripted(twice));
    assert_eq!(said, [r#"HW0320 at "shop#1.i1.a1:request:reply~1 = lost": this is decided twice"#]);
    // That a copy is lost and how long it takes are two things.
    decided(r#""shop#1.i1.a1:reply~1 = lost", "shop#1.i1.a1:reply~1 = 3ms""#);
}

#[test]
fn what_is_left_open_is_said_beside_a_script_only() {
    let said = marks(&small(&[(r#""faults": []"#, r#""rest": "seed""#)]));
    assert_eq!(said, [r#"HW0315 at "rest": `rest` is what a script leaves open, and there is no `script`"#]);
    let scenario = good(&small(&[(r#""faults": []"#, r#""script": [], "rest": "seed", "seed": 7"#)]));
    let weather = &scenario.cases[0].strategies[0].model.weather;
    assert_eq!((weather.seed, weather.script.as_ref().map(|script| script.calm)), (Some(7), Some(false)));
}
