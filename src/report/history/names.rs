//! The names of a scene as they stand in JSON: each is made up and escaped once a run, since a history says the same few
//! names in every line. Where the quote behind a name always follows, it is part of the piece.

use std::collections::BTreeMap;

use super::pen::Piece;
use crate::model::flow::Flow;
use crate::model::ids::{FlowId, TableId};
use crate::model::record::FLOW;
use crate::model::value::{NULL, Type, Word};
use crate::report::scene::Scene;
use crate::report::study::is_topic;
use crate::report::words::safe;

/// The greatest symbol whose text is kept.
const MOST_TEXTS: usize = 1 << 16;

/// A table.
#[derive(Debug)]
pub(super) struct Table<'a> {
    /// `service.table"`
    pub(super) name: Piece,
    pub(super) columns: Vec<Column<'a>>,
    /// The columns in the order of their names, as a map has them.
    pub(super) by_name: Vec<usize>,
    /// The rows by slot, as far as they were asked for; those that never were share the place behind the last.
    rows: Vec<Option<Piece>>,
}

/// A column.
#[derive(Debug)]
pub(super) struct Column<'a> {
    /// Its name as people are shown it.
    pub(super) name: Piece,
    /// The same without dots before it.
    pub(super) trimmed: Piece,
    /// The same with the quote behind it.
    pub(super) quoted: Piece,
    /// `"name":`
    pub(super) key: Piece,
    pub(super) ty: &'a Type,
}

/// All names.
#[derive(Debug)]
pub(super) struct Names<'a> {
    unknown: Piece,
    weather: Piece,
    nodes: Vec<Piece>,
    first_client: Option<u32>,
    /// `service.operation"`
    operations: Vec<Piece>,
    short_operations: Vec<Piece>,
    flows: Vec<Piece>,
    topics: Vec<Piece>,
    rules: Vec<Piece>,
    pub(super) tables: Vec<Table<'a>>,
    /// The texts of symbols, as far as they were asked for.
    texts: Vec<Option<Piece>>,
}

/// A text as it stands between the quotes of JSON.
pub(super) fn escaped(text: &str) -> String {
    // A text always serialises, and has two quotes.
    let quoted = serde_json::to_string(text).unwrap_or_default();
    quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().to_owned()
}

/// The same with the quote behind it.
fn quoted(text: &str) -> Piece {
    Piece::of(&(escaped(text) + "\""))
}

fn all<T>(count: usize, name: impl Fn(usize) -> T) -> Vec<T> {
    (0..count).map(name).collect()
}

impl<'a> Names<'a> {
    pub(super) fn of(scene: &Scene<'a>) -> Names<'a> {
        let model = scene.model;
        let flows: &[Flow] = &model.flows;
        Names {
            unknown: quoted("?"),
            weather: quoted("weather"),
            nodes: all(scene.nodes.count as usize, |n| quoted(&scene.node(n as u32))),
            first_client: scene.nodes.clients.first().copied(),
            operations: all(model.operations.len(), |n| quoted(&scene.target(n as u16))),
            short_operations: all(model.operations.len(), |n| quoted(&scene.short_target(n as u16))),
            flows: all(flows.len(), |n| quoted(&scene.flow(FlowId(n as u16)))),
            topics: all(model.topics.len(), |n| quoted(&safe(&model.topics[n].name))),
            rules: all(model.weather.faults.len(), |n| quoted(&scene.rule(n as u64))),
            tables: all(model.tables.len(), |n| Table::of(scene, TableId(n as u16))),
            texts: Vec::new(),
        }
    }

    pub(super) fn node(&self, node: u32) -> &Piece {
        self.nodes.get(node as usize).unwrap_or(&self.unknown)
    }

    pub(super) fn client(&self, client: u32) -> &Piece {
        self.first_client.map_or(&self.unknown, |first| self.node(first.saturating_add(client)))
    }

    pub(super) fn target(&self, word: u16) -> &Piece {
        self.executed(&self.operations, word)
    }

    pub(super) fn subject(&self, point: u8, op: u16) -> &Piece {
        match self.topics.get(usize::from(op)) {
            Some(name) if is_topic(point) => name,
            _ => self.executed(&self.short_operations, op),
        }
    }

    fn executed<'n>(&'n self, operations: &'n [Piece], word: u16) -> &'n Piece {
        let of = if word & FLOW == 0 { operations } else { &self.flows };
        of.get(usize::from(word & !FLOW)).unwrap_or(&self.unknown)
    }

    pub(super) fn rule(&self, number: u64) -> &Piece {
        let rule = usize::try_from(number).ok().and_then(|n| self.rules.get(n));
        rule.unwrap_or(&self.weather)
    }

    /// A row, without the quote: `wallet.accounts['ana']`.
    pub(super) fn row(&mut self, scene: &Scene<'_>, table: TableId, slot: u32) -> &Piece {
        let slot = slot.min(scene.slots(table));
        let rows = &mut self.tables[table.index()].rows;
        if rows.len() <= slot as usize {
            rows.resize(slot as usize + 1, None);
        }
        rows[slot as usize].get_or_insert_with(|| Piece::of(&escaped(&scene.row(table, slot, false))))
    }

    /// The text of a symbol or a generated name.
    pub(super) fn text(&mut self, scene: &Scene<'_>, word: Word, put: impl FnOnce(&Piece)) {
        match usize::try_from(word) {
            Ok(symbol) if symbol < MOST_TEXTS => {
                if self.texts.len() <= symbol {
                    self.texts.resize(symbol + 1, None);
                }
                put(self.texts[symbol].get_or_insert_with(|| quoted(&scene.text(word))));
            }
            _ => put(&quoted(&scene.text(word))),
        }
    }
}

impl<'a> Table<'a> {
    fn of(scene: &Scene<'a>, table: TableId) -> Table<'a> {
        let of = scene.model.table(table);
        let columns = of.columns.iter().enumerate().map(|(n, column)| {
            let name = scene.column(table, n);
            Column {
                name: Piece::of(&escaped(&name)),
                trimmed: Piece::of(&escaped(name.trim_start_matches('.'))),
                quoted: quoted(&name),
                key: Piece::of(&format!("\"{}\":", escaped(&column.name))),
                ty: &column.ty,
            }
        });
        let by_name: BTreeMap<&str, usize> =
            of.columns.iter().enumerate().map(|(n, column)| (column.name.as_str(), n)).collect();
        Table {
            name: quoted(&scene.model.table_name(table)),
            columns: columns.collect(),
            by_name: by_name.into_values().collect(),
            rows: Vec::new(),
        }
    }
}

/// Whether a value is shown by its number alone.
pub(super) fn is_number(ty: &Type, word: Word) -> bool {
    word != NULL && matches!(ty, Type::Int | Type::Null)
}
