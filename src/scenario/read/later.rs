//! What the language has words for and this version cannot carry out: refused, never ignored.
//!
//! A key or a word listed here is reported wherever it is used. What depends on more than the word alone is reported
//! by whoever reads it, through `not_yet`.

use super::super::code::Code;
use super::super::fields::Fields;
use super::super::problem::{Problem, Problems, quote};
use super::super::shape::Table;
use super::super::source::Place;
use super::super::tree::{Kind, Node};

/// Keys: table, key.
pub static KEYS: [(&str, &str); 30] = [
    ("table", "copy_of"),
    ("flow", "every"),
    ("flow", "at"),
    ("step", "confirm"),
    ("step", "for"),
    ("topic", "visibility"),
    ("topic", "receives"),
    ("topic", "dead"),
    ("topic", "dedup"),
    ("topic", "partitions"),
    ("weather", "clocks"),
    ("weather", "operator"),
    ("write", "aggregate"),
    ("write", "lease"),
    ("write", "fencing"),
    ("write", "tick"),
    ("store", "flush"),
    ("retry", "breaker"),
    ("invariant", "within"),
    ("invariant", "no-dirty-read"),
    ("invariant", "converges"),
    ("invariant", "staleness"),
    ("invariant", "referential"),
    ("invariant", "read-your-writes"),
    ("invariant", "monotonic-reads"),
    ("invariant", "monotonic-writes"),
    ("invariant", "no-retry-storm"),
    ("consume", "extend"),
    ("read", "sticky"),
    ("read", "token"),
];

/// Words: table, key, words that may not be used yet.
pub static WORDS: [(&str, &str, &[&str]); 12] = [
    ("topic", "kind", &["queue", "log"]),
    ("write", "version", &["timestamp", "hash"]),
    ("store", "use", &["read-uncommitted", "snapshot", "repeatable-read-locks", "serializable"]),
    ("coordination", "use", &["tcc", "2pc"]),
    ("publish", "use", &["tail"]),
    ("consume", "use", &["inbox", "high-water", "timestamp", "version", "sequence"]),
    ("conflict", "use", &["clock", "logical", "version", "merge", "rule"]),
    ("isolation", "use", &["semantic-lock", "reread", "pessimistic-view", "commutative"]),
    ("repair", "use", &["reconcile"]),
    ("read", "use", &["copy", "any"]),
    ("contract", "use", &["check", "tolerant", "expand"]),
    ("consume", "ack", &["before", "with"]),
];

/// Says that something is not supported yet.
pub(super) fn not_yet(what: &str, place: Place) -> Problem {
    Problem::error(Code::Unsupported, place, format!("{what} is not supported yet"))
}

/// Reads an object by its table, and refuses what is listed here.
pub(super) fn fields<'n>(
    node: &'n Node,
    head: Place,
    table: &'static Table,
    problems: &mut Problems,
) -> Option<Fields<'n>> {
    let fields = Fields::of(node, head, table, problems)?;
    // Most tables have neither, so the table is looked for once, not with each of its fields.
    if KEYS.iter().any(|(of, _)| *of == table.name) {
        for (field, entry) in fields.iter() {
            if KEYS.contains(&(table.name, field.name)) {
                problems.push(not_yet(&quote(field.name), entry.key.place));
            }
        }
    }
    if WORDS.iter().any(|(of, ..)| *of == table.name) {
        for (field, entry) in fields.iter() {
            refuse_word(table.name, field.name, &entry.value, problems);
        }
    }
    Some(fields)
}

/// Refuses a word of a key that is listed here.
pub(super) fn refuse_word(table: &str, key: &str, value: &Node, problems: &mut Problems) -> bool {
    let Kind::Text(text) = &value.kind else { return false };
    let listed = WORDS
        .iter()
        .any(|(of, field, words)| (*of, *field) == (table, key) && words.contains(&text.value.as_str()));
    if listed {
        let what = match key {
            "use" => format!("`{table}`: {}", quote(&text.value)),
            _ => format!("`{key}`: {}", quote(&text.value)),
        };
        problems.push(not_yet(&what, text.place));
    }
    listed
}
