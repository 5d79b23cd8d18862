//! Points (`reply wallet.charge`), links (`a -> b`) and nodes (`orders#2`): where the weather strikes.

use std::ops::Range;

use super::super::code::Code;
use super::super::problem::{Problem, Problems, did_you_mean, enumerate, quote};
use super::super::source::Place as At;
use super::super::tree::Text;
use super::names::{Index, undeclared};
use crate::model::flow::Target;
use crate::model::script::POINTS;
use crate::model::weather::{Link, Messages, Place, Point, PointKind, Subject};

/// A piece of a text and where it starts.
#[derive(Clone, Copy)]
struct Piece<'n> {
    text: &'n Text,
    start: usize,
    end: usize,
}

impl<'n> Piece<'n> {
    fn of(text: &'n Text) -> Self {
        Piece { text, start: 0, end: text.value.len() }.trimmed()
    }

    fn value(&self) -> &'n str {
        &self.text.value[self.start..self.end]
    }

    fn place(&self) -> At {
        self.text.place_in(self.start..self.end)
    }

    fn trimmed(self) -> Self {
        let value = self.value();
        let start = self.start + value.len() - value.trim_start().len();
        Piece { start, end: start + value.trim().len(), ..self }
    }

    /// The pieces before and after a separator.
    fn split(self, separator: &str) -> Option<(Self, Self)> {
        let at = self.start + self.value().find(separator)?;
        let left = Piece { end: at, ..self };
        let right = Piece { start: at + separator.len(), ..self };
        Some((left.trimmed(), right.trimmed()))
    }

    fn list(self) -> Vec<Self> {
        let mut pieces = Vec::new();
        let mut rest = self;
        while let Some((first, more)) = rest.split(",") {
            pieces.push(first);
            rest = more;
        }
        pieces.push(rest);
        pieces
    }
}

/// The words that begin a point, and what they are about. A fetch is written as a request or reply of `X.fetch`.
fn words() -> impl Iterator<Item = &'static (&'static str, PointKind)> + Clone {
    POINTS.iter().filter(|(_, kind)| !matches!(kind, PointKind::Fetch | PointKind::Fetched))
}

/// Reads a point.
pub(super) fn point(text: &Text, index: &Index<'_>, problems: &mut Problems) -> Option<Point> {
    let whole = Piece::of(text);
    let Some((word, name)) = whole.split(" ") else {
        let problem = Problem::error(Code::Point, text.place, "a point is a word and a name");
        problems.push(problem.hint("such as `reply wallet.charge`"));
        return None;
    };
    let Some((_, kind)) = words().find(|(known, _)| *known == word.value()) else {
        let known = words().map(|(word, _)| *word);
        let message = format!("no point begins with {}", quote(word.value()));
        let hint = match did_you_mean(word.value(), known.clone()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("points begin with {}", enumerate(known, "or")),
        };
        problems.push(Problem::error(Code::Point, word.place(), message).hint(hint));
        return None;
    };
    let (mut kind, mut name) = (*kind, name);
    if let (PointKind::Request | PointKind::Reply, Some(of)) = (kind, name.value().strip_suffix(".fetch")) {
        // An operation may itself be called `fetch`.
        if of == "*" || index.find_operation(of).is_some() {
            kind = if kind == PointKind::Request { PointKind::Fetch } else { PointKind::Fetched };
            name.end -= ".fetch".len();
        }
    }
    let of = subject(kind, name, index, problems)?;
    if matches!((kind, of), (PointKind::Fetch | PointKind::Fetched, Subject::Flow(_))) {
        problems.push(Problem::error(Code::Point, name.place(), "nobody fetches for a flow"));
        return None;
    }
    Some(Point { kind, of })
}

fn subject(kind: PointKind, name: Piece<'_>, index: &Index<'_>, problems: &mut Problems) -> Option<Subject> {
    let text = name.value();
    if text == "*" {
        return Some(Subject::Any);
    }
    let (what, known, found) = match kind {
        PointKind::Event | PointKind::Ack | PointKind::Publish | PointKind::Mark => {
            ("topic", index.all_topics(), index.find_topic(text).map(Subject::Topic))
        }
        PointKind::Log => ("flow", index.all_flows(), index.find_flow(text).map(Subject::Flow)),
        _ => {
            let mut known = index.all_operations();
            known.extend(index.all_flows());
            let found = index.find_target(text).map(|target| match target {
                Target::Op(op) => Subject::Op(op),
                Target::Flow(flow) => Subject::Flow(flow),
            });
            ("operation or flow", known, found)
        }
    };
    if found.is_none() {
        undeclared(what, text, name.place(), &known, problems);
    }
    found
}

