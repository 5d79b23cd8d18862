//! Identifies the documents of a scenario, for reports: what is said, not how it is laid out or spread over files.

use super::super::load::Document;
use super::super::tree::{Kind, Node};
use crate::kernel::digest::Digest;

/// The digest of all documents, in order. Comments, white space and escapes do not count; the order of keys does, as
/// declarations are numbered by it.
pub(super) fn of(documents: &[Document]) -> [u64; 2] {
    let mut digest = Digest::new();
    for document in documents {
        text(&mut digest, 7, document.case.as_ref().map_or("", |name| &name.value));
        node(&mut digest, &document.node);
    }
    digest.finish()
}

fn text(whole: &mut Digest, kind: u64, text: &str) {
    // A local copy lets the lanes stay in registers.
    let mut digest = *whole;
    digest.words(&[kind, text.len() as u64]);
    let (words, rest) = text.as_bytes().as_chunks::<8>();
    words.iter().for_each(|word| digest.word(u64::from_le_bytes(*word)));
    if !rest.is_empty() {
        let mut word = [0; 8];
        word[..rest.len()].copy_from_slice(rest);
        digest.word(u64::from_le_bytes(word));
    }
    *whole = digest;
}

fn node(digest: &mut Digest, of: &Node) {
    match &of.kind {
        Kind::Null => digest.word(0),
        Kind::Bool(value) => digest.words(&[1, u64::from(*value)]),
        Kind::Number(number) => text(digest, 2, number),
        Kind::Text(value) => text(digest, 3, &value.value),
        Kind::List(nodes) => {
            digest.words(&[4, nodes.len() as u64]);
            nodes.iter().for_each(|inner| node(digest, inner));
        }
        Kind::Object(entries) => {
            digest.words(&[5, entries.len() as u64]);
            for entry in entries.iter() {
                text(digest, 6, &entry.key.value);
                node(digest, &entry.value);
            }
        }
    }
}
