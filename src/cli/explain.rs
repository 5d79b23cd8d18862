//! `halfway explain`: what there is to say about one word of the language or of results, or about the code of a problem.

use std::io::Write;

use super::args::LookArgs;
use super::exit::Exit;
use super::list::table;
use super::surroundings::{Surroundings, put};
use super::words::{answers, entries};
use crate::report::look::{Tone, wrap};
use crate::report::words::safe;
use crate::scenario::problem::did_you_mean;

pub(super) fn explain(
    what: &str,
    look_args: &LookArgs,
    around: &Surroundings<'_>,
    stdout: &mut dyn Write,
    stderr: &mut dyn Write,
) -> Result<Exit, Exit> {
    let look = around.look(look_args, false);
    let all = entries();
    let mut out = String::new();
    for entry in all.iter().filter(|entry| answers(entry, what)) {
        if !out.is_empty() {
            out.push('\n');
        }
        let lines = wrap(&look.plain(&entry.text), look.width.saturating_sub(2));
        out +=
            &format!("{}\n  {}\n", look.paint(Tone::Strong, &look.plain(&entry.title)), lines.join("\n  "));
        if let Some((title, rows)) = &entry.rows {
            let rows = table(title, rows, &look);
            out += &rows.lines().map(|line| format!("  {line}\n")).collect::<String>();
        }
    }
    if out.is_empty() {
        let hint = did_you_mean(what, all.iter().map(|entry| entry.name.as_str()));
        let hint = hint.map(|close| format!("; did you mean {close}?")).unwrap_or_default();
        let _ = writeln!(stderr, "error: nothing is known about {}{hint}", safe(what));
        return Err(Exit::NothingSelected);
    }
    put(stdout, &out)?;
    Ok(Exit::AsExpected)
}
