//! What files say and what is said about the mistakes in them.

use proptest::prelude::*;

use super::super::render::{self, Look};
use super::super::tree::testing::json;
use super::*;

/// The tree, if any, and the printed problems.
fn read(text: &str) -> (Option<Node>, String, Sources) {
    let mut sources = Sources::new();
    let file = sources.add("shop.json", text);
    let mut problems = Problems::new();
    let node = parse(&sources, file, &mut problems);
    assert_eq!(node.is_none(), node.is_none() && problems.has_errors(), "no tree without a reason");
    let printed = render::text(&problems, &sources, Look::Plain);
    (node, printed, sources)
}

/// `line:column code` of every problem.
fn problems(text: &str) -> Vec<String> {
    let mut sources = Sources::new();
    let file = sources.add("shop.json", text);
    let mut problems = Problems::new();
    let _ = parse(&sources, file, &mut problems);
    let entries = render::entries(&problems, &sources);
    entries.iter().map(|entry| format!("{}:{} {}", entry.line, entry.column, entry.code)).collect()
}

/// Asserts that the text reads as that JSON in spite of exactly these problems.
fn reads_as(text: &str, meant: &str, expected: &[&str]) {
    let (node, printed, _) = read(text);
    let node = node.unwrap_or_else(|| panic!("{printed}"));
    assert_eq!(json(&node), serde_json::from_str::<serde_json::Value>(meant).unwrap(), "{text}");
    assert_eq!(problems(text), expected, "{text}");
}

