//! The command line, as clap reads it. Every flag has a twin in the environment, which the flag overrides.

use std::ops::Range;
use std::path::PathBuf;

use clap::builder::FalseyValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};

/// Finds what your services leave behind when an operation stops halfway.
#[derive(Debug, Parser)]
#[command(name = "halfway", version, about, after_help = super::exit::table(), max_term_width = 100)]
pub(super) struct Cli {
    #[command(flatten)]
    pub(super) look: LookArgs,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// How output looks.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct LookArgs {
    /// When to use colours
    #[arg(long, global = true, env = "HALFWAY_COLOR", value_enum, default_value_t = Colour::Auto, value_name = "WHEN", hide_env_values = true)]
    pub(super) color: Colour,
    /// ASCII characters only
    #[arg(long, global = true, env = "HALFWAY_ASCII", value_parser = FalseyValueParser::new(), hide_env_values = true)]
    pub(super) ascii: bool,
    /// Columns to write in, 60 at least [default: COLUMNS, else the terminal's, else 80]
    #[arg(
        long,
        global = true,
        env = "HALFWAY_WIDTH",
        value_name = "COLUMNS",
        value_parser = at_least_one,
        allow_hyphen_values = true,
        hide_env_values = true
    )]
    pub(super) width: Option<usize>,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Colour {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run scenarios under many seeds and compare what comes out with what they expect
    Run(RunArgs),
    /// Run one seed again and tell what happened
    Replay(ReplayArgs),
    /// Look for problems in scenarios without running them
    Check(CheckArgs),
    /// List what scenarios can be made of
    List(ListArgs),
    /// Explain the code of a problem, such as HW0304, or a word of the scenario language: a key, value, policy, function, …
    Explain {
        /// A code or a word; `idempotency.key` is the word of that object or dimension alone
        #[arg(value_name = "CODE|WORD")]
        what: String,
    },
    /// Write a scenario to start from
    New {
        /// Its file: `tickets` is tickets.json in this folder
        #[arg(value_name = "NAME")]
        name: PathBuf,
    },
    /// Write the JSON schema of scenarios, for editors: save it beside yours and name it in "$schema"
    Schema,
    /// Write the reference of the scenario language, as it stands in docs/language.md
    #[command(hide = true)]
    Reference,
}

/// `halfway run`.
#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// Scenario files
    #[arg(required = true, value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,
    /// Only this strategy; may be repeated, or several with commas between them
    #[arg(
        long,
        env = "HALFWAY_STRATEGY",
        value_name = "NAME",
        value_delimiter = ',',
        hide_env_values = true
    )]
    pub(super) strategy: Vec<String>,
    /// Only this case; `-` stands for the file as written
    #[arg(long, env = "HALFWAY_CASE", value_name = "NAME", hide_env_values = true)]
    pub(super) case: Option<String>,
    /// The seeds to run, the last one excluded; a number alone is so many from 0 on [default: what the file says, or
    /// 0..1000]
    #[arg(
        long,
        env = "HALFWAY_SEEDS",
        value_name = "FROM..TO",
        value_parser = seeds,
        allow_hyphen_values = true,
        hide_env_values = true
    )]
    pub(super) seeds: Option<Range<u64>>,
    /// Only this seed; not beside --seeds
    #[arg(
        long,
        env = "HALFWAY_SEED",
        value_name = "N",
        value_parser = seed,
        allow_hyphen_values = true,
        conflicts_with = "seeds",
        hide_env_values = true
    )]
    pub(super) seed: Option<u64>,
    /// How many threads [default: one for each core]
    #[arg(
        long,
        short = 'j',
        env = "HALFWAY_JOBS",
        value_name = "N",
        value_parser = at_least_one,
        allow_hyphen_values = true,
        hide_env_values = true
    )]
    pub(super) jobs: Option<usize>,
    /// How to write the result
    #[arg(long, short, env = "HALFWAY_FORMAT", value_enum, default_value_t = Format::Human, hide_env_values = true)]
    pub(super) format: Format,
    /// Write the result to this file
    #[arg(long, short, env = "HALFWAY_OUT", value_name = "FILE", hide_env_values = true)]
    pub(super) out: Option<PathBuf>,
    /// Tell the story of every violation, also of those that are expected
    #[arg(long, env = "HALFWAY_STORIES", value_parser = FalseyValueParser::new(), hide_env_values = true)]
    pub(super) stories: bool,
}

