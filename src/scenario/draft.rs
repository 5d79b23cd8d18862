//! A scenario as a value: taken from a file, edited or put together, written out, and read.
//!
//! A draft says what its file would say. Reading one is reading that text by the one reader there is, so nothing can be
//! said in Rust that a file could not say, and a mistake is shown with line and column of the text as it would be
//! written out.

use std::fmt;
use std::io::{self, ErrorKind};
use std::path::Path;

use super::json::{Json, Object};
use super::load::{self, ReadFile, Rejected, read_from_disk};
use super::patch::merge_documents;
use super::read::{Scenario, read_draft};

/// A scenario file that stands for itself: what it `extends` is in it.
///
/// ```
/// # use halfway::scenario::Draft;
/// let mut draft = Draft::load("scenarios/order-saga.json")?.case("declined").unwrap();
/// draft.set("/weather/latency", "1ms..50ms");
/// let scenario = draft.read()?;
/// assert_eq!(scenario.cases[0].strategies[0].name, "as-written");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    name: String,
    json: Json,
}

impl Draft {
    /// An empty scenario. Its name is that of its file, without directories and ending.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Draft {
        Draft { name: name.into(), json: Object::new().into() }
    }

    /// The same as a value: what the file would hold.
    #[must_use]
    pub fn of(name: impl Into<String>, json: impl Into<Json>) -> Draft {
        Draft { name: name.into(), json: json.into() }
    }

    /// Takes in the file at `path`, with all it extends. Its cases stay what they are: patches.
    ///
    /// # Errors
    /// When a file cannot be read or is no JSON. Whether it makes sense is found out by [`Draft::read`].
    pub fn load(path: impl AsRef<Path>) -> Result<Draft, Box<Rejected>> {
        Draft::load_with(path, &mut read_from_disk)
    }

    /// As [`Draft::load`], from files that a function reads.
    ///
    /// # Errors
    /// As [`Draft::load`].
    pub fn load_with(path: impl AsRef<Path>, read_file: &mut ReadFile<'_>) -> Result<Draft, Box<Rejected>> {
        let path = path.as_ref();
        let node = load::whole(path, read_file)?;
        Ok(Draft { name: load::stem(path), json: Json::of(&node) })
    }

    /// Takes in the text of a scenario file, which extends nothing.
    ///
    /// # Errors
    /// When it is no JSON.
    pub fn parse(name: impl Into<String>, text: &str) -> Result<Draft, Box<Rejected>> {
        let name = name.into();
        let draft = Draft::load_with(file_name(&name), &mut only(&name, text.as_bytes()))?;
        Ok(Draft { name, ..draft })
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the file holds.
    #[must_use]
    pub fn json(&self) -> &Json {
        &self.json
    }

    /// What the file holds, to change it.
    pub fn json_mut(&mut self) -> &mut Json {
        &mut self.json
    }

    /// The value at a JSON pointer such as `/weather/faults/0`. See [`Json::get`].
    #[must_use]
    pub fn get(&self, pointer: &str) -> Option<&Json> {
        self.json.get(pointer)
    }

    /// Sets the value at a JSON pointer. See [`Json::set`].
    pub fn set(&mut self, pointer: &str, value: impl Into<Json>) -> Option<Json> {
        self.json.set(pointer, value)
    }

    /// Takes the value at a JSON pointer out. See [`Json::remove`].
    pub fn remove(&mut self, pointer: &str) -> Option<Json> {
        self.json.remove(pointer)
    }

    /// Lays a patch over it (JSON merge patch, RFC 7396), as a file that extends this one would.
    pub fn patch(&mut self, patch: impl Into<Json>) {
        let node = merge_documents(self.json.node(), &patch.into().node());
        self.json = Json::of(&node);
    }

    /// The names of its cases, without the file as written.
    pub fn cases(&self) -> impl Iterator<Item = &str> {
        self.get("/cases").and_then(Json::as_object).into_iter().flat_map(Object::keys)
    }

    /// The scenario as one case has it, without cases of its own; `None` if there is no such case.
    #[must_use]
    pub fn case(&self, name: &str) -> Option<Draft> {
        let patch = self.get("/cases").and_then(Json::as_object)?.get(name)?.clone();
        let mut draft = self.as_written();
        draft.patch(patch);
        Some(draft)
    }

    /// The scenario without its cases.
    #[must_use]
    pub fn as_written(&self) -> Draft {
        let mut draft = self.clone();
        draft.remove("/cases");
        draft
    }

    /// The text of the file. Read again, it gives an equal draft.
    #[must_use]
    pub fn text(&self) -> String {
        self.json.pretty()
    }

    /// Writes the file.
    ///
    /// # Errors
    /// When that cannot be done.
    pub fn save(&self, path: impl AsRef<Path>) -> io::Result<()> {
        std::fs::write(path, self.text())
    }

    /// Reads it: models, strategies, invariants, expectations.
    ///
    /// # Errors
    /// With all problems at once, in the text as it would be written out.
    pub fn read(&self) -> Result<Scenario, Box<Rejected>> {
        let text = self.text();
        read_draft(&self.name, Path::new(&file_name(&self.name)), &mut only(&self.name, text.as_bytes()))
    }
}

/// The text of the file.
impl fmt::Display for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

fn file_name(name: &str) -> String {
    format!("{name}.json")
}

/// Reads the draft's own text and nothing else: a draft stands for itself.
fn only<'t>(name: &str, text: &'t [u8]) -> impl FnMut(&Path) -> io::Result<Vec<u8>> + 't {
    let own = load::normalized(Path::new(&file_name(name)));
    move |path| if path == own { Ok(text.to_vec()) } else { Err(ErrorKind::NotFound.into()) }
}

#[cfg(test)]
#[path = "draft_tests.rs"]
mod tests;
