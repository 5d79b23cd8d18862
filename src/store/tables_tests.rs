//! Rows, keys, versions and unique values of tables, held against plain walks.

use super::*;
use proptest::prelude::*;

fn table(width: usize) -> TableState {
    TableState {
        width,
        next_fresh: 1,
        unique: vec![(vec![ColumnId(1)], Index::default())],
        ..TableState::default()
    }
}

fn put(table: &mut TableState, key: Word, value: Word) -> u32 {
    let slot = table.slot(key);
    table.install(slot, Some(&[key, value]))
}

#[test]
fn rows_come_in_key_order_however_they_were_inserted() {
    let mut table = table(2);
    for key in [5, 1, 9, 3] {
        put(&mut table, key, key * 10);
    }
    let mut keys = Vec::new();
    let mut at = None;
    while let Some(slot) = table.next_row(at) {
        keys.push(table.cells(slot)[0]);
        at = Some(slot);
    }
    assert_eq!(keys, [1, 3, 5, 9]);
}

proptest! {
    /// Consecutive keys, gaps, keys before the first and the greatest of all: each is found in the slot that it was given.
    #[test]
    fn a_key_is_found_where_it_was_put(
        from in prop_oneof![Just(1i64), Just(-2), Just(Word::MAX - 3), Just(NULL + 1)],
        steps in prop::collection::vec(0i64..9, 1..40),
    ) {
        let mut table = table(2);
        let mut plain: Vec<Word> = Vec::new();
        for step in steps {
            let key = from.wrapping_add(step);
            if key == NULL {
                continue;
            }
            let at = plain.iter().position(|&known| known == key);
            prop_assert_eq!(table.known(key), at.map(|at| at as u32));
            if at.is_none() {
                plain.push(key);
            }
            prop_assert_eq!(table.slot(key) as usize, at.unwrap_or(plain.len() - 1));
        }
    }
}

fn keys(table: &TableState) -> Vec<Word> {
    let rows = std::iter::successors(table.next_row(None), |&slot| table.next_row(Some(slot)));
    rows.map(|slot| table.cells(slot)[0]).collect()
}

proptest! {
    #[test]
    fn key_order_does_not_depend_on_when_it_is_made(added in prop::collection::vec((-50i64..50, any::<bool>()), 1..60)) {
        let mut table = table(2);
        let mut plain = std::collections::BTreeSet::new();
        for (key, sorts) in added {
            if plain.insert(key) {
                put(&mut table, key, key);
            }
            if sorts {
                table.sort();
            }
            prop_assert_eq!(keys(&table), plain.iter().copied().collect::<Vec<_>>());
        }
    }
}

proptest! {
    /// In order or not, put in order or not, with rows that are gone and values that come often.
    #[test]
    fn rows_with_a_word_are_those_that_a_walk_finds(
        rows in prop::collection::vec((0i64..30, 0i64..4, any::<bool>()), 0..60),
        sorted: bool,
        word in 0i64..4,
        key in 0i64..30,
    ) {
        let mut table = table(3);
        for (key, value, live) in rows {
            let slot = table.slot(key);
            table.install(slot, live.then_some(&[key, key, value]));
        }
        if sorted {
            table.sort();
        }
        for (column, word) in [(2, word), (0, key)] {
            let walked: Vec<u32> = std::iter::successors(table.next_row(None), |&at| table.next_row(Some(at)))
                .filter(|&slot| table.cells(slot)[usize::from(column)] == word)
                .collect();
            let first = table.next_row_where(None, column, word);
            let found = std::iter::successors(first, |&at| table.next_row_where(Some(at), column, word));
            prop_assert_eq!(found.collect::<Vec<_>>(), walked);
        }
    }
}

#[test]
fn rows_that_nobody_goes_through_are_not_put_in_order() {
    let mut table = table(2);
    for key in (0..10_000).rev() {
        put(&mut table, key, 10_000 + key);
    }
    assert!(table.order.is_empty());
    table.sort();
    assert_eq!(table.order.len(), 10_000);
    assert_eq!(table.next_row(None), Some(9_999));
}

#[test]
fn rows_without_a_unique_value_are_filed_nowhere() {
    let mut table = table(2);
    for key in 0..100 {
        put(&mut table, key, NULL);
    }
    let filed = |table: &TableState| table.unique[0].1.len();
    assert_eq!(filed(&table), 0);
    put(&mut table, 7, 1);
    assert_eq!(filed(&table), 1);
    assert_eq!(table.unique_clash(0, &[8, 1], table.find(8)), table.find(7));
    put(&mut table, 7, NULL);
    assert_eq!(filed(&table), 0);
}

#[test]
fn versions_outlive_a_deletion() {
    let mut table = table(2);
    assert_eq!(put(&mut table, 7, 1), 1);
    let slot = table.find(7).unwrap();
    assert_eq!(table.install(slot, None), 2);
    assert_eq!(table.find(7), None);
    assert_eq!(put(&mut table, 7, 2), 3);
    assert_eq!(table.find(7), Some(slot));
}

#[test]
fn a_unique_value_is_free_again_when_its_row_changes_or_goes() {
    let mut table = table(2);
    put(&mut table, 1, 40);
    put(&mut table, 2, 41);
    assert_eq!(table.unique_clash(0, &[3, 40], None), table.find(1));
    assert_eq!(table.unique_clash(0, &[1, 40], table.find(1)), None);
    put(&mut table, 1, 42);
    assert_eq!(table.unique_clash(0, &[3, 40], None), None);
    let slot = table.find(2).unwrap();
    table.install(slot, None);
    assert_eq!(table.unique_clash(0, &[3, 41], None), None);
    assert_eq!(table.unique_clash(0, &[3, NULL], None), None);
    assert!(table.shares(0, &[3, 41], &[4, 41]) && !table.shares(0, &[3, 41], &[4, 40]));
    assert!(!table.shares(0, &[3, NULL], &[4, NULL]));
}

#[test]
fn a_reset_table_equals_its_template() {
    let mut template = table(2);
    put(&mut template, 4, 1);
    let mut used = template.clone();
    put(&mut used, 2, 5);
    put(&mut used, 4, 6);
    used.fresh_key();
    used.reset(&template);
    assert_eq!(used, template);
    assert_eq!(keys(&used), [4]);
    assert_eq!(used.next_row(None), template.find(4));
    assert_eq!(used.find(2), None);
}
