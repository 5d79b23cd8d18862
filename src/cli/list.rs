//! `halfway list`: what the language has, from the tables that the reader checks by.

use std::io::Write;

use super::args::{ListArgs, Listed, LookArgs};
use super::exit::Exit;
use super::surroundings::{Surroundings, put};
use super::words::{choices, is_later};
use crate::report::Look;
use crate::report::look::{Tone, columns_of, wrap};
use crate::report::words::{count, safe};
use crate::scenario::load::read_from_disk;
use crate::scenario::read;
use crate::scenario::read::language::{how, must, weather};
use crate::scenario::shape::Word;

pub(super) fn list(
    args: &ListArgs,
    look_args: &LookArgs,
    around: &Surroundings<'_>,
    stdout: &mut dyn Write,
) -> Result<Exit, Exit> {
    let look = around.look(look_args, false);
    let all = [Listed::Strategies, Listed::Invariants, Listed::Faults, Listed::Scenarios];
    let wanted: Vec<Listed> = args.what.map_or_else(|| all.to_vec(), |one| vec![one]);
    let mut out = String::new();
    for (n, what) in wanted.iter().enumerate() {
        if n > 0 {
            out.push('\n');
        }
        out += &match what {
            Listed::Strategies => strategies(&look),
            Listed::Invariants => invariants(&look),
            Listed::Faults => faults(&look),
            Listed::Scenarios => scenarios(args, &look),
        };
    }
    put(stdout, &out)?;
    Ok(Exit::AsExpected)
}

/// Names beside a sentence each.
pub(super) fn table(title: &str, rows: &[(String, String)], look: &Look) -> String {
    let mut out = format!("{}\n", look.paint(Tone::Strong, title));
    let wide = rows.iter().map(|(name, _)| columns_of(name)).max().unwrap_or(0).min(28);
    for (name, text) in rows {
        let mut lines = wrap(&look.plain(text), look.width.saturating_sub(wide + 4)).into_iter();
        let first = lines.next().unwrap_or_default();
        let pad = " ".repeat(wide.saturating_sub(columns_of(name)));
        out += &format!("  {name}{pad}  {first}\n");
        for line in lines {
            out += &format!("  {}  {line}\n", " ".repeat(wide));
        }
    }
    out
}

fn words(words: &[Word]) -> Vec<(String, String)> {
    words.iter().map(|word| (word.name.to_owned(), word.doc.to_owned())).collect()
}

/// A name, marked if it is for later.
fn marked(name: &str, later: bool) -> String {
    if later { format!("{name} +") } else { name.to_owned() }
}

const LATER: &str = "+ a word of the language that this version cannot carry out yet\n";

fn strategies(look: &Look) -> String {
    let dimensions = how::DIMENSIONS.iter().map(|dimension| {
        let policies = dimension.field("use").map(|field| choices(&field.shape)).unwrap_or_default();
        let policies: Vec<String> = policies
            .into_iter()
            .map(|policy| marked(policy.name, is_later(dimension.name, "use", Some(policy.name))))
            .collect();
        let policies = if policies.is_empty() { String::new() } else { format!(" {}", policies.join(", ")) };
        // A policy may be there and one of its parameters not.
        let later = dimension.fields.iter().filter(|field| is_later(dimension.name, field.name, None));
        let later: Vec<String> = later.map(|field| marked(field.name, true)).collect();
        let later =
            if later.is_empty() { String::new() } else { format!(" (parameters: {})", later.join(", ")) };
        (dimension.name.to_owned(), format!("{}{policies}{later}", dimension.doc))
    });
    let mut out = table("Strategies that need no declaration", &words(&how::BUILT_IN), look);
    out.push('\n');
    out += &table("Dimensions of a strategy, each with its policies", &dimensions.collect::<Vec<_>>(), look);
    out + LATER
}

fn invariants(look: &Look) -> String {
    let kind = |name: &&'static str| {
        let doc = must::INVARIANT.field(name).map_or("", |field| field.doc);
        (marked(name, is_later("invariant", name, None)), doc.to_owned())
    };
    table("Kinds of invariants", &must::KINDS.iter().map(kind).collect::<Vec<_>>(), look) + LATER
}

fn faults(look: &Look) -> String {
    let verb = |name: &&'static str| {
        let doc = weather::FAULT.field(name).map_or("", |field| field.doc);
        ((*name).to_owned(), doc.to_owned())
    };
    let is_verb = |name: &str| weather::VERBS.contains(&name);
    let rest = weather::FAULT.fields.iter().filter(|field| !is_verb(field.name));
    let rest: Vec<_> = rest.map(|field| (field.name.to_owned(), field.doc.to_owned())).collect();
    let mut out = table("Faults: what happens", &weather::VERBS.iter().map(verb).collect::<Vec<_>>(), look);
    out.push('\n');
    out += &table("Faults: when, how long, to whom", &rest, look);
    out
}

fn scenarios(args: &ListArgs, look: &Look) -> String {
    let mut files: Vec<_> = std::fs::read_dir(&args.dir)
        .map(|entries| entries.filter_map(|entry| Some(entry.ok()?.path())).collect())
        .unwrap_or_default();
    files.retain(|path: &std::path::PathBuf| {
        path.extension().is_some_and(|ending| ending == "json" || ending == "jsonc")
    });
    files.sort();
    let title = format!("Scenarios in {}", safe(&args.dir.to_string_lossy()));
    if files.is_empty() {
        return format!("{}\n  none; --dir says where to look\n", look.paint(Tone::Strong, &title));
    }
    let row = |path: &std::path::PathBuf| {
        let about = match read(path, &mut read_from_disk) {
            Ok(scenario) => safe(&scenario.about.unwrap_or_default()),
            Err(why) => format!("cannot be run: {}", count(why.problems.len() as u64, "problem")),
        };
        (safe(&path.file_name().unwrap_or_default().to_string_lossy()), about)
    };
    table(&title, &files.iter().map(row).collect::<Vec<_>>(), look)
}
