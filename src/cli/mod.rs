//! The command: arguments in, text out, an exit code. All files, terminals and clocks are here.
//!
//! [`run`] is the whole command as a function, for tests; [`main`] is it with the process around it. Results go to the
//! first writer, progress and warnings to the second.

mod args;
mod check;
#[cfg(test)]
mod doubt_tests;
mod exit;
mod explain;
mod files;
mod list;
mod new;
mod reference;
mod replay;
mod run;
mod schema;
mod surroundings;
#[cfg(test)]
mod tests;
mod words;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Parser;
use clap::error::ErrorKind;

pub use exit::Exit;
pub use surroundings::Surroundings;

use args::{Cli, Command};

/// Runs the command with these arguments, the first of which is the name of the program, where there is no terminal.
pub fn run(
    args: impl IntoIterator<Item = impl Into<OsString> + Clone>,
    stdout: &mut dyn Write,
    stderr: &mut dyn Write,
) -> Exit {
    run_in(&Surroundings::none(&AtomicBool::new(false)), args, stdout, stderr)
}

/// The same in given surroundings.
pub fn run_in(
    around: &Surroundings<'_>,
    args: impl IntoIterator<Item = impl Into<OsString> + Clone>,
    stdout: &mut dyn Write,
    stderr: &mut dyn Write,
) -> Exit {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            let text = error.render().to_string();
            if asked {
                return surroundings::put(stdout, &text).err().unwrap_or(Exit::AsExpected);
            }
            let _ = stderr.write_all(text.as_bytes());
            return Exit::Usage;
        }
    };
    let done = match &cli.command {
        Command::Run(args) => run::run(args, &cli.look, around, stdout, stderr),
        Command::Replay(args) => replay::replay(args, &cli.look, around, stdout, stderr),
        Command::Check(args) => check::check(args, &cli.look, around, stdout),
        Command::List(args) => list::list(args, &cli.look, around, stdout, stderr),
        Command::Explain { what } => explain::explain(what, &cli.look, around, stdout, stderr),
        Command::New { name } => new::new(name, stdout, stderr),
        Command::Schema => surroundings::put(stdout, &schema::text()).map(|()| Exit::AsExpected),
        Command::Reference => surroundings::put(stdout, &reference::page()).map(|()| Exit::AsExpected),
    };
    done.unwrap_or_else(|exit| exit)
}

/// Set by Ctrl-C and by who asks the process to end; workers look at it between lots of seeds.
static STOP: AtomicBool = AtomicBool::new(false);

/// From now on Ctrl-C ends the process when what was begun is done, and so do SIGTERM and SIGHUP: build servers and
/// terminals that are closed want no less to keep what is finished.
fn listen() {
    // Without a handler the process ends at once, which is the lesser harm.
    let _ = ctrlc::set_handler(|| {
        if STOP.swap(true, Ordering::Relaxed) {
            // Asked twice: what is finished does not matter any more.
            std::process::exit(Exit::Interrupted.code().into());
        }
    });
}

/// Runs the command with the arguments, terminals and signals of this process.
pub fn main() -> ExitCode {
    let around = Surroundings::of_process(&STOP, listen);
    run_in(&around, std::env::args_os(), &mut std::io::stdout(), &mut std::io::stderr()).into()
}
