//! What a crate that depends on halfway takes on: few crates, and without the command none for arguments or terminals.

use std::collections::BTreeSet;
use std::process::Command;

/// The names of all crates that are built for the library or the command on this machine, halfway itself included.
fn tree(features: &[&str]) -> BTreeSet<String> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let out = Command::new(cargo)
        .args([
            "tree",
            "--locked",
            "--offline",
            "--edges",
            "normal,build",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ])
        .args(features)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let lines = String::from_utf8(out.stdout).unwrap();
    lines.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

#[test]
fn the_library_alone_takes_on_few_crates_and_none_of_a_command() {
    let alone = tree(&["--no-default-features"]);
    assert!(alone.contains("halfway") && alone.contains("serde_json"), "{alone:?}");
    for command in ["clap", "ctrlc", "terminal_size", "anstream", "rustix", "nix", "libc"] {
        assert!(!alone.contains(command), "{command} is among {alone:?}");
    }
    assert!(alone.len() <= 30, "{}: {alone:?}", alone.len());
    // The twin: the command has what the library must not have.
    let whole = tree(&[]);
    assert!(whole.contains("clap") && whole.contains("terminal_size"), "{whole:?}");
    assert!(whole.len() < 80, "{}: {whole:?}", whole.len());
}
