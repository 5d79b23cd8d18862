//! From a course that breaks something to a small one that still does: fewer intents, fewer faults, shorter times.
//!
//! Whoever shrinks is asked for the next course to try and told whether it still breaks. Because decisions go by name,
//! taking one out moves no other; so chunks are taken out, then halves of them, down to single ones (delta debugging:
//! Zeller and Hildebrandt, 2002, without its complements), until nothing can be spared.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::course::{Course, intents, left_out};
use super::prepared::{Prepared, Run};
use super::trim::{length, lines, moved, rounded, with_length, without, without_intents};
use crate::kernel::choose::Ask;
use crate::kernel::path::Path;
use crate::kernel::script::Matter;
use crate::kernel::time::{Span, Time};
use crate::model::name::Name;
use crate::model::plan::Plan;
use crate::model::record::{Kind, Record};
use crate::model::script::{Decision, Deed};
use crate::store::{Sink, Tables};

/// What is made smaller, in this order, again and again until a whole round brings nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pass {
    /// What the weather brought is written down.
    Write,
    /// No time but the shortest.
    Calm,
    /// Intents are left out.
    Intents,
    /// Faults are taken out.
    Faults,
    /// Times become the shortest, one by one.
    Times,
    /// Times become shorter.
    Shorter,
    /// Intents take the place of earlier ones that were left out, and their names.
    Earlier,
    /// Ties, arguments and routes are those of seed 0.
    Seed,
}

const PASSES: [Pass; 8] = [
    Pass::Write,
    Pass::Calm,
    Pass::Intents,
    Pass::Faults,
    Pass::Times,
    Pass::Shorter,
    Pass::Earlier,
    Pass::Seed,
];

/// The most rounds through all passes.
const MOST_ROUNDS: u32 = 6;

/// The most places that are tried for one intent.
const MOST_PLACES: usize = 12;

/// Shrinks one course.
#[derive(Clone, Debug)]
pub struct Shrinker {
    prepared: Arc<Prepared>,
    intents: Arc<Vec<Name>>,
    /// What the first course violates, asked for when it matters.
    wanted: Option<Vec<usize>>,
    best: Course,
    /// What the best breaks by the intents that it leaves out alone.
    missed: Vec<usize>,
    tried: Option<Course>,
    /// The same of the one that is tried.
    tried_missed: Vec<usize>,
    pass: usize,
    /// How many are taken out at a time; 0 before the first.
    chunk: usize,
    at: usize,
    /// Intents left out take the time that they took.
    held: bool,
    improved: bool,
    rounds: u32,
}

impl Shrinker {
    /// Shrinks a course that breaks something.
    #[must_use]
    pub fn new(prepared: Arc<Prepared>, course: Course) -> Shrinker {
        let intents = Arc::new(intents(&prepared.model));
        Shrinker {
            prepared,
            intents,
            wanted: None,
            best: course,
            missed: Vec::new(),
            tried: None,
            tried_missed: Vec::new(),
            pass: 0,
            chunk: 0,
            at: 0,
            held: false,
            improved: false,
            rounds: 0,
        }
    }

    /// The smallest course so far that breaks it.
    #[must_use]
    pub fn best(&self) -> &Course {
        &self.best
    }

    /// The course that is being tried, or the best.
    #[must_use]
    pub fn current(&self) -> &Course {
        self.tried.as_ref().unwrap_or(&self.best)
    }

    /// The course last tried still breaks: it is the best now.
    pub fn still_breaks(&mut self) {
        let Some(tried) = self.tried.take() else { return };
        self.best = tried;
        self.missed = std::mem::take(&mut self.tried_missed);
        self.improved = true;
        self.held = false;
        self.prune();
        if matches!(PASSES[self.pass], Pass::Shorter | Pass::Earlier) {
            self.chunk = 0;
        }
    }

    /// The course last tried breaks no more: it is forgotten.
    pub fn breaks_no_more(&mut self) {
        if self.tried.take().is_none() {
            return;
        }
        match PASSES[self.pass] {
            // Half as long did not do; then rounded down; then the next one.
            Pass::Shorter if self.chunk == 0 => self.chunk = 1,
            Pass::Shorter => (self.chunk, self.at) = (0, self.at + 1),
            Pass::Write | Pass::Calm | Pass::Seed => self.at = 1,
            Pass::Earlier => self.chunk += 1,
            // Without them the others begin earlier; perhaps that was it.
            Pass::Intents if !self.held => self.held = true,
            Pass::Intents => (self.held, self.at) = (false, self.at + self.chunk),
            _ => self.at += self.chunk,
        }
    }

