//! The engine on a model made by hand: two clients add to one counter. What the rows hold at rest is worked out on paper.

use std::sync::Arc;

use super::{Ended, Runner};
use crate::kernel::dist::Dist;
use crate::kernel::sample::Share;
use crate::kernel::time::{Span, Time};
use crate::model::Model;
use crate::model::client::{Arrival, ClientGroup};
use crate::model::expr::{BinaryOp, Expr, ExprKind};
use crate::model::flow::{Call, Target};
use crate::model::how::*;
use crate::model::ids::{ColumnId, GroupId, OpId, ServiceId, TableId};
use crate::model::plan::End;
use crate::model::record::{Kind, Record};
use crate::model::service::*;
use crate::model::symbols::Symbols;
use crate::model::value::{Type, Word};
use crate::model::weather::*;
use crate::store::{Sink, Tables};
use crate::strategy;

fn integer(word: Word) -> Expr {
    Expr::constant(word, Type::Int)
}

fn cell() -> Expr {
    let kind = ExprKind::Cell { table: TableId(0), key: Box::new(integer(1)), column: ColumnId(1) };
    Expr::new(kind, Type::Int, 0..0)
}

/// `clients` clients with `intents` intents each: `counter[1].n = counter[1].n + 1`.
fn counter(clients: u32, intents: u32, by: By, faults: Vec<Fault>) -> Arc<Model> {
    let any = Link { from: vec![Place::Any], to: vec![Place::Any], both: false };
    let more = ExprKind::Binary(BinaryOp::Add, Box::new(cell()), Box::new(integer(1)));
    let write = Write {
        table: TableId(0),
        at: Address::Key(integer(1)),
        verb: Verb::Set,
        values: vec![(ColumnId(1), Expr::new(more, Type::Int, 0..0))],
    };
    let part = Part { effects: Effects { writes: vec![write], publish: Vec::new() }, ..Part::default() };
    let column = |name: &str| Column { name: name.into(), ty: Type::Int, default: 0 };
    Arc::new(Model {
        symbols: Symbols::default(),
        services: vec![Service {
            name: "counts".into(),
            replicas: 1,
            route: Route::RoundRobin,
            external: false,
            statement: Span::micros(100),
            tables: vec![TableId(0)],
            operations: vec![OpId(0)],
            host: None,
        }],
        tables: vec![Table {
            name: "counter".into(),
            service: ServiceId(0),
            columns: vec![column("id"), column("n")],
            rows: vec![Row { cells: vec![1, 0], times: 1 }],
            unique: Vec::new(),
            first_fresh: 2,
            kept: false,
        }],
        operations: vec![Operation {
            name: "add".into(),
            service: ServiceId(0),
            by,
            on: None,
            args: 0,
            slots: Vec::new(),
            parts: vec![part],
            otherwise: Effects::default(),
            reply: Some(cell()),
            hosted: false,
        }],
        flows: Vec::new(),
        topics: Vec::new(),
        groups: vec![ClientGroup {
            name: "adders".into(),
            count: clients,
            intents,
            does: vec![(Call { target: Target::Op(OpId(0)), args: Vec::new() }, 1)],
            slots: Vec::new(),
            with: Vec::new(),
            start: Dist::ZERO,
            arrival: Arrival::Closed(Dist::ZERO),
            script: Vec::new(),
        }],
        weather: Weather {
            latency: vec![(any, Dist::Range { low: Span::millis(1), high: Span::millis(3) })],
            faults,
            heal: Time(1_000_000_000),
            end: Time(61_000_000_000),
            swarm: false,
            seed: None,
            script: None,
        },
    })
}

/// The counter with some other weather.
pub(super) fn plan_with(faults: Vec<Fault>, latency: Vec<(Link, Dist)>) -> crate::model::plan::Plan {
    let mut model = Arc::unwrap_or_clone(counter(3, 3, By::Owner, faults));
    model.weather.latency.extend(latency);
    strategy::compile(&Arc::new(model), &how(occ(OnConflict::Redo), By::Owner, key())).expect("a plan")
}

