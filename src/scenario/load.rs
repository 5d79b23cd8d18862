//! From the path of a scenario to its documents: the file with all it extends, and one document for each case.
//!
//! Files are read by a function the caller gives, so that nothing here touches a disk. Everything a person can do
//! wrong on the way ends in problems with their places. What the documents mean is decided further up.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::io::{self, ErrorKind};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::code::Code;
use super::parse::{MOST_VALUES, parse};
use super::patch::merge_documents;
use super::problem::{Problem, Problems, quote};
use super::render;
use super::source::{Place, Sources};
use super::tree::{Entry, Kind, Node, Text};

/// The texts of all files of one scenario together, in bytes, at most.
pub const MOST_BYTES: usize = 8 << 20;

/// Files extending each other in a row, at most.
const LONGEST_CHAIN: usize = 16;

/// Files of one scenario, at most.
const MOST_FILES: usize = 64;

/// Values in all documents of one scenario together, and values handled while they were put together.
const MOST_LAID_OUT: usize = 2 * MOST_VALUES;

/// Reads the bytes of a file.
pub type ReadFile<'f> = dyn FnMut(&Path) -> io::Result<Vec<u8>> + 'f;

/// A scenario's documents, ready to be understood.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The texts that all places lie in; the file asked for is number 0.
    pub sources: Sources,
    /// The file as written (with what it extends), then each case, in order. Never empty.
    pub documents: Vec<Document>,
    /// What was noticed on the way. There may be errors among them; then the documents are good for checking on, but
    /// not for running.
    pub problems: Problems,
}

/// One document: an object without `extends` and `cases`.
#[derive(Clone, Debug)]
pub struct Document {
    /// The case; `None` for the file as written.
    pub case: Option<Text>,
    /// The object.
    pub node: Node,
}

/// A scenario with errors. As an error of a test or of `main` it prints as the command would: each problem with its
/// place and what to do about it.
#[derive(Clone)]
pub struct Rejected {
    /// The texts that all places lie in.
    pub sources: Sources,
    /// Why; at least one error.
    pub problems: Problems,
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&render::text(&self.problems, &self.sources, render::Look::Plain))
    }
}

/// The same text, since that is what a test or `main` that returns it prints.
impl fmt::Debug for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the scenario cannot be read\n{self}")
    }
}

impl Error for Rejected {}

/// Reads the file at `path`, what it extends, and lays out its cases.
///
/// # Errors
/// When a file cannot be read or a document cannot be made out. Slips whose meaning is beyond doubt are among the
/// problems of [`Loaded`] instead.
pub fn load(path: &Path, read: &mut ReadFile<'_>) -> Result<Loaded, Box<Rejected>> {
    counted(path, read).0
}

/// The same, with the number of values copied.
fn counted(path: &Path, read: &mut ReadFile<'_>) -> (Result<Loaded, Box<Rejected>>, usize) {
    let mut loader = Loader::new(read);
    let documents = loader.file(path, None, &mut Vec::new()).map(|whole| loader.lay_out(whole));
    let Loader { sources, problems, handled, .. } = loader;
    let loaded = match documents {
        Some(Some(documents)) => Ok(Loaded { sources, documents, problems }),
        _ => Err(Box::new(Rejected { sources, problems })),
    };
    (loaded, handled)
}

/// The file at `path` with all it extends, its cases still in it.
///
/// # Errors
/// When a file cannot be read, or there is an error in the text of one.
pub(super) fn whole(path: &Path, read: &mut ReadFile<'_>) -> Result<Node, Box<Rejected>> {
    let mut loader = Loader::new(read);
    let node = loader.file(path, None, &mut Vec::new());
    let Loader { sources, problems, .. } = loader;
    match node {
        Some(node) if !problems.has_errors() => Ok(node),
        _ => Err(Box::new(Rejected { sources, problems })),
    }
}

