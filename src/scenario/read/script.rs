//! Scripts: exact decisions about things by their names, one a line.
//!
//! `shoppers#2.i3.a2:reply~1 = lost`; what a name is the name of stands in [`crate::model::name`]. Whatever goes wrong by a
//! line becomes a fault of its own, so that engine and reports treat it as one.

use std::collections::BTreeMap;
use std::ops::Range;

use super::super::code::Code;
use super::super::fields::Fields;
use super::super::problem::{Problem, Problems, did_you_mean, enumerate};
use super::super::quantity::{fixed_or_ever, fixed_time};
use super::super::source::Place as At;
use super::super::tree::Text;
use super::names::{Index, too_many};
use super::points;
use crate::kernel::choose::Ask;
use crate::kernel::dist::Dist;
use crate::kernel::path::{Path, Role};
use crate::kernel::script::Matter;
use crate::kernel::time::{Span, Time};
use crate::model::Model;
use crate::model::name::Name;
use crate::model::script::{ASKS, Decision, Deed, POINTS, point_of};
use crate::model::weather::{Downtime, Moment};

/// The most lines.
const MOST_LINES: usize = 20_000;
/// The most copies of one message.
const MOST_COPIES: u32 = 64;

/// Reads `seed`, `script` and `rest` of a weather into a model that is complete but for them.
pub(super) fn read(document: &Fields<'_>, model: &mut Model, index: &Index<'_>, problems: &mut Problems) {
    let Some(fields) = document.object("weather", &mut Problems::new()) else { return };
    model.weather.seed = fields.integer("seed").and_then(|seed| u64::try_from(seed).ok());
    if !fields.has("script") {
        if let Some(entry) = fields.entry("rest").filter(|_| !fields.spoilt("script")) {
            let message = "`rest` is what a script leaves open, and there is no `script`";
            problems.push(Problem::error(Code::Together, entry.key.place, message));
        }
        return;
    }
    let nodes = fields.list("script");
    if let Some(node) = nodes.get(MOST_LINES) {
        too_many("lines", node.head(), problems);
    }
    let mut decisions: Vec<Decision> = Vec::new();
    let mut known: BTreeMap<(Path, Matter), At> = BTreeMap::new();
    for text in nodes.iter().take(MOST_LINES).filter_map(|node| node.as_text()) {
        let decision = match (Reader { model, index, problems }).line(text) {
            Ok(Some(decision)) => decision,
            Ok(None) => continue,
            Err(wrong) => {
                let problem = Problem::error(Code::Script, text.place_in(wrong.range), wrong.message);
                problems.push(problem.maybe_hint(wrong.hint));
                continue;
            }
        };
        if let Some(what) = decision.deed.matter()
            && let Some(first) = known.insert((decision.path, what), text.place)
        {
            let problem = Problem::error(Code::Script, text.place, "this is decided twice");
            problems.push(problem.also(first, "here, too"));
        }
        decisions.push(decision);
    }
    model.weather.set_script(&decisions, fields.word("rest") != Some("seed"));
}

/// What is wrong with a line, and where.
struct Wrong {
    range: Range<usize>,
    message: String,
    hint: Option<String>,
}

fn wrong(range: Range<usize>, message: impl Into<String>, hint: impl Into<String>) -> Wrong {
    Wrong { range, message: message.into(), hint: Some(hint.into()) }
}

const FORM: &str = "a name, ` = ` and what is decided, such as `shop.i1.a1:reply~1 = lost`";

struct Reader<'r, 'n> {
    model: &'r mut Model,
    index: &'r Index<'n>,
    problems: &'r mut Problems,
}

/// What stands on the right of a line: the word it begins with, the rest, and where they are.
struct Right<'t> {
    word: &'t str,
    rest: &'t str,
    all: Range<usize>,
    after: usize,
}

