//! A small file against the model that a person would write for it.

use super::*;
use crate::kernel::dist::Dist;
use crate::kernel::sample::Share;
use crate::kernel::time::{Span, Time};
use crate::model::client::{Arrival, ClientGroup, Generator};
use crate::model::expr::{BinaryOp, EventField, Expr, ExprKind};
use crate::model::flow::{Call, Subscriber, Target, Topic};
use crate::model::ids::{ColumnId, OpId, ServiceId, TableId, TopicId};
use crate::model::service::*;
use crate::model::value::{NULL, Type, Word};
use crate::model::weather::{
    Downtime, Fault, FaultVerb, Link, Messages, Moment, Place, Point, PointKind, Subject, Weather,
};

const TEXT: &str = r#"{
  "services": {
    "bank": {
      "tables": { "accounts": { "rows": { "7": { "balance": 100, "name": "ana" } } }, "moves": { "unique": ["event"] } },
      "operations": {
        "pay": {
          "args": ["who", "sum"],
          "let": { "left": "accounts[who].balance - sum" },
          "require": { "poor": "left >= 0" },
          "think": "1ms..2ms",
          "set": { "accounts[who].balance": "left", "accounts[ who ].name": "'x'" },
          "publish": { "paid": { "sum": "sum" } }
        },
        "note": { "on": "paid", "args": ["sum", "tip"], "insert": { "moves[]": { "sum": "sum", "event": "event.id" } },
                  "delete": "moves.filter(m, m.sum < sum)" }
      }
    }
  },
  "clients": { "shop": { "count": 2, "intents": 3, "does": "bank.pay(7, n)", "with": { "n": "uniform(1, 9)" }, "every": "4ms" } },
  "weather": {
    "latency": { "shop -> bank": "2ms", "*": "exp 1ms" },
    "faults": [
      { "lose": "request *", "when": "intent == 2", "nth": 2, "chance": "0.5%" },
      { "crash": "bank", "after": "commit bank.pay", "for": "ever", "during": "0ms..9ms" }
    ],
    "heal": "10ms"
  }
}"#;

fn expr(kind: ExprKind, ty: Type) -> Expr {
    Expr::new(kind, ty, 0..0)
}

fn local(slot: u16) -> Expr {
    expr(ExprKind::Local(slot), Type::Int)
}

fn number(n: Word) -> Expr {
    Expr::constant(n, Type::Int)
}

fn binary(op: BinaryOp, left: Expr, right: Expr, ty: Type) -> Expr {
    expr(ExprKind::Binary(op, Box::new(left), Box::new(right)), ty)
}

fn slots(names: &[(&str, Type)]) -> Vec<Slot> {
    names.iter().map(|(name, ty)| Slot { name: (*name).into(), ty: ty.clone() }).collect()
}

fn column(name: &str, ty: Type) -> Column {
    Column { name: name.into(), ty, default: NULL }
}

#[test]
fn services_and_tables_are_as_written() {
    let scenario = good(TEXT);
    let model = &scenario.cases[0].strategies[0].model;
    let bank = Service {
        name: "bank".into(),
        replicas: 1,
        route: Route::RoundRobin,
        external: false,
        statement: Span(100_000),
        tables: vec![TableId(0), TableId(1)],
        operations: vec![OpId(0), OpId(1)],
        host: None,
    };
    assert_eq!(model.services, [bank]);
    // After the engine's reasons and `refused`: the data, then what operations say.
    assert_eq!((model.symbols.find("ana"), model.symbols.find("poor")), (Some(6), Some(7)));
    let accounts = Table {
        name: "accounts".into(),
        service: ServiceId(0),
        columns: vec![column("id", Type::Int), column("balance", Type::Int), column("name", Type::Text)],
        rows: vec![Row { cells: vec![7, 100, 6], times: 1 }],
        unique: vec![],
        first_fresh: 8,
        kept: false,
    };
    let moves = Table {
        name: "moves".into(),
        service: ServiceId(0),
        columns: vec![column("id", Type::Int), column("sum", Type::Int), column("event", Type::Int)],
        rows: vec![],
        unique: vec![vec![ColumnId(2)]],
        first_fresh: 1,
        kept: false,
    };
    assert_eq!(model.tables, [accounts, moves]);
}

