//! A violation told as *Let … Then … So …*: who wanted what, what happened in order, and what came of it.
//!
//! The witness says which acts matter; the `chronicle` around them (lost messages, timeouts, crashes) comes from the
//! replayed history. In `outcome` there is one telling for each form of witness, and the compiler sees to it that none
//! is forgotten.

mod chronicle;
mod outcome;

use super::look::{Look, Sign, Tone, columns_of, wrap};
use super::reading::{self, Cast};
use super::scene::{Intent, Scene, cast};
use super::words::{moment, safe};
use crate::check::{Act, Finding, Party};
use crate::explore::{Prepared, Replay};
use crate::kernel::path::Path;
use crate::kernel::time::Time;
use crate::model::record::{NONE, Outcome};

/// A violation in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Story {
    /// Who and what is involved.
    pub letting: Vec<String>,
    /// What happened, in order.
    pub then: Vec<Event>,
    /// What came of it.
    pub so: Vec<String>,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When; `None` stands for events left out.
    pub at: Option<Time>,
    /// What.
    pub text: String,
    /// It is one of the acts that the finding is made of.
    pub matters: bool,
}

/// The intents that a finding is about, by their paths: two findings about the same ones have one story.
pub fn parties(finding: &Finding) -> Vec<Path> {
    let mut paths: Vec<Path> = cast(&finding.what).0.iter().map(|party| party.path).collect();
    paths.sort_unstable();
    paths
}

/// Tells findings in a replayed run that are about the same intents, each with the index of its invariant.
pub fn tell(prepared: &Prepared, replay: &Replay, findings: &[(usize, &Finding)]) -> Story {
    tell_in(&mut Scene::new(prepared, replay), prepared, replay, findings).0
}

/// The same in a scene that is at hand. The cast comes with it.
pub(super) fn tell_in(
    scene: &mut Scene<'_>,
    prepared: &Prepared,
    replay: &Replay,
    findings: &[(usize, &Finding)],
) -> (Story, Cast) {
    let of: Vec<(Option<usize>, &Finding)> =
        findings.iter().map(|&(at, finding)| (Some(at), finding)).collect();
    let Cast { parties, acts, kept } = reading::cast(scene, prepared, replay, &of);
    scene.study(&parties, &acts);
    let scene = &*scene;
    let teller = Teller { scene, parties, acts, kept };
    let mut story = Story { letting: teller.letting(), ..Story::default() };
    story.then = teller.chronicle(findings);
    for (invariant, finding) in findings {
        for (n, line) in teller.outcome(prepared, replay, *invariant, finding).into_iter().enumerate() {
            let name = prepared.invariants.get(*invariant).map_or("?", |one| one.name.as_str());
            let several = findings.len() > 1 && n == 0;
            story.so.push(if several { format!("{}: {line}", safe(name)) } else { line });
        }
    }
    let silent = findings.iter().any(|(_, finding)| finding.silent);
    if silent && !teller.parties.is_empty() && teller.all_are_told_ok() {
        story.so.push(match teller.parties.as_slice() {
            [_] => "Its client was told ok. Nobody notices.".into(),
            _ => "All clients involved were told ok. Nobody notices.".into(),
        });
    }
    let Teller { parties, acts, kept, .. } = teller;
    (story, Cast { parties, acts, kept })
}

struct Teller<'s, 'a> {
    scene: &'s Scene<'a>,
    parties: Vec<Party>,
    acts: Vec<Act>,
    /// Commits that are told whatever is left out.
    kept: Vec<usize>,
}

/// A, B, C, … and after Z the number.
pub(super) fn letter(n: usize) -> String {
    match u8::try_from(n) {
        Ok(n) if n < 26 => char::from(b'A' + n).to_string(),
        _ => format!("#{}", n + 1),
    }
}

impl Teller<'_, '_> {
    fn name(&self, party: &Party) -> String {
        match self.parties.iter().position(|known| known.path == party.path) {
            Some(at) if party.is_known() => letter(at),
            _ => "nobody in particular".into(),
        }
    }

