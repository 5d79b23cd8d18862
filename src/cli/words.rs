//! Every word of the language with what there is to say about it, gathered from the tables that the reader checks by:
//! for `explain` and for the reference. For `explain` also the words of results.

use crate::report::glossary;
use crate::report::words::grouped;
use crate::scenario::code::Code;
use crate::scenario::problem::enumerate;
use crate::scenario::read::language::{SCENARIO, how, must, weather, words};
use crate::scenario::read::later;
use crate::scenario::shape::{Field, Shape, Table, Word, with_article};

/// Something that can be asked for.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// The word.
    pub(super) name: String,
    /// What it belongs to, so that `of.name` asks for this one alone.
    pub(super) of: Vec<&'static str>,
    /// The word and what it is.
    pub(super) title: String,
    pub(super) text: String,
    /// A heading and what stands under it: values, keys, parameters.
    pub(super) rows: Option<(&'static str, Vec<(String, String)>)>,
    /// What reports say in place of the word.
    pub(super) also: Option<&'static str>,
}

/// Word tables by the names under which the reference shows them, with what one of their words is.
pub(super) static LISTS: [(&str, &str, &[Word]); 17] = [
    ("quantities", "quantity", &words::QUANTITIES),
    ("operators", "operator", &words::OPERATORS),
    ("functions", "function of expressions", &words::FUNCTIONS),
    ("methods", "method of expressions", &words::METHODS),
    ("types", "kind of value", &words::TYPES),
    ("names", "name in expressions", &words::NAMES),
    ("event", "field of an event", &words::EVENT),
    ("intent", "field of an intent", &words::INTENT),
    ("generators", "generator", &words::GENERATORS),
    ("points", "point", &words::POINTS),
    ("links", "place", &words::LINKS),
    ("counters", "count", &words::COUNTERS),
    ("decisions", "decision of a script", &words::DECISIONS),
    ("verdicts", "verdict", &must::VERDICTS),
    ("expected", "key of what is expected", &must::EXPECTED),
    ("saga-rules", "rule of compensation-rules", &must::SAGA_RULES),
    ("built-in", "strategy", &how::BUILT_IN),
];

/// Whether this version cannot carry out a word of a key yet; without a word, the key itself.
pub(super) fn is_later(table: &str, key: &str, word: Option<&str>) -> bool {
    match word {
        None => later::KEYS.contains(&(table, key)),
        Some(word) => {
            let of_key = later::WORDS.iter().filter(|(of, other, _)| (*of, *other) == (table, key));
            of_key.into_iter().any(|(_, _, words)| words.contains(&word))
        }
    }
}

/// The objects of the language, in the order in which the file leads to them.
pub(super) fn tables() -> Vec<&'static Table> {
    fn walk(shape: &'static Shape, found: &mut Vec<&'static Table>) {
        match shape {
            Shape::Object(table) => {
                if table.fields.is_empty() || found.iter().any(|known| known.name == table.name) {
                    return;
                }
                found.push(table);
                table.fields.iter().for_each(|field| walk(&field.shape, found));
            }
            Shape::List(inner) | Shape::OneOrMany(inner) | Shape::Map(_, inner) => walk(inner, found),
            Shape::Either(shapes) => shapes.iter().for_each(|shape| walk(shape, found)),
            _ => {}
        }
    }
    let mut found = vec![&SCENARIO];
    SCENARIO.fields.iter().for_each(|field| walk(&field.shape, &mut found));
    found
}

/// Whether a table is one of the dimensions of a strategy.
pub(super) fn is_dimension(table: &Table) -> bool {
    how::DIMENSIONS.iter().any(|dimension| dimension.name == table.name)
}

/// The words among which a shape chooses.
pub(super) fn choices(shape: &Shape) -> Vec<&'static Word> {
    match shape {
        Shape::OneOf(words) => words.iter().collect(),
        Shape::OneOrMany(inner) => choices(inner),
        Shape::Either(shapes) => shapes.iter().flat_map(choices).collect(),
        _ => Vec::new(),
    }
}

