//! Problems of a scenario, gathered instead of thrown, so that a person sees all of them at once.
//!
//! A [`Problem`] says what is wrong, where, and what to do about it; [`Problems`] keeps them in the order of the
//! text, each once. How they look in print is [`super::render`]'s business.

use std::collections::BTreeSet;

use super::code::Code;
use super::source::Place;

/// Whether a problem stops the scenario from being run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The scenario cannot be run.
    Error,
    /// It can, but should be looked at.
    Warning,
}

/// One thing that is wrong with a scenario.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Where it is.
    pub place: Place,
    /// Error or warning.
    pub severity: Severity,
    /// What kind of problem.
    pub code: Code,
    /// One line that stands by itself, lower case, without a full stop.
    pub message: String,
    /// A few words shown under the marked text; may be empty.
    pub label: String,
    /// What to write instead.
    pub hint: Option<String>,
    /// Further places that belong to it, each with a few words.
    pub also: Vec<(Place, String)>,
}

impl Problem {
    /// An error; label and hint are added by the methods below.
    #[must_use]
    pub fn error(code: Code, place: Place, message: impl Into<String>) -> Self {
        let (message, label) = (message.into(), String::new());
        Problem { code, severity: Severity::Error, place, message, label, hint: None, also: Vec::new() }
    }

    /// A warning.
    #[must_use]
    pub fn warning(code: Code, place: Place, message: impl Into<String>) -> Self {
        Problem { severity: Severity::Warning, ..Problem::error(code, place, message) }
    }

    /// A few words under the marked text.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// What to write instead.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The hint, if there is one.
    #[must_use]
    pub fn maybe_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint.or(self.hint);
        self
    }

    /// One more place that belongs to the problem.
    #[must_use]
    pub fn also(mut self, place: Place, words: impl Into<String>) -> Self {
        self.also.push((place, words.into()));
        self
    }
}

/// How many problems are kept; more are only counted. A hostile file must not fill the memory with its faults.
const KEPT: usize = 1_000;

/// The problems found so far, each once.
#[derive(Clone, Debug, Default)]
pub struct Problems {
    // `Problem` orders by place first, so the set is in the order of the text.
    kept: BTreeSet<Problem>,
    dropped: usize,
    dropped_errors: bool,
}

impl Problems {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in a problem. One that says the same of the same place as another changes nothing.
    pub fn push(&mut self, problem: Problem) {
        if !self.kept.is_empty() {
            let from = self.kept.range(Self::floor(problem.place)..);
            let mut known = from.take_while(|other| other.place == problem.place);
            if known.any(|other| other.code == problem.code && other.message == problem.message) {
                return;
            }
        }
        if self.kept.len() == KEPT {
            self.dropped += 1;
            self.dropped_errors |= problem.severity == Severity::Error;
        } else {
            self.kept.insert(problem);
        }
    }

    /// The least problem that a place can have, to find all others from.
    fn floor(place: Place) -> Problem {
        Problem::error(Code::ALL[0], place, "")
    }

    /// Takes in all problems of another collection.
    pub fn extend(&mut self, others: Problems) {
        self.dropped += others.dropped;
        self.dropped_errors |= others.dropped_errors;
        for problem in others.kept {
            self.push(problem);
        }
    }

    /// The problems in the order of the text.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.kept.iter()
    }

    /// How many there are, those only counted included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.kept.len() + self.dropped
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Whether one of them stops the scenario from being run.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.dropped_errors || self.kept.iter().any(|problem| problem.severity == Severity::Error)
    }
}

/// The candidate a person most likely meant by `name`, if one is close enough.
///
/// Case and the difference between `-`, `_` and space do not count. Otherwise about one slip (a letter wrong,
/// missing, added or swapped with its neighbour) for three letters is forgiven, and at least one from three letters
/// on. Of equally close candidates the first is taken.
pub fn did_you_mean<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    // Comparing is quadratic in the lengths; nobody misspells a word of this length into another.
    const LONGEST: usize = 64;
    if name.is_empty() || name.len() > LONGEST {
        return None;
    }
    let plain = |word: &str| word.to_lowercase().replace(['_', ' '], "-");
    let wanted = plain(name);
    let letters = wanted.chars().count();
    let forgiven = if letters < 3 { 0 } else { (letters / 3).max(1) };
    candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= LONGEST)
        .map(|candidate| (strsim::damerau_levenshtein(&wanted, &plain(candidate)), candidate))
        .filter(|(distance, _)| *distance <= forgiven)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Behind a message that a name is not there: what may have been meant, and, `between` the two, which names there are.
