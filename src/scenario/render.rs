//! Problems in print: as text with the lines they are about, and as plain data for editors and scripts.
//!
//! A pure function of problems and sources. Lines too long to read are named by line and column only, and no more
//! text is handed to the printer than it shows, so that one bad file of several megabytes prints as fast as any.

use std::ops::Range;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use super::problem::{Problem, Problems, Severity};
use super::source::{Place, Sources};

/// How many problems are printed as text.
pub const SHOWN: usize = 20;

/// A line longer than this many bytes is not printed.
const LONGEST_LINE: usize = 1_000;

/// Two marks further apart than this many bytes are printed as two excerpts.
const WIDEST_EXCERPT: usize = 64 << 10;

/// Whether text carries terminal colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Characters only.
    Plain,
    /// With ANSI escapes for colours.
    Coloured,
}

/// How wide text is where nobody says how wide it may be.
const WIDTH: usize = 140;

/// All problems as text, in the order of the files; after [`SHOWN`] of them only their number follows.
#[must_use]
pub fn text(problems: &Problems, sources: &Sources, look: Look) -> String {
    text_in(problems, sources, look, WIDTH)
}

/// The same in so many columns: of lines that are longer, what is near the marks is shown.
#[must_use]
pub fn text_in(problems: &Problems, sources: &Sources, look: Look, width: usize) -> String {
    let renderer = match look {
        Look::Plain => Renderer::plain(),
        Look::Coloured => Renderer::styled(),
    };
    let renderer = renderer.term_width(width);
    let mut out = String::new();
    for problem in problems.iter().take(SHOWN) {
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(&renderer.render(&report(problem, sources, width)));
        out.push('\n');
    }
    let more = problems.len().saturating_sub(SHOWN);
    if more > 0 {
        out.push_str(&format!("\nand {more} more {}\n", if more == 1 { "problem" } else { "problems" }));
    }
    out
}

/// The parts of one problem's text: the title with its excerpts, then the hint.
fn report<'a>(problem: &'a Problem, sources: &'a Sources, width: usize) -> Vec<Group<'a>> {
    let (level, before) = match problem.severity {
        Severity::Error => (Level::ERROR, "error[HW0000]: "),
        Severity::Warning => (Level::WARNING, "warning[HW0000]: "),
    };
    let message = broken(&problem.message, width.saturating_sub(before.len()));
    let mut group = Group::with_title(level.primary_title(message).id(problem.code.name()));
    let mut marks = vec![(problem.place, problem.label.as_str())];
    marks.extend(problem.also.iter().map(|(place, words)| (*place, words.as_str())));
    for excerpt in excerpts(&marks, sources, width) {
        group = match excerpt {
            Excerpt::Nowhere(file) => group.element(Origin::path(sources.name(file))),
            Excerpt::Named(place) => {
                let at = sources.line_column(place.file, place.start);
                let origin = Origin::path(sources.name(place.file)).line(at.line as usize);
                group.element(origin.char_column(at.column as usize))
            }
            Excerpt::Shown { file, lines, marks } => {
                group.element(snippet(file, lines, &marks, problem, sources))
            }
        };
    }
    let hint = problem.hint.as_ref().map(|hint| broken(hint, width.saturating_sub("help: ".len())));
    let hint = hint.map(|hint| Group::with_title(Level::HELP.secondary_title(hint)));
    std::iter::once(group).chain(hint).collect()
}

/// A text in lines of at most so many columns, broken at blanks only: half a name is no name.
fn broken(text: &str, columns: usize) -> String {
    let mut out = String::with_capacity(text.len());
    let mut used = 0;
    for word in text.split(' ') {
        let wide = word.width();
        if used > 0 && used + 1 + wide > columns {
            out.push('\n');
            used = 0;
        } else if used > 0 {
            out.push(' ');
            used += 1;
        }
        out.push_str(word);
        used += wide;
    }
    out
}

/// A mark and its words; the problem's own mark is the one at its own place.
type Mark<'a> = (Place, &'a str);

/// What is shown of a file for some of the marks.
enum Excerpt<'a> {
    /// A file without text: only its name.
    Nowhere(u16),
    /// A place in a line too long to print.
    Named(Place),
    /// Whole lines, as a range of the file's text, with the marks in them.
    Shown { file: u16, lines: Range<usize>, marks: Vec<Mark<'a>> },
}

/// Sorts the marks into excerpts: those of one file and near each other share one, as far as they fit in so many columns.
fn excerpts<'a>(marks: &[Mark<'a>], sources: &Sources, width: usize) -> Vec<Excerpt<'a>> {
    let mut excerpts: Vec<Excerpt<'a>> = Vec::new();
    for &(place, words) in marks {
        let line = sources.line_range(place.file, place.start);
        if sources.text(place.file).is_empty() {
            excerpts.push(Excerpt::Nowhere(place.file));
            continue;
        }
        if line.len() > LONGEST_LINE {
            excerpts.push(Excerpt::Named(place));
            continue;
        }
        let joined = excerpts.iter_mut().any(|excerpt| match excerpt {
            Excerpt::Shown { file, lines, marks } if *file == place.file => {
                let both = lines.start.min(line.start)..lines.end.max(line.end);
                let one_more = [(place, words)];
                let all = marks.iter().chain(&one_more);
                let near = both.len() <= WIDEST_EXCERPT && side_by_side(all, sources, width);
                if near {
                    *lines = both;
                    marks.push((place, words));
                }
                near
            }
            _ => false,
        });
        if !joined {
            excerpts.push(Excerpt::Shown { file: place.file, lines: line, marks: vec![(place, words)] });
        }
    }
    excerpts
}

