//! The reference of the scenario language, `docs/language.md`: prose from `reference.md`, with the tables that the reader
//! checks by put in where it says `{{…}}`.

use super::words::{LISTS, about, is_dimension, is_later, sentences, tables, value, values};
use crate::scenario::problem::enumerate;
use crate::scenario::read::language::{how, must, weather, what};
use crate::scenario::read::later;
use crate::scenario::shape::{Field, Table, Word};

static PROSE: &str = include_str!("reference.md");

/// Columns of a line.
const WIDE: usize = 120;

/// The whole page.
pub(super) fn page() -> String {
    let mut page = String::new();
    for line in PROSE.lines() {
        match line.strip_prefix("{{").and_then(|line| line.strip_suffix("}}")) {
            Some(what) => page += &table_of(what),
            None => {
                page += line;
                page.push('\n');
            }
        }
    }
    page
}

/// What stands in place of `{{what}}`.
fn table_of(what: &str) -> String {
    let (kind, name) = what.split_once(' ').unwrap_or((what, ""));
    match kind {
        "object" => tables().into_iter().filter(|table| table.name == name).map(object).collect(),
        "words" => {
            let list = LISTS.iter().find(|(known, ..)| *known == name);
            list.map(|(_, _, words)| listed(words)).unwrap_or_default()
        }
        "dimension" => {
            how::DIMENSIONS.iter().filter(|table| table.name == name).map(|table| dimension(table)).collect()
        }
        "later-dimensions" => {
            how::DIMENSIONS.iter().filter(has_one_policy).map(|table| dimension(table)).collect()
        }
        "faults" => faults(),
        "kinds" => kinds(),
        "later" => not_yet(),
        _ => String::new(),
    }
}

/// An item of a list, in lines that are not too long.
fn item(depth: usize, text: &str) -> String {
    let indent = "  ".repeat(depth);
    let mut lines = vec![format!("{indent}-")];
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(last) if last.chars().count() + 1 + word.chars().count() <= WIDE => {
                last.push(' ');
                last.push_str(word);
            }
            _ => lines.push(format!("{indent}  {word}")),
        }
    }
    lines.join("\n") + "\n"
}

fn listed(words: &[Word]) -> String {
    words.iter().map(|word| item(0, &format!("`{}` – {}", word.name, word.doc))).collect()
}

/// A name as a link to its heading.
fn link(table: &Table) -> String {
    format!("[{}](#{})", table.one(), table.one().replace(' ', "-"))
}

/// A key with its value, and its words under it.
fn key(table: &'static Table, field: &'static Field, depth: usize) -> String {
    let is_choice = matches!(field.shape, crate::scenario::shape::Shape::OneOf(_));
    let value = match (is_choice, field.default) {
        (true, Some(default)) => format!("default `{default}`"),
        (true, None) => "one of these".to_owned(),
        (false, _) => value(field, &link),
    };
    let mut text = item(depth, &format!("`{}` ({value}) – {}", field.name, about(table, field)));
    for (name, doc) in values(table, field) {
        text += &item(depth + 1, &format!("`{name}` – {doc}"));
    }
    text
}

fn object(table: &'static Table) -> String {
    let one = table.one();
    let title = one[..1].to_uppercase() + &one[1..];
    let mut text = format!("### {title}\n\n{}\n\n", table.doc);
    // What an operation has as well is told there, and policies are told in chapters of their own.
    let told = |field: &Field| {
        table.name != what::OPERATION.name
            && what::OPERATION
                .field(field.name)
                .is_some_and(|same| same.doc == field.doc && field.name != "about")
    };
    let shared: Vec<&str> = table.fields.iter().filter(|field| told(field)).map(|field| field.name).collect();
    if shared.len() > 2 {
        let as_there =
            format!("{} – as in {}.", enumerate(shared.iter().copied(), "and"), link(&what::OPERATION));
        text += &item(0, &as_there);
    }
    for field in table.fields.iter().filter(|field| shared.len() <= 2 || !told(field)) {
        let of_strategy = ["strategy", "scope"].contains(&table.name);
        match how::DIMENSIONS.iter().find(|dimension| of_strategy && dimension.name == field.name) {
            Some(_) if table.name == "scope" => {}
            Some(dimension) => {
                let value = match dimension.field("use") {
                    Some(_) => "the name of a policy, or an object",
                    None => "an object",
                };
                text += &item(0, &format!("[`{0}`](#{0}) ({value}) – {1}", dimension.name, dimension.doc));
            }
            None => text += &key(table, field, 0),
        }
    }
    if table.name == "scope" {
        let names = how::DIMENSIONS.iter().map(|dimension| dimension.name);
        text += &item(0, &format!("{} – as in {}.", enumerate(names, "and"), link(&how::STRATEGY)));
    }
    text
}