/// An operation by name, or `*`.
pub(super) fn operation(text: &Text, index: &Index<'_>, problems: &mut Problems) -> Option<Subject> {
    let name = Piece::of(text);
    if name.value() == "*" {
        return Some(Subject::Any);
    }
    let found = index.find_operation(name.value()).map(Subject::Op);
    if found.is_none() {
        undeclared("operation", name.value(), name.place(), &index.all_operations(), problems);
    }
    found
}

/// Messages: of a point, or on a link.
pub(super) fn messages(text: &Text, index: &Index<'_>, problems: &mut Problems) -> Option<Messages> {
    if text.value.contains("->") || text.value.trim() == "*" {
        return link(text, index, problems).map(Messages::On);
    }
    let point = point(text, index, problems)?;
    if !point.kind.is_message() {
        let message = format!("{} is no message", quote(text.value.trim()));
        let problem = Problem::error(Code::Point, text.place, message);
        problems.push(problem.hint("messages are request, reply, event and ack; or name a link, `a -> b`"));
        return None;
    }
    Some(Messages::At(point))
}

/// Reads a link; `*` alone is any.
pub(super) fn link(text: &Text, index: &Index<'_>, problems: &mut Problems) -> Option<Link> {
    link_of(Piece::of(text), text.place, index, problems)
}

fn link_of(whole: Piece<'_>, at: At, index: &Index<'_>, problems: &mut Problems) -> Option<Link> {
    if whole.value() == "*" {
        return Some(Link { from: vec![Place::Any], to: vec![Place::Any], both: false });
    }
    let (sides, both) = match (whole.split("<->"), whole.split("->")) {
        (Some(sides), _) => (sides, true),
        (None, Some(sides)) => (sides, false),
        (None, None) => {
            let message = format!("{} is not a link", quote(whole.value()));
            problems.push(Problem::error(Code::Link, at, message).hint("`a -> b` or `a <-> b`"));
            return None;
        }
    };
    let mut side = |piece: Piece<'_>| -> Option<Vec<Place>> {
        let places: Vec<Option<Place>> =
            piece.list().into_iter().map(|piece| place(piece, index, problems)).collect();
        places.into_iter().collect()
    };
    let (from, to) = (side(sides.0), side(sides.1));
    Some(Link { from: from?, to: to?, both })
}

/// As [`link`], of a part of a text.
pub(super) fn link_in(
    text: &Text,
    range: Range<usize>,
    index: &Index<'_>,
    problems: &mut Problems,
) -> Option<Link> {
    let whole = Piece { text, start: range.start, end: range.end }.trimmed();
    link_of(whole, whole.place(), index, problems)
}

/// As [`node`], of a part of a text.
pub(super) fn node_in(
    text: &Text,
    range: Range<usize>,
    index: &Index<'_>,
    problems: &mut Problems,
) -> Option<Place> {
    place(Piece { text, start: range.start, end: range.end }.trimmed(), index, problems)
}

/// A node, for crashes and pauses.
pub(super) fn node(text: &Text, index: &Index<'_>, problems: &mut Problems) -> Option<Place> {
    place(Piece::of(text), index, problems)
}

fn place(piece: Piece<'_>, index: &Index<'_>, problems: &mut Problems) -> Option<Place> {
    let text = piece.value();
    if text == "*" {
        return Some(Place::Any);
    }
    if let Some(service) = text.strip_suffix(".db").and_then(|name| index.find_service(name)) {
        return Some(Place::Database(service));
    }
    if let Some((name, number)) = text.split_once('#')
        && let Some(service) = index.find_service(name)
    {
        let replicas = index.services[service.index()].fields.integer("replicas").unwrap_or(1);
        let number: Option<u32> = number.parse().ok();
        let known = number.filter(|n| *n >= 1 && i64::from(*n) <= replicas);
        if known.is_none() {
            let message = format!("{} has no replica of that number", quote(name));
            let hint = match replicas {
                1 => format!("it has one; write `{name}`, or raise its `replicas`"),
                n => format!("they count from `{name}#1` to `{name}#{n}`"),
            };
            problems.push(Problem::error(Code::Link, piece.place(), message).hint(hint));
        }
        return known.map(|n| Place::Replica(service, n - 1));
    }
    match (index.find_service(text), index.find_group(text)) {
        (Some(_), Some(_)) => {
            let message = format!("{} is a service and a group of clients", quote(text));
            problems.push(Problem::error(Code::Twice, piece.place(), message).hint("rename one of them"));
            None
        }
        (Some(service), None) => Some(Place::Service(service)),
        (None, Some(group)) => Some(Place::Group(group)),
        (None, None) => {
            let mut known = index.all_services();
            known.extend(index.all_groups());
            undeclared("service or group of clients", text, piece.place(), &known, problems);
            None
        }
    }
}
