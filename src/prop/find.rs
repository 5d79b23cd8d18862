//! Looks for a course that breaks something, shrinks it and keeps it as a scenario file; what broke before runs first.

use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

use proptest::test_runner::{
    Config as ProptestConfig, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner,
};

use super::subject::{Broken, Subject, Trouble};
use super::tree::{Courses, courses};
use crate::explore::{Course, Size, show_panics_once};
use crate::report::words::shell;
use crate::scenario::Draft;
use crate::scenario::json::Json;

/// How to look.
#[derive(Clone, Debug)]
pub struct Config {
    /// How many courses are tried.
    pub cases: u32,
    /// How many smaller ones are tried once one breaks.
    pub shrink: u32,
    /// Where files are kept; `None`: nowhere.
    pub dir: Option<PathBuf>,
    /// The name of the file, without directories and ending; `None`: of scenario and strategy.
    pub name: Option<String>,
    /// Decides which courses are tried: the same look gives the same find.
    pub seed: u64,
}

impl Default for Config {
    fn default() -> Config {
        Config { cases: 256, shrink: 4096, dir: None, name: None, seed: 0 }
    }
}

impl Config {
    /// Files are kept in this directory and run first.
    #[must_use]
    pub fn kept_in(mut self, dir: impl Into<PathBuf>) -> Config {
        self.dir = Some(dir.into());
        self
    }

    /// The name of the file.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Config {
        self.name = Some(name.into());
        self
    }
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// What breaks.
    pub broken: Broken,
    /// The scenario that breaks it, as it is kept.
    pub draft: Draft,
    /// Where it is kept, if it is.
    pub file: Option<PathBuf>,
    /// The course found just now, as it was and shrunk; `None`: a file that was kept still breaks.
    pub fresh: Option<Shrunk>,
    /// What happens, told: of a scenario with code in Rust, which no command can show again.
    pub story: Option<String>,
}

/// What breaks, by what, where it is kept, and the command that shows it again.
impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What a kept file says of itself begins with what it breaks.
        let about = self.draft.get("/about").and_then(Json::as_text).unwrap_or_default();
        let broken = self.broken.to_string();
        writeln!(f, "{}", if about.starts_with(&broken) { about } else { &broken })?;
        let seed = match self.draft.get("/weather/seed") {
            Some(Json::Number(seed)) => seed,
            _ => "0",
        };
        let script = self.draft.get("/weather/script").and_then(Json::as_list).unwrap_or_default();
        writeln!(f, "  seed {seed}, {}", if script.is_empty() { "calm" } else { "and by name:" })?;
        for line in script {
            writeln!(f, "    {}", line.as_text().unwrap_or_default())?;
        }
        let strategy = self.draft.get("/expect").and_then(Json::as_object).and_then(|of| of.keys().next());
        let strategy = strategy.map(|name| format!(" --strategy {}", shell(name))).unwrap_or_default();
        let found = if self.fresh.is_some() { "kept as" } else { "found as it was kept, in" };
        if let Some(story) = &self.story {
            match &self.file {
                Some(file) => writeln!(f, "  {found} {}, which runs first from now on", file.display())?,
                None => writeln!(f, "  kept nowhere, for want of `Config::kept_in`")?,
            }
            write!(
                f,
                "  its code in Rust is in no file, so that the command cannot show it; what happens:\n\n{story}"
            )?;
            return Ok(());
        }
        match &self.file {
            Some(file) => {
                let path = file.display().to_string();
                writeln!(f, "  {found} {path}, which runs first from now on; to see it:")?;
                write!(f, "    halfway replay {}{strategy}", shell(&path))
            }
            None => {
                writeln!(
                    f,
                    "  kept nowhere, for want of `Config::kept_in`; `found.draft.save(\"found.json\")`, then:"
                )?;
                write!(f, "    halfway replay found.json{strategy}")
            }
        }
    }
}

/// A course before and after shrinking.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// The smallest course.
    pub course: Course,
    /// How large the first one was.
    pub before: Size,
    /// How large it is.
    pub after: Size,
}

/// Looks for a course of a subject that violates an invariant: among the files kept in the directory first, then among
/// [`courses`] of the scenario's own weather. What is found is shrunk and, if there is a directory, written there whole or
/// not at all. `None`: nothing was found.
///
/// ```
/// # use halfway::{Draft, prop::{Config, Subject, find}};
/// let draft = Draft::load("scenarios/payment-lost-ack.json")?;
/// let subject = Subject::new(&draft, "naive")?;
/// let found = find(&subject, &Config::default())?.expect("naive charges twice");
/// let size = found.fresh.unwrap().after;
/// assert!(size.intents <= 1 && size.faults <= 1, "{size:?}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If a file cannot be read or written, or a kept file is no scenario any more.
pub fn find(subject: &Subject, config: &Config) -> Result<Option<Found>, Trouble> {
    find_among(&courses(subject), subject, config)
}

