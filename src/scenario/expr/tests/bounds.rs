//! No text, however strange, exhausts the stack, runs for ever or panics.

use proptest::prelude::*;

use super::super::{LONGEST, parse};
use super::Shop;
use crate::model::expr::{Code, Failure, Scratch, eval};

#[test]
fn no_nesting_and_no_length_exhausts_the_stack() {
    let deep = |open: &str, close: &str, n| format!("{}1{}", open.repeat(n), close.repeat(n));
    for (open, close) in [
        ("(", ")"),
        ("[", "]"),
        ("-", ""),
        ("!", ""),
        ("size(", ")"),
        ("1+(", ")"),
        ("1?", ":1"),
        ("{'a':", "}"),
    ] {
        assert!(parse(&deep(open, close, 600)).is_err(), "{open}");
        assert!(parse(&deep(open, close, 25)).is_ok(), "{open}");
    }
    assert!(parse(&vec!["1"; 64].join("+")).is_ok());
    assert!(parse(&vec!["1"; 66].join("+")).is_err());
    assert!(parse(&format!("a{}", ".b".repeat(70))).is_err());
    assert!(parse(&" ".repeat(LONGEST + 1)).unwrap_err()[0].message.contains("longer"));
}

#[test]
fn an_expression_cannot_run_for_ever() {
    let mut shop = Shop::new();
    let ten = "[0,1,2,3,4,5,6,7,8,9]";
    let text = (0..9).fold("true".to_owned(), |inner, n| format!("{ten}.all(x{n}, {inner})"));
    assert_eq!(shop.run(&text).unwrap_err().0, Failure::Budget);
    // Not even where the failure would be absorbed.
    assert_eq!(shop.run(&format!("{text} || true == (qty == 3)")).unwrap_err().0, Failure::Budget);
}

#[test]
fn the_deepest_expression_still_runs() {
    let mut shop = Shop::new();
    let nested =
        (0..30).fold("true".to_owned(), |inner, n| format!("[1].all(x{n}, {inner} && [x{n}] == [1])"));
    assert_eq!(shop.run(&nested).as_deref(), Ok("true"));
    let brackets = format!("{}qty{} == 3", "(1 * ".repeat(28), ")".repeat(28));
    assert_eq!(shop.run(&brackets).as_deref(), Ok("true"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,60}") {
        let _ = parse(&text);
    }

    #[test]
    fn no_mixture_of_tokens_makes_anything_panic(tokens in prop::collection::vec(prop::sample::select(vec![
        "stock", "orders", "item", "qty", "when", "it", "now", "event", "count", ".", "free", "id", "lost", "[", "]", "(", ")",
        "{", "}", ",", "1", "0", "'a'", "null", "true", "+", "-", "*", "/", "%", "==", "<", "&&", "||", "!", "?", ":", "in",
        "filter", "map", "all", "sum()", "size()", "has", "x", ".map(x,", ".all(x,", "[item]", "duration('1s')", "\u{e9}", "'",
    ]), 0..24)) {
        let mut shop = Shop::new();
        let text = tokens.join(" ");
        if let Ok(tree) = shop.tree(&text) {
            let code = Code::compile(&tree);
            let mut scratch = Scratch::new();
            scratch.bind_row(0, 10);
            let _ = eval(&code, &shop.locals, &mut shop.world, &mut scratch);
        }
    }

    #[test]
    fn every_place_lies_within_the_text(text in "[a-c0-9'\"\\\\ .+(){}\\[\\]é&|?:!-]{0,30}") {
        if let Err(problems) = parse(&text) {
            prop_assert!(!problems.is_empty());
            for problem in problems {
                prop_assert!(problem.range.start <= problem.range.end);
                prop_assert!(text.get(problem.range.start as usize..problem.range.end as usize).is_some());
            }
        }
    }
}
