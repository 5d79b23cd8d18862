//! Files that extend each other, cases, and everything that can be wrong with them.

use serde_json::{Value, json};

use super::super::render::{self, Look};
use super::super::tree::testing;
use super::*;

/// Loads the first of the files given by name and content.
fn load_bytes(files: &[(&str, &[u8])]) -> Result<Loaded, Box<Rejected>> {
    let files: BTreeMap<PathBuf, &[u8]> =
        files.iter().map(|(name, text)| (PathBuf::from(name), *text)).collect();
    let mut read = |path: &Path| {
        files.get(path).map(|bytes| bytes.to_vec()).ok_or_else(|| io::Error::from(ErrorKind::NotFound))
    };
    load(Path::new("s.json"), &mut read)
}

fn load_texts(files: &[(&str, &str)]) -> Result<Loaded, Box<Rejected>> {
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
    load_bytes(&files)
}

/// The documents by case; there must be no problem.
fn documents(files: &[(&str, &str)]) -> Vec<(Option<String>, Value)> {
    let loaded = load_texts(files).unwrap_or_else(|rejected| panic!("{:?}", rejected.problems));
    assert!(loaded.problems.is_empty(), "{:?}", loaded.problems);
    let plain =
        |document: Document| (document.case.map(|name| name.value.owned()), testing::json(&document.node));
    loaded.documents.into_iter().map(plain).collect()
}

fn printed(result: Result<Loaded, Box<Rejected>>) -> String {
    match result {
        Ok(loaded) => render::text(&loaded.problems, &loaded.sources, Look::Plain),
        Err(rejected) => {
            assert!(rejected.problems.has_errors());
            render::text(&rejected.problems, &rejected.sources, Look::Plain)
        }
    }
}