/// `halfway replay`.
#[derive(Debug, Args)]
pub(super) struct ReplayArgs {
    /// The scenario file
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    /// The strategy; may be left out if there is only one
    #[arg(long, env = "HALFWAY_STRATEGY", value_name = "NAME", hide_env_values = true)]
    pub(super) strategy: Option<String>,
    /// The seed
    #[arg(
        long,
        env = "HALFWAY_SEED",
        value_name = "N",
        value_parser = seed,
        allow_hyphen_values = true,
        default_value_t = 0,
        hide_env_values = true
    )]
    pub(super) seed: u64,
    /// The case; without it, the file as written
    #[arg(long, env = "HALFWAY_CASE", value_name = "NAME", hide_env_values = true)]
    pub(super) case: Option<String>,
    /// How to write the history
    #[arg(long, short, env = "HALFWAY_FORMAT", value_enum, default_value_t = HistoryFormat::Human, hide_env_values = true)]
    pub(super) format: HistoryFormat,
    /// Write the result to this file
    #[arg(long, short, env = "HALFWAY_OUT", value_name = "FILE", hide_env_values = true)]
    pub(super) out: Option<PathBuf>,
    /// Show all that happened, not only what belongs to violations
    #[arg(long, env = "HALFWAY_ALL", value_parser = FalseyValueParser::new(), hide_env_values = true)]
    pub(super) all: bool,
}

/// `halfway check`.
#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// Scenario files
    #[arg(required = true, value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,
    /// How to write the result
    #[arg(long, short, env = "HALFWAY_FORMAT", value_enum, default_value_t = CheckFormat::Human, hide_env_values = true)]
    pub(super) format: CheckFormat,
}

/// `halfway list`.
#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// What to list; everything if left out
    #[arg(value_enum)]
    pub(super) what: Option<Listed>,
    /// Where scenario files are looked for [default: scenarios]
    #[arg(long, env = "HALFWAY_DIR", value_name = "DIR", hide_env_values = true)]
    pub(super) dir: Option<PathBuf>,
}

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Tables and stories for people
    Human,
    /// One JSON document
    Json,
    /// One JSON object a line
    Jsonl,
    /// JUnit XML for build servers
    Junit,
}

/// How a history is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum HistoryFormat {
    /// Stories and lanes for people
    Human,
    /// One JSON object a line: the whole history
    Jsonl,
}

/// How problems are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum CheckFormat {
    /// With the lines they are about
    Human,
    /// One JSON document
    Json,
}

/// What can be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Listed {
    /// Strategies that need no declaration, and the dimensions of one's own
    Strategies,
    /// The kinds of invariants
    Invariants,
    /// The kinds of faults
    Faults,
    /// Scenario files in a directory
    Scenarios,
}

/// `0..1000`, or a number alone: so many from 0 on.
fn seeds(text: &str) -> Result<Range<u64>, String> {
    let range = match text.split_once("..") {
        Some((from, to)) => number(from)?..number(to)?,
        None => 0..number(text)?,
    };
    if range.is_empty() { Err("there is no seed in this range".into()) } else { Ok(range) }
}

/// A seed. The greatest number is none: as the end of a range is excluded, no range could hold it.
fn seed(text: &str) -> Result<u64, String> {
    match number(text)? {
        u64::MAX => Err(format!("the greatest seed is {}", u64::MAX - 1)),
        seed => Ok(seed),
    }
}

/// How many threads or columns.
fn at_least_one(text: &str) -> Result<usize, String> {
    match text.trim().parse::<usize>() {
        Ok(n) if n > 0 => Ok(n),
        _ => Err(format!("`{}` is not a whole number from 1 on", text.trim())),
    }
}

fn number(text: &str) -> Result<u64, String> {
    let digits = text.trim().replace('_', "");
    digits.parse::<u64>().map_err(|_| match digits.bytes().all(|byte| byte.is_ascii_digit()) {
        true if digits.is_empty() => "a number is missing, as in 0..1000".to_owned(),
        true => format!("`{digits}` is too large: the greatest seed is {}", u64::MAX - 1),
        false => format!("`{}` is not a whole number from 0 on", text.trim()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn seeds_are_a_range_or_a_number() {
        assert_eq!(seeds("5..9"), Ok(5..9));
        assert_eq!(seeds("10_000"), Ok(0..10_000));
        assert!(seeds("9..5").is_err() && seeds("0").is_err() && seeds("a..b").is_err());
    }

    #[test]
    fn what_is_no_seed_is_told_so_in_plain_words() {
        assert_eq!(seed("18446744073709551614"), Ok(u64::MAX - 1));
        let told = |text: &str| seed(text).unwrap_err();
        assert_eq!(told("18446744073709551615"), "the greatest seed is 18446744073709551614");
        assert_eq!(
            told("20000000000000000000"),
            "`20000000000000000000` is too large: the greatest seed is 18446744073709551614"
        );
        assert_eq!(told("-1"), "`-1` is not a whole number from 0 on");
        assert_eq!(seeds("..5").unwrap_err(), "a number is missing, as in 0..1000");
        for text in ["0", "x", "-1", ""] {
            assert_eq!(at_least_one(text), Err(format!("`{text}` is not a whole number from 1 on")));
        }
    }
}