fn how(write: WritePolicy, by: By, idempotency: Idempotency) -> How {
    let retry = Retry {
        timeout: Span::millis(40),
        attempts: None,
        on_timeout: OnTimeout::Resend,
        backoff: Backoff::None,
        first: Span::ZERO,
        factor: 2,
        cap: Span::MAX,
        jitter: Jitter::None,
        give_up_on_refusals: true,
        late: Late::Ignore,
    };
    How {
        name: "tried".into(),
        operations: vec![OperationHow {
            write,
            by,
            store: StoreLevel::ReadCommitted,
            idempotency,
            publish: PublishPolicy::AfterCommit,
        }],
        flows: Vec::new(),
        retries: vec![(RetryScope::All, retry)],
        own: None,
    }
}

fn key() -> Idempotency {
    Idempotency::Key(Box::new(KeyPolicy {
        source: KeySource::Intent,
        store: KeyStore::With,
        same_key: SameKey::Replay,
        busy: Busy::Wait,
        busy_for: Span::MAX,
        ttl: Span::MAX,
        memory: KeyMemory::Shared,
        keep: Keep::Any,
    }))
}

fn occ(on_conflict: OnConflict) -> WritePolicy {
    WritePolicy::Occ(Occ { scope: OccScope::Row, on_conflict, tries: None })
}

fn lose(kind: PointKind, chance: u32) -> Fault {
    Fault {
        text: "lose".into(),
        identity: kind as u64 + 1,
        verb: FaultVerb::Lose(Messages::At(Point { kind, of: Subject::Any })),
        nth: Vec::new(),
        chance: Share::fixed(chance),
        when: None,
        when_args: 0,
        during: None,
    }
}

#[test]
fn rules_that_never_hit_change_nothing_however_many_there_are() {
    let with = |more: Vec<Fault>| {
        let faults = [lose(PointKind::Request, 200_000), lose(PointKind::Reply, 200_000)];
        let plan = plan_with(faults.into_iter().chain(more).collect(), Vec::new());
        let mut runner = Runner::new(&plan);
        let seen = |seed| {
            let mut kinds = Kinds::default();
            (runner.run(seed, &mut kinds), kinds.0)
        };
        (0..20).map(seen).collect::<Vec<_>>()
    };
    let never = |n: u64, what| Fault {
        identity: 100 + n,
        verb: FaultVerb::Lose(what),
        ..lose(PointKind::Request, 0)
    };
    let link =
        Link { from: vec![Place::Group(GroupId(0))], to: vec![Place::Service(ServiceId(0))], both: true };
    let of = Point { kind: PointKind::Reply, of: Subject::Op(OpId(0)) };
    let more = (0..40).map(|n| match n % 2 {
        0 => never(n, Messages::On(link.clone())),
        _ => never(n, Messages::At(of)),
    });
    let few = with(Vec::new());
    assert!(few.iter().any(|(_, kinds)| kinds.contains(&Kind::Lost)));
    assert_eq!(with(more.collect()), few);
    // The same rules, always hitting: it does not hold by itself.
    let always = (0..40).map(|n| Fault { chance: Share::fixed(1_000_000), ..never(n, Messages::At(of)) });
    assert_ne!(with(always.collect()), few);
}

#[derive(Default)]
struct Kinds(Vec<Kind>);

impl Sink for Kinds {
    fn record(&mut self, record: &Record, _tables: &mut Tables) {
        self.0.push(record.kind);
    }
}

/// What the counter holds at rest, and what happened, over the seeds.
fn finals(model: &Arc<Model>, how: &How, seeds: u64) -> Vec<(Word, Ended, Kinds)> {
    let plan = strategy::compile(model, how).expect("it can be carried out");
    let mut runner = Runner::new(&plan);
    (0..seeds)
        .map(|seed| {
            let mut kinds = Kinds::default();
            let ended = runner.run(seed, &mut kinds);
            let table = runner.tables().table(TableId(0));
            (table.cells(0)[1], ended, kinds)
        })
        .collect()
}