/// The first line of each problem.
fn messages(result: Result<Loaded, Box<Rejected>>) -> Vec<String> {
    let printed = printed(result);
    printed
        .lines()
        .filter(|line| line.starts_with("error") || line.starts_with("warning"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn a_file_is_a_patch_over_what_it_extends_and_that_over_what_it_extends() {
    let files = [
        ("s.json", r#"{"extends": ["lib/a.json", "lib/b.json"], "about": "s", "topics": null}"#),
        ("lib/a.json", r#"{"extends": "../base.json", "about": "a", "topics": {"t": {}}}"#),
        ("lib/b.json", r#"{"about": "b", "flows": {"f": {}}}"#),
        ("base.json", r#"{"about": "base", "services": {"shop": {}}}"#),
    ];
    let expected = json!({"about": "s", "services": {"shop": {}}, "flows": {"f": {}}});
    assert_eq!(documents(&files), [(None, expected)]);
}

#[test]
fn each_case_is_a_patch_over_the_whole_also_over_what_is_expected() {
    let files = [(
        "s.json",
        r#"{"weather": {"latency": "1ms", "heal": "1s"}, "expect": {"naive": "violated"},
            "cases": {"calm": {"weather": {"latency": null}, "expect": {"naive": "holds"}}, "same": {}}}"#,
    )];
    let plain = json!({"weather": {"latency": "1ms", "heal": "1s"}, "expect": {"naive": "violated"}});
    let calm = json!({"weather": {"heal": "1s"}, "expect": {"naive": "holds"}});
    let expected = [(None, plain.clone()), (Some("calm".into()), calm), (Some("same".into()), plain)];
    assert_eq!(documents(&files), expected);
}

#[test]
fn cases_are_inherited_and_their_removals_with_them() {
    let files = [
        (
            "s.json",
            r#"{"extends": "base.json", "weather": {"heal": "2s"}, "cases": {"wild": null, "calm": {"about": "c"}}}"#,
        ),
        (
            "base.json",
            r#"{"weather": {"latency": "1ms"}, "cases": {"calm": {"weather": {"latency": null}}, "wild": {}}}"#,
        ),
    ];
    let plain = json!({"weather": {"latency": "1ms", "heal": "2s"}});
    let calm = json!({"weather": {"heal": "2s"}, "about": "c"});
    assert_eq!(documents(&files), [(None, plain), (Some("calm".into()), calm)]);
}

#[test]
fn a_message_about_an_inherited_value_points_into_the_file_that_holds_it() {
    let files =
        [("s.json", r#"{"extends": "b.json", "about": "s"}"#), ("b.json", r#"{"flows": {}, "about": "b"}"#)];
    let loaded = load_texts(&files).unwrap();
    let file = |key: &str| loaded.documents[0].node.get(key).unwrap().value.place.file;
    assert_eq!(loaded.sources.name(file("flows")), "b.json");
    assert_eq!(loaded.sources.name(file("about")), "s.json");
}

#[test]
fn a_missing_file_is_reported_where_it_is_named() {
    assert_eq!(
        printed(load_texts(&[])),
        "error[HW0101]: cannot read `s.json`: there is no such file\n--> s.json\n"
    );
    let files = [("s.json", "{\n  \"extends\": [\"lib/base.json\", \"other.json\"]\n}")];
    assert_eq!(
        printed(load_texts(&files)),
        "\
error[HW0101]: cannot read `lib/base.json`: there is no such file
 --> s.json:2:15
  |
2 |   \"extends\": [\"lib/base.json\", \"other.json\"]
  |               ^^^^^^^^^^^^^^^
  |
help: paths are relative to the file that holds them

error[HW0101]: cannot read `other.json`: there is no such file
 --> s.json:2:32
  |
2 |   \"extends\": [\"lib/base.json\", \"other.json\"]
  |                                ^^^^^^^^^^^^
  |
help: paths are relative to the file that holds them
"
    );
}

#[test]
fn a_ring_of_files_is_said_to_be_one() {
    let files = [
        ("s.json", r#"{"extends": "d/a.json"}"#),
        ("d/a.json", r#"{"extends": "./b.json"}"#),
        ("d/b.json", r#"{"extends": "../d/../d/a.json"}"#),
    ];
    assert_eq!(
        messages(load_texts(&files)),
        ["error[HW0130]: `extends` leads back here: d/a.json → d/b.json and again d/a.json"]
    );
    assert_eq!(
        messages(load_texts(&[("s.json", r#"{"extends": "s.json"}"#)])),
        ["error[HW0130]: this file extends itself"]
    );
}

#[test]
fn a_long_chain_and_a_wide_fan_have_their_bounds() {
    let chain = |path: &Path| {
        let number: usize =
            path.to_str().unwrap().trim_matches(|c: char| !c.is_ascii_digit()).parse().unwrap_or(0);
        Ok(format!("{{\"extends\": \"{}.json\"}}", number + 1).into_bytes())
    };
    assert_eq!(
        messages(load(Path::new("0.json"), &mut { chain })),
        ["error[HW0130]: `extends` leads more than 16 files deep"]
    );
    let names: Vec<String> = (0..100).map(|number| format!("\"{number}\"")).collect();
    let root = format!("{{\"extends\": [{}]}}", names.join(","));
    let mut fan = |path: &Path| {
        Ok(if path == Path::new("s.json") { root.clone() } else { "{}".to_owned() }.into_bytes())
    };
    let said = messages(load(Path::new("s.json"), &mut fan));
    assert_eq!(said[0], "error[HW0130]: the scenario consists of more than 64 files");
}

#[test]
fn files_that_multiply_when_laid_out_are_read_once_each() {
    // Eight levels of two files that both extend both of the next level: 511 files on paper, 17 to read.
    let mut asked = Vec::new();
    let mut ladder = |path: &Path| {
        let name = path.to_str().unwrap();
        asked.push(name.to_owned());
        let level: usize =
            name.trim_start_matches(['a', 'b', 's']).trim_end_matches(".json").parse().unwrap_or(0);
        let rows: Vec<String> = (0..1_000).map(|row| format!("\"{name}{row}\": {row}")).collect();
        let extends = if level < 8 {
            format!("\"extends\": [\"a{0}.json\", \"b{0}.json\"],", level + 1)
        } else {
            String::new()
        };
        Ok(format!("{{{extends} \"rows\": {{{}}}}}", rows.join(",")).into_bytes())
    };
    let (loaded, copied) = counted(Path::new("s.json"), &mut ladder);
    assert!(loaded.is_ok());
    assert_eq!(asked.len(), 17, "{asked:?}");
    // Of n files below it, each of the two of a level copies the rows twice, and its own once.
    assert!(copied <= MOST_LAID_OUT, "{copied}");
}

#[test]
fn cases_over_a_large_document_are_stopped_when_they_have_copied_enough() {
    let rows: Vec<String> = (0..1_000).map(|row| format!("\"{row}\": {row}")).collect();
    let cases: Vec<String> = (0..10_000).map(|case| format!("\"case {case}\": {{}}")).collect();
    let text = format!("{{\"rows\": {{{}}}, \"cases\": {{{}}}}}", rows.join(","), cases.join(","));
    let mut read = |_: &Path| Ok(text.clone().into_bytes());
    let (loaded, copied) = counted(Path::new("s.json"), &mut read);
    assert_eq!(messages(loaded), ["error[HW0104]: laid out, the scenario exceeds 500000 values"]);
    // The document is two objects and a thousand rows; the one copy that is too much is counted and not made.
    assert!((MOST_LAID_OUT..=MOST_LAID_OUT + 1_002).contains(&copied), "{copied}");
}

#[test]
fn what_is_not_a_path_and_not_a_case_is_said() {
    let text = r#"{"extends": [1, "", "s2", "./s2"], "cases": {"a": 1, "": {}, "c": {"cases": {}, "extends": "x"}, "d": {}}}"#;
    let said = messages(load_texts(&[("s.json", text), ("s2", "{}")]));
    assert_eq!(
        said,
        [
            "error[HW0130]: `extends` holds a path or a list of paths, not a number",
            "error[HW0130]: `extends` holds a path or a list of paths, not a text",
            "error[HW0130]: `./s2` is extended twice",
            "error[HW0131]: the case `a` is an object with what changes, not a number",
            "error[HW0131]: a case needs a name",
            "error[HW0131]: `cases` cannot stand in the case `c`",
            "error[HW0130]: `extends` cannot stand in the case `c`",
        ]
    );
    assert_eq!(
        messages(load_texts(&[("s.json", r#"{"cases": []}"#)])),
        ["error[HW0131]: `cases` holds an object of cases by name, not a list"]
    );
    assert_eq!(
        messages(load_texts(&[("s.json", "[]")])),
        ["error[HW0106]: a scenario is an object, not a list"]
    );
}

#[test]
fn bytes_that_are_not_utf8_are_marked() {
    assert_eq!(
        printed(load_bytes(&[("s.json", b"{ \"about\": \"caf\xe9\" }")])),
        "\
error[HW0102]: this is not UTF-8 text
 --> s.json:1:16
  |
1 | { \"about\": \"caf\u{fffd}\" }
  |                ^
  |
help: save the file as UTF-8
"
    );
    assert!(printed(load_bytes(&[("s.json", b"\xff\xfe{\0}\0")])).contains("looks like UTF-16"));
    let loaded = load_bytes(&[("s.json", b"\xef\xbb\xbf{}")]).unwrap();
    assert!(!loaded.problems.has_errors());
    assert_eq!(messages(Ok(loaded)), ["warning[HW0103]: the file starts with a byte order mark"]);
}

#[test]
fn a_file_beyond_the_bound_is_refused_unread() {
    let large = " ".repeat(MOST_BYTES + 1);
    assert_eq!(
        messages(load_texts(&[("s.json", &large)])),
        ["error[HW0104]: with `s.json` the scenario exceeds 8 MiB"]
    );
}

#[test]
fn a_slip_does_not_keep_the_documents_from_being_checked_on() {
    let loaded = load_texts(&[("s.json", "{\"about\": \"x\",}")]).unwrap();
    assert!(loaded.problems.has_errors());
    assert_eq!(testing::json(&loaded.documents[0].node), json!({"about": "x"}));
}
