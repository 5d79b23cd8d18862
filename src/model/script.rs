//! Decisions of a script: what is decided about a name, how it is written, and what the engine makes of it.
//!
//! Whatever goes wrong by a decision becomes a fault of its own behind the rules of the weather; so the engine carries it out
//! and records name it like any other.

use super::Model;
use super::value::Word;
use super::weather::{
    Delay, Downtime, Fault, FaultVerb, Link, Messages, Moment, Place, Point, PointKind, Script, Subject,
    Weather,
};
use crate::kernel::choose::Ask;
use crate::kernel::dist::Dist;
use crate::kernel::path::Path;
use crate::kernel::sample::Share;
use crate::kernel::script::{Decided, Matter};
use crate::kernel::time::{Span, Time};

/// What can be asked about a name, as in `shop.i1?gap = 5ms`.
pub const ASKS: [(&str, Ask); 4] =
    [("start", Ask::Start), ("gap", Ask::Gap), ("think", Ask::Think), ("jitter", Ask::Jitter)];

/// The points that a name passes, as in `shop.i1.a1:request before commit = crash orders for 20ms`.
pub const POINTS: [(&str, PointKind); PointKind::COUNT] = [
    ("request", PointKind::Request),
    ("reply", PointKind::Reply),
    ("fetch", PointKind::Fetch),
    ("fetched", PointKind::Fetched),
    ("commit", PointKind::Commit),
    ("event", PointKind::Event),
    ("ack", PointKind::Ack),
    ("publish", PointKind::Publish),
    ("mark", PointKind::Mark),
    ("log", PointKind::Log),
];

/// One decision.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The line that says it.
    pub line: String,
    /// What it is about; [`Path::ROOT`] where the clock decides.
    pub path: Path,
    /// What is decided.
    pub deed: Deed,
}

/// What can be decided.
#[derive(Clone, Debug, PartialEq)]
pub enum Deed {
    /// An intent is left out; the others keep their names.
    LeftOut,
    /// A copy is lost.
    Lost,
    /// A copy is so long under way.
    Arrives(Span),
    /// A message has so many copies, at least 2.
    Copies(u32),
    /// A message is so much later than it would be.
    Late(Span),
    /// An operation refuses, with this reason.
    Refuse(Word),
    /// An operation fails technically.
    Fail,
    /// A question has this answer: a span in ns, or for [`Ask::Jitter`] a draw.
    Answer(Ask, u64),
    /// A node crashes or is paused (`true`) before or after a point, or at an instant.
    Strike(Place, bool, Moment, Downtime),
    /// A link is cut at an instant.
    Cut(Link, Time, Downtime),
}

impl Deed {
    /// Whether something goes wrong by it.
    #[must_use]
    pub fn is_fault(&self) -> bool {
        !matches!(self, Deed::LeftOut | Deed::Arrives(_) | Deed::Answer(..))
    }

    /// Whether it only sets a time.
    #[must_use]
    pub fn is_time(&self) -> bool {
        matches!(self, Deed::Arrives(_) | Deed::Answer(..))
    }

    /// The matter that it decides, unless the clock asks for it.
    #[must_use]
    pub fn matter(&self) -> Option<Matter> {
        Some(match self {
            Deed::LeftOut => Matter::LEFT_OUT,
            Deed::Lost => Matter::LOST,
            Deed::Arrives(_) => Matter::ARRIVES,
            Deed::Copies(_) => Matter::COPIES,
            Deed::Late(_) => Matter::LATE,
            Deed::Refuse(_) => Matter::REFUSED,
            Deed::Fail => Matter::FAILED,
            Deed::Answer(ask, _) => Matter::from(*ask),
            Deed::Strike(_, _, Moment::Before(point), _) => Matter::point(0, point.kind as u8),
            Deed::Strike(_, _, Moment::After(point), _) => Matter::point(1, point.kind as u8),
            Deed::Strike(..) | Deed::Cut(..) => return None,
        })
    }

    /// What goes wrong, as a fault says it.
    fn verb(&self) -> Option<FaultVerb> {
        let any = || Messages::On(Link { from: vec![Place::Any], to: vec![Place::Any], both: false });
        Some(match self {
            Deed::LeftOut | Deed::Arrives(_) | Deed::Answer(..) => return None,
            Deed::Lost => FaultVerb::Lose(any()),
            Deed::Copies(n) => FaultVerb::Duplicate(any(), vec![Dist::ZERO; n.saturating_sub(1) as usize]),
            Deed::Late(by) => FaultVerb::Delay(any(), Delay::For(Dist::Fixed(*by))),
            Deed::Refuse(reason) => FaultVerb::Refuse(Subject::Any, *reason),
            Deed::Fail => FaultVerb::Fail(Subject::Any),
            Deed::Strike(place, true, moment, lasts) => {
                FaultVerb::Pause(*place, moment.clone(), lasts.clone())
            }
            Deed::Strike(place, false, moment, lasts) => {
                FaultVerb::Crash(*place, moment.clone(), lasts.clone())
            }
            Deed::Cut(link, at, lasts) => FaultVerb::Cut(link.clone(), Moment::At(*at), lasts.clone()),
        })
    }