/// The name of a scenario: that of its file without directories and ending.
pub(super) fn stem(path: &Path) -> String {
    path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Reads a file from the disk for [`load`]; of one that is too large anyway, no more than shows that.
///
/// # Errors
/// When the file cannot be read.
pub fn read_from_disk(path: &Path) -> io::Result<Vec<u8>> {
    use io::Read;
    let limit = u64::try_from(MOST_BYTES).unwrap_or(u64::MAX) + 1;
    let file = std::fs::File::open(path)?;
    // Read in one go: what is limited does not know its length by itself. That of a pipe is 0.
    let length = file.metadata().map_or(0, |data| data.len()).min(limit);
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0) + 1);
    file.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

struct Loader<'r, 'f> {
    read: &'r mut ReadFile<'f>,
    sources: Sources,
    problems: Problems,
    /// Files with all they extend, by normalized path; `None` if that failed and was said.
    done: BTreeMap<PathBuf, Option<Node>>,
    /// Values copied so far.
    handled: usize,
}

impl<'r, 'f> Loader<'r, 'f> {
    fn new(read: &'r mut ReadFile<'f>) -> Self {
        let (sources, problems) = (Sources::new(), Problems::new());
        Loader { read, sources, problems, done: BTreeMap::new(), handled: 0 }
    }

    /// The document of a file with all it extends. `asked` is the place that names the file and `chain` holds the
    /// files that led here.
    fn file(&mut self, path: &Path, asked: Option<Place>, chain: &mut Vec<PathBuf>) -> Option<Node> {
        let path = normalized(path);
        if let Some(known) = self.done.get(&path) {
            let node = known.clone()?;
            return self.afford(&node, asked.unwrap_or(node.place)).then_some(node);
        }
        let node = self.source(&path, asked).and_then(|file| {
            chain.push(path.clone());
            let node = self.document(file, &path, chain);
            chain.pop();
            node
        });
        self.done.insert(path, node.clone());
        node
    }

    /// Takes in the text of a file.
    fn source(&mut self, path: &Path, asked: Option<Place>) -> Option<u16> {
        let name = path.display().to_string();
        let bytes = match (self.read)(path) {
            Ok(bytes) => bytes,
            Err(error) => {
                let place = asked.unwrap_or_else(|| self.nowhere(&name));
                let message = format!("cannot read {}: {}", quote(&name), reason(&error));
                let mut problem = Problem::error(Code::Unreadable, place, message);
                if asked.is_some() {
                    problem = problem.hint("paths are relative to the file that holds them");
                }
                self.problems.push(problem);
                return None;
            }
        };
        if bytes.len() + self.sources.total_bytes() > MOST_BYTES {
            let place = asked.unwrap_or_else(|| self.nowhere(&name));
            let message = format!("with {} the scenario exceeds {} MiB", quote(&name), MOST_BYTES >> 20);
            self.problems.push(Problem::error(Code::TooLarge, place, message));
            return None;
        }
        let (marked, bytes) = match bytes.strip_prefix(b"\xef\xbb\xbf") {
            Some(rest) => (true, rest),
            None => (false, bytes.as_slice()),
        };
        match std::str::from_utf8(bytes) {
            Ok(text) => {
                let file = self.sources.add(name, text);
                if marked {
                    let message = "the file starts with a byte order mark";
                    let problem = Problem::warning(Code::ByteOrderMark, Place::new(file, 0, 0), message);
                    self.problems.push(problem.hint("save it as UTF-8 without byte order mark"));
                }
                Some(file)
            }
            Err(error) => {
                // The text up to the bad byte is kept as it is, so its offset holds in what is shown.
                let at = u32::try_from(error.valid_up_to()).unwrap_or(0);
                let file = self.sources.add(name, String::from_utf8_lossy(bytes));
                let stand_in = u32::try_from(char::REPLACEMENT_CHARACTER.len_utf8()).unwrap_or(0);
                let wide = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
                let hint =
                    if wide { "it looks like UTF-16; save it as UTF-8" } else { "save the file as UTF-8" };
                let place = Place::new(file, at, at + stand_in);
                self.problems.push(Problem::error(Code::NotUtf8, place, "this is not UTF-8 text").hint(hint));
                None
            }
        }
    }

