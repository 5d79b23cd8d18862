//! The examples that teach: what each of them says is shown by a test of its own, and run here.

#[allow(dead_code, reason = "an example has a main function")]
#[path = "../../examples/own_invariant.rs"]
mod own_invariant;

#[allow(dead_code, reason = "an example has a main function")]
#[path = "../../examples/own_process.rs"]
mod own_process;

#[allow(dead_code, reason = "an example has a main function")]
#[path = "../../examples/own_strategy.rs"]
mod own_strategy;

/// They are meant to be read aloud.
#[test]
fn examples_are_short() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    for name in ["own_invariant", "own_process", "own_strategy"] {
        let text = std::fs::read_to_string(folder.join(name).with_extension("rs")).unwrap();
        assert!(text.lines().count() <= 165, "{name}: {} lines", text.lines().count());
    }
}