impl Reader<'_, '_> {
    /// The decision of a line; `None` if what is wrong has been said.
    fn line(&mut self, text: &Text) -> Result<Option<Decision>, Wrong> {
        let value = text.value.as_str();
        let Some(equals) = value.find(" = ") else {
            return Err(wrong(0..value.len(), "this is not a decision", FORM));
        };
        let (left, right) = (&value[..equals], &value[equals + 3..]);
        let (word, rest) = right.split_once(' ').unwrap_or((right, ""));
        let all = equals + 3..value.len();
        let right = Right { word, rest, after: all.end - rest.len(), all };
        let made = |path, deed| Decision { line: value.to_owned(), path, deed };
        if let Some((place, at)) = left.split_once(" at ") {
            let deed = self.clock(text, place, at, &right)?;
            return Ok(deed.map(|deed| made(Path::ROOT, deed)));
        }
        for (after, word) in [" before ", " after "].into_iter().enumerate() {
            let Some((name, point)) = left.split_once(word) else { continue };
            let range = equals - point.len()..equals;
            let kind = POINTS.iter().find(|(known, _)| *known == point).map(|(_, kind)| *kind);
            let kind = kind.ok_or_else(|| unknown(range, point, POINTS.iter().map(|(word, _)| *word)))?;
            let path = self.name(name)?.path;
            let moment = if after == 0 { Moment::Before } else { Moment::After };
            let deed = self.strike(text, &right, moment(point_of(kind)))?;
            return Ok(deed.map(|deed| made(path, deed)));
        }
        if let Some((name, ask)) = left.split_once('?') {
            let range = equals - ask.len()..equals;
            let known = ASKS.iter().find(|(word, _)| *word == ask).map(|(_, ask)| *ask);
            let ask = known.ok_or_else(|| unknown(range, ask, ASKS.iter().map(|(word, _)| *word)))?;
            let path = self.name(name)?.path;
            let whole = &value[right.all.clone()];
            let answer = match ask {
                Ask::Jitter => draw(whole, &right)?,
                _ => span(whole, right.all.start)?,
            };
            return Ok(Some(made(path, Deed::Answer(ask, answer))));
        }
        let name = self.name(left)?;
        let deed = self.plain(value, &name, left.len(), &right)?;
        Ok(Some(made(name.path, deed)))
    }

    /// Decisions about a message, a copy of one, an execution or an intent.
    fn plain(&mut self, line: &str, name: &Name, left: usize, right: &Right<'_>) -> Result<Deed, Wrong> {
        let role = name.role();
        let copy_only = || {
            let hint = format!("name the copy: `{}~1`", name.text);
            let is_copy = role.is_none_or(|role| role == Role::Copy);
            if is_copy { Ok(()) } else { Err(wrong(0..left, "a message may have several copies", hint)) }
        };
        Ok(match right.word {
            "none" if right.rest.is_empty() => {
                if role.is_some_and(|role| role != Role::Intent) {
                    return Err(wrong(0..left, "only an intent can be left out", "such as `shop.i2 = none`"));
                }
                Deed::LeftOut
            }
            "lost" if right.rest.is_empty() => copy_only().map(|()| Deed::Lost)?,
            "late" => Deed::Late(Span(span(right.rest, right.after)?)),
            "refuse" if !right.rest.is_empty() => Deed::Refuse(self.model.symbols.intern(right.rest)),
            "fail" if right.rest.is_empty() => Deed::Fail,
            word if right.rest == "copies" => {
                let count = word.parse().ok().filter(|n| (2..=MOST_COPIES).contains(n));
                let hint = format!("2 to {MOST_COPIES}");
                Deed::Copies(
                    count.ok_or_else(|| wrong(right.all.clone(), "this is no number of copies", hint))?,
                )
            }
            word if word.starts_with(|c: char| c.is_ascii_digit()) => {
                copy_only()?;
                Deed::Arrives(Span(span(&line[right.all.clone()], right.all.start)?))
            }
            _ => {
                let hint = "`lost`, a time, `2 copies`, `late 5ms`, `none`, `refuse REASON` or `fail`; crashes and \
                            pauses come `before` or `after` a point or `at` an instant";
                return Err(wrong(right.all.clone(), "nothing is decided like this", hint));
            }
        })
    }

