//! What is tested: a scenario under one strategy, whatever code of one's own it takes.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use crate::explore::{Course, Prepared, Run};
use crate::model::script::Deed;
use crate::report::Look;
use crate::report::telling::stories;
use crate::report::words::unknown;
use crate::scenario::json::{Json, Object};
use crate::scenario::{Draft, Scenario};

/// Puts code of one's own into a scenario that has been read: invariants, services, strategies.
type Dress = Arc<dyn Fn(Scenario) -> Result<Scenario, String> + Send + Sync>;

/// A scenario under one strategy.
#[derive(Clone)]
pub struct Subject {
    pub(super) draft: Draft,
    pub(super) strategy: String,
    pub(super) prepared: Arc<Prepared>,
    dress: Dress,
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject")
            .field("draft", &self.draft.name())
            .field("strategy", &self.strategy)
            .finish()
    }
}

/// Why there is nothing to test, or nothing to keep.
#[derive(Clone, PartialEq, Eq)]
pub struct Trouble(pub String);

/// As a person reads it: a test that returns it shows no more.
impl fmt::Debug for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Trouble {}

/// What a course breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The names of the invariants that are violated, in the order of the file.
    pub violated: Vec<String>,
    /// Those that cannot be decided, because something never ended.
    pub stuck: Vec<String>,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |names: &[String]| names.join(", ");
        match (self.violated.is_empty(), self.stuck.is_empty()) {
            (false, _) => write!(f, "violated: {}", list(&self.violated)),
            (true, false) => write!(f, "stuck: {}", list(&self.stuck)),
            (true, true) => f.write_str("nothing is broken"),
        }
    }
}

impl Subject {
    /// A strategy of a scenario as it is written, without its cases; for a case see [`Draft::case`].
    ///
    /// # Errors
    /// If the draft has mistakes, or does not have that strategy, or the strategy cannot be carried out.
    pub fn new(draft: &Draft, strategy: &str) -> Result<Subject, Trouble> {
        Subject::with_code(draft, strategy, Ok)
    }

    /// As [`Subject::new`], with code of one's own put into the scenario each time it is read.
    ///
    /// # Errors
    /// As [`Subject::new`], and what `dress` says.
    pub fn with_code(
        draft: &Draft,
        strategy: &str,
        dress: impl Fn(Scenario) -> Result<Scenario, String> + Send + Sync + 'static,
    ) -> Result<Subject, Trouble> {
        let draft = draft.as_written();
        let dress: Dress = Arc::new(dress);
        let prepared = Arc::new(prepare(&draft, strategy, &dress)?);
        Ok(Subject { draft, strategy: strategy.to_owned(), prepared, dress })
    }

    /// The strategy, ready to run.
    #[must_use]
    pub fn prepared(&self) -> &Prepared {
        &self.prepared
    }

    /// What is broken in a run.
    fn broken(&self, run: &Run) -> Broken {
        let all = || self.prepared.invariants.iter().zip(&run.verdict.invariants);
        let violated = all().filter(|(_, verdict)| verdict.violations > 0);
        let stuck = all().filter(|(_, verdict)| verdict.violations == 0 && verdict.stuck);
        let names = |of: &mut dyn Iterator<Item = String>| of.collect();
        Broken {
            violated: names(&mut violated.map(|(invariant, _)| invariant.name.clone())),
            stuck: names(&mut stuck.map(|(invariant, _)| invariant.name.clone())),
        }
    }

    /// Runs a course.
    ///
    /// # Errors
    /// What it violates. That something never ends is no error: not every run comes to rest.
    pub fn check(&self, course: &Course) -> Result<(), Broken> {
        match course.run(&self.prepared) {
            Some(run) if run.verdict.invariants.iter().any(|verdict| verdict.violations > 0) => {
                Err(self.broken(&run))
            }
            _ => Ok(()),
        }
    }

    /// What a course violates, as its file tells it: without what it breaks by the intents that it leaves out alone, and the
    /// names of such invariants. What stands in Rust cannot be taken out of a file, and stays.
    pub(super) fn told(&self, course: &Course) -> Result<(), (Broken, Vec<String>)> {
        let Err(mut broken) = self.check(course) else { return Ok(()) };
        let in_file = self.draft.get("/invariants").and_then(Json::as_object);
        let missed =
            course.misses(&self.prepared).into_iter().map(|at| self.prepared.invariants[at].name.clone());
        let missed: Vec<String> =
            missed.filter(|name| in_file.is_some_and(|known| known.get(name).is_some())).collect();
        if broken.violated.iter().all(|name| missed.contains(name)) {
            return Err((broken, Vec::new()));
        }
        broken.violated.retain(|name| !missed.contains(name));
        broken.stuck.retain(|name| !missed.contains(name));
        Err((broken, missed))
    }