/// What the printer puts beside a line: its number, the bars and what shows that a line is cut.
const FRAME: usize = 16;

/// Whether marks can be seen together: what is printed of all lines of an excerpt are the same columns.
fn side_by_side<'m>(marks: impl Iterator<Item = &'m Mark<'m>>, sources: &Sources, width: usize) -> bool {
    let (mut first, mut last) = (usize::MAX, 0);
    for &(place, words) in marks {
        let line = sources.line_range(place.file, place.start);
        let columns =
            |to: usize| sources.text(place.file).get(line.start..to).map_or(0, UnicodeWidthStr::width);
        let end = (place.end as usize).clamp(place.start as usize, line.end.max(place.start as usize));
        first = first.min(columns(place.start as usize));
        last = last.max(columns(end) + 1 + words.width()).max(columns(end));
    }
    // Short lines are printed whole, wherever their marks are.
    last + FRAME <= width || last.saturating_sub(first) + FRAME <= width
}

fn snippet<'a>(
    file: u16,
    lines: Range<usize>,
    marks: &[Mark<'a>],
    problem: &Problem,
    sources: &'a Sources,
) -> Snippet<'a, Annotation<'a>> {
    let first = u32::try_from(lines.start).unwrap_or(u32::MAX);
    let mut snippet = Snippet::source(sources.text(file).get(lines.clone()).unwrap_or(""))
        .path(sources.name(file))
        .line_start(sources.line_column(file, first).line as usize);
    for &(place, words) in marks {
        // A mark over several lines would draw a bracket along all of them; its first line says enough.
        let line_end = sources.line_range(file, place.start).end;
        let start = (place.start as usize).min(line_end);
        let end = (place.end as usize).clamp(start, line_end);
        let kind = if place == problem.place { AnnotationKind::Primary } else { AnnotationKind::Context };
        let mut annotation = kind.span(start - lines.start..end - lines.start);
        if !words.is_empty() {
            annotation = annotation.label(words);
        }
        snippet = snippet.annotation(annotation);
    }
    snippet
}

/// One problem as plain data; lines and columns count from 1, columns count characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Name of the file.
    pub file: String,
    /// Line of the first character.
    pub line: u32,
    /// Column of the first character.
    pub column: u32,
    /// Line of the character after the last.
    pub end_line: u32,
    /// Column of the character after the last.
    pub end_column: u32,
    /// `error` or `warning`.
    pub severity: &'static str,
    /// The stable code, such as `HW0201`.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// A few words about the marked text; may be empty.
    pub label: String,
    /// What to write instead.
    pub hint: Option<String>,
    /// Further places that belong to it.
    pub also: Vec<Also>,
}

/// A further place of a problem, as plain data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Also {
    /// Name of the file.
    pub file: String,
    /// Line of the first character.
    pub line: u32,
    /// Column of the first character.
    pub column: u32,
    /// A few words.
    pub message: String,
}

/// All problems that were kept, as plain data, in the order of the files.
#[must_use]
pub fn entries(problems: &Problems, sources: &Sources) -> Vec<Entry> {
    problems.iter().map(|problem| entry(problem, sources)).collect()
}