    /// The next course to try; `None` if it cannot be made smaller.
    pub fn propose(&mut self) -> Option<&Course> {
        loop {
            if let Some(course) = self.candidate() {
                let empty = !self.says_something(&course);
                self.tried = Some(course);
                if empty {
                    self.breaks_no_more();
                    continue;
                }
                return self.tried.as_ref();
            }
            (self.chunk, self.at) = (0, 0);
            self.pass += 1;
            if self.pass == PASSES.len() {
                self.rounds += 1;
                if !std::mem::take(&mut self.improved) || self.rounds == MOST_ROUNDS {
                    self.pass -= 1;
                    self.at = usize::MAX;
                    return None;
                }
                self.pass = 1;
            }
        }
    }

    /// Whether leaving intents out is not all that breaks it: that both edits are there says nothing where one was never
    /// made. What the first course violates must be violated otherwise, too.
    fn says_something(&mut self, course: &Course) -> bool {
        if PASSES[self.pass] != Pass::Intents && self.missed.is_empty() {
            self.tried_missed.clear();
            return true;
        }
        self.tried_missed = course.misses(&self.prepared);
        if self.tried_missed.is_empty() {
            return true;
        }
        if self.wanted.is_none() {
            // Nothing has been left out yet that would break anything: the best is what the first was.
            self.wanted = Some(violated(self.best.run(&self.prepared)));
        }
        let wanted = self.wanted.as_deref().unwrap_or_default();
        if wanted.iter().all(|one| self.tried_missed.contains(one)) {
            return false;
        }
        let broken = violated(course.run(&self.prepared));
        broken.iter().any(|one| wanted.contains(one) && !self.tried_missed.contains(one))
    }

    /// Pauses in place of intents, as long as these took, so that those after them begin when they did.
    fn pauses(&self, script: &[Decision], gone: &[Name]) -> Vec<Decision> {
        let mut begun = Begun::default();
        if let Some(mut bench) = self.best.over(&self.prepared).bench() {
            bench.run_with(self.best.seed, &mut begun);
        }
        let gap = |path: Path| {
            let what = Some(Matter::from(Ask::Gap));
            let decided = script.iter().find(|one| one.path == path && one.deed.matter() == what);
            decided.and_then(|one| length(&one.deed)).unwrap_or_default()
        };
        let mut pauses = Vec::new();
        for (at, name) in self.intents.iter().enumerate() {
            let (Some(begin), true) = (begun.0.get(&name.path), gone.contains(name)) else { continue };
            // The next one of the same client that began, and the pauses of those left out between.
            let same = |other: &&Name| client_of(&other.text) == client_of(&name.text);
            let mut between = Span::ZERO;
            for next in self.intents[at + 1..].iter().take_while(same) {
                if let Some(then) = begun.0.get(&next.path) {
                    let pause = then.since(*begin).saturating_sub(between);
                    if !pause.is_zero() {
                        let deed = Deed::Answer(Ask::Gap, pause.0);
                        let line = deed.line(&name.text, &self.prepared.model);
                        pauses.push(Decision { line, path: name.path, deed });
                    }
                    break;
                }
                between = between.saturating_add(gap(next.path));
            }
        }
        pauses
    }

    /// What nothing asks for can go without being tried.
    fn prune(&mut self) {
        let Some(script) = &self.best.script else { return };
        let Some(run) = self.best.run(&self.prepared) else { return };
        let gone: BTreeSet<usize> = run.unasked.into_iter().collect();
        let kept = script
            .iter()
            .enumerate()
            .filter(|(line, decision)| !gone.contains(line) || matches!(decision.deed, Deed::LeftOut));
        self.best.script = Some(kept.map(|(_, decision)| decision.clone()).collect());
    }

