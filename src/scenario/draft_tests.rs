//! Tests of drafts: what is written out is read again as the same scenario.

use std::path::PathBuf;

use proptest::prelude::*;

use super::*;

/// All scenario files of the project, and the reader's own that hold every key.
fn files() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<PathBuf> = std::fs::read_dir(root.join("scenarios"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .collect();
    files.push(root.join("src/scenario/read/tests/everything.json"));
    files.sort();
    files
}

/// What a scenario says but for its name and where its texts are.
fn said(scenario: &Scenario) -> String {
    format!("{:?} {:x?} {:#?}", scenario.about, scenario.digest, scenario.cases)
}

#[test]
fn every_file_as_a_draft_written_out_and_read_back_is_the_same_scenario() {
    for file in files() {
        let from_disk = Scenario::load(&file).unwrap();
        let draft = Draft::load(&file).unwrap();
        let text = draft.text();
        assert_eq!(Draft::parse(draft.name(), &text).unwrap(), draft, "{text}");
        let back = draft.read().unwrap();
        assert_eq!(said(&back), said(&from_disk), "{}", file.display());
        assert_eq!((back.name, back.file), (from_disk.name, None));
    }
}

#[test]
fn each_case_alone_is_what_it_was_among_the_others() {
    for file in files() {
        let from_disk = Scenario::load(&file).unwrap();
        let draft = Draft::load(&file).unwrap();
        let names: Vec<&str> = from_disk.cases.iter().filter_map(|case| case.name.as_deref()).collect();
        assert_eq!(draft.cases().collect::<Vec<_>>(), names);
        for case in &from_disk.cases {
            let alone = match &case.name {
                Some(name) => draft.case(name).unwrap(),
                None => draft.as_written(),
            };
            let back = Draft::parse("alone", &alone.text()).unwrap().read().unwrap();
            let [only] = back.cases.as_slice() else { panic!("one case: {:?}", back.cases) };
            assert_eq!(only.name, None);
            let named = crate::scenario::Case { name: case.name.clone(), ..only.clone() };
            assert_eq!(format!("{named:#?}"), format!("{case:#?}"), "{}", file.display());
        }
    }
}

#[test]
fn what_is_written_out_looks_like_a_file_that_a_person_wrote() {
    for file in files().into_iter().filter(|file| !file.ends_with("everything.json")) {
        let text = Draft::load(&file).unwrap().text();
        let longest = text.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(longest <= 150, "{longest} in {}", file.display());
        let by_hand = std::fs::read_to_string(&file).unwrap().lines().count();
        assert!(text.lines().count() < 2 * by_hand, "{}", file.display());
    }
}

#[test]
fn a_file_brings_what_it_extends_and_a_case_brings_its_patch() {
    let mut files = |path: &Path| match path.to_str() {
        Some("base.json") => {
            Ok(br#"{ "about": "base", "seeds": 5, "cases": { "c": { "seeds": 7 } } }"#.to_vec())
        }
        Some("top.json") => Ok(br#"{ "extends": "base.json", "seeds": 6 }"#.to_vec()),
        _ => Err(ErrorKind::NotFound.into()),
    };
    let draft = Draft::load_with("top.json", &mut files).unwrap();
    assert_eq!(
        draft.json().to_string(),
        r#"{ "about": "base", "seeds": 6, "cases": { "c": { "seeds": 7 } } }"#
    );
    assert_eq!(draft.case("c").unwrap().json().to_string(), r#"{ "about": "base", "seeds": 7 }"#);
    assert_eq!(draft.case("d"), None);
}

#[test]
fn a_mistake_is_shown_in_the_text_that_would_be_written() {
    let mut draft =
        Draft::load(Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/payment-lost-ack.json")).unwrap();
    draft.set("/strategies/naive/write", "occc");
    let rejected = draft.read().unwrap_err();
    let line = draft.text().lines().position(|line| line.contains("occc")).unwrap() + 1;
    let said = rejected.to_string();
    assert!(said.contains(&format!("payment-lost-ack.json:{line}:")), "{said}");
    assert!(said.contains("did you mean `occ`?"), "{said}");
    assert!(format!("{rejected:?}").ends_with(&said), "what `?` and `unwrap` print");
}

#[test]
fn a_draft_that_extends_a_file_finds_none() {
    let draft = Draft::parse("s", r#"{ "extends": "other.json" }"#).unwrap_err();
    assert!(draft.to_string().contains("there is no such file"), "{draft}");
    let own = Draft::of("s", Object::new().with("extends", "s.json")).read().unwrap_err();
    assert!(own.to_string().contains("extends itself"), "{own}");
}

#[test]
fn what_is_no_json_is_refused_and_never_panics() {
    for json in [Json::Null, Json::Number("1e".into()), Json::List(Vec::new()), "text".into()] {
        assert!(Draft::of("s", json).read().is_err());
    }
    let odd = Object::new().with("about", Json::Number("},{".into()));
    assert!(Draft::of("../a/\u{0}", odd).read().is_err());
}

/// Values with all kinds of texts, keys and nesting.
fn json() -> impl Strategy<Value = Json> {
    let text = prop_oneof!["[a-z ]{0,40}", any::<String>()];
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        text.prop_map(Json::from),
    ];
    leaf.prop_recursive(6, 60, 8, |inner| {
        let members = prop::collection::vec((any::<String>(), inner.clone()), 0..6);
        let object = members.prop_map(|members| Json::Object(members.into_iter().collect()));
        prop_oneof![prop::collection::vec(inner, 0..6).prop_map(Json::List), object]
    })
}

proptest! {
    #[test]
    fn any_value_written_out_is_read_back(value in json()) {
        // Around a case patch, as that keeps what is null.
        let draft = Draft::of("s", Object::new().with("cases", Object::new().with("c", value)));
        prop_assert_eq!(Draft::parse("s", &draft.text()).unwrap(), draft);
    }
}
