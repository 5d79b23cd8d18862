//! Where the parts of a scenario are written, for what shows only when it is run.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::source::{LineColumn, Place, Sources};
use super::tree::{Entry, Kind, Node};

/// The kinds of invariants that are one expression.
const ONE_EXPRESSION: [&str; 4] = ["always", "at_rest", "per_intent", "constant"];

/// A document, to look up places in: of a case, or of a strategy that rewrites it.
#[derive(Clone)]
pub struct Written {
    document: Arc<Node>,
    sources: Arc<Sources>,
}

/// The same text makes the same document.
impl PartialEq for Written {
    fn eq(&self, other: &Written) -> bool {
        self.document == other.document
    }
}

/// Where things stand is no part of what they are: two scenarios that say the same print the same.
impl fmt::Debug for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Written")
    }
}

impl Written {
    pub(super) fn new(document: Node, sources: &Arc<Sources>) -> Written {
        Written { document: Arc::new(document), sources: sources.clone() }
    }

    /// The texts that its places lie in.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// The name of a place's file, and line and column of its start.
    pub fn at(&self, place: Place) -> (&str, LineColumn) {
        (self.sources.name(place.file), self.sources.line_column(place.file, place.start))
    }

    fn entry(&self, keys: &[&str]) -> Option<&Entry> {
        let (last, way) = keys.split_last()?;
        let mut node = &*self.document;
        for key in way {
            node = &node.get(key)?.value;
        }
        node.get(last)
    }

    /// Where an invariant is written: bytes `span` of its expression if it is one, else its name.
    pub fn invariant(&self, name: &str, span: &Range<u32>) -> Option<Place> {
        let entry = self.entry(&["invariants", name])?;
        let expression = ONE_EXPRESSION.iter().find_map(|kind| entry.value.get(kind)?.value.as_text());
        Some(match expression {
            Some(text) if span.is_empty() => text.place,
            Some(text) => text.place_in(span.start as usize..span.end as usize),
            None => entry.key.place,
        })
    }

    /// Where the name of an operation is written.
    pub fn operation(&self, service: &str, operation: &str) -> Option<Place> {
        Some(self.entry(&["services", service, "operations", operation])?.key.place)
    }

    /// Where the fault rule of that number is written.
    pub fn fault(&self, number: usize) -> Option<Place> {
        self.nth(&["weather", "faults"], number)
    }

    /// Where the line of that number of the weather's script is written.
    pub fn line(&self, number: usize) -> Option<Place> {
        self.nth(&["weather", "script"], number)
    }

    fn nth(&self, keys: &[&str], number: usize) -> Option<Place> {
        let Kind::List(nodes) = &self.entry(keys)?.value.kind else { return None };
        Some(nodes.get(number)?.place)
    }
}
