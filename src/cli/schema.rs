//! `halfway schema`: the scenario language as a JSON schema, for editors: they complete keys and words, show what each
//! means, and mark what can be no scenario, while it is written.
//!
//! It is made from the tables that the reader checks by. What a table cannot say – that a name is known, that a fault has
//! one verb – stays with `halfway check`. Draft 7 is what editors know best.
//!
//! There are two definitions of each object: as a file must have it, and as a patch may have it, in which nothing must be
//! there and `null` removes a key. A file with `extends` is a patch, so are cases.

use super::words::{about, sentences, tables, values, written};
use crate::scenario::json::{Json, Object};
use crate::scenario::read::language::{SCENARIO, must, what};
use crate::scenario::shape::{Field, Shape, Table, Word, with_article};

/// The schema as text.
pub(super) fn text() -> String {
    let mut definitions = Object::new();
    for table in tables() {
        for patch in [false, true] {
            definitions.set(name(table, patch), object(table, patch));
        }
    }
    let extends = Object::new().with("required", list(["extends"]));
    let schema = Object::new()
        .with("$schema", "http://json-schema.org/draft-07/schema#")
        .with("title", "A scenario of halfway")
        .with("description", SCENARIO.doc)
        .with("type", "object")
        .with("allowComments", true)
        .with("if", extends)
        .with("then", reference(&SCENARIO, true))
        .with("else", reference(&SCENARIO, false))
        .with("definitions", definitions);
    Json::Object(schema).pretty()
}

/// The name of a definition: `group-of-clients`, `patch-of-group-of-clients`.
fn name(table: &Table, patch: bool) -> String {
    let name = table.name.replace(' ', "-");
    if patch { format!("patch-of-{name}") } else { name }
}

fn reference(table: &Table, patch: bool) -> Object {
    Object::new().with("$ref", format!("#/definitions/{}", name(table, patch)))
}

fn list<'t>(texts: impl IntoIterator<Item = &'t str>) -> Json {
    Json::List(texts.into_iter().map(|text| Json::Text(text.to_owned())).collect())
}

fn kind(name: &str) -> Object {
    Object::new().with("type", name)
}

fn any_of(schemas: impl IntoIterator<Item = Object>) -> Object {
    Object::new().with("anyOf", Json::List(schemas.into_iter().map(Json::Object).collect()))
}

/// An object with the keys of a table.
fn object(table: &'static Table, patch: bool) -> Object {
    let mut properties = Object::new();
    for field in table.fields {
        properties.set(field.name, property(table, field, patch));
    }
    let required = table.fields.iter().filter(|field| field.required && !patch).map(|field| field.name);
    let mut schema = kind("object").with("description", table.doc).with("properties", properties);
    if required.clone().next().is_some() {
        schema.set("required", list(required));
    }
    schema.with("additionalProperties", false)
}

/// What a key may have, and what there is to say about it.
fn property(table: &'static Table, field: &'static Field, patch: bool) -> Object {
    let value = value_of(table, field, patch);
    let value = if patch { or_null(value) } else { value };
    let is_written = format!("Its value: {}.", written(&field.shape, &Table::one));
    let default = field.default.map(|default| format!("Default `{default}`.")).unwrap_or_default();
    let text = sentences(&[&about(table, field), &is_written, &default]);
    let words = values(table, field);
    let words: String = words.iter().map(|(word, doc)| format!("\n- `{word}` – {doc}")).collect();
    let shown = if words.is_empty() { text.clone() } else { format!("{text}\n{words}") };
    // Nothing that stands beside a reference counts in this draft.
    let plain = value.get("$ref").is_none();
    let value = if plain { value } else { Object::new().with("allOf", Json::List(vec![value.into()])) };
    value.with("description", text).with("markdownDescription", shown)
}