    /// The line that decides this about a name.
    #[must_use]
    pub fn line(&self, name: &str, model: &Model) -> String {
        let lasts = |lasts: &Downtime| match lasts {
            Downtime::For(dist) => dist.max().to_string(),
            Downtime::Ever => Span::MAX.to_string(),
        };
        let word = |pause: &bool| if *pause { "pause" } else { "crash" };
        match self {
            Deed::LeftOut => format!("{name} = none"),
            Deed::Lost => format!("{name} = lost"),
            Deed::Arrives(span) => format!("{name} = {span}"),
            Deed::Copies(n) => format!("{name} = {n} copies"),
            Deed::Late(span) => format!("{name} = late {span}"),
            Deed::Refuse(reason) => format!("{name} = refuse {}", model.symbols.text(*reason)),
            Deed::Fail => format!("{name} = fail"),
            Deed::Answer(ask, value) => {
                let asked = ASKS.iter().find(|(_, known)| known == ask).map_or("", |(word, _)| word);
                match ask {
                    Ask::Jitter => format!("{name}?{asked} = 0x{value:016x}"),
                    _ => format!("{name}?{asked} = {}", Span(*value)),
                }
            }
            Deed::Strike(place, pause, Moment::At(at), time) => {
                format!("{} at {at} = {} for {}", node(*place, model), word(pause), lasts(time))
            }
            Deed::Strike(place, pause, moment, time) => {
                let (when, kind) = match moment {
                    Moment::After(point) => ("after", point.kind),
                    Moment::Before(point) => ("before", point.kind),
                    _ => ("before", PointKind::Commit),
                };
                let point = POINTS.iter().find(|(_, known)| *known == kind).map_or("", |(word, _)| word);
                format!("{name} {when} {point} = {} {} for {}", word(pause), node(*place, model), lasts(time))
            }
            Deed::Cut(link, at, time) => {
                let side = |places: &[Place]| {
                    places.iter().map(|place| node(*place, model)).collect::<Vec<_>>().join(", ")
                };
                let arrow = if link.both { "<->" } else { "->" };
                format!("{} {arrow} {} at {at} = cut for {}", side(&link.from), side(&link.to), lasts(time))
            }
        }
    }
}

/// A place as scenario files write it.
fn node(place: Place, model: &Model) -> String {
    match place {
        Place::Any => "*".into(),
        Place::Service(service) => model.service(service).name.clone(),
        Place::Replica(service, n) => format!("{}#{}", model.service(service).name, u64::from(n) + 1),
        Place::Database(service) => format!("{}.db", model.service(service).name),
        Place::Group(group) => model.group(group).name.clone(),
    }
}

/// A point of a kind, whatever it is a point of: a name says that.
#[must_use]
pub fn point_of(kind: PointKind) -> Point {
    Point { kind, of: Subject::Any }
}

impl Weather {
    /// Sets the script, or takes it out where there is nothing to decide and nothing to calm. The faults of a script that
    /// was there are gone with it.
    pub fn set_script(&mut self, decisions: &[Decision], calm: bool) {
        if let Some(script) = self.script.take() {
            self.faults.truncate(script.first.into());
        }
        let first = self.faults.len() as u16;
        let mut script = Script { lines: Vec::new(), decided: Vec::new(), first, calm };
        for (line, decision) in decisions.iter().enumerate() {
            let number = self.faults.len() as u64;
            let count = match decision.deed {
                Deed::Copies(n) => u64::from(n.saturating_sub(1)),
                _ => 0,
            };
            let value = match decision.deed {
                Deed::Arrives(span) => span.0,
                Deed::Answer(_, value) => value,
                _ => number | count << 32,
            };
            if let Some(verb) = decision.deed.verb() {
                self.faults.push(Fault {
                    text: decision.line.clone(),
                    identity: number,
                    verb,
                    nth: Vec::new(),
                    chance: Share::ALL,
                    when: None,
                    when_args: 0,
                    during: None,
                });
            }
            // By the clock a fault strikes as the rule that it is.
            let (path, what) = match decision.deed.matter() {
                Some(what) => (decision.path, what),
                None => (Path(number), Matter::CLOCK),
            };
            script.decided.push(Decided { path, what, value, line: line as u32 });
            script.lines.push(decision.line.clone());
        }
        script.decided.sort_unstable();
        self.script = Some(script);
    }
}