fn entry(problem: &Problem, sources: &Sources) -> Entry {
    let place = problem.place;
    let from = sources.line_column(place.file, place.start);
    let to = sources.line_column(place.file, place.end);
    let also = problem.also.iter().map(|(place, words)| {
        let at = sources.line_column(place.file, place.start);
        let file = sources.name(place.file).to_owned();
        Also { file, line: at.line, column: at.column, message: words.clone() }
    });
    Entry {
        file: sources.name(place.file).to_owned(),
        line: from.line,
        column: from.column,
        end_line: to.line,
        end_column: to.column,
        severity: match problem.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        code: problem.code.name(),
        message: problem.message.clone(),
        label: problem.label.clone(),
        hint: problem.hint.clone(),
        also: also.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::code::Code;
    use super::*;

    fn sources(text: &str) -> Sources {
        let mut sources = Sources::new();
        sources.add("a.json", text);
        sources.add("b.json", "{\n  \"here\": 1\n}\n");
        sources
    }

    fn plain(problem: Problem, sources: &Sources) -> String {
        let mut problems = Problems::new();
        problems.push(problem);
        text(&problems, sources, Look::Plain)
    }

    #[test]
    fn places_in_two_files_are_both_shown() {
        let sources = sources("{ \"extends\": \"b.json\", \"there\": 2 }");
        let problem = Problem::warning(Code::Case, Place::new(0, 23, 30), "this hides that").label("hides");
        assert_eq!(
            plain(problem.also(Place::new(1, 4, 10), "hidden").hint("rename one"), &sources),
            "\
warning[HW0131]: this hides that
 --> a.json:1:24
  |
1 | { \"extends\": \"b.json\", \"there\": 2 }
  |                        ^^^^^^^ hides
  |
 ::: b.json:2:3
  |
2 |   \"here\": 1
  |   ------ hidden
  |
help: rename one
"
        );
    }

    #[test]
    fn a_mark_over_several_lines_marks_the_first() {
        let sources = sources("{\n  \"a\": {\n    \"b\": 1\n  }\n}\n");
        assert_eq!(
            plain(Problem::error(Code::Case, Place::new(0, 9, 29), "too long"), &sources),
            "error[HW0131]: too long\n --> a.json:2:8\n  |\n2 |   \"a\": {\n  |        ^\n"
        );
    }

    #[test]
    fn of_a_line_nobody_can_read_only_the_place_is_named() {
        let sources = sources(&format!("\n[{}1]", "1,".repeat(1_000_000)));
        let printed = plain(Problem::error(Code::Case, Place::new(0, 40_001, 40_002), "there"), &sources);
        assert_eq!(printed, "error[HW0131]: there\n--> a.json:2:40001\n");
    }

    #[test]
    fn after_twenty_problems_only_their_number_follows() {
        let sources = sources(&"x".repeat(100));
        let mut problems = Problems::new();
        for start in 0..22 {
            problems.push(Problem::error(Code::Case, Place::new(0, start, start + 1), "again"));
        }
        let printed = text(&problems, &sources, Look::Plain);
        assert_eq!(printed.matches("again").count(), 20);
        assert!(printed.ends_with("\n\nand 2 more problems\n"), "{printed}");
        assert_eq!(entries(&problems, &sources).len(), 22, "data is complete");
    }

    #[test]
    fn the_same_problem_as_data_has_lines_and_columns() {
        let sources = sources("é\n\"ab\"");
        let mut problems = Problems::new();
        let problem = Problem::error(Code::Case, Place::new(0, 3, 7), "bad").label("here").hint("do");
        problems.push(problem.also(Place::new(1, 4, 10), "see"));
        let expected = serde_json::json!([{
            "file": "a.json", "line": 2, "column": 1, "end_line": 2, "end_column": 5, "severity": "error",
            "code": "HW0131", "message": "bad", "label": "here", "hint": "do",
            "also": [{ "file": "b.json", "line": 2, "column": 3, "message": "see" }],
        }]);
        assert_eq!(serde_json::to_value(entries(&problems, &sources)).unwrap(), expected);
    }

    #[test]
    fn colours_change_nothing_but_the_colours() {
        let sources = sources("{ \"a\": 1 }");
        let mut problems = Problems::new();
        problems.push(Problem::error(Code::Case, Place::new(0, 2, 5), "bad").hint("do"));
        let coloured = text(&problems, &sources, Look::Coloured);
        let mut bare = String::new();
        for (count, piece) in coloured.split('\u{1b}').enumerate() {
            bare.push_str(if count == 0 { piece } else { piece.split_once('m').unwrap().1 });
        }
        assert_ne!(coloured, bare);
        assert_eq!(bare, text(&problems, &sources, Look::Plain));
    }

    #[test]
    fn marks_far_apart_in_a_long_line_are_seen_each_for_itself() {
        let line = format!("{{ \"a\": 1, {} \"b\": 2 }}", "\"x\": 0, ".repeat(40));
        let b = line.find("\"b\"").unwrap() as u32;
        let sources = sources(&line);
        let problem = Problem::error(Code::Case, Place::new(0, b, b + 3), "one too many").label("this");
        let mut problems = Problems::new();
        problems.push(problem.also(Place::new(0, 2, 5), "besides that"));
        for width in [60, 80, 140] {
            let printed = text_in(&problems, &sources, Look::Plain, width);
            assert!(printed.contains("^^^ this") && printed.contains("--- besides that"), "{printed}");
            assert!(printed.lines().all(|line| line.width() <= width), "{printed}");
        }
    }

    #[test]
    fn what_is_said_is_broken_at_the_width_and_no_name_is() {
        let sources = sources("{ \"a\": 1 }");
        let known: Vec<String> = (0..40).map(|n| format!("name{n}")).collect();
        let problem =
            Problem::error(Code::Case, Place::new(0, 2, 5), format!("no key of {}", known.join(" ")));
        let mut problems = Problems::new();
        problems.push(problem.hint(format!("known here: {}", known.join(" "))));
        let printed = text_in(&problems, &sources, Look::Plain, 60);
        assert!(printed.lines().all(|line| line.width() <= 60), "{printed}");
        let words: Vec<&str> = printed.split_whitespace().collect();
        assert!(known.iter().all(|name| words.iter().filter(|word| *word == name).count() == 2), "{printed}");
        assert_eq!(
            entries(&problems, &sources)[0].hint.as_ref().map(|hint| hint.contains('\n')),
            Some(false)
        );
    }
}
