//! Typical mistakes and what is said about them, word by word.

use proptest::prelude::*;

use super::super::parse::parse;
use super::super::render::{self, Look};
use super::super::shape::Word;
use super::super::source::Sources;
use super::*;

static CLASSES: [Word; 2] = [Word::new("pivot", "after it only forward"), Word::new("retriable", "repeated")];
static VERBS: [&str; 2] = ["do", "wait"];

static STEP: Table = Table {
    name: "step",
    doc: "One step of a flow.",
    fields: &[
        Field::new("do", Shape::Text, "a call"),
        Field::new("wait", Shape::Time, "a pause"),
        Field::new("class", Shape::OneOf(&CLASSES), "how a saga treats it"),
        Field::new("optional", Shape::Flag, "whether it may be refused").default("false"),
        Field::new("then", Shape::List(&Shape::Object(&STEP)), "a table may mention itself"),
    ],
};

static FLOW: Table = Table {
    name: "flow",
    doc: "Steps over services.",
    fields: &[
        Field::new("by", Shape::Name("service"), "who runs it"),
        Field::new("args", Shape::List(&Shape::Name("argument")), "its arguments"),
        Field::new("tries", Shape::Integer { low: 1, high: 100 }, "how often").default("1"),
        Field::new("think", Shape::Either(&[Shape::Time, Shape::Flag]), "how long"),
        Field::new("chance", Shape::Share, "how often"),
        Field::new("lease", Shape::TimeOrEver, "how long"),
        Field::new("on", Shape::OneOrMany(&Shape::Name("topic")), "what starts it"),
        Field::new("let", Shape::Map("value", &Shape::Expression), "local names"),
        Field::new("first", Shape::Object(&STEP), "the first step").required(),
    ],
};

/// Reads one flow; gives the printed problems to `look`, with the flow if it is one.
fn with_flow<T>(text: &str, look: impl FnOnce(Option<Fields<'_>>, &mut Problems) -> T) -> (T, String) {
    let mut sources = Sources::new();
    let file = sources.add("flow.json", text);
    let mut problems = Problems::new();
    let node = parse(&sources, file, &mut problems).expect(text);
    let fields = Fields::of(&node, node.head(), &FLOW, &mut problems);
    let seen = look(fields, &mut problems);
    (seen, render::text(&problems, &sources, Look::Plain))
}

/// What is printed about a flow with this member beside the required one.
fn said(member: &str) -> String {
    with_flow(&format!("{{ \"first\": {{}},\n  {member} }}"), |_, _| ()).1
}

#[test]
fn good_values_are_handed_out() {
    let text = r#"{ "by": "shop", "args": ["a", "b"], "tries": 3, "think": "1ms..2ms", "chance": "1%", "lease": "ever",
        "on": "paid", "let": { "x": "1 + 1", "y": null }, "first": { "do": "shop.buy()", "class": "pivot", "optional": true } }"#;
    let ((), printed) = with_flow(text, |fields, problems| {
        let flow = fields.unwrap();
        assert_eq!(flow.text("by").unwrap().value, "shop");
        assert_eq!(flow.list("args").len(), 2);
        assert_eq!(flow.integer("tries"), Some(3));
        assert_eq!(flow.time("think"), quantity::time("1ms..2ms").ok());
        assert_eq!(flow.share("chance"), Some(ShareSpec::Fixed(10_000)));
        assert_eq!(flow.time_or_ever("lease"), Some(None));
        assert_eq!(flow.list("on").len(), 1, "one alone reads as a list of one");
        assert_eq!(flow.members("let").len(), 2);
        let step = flow.object("first", problems).unwrap();
        assert_eq!(step.word("class"), Some("pivot"));
        assert_eq!(step.flag("optional"), Some(true));
        assert_eq!(step.choice(&VERBS, problems).map(|(field, _)| field.name), Some("do"));
        assert!(step.list("then").is_empty() && !step.has("wait"));
    });
    assert_eq!(printed, "");
}