/// What a key may have. Of some keys the reader finds out later that their value is a patch.
fn value_of(table: &'static Table, field: &'static Field, patch: bool) -> Object {
    match (table.name, field.name) {
        ("scenario", "cases") => map("case", or_null(reference(&SCENARIO, true))),
        ("scenario", "expect") => expected(patch),
        ("rewrite", key) => match SCENARIO.field(key) {
            Some(of) => schema(&of.shape, true),
            None => schema(&field.shape, patch),
        },
        ("act of the operator", "to") => reference(&what::SERVICE, true),
        _ => schema(&field.shape, patch),
    }
}

/// What is expected of each strategy.
fn expected(patch: bool) -> Object {
    let or_none = |schema: Object| if patch { or_null(schema) } else { schema };
    let verdict = || or_none(one_of(&must::VERDICTS));
    let mut properties = Object::new();
    for word in &must::EXPECTED {
        let facts = kind("array").with("items", kind("string"));
        let value = if word.name == "*" { verdict() } else { or_none(facts) };
        properties.set(word.name, value.with("description", word.doc));
    }
    let by_invariant = kind("object").with("properties", properties).with("additionalProperties", verdict());
    map("strategy", or_none(any_of([one_of(&must::VERDICTS), by_invariant])))
}

/// One of some words.
fn one_of(words: &[Word]) -> Object {
    let docs = Json::List(words.iter().map(|word| Json::Text(word.doc.to_owned())).collect());
    let names = list(words.iter().map(|word| word.name));
    Object::new().with("enum", names).with("markdownEnumDescriptions", docs)
}

fn or_null(schema: Object) -> Object {
    any_of([schema, kind("null")])
}

fn map(of: &str, value: Object) -> Object {
    kind("object").with("additionalProperties", value).with(
        "propertyNames",
        Object::new().with("description", format!("The name of {}.", with_article(of))),
    )
}

/// A time with its unit, as [`crate::scenario::quantity`] reads it.
const DURATION: &str = r"[0-9]+(\.[0-9]+)?(ns|us|ms|s|min|h|d)";
/// A percentage.
const PERCENT: &str = r"[0-9]+(\.[0-9]+)?%";

/// A text of a form. Editors show the message instead of the pattern; the examples are what they offer.
fn pattern(shape: &Shape, pattern: String, examples: &[&str]) -> Object {
    kind("string")
        .with("pattern", format!("^({pattern})$"))
        .with("patternErrorMessage", format!("This must be {}.", shape.expected()))
        .with("examples", list(examples.iter().copied()))
}