    /// A course as a scenario file: the scenario under this strategy alone, with the course for its weather, and the
    /// violation expected. Invariants that are broken by the intents left out alone are left out, too. Read again it
    /// violates the same, or it is not returned.
    ///
    /// # Errors
    /// If the course violates nothing, or its file would not.
    pub fn write(&self, name: &str, course: &Course) -> Result<Draft, Trouble> {
        let course = course.written(&self.prepared).ok_or_else(|| Trouble("it cannot be run".into()))?;
        let Err((broken, missed)) = self.told(&course) else {
            return Err(Trouble("nothing is broken".into()));
        };
        let mut long = self.laid_out(name, &course, &broken);
        if let Some(invariants) = long.json_mut().get_mut("/invariants").and_then(Json::as_object_mut) {
            missed.iter().for_each(|name| _ = invariants.remove(name));
        }
        let short = folded(&long, &self.prepared, &course);
        let mut why = Trouble(String::new());
        for draft in [short, long] {
            // The file is judged as it will be read, not as it was meant.
            match self.replay(&draft) {
                Ok(again) if again.violated == broken.violated => return Ok(draft),
                Ok(again) => why = Trouble(format!("{broken}; but of its file, {again}")),
                Err(trouble) => why = trouble,
            }
        }
        Err(why)
    }

    /// Runs a file that [`Subject::write`] made.
    ///
    /// # Errors
    /// If it cannot be read any more, for instance because the scenario has changed.
    pub fn replay(&self, draft: &Draft) -> Result<Broken, Trouble> {
        let prepared = prepare(draft, &self.strategy, &self.dress)?;
        let run = prepared.bench().map(|mut bench| bench.run(0));
        let run = run.ok_or_else(|| Trouble("it cannot be run".into()))?;
        let subject = Subject { prepared: Arc::new(prepared), ..self.clone() };
        Ok(subject.broken(&run))
    }

    /// What happens in a file that [`Subject::write`] made, if it takes code in Rust: the command cannot show it.
    pub(super) fn story(&self, draft: &Draft) -> Option<String> {
        let scenario = (self.dress)(draft.read().ok()?).ok()?;
        if scenario.is_plain() {
            return None;
        }
        let prepared = prepare(draft, &self.strategy, &self.dress).ok()?;
        let replay = prepared.replay(0)?;
        let verdicts = replay.run.verdict.invariants.iter().enumerate();
        let violated: Vec<usize> = verdicts.filter(|(_, one)| one.violations > 0).map(|(at, _)| at).collect();
        Some(stories(&prepared, &replay, &violated, ("", true), &Look::default()))
    }

    /// The file with this strategy alone, its rewrites carried out, and nothing expected of it.
    pub(super) fn alone(&self) -> Draft {
        let mut draft = self.draft.clone();
        let strategies = draft.get("/strategies").and_then(Json::as_object).cloned().unwrap_or_default();
        let mut only = Object::new();
        for name in self.chain(&strategies) {
            let Some(mut strategy) = strategies.get(&name).cloned() else { continue };
            // Names in the script are those of what is run.
            if let Some(rewrite) = strategy.remove("/rewrite") {
                draft.patch(rewrite);
            }
            only.set(name, strategy);
        }
        draft.set("/strategies", only);
        draft.remove("/expect");
        draft.remove("/allow");
        draft
    }

    /// The strategies that this one rests on and itself, what is extended before what extends it.
    fn chain(&self, strategies: &Object) -> Vec<String> {
        let mut chain = vec!["*".to_owned()];
        let mut name = self.strategy.clone();
        let mut above = Vec::new();
        while !above.contains(&name) {
            above.push(name.clone());
            let extends = strategies.get(&name).and_then(|strategy| strategy.get("/extends"));
            let Some(extends) = extends.and_then(Json::as_text) else { break };
            name = extends.to_owned();
        }
        chain.extend(above.into_iter().rev());
        chain
    }

    fn laid_out(&self, name: &str, course: &Course, broken: &Broken) -> Draft {
        let mut draft = Draft::of(name, self.alone().json().clone());
        let size = course.size(&self.prepared).unwrap_or_default();
        let many = |n: u64, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
        draft.set(
            "/about",
            format!(
                "{} under {} of {}, by {} and {}.",
                broken,
                self.strategy,
                self.draft.name(),
                many(size.intents, "intent"),
                many(size.faults, "fault")
            ),
        );
        for gone in ["/weather/faults", "/weather/swarm", "/weather/rest"] {
            draft.remove(gone);
        }
        draft.set("/seeds", 1);
        draft.set("/weather/seed", course.seed as i64);
        draft.set("/weather/script", in_order(course.lines().map(str::to_owned)));
        let mut expected = Object::new();
        // A file cannot name what stands in Rust.
        let in_file = draft.get("/invariants").and_then(Json::as_object).cloned().unwrap_or_default();
        for invariant in broken.violated.iter().filter(|name| in_file.get(name).is_some()) {
            expected.set(invariant.as_str(), "violated");
        }
        draft.set("/expect", Object::new().with(self.strategy.as_str(), expected));
        draft
    }
}