    fn candidate(&mut self) -> Option<Course> {
        if self.at == usize::MAX {
            return None;
        }
        let seed = self.best.seed;
        let with = |script: Vec<Decision>| Some(Course { seed, script: Some(script) });
        let pass = PASSES[self.pass];
        if matches!(pass, Pass::Write | Pass::Calm | Pass::Seed) && self.at > 0 {
            return None;
        }
        if pass == Pass::Write {
            if self.best.script.is_some() {
                return None;
            }
            return self.best.written(&self.prepared);
        }
        let script = &self.best.script.clone()?;
        match pass {
            Pass::Write => None,
            Pass::Calm => {
                let calm: Vec<Decision> =
                    script.iter().filter(|decision| !decision.deed.is_time()).cloned().collect();
                if calm.len() == script.len() { None } else { with(calm) }
            }
            Pass::Intents => {
                let out = left_out(script);
                let here: Vec<Name> =
                    self.intents.iter().rev().filter(|name| !out.contains(&name.path)).cloned().collect();
                // Without any there is nothing to break.
                let gone = self.part(here.len(), here.len().div_ceil(2))?;
                let gone = &here[gone];
                let mut kept = without_intents(script, gone);
                if self.held {
                    kept.extend(self.pauses(script, gone));
                }
                with(kept)
            }
            Pass::Faults => {
                let faults = lines(script, Deed::is_fault);
                let gone = self.part(faults.len(), faults.len())?;
                with(without(script, &faults[gone]))
            }
            Pass::Times => {
                let times = lines(script, Deed::is_time);
                let gone = self.part(times.len(), times.len())?;
                with(without(script, &times[gone]))
            }
            Pass::Shorter => {
                while let Some(decision) = script.get(self.at) {
                    let now = length(&decision.deed);
                    let shorter = now.map(|now| match self.chunk {
                        0 if now.0 >= 2_000_000 => rounded(Span(now.0 / 2)),
                        _ => rounded(now),
                    });
                    if let (Some(now), Some(shorter)) = (now, shorter)
                        && shorter < now
                        && !shorter.is_zero()
                    {
                        let mut script = script.clone();
                        script[self.at] = with_length(decision, shorter, &self.prepared);
                        return with(script);
                    }
                    (self.chunk, self.at) = (0, self.at + 1);
                }
                None
            }
            Pass::Earlier => {
                let out = left_out(script);
                let stay: Vec<&Name> = self.intents.iter().filter(|name| !out.contains(&name.path)).collect();
                while let Some(&name) = stay.get(self.at) {
                    let before = self.intents.iter().take_while(|other| *other != name);
                    let group = |name: &Name| name.text.split(['#', '.']).next().map(str::to_owned);
                    let mut free =
                        before.filter(|other| out.contains(&other.path) && group(other) == group(name));
                    if self.chunk < MOST_PLACES
                        && let Some(free) = free.nth(self.chunk)
                        && let Some(script) = moved(script, name, free, &self.prepared.model)
                    {
                        return with(script);
                    }
                    (self.chunk, self.at) = (0, self.at + 1);
                }
                None
            }
            Pass::Seed => (seed != 0).then(|| Course { seed: 0, script: Some(script.clone()) }),
        }
    }

    /// The next chunk of so many, first of `most`.
    fn part(&mut self, len: usize, most: usize) -> Option<std::ops::Range<usize>> {
        if len == 0 {
            return None;
        }
        if self.chunk == 0 {
            self.chunk = most.max(1);
        }
        if self.at >= len {
            (self.chunk, self.at) = (self.chunk.min(len) / 2, 0);
            if self.chunk == 0 {
                return None;
            }
        }
        Some(self.at..len.min(self.at + self.chunk))
    }
}

/// The invariants that a run violates.
fn violated(run: Option<Run>) -> Vec<usize> {
    let verdicts = run.map(|run| run.verdict.invariants).unwrap_or_default();
    verdicts.iter().enumerate().filter(|(_, one)| one.violations > 0).map(|(at, _)| at).collect()
}

impl Course {
    /// The invariants that it breaks by the intents that it leaves out alone, by number: one after the other and in calm
    /// weather, the others violate them, and all together do not.
    #[must_use]
    pub fn misses(&self, prepared: &Prepared) -> Vec<usize> {
        let script = self.script.iter().flatten();
        let out: Vec<Decision> = script.filter(|one| one.deed == Deed::LeftOut).cloned().collect();
        if out.is_empty() {
            return Vec::new();
        }
        let some = broken_in_turn(prepared, &out, self.seed);
        if some.is_empty() {
            return some;
        }
        let all = broken_in_turn(prepared, &[], self.seed);
        some.into_iter().filter(|one| !all.contains(one)).collect()
    }
}

/// What the intents that are not left out violate one after the other, in calm weather.
fn broken_in_turn(prepared: &Prepared, out: &[Decision], seed: u64) -> Vec<usize> {
    let calm = prepared.scripted(out, true, seed);
    let Ok(plan) = calm.plan.clone() else { return Vec::new() };
    let calm = calm.with_plan(Plan { serial: true, ..plan });
    violated(calm.bench().map(|mut bench| bench.run(seed)))
}

/// When intents began.
#[derive(Default)]
struct Begun(BTreeMap<Path, Time>);

impl Sink for Begun {
    fn record(&mut self, record: &Record, _tables: &mut Tables) {
        if record.kind == Kind::Invoke {
            self.0.insert(record.path, record.at);
        }
    }
}

/// The client in the name of an intent.
fn client_of(intent: &str) -> &str {
    intent.rsplit_once('.').map_or(intent, |(client, _)| client)
}