#[test]
fn operations_have_their_phases_and_one_write_a_row() {
    let scenario = good(TEXT);
    let model = &scenario.cases[0].strategies[0].model;
    let balance = ExprKind::Cell { table: TableId(0), key: Box::new(local(0)), column: ColumnId(1) };
    let left = binary(BinaryOp::Sub, expr(balance, Type::Int), local(1), Type::Int);
    let text = model.symbols.find("x").unwrap();
    let pay = Operation {
        name: "pay".into(),
        service: ServiceId(0),
        by: By::Owner,
        on: None,
        args: 2,
        slots: slots(&[("who", Type::Int), ("sum", Type::Int), ("left", Type::Int)]),
        parts: vec![Part {
            lets: vec![(2, left)],
            skip: None,
            require: vec![Require { reason: 7, that: binary(BinaryOp::Ge, local(2), number(0), Type::Bool) }],
            think: Think::Time(Dist::Range { low: Span(1_000_000), high: Span(2_000_000) }),
            effects: Effects {
                writes: vec![Write {
                    table: TableId(0),
                    at: Address::Key(local(0)),
                    verb: Verb::Set,
                    values: vec![(ColumnId(1), local(2)), (ColumnId(2), Expr::constant(text, Type::Text))],
                }],
                publish: vec![Publish { topic: TopicId(0), fields: vec![(0, local(1))] }],
            },
        }],
        otherwise: Effects::default(),
        reply: None,
        hosted: false,
    };
    assert_eq!(model.operations[0], pay);
    let row = ExprKind::RowVar { var: 0, table: TableId(1), column: ColumnId(1) };
    let smaller = binary(BinaryOp::Lt, expr(row, Type::Int), local(0), Type::Bool);
    let note = Operation {
        name: "note".into(),
        service: ServiceId(0),
        by: By::Owner,
        on: Some(TopicId(0)),
        args: 2,
        slots: slots(&[("sum", Type::Int), ("tip", Type::Null)]),
        parts: vec![Part {
            effects: Effects {
                writes: vec![
                    Write {
                        table: TableId(1),
                        at: Address::Fresh,
                        verb: Verb::Insert,
                        values: vec![
                            (ColumnId(1), local(0)),
                            (ColumnId(2), expr(ExprKind::EventField(EventField::Id), Type::Int)),
                        ],
                    },
                    Write {
                        table: TableId(1),
                        at: Address::Matching(smaller),
                        verb: Verb::Delete,
                        values: vec![],
                    },
                ],
                publish: vec![],
            },
            ..Part::default()
        }],
        otherwise: Effects::default(),
        reply: None,
        hosted: false,
    };
    assert_eq!(model.operations[1], note);
    let paid = Topic {
        name: "paid".into(),
        fields: slots(&[("sum", Type::Int), ("tip", Type::Null)]),
        key: None,
        subscribers: vec![Subscriber { target: Target::Op(OpId(1)), args: vec![Some(0), Some(1)] }],
    };
    assert_eq!(model.topics, [paid]);
}

#[test]
fn clients_and_weather_are_as_written() {
    let scenario = good(TEXT);
    let model = &scenario.cases[0].strategies[0].model;
    let shop = ClientGroup {
        name: "shop".into(),
        count: 2,
        intents: 3,
        does: vec![(Call { target: Target::Op(OpId(0)), args: vec![number(7), local(0)] }, 1)],
        slots: slots(&[("n", Type::Int), ("client", Type::Int), ("intent", Type::Int)]),
        with: vec![Generator::Uniform(1, 9)],
        start: Dist::ZERO,
        arrival: Arrival::Open(Dist::Fixed(Span(4_000_000))),
        script: vec![],
    };
    assert_eq!(model.groups, [shop]);
    let any = Link { from: vec![Place::Any], to: vec![Place::Any], both: false };
    let way = Link {
        from: vec![Place::Group(crate::model::ids::GroupId(0))],
        to: vec![Place::Service(ServiceId(0))],
        both: false,
    };
    let ids = |at: usize| model.weather.faults[at].identity;
    let lose = Fault {
        text: r#"{ "lose": "request *", "when": "intent == 2", "nth": 2, "chance": "0.5%" }"#.into(),
        identity: ids(0),
        verb: FaultVerb::Lose(Messages::At(Point { kind: PointKind::Request, of: Subject::Any })),
        nth: vec![2],
        chance: Share::fixed(5_000),
        when: Some(binary(BinaryOp::Eq, local(1), number(2), Type::Bool)),
        when_args: 0,
        during: None,
    };
    let crash = Fault {
        text: r#"{ "crash": "bank", "after": "commit bank.pay", "for": "ever", "during": "0ms..9ms" }"#
            .into(),
        identity: ids(1),
        verb: FaultVerb::Crash(
            Place::Service(ServiceId(0)),
            Moment::After(Point { kind: PointKind::Commit, of: Subject::Op(OpId(0)) }),
            Downtime::Ever,
        ),
        nth: vec![],
        chance: Share::ALL,
        when: None,
        when_args: 0,
        during: Some((Time(0), Time(9_000_000))),
    };
    let weather = Weather {
        latency: vec![
            (any, Dist::Exp { mean: Span::MILLISECOND, cap: None }),
            (way, Dist::Fixed(Span(2_000_000))),
        ],
        faults: vec![lose, crash],
        heal: Time(10_000_000),
        end: Time(60_010_000_000),
        swarm: false,
        seed: None,
        script: None,
    };
    assert_eq!(model.weather, weather);
}