/// As [`find`], among courses of another making.
///
/// # Errors
/// As [`find`].
pub fn find_among(strategy: &Courses, subject: &Subject, config: &Config) -> Result<Option<Found>, Trouble> {
    show_panics_once();
    if let Some(dir) = &config.dir
        && let Some(found) = kept(subject, dir)?
    {
        return Ok(Some(found));
    }
    let Some(shrunk) = shrunk(strategy, subject, config) else { return Ok(None) };
    let Err((broken, _)) = subject.told(&shrunk.course) else { return Ok(None) };
    let name = config.name.clone().unwrap_or_else(|| file_name(subject));
    let draft = subject.write(&name, &shrunk.course)?;
    let file = match &config.dir {
        Some(dir) => Some(save(&draft, dir, &name).map_err(|error| trouble(dir, &error))?),
        None => None,
    };
    let story = subject.story(&draft);
    Ok(Some(Found { broken, draft, file, fresh: Some(shrunk), story }))
}

/// The first course that breaks something, as small as can be.
fn shrunk(strategy: &Courses, subject: &Subject, config: &Config) -> Option<Shrunk> {
    let settings = ProptestConfig {
        cases: config.cases,
        max_shrink_iters: config.shrink,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&config.seed.to_le_bytes());
    let mut runner = TestRunner::new_with_rng(settings, TestRng::from_seed(RngAlgorithm::ChaCha, &seed));
    let mut first: Option<(Course, Broken)> = None;
    let cell = std::cell::RefCell::new(&mut first);
    let result = runner.run(strategy, |course| {
        let Err(broken) = subject.check(&course) else { return Ok(()) };
        let mut first = cell.borrow_mut();
        // It must stay the same thing that breaks, or one story becomes another.
        let (_, wanted) = first.get_or_insert_with(|| (course, broken.clone()));
        if wanted.violated.iter().any(|name| broken.violated.contains(name)) {
            return Err(TestCaseError::fail(broken.to_string()));
        }
        Ok(())
    });
    let Err(TestError::Fail(_, course)) = result else { return None };
    let before = first?.0.size(&subject.prepared)?;
    let after = course.size(&subject.prepared)?;
    Some(Shrunk { course, before, after })
}

/// The first of the kept files of this subject that still breaks something.
fn kept(subject: &Subject, dir: &Path) -> Result<Option<Found>, Trouble> {
    let mut files: Vec<PathBuf> = match fs::read_dir(dir) {
        Ok(entries) => entries.filter_map(Result::ok).map(|entry| entry.path()).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(trouble(dir, &error)),
    };
    files.retain(|path| path.extension().is_some_and(|ending| ending == "json"));
    files.sort();
    for file in files {
        let draft = Draft::load(&file).map_err(|rejected| Trouble(rejected.to_string()))?;
        // Other tests may keep theirs here, too.
        let about = draft.get("/about").and_then(|about| about.as_text()).unwrap_or("");
        if !about.contains(&format!("under {} of {},", subject.strategy, subject.draft.name())) {
            continue;
        }
        let broken = subject.replay(&draft)?;
        if !broken.violated.is_empty() {
            let story = subject.story(&draft);
            return Ok(Some(Found { broken, draft, file: Some(file), fresh: None, story }));
        }
    }
    Ok(None)
}

fn file_name(subject: &Subject) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    format!("{}-{}", subject.draft.name(), subject.strategy).chars().map(plain).collect()
}

/// Writes a file beside its place and moves it there, so that nobody finds half of it.
fn save(draft: &Draft, dir: &Path, name: &str) -> io::Result<PathBuf> {
    fs::create_dir_all(dir)?;
    let path = dir.join(format!("{name}.json"));
    let half = dir.join(format!("{name}.json.part"));
    draft.save(&half)?;
    fs::rename(&half, &path).inspect_err(|_| {
        let _ = fs::remove_file(&half);
    })?;
    Ok(path)
}

fn trouble(path: &Path, error: &io::Error) -> Trouble {
    Trouble(format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::own::{Ended, Notes, Watch};

    #[derive(Clone)]
    struct Content;

    impl Watch for Content {
        fn ended(&mut self, intent: &mut Ended<'_, '_>, notes: &mut Notes) {
            if intent.told != Some(crate::model::record::Outcome::Ok) {
                notes.violated("somebody is not content.", []);
            }
        }
    }

    const SHOP: &str = r#"{
      "services": { "shop": { "tables": { "t": {} }, "operations": { "buy": { "insert": { "t[]": { "n": 1 } } } } } },
      "clients": { "c": { "does": "shop.buy()" } },
      "weather": { "faults": [ { "lose": "reply shop.buy", "chance": "50%" } ] },
      "strategies": { "naive": { "retry": { "timeout": "20ms", "attempts": 1 } } },
      "invariants": { "told": { "per_intent": "intent.outcome == 'ok'" } }
    }"#;

    #[test]
    fn what_takes_code_in_rust_is_told_and_no_command_is_promised() {
        let draft = Draft::parse("shop", SHOP).unwrap();
        let plain = find(&Subject::new(&draft, "naive").unwrap(), &Config::default()).unwrap().unwrap();
        assert!(plain.to_string().contains("halfway replay found.json --strategy naive"), "{plain}");
        assert_eq!(plain.story, None);
        let dress = |scenario: crate::Scenario| {
            scenario.with_invariant("content", Content).map_err(|misfit| misfit.to_string())
        };
        let subject = Subject::with_code(&draft, "naive", dress).unwrap();
        let found = find(&subject, &Config::default()).unwrap().unwrap().to_string();
        assert!(!found.contains("halfway replay"), "{found}");
        assert!(found.contains("content is broken") && found.contains("somebody is not content."), "{found}");
    }
}