#[test]
fn one_client_alone_counts_right_under_every_policy() {
    let locked = WritePolicy::Lock { wait: Span::SECOND };
    for by in [By::Owner, By::Caller] {
        let model = counter(1, 5, by, Vec::new());
        for write in [
            WritePolicy::Absolute,
            WritePolicy::Patch,
            WritePolicy::Relative,
            WritePolicy::Guarded,
            occ(OnConflict::Redo),
            locked.clone(),
        ] {
            if by == By::Caller && write == locked {
                // No lock is held while messages are under way: the strategy says that it cannot.
                assert!(strategy::compile(&model, &how(write, by, Idempotency::None)).is_err());
                continue;
            }
            for (n, ended, kinds) in finals(&model, &how(write.clone(), by, Idempotency::None), 5) {
                assert_eq!((n, ended.end), (5, End::Rest), "{write:?} {by:?}");
                assert_eq!(kinds.0.iter().filter(|kind| **kind == Kind::Complete).count(), 5);
                assert_eq!(kinds.0.iter().filter(|kind| **kind == Kind::Settled).count(), 5);
            }
        }
    }
}

#[test]
fn two_clients_lose_updates_when_each_writes_back_what_it_read_long_ago() {
    let model = counter(2, 5, By::Caller, Vec::new());
    let naive = finals(&model, &how(WritePolicy::Absolute, By::Caller, Idempotency::None), 50);
    assert!(naive.iter().all(|(n, ..)| *n >= 5 && *n <= 10));
    assert!(naive.iter().any(|(n, ..)| *n < 10), "they overlap in some seed");
    for write in [WritePolicy::Relative, occ(OnConflict::Redo)] {
        for (n, ended, _) in finals(&model, &how(write.clone(), By::Caller, Idempotency::None), 50) {
            assert_eq!((n, ended.end), (10, End::Rest), "{write:?}");
        }
    }
    // Whoever forces old values through loses what came between, like the naive one.
    let forced = finals(&model, &how(occ(OnConflict::Force), By::Caller, Idempotency::None), 50);
    assert!(forced.iter().any(|(n, ..)| *n < 10));
}

#[test]
fn a_lock_makes_them_wait_and_lose_nothing() {
    let model = counter(4, 5, By::Owner, Vec::new());
    let locked = how(WritePolicy::Lock { wait: Span::SECOND }, By::Owner, Idempotency::None);
    let runs = finals(&model, &locked, 30);
    assert!(runs.iter().all(|(n, ended, _)| *n == 20 && ended.end == End::Rest));
    assert!(runs.iter().any(|(_, _, kinds)| kinds.0.contains(&Kind::LockWait)));
}

#[test]
fn lost_replies_are_counted_twice_without_a_key_and_once_with_it() {
    let model = counter(1, 5, By::Owner, vec![lose(PointKind::Reply, 300_000)]);
    let naive = finals(&model, &how(WritePolicy::Relative, By::Owner, Idempotency::None), 40);
    assert!(naive.iter().all(|(n, ended, _)| *n >= 5 && ended.end == End::Rest));
    assert!(naive.iter().any(|(n, ..)| *n > 5));
    let keyed = finals(&model, &how(WritePolicy::Relative, By::Owner, key()), 40);
    assert!(keyed.iter().all(|(n, ended, _)| *n == 5 && ended.end == End::Rest));
    assert!(keyed.iter().any(|(_, _, kinds)| kinds.0.contains(&Kind::Replay)));
    // The same replies are lost whatever the strategy: a fate has the name of its message.
    for ((_, _, a), (_, _, b)) in naive.iter().zip(&keyed) {
        let lost = |kinds: &Kinds| kinds.0.iter().filter(|kind| **kind == Kind::Lost).count();
        assert_eq!(lost(a), lost(b));
    }
}

#[test]
fn nothing_holds_a_row_or_a_key_at_rest() {
    let faults = vec![lose(PointKind::Request, 100_000), lose(PointKind::Reply, 100_000)];
    let model = counter(4, 10, By::Owner, faults);
    for (n, ended, _) in finals(&model, &how(occ(OnConflict::Redo), By::Owner, key()), 30) {
        assert_eq!(n, 40);
        assert_eq!(ended.remains, super::Remains::default());
    }
}
