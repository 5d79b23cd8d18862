//! What the command finds around it: terminals, their width, colours, the wish to stop. Asked once, at the rim.

use std::fs::File;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use super::args::{Colour, LookArgs};
use super::exit::Exit;
use crate::report::Look;
use crate::scenario::Scenario;

/// The environment of a command.
#[derive(Debug)]
pub struct Surroundings<'s> {
    /// Results go to a terminal of so many columns.
    pub columns: Option<usize>,
    /// Somebody says in `COLUMNS` how wide results are to be, wherever they go.
    pub asked: Option<usize>,
    /// Progress may be shown: warnings go to a terminal.
    pub watched: bool,
    /// Colours are wanted where a terminal is: from `NO_COLOR`, `CLICOLOR_FORCE` and `TERM`.
    pub colours: Option<bool>,
    /// Set when somebody wants it to stop.
    pub stop: &'s AtomicBool,
    /// Begins to listen for that wish.
    listen: fn(),
    /// The process ends with the command.
    ends: bool,
}

impl Surroundings<'_> {
    /// No terminal at all.
    pub fn none(stop: &AtomicBool) -> Surroundings<'_> {
        Surroundings {
            columns: None,
            asked: None,
            watched: false,
            colours: None,
            stop,
            listen: || (),
            ends: false,
        }
    }

    /// What this process finds; `listen` is called once it runs for so long that somebody may want it to stop.
    pub fn of_process(stop: &AtomicBool, listen: fn()) -> Surroundings<'_> {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty() && value != "0");
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let colours = match (set("NO_COLOR"), set("CLICOLOR_FORCE")) {
            (true, _) => Some(false),
            (false, true) => Some(true),
            (false, false) => dumb.then_some(false),
        };
        let terminal = io::stdout().is_terminal();
        let columns =
            terminal.then(|| terminal_size::terminal_size().map_or(80, |(width, _)| width.0.into()));
        let asked =
            std::env::var("COLUMNS").ok().and_then(|text| text.trim().parse().ok()).filter(|&n| n > 0);
        let watched = io::stderr().is_terminal() && !dumb;
        Surroundings { columns, asked, watched, colours, stop, listen, ends: true }
    }

    pub(super) fn listen(&self) {
        (self.listen)();
    }

    /// Done with something large. Where the process ends anyway it is not taken apart first, part by part.
    pub(super) fn leave<T>(&self, what: T) {
        if self.ends {
            std::mem::forget(what);
        }
    }

    pub(super) fn look(&self, args: &LookArgs, to_file: bool) -> Look {
        let colour = match args.color {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => !to_file && self.colours.unwrap_or(self.columns.is_some()),
        };
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let width = args.width.or(self.asked).or(self.columns.filter(|_| !to_file)).unwrap_or(80);
        Look { width: width.max(Look::NARROWEST), colour, ascii: args.ascii || dumb }
    }
}

/// Writes a result. A reader that has seen enough and closes the pipe is no failure.
pub(super) fn put(out: &mut dyn Write, text: &str) -> Result<(), Exit> {
    put_all(out, |out| out.write_all(text.as_bytes()))
}

/// The same for a result that is written piece by piece.
pub(super) fn put_all(
    mut out: &mut dyn Write,
    pieces: impl FnOnce(&mut &mut dyn Write) -> io::Result<()>,
) -> Result<(), Exit> {
    match pieces(&mut out).and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(Exit::AsExpected),
        Err(_) => Err(Exit::CannotWrite),
    }
}

/// Whether a result would be written over what it was made from.
pub(super) fn spares(
    out: Option<&Path>,
    named: &[PathBuf],
    scenarios: &[(String, Scenario)],
    stderr: &mut dyn Write,
) -> Result<(), Exit> {
    let Some(out) = out else { return Ok(()) };
    let real = |path: &Path| path.canonicalize().ok();
    let Some(target) = real(out) else { return Ok(()) };
    let files = scenarios.iter().flat_map(|(_, scenario)| {
        (0..scenario.sources.len()).map(|file| scenario.sources.name(file as u16)).map(Path::new)
    });
    for file in named.iter().map(PathBuf::as_path).chain(files) {
        if real(file).is_some_and(|file| file == target) {
            let _ = writeln!(stderr, "error: --out {} would overwrite the scenario", out.display());
            return Err(Exit::Usage);
        }
    }
    Ok(())
}

/// Writes a file whole or not at all: beside it first, then in its place.
pub(super) fn write_file(path: &Path, text: &str, stderr: &mut dyn Write) -> Result<(), Exit> {
    write_file_all(path, |file| file.write_all(text.as_bytes()), stderr)
}

/// The same for what is written piece by piece.
pub(super) fn write_file_all(
    path: &Path,
    pieces: impl FnOnce(&mut File) -> io::Result<()>,
    stderr: &mut dyn Write,
) -> Result<(), Exit> {
    let write = || -> io::Result<()> {
        let name = path
            .file_name()
            .ok_or_else(|| io::Error::new(ErrorKind::InvalidInput, "not the name of a file"))?;
        // A device or a pipe is written to as it is.
        if path.metadata().is_ok_and(|meta| !meta.is_file() && !meta.is_dir()) {
            return File::create(path).and_then(|mut file| pieces(&mut file));
        }
        let mut beside = std::ffi::OsString::from(".");
        beside.push(name);
        beside.push(format!(".{}.tmp", std::process::id()));
        let beside = path.with_file_name(beside);
        let done = File::create(&beside)
            .and_then(|mut file| pieces(&mut file).and_then(|()| file.sync_all()))
            .and_then(|()| std::fs::rename(&beside, path));
        if done.is_err() {
            let _ = std::fs::remove_file(&beside);
        }
        done
    };
    write().map_err(|error| {
        let _ = writeln!(stderr, "error: cannot write {}: {error}", path.display());
        Exit::CannotWrite
    })
}