    fn name(&self, text: &str) -> Result<Name, Wrong> {
        Name::parse(text, self.model).map_err(|error| {
            let named = &text[error.range.clone()];
            let known = || error.known.iter().map(String::as_str);
            let hint = match did_you_mean(named, known()) {
                Some(meant) => Some(format!("did you mean `{meant}`?")),
                None if error.known.is_empty() => None,
                None => Some(one_of(known())),
            };
            Wrong { range: error.range, message: error.message, hint }
        })
    }

    /// `orders#1 at 120ms = crash for 20ms`, `a -> b at 1s = cut for 50ms`.
    fn clock(
        &mut self,
        text: &Text,
        place: &str,
        at: &str,
        right: &Right<'_>,
    ) -> Result<Option<Deed>, Wrong> {
        let at = Time(span(at, place.len() + " at ".len())?);
        let lasts = right.rest.strip_prefix("for ");
        let lasts =
            lasts.ok_or_else(|| wrong(right.all.clone(), "how long does it last?", "`crash for 20ms`"))?;
        let lasts = downtime(lasts, right.after + "for ".len())?;
        let range = 0..place.len();
        Ok(match right.word {
            "crash" | "pause" => {
                let node = points::node_in(text, range, self.index, self.problems);
                node.map(|node| Deed::Strike(node, right.word == "pause", Moment::At(at), lasts))
            }
            "cut" => {
                let link = points::link_in(text, range, self.index, self.problems);
                link.map(|link| Deed::Cut(link, at, lasts))
            }
            _ => {
                let hint = "`crash`, `pause` or `cut`";
                return Err(wrong(right.all.clone(), "nothing strikes by the clock like this", hint));
            }
        })
    }

    /// `crash orders for 20ms`.
    fn strike(&mut self, text: &Text, right: &Right<'_>, moment: Moment) -> Result<Option<Deed>, Wrong> {
        let hint = "`crash orders for 20ms` or `pause orders for ever`";
        let parts = right.rest.split_once(" for ").filter(|_| matches!(right.word, "crash" | "pause"));
        let (node, lasts) =
            parts.ok_or_else(|| wrong(right.all.clone(), "nothing strikes like this", hint))?;
        let downtime = downtime(lasts, right.all.end - lasts.len())?;
        let range = right.after..right.after + node.len();
        let node = points::node_in(text, range, self.index, self.problems);
        Ok(node.map(|node| Deed::Strike(node, right.word == "pause", moment, downtime)))
    }
}

fn unknown<'w>(range: Range<usize>, word: &str, known: impl Iterator<Item = &'w str> + Clone) -> Wrong {
    let hint = match did_you_mean(word, known.clone()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => one_of(known),
    };
    wrong(range, format!("`{word}` is not known here"), hint)
}

fn one_of<'w>(known: impl Iterator<Item = &'w str>) -> String {
    format!("known here: {}", enumerate(known, "and"))
}

/// A time at `from` in the line.
fn span(text: &str, from: usize) -> Result<u64, Wrong> {
    fixed_time(text).map_err(|error| at(error, from))
}

fn downtime(text: &str, from: usize) -> Result<Downtime, Wrong> {
    let time = fixed_or_ever(text).map_err(|error| at(error, from))?;
    Ok(time.map_or(Downtime::Ever, |ns| Downtime::For(Dist::Fixed(Span(ns)))))
}

fn at(error: super::super::quantity::Wrong, from: usize) -> Wrong {
    let range = error.range.start + from..error.range.end + from;
    Wrong { range, message: error.message, hint: error.hint }
}

/// A raw draw: `0x` and 16 digits.
fn draw(text: &str, right: &Right<'_>) -> Result<u64, Wrong> {
    let digits = text.strip_prefix("0x").filter(|digits| digits.len() == 16);
    let draw = digits.and_then(|digits| u64::from_str_radix(digits, 16).ok());
    draw.ok_or_else(|| wrong(right.all.clone(), "this is not a draw", "`0x` and 16 hexadecimal digits"))
}
