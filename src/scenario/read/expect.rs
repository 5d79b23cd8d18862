//! What a file expects of its strategies: verdicts by invariant, facts in every run, facts in some run.

use super::super::code::Code;
use super::super::expr::{Binding, Names};
use super::super::fields::Fields;
use super::super::problem::{Problem, Problems, did_you_mean, enumerate, quote};
use super::super::tree::{Entry, Kind, Node, Text};
use super::exprs::Exprs;
use super::invariants::Named;
use super::language::must::VERDICTS;
use super::memo::Memo;
use super::names::{Index, too_many, undeclared};
use super::strategies::Strategy;
use crate::model::invariant::{Expectation, Fact, Verdict};

/// The most facts of one strategy.
const MOST_FACTS: usize = 256;

/// Checks the names in `expect`: strategies, invariants, verdicts.
pub(super) fn check(
    document: &Fields<'_>,
    strategies: &[Strategy<'_>],
    invariants: &[Named<'_>],
    problems: &mut Problems,
) {
    let names: Vec<String> = strategies.iter().map(|strategy| strategy.name.clone()).collect();
    let written = document.members("invariants");
    let known: Vec<String> = invariants.iter().map(|named| named.name.value.owned()).collect();
    for entry in document.members("expect") {
        if entry.key.value != "*" && !names.iter().any(|name| *name == entry.key.value) {
            undeclared("strategy", &entry.key.value, entry.key.place, &names, problems);
        }
        match &entry.value.kind {
            Kind::Text(text) => {
                verdict(text, problems);
            }
            Kind::Object(entries) => {
                for entry in entries.iter() {
                    match entry.key.value.as_str() {
                        "facts" | "sometimes" => facts_are_list(entry, problems),
                        "*" => {
                            verdict_of(entry, problems);
                        }
                        // One that could not be read was reported where it stands.
                        name if written.iter().any(|written| written.key.value == name) => {
                            verdict_of(entry, problems);
                        }
                        name => undeclared("invariant", name, entry.key.place, &known, problems),
                    }
                }
            }
            _ => {}
        }
    }
}

fn facts_are_list(entry: &Entry, problems: &mut Problems) {
    let message = match &entry.value.kind {
        Kind::List(nodes) if nodes.len() > MOST_FACTS => {
            too_many("facts", entry.key.place, problems);
            return;
        }
        Kind::List(nodes) if nodes.iter().all(|node| node.as_text().is_some()) => return,
        Kind::List(_) => "each fact is an expression",
        _ => "facts are a list of expressions",
    };
    let problem = Problem::error(Code::WrongKind, entry.value.head(), message);
    problems.push(problem.hint("such as `[\"count.lost > 0\"]`"));
}

fn verdict_of(entry: &Entry, problems: &mut Problems) -> Option<Verdict> {
    match &entry.value.kind {
        Kind::Text(text) => verdict(text, problems),
        _ => {
            let message = format!("a verdict is a word, not {}", entry.value.kind_name());
            problems.push(Problem::error(Code::WrongKind, entry.value.head(), message));
            None
        }
    }
}

fn verdict(text: &Text, problems: &mut Problems) -> Option<Verdict> {
    let found = Verdict::ALL.into_iter().find(|verdict| verdict.word() == text.value);
    if found.is_none() {
        let words = || VERDICTS.iter().map(|word| word.name);
        let message = format!("{} is not a verdict", quote(&text.value));
        let known = format!("one of {}", enumerate(words(), "or"));
        let hint = match did_you_mean(&text.value, words()) {
            Some(meant) => format!("did you mean `{meant}`? {known}"),
            None => known,
        };
        problems.push(Problem::error(Code::UnknownName, text.place, message).hint(hint));
    }
    found
}

/// Reads what is expected of one strategy after the other.
pub(super) struct Reader<'r> {
    document: &'r Fields<'r>,
    invariants: &'r [Named<'r>],
    scope: Names,
    /// The facts read so far: those of `*` are asked of every strategy.
    facts: Memo<Node, Vec<Fact>>,
}

impl<'r> Reader<'r> {
    pub(super) fn new(document: &'r Fields<'r>, invariants: &'r [Named<'r>], index: &Index<'_>) -> Self {
        let mut scope = index.outside();
        scope.bind("count", Binding::Count);
        Reader { document, invariants, scope, facts: Memo::default() }
    }

    /// What is expected of one strategy: what `*` says, and over it what its own entry says.
    pub(super) fn of(&mut self, name: &str, exprs: &mut Exprs, problems: &mut Problems) -> Expectation {
        let mut expected = Expectation::default();
        let document = self.document;
        for key in ["*", name] {
            let Some(entry) = document.members("expect").iter().find(|entry| entry.key.value == key) else {
                continue;
            };
            match &entry.value.kind {
                Kind::Text(text) => expected.overall = verdict(text, problems),
                Kind::Object(entries) => {
                    for entry in entries.iter() {
                        self.one(entry, &mut expected, exprs, problems);
                    }
                }
                _ => {}
            }
        }
        expected
    }

    fn one(&mut self, entry: &Entry, expected: &mut Expectation, exprs: &mut Exprs, problems: &mut Problems) {
        match entry.key.value.as_str() {
            "facts" => expected.facts.extend(self.facts(&entry.value, exprs, problems)),
            "sometimes" => expected.sometimes.extend(self.facts(&entry.value, exprs, problems)),
            name => {
                let Some(verdict) = verdict_of(entry, problems) else { return };
                // Who speaks of invariants one by one does not mean all of them.
                expected.overall = None;
                if name == "*" {
                    expected.every = Some(verdict);
                } else if let Some(at) = self.invariants.iter().position(|named| named.name.value == name) {
                    expected.by_invariant.retain(|(known, _)| *known != at);
                    expected.by_invariant.push((at, verdict));
                }
            }
        }
    }

    fn facts(&mut self, node: &Node, exprs: &mut Exprs, problems: &mut Problems) -> Vec<Fact> {
        let Kind::List(nodes) = &node.kind else { return Vec::new() };
        if let Some(facts) = self.facts.find(nodes) {
            return facts;
        }
        let mut facts = Vec::new();
        for node in nodes.iter().take(MOST_FACTS) {
            if let Some(text) = node.as_text() {
                let that = exprs.truth(node, &self.scope, problems);
                facts.push(Fact { text: text.value.owned(), that });
            }
        }
        self.facts.keep(nodes, &facts);
        facts
    }
}