/// `show` makes a name fit for print.
#[must_use]
pub fn instead(name: &str, known: &[&str], show: impl Fn(&str) -> String, between: &str) -> String {
    let close = did_you_mean(name, known.iter().copied());
    let mut out = close.map(|close| format!("; did you mean {}?", show(close))).unwrap_or_default();
    let shown: Vec<String> = known.iter().map(|name| show(name)).collect();
    match shown.as_slice() {
        [] => {}
        [only] => out += &format!("{between}there is only {only}"),
        [most @ .., last] => out += &format!("{between}there are {} and {last}", most.join(", ")),
    }
    out
}

/// A piece of the user's text for use in a message: in backticks, control characters made visible, long ones cut.
#[must_use]
pub fn quote(text: &str) -> String {
    const LONGEST: usize = 48;
    let mut quoted = String::from("`");
    for (count, letter) in text.chars().enumerate() {
        if count == LONGEST {
            quoted.push('…');
            break;
        }
        if letter.is_control() || turns_direction(letter) {
            quoted.extend(letter.escape_default());
        } else {
            quoted.push(letter);
        }
    }
    quoted.push('`');
    quoted
}

/// Invisible characters that make a terminal show what follows in another order than it is written.
fn turns_direction(letter: char) -> bool {
    matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Names in a row for a message: `` `a`, `b` and `c` `` with the given last word; long rows are cut.
#[must_use]
pub fn enumerate<'a>(names: impl IntoIterator<Item = &'a str>, last: &str) -> String {
    const SHOWN: usize = 40;
    let mut quoted: Vec<String> = names.into_iter().map(quote).collect();
    if quoted.len() > SHOWN {
        let more = quoted.len() - SHOWN;
        quoted.truncate(SHOWN);
        return format!("{} {last} {more} more", quoted.join(", "));
    }
    match quoted.pop() {
        None => String::new(),
        Some(only) if quoted.is_empty() => only,
        Some(final_one) => format!("{} {last} {final_one}", quoted.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(start: u32) -> Place {
        Place::new(0, start, start + 1)
    }

    #[test]
    fn problems_come_in_the_order_of_the_text_and_each_once() {
        let mut problems = Problems::new();
        problems.push(Problem::error(Code::Comma, at(9), "late"));
        problems.push(Problem::warning(Code::Comma, at(2), "early"));
        problems.push(Problem::error(Code::Comma, at(9), "late").hint("said in other words"));
        problems.push(Problem::error(Code::Comma, at(9), "another"));
        let messages: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
        assert_eq!(messages, ["early", "another", "late"]);
        assert_eq!(problems.len(), 3);
        assert!(problems.has_errors());
    }

    #[test]
    fn a_flood_of_problems_is_counted_but_not_kept() {
        let mut problems = Problems::new();
        for start in 0..5_000 {
            problems.push(Problem::warning(Code::Comma, at(start), "again"));
        }
        assert_eq!((problems.len(), problems.iter().count()), (5_000, KEPT));
        assert!(!problems.has_errors());
        problems.push(Problem::error(Code::Colon, at(6_000), "the one that matters"));
        assert!(problems.has_errors());
    }

    #[test]
    fn a_slip_finds_the_word_and_another_word_does_not() {
        let keys = ["lose", "delay", "duplicate", "at_rest", "per"];
        assert_eq!(did_you_mean("dealy", keys), Some("delay"), "neighbours swapped");
        assert_eq!(did_you_mean("los", keys), Some("lose"));
        assert_eq!(did_you_mean("duplicates", keys), Some("duplicate"));
        assert_eq!(did_you_mean("AT-REST", keys), Some("at_rest"));
        assert_eq!(did_you_mean("pr", keys), None, "two letters say too little");
        assert_eq!(did_you_mean("crash", keys), None);
        assert_eq!(did_you_mean(&"x".repeat(1 << 20), keys), None);
    }

    #[test]
    fn quoted_text_cannot_play_tricks_with_a_terminal() {
        assert_eq!(quote("a\u{1b}[31mb\n"), "`a\\u{1b}[31mb\\n`");
        assert_eq!(quote(&"x".repeat(100)).chars().count(), 51, "48 letters, the ellipsis and two backticks");
        assert_eq!(enumerate(["a", "b", "c"], "or"), "`a`, `b` or `c`");
        assert_eq!(enumerate(["a"], "or"), "`a`");
        assert_eq!(enumerate([], "or"), "");
    }
}
