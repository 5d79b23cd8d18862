//! Scenarios built in Rust beside the same ones in files, what can be said, and what is refused.

mod everything;
mod files;
mod keys;
mod mistakes;
mod text;

use super::*;

/// What a scenario says, without the places in its expressions and the wording of its fault rules.
fn said(scenario: &Scenario) -> Vec<String> {
    let text = format!("{:#?} {:#?}", scenario.about, scenario.cases);
    let kept = |line: &&str| {
        let bare = line.trim();
        !(bare.starts_with("span: ") || bare.starts_with("text: \"{"))
    };
    text.lines().filter(kept).map(str::to_owned).collect()
}

/// That a scenario built in Rust is, written out and read back, the one of a file.
fn same(built: &Builder, file: &str) {
    let draft = built.draft().unwrap();
    let back = Draft::parse(draft.name(), &draft.text()).unwrap().read().unwrap();
    let from_file = Draft::parse(draft.name(), file).unwrap().read().unwrap();
    let (ours, theirs) = (said(&back), said(&from_file));
    for (n, (our, their)) in ours.iter().zip(&theirs).enumerate() {
        assert_eq!(our, their, "line {n}: {:#?}\n{}", &ours[n.saturating_sub(12)..n], draft.text());
    }
    assert_eq!(ours.len(), theirs.len());
}