/// Whether all policies of a dimension but its first are for later.
fn has_one_policy(table: &&&Table) -> bool {
    let later = later::WORDS.iter().find(|(of, key, _)| *of == table.name && *key == "use");
    let policies = table.field("use").map_or(0, |field| super::words::choices(&field.shape).len());
    later.is_some_and(|(_, _, words)| words.len() + 1 == policies)
}

fn dimension(table: &'static Table) -> String {
    let mut text = format!("### `{}`\n\n{}\n\n", table.name, table.doc);
    let words_there = table.field("use").is_some();
    for field in table.fields.iter().filter(|field| field.name == "use") {
        let words = values(table, field);
        for (n, (name, doc)) in words.iter().enumerate() {
            let first = if n == 0 { "It holds where nothing is said." } else { "" };
            text += &item(0, &format!("**`{name}`** – {}", sentences(&[doc, first])));
        }
    }
    let parameters: Vec<&'static Field> = table.fields.iter().filter(|field| field.name != "use").collect();
    if words_there && !parameters.is_empty() {
        text += "\nParameters:\n\n";
    }
    for field in parameters {
        text += &key(table, field, 0);
    }
    text
}

fn faults() -> String {
    let mut text = String::new();
    for verb in weather::VERBS {
        let Some(field) = weather::FAULT.field(verb) else { continue };
        let beside = enumerate(weather::keys_of(verb).iter().copied(), "and");
        text += &item(0, &format!("**`{verb}`** – {} Beside it: {beside}.", about(&weather::FAULT, field)));
    }
    text += "\nThe other keys:\n\n";
    for field in weather::FAULT.fields.iter().filter(|field| !weather::VERBS.contains(&field.name)) {
        text += &key(&weather::FAULT, field, 0);
    }
    text
}

fn kinds() -> String {
    let listed = |later: bool| {
        let kinds = must::KINDS.iter().filter(move |kind| is_later("invariant", kind, None) == later);
        let mut text = String::new();
        for field in kinds.filter_map(|kind| must::INVARIANT.field(kind)) {
            let (value, about) = (value(field, &link), about(&must::INVARIANT, field));
            text += &item(0, &format!("**`{}`** ({value}) – {about}", field.name));
            for name in must::parameters_of(field.name) {
                let parameter = must::INVARIANT.field(name);
                text += &parameter.map(|of| key(&must::INVARIANT, of, 1)).unwrap_or_default();
            }
        }
        text
    };
    format!("{}\nFor a later version:\n\n{}", listed(false), listed(true))
}

