//! What is wrong with an expression, and where.

use std::ops::Range;

/// A range of one text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The number of the text, chosen by the caller.
    pub source: u32,
    /// Where in it, in bytes.
    pub range: Range<u32>,
}

impl Place {
    /// Whether it lies in the other place.
    pub fn within(&self, other: &Place) -> bool {
        self.source == other.source
            && self.range.start >= other.range.start
            && self.range.end <= other.range.end
    }
}

/// Why a text is no expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxProblem {
    /// Where, in bytes of the text. It may be empty, at the end.
    pub range: Range<u32>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// Why an expression means nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where it was noticed.
    pub place: Place,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Another place that has to do with it, and how.
    pub other: Option<(Place, String)>,
}

impl Problem {
    /// A problem without a hint.
    pub fn new(place: Place, message: &str) -> Self {
        Problem { place, message: message.to_owned(), hint: None, other: None }
    }

    /// The same with a hint.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// The known name that was probably meant, as a hint.
pub(super) fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let limit = (name.chars().count() / 3).max(1);
    let near = known.into_iter().map(|candidate| (strsim::osa_distance(name, candidate), candidate));
    // Of equally near ones the longest: letters are left out more often than added.
    let nearest = near
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|&(distance, candidate)| (distance, std::cmp::Reverse(candidate.len()), candidate));
    nearest.map(|(_, candidate)| format!("did you mean `{candidate}`?"))
}