    fn all_are_told_ok(&self) -> bool {
        let is_ok = |party: &Party| {
            let intent = self.scene.intent_of(party).and_then(|at| self.scene.intents.get(at as usize));
            intent.is_none_or(|intent| matches!(intent.told, Some((Outcome::Ok, ..))))
        };
        self.parties.iter().all(is_ok)
    }

    fn letting(&self) -> Vec<String> {
        let one = |(n, party): (usize, &Party)| {
            let told = match self.scene.intent_of(party).and_then(|at| self.scene.intents.get(at as usize)) {
                Some(intent) => told(intent),
                None => String::new(),
            };
            let wants = self.scene.intent(party.client, party.intent, party.target);
            format!("{} = {wants}{told}", letter(n))
        };
        self.parties.iter().enumerate().map(one).collect()
    }

    fn is_ours(&self, at: usize) -> bool {
        let owner = self.scene.owner.get(at).copied().unwrap_or(NONE);
        let path = self.scene.intents.get(owner as usize).map(|intent| intent.path);
        path.is_some_and(|path| self.parties.iter().any(|party| party.path == path))
    }

    /// `A: ` before what happens to one of several parties.
    fn whose(&self, at: usize) -> String {
        match self.parties.len() {
            0 | 1 => String::new(),
            _ => format!("{}: ", self.owner_name(at)),
        }
    }

    fn owner_name(&self, at: usize) -> String {
        let owner = self.scene.owner.get(at).copied().unwrap_or(NONE);
        let path = self.scene.intents.get(owner as usize).map(|intent| intent.path);
        let known = self.parties.iter().position(|party| Some(party.path) == path);
        known.map_or_else(|| "somebody".into(), letter)
    }
}

/// What a client was told, to be put behind the name of an intent.
fn told(intent: &Intent) -> String {
    match &intent.told {
        None => ", never answered".into(),
        Some((Outcome::Ok, at, _)) => format!(", told ok at {}", moment(*at)),
        Some((Outcome::Failed, at, why)) => format!(", told failed ({why}) at {}", moment(*at)),
        Some((Outcome::Unknown, at, _)) if intent.was_told_unknown() => {
            format!(", told at {} that it is not known whether it is done", moment(*at))
        }
        Some((Outcome::Unknown, at, _)) => format!(", gives up without an answer at {}", moment(*at)),
    }
}

impl Story {
    /// The story as text for people, indented by two columns.
    pub fn render(&self, look: &Look) -> String {
        let mut out = String::new();
        let room = look.width.saturating_sub(10);
        let mut section = |title: &str, lines: Vec<(String, Tone)>| {
            for (n, (line, tone)) in lines.into_iter().enumerate() {
                let title = if n == 0 { title } else { "" };
                out.push_str(&format!(
                    "  {}{}\n",
                    look.paint(Tone::Strong, &format!("{title:<6}")),
                    look.paint(tone, &line)
                ));
            }
        };
        let plain = |lines: &[String]| -> Vec<(String, Tone)> {
            let lines = lines.iter().flat_map(|line| wrap(&look.plain(line), room));
            lines.map(|line| (line, Tone::Plain)).collect()
        };
        section("Let", plain(&self.letting));
        let widest =
            self.then.iter().filter_map(|event| event.at).map(|at| moment(at).len()).max().unwrap_or(0);
        let mut then = Vec::new();
        for event in &self.then {
            let time = event.at.map_or_else(|| look.sign(Sign::Gap).to_owned(), moment);
            let flag = if event.matters { look.sign(Sign::Flag) } else { "" };
            let indent = widest + 2 + columns_of(look.sign(Sign::Flag)) + 1;
            for (n, line) in
                wrap(&look.plain(&event.text), room.saturating_sub(indent)).into_iter().enumerate()
            {
                let (time, flag) = if n == 0 { (time.as_str(), flag) } else { ("", "") };
                let flag_room = columns_of(look.sign(Sign::Flag));
                let blanks = " ".repeat(flag_room.saturating_sub(columns_of(flag)));
                let pad = " ".repeat(widest.saturating_sub(columns_of(time)));
                let tone = if event.at.is_none() { Tone::Faint } else { Tone::Plain };
                then.push((format!("{pad}{time}  {flag}{blanks} {line}"), tone));
            }
        }
        section("Then", then);
        section("So", plain(&self.so));
        out
    }
}
