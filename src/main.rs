//! The command `halfway`.

fn main() -> std::process::ExitCode {
    halfway::cli::main()
}