    /// A place for what has none: an empty text of that name.
    fn nowhere(&mut self, name: &str) -> Place {
        let file = self.sources.add(name, "");
        Place::new(file, 0, 0)
    }

    /// The document of a file whose text is there, laid over what it extends.
    fn document(&mut self, file: u16, path: &Path, chain: &mut Vec<PathBuf>) -> Option<Node> {
        let node = parse(&self.sources, file, &mut self.problems)?;
        let Kind::Object(entries) = &node.kind else {
            let message = format!("a scenario is an object, not {}", node.kind_name());
            self.problems.push(Problem::error(Code::NotAnObject, node.head(), message));
            return None;
        };
        let Some((extends, rest)) = take(entries, "extends") else { return Some(node) };
        let own = Node { place: node.place, kind: Kind::Object(rest) };
        let mut base: Option<Node> = None;
        let mut complete = true;
        for (name, target) in self.targets(&extends, path) {
            match self.follow(name, &target, chain) {
                None => complete = false,
                Some(node) => {
                    base = Some(match base {
                        Some(below) if self.afford(&node, name) => merge_documents(below, &node),
                        Some(_) => return None,
                        None => node,
                    });
                }
            }
        }
        // A file without what it builds on would only be misunderstood.
        let base = base.filter(|_| complete)?;
        self.afford(&own, own.place.head()).then(|| merge_documents(base, &own))
    }

    /// The paths named by `extends`, each with the place that names it. What is no path is reported.
    fn targets(&mut self, extends: &Entry, path: &Path) -> Vec<(Place, PathBuf)> {
        let nodes = match &extends.value.kind {
            Kind::List(nodes) => nodes,
            _ => std::slice::from_ref(&extends.value),
        };
        let mut targets: Vec<(Place, PathBuf)> = Vec::new();
        if nodes.is_empty() {
            let place = extends.value.head();
            self.problems
                .push(Problem::error(Code::Extends, place, "`extends` names no file").hint("leave it out"));
        }
        for node in nodes {
            let Some(text) = node.as_text().filter(|text| !text.value.is_empty()) else {
                let message = format!("`extends` holds a path or a list of paths, not {}", node.kind_name());
                self.problems.push(Problem::error(Code::Extends, node.head(), message));
                continue;
            };
            let target = normalized(&path.parent().unwrap_or(Path::new("")).join(text.value.as_str()));
            if let Some((earlier, _)) = targets.iter().find(|(_, other)| *other == target) {
                let message = format!("{} is extended twice", quote(&text.value));
                let problem = Problem::error(Code::Extends, text.place, message);
                self.problems.push(problem.also(*earlier, "first here"));
            } else if targets.len() == MOST_FILES {
                self.problems.push(Problem::error(
                    Code::Extends,
                    text.place,
                    format!("more than {MOST_FILES} files"),
                ));
                break;
            } else {
                targets.push((text.place, target));
            }
        }
        targets
    }

    /// The document of a file that another one extends.
    fn follow(&mut self, asked: Place, target: &Path, chain: &mut Vec<PathBuf>) -> Option<Node> {
        if let Some(at) = chain.iter().position(|path| path == target) {
            let names: Vec<String> = chain[at..].iter().map(|path| path.display().to_string()).collect();
            let message = match names.as_slice() {
                [_] => "this file extends itself".to_owned(),
                _ => format!("`extends` leads back here: {} and again {}", names.join(" → "), names[0]),
            };
            self.problems.push(Problem::error(Code::Extends, asked, message));
            return None;
        }
        let bound = if chain.len() == LONGEST_CHAIN {
            Some(format!("`extends` leads more than {LONGEST_CHAIN} files deep"))
        } else if !self.done.contains_key(target) && self.sources.len() >= MOST_FILES {
            Some(format!("the scenario consists of more than {MOST_FILES} files"))
        } else {
            None
        };
        if let Some(message) = bound {
            self.problems.push(Problem::error(Code::Extends, asked, message));
            return None;
        }
        self.file(target, Some(asked), chain)
    }

