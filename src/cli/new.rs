//! `halfway new`: a scenario to start from, which runs as it stands and says what its blocks are for.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::exit::Exit;
use super::surroundings::{put, write_file};
use crate::report::words::{safe, shell};

static SCENARIO: &str = include_str!("new.json");

/// Writes the scenario to a new file; nothing that is there is touched.
pub(super) fn new(name: &Path, stdout: &mut dyn Write, stderr: &mut dyn Write) -> Result<Exit, Exit> {
    if name.file_name().is_none() {
        let _ = writeln!(stderr, "error: {} is not the name of a file", safe(&name.to_string_lossy()));
        return Err(Exit::Usage);
    }
    let path = file_of(name);
    let shown = path.to_string_lossy();
    // Whoever makes the file has it, so two at once do not write over each other.
    if let Err(error) = OpenOptions::new().write(true).create_new(true).open(&path) {
        return Err(match error.kind() {
            ErrorKind::AlreadyExists => {
                let _ = writeln!(stderr, "error: {} is there already; it stays as it is", safe(&shown));
                Exit::Usage
            }
            _ => {
                let _ = writeln!(stderr, "error: cannot write {}: {error}", safe(&shown));
                Exit::CannotWrite
            }
        });
    }
    write_file(&path, SCENARIO, stderr).inspect_err(|_| {
        let _ = std::fs::remove_file(&path);
    })?;
    let file = shell(&shown);
    let next = format!(
        "wrote {}\n\n\
         halfway run {file}              which strategy breaks what\n\
         halfway run {file} --stories    and how that comes about\n\
         halfway check {file}            mistakes, without running it\n",
        safe(&shown)
    );
    put(stdout, &next)?;
    Ok(Exit::AsExpected)
}

/// `tickets` is `tickets.json`; whoever says how the file ends is taken at their word.
fn file_of(name: &Path) -> PathBuf {
    match name.extension() {
        Some(_) => name.to_owned(),
        None => {
            let mut file = OsString::from(name);
            file.push(".json");
            file.into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::halfway;
    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Folder {
            let path = std::env::temp_dir().join(format!("halfway-{}-{name}", std::process::id()));
            std::fs::create_dir(&path).unwrap();
            Folder(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    /// What is expected in it is what the order saga comes to: charges are repeated where no key tells them apart, and
    /// only a saga takes back what a later step refuses.
    #[test]
    fn what_is_new_runs_as_it_expects_without_a_warning() {
        let folder = Folder::new("new-runs");
        let name = folder.0.join("tickets");
        let (exit, out, err) = halfway(&["new", name.to_str().unwrap()]);
        assert_eq!(exit, Exit::AsExpected, "{err}");
        let file = folder.0.join("tickets.json");
        assert!(out.contains(file.to_str().unwrap()), "{out}");
        let file = file.to_str().unwrap();
        let (exit, out, err) = halfway(&["run", file, "--seeds", "0..300"]);
        assert_eq!((exit, err.contains("warning")), (Exit::AsExpected, false), "{out}{err}");
        assert!(out.contains("violated") && !out.contains("inconclusive"), "{out}");
        let (exit, out, _) = halfway(&["check", file]);
        assert_eq!((exit, out.contains("warning")), (Exit::AsExpected, false), "{out}");
        assert_eq!(std::fs::read_dir(&folder.0).unwrap().count(), 1, "nothing else is left");
    }

    #[test]
    fn what_is_there_stays_as_it_is() {
        let folder = Folder::new("new-stays");
        let file = folder.0.join("mine.json");
        std::fs::write(&file, "mine").unwrap();
        for name in ["mine", "mine.json"] {
            let (exit, out, err) = halfway(&["new", folder.0.join(name).to_str().unwrap()]);
            assert_eq!((exit, out.as_str()), (Exit::Usage, ""), "{err}");
            assert!(err.contains("there already"), "{err}");
        }
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
        let (exit, _, err) = halfway(&["new", folder.0.join("no/where").to_str().unwrap()]);
        assert_eq!(exit, Exit::CannotWrite, "{err}");
        for no_name in [".", "..", "/"] {
            assert_eq!(halfway(&["new", no_name]).0, Exit::Usage, "{no_name}");
        }
    }
}