/// How a value is written; objects by their names, as `object` puts them.
pub(super) fn written(shape: &Shape, object: &dyn Fn(&Table) -> String) -> String {
    let inner = |shape: &Shape| written(shape, object);
    match shape {
        Shape::Any => "plain data".to_owned(),
        Shape::Integer { low, high } if *high == i64::MAX => format!("a whole number from {low} on"),
        Shape::Integer { low, high } => {
            let say = |n: &i64| grouped(n.unsigned_abs());
            format!("a whole number from {} to {}", say(low), say(high))
        }
        Shape::Text => "a text".to_owned(),
        Shape::Time => "a time, which may vary".to_owned(),
        Shape::FixedTime => "a time".to_owned(),
        Shape::TimeOrEver => "a time, or `ever`".to_owned(),
        Shape::SignedTime => "a time, which may lie below zero".to_owned(),
        Shape::Span => "two times, `1s..2s`".to_owned(),
        Shape::Share => "a share".to_owned(),
        Shape::SignedShare => "a share, which may lie below zero".to_owned(),
        Shape::List(of) => format!("a list of: {}", inner(of)),
        Shape::OneOrMany(of) => format!("{}, or a list of such", inner(of)),
        Shape::Map(what, of) if matches!(**of, Shape::Either(_) | Shape::Map(..)) => {
            format!("an object: {what} → ({})", inner(of))
        }
        Shape::Map(what, of) => format!("an object: {what} → {}", inner(of)),
        Shape::Object(table) if table.fields.is_empty() => "`{}`".to_owned(),
        Shape::Object(table) => object(table),
        Shape::Either(shapes) => {
            // Where something is demanded with `true`, it is not demanded by leaving it out.
            let flag = |shape: &Shape| matches!(shape, Shape::Flag);
            let all = shapes.iter().map(|shape| if flag(shape) { "`true`".to_owned() } else { inner(shape) });
            let all: Vec<String> = all.collect();
            all.join(", or ")
        }
        Shape::Name(_) | Shape::Expression | Shape::Flag | Shape::OneOf(_) => shape.expected(),
    }
}

/// The value of a key, whether it must be there, and what holds if it is not.
pub(super) fn value(field: &Field, object: &dyn Fn(&Table) -> String) -> String {
    let mut text = written(&field.shape, object);
    if field.required {
        text += "; it must be there";
    }
    if let Some(default) = field.default {
        text += &format!("; default `{default}`");
    }
    text
}

pub(super) const NOT_YET: &str = "Not in this version.";

/// A sentence, and what follows it.
pub(super) fn sentences(parts: &[&str]) -> String {
    parts.iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join(" ")
}

/// What is said about a key, with its value.
pub(super) fn about(table: &Table, field: &Field) -> String {
    let later = if is_later(table.name, field.name, None) { NOT_YET } else { "" };
    sentences(&[field.doc, field.more, later])
}

/// The words of a key, each with its sentence.
pub(super) fn values(table: &Table, field: &Field) -> Vec<(String, String)> {
    let row = |word: &Word| {
        let later = if is_later(table.name, field.name, Some(word.name)) { NOT_YET } else { "" };
        (word.name.to_owned(), sentences(&[word.doc, later]))
    };
    choices(&field.shape).into_iter().map(row).collect()
}

/// The policies that a parameter belongs to; none: all of its dimension.
pub(super) fn owners(dimension: &str, key: &str) -> &'static [&'static str] {
    let owned = how::OWNED.iter().find(|(of, _, keys)| *of == dimension && keys.contains(&key));
    owned.map_or(&[], |(_, policies, _)| policies)
}

/// All entries, codes of problems first.
pub(super) fn entries() -> Vec<Entry> {
    let mut all = Vec::new();
    for code in Code::ALL {
        all.push(Entry {
            name: code.name().to_owned(),
            of: Vec::new(),
            title: format!("{}: {}", code.name(), code.title()),
            text: code.explanation().to_owned(),
            rows: None,
            also: None,
        });
    }
    for table in tables() {
        if !is_dimension(table) {
            all.push(object(table));
        }
        let plain = |field: &&Field| !how::DIMENSIONS.iter().any(|dimension| dimension.name == field.name);
        let of_strategy = ["strategy", "scope"].contains(&table.name);
        for field in table.fields.iter().filter(|field| !of_strategy || plain(field)) {
            key(table, field, &mut all);
        }
    }
    for dimension in how::DIMENSIONS {
        all.push(object(dimension));
    }
    for (_, what, words) in LISTS {
        let of = match what {
            "count" => vec!["count"],
            "field of an event" => vec!["event"],
            "field of an intent" => vec!["intent"],
            _ => Vec::new(),
        };
        for word in words {
            all.push(Entry {
                name: word.name.to_owned(),
                of: of.clone(),
                title: format!("{} ({what})", word.name),
                text: word.doc.to_owned(),
                rows: None,
                also: None,
            });
        }
    }
    for said in glossary::words() {
        let also = said.also.map(|also| format!("; {also}")).unwrap_or_default();
        all.push(Entry {
            name: said.word.to_owned(),
            of: Vec::new(),
            title: format!("{} ({}{also})", said.word, said.what),
            text: said.doc.to_owned(),
            rows: None,
            also: said.also,
        });
    }
    all
}

/// An object with its keys; a dimension with its policies and parameters.
fn object(table: &'static Table) -> Entry {
    let what = if is_dimension(table) { "dimension of a strategy" } else { "object" };
    let row = |field: &Field| {
        let text = sentences(&[&about(table, field), &format!("[{}]", value(field, &Table::one))]);
        (field.name.to_owned(), text)
    };
    Entry {
        name: table.name.to_owned(),
        of: Vec::new(),
        title: format!("{} ({what})", table.name),
        text: table.doc.to_owned(),
        rows: Some(("Its keys", table.fields.iter().map(row).collect())),
        also: None,
    }
}