    /// Accounts for a copy of the values; false, and said so, once there were too many. This bounds time and memory
    /// of any nesting of files and of any number of cases.
    fn afford(&mut self, node: &Node, place: Place) -> bool {
        self.handled += node.count();
        let fits = self.handled <= MOST_LAID_OUT;
        if !fits {
            let message = format!("laid out, the scenario exceeds {MOST_LAID_OUT} values");
            let hint = "fewer cases, or fewer rows: a key such as `\"1..100\"` stands for many";
            self.problems.push(Problem::error(Code::TooLarge, place, message).hint(hint));
        }
        fits
    }

    /// The document as written, and one for each case.
    fn lay_out(&mut self, whole: Node) -> Option<Vec<Document>> {
        let Kind::Object(entries) = &whole.kind else { return None };
        let Some((cases, rest)) = take(entries, "cases") else {
            return Some(vec![Document { case: None, node: whole }]);
        };
        let plain = Node { place: whole.place, kind: Kind::Object(rest) };
        let mut documents = vec![Document { case: None, node: plain }];
        let Kind::Object(cases) = cases.value.kind else {
            let message =
                format!("`cases` holds an object of cases by name, not {}", cases.value.kind_name());
            self.problems.push(Problem::error(Code::Case, cases.value.head(), message));
            return Some(documents);
        };
        for Entry { key, value: patch } in cases.iter() {
            if !self.is_case(key, patch) {
                continue;
            }
            if !(self.afford(&documents[0].node, key.place) && self.afford(patch, key.place)) {
                return None;
            }
            let node = merge_documents(documents[0].node.clone(), patch);
            documents.push(Document { case: Some(key.clone()), node });
        }
        Some(documents)
    }

    /// Whether it can be a case; if not, that is reported.
    fn is_case(&mut self, name: &Text, patch: &Node) -> bool {
        let case = quote(&name.value);
        if patch.as_object().is_none() {
            let message =
                format!("the case {case} is an object with what changes, not {}", patch.kind_name());
            self.problems.push(Problem::error(Code::Case, patch.head(), message));
            return false;
        }
        if name.value.trim().is_empty() {
            self.problems.push(Problem::error(Code::Case, name.place, "a case needs a name"));
            return false;
        }
        let mut fine = true;
        if name.value == "-" {
            let problem = Problem::error(Code::Case, name.place, "a case cannot be called `-`");
            self.problems.push(problem.hint("`--case -` asks for the file as written, without a case"));
            fine = false;
        }
        for key in ["extends", "cases"] {
            if let Some(entry) = patch.get(key) {
                let code = if key == "extends" { Code::Extends } else { Code::Case };
                let message = format!("`{key}` cannot stand in the case {case}");
                self.problems.push(
                    Problem::error(code, entry.key.place, message).hint("it belongs at the top of a file"),
                );
                fine = false;
            }
        }
        fine
    }
}

/// The member of that key, if there is one, and all others.
fn take(entries: &[Entry], key: &str) -> Option<(Entry, Arc<[Entry]>)> {
    let at = entries.iter().position(|entry| entry.key.value == key)?;
    Some((entries[at].clone(), entries[..at].iter().chain(&entries[at + 1..]).cloned().collect()))
}

/// The path without `.` and without `..` where that can be resolved by looking at the path alone, so that two ways
/// to write the same path are the same.
pub(super) fn normalized(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if matches!(plain.components().next_back(), Some(Component::Normal(_))) => {
                plain.pop();
            }
            Component::ParentDir if plain.has_root() => {}
            other => plain.push(other),
        }
    }
    plain
}

/// The usual reasons in the same words on every system.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "there is no such file".to_owned(),
        ErrorKind::PermissionDenied => "permission denied".to_owned(),
        ErrorKind::IsADirectory => "it is a directory".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
#[path = "load_tests.rs"]
mod tests;
