//! The shape of the code: who may import whom, and what may not be used where.
//!
//! In one crate nothing else holds the direction of imports. Levels go upwards; the four arms do not know each other.

use std::fs;
use std::path::{Path, PathBuf};

/// What each folder of `src` may import.
const MAY_IMPORT: [(&str, &[&str]); 13] = [
    ("kernel", &[]),
    ("model", &["kernel"]),
    ("store", &["kernel", "model"]),
    ("scenario", &["kernel", "model", "store"]),
    ("strategy", &["kernel", "model", "store"]),
    ("sim", &["kernel", "model", "store"]),
    ("check", &["kernel", "model", "store"]),
    ("build", &["kernel", "model", "scenario"]),
    ("explore", &["kernel", "model", "store", "scenario", "strategy", "sim", "check"]),
    ("report", &["kernel", "model", "store", "scenario", "strategy", "sim", "check", "explore"]),
    ("trial", &["kernel", "model", "store", "scenario", "strategy", "sim", "check", "explore", "report"]),
    ("prop", &["kernel", "model", "store", "scenario", "strategy", "sim", "check", "explore", "report"]),
    ("cli", &["kernel", "model", "store", "scenario", "strategy", "sim", "check", "explore", "report"]),
];

/// What may not stand in code below the given folders, and what to use instead.
const BANNED: [(&str, &str); 12] = [
    ("HashMap", "BTreeMap or an index: its order differs from run to run"),
    ("HashSet", "BTreeSet: its order differs from run to run"),
    ("Instant::now", "the virtual clock"),
    ("SystemTime", "the virtual clock"),
    ("thread_local!", "a parameter"),
    ("static mut", "a parameter"),
    ("std::thread", "explore::sweep"),
    ("std::env", "a parameter, read in cli"),
    ("println!", "report and cli"),
    ("f64", "integers: parts per million, nanoseconds"),
    ("f32", "integers: parts per million, nanoseconds"),
    ("DefaultHasher", "kernel::path::mix"),
];

/// Folders below the line where threads, clocks and floats begin.
const PURE: [&str; 7] = ["kernel", "model", "store", "scenario", "strategy", "sim", "check"];

fn sources() -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
        let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        entries.sort();
        for path in entries {
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                found.push((path.clone(), fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let mut found = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    found
}

/// The folder of `src` that a file belongs to.
fn level(path: &Path) -> Option<String> {
    let inside = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap();
    let first = inside.iter().next()?.to_str()?;
    (!first.ends_with(".rs")).then(|| first.to_owned())
}

/// A file's lines of code: without comments, and without what stands behind `#[cfg(test)]` at its end.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .take_while(|(_, line)| line.trim() != "#[cfg(test)]" || line.starts_with(' '))
        .map(|(n, line)| (n + 1, line.split("//").next().unwrap_or("")))
}

fn is_test(path: &Path) -> bool {
    let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or("");
    let folder =
        path.parent().and_then(|folder| folder.file_name()).and_then(|name| name.to_str()).unwrap_or("");
    name.ends_with("tests") || name == "testing" || folder == "tests"
}

#[test]
fn imports_go_upwards_only() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let Some(level) = level(&path) else { continue };
        let Some((_, allowed)) = MAY_IMPORT.iter().find(|(name, _)| *name == level) else {
            wrong.push(format!("{}: no such level", path.display()));
            continue;
        };
        if is_test(&path) {
            continue;
        }
        for (n, line) in code(&text) {
            for (at, _) in line.match_indices("crate::") {
                let rest = &line[at + "crate::".len()..];
                let word: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                let known = MAY_IMPORT.iter().any(|(name, _)| *name == word);
                if known && word != level && !allowed.contains(&word.as_str()) {
                    wrong.push(format!("{}:{n}: {level} may not import {word}", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nothing_below_the_command_leaks_time_order_or_floats_into_a_run() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let Some(level) = level(&path) else { continue };
        if !PURE.contains(&level.as_str()) || is_test(&path) {
            continue;
        }
        for (n, line) in code(&text) {
            for (word, instead) in BANNED {
                if line.contains(word) {
                    wrong.push(format!("{}:{n}: `{word}`; use {instead}", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_rule_would_notice() {
    let lines = "use std::collections::HashMap; // no\n// HashMap in a comment\n#[cfg(test)]\nuse HashMap;";
    let found: Vec<usize> =
        code(lines).filter(|(_, line)| line.contains("HashMap")).map(|(n, _)| n).collect();
    assert_eq!(found, [1]);
}

#[test]
fn every_file_opens_by_saying_what_it_is() {
    let silent: Vec<String> = sources()
        .into_iter()
        .filter(|(_, text)| !text.starts_with("//!"))
        .map(|(path, _)| path.display().to_string())
        .collect();
    assert!(silent.is_empty(), "no header: {}", silent.join(", "));
}