/// A key and its words.
fn key(table: &'static Table, field: &'static Field, all: &mut Vec<Entry>) {
    let what = match table.name {
        "invariant" if must::KINDS.contains(&field.name) => "invariant".to_owned(),
        "fault" if weather::VERBS.contains(&field.name) => "fault".to_owned(),
        _ if is_dimension(table) => match owners(table.name, field.name) {
            [] => format!("parameter of {}", table.name),
            policies => {
                format!("parameter of {}: {}", table.name, enumerate(policies.iter().copied(), "and"))
            }
        },
        name => format!("key of {}", with_article(name)),
    };
    let known = match what.as_str() {
        "invariant" => must::parameters_of(field.name),
        "fault" => weather::keys_of(field.name),
        _ => &[],
    };
    let mut text = sentences(&[&about(table, field), &format!("Its value: {}.", value(field, &Table::one))]);
    if !known.is_empty() {
        text += &format!(" Beside it: {}.", enumerate(known.iter().copied(), "and"));
    }
    let mut rows = values(table, field);
    if field.name == "compensation-rules" {
        rows = must::SAGA_RULES.iter().map(|rule| (rule.name.to_owned(), rule.doc.to_owned())).collect();
    }
    // The same key with the same meaning stands in several objects.
    let same = |entry: &&mut Entry| {
        entry.name == field.name
            && entry.text == text
            && entry.title.contains("(key of ")
            && what.starts_with("key of ")
    };
    if let Some(entry) = all.iter_mut().find(same) {
        entry.of.push(table.name);
        let title = entry.title.trim_end_matches(')').to_owned();
        entry.title = format!("{title}, {})", with_article(table.name));
    } else {
        let heading = if field.name == "compensation-rules" { "Its rules" } else { "Its values" };
        all.push(Entry {
            name: field.name.to_owned(),
            of: vec![table.name],
            title: format!("{} ({what})", field.name),
            text,
            rows: (!rows.is_empty()).then_some((heading, rows)),
            also: None,
        });
    }
    let object = if is_dimension(table) { table.name.to_owned() } else { with_article(table.name) };
    for word in choices(&field.shape) {
        // A group of shared keys has its words once.
        if field.name == "use" {
            all.push(policy(table, word));
        } else if !all.iter().any(|known| {
            known.name == word.name && known.of.contains(&field.name) && known.text.starts_with(word.doc)
        }) {
            let later = if is_later(table.name, field.name, Some(word.name)) { NOT_YET } else { "" };
            let first = field.default == Some(word.name);
            let default = if first { "It is the default." } else { "" };
            all.push(Entry {
                name: word.name.to_owned(),
                of: vec![field.name],
                title: format!("{} (value of {} of {object})", word.name, field.name),
                text: sentences(&[word.doc, default, later]),
                rows: None,
                also: None,
            });
        }
    }
}

/// A policy with its parameters.
fn policy(dimension: &'static Table, word: &'static Word) -> Entry {
    let later = if is_later(dimension.name, "use", Some(word.name)) { NOT_YET } else { "" };
    let naive =
        dimension.field("use").and_then(|field| choices(&field.shape).first().map(|first| first.name));
    let naive = if naive == Some(word.name) { "It holds where nothing is said." } else { "" };
    let own = dimension.fields.iter().filter(|field| owners(dimension.name, field.name).contains(&word.name));
    let row = |field: &'static Field| {
        let text = sentences(&[&about(dimension, field), &format!("[{}]", value(field, &Table::one))]);
        (field.name.to_owned(), text)
    };
    let rows: Vec<_> = own.map(row).collect();
    Entry {
        name: word.name.to_owned(),
        of: vec![dimension.name],
        title: format!("{} (policy of {})", word.name, dimension.name),
        text: sentences(&[word.doc, naive, later]),
        rows: (!rows.is_empty()).then_some(("Its parameters", rows)),
        also: None,
    }
}

/// Whether an entry is what somebody asks for: its word, `of.word`, or the word that a form such as `exp 5ms` begins with.
pub(super) fn answers(entry: &Entry, asked: &str) -> bool {
    let asked = asked.trim();
    let begins = || {
        let lists = ["quantity", "operator", "place", "decision of a script"];
        let of_form = lists.iter().any(|what| entry.title.ends_with(&format!("({what})")));
        of_form && entry.name.split(' ').any(|word| word == asked)
    };
    // Reports shout some of their words.
    entry.name.eq_ignore_ascii_case(asked)
        || entry.also == Some(asked)
        || asked.split_once('.').is_some_and(|(of, name)| entry.name == name && entry.of.contains(&of))
        || (!asked.is_empty() && begins())
}
