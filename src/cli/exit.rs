//! What the exit code says. It is part of the interface: scripts and schedulers decide by it.

use std::process::ExitCode;

/// How the command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// All is as expected; or there was nothing to judge.
    AsExpected = 0,
    /// An invariant is violated or stuck where that was not expected, or an expectation was missed.
    Finding = 1,
    /// The command line or a scenario is wrong; also if that shows only when it is run.
    Usage = 2,
    /// Too little was seen of something that is expected, or a case says nothing at all.
    Inconclusive = 3,
    /// No strategy or case of that name.
    NothingSelected = 4,
    /// The same seed told two stories.
    NotDeterministic = 5,
    /// A run panicked: a fault of this program or of user code.
    Internal = 70,
    /// The result could not be written.
    CannotWrite = 74,
    /// Somebody stopped it; what was finished was written.
    Interrupted = 130,
}

impl Exit {
    /// All of them with a line for each, for the help.
    pub const ALL: [(Exit, &'static str); 9] = [
        (Exit::AsExpected, "all as expected"),
        (Exit::Finding, "a finding: violated or stuck where that was not expected, or an expectation missed"),
        (
            Exit::Usage,
            "the command line or a scenario is wrong (also: an invariant has no value, a fault never strikes)",
        ),
        (Exit::Inconclusive, "inconclusive: too little was seen, or in some case no cell was earned"),
        (Exit::NothingSelected, "nothing selected"),
        (Exit::NotDeterministic, "the same seed told two stories"),
        (Exit::Internal, "a run panicked"),
        (Exit::CannotWrite, "the result could not be written"),
        (Exit::Interrupted, "interrupted; what was finished is kept"),
    ];

    /// The number.
    pub fn code(self) -> u8 {
        self as u8
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}

/// The exit codes as the help shows them.
pub(super) fn table() -> String {
    let lines: Vec<String> =
        Exit::ALL.iter().map(|(exit, text)| format!("  {:>3}  {text}", exit.code())).collect();
    format!("Exit codes:\n{}", lines.join("\n"))
}
