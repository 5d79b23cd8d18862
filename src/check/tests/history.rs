//! The history of rows held against a plain one that keeps the cells of all versions and looks through them.

use proptest::prelude::*;

use super::super::finding::{Act, Party};
use super::super::history::{By, DEPTH, History, Loss};
use super::super::testing::{PEOPLE, model};
use crate::kernel::path::Path;
use crate::kernel::time::Time;
use crate::model::record::{Kind, Masks, NONE, Record, StepRole, install, step_word};
use crate::model::value::{NULL, Word};
use crate::store::Tables;

/// A version with what the row held from then on.
struct Version {
    ver: u32,
    base: u32,
    masks: Masks,
    flag: u8,
    cells: Option<Vec<Word>>,
    act: Act,
}

/// The remembered versions of one row, and what it held before.
struct Plain {
    floor: Option<Vec<Word>>,
    versions: Vec<Version>,
}

impl Plain {
    fn forget(&mut self) {
        self.floor = self.versions.remove(0).cells;
    }

    /// Overlaps, and the loss if there is anything that the writer had not seen.
    fn install(&mut self, new: Version, oldest: Time) -> (u32, Option<Loss>) {
        while self.versions.first().is_some_and(|first| first.act.at < oldest) {
            self.forget();
        }
        let said = self.said(&new);
        if self.versions.len() == DEPTH {
            self.forget();
        }
        self.versions.push(new);
        said
    }

    fn said(&self, new: &Version) -> (u32, Option<Loss>) {
        let unseen = |version: &&Version| new.base != NONE && version.ver > new.base;
        let skipped: Vec<&Version> = self.versions.iter().filter(unseen).collect();
        let Some(last) = skipped.last() else { return (0, None) };
        let own = |version: &Version| version.act.path == new.act.path;
        let alike = |version: &Version| own(version) || version.act.effect == new.act.effect;
        let noop = |version: &Version| version.flag & install::NOOP != 0;
        let overlaps = skipped.iter().filter(|version| version.base != NONE && !own(version)).count() as u32;
        let from_read = new.masks.rmw | new.masks.carried;
        let stale = from_read != 0 && skipped.iter().any(|version| !noop(version) && !alike(version));
        let mut loss = Loss { stale, columns: 0, victim: (last.ver, last.act), victims: 0 };
        let place = self.versions.len() - skipped.len();
        let seen = if place == 0 { &self.floor } else { &self.versions[place - 1].cells };
        if *seen == last.cells {
            return (overlaps, Some(loss));
        }
        let undone = |version: &Version| {
            let opposite = match version.act.step {
                Some((step, StepRole::Action)) => (step, StepRole::Undo),
                Some((step, StepRole::Undo)) => (step, StepRole::Action),
                None => return false,
            };
            skipped.iter().any(|other| {
                (other.act.instance, other.act.party.serial)
                    == (version.act.instance, version.act.party.serial)
                    && other.act.step == Some(opposite)
                    && (other.ver > version.ver) == (opposite.1 == StepRole::Undo)
            })
        };
        for (at, version) in skipped.iter().enumerate().rev() {
            let recreated = skipped[at + 1..].iter().any(|later| later.flag & install::CREATE != 0);
            let deleted = version.flag & install::DELETE != 0;
            let columns = match deleted && !recreated && new.flag & install::DELETE == 0 {
                true => u32::MAX,
                false => version.masks.set & from_read,
            };
            if columns != 0 && !noop(version) && !alike(version) && !undone(version) {
                if loss.victims == 0 {
                    loss.victim = (version.ver, version.act);
                }
                loss.victims += 1;
                loss.columns |= columns;
            }
        }
        (overlaps, Some(loss))
    }
}

/// One install: its row, who writes, how many versions it missed if it read at all, its three masks, what it does, the
/// new value, its step, how time goes on, and how old the oldest open intent is.
type Install = (u32, u32, Option<u32>, [u32; 3], u8, usize, Option<(u8, bool)>, u64, u64);

fn installs() -> impl Strategy<Value = Vec<Install>> {
    let one = (
        0u32..2,
        0u32..4,
        prop::option::of(0u32..6),
        prop::array::uniform3(0u32..8),
        0u8..8,
        0usize..9,
        prop::option::of((0u8..2, any::<bool>())),
        0u64..3,
        0u64..40,
    );
    prop::collection::vec(one, 1..250)
}

proptest! {
    /// Two runs, one after the other, with intents that are soon gone and then with some that stay for long, where rows
    /// get more versions than are remembered.
    #[test]
    fn agrees_with_a_list_of_all_versions(
        runs in prop::collection::vec(installs(), 2..3),
        wraps in any::<bool>(),
    ) {
        let model = std::sync::Arc::new(model());
        let mut histories = [History::new(&model, true), History::new(&model, false)];
        let start = Tables::of(&model);
        for (patience, steps) in [1, 60].into_iter().zip(runs) {
            histories.iter_mut().for_each(if wraps { History::wrap } else { History::reset });
            let mut tables = Tables::of(&model);
            let cells = |tables: &Tables, row: u32| {
                let table = tables.table(PEOPLE);
                let live = row < table.slots() && table.meta(row).live;
                live.then(|| table.cells(row).to_vec())
            };
            let mut plain: Vec<Plain> = (0..2)
                .map(|row| Plain { floor: cells(&start, row), versions: Vec::new() })
                .collect();
            let (mut now, mut oldest) = (0, 0);
            for (row, writer, missed, [set, rmw, carried], does, value, step, more, age) in steps {
                now += more;
                oldest = oldest.max(u64::saturating_sub(now, age * patience));
                let key = Word::from(row) + 1;
                let table = tables.table_mut(PEOPLE);
                let created = table.find(key).is_none();
                prop_assert_eq!(table.slot(key), row);
                // A null differs from 0 in its top bit alone, which a product passes on as it is.
                let values = [[0, 1, NULL][value % 3], [0, 1 << 28, 7][value / 3]];
                let ver = table.install(row, (does != 1).then_some(&[key, values[0], values[1]]));
                let flag = match (does, created) {
                    (0, _) => install::NOOP,
                    (1, _) => install::DELETE,
                    (_, true) => install::CREATE,
                    _ => 0,
                };
                let masks = Masks { set, rmw, carried };
                let base = missed.map_or(NONE, |missed| (ver - 1).saturating_sub(missed));
                let commit = Record {
                    at: Time(now),
                    path: Path(1 + u64::from(writer)),
                    data: u64::from(writer / 2),
                    ver: 1,
                    op: 0,
                    flag: 0,
                    kind: Kind::Commit,
                    client: writer,
                    who: writer / 3,
                    row: step.map_or(NONE, |(step, undo)| {
                        step_word(step, if undo { StepRole::Undo } else { StepRole::Action })
                    }),
                    intent: writer,
                };
                let by = By { commit, party: Party { serial: writer / 2, ..Party::NOBODY } };
                let record =
                    Record { kind: Kind::Install, op: PEOPLE.0, row, ver, who: base, data: masks.pack(), flag, ..commit };
                let new = Version { ver, base, masks, flag, cells: cells(&tables, row), act: by.act() };
                let expected = plain[row as usize].install(new, Time(oldest));
                let [exact, counting] = histories.each_mut().map(|history| {
                    let overlaps = history.install(&record, &by, &[], Time(oldest), &tables);
                    (overlaps, history.loss().copied())
                });
                prop_assert_eq!(exact, expected);
                prop_assert_eq!(counting, (expected.0, None));
            }
        }
    }
}