fn schema(shape: &'static Shape, patch: bool) -> Object {
    let (d, p) = (DURATION, PERCENT);
    match shape {
        Shape::Any => Object::new(),
        Shape::Text => kind("string"),
        Shape::Name(_) => kind("string").with("minLength", Json::Number("1".into())),
        Shape::Expression => Object::new().with("type", list(["string", "integer", "boolean", "null"])),
        Shape::Integer { low, high } => {
            let least = kind("integer").with("minimum", Json::Number(low.to_string()));
            if *high == i64::MAX { least } else { least.with("maximum", Json::Number(high.to_string())) }
        }
        Shape::Flag => kind("boolean"),
        Shape::Time => {
            let varies = format!(r"{d} *\.\. *{d}|exp +{d}|normal +{d} +{d}");
            pattern(
                shape,
                format!(r"ever|{d}|({varies})( +cap +{d})?"),
                &["5ms", "1ms..10ms", "exp 5ms cap 50ms", "normal 10ms 2ms"],
            )
        }
        Shape::FixedTime => pattern(shape, d.to_owned(), &["5ms"]),
        Shape::TimeOrEver => pattern(shape, format!("{d}|ever"), &["5ms", "ever"]),
        Shape::SignedTime => pattern(shape, format!("-?{d}"), &["5ms", "-5ms"]),
        Shape::Span => pattern(shape, format!(r"{d} *\.\. *{d}"), &["1s..2s"]),
        Shape::Share => pattern(shape, format!(r"{p}( *\.\. *{p})?"), &["0.5%", "0%..30%"]),
        Shape::SignedShare => pattern(shape, format!("-?{p}"), &["0.01%", "-0.01%"]),
        Shape::OneOf(words) => one_of(words),
        // A patch replaces a list as a whole.
        Shape::List(inner) => kind("array").with("items", schema(inner, false)),
        Shape::OneOrMany(inner) => {
            any_of([schema(inner, patch), kind("array").with("items", schema(inner, false))])
        }
        Shape::Map(of, inner) => {
            let value = schema(inner, patch);
            map(of, if patch { or_null(value) } else { value })
        }
        Shape::Object(table) if table.fields.is_empty() => kind("object").with("additionalProperties", false),
        Shape::Object(table) => reference(table, patch),
        Shape::Either(shapes) => any_of(shapes.iter().map(|shape| schema(shape, patch))),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use jsonschema::Validator;
    use serde_json::Value;

    use super::super::Exit;
    use super::*;
    use crate::scenario;
    use crate::scenario::code::Code;

    const EVERYTHING: &str = include_str!("../scenario/read/tests/everything.json");

    fn validator() -> Validator {
        let schema: Value = serde_json::from_str(&text()).unwrap();
        assert!(jsonschema::draft7::meta::is_valid(&schema));
        jsonschema::draft7::new(&schema).unwrap()
    }

    fn value(text: &str) -> Value {
        jsonc_parser::parse_to_serde_value(text, &Default::default()).unwrap()
    }

    /// The codes of what the reader finds wrong in a file.
    fn wrong(text: &str) -> Vec<Code> {
        let read = scenario::read(Path::new("test.json"), &mut |_| Ok(text.as_bytes().to_vec()));
        read.err().map_or_else(Vec::new, |why| why.problems.iter().map(|problem| problem.code).collect())
    }

    /// Where objects, or values that hold none, stand in a file.
    fn places(value: &Value, here: String, objects: bool, found: &mut Vec<String>) {
        let below: Vec<(String, &Value)> = match value {
            Value::Object(members) => {
                if objects {
                    found.push(here.clone());
                }
                let escaped = |key: &str| key.replace('~', "~0").replace('/', "~1");
                members.iter().map(|(key, value)| (format!("{here}/{}", escaped(key)), value)).collect()
            }
            Value::Array(elements) => {
                elements.iter().enumerate().map(|(n, value)| (format!("{here}/{n}"), value)).collect()
            }
            _ => {
                if !objects {
                    found.push(here);
                }
                return;
            }
        };
        below.into_iter().for_each(|(at, value)| places(value, at, objects, found));
    }

    fn every(objects: bool) -> Vec<String> {
        let mut found = Vec::new();
        places(&value(EVERYTHING), String::new(), objects, &mut found);
        found
    }

    /// `HALFWAY_RENEW=1 cargo test --lib schema` writes it anew.
    #[test]
    fn the_schema_is_what_the_tables_say() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/halfway.schema.json");
        if std::env::var_os("HALFWAY_RENEW").is_some() {
            std::fs::write(path, text()).unwrap();
        }
        let written = std::fs::read_to_string(path).unwrap_or_default();
        assert!(written == text(), "docs/halfway.schema.json is out of date");
        let mut out = Vec::new();
        assert_eq!(super::super::run(["halfway", "schema"], &mut out, &mut Vec::new()), Exit::AsExpected);
        assert_eq!(String::from_utf8(out).unwrap(), written);
    }

    #[test]
    fn what_can_be_read_is_valid() {
        let schema = validator();
        let mut texts = vec![EVERYTHING.to_owned()];
        for folder in ["scenarios", "tests/regressions"] {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.extension().is_some_and(|ext| ext == "json") {
                    texts.push(std::fs::read_to_string(path).unwrap());
                }
            }
        }
        let page = include_str!("reference.md");
        texts.extend(
            page.split("```jsonc\n").skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()),
        );
        assert!(texts.len() > 20);
        for text in texts {
            let errors: Vec<String> =
                schema.iter_errors(&value(&text)).map(|e| format!("{}: {e}", e.instance_path())).collect();
            assert!(errors.is_empty(), "{errors:?}\n{text}");
        }
    }

    /// A key that nobody knows, put into each object there is.
    #[test]
    fn what_the_reader_does_not_know_is_not_valid() {
        let (schema, whole) = (validator(), value(EVERYTHING));
        let mut unknown = 0;
        for place in every(true) {
            let mut changed = whole.clone();
            changed.pointer_mut(&place).unwrap()["zzz"] = Value::from(true);
            let found = wrong(&changed.to_string());
            let (is_unknown, valid) = (found.contains(&Code::UnknownKey), schema.is_valid(&changed));
            unknown += usize::from(is_unknown);
            assert!(!is_unknown || !valid, "{place}: {found:?}");
            assert!(valid || !found.is_empty(), "{place}");
        }
        assert!(unknown > 50, "{unknown}");
    }

    /// Values of other kinds in each place: what the schema refuses the reader refuses, and what is of the wrong kind for
    /// the reader is so for the schema.
    #[test]
    fn values_of_the_wrong_kind_are_not_valid() {
        let (schema, whole) = (validator(), value(EVERYTHING));
        let mut refused = 0;
        for place in every(false) {
            for other in ["[[]]", "{\"zzz\": 1}", "true", "-7", "\"?!\"", "\"5ms..\"", "null"] {
                let mut changed = whole.clone();
                *changed.pointer_mut(&place).unwrap() = value(other);
                let found = wrong(&changed.to_string());
                let valid = schema.is_valid(&changed);
                refused += usize::from(!valid);
                assert!(valid || !found.is_empty(), "{place} as {other} can be read and is not valid");
                // No expression is a list. Whether a text is one, or says when a run ends, no schema can say.
                let quantity = found.contains(&Code::Time) || found.contains(&Code::Share);
                let kind = other == "[[]]" && found.contains(&Code::WrongKind)
                    || quantity && !["/think", "/end"].iter().any(|of| place.ends_with(of));
                assert!(!kind || !valid, "{place} as {other} is valid, but {found:?}");
            }
        }
        assert!(refused > 500, "{refused}");
    }

    /// Quantities in all ways in which they may be written, and in some in which they may not.
    #[test]
    fn quantities_are_valid_as_they_are_read() {
        use crate::scenario::quantity;
        let schema = validator();
        let texts = [
            "5ms",
            "1.5s",
            "0ns",
            "5 ms",
            "5",
            "ms",
            "-5ms",
            "--5ms",
            "1ms..2ms",
            "1ms .. 2ms",
            "1ms...2ms",
            "exp 5ms",
            "exp  5ms",
            "exp5ms",
            "exp 1ms..2ms",
            "normal 10ms 2ms",
            "normal  10ms  2ms",
            "normal 10ms",
            "exp 5ms cap 50ms",
            "exp 5ms  cap  50ms",
            "5ms cap 6ms",
            "1ms..2ms cap 2ms",
            "ever",
            "ever cap 5ms",
            " 5ms",
            "5ms ",
            "",
            "1.ms",
            ".5ms",
            "5m",
            "5us",
            "1h",
            "1d",
            "1min",
            "10%",
            "0.5%",
            "0%..30%",
        ];
        for text in texts {
            let file =
                |latency: &str| Value::from_iter([("weather", Value::from_iter([("latency", latency)]))]);
            assert_eq!(schema.is_valid(&file(text)), quantity::time(text).is_ok(), "{text}");
        }
    }

    /// A file over another one is a patch: nothing must be there, and `null` removes.
    #[test]
    fn patches_need_nothing_and_may_remove() {
        let schema = validator();
        let patch = r#"{ "services": { "shop": null }, "clients": { "ana": { "count": null } } }"#;
        assert!(!schema.is_valid(&value(patch)));
        assert!(schema.is_valid(&value(&patch.replacen('{', "{ \"extends\": \"base.json\",", 1))));
        assert!(schema.is_valid(&value(&format!("{{ \"cases\": {{ \"other\": {patch} }} }}"))));
        assert!(!schema.is_valid(&value(r#"{ "cases": { "other": { "service": {} } } }"#)));
    }
}