#[test]
fn a_slip_in_a_key_is_answered_with_the_key_meant() {
    assert_eq!(
        said("\"chnace\": \"1%\""),
        "\
error[HW0201]: a flow has no key `chnace`
 --> flow.json:2:3
  |
2 |   \"chnace\": \"1%\" }
  |   ^^^^^^^^
  |
help: did you mean `chance`? known here: by args tries think chance lease on let first
"
    );
}

#[test]
fn a_missing_key_is_reported_where_the_object_is_named() {
    assert_eq!(
        with_flow("{ \"by\": \"shop\" }", |_, _| ()).1,
        "\
error[HW0202]: a flow needs the key `first`
 --> flow.json:1:1
  |
1 | { \"by\": \"shop\" }
  | ^
  |
help: `first`: a step (an object)
"
    );
}

#[test]
fn a_wrong_unit_is_marked_within_the_text() {
    assert_eq!(
        said("\"think\": \"1ms..5sec\""),
        "\
error[HW0205]: `think`: `sec` is not a unit of time
 --> flow.json:2:19
  |
2 |   \"think\": \"1ms..5sec\" }
  |                   ^^^
  |
help: write \"5s\"
"
    );
}

#[test]
fn a_share_beyond_the_whole_is_refused() {
    assert_eq!(
        said("\"chance\": \"120%\""),
        "\
error[HW0206]: `chance`: `120%` is more than the whole
 --> flow.json:2:14
  |
2 |   \"chance\": \"120%\" }
  |              ^^^^
  |
help: 100% is the most
"
    );
}

#[test]
fn a_number_where_a_time_is_due_needs_its_unit() {
    assert_eq!(
        said("\"lease\": 30"),
        "\
error[HW0203]: `lease` must be a time such as \"5ms\", or \"ever\", not a number
 --> flow.json:2:12
  |
2 |   \"lease\": 30 }
  |            ^^
  |
help: write `\"30ms\"`
"
    );
}

#[test]
fn a_number_out_of_bounds_is_told_the_bounds() {
    assert_eq!(
        said("\"tries\": 0"),
        "\
error[HW0207]: `tries` must be between 1 and 100, not 0
 --> flow.json:2:12
  |
2 |   \"tries\": 0 }
  |            ^
"
    );
}

#[test]
fn every_element_of_a_list_is_checked() {
    assert_eq!(
        said("\"args\": [\"a\", 7, {}]"),
        "\
error[HW0203]: each of `args` must be the name of an argument, not a number
 --> flow.json:2:17
  |
2 |   \"args\": [\"a\", 7, {}] }
  |                 ^
  |
help: in quotes: `\"7\"`

error[HW0203]: each of `args` must be the name of an argument, not an object
 --> flow.json:2:20
  |
2 |   \"args\": [\"a\", 7, {}] }
  |                    ^
"
    );
}

#[test]
fn where_several_shapes_are_possible_the_nearest_explains() {
    assert_eq!(said("\"think\": true"), "");
    assert!(said("\"think\": \"soon\"").contains("error[HW0205]: `think`: `soon` is not a time"));
    let neither = "`think` must be a time such as \"5ms\" or \"1ms..10ms\", or `true` or `false`, not a list";
    assert!(said("\"think\": []").contains(neither));
}

#[test]
fn a_step_says_one_thing() {
    let (_, printed) = with_flow(
        "{ \"first\": { \"do\": \"x\", \"wait\": \"1s\", \"class\": \"pivto\" } }",
        |flow, problems| {
            flow.unwrap()
                .object("first", problems)
                .unwrap()
                .choice(&VERBS, problems)
                .map(|(field, _)| field.name)
        },
    );
    assert_eq!(
        printed,
        "\
error[HW0208]: a step cannot have both `do` and `wait`
 --> flow.json:1:25
  |
1 | { \"first\": { \"do\": \"x\", \"wait\": \"1s\", \"class\": \"pivto\" } }
  |              ----       ^^^^^^
  |              |
  |              besides this
  |
help: exactly one of `do` or `wait`

error[HW0204]: `pivto` is not a possible `class`
 --> flow.json:1:48
  |
1 | { \"first\": { \"do\": \"x\", \"wait\": \"1s\", \"class\": \"pivto\" } }
  |                                                ^^^^^^^
  |
help: did you mean `pivot`? one of `pivot` or `retriable`
"
    );
    let (_, printed) = with_flow("{ \"first\": {} }", |flow, problems| {
        flow.unwrap().object("first", problems).unwrap().choice(&VERBS, problems).is_none()
    });
    assert!(printed.contains("a step needs one of the keys `do` or `wait`"));
}

#[test]
fn a_key_twice_shows_both_places() {
    assert_eq!(
        said("\"by\": \"a\",\n  \"by\": \"b\""),
        "\
error[HW0121]: the key `by` stands twice in one object
 --> flow.json:3:3
  |
2 |   \"by\": \"a\",
  |   ---- first here
3 |   \"by\": \"b\" }
  |   ^^^^ again here
  |
help: put the two together, or rename one
"
    );
}

#[test]
fn a_value_that_was_reported_reads_as_absent() {
    let ((), printed) = with_flow("{ \"tries\": \"3\", \"first\": 1 }", |fields, problems| {
        let flow = fields.unwrap();
        assert_eq!((flow.integer("tries"), flow.has("first")), (None, false));
        assert!(flow.object("first", problems).is_none());
    });
    assert!(printed.contains("without quotes: `3`"));
    assert!(printed.contains("`first` must be a step (an object), not a number"));
    assert!(!printed.contains("needs the key"), "it is there, if wrong");
}

#[test]
fn a_misspelled_key_reads_as_the_one_that_was_meant() {
    let ((), printed) =
        with_flow("{ \"frist\": { \"do\": \"a.b()\" }, \"ags\": [\"x\"] }", |fields, problems| {
            let flow = fields.unwrap();
            assert_eq!(flow.list("args").len(), 1);
            assert!(flow.object("first", problems).unwrap().has("do"));
        });
    assert_eq!(printed.matches("error").count(), 2, "each slip once, and nothing for want of it: {printed}");
}

#[test]
fn a_misspelled_key_is_not_read_beside_the_right_one_nor_where_its_value_does_not_fit() {
    let ((), printed) =
        with_flow("{ \"first\": {}, \"args\": [\"x\"], \"ags\": [], \"chnace\": true }", |fields, _| {
            let flow = fields.unwrap();
            assert_eq!((flow.list("args").len(), flow.has("chance")), (1, false));
        });
    assert_eq!(printed.matches("error").count(), 2, "{printed}");
}

#[test]
fn only_what_would_fit_without_quotes_is_told_to_go_without() {
    assert!(said("\"tries\": \"3\"").contains("without quotes: `3`"));
    assert!(!said("\"tries\": \"three\"").contains("without quotes"));
}

proptest! {
    #[test]
    fn any_object_ends_in_problems_inside_the_file(
        members in prop::collection::btree_map(
            prop::sample::select(vec!["by", "args", "tries", "think", "chance", "lease", "on", "let", "first", "odd"]),
            prop::sample::select(vec![
                "null", "1", "-5", "1e9", "true", "\"\"", "\"5ms\"", "\"\\u00e9 5%\"", "[]", "[1, \"a\"]", "{}", "{\"do\": 1}",
            ]),
            0..10,
        ),
    ) {
        let members: Vec<String> = members.iter().map(|(key, value)| format!("\"{key}\": {value}")).collect();
        let text = format!("{{{}}}", members.join(", "));
        let mut sources = Sources::new();
        let file = sources.add("flow.json", text);
        let mut problems = Problems::new();
        let node = parse(&sources, file, &mut problems).unwrap();
        let _ = Fields::of(&node, node.head(), &FLOW, &mut problems);
        for problem in problems.iter() {
            prop_assert!(!sources.at(problem.place).is_empty() || problem.code != Code::UnknownKey);
            prop_assert!(sources.text(file).get(problem.place.range()).is_some());
        }
    }
}
