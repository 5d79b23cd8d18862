//! The texts a scenario was read from, and places in them.
//!
//! A scenario may come from several files (`extends`), so a place names its file by number; whoever prints a place
//! needs the [`Sources`] it belongs to. Nothing here reads files: see [`super::load`].

use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// A stretch of one file: bytes `start..end` of the text of file number `file`.
///
/// Both ends lie on character boundaries and inside the text; `start == end` marks a point between two characters.
/// Places order by file, then by position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Number of the file in its [`Sources`].
    pub file: u16,
    /// First byte.
    pub start: u32,
    /// The byte after the last.
    pub end: u32,
}

impl Place {
    /// The place of bytes `start..end` in file `file`.
    #[must_use]
    pub const fn new(file: u16, start: u32, end: u32) -> Self {
        Place { file, start, end }
    }

    /// The first byte alone: the opening bracket of an object or a list.
    #[must_use]
    pub const fn head(self) -> Self {
        let end = if self.end > self.start { self.start + 1 } else { self.end };
        Place { file: self.file, start: self.start, end }
    }

    /// The bytes as a range into the file's text.
    #[must_use]
    pub const fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// Line and column, both counted from 1; columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineColumn {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// One file: the name shown to people, and its text.
#[derive(Clone, Debug)]
struct Source {
    name: String,
    text: Arc<str>,
    /// Where its lines begin, once somebody asks: a file without mistakes is never asked.
    line_starts: OnceLock<Vec<u32>>,
}

impl Source {
    fn line_starts(&self) -> &[u32] {
        self.line_starts.get_or_init(|| {
            let breaks = self.text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
            std::iter::once(0).chain(breaks.map(|(at, _)| as_u32(at) + 1)).collect()
        })
    }
}

/// All files read for one scenario, numbered in the order in which they were read.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: Vec<Source>,
}

impl Sources {
    /// No files yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in a text under the name people know it by; returns its number.
    ///
    /// The loader keeps the number of files and their sizes far below what [`Place`] can express; a file past
    /// either bound is taken in as an empty text, so that no place can be wrong.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<Arc<str>>) -> u16 {
        let Ok(file) = u16::try_from(self.files.len()) else { return u16::MAX };
        let mut text = text.into();
        if u32::try_from(text.len()).is_err() {
            text = Arc::default();
        }
        self.files.push(Source { name: name.into(), text, line_starts: OnceLock::new() });
        file
    }

    /// How many files there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there are no files.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The name of a file; empty for a number that was never given out.
    #[must_use]
    pub fn name(&self, file: u16) -> &str {
        self.files.get(usize::from(file)).map_or("", |source| &source.name)
    }

    /// The whole text of a file; empty for a number that was never given out.
    #[must_use]
    pub fn text(&self, file: u16) -> &str {
        self.files.get(usize::from(file)).map_or("", |source| &source.text)
    }

    /// The same, to keep; `None` for a number that was never given out.
    pub(super) fn shared(&self, file: u16) -> Option<&Arc<str>> {
        self.files.get(usize::from(file)).map(|source| &source.text)
    }

    /// The text at a place; empty if the place does not belong to these files.
    #[must_use]
    pub fn at(&self, place: Place) -> &str {
        self.text(place.file).get(place.range()).unwrap_or("")
    }

    /// The lengths of all texts together, in bytes.
    #[must_use]
    pub fn total_bytes(&self) -> usize {
        self.files.iter().map(|source| source.text.len()).sum()
    }

    /// Line and column of byte `offset` of a file. An offset past the end means the end.
    #[must_use]
    pub fn line_column(&self, file: u16, offset: u32) -> LineColumn {
        let Some(source) = self.files.get(usize::from(file)) else {
            return LineColumn { line: 1, column: 1 };
        };
        let line_starts = source.line_starts();
        let line = line_starts.partition_point(|start| *start <= offset).max(1);
        let start = line_starts[line - 1] as usize;
        let end = (offset as usize).min(source.text.len());
        let column = source.text.get(start..end).map_or(0, |before| before.chars().count());
        LineColumn { line: as_u32(line), column: as_u32(column) + 1 }
    }

    /// The bytes of the line that holds `offset`, without its line break.
    #[must_use]
    pub fn line_range(&self, file: u16, offset: u32) -> Range<usize> {
        let Some(source) = self.files.get(usize::from(file)) else { return 0..0 };
        let line_starts = source.line_starts();
        let line = line_starts.partition_point(|start| *start <= offset).max(1);
        let start = line_starts[line - 1] as usize;
        let end = line_starts.get(line).map_or(source.text.len(), |next| *next as usize - 1);
        let end = if source.text[start..end].ends_with('\r') { end - 1 } else { end };
        start..end
    }
}

/// Lengths and counts here are below 2³² because texts are; see [`Sources::add`].
fn as_u32(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_from_one_and_in_characters() {
        let mut sources = Sources::new();
        let file = sources.add("a.json", "ab\nç!d\r\nx");
        let at = |offset| {
            let place = sources.line_column(file, offset);
            (place.line, place.column)
        };
        assert_eq!(at(0), (1, 1));
        assert_eq!(at(2), (1, 3), "the line break belongs to its line");
        assert_eq!(at(3), (2, 1));
        assert_eq!(at(5), (2, 2), "ç is two bytes and one column");
        assert_eq!(at(9), (3, 1));
        assert_eq!(at(10), (3, 2), "the end of the file");
        assert_eq!(at(999), (3, 2));
    }

    #[test]
    fn a_line_is_given_without_its_break() {
        let mut sources = Sources::new();
        let file = sources.add("a.json", "ab\nç!d\r\nx");
        assert_eq!(sources.line_range(file, 1), 0..2);
        assert_eq!(sources.line_range(file, 5), 3..7);
        assert_eq!(sources.line_range(file, 9), 9..10);
        assert_eq!(sources.at(Place::new(file, 3, 5)), "ç");
    }

    #[test]
    fn a_place_of_some_other_file_reads_as_nothing() {
        let sources = Sources::new();
        assert_eq!(sources.at(Place::new(3, 0, 1)), "");
        assert_eq!(sources.name(3), "");
        assert_eq!(sources.line_column(3, 7), LineColumn { line: 1, column: 1 });
    }
}