fn prepare(draft: &Draft, strategy: &str, dress: &Dress) -> Result<Prepared, Trouble> {
    let scenario = draft.read().map_err(|rejected| Trouble(rejected.to_string()))?;
    let scenario = dress(scenario).map_err(Trouble)?;
    let case = scenario.cases.iter().find(|case| case.name.is_none());
    let found = case.and_then(|case| case.strategies.iter().find(|known| known.name == strategy));
    let found = found.ok_or_else(|| {
        let known = case.into_iter().flat_map(|case| &case.strategies).map(|known| known.name.clone());
        let known: Vec<String> = known.collect();
        Trouble(format!("{}: {}", draft.name(), unknown("strategy", strategy, &known)))
    })?;
    let prepared = Prepared::of(found);
    if let Err(reasons) = &prepared.plan {
        let why: Vec<&str> = reasons.iter().map(|reason| reason.why.as_str()).collect();
        return Err(Trouble(format!("{strategy} cannot carry this out: {}", why.join("; "))));
    }
    Ok(prepared)
}

/// The same with as many clients and intents as there still are, where those left out are the last ones.
fn folded(draft: &Draft, prepared: &Prepared, course: &Course) -> Draft {
    let mut draft = draft.clone();
    let model = &prepared.model;
    let script = course.script.as_deref().unwrap_or(&[]);
    let out: BTreeSet<&str> = script
        .iter()
        .filter(|decision| decision.deed == Deed::LeftOut)
        .filter_map(|decision| decision.line.strip_suffix(" = none"))
        .collect();
    let mut gone: BTreeSet<String> = BTreeSet::new();
    let mut renamed: Vec<(String, String)> = Vec::new();
    for (at, group) in model.groups.iter().enumerate() {
        let intents = if group.script.is_empty() { group.intents } else { group.script.len() as u32 };
        let name = |client: u32, intent: u32| {
            let client = crate::model::name::Name::client(model, at, client);
            client.child(crate::kernel::path::Role::Intent, intent, None).text
        };
        let stays = |client: u32, intent: u32| !out.contains(name(client, intent).as_str());
        let clients = (0..group.count).rev().find(|&client| (0..intents).any(|intent| stays(client, intent)));
        let last = (0..intents).rev().find(|&intent| (0..group.count).any(|client| stays(client, intent)));
        let (clients, last) = (clients.map_or(1, |n| n + 1), last.map_or(1, |n| n + 1));
        for client in 0..group.count {
            for intent in 0..intents {
                if client >= clients || intent >= last {
                    gone.insert(format!("{} = none", name(client, intent)));
                }
            }
        }
        let pointer = format!("/clients/{}", group.name);
        if clients < group.count {
            draft.set(&format!("{pointer}/count"), i64::from(clients));
            if clients == 1 {
                // An only client has no number.
                renamed.push((format!("{}#1", group.name), group.name.clone()));
            }
        }
        if last < intents {
            match draft.get(&format!("{pointer}/script")).and_then(Json::as_list) {
                Some(list) => {
                    let list = list[..list.len().min(last as usize)].to_vec();
                    draft.set(&format!("{pointer}/script"), Json::List(list));
                }
                None => {
                    draft.set(&format!("{pointer}/intents"), i64::from(last));
                }
            }
        }
    }
    let lines = course.lines().filter(|line| !gone.contains(*line)).map(|line| {
        let new = renamed.iter().find_map(|(old, new)| {
            let rest = line.strip_prefix(old.as_str())?;
            (!rest.starts_with(|c: char| c.is_ascii_digit())).then(|| format!("{new}{rest}"))
        });
        new.unwrap_or_else(|| line.to_owned())
    });
    draft.set("/weather/script", in_order(lines));
    draft
}

/// First what happens, as it came; then what is left out, by name.
fn in_order(lines: impl Iterator<Item = String>) -> Json {
    let (mut out, mut all): (Vec<String>, Vec<String>) = lines.partition(|line| line.ends_with(" = none"));
    out.sort_by_key(|line| (line.len(), line.clone()));
    all.append(&mut out);
    Json::List(all.into_iter().map(Json::from).collect())
}