/// Everything that is refused.
fn not_yet() -> String {
    let mut text = String::new();
    let mut seen: Vec<&str> = Vec::new();
    for of in later::KEYS.iter().map(|(of, _)| *of).chain(later::WORDS.iter().map(|(of, ..)| *of)) {
        if seen.contains(&of) {
            continue;
        }
        seen.push(of);
        let keys = later::KEYS.iter().filter(|(table, _)| *table == of).map(|(_, key)| format!("`{key}`"));
        let words = later::WORDS
            .iter()
            .filter(|(table, ..)| *table == of)
            .map(|(_, key, words)| format!("`{key}`: {}", enumerate(words.iter().copied(), "and")));
        let all: Vec<String> = keys.chain(words).collect();
        let named = tables().iter().any(|table| table.name == of && is_dimension(table));
        let what = if named {
            format!("in `{of}`")
        } else {
            format!("in {}", crate::scenario::shape::with_article(of))
        };
        text += &item(0, &format!("{what}: {}", all.join("; ")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::Exit;
    use super::super::words::{NOT_YET, choices, entries};
    use super::*;
    use crate::scenario::Draft;

    fn explained(word: &str) -> String {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let exit = super::super::run(["halfway", "explain", word, "--width", "1000"], &mut out, &mut err);
        assert_eq!(exit, Exit::AsExpected, "{word}: {}", String::from_utf8_lossy(&err));
        String::from_utf8(out).unwrap()
    }

    /// `HALFWAY_RENEW=1 cargo test --lib reference` writes it anew.
    #[test]
    fn the_page_is_what_the_tables_say() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/language.md");
        if std::env::var_os("HALFWAY_RENEW").is_some() {
            std::fs::write(path, page()).unwrap();
        }
        let written = std::fs::read_to_string(path).unwrap_or_default();
        let differs = written.lines().zip(page().lines()).position(|(old, new)| old != new);
        assert!(written == page(), "docs/language.md is out of date, from line {differs:?} on");
        let mut out = Vec::new();
        assert_eq!(super::super::run(["halfway", "reference"], &mut out, &mut Vec::new()), Exit::AsExpected);
        assert_eq!(String::from_utf8(out).unwrap(), written);
    }

    #[test]
    fn nothing_of_the_language_is_missing_on_the_page() {
        let page = page();
        for line in PROSE.lines().filter(|line| line.starts_with("{{")) {
            let what = line.trim_start_matches('{').trim_end_matches('}');
            assert!(table_of(what).len() > 40, "{line} stands for nothing");
        }
        let flat = page.split_whitespace().collect::<Vec<_>>().join(" ");
        let says = |text: &str| flat.contains(&text.split_whitespace().collect::<Vec<_>>().join(" "));
        for table in tables() {
            // A policy has no word for itself there.
            for field in table.fields.iter().filter(|field| field.name != "use") {
                assert!(says(field.doc) && says(field.more), "{}: {}", table.name, field.name);
                assert!(says(&format!("`{}`", field.name)), "{}: {}", table.name, field.name);
                let words = choices(&field.shape);
                assert!(words.iter().all(|word| says(word.doc)), "{}: {}", table.name, field.name);
            }
        }
        for (list, _, words) in LISTS {
            assert!(words.iter().all(|word| says(&format!("`{}` – {}", word.name, word.doc))), "{list}");
        }
        for link in page.split("](#").skip(1).filter_map(|rest| rest.split(')').next()) {
            let heading = |line: &str| {
                let title = line.strip_prefix("## ").or_else(|| line.strip_prefix("### "));
                title.map(|title| title.to_lowercase().replace('`', "").replace(' ', "-"))
            };
            assert!(page.lines().filter_map(heading).any(|known| known == link), "#{link} leads nowhere");
        }
    }

    #[test]
    fn every_word_is_explained_with_its_values_and_its_default() {
        for table in tables() {
            let of = explained(table.name);
            assert!(of.contains(table.doc), "{of}");
            for field in table.fields {
                if is_dimension(table)
                    || !how::DIMENSIONS.iter().any(|dimension| dimension.name == field.name)
                {
                    let text = explained(field.name);
                    assert!(text.contains(field.doc), "{}: {text}", field.name);
                    assert!(
                        text.contains(field.more)
                            && field.default.is_none_or(|default| text.contains(default)),
                        "{text}"
                    );
                }
                for word in choices(&field.shape) {
                    assert!(explained(word.name).contains(word.doc), "{}: {}", field.name, word.name);
                }
            }
        }
        for (_, _, words) in LISTS {
            for word in words {
                assert!(explained(word.name).contains(word.doc), "{}", word.name);
            }
        }
        for entry in entries() {
            assert!(explained(&entry.name).contains(&entry.text), "{}", entry.name);
        }
        for name in
            ["nth", "request", "with", "unique", "think", "heal", "where", "count", "external", "flag", "exp"]
        {
            explained(name);
        }
        for sign in ["==", "<", "in", "%", "*", "lost", "cap"] {
            explained(sign);
        }
        assert!(explained("lease").contains(NOT_YET) && explained("tcc").contains(NOT_YET));
        assert!(
            explained("count.lost").contains("Messages lost.")
                && !explained("idempotency.key").contains("topic")
        );
    }

    /// What reports say is explained, too: whoever adds a word there has to say what it means.
    #[test]
    fn every_word_of_a_report_is_explained() {
        use crate::model::invariant::Verdict;
        for verdict in Verdict::ALL.into_iter().chain([Verdict::Error]) {
            assert!(explained(verdict.word()).contains("(verdict)"), "{}", verdict.word());
        }
        for said in crate::report::glossary::words() {
            for asked in [said.word].into_iter().chain(said.also) {
                let text = explained(asked);
                assert!(text.contains(said.doc) && text.contains(said.what), "{asked}: {text}");
            }
        }
        for heading in crate::report::costs::headings() {
            explained(&heading);
        }
        for verb in weather::VERBS {
            assert!(explained(verb).contains("(fault)"), "{verb}");
        }
        assert!(explained("ERROR").contains("no value in some run"));
        assert!(explained("deadlock").contains("in a ring"));
        assert!(explained("hw0305").contains("HW0305"));
    }

    /// Every chapter has one, and each does what it expects of itself.
    #[test]
    fn the_scenarios_on_the_page_run_as_they_say() {
        let blocks: Vec<&str> =
            PROSE.split("```jsonc\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
        assert!(blocks.len() >= 13);
        for (n, text) in blocks.iter().enumerate() {
            let draft = Draft::parse(format!("example {n}"), text).unwrap_or_else(|why| panic!("{why}"));
            let scenario = draft.read().unwrap_or_else(|why| panic!("{why}"));
            assert!(scenario.warnings.is_empty(), "{n}: {:?}", scenario.warnings);
            scenario.trial().check().unwrap_or_else(|why| panic!("{why}"));
        }
    }
}