#[test]
fn comments_are_read_over() {
    let text = "// first\n{ \"a\": /* one, two */ [1, true, null], // last\n \"b\": \"// text\" } /* end */";
    reads_as(text, r#"{"a": [1, true, null], "b": "// text"}"#, &[]);
}

#[test]
fn slips_that_leave_no_doubt_are_read_as_meant() {
    reads_as("[1, 2,]", "[1, 2]", &["1:6 HW0112"]);
    reads_as("[1 2]", "[1, 2]", &["1:3 HW0112"]);
    reads_as("[1,, 2]", "[1, 2]", &["1:4 HW0112"]);
    reads_as("{\"a\": 1,}", r#"{"a": 1}"#, &["1:8 HW0112"]);
    reads_as("{\"a\" 1}", r#"{"a": 1}"#, &["1:5 HW0113"]);
    reads_as("{a: 1, 'b': 2}", r#"{"a": 1, "b": 2}"#, &["1:2 HW0114", "1:8 HW0114"]);
    reads_as("[1] # note", "[1]", &["1:5 HW0118"]);
    reads_as("[\"a\tb\\qc\"]", r#"["a\tbqc"]"#, &["1:4 HW0116", "1:6 HW0116"]);
    reads_as(r#"{"a": 1, "b": 2, "a": 3}"#, r#"{"a": 1, "b": 2}"#, &["1:18 HW0121"]);
}

#[test]
fn every_mistake_is_reported_and_none_of_its_consequences() {
    let cases: &[(&str, &[&str])] = &[
        ("", &["1:1 HW0106"]),
        ("  // only this\n", &["1:1 HW0106"]),
        ("{} {}", &["1:4 HW0119"]),
        ("{\"a\": }", &["1:2 HW0110"]),
        ("{\"a\", \"b\": tru, \"c\": 01}", &["1:2 HW0110", "1:12 HW0110", "1:22 HW0117"]),
        ("{\"a\": x == 1 && y,\n \"b\": 0x1F}", &["1:7 HW0114", "2:7 HW0117"]),
        ("{\"a\" = 1}", &["1:6 HW0118"]),
        ("{\"a\": \"open,\n \"b\": 1_000}", &["1:7 HW0115", "2:7 HW0117"]),
        ("{\"a: 1,\n \"b\": +1}", &["1:2 HW0115", "2:7 HW0117"]),
        ("[\"a\": 1]", &["1:5 HW0118"]),
        ("[1, 2", &["1:6 HW0111"]),
        ("{\"a\": [1, 2}", &["1:12 HW0111"]),
        ("{\"a\": [1, 2)]}", &["1:12 HW0118"]),
        ("{\"a\": {\"b\": [1}}", &["1:15 HW0111"]),
        ("[1}, 2]", &["1:3 HW0111"]),
        ("]", &["1:1 HW0110"]),
        ("[1, /* 2]", &["1:5 HW0120"]),
        ("{: 1}", &["1:2 HW0110"]),
        ("{{\"a\": 1}}", &["1:2 HW0110"]),
        ("[\"\\ud800\", \"\\u12\"]", &["1:3 HW0116", "1:13 HW0116"]),
        ("[foo\n\"unclosed\n, 1.]", &["1:2 HW0114", "2:1 HW0115", "3:3 HW0117"]),
    ];
    for (text, expected) in cases {
        assert_eq!(problems(text), *expected, "{text}");
    }
}

#[test]
fn mistakes_with_brackets_show_what_is_still_open() {
    let text = "{\n  \"a\": [1, 2\n  \"b\": 3\n}\n";
    assert_eq!(
        read(text).1,
        "\
error[HW0112]: a comma is missing
 --> shop.json:2:13
  |
2 |   \"a\": [1, 2
  |             ^ expected here

error[HW0118]: a colon does not belong here
 --> shop.json:3:6
  |
2 |   \"a\": [1, 2
  |        - this `[` is still open
3 |   \"b\": 3
  |      ^
  |
help: colons stand between the keys of an object and their values

error[HW0111]: `}` where `]` is expected
 --> shop.json:4:1
  |
2 |   \"a\": [1, 2
  |        - this `[` is still open
3 |   \"b\": 3
4 | }
  | ^
"
    );
}

#[test]
fn a_file_that_ends_too_early_is_marked_at_its_end() {
    assert_eq!(
        read("{\n  \"a\": {\"b\": 1\n}\n").1,
        "\
error[HW0111]: the file ends before a `{` is closed
 --> shop.json:3:2
  |
1 | {
  | - this `{` is still open
2 |   \"a\": {\"b\": 1
3 | }
  |  ^ `}` expected
"
    );
}

#[test]
fn a_part_of_a_text_is_found_in_the_file_also_behind_escapes() {
    let (node, _, sources) = read(r#"{"k\u0065y": "a\"b\ud83d\ude00c\n"}"#);
    let node = node.unwrap();
    let entry = &node.as_object().unwrap()[0];
    assert_eq!(entry.key.value, "key");
    assert_eq!(sources.at(entry.key.place_in(1..2)), "\\u0065");
    assert_eq!(sources.at(entry.key.place_in(2..3)), "y");
    let text = entry.value.as_text().unwrap();
    assert_eq!(text.value, "a\"b😀c\n");
    let written = |range| sources.at(text.place_in(range));
    assert_eq!(written(0..1), "a");
    assert_eq!(written(1..2), "\\\"");
    assert_eq!(written(2..7), r"b\ud83d\ude00");
    assert_eq!(written(4..5), r"\ud83d\ude00", "a part of a character marks all of it");
    assert_eq!(written(7..8), "c");
    assert_eq!(written(8..9), "\\n");
    assert_eq!(written(9..9), "");
    assert_eq!(written(5..99), r"\ud83d\ude00c\n");
}

#[test]
fn places_of_values_run_from_bracket_to_bracket() {
    let (node, _, sources) = read(r#" { "a": [ 1, {} ] } "#);
    let node = node.unwrap();
    assert_eq!(sources.at(node.place), r#"{ "a": [ 1, {} ] }"#);
    let list = &node.get("a").unwrap().value;
    assert_eq!(sources.at(list.place), "[ 1, {} ]");
    assert_eq!(sources.at(list.as_list().unwrap()[1].place), "{}");
    assert_eq!(sources.at(list.head()), "[");
    assert_eq!(node.count(), 4);
}

#[test]
fn nesting_is_read_to_its_bound_and_no_further() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(read(&nested(DEEPEST)).0.is_some());
    assert_eq!(problems(&nested(DEEPEST + 1)), ["1:129 HW0105"]);
}

/// What is said of a text of which no more than so many words and comments are gone through.
fn within(most: usize, text: &str) -> String {
    let mut sources = Sources::new();
    let file = sources.add("shop.json", text);
    let mut problems = Problems::new();
    let (_, steps) = counted(&sources, file, &mut problems);
    assert!(steps <= most, "{steps} steps for {}…", &text[..8]);
    assert!(problems.len() <= 101, "given up after a hundred: {}", problems.len());
    render::text(&problems, &sources, Look::Plain)
}

#[test]
fn hostile_files_are_given_up_after_little_work() {
    let size = 4 << 20;
    // One word a level, one that is too deep, and the end.
    assert!(within(131, &"[".repeat(200_000)).contains("nested more than 128 levels deep"));
    assert!(within(3 * 131, &"{\"a\":".repeat(200_000)).contains("nested more than"));
    // Two words a value; nothing is looked at behind the value that is one too many.
    let most = 2 * MOST_VALUES + 4;
    assert!(within(most, &format!("[{}", "0,".repeat(size / 2))).contains("more than 250000 values"));
    assert!(within(2, &format!("\"{}\"", "\\n".repeat(size / 2))).is_empty());
    assert!(within(103, &format!("[{}", "\"".repeat(size))).contains("a comma is missing"));
    assert!(within(2, &"/* ".repeat(size / 3)).contains("not closed"));
    assert!(within(102, &"#\n".repeat(size / 2)).contains("does not begin a comment"));
    assert!(within(4, &"}".repeat(size)).contains("a value is expected"));
    // A hundred mistakes, four words each.
    assert!(within(410, &format!("{{{}", "\"a\":1,".repeat(size / 6))).contains("stands twice"));
    // One long line: every word of it once.
    assert!(within(size / 2 + 3, &format!("[{}", "a ".repeat(size / 2))).contains("HW0114"));
    assert!(within(2, &"x".repeat(size)).contains("HW0114"));
    assert!(within(2, &"9".repeat(size)).is_empty());
    assert!(within(2, &"=".repeat(size)).contains("does not belong here"));
}

#[test]
fn a_plain_file_costs_a_step_a_word() {
    // Five words, the end, two comments.
    assert_eq!(within(8, "{ /* a */ \"a\": 1 } // done\n"), "");
}

/// JSON values without fractions, whose text a reader of floats and this one agree on.
fn value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            prop::collection::btree_map("[a-c\"\\\\é]{0,3}", inner, 0..6)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Every place in the tree lies inside the file, on character boundaries, and inside that of its parent.
fn places_are_sound(node: &Node, parent: Place, sources: &Sources) {
    let inside = |place: Place, parent: Place| {
        assert!(parent.start <= place.start && place.start <= place.end && place.end <= parent.end);
        assert!(sources.text(place.file).get(place.range()).is_some());
    };
    inside(node.place, parent);
    match &node.kind {
        Kind::List(elements) => {
            elements.iter().for_each(|element| places_are_sound(element, node.place, sources))
        }
        Kind::Object(entries) => {
            for entry in entries.iter() {
                inside(entry.key.place, node.place);
                places_are_sound(&entry.value, node.place, sources);
            }
        }
        Kind::Text(text) => {
            for end in 0..=text.value.len() {
                inside(text.place_in(0..end), text.place);
                inside(text.place_in(end..text.value.len()), text.place);
            }
        }
        _ => {}
    }
}

proptest! {
    #[test]
    fn what_other_tools_write_reads_as_the_same(value in value()) {
        for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
            let (node, printed, sources) = read(&text);
            prop_assert_eq!(&printed, "");
            let node = node.unwrap();
            prop_assert_eq!(json(&node), value.clone());
            places_are_sound(&node, Place::new(0, 0, u32::try_from(text.len()).unwrap()), &sources);
        }
    }

    #[test]
    fn damaged_files_end_in_problems_inside_the_file(
        value in value(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), "[\\[\\]{}\",:'/*#\\\\\n0-9a-z=é+.-]{0,2}"), 1..5),
    ) {
        let mut letters: Vec<char> = value.to_string().chars().collect();
        for (at, insert) in &damage {
            let at = at.index(letters.len() + 1);
            let removed = usize::from(at < letters.len() && insert.len() != 1);
            letters.splice(at..at + removed, insert.chars());
        }
        let text: String = letters.into_iter().collect();
        let mut sources = Sources::new();
        let file = sources.add("damaged.json", text.clone());
        let mut problems = Problems::new();
        let node = parse(&sources, file, &mut problems);
        for problem in problems.iter() {
            for place in std::iter::once(problem.place).chain(problem.also.iter().map(|(place, _)| *place)) {
                prop_assert!(sources.text(place.file).get(place.range()).is_some(), "{problem:?} in {text:?}");
            }
        }
        let _ = render::text(&problems, &sources, Look::Coloured);
        // Accepted without a word exactly if it is JSON, comments aside.
        let strict = jsonc_parser::ParseOptions {
            allow_comments: true,
            allow_loose_object_property_names: false,
            allow_trailing_commas: false,
            allow_missing_commas: false,
            allow_single_quoted_strings: false,
            allow_hexadecimal_numbers: false,
            allow_unary_plus_numbers: false,
            allow_bare_decimal_point_numbers: false,
            allow_non_finite_numbers: false,
            allow_extended_string_escapes: false,
        };
        let accepted = jsonc_parser::parse_to_ast(&text, &Default::default(), &strict);
        if problems.is_empty() {
            prop_assert!(node.is_some() && accepted.is_ok_and(|result| result.value.is_some()), "{text:?}");
        } else if text.bytes().all(|byte| byte >= b' ') && !problems.iter().any(|p| p.code == Code::DuplicateKey) {
            prop_assert!(!accepted.is_ok_and(|result| result.value.is_some()), "{text:?}");
        }
    }
}
