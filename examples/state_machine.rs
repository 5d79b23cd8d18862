//! A wallet tested as a state machine, with `proptest-state-machine`: the reference knows what must have been charged, the
//! system is a scenario that grows by one decision a step.
//!
//! A run is a pure function of its scenario, so the state of the system *is* the scenario so far: each step adds an intent or
//! a decision about one by name and runs it anew. What shrinking leaves is a list of steps that a person can read.
//!
//! ```text
//! cargo run --example state_machine
//! ```

use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestError, TestRng, TestRunner};
use proptest_state_machine::ReferenceStateMachine;
#[cfg(test)]
use proptest_state_machine::StateMachineTest;

use halfway::Draft;
use halfway::explore::Prepared;
use halfway::model::ids::TableId;

/// What happens next.
#[derive(Clone, Debug)]
enum Step {
    /// The shop asks for one more charge.
    Order,
    /// The answer to the first attempt at that order is lost.
    LoseReply(usize),
    /// So is the request.
    LoseRequest(usize),
    /// The wallet crashes after it has charged for that order.
    CrashAfter(usize),
}

/// What must be true: every order is charged once.
#[derive(Clone, Debug, Default)]
struct Orders {
    count: usize,
    /// Orders about which something was decided: one thing each is enough.
    struck: Vec<usize>,
}

struct Reference;

impl ReferenceStateMachine for Reference {
    type State = Orders;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Orders> {
        Just(Orders::default()).boxed()
    }

    fn transitions(state: &Orders) -> BoxedStrategy<Step> {
        let open: Vec<usize> = (1..=state.count).filter(|n| !state.struck.contains(n)).collect();
        if open.is_empty() {
            return Just(Step::Order).boxed();
        }
        let order = proptest::sample::select(open);
        prop_oneof![
            3 => Just(Step::Order),
            1 => order.clone().prop_map(Step::LoseRequest),
            1 => order.clone().prop_map(Step::LoseReply),
            1 => order.prop_map(Step::CrashAfter),
        ]
        .boxed()
    }

    fn apply(mut state: Orders, step: &Step) -> Orders {
        match step {
            Step::Order => state.count += 1,
            Step::LoseReply(n) | Step::LoseRequest(n) | Step::CrashAfter(n) => state.struck.push(*n),
        }
        state
    }

    fn preconditions(state: &Orders, step: &Step) -> bool {
        match step {
            Step::Order => true,
            Step::LoseReply(n) | Step::LoseRequest(n) | Step::CrashAfter(n) => {
                *n <= state.count && !state.struck.contains(n)
            }
        }
    }
}

/// The wallet under a strategy, and what was decided so far.
struct Wallet {
    strategy: &'static str,
    orders: usize,
    script: Vec<String>,
}

const WALLET: &str = r#"{
    "services": { "wallet": {
        "tables": { "charges": {} },
        "operations": { "charge": { "args": ["order"], "insert": { "charges[]": { "order": "order" } } } } } },
    "clients": { "shop": { "does": "wallet.charge(order)", "with": { "order": "unique('o')" } } },
    "weather": { "script": [] },
    "strategies": { "*": { "retry": { "timeout": "20ms", "attempts": 3 } }, "naive": {}, "idempotent": {} },
    "invariants": { "once": { "at-most-one": "wallet.charges", "per": "order" } }
}"#;

impl Wallet {
    fn step(mut self, step: &Step) -> Wallet {
        match step {
            Step::Order => self.orders += 1,
            Step::LoseReply(n) => self.script.push(format!("shop.i{n}.a1:reply~1 = lost")),
            Step::LoseRequest(n) => self.script.push(format!("shop.i{n}.a1:request~1 = lost")),
            Step::CrashAfter(n) => {
                self.script.push(format!("shop.i{n}.a1:request after commit = crash wallet for 5ms"));
            }
        }
        self
    }

    /// How many charges there are at the end of the run so far.
    fn charges(&self) -> usize {
        if self.orders == 0 {
            return 0;
        }
        let mut draft = Draft::parse("wallet", WALLET).expect("it is JSON");
        draft.set("/clients/shop/intents", self.orders as i64);
        let lines: Vec<halfway::scenario::json::Json> =
            self.script.iter().map(|line| line.as_str().into()).collect();
        draft.set("/weather/script", halfway::scenario::json::Json::List(lines));
        let scenario = draft.read().unwrap_or_else(|rejected| panic!("{rejected}"));
        let mut strategies = scenario.cases[0].strategies.iter();
        let strategy = strategies.find(|known| known.name == self.strategy).expect("it is declared");
        let replay = Prepared::of(strategy).replay(0).expect("it can be carried out");
        let table = replay.tables.table(TableId(0));
        std::iter::successors(table.next_row(None), |&row| table.next_row(Some(row))).count()
    }
}

/// The idempotent wallet does as the reference does.
#[cfg(test)]
struct Idempotent;

#[cfg(test)]
impl StateMachineTest for Idempotent {
    type SystemUnderTest = Wallet;
    type Reference = Reference;

    fn init_test(_: &Orders) -> Wallet {
        Wallet { strategy: "idempotent", orders: 0, script: Vec::new() }
    }

    fn apply(wallet: Wallet, _: &Orders, step: Step) -> Wallet {
        wallet.step(&step)
    }

    fn check_invariants(wallet: &Wallet, orders: &Orders) {
        assert_eq!(wallet.charges(), orders.count, "{:#?}", wallet.script);
    }
}

/// The fewest steps after which the wallet differs from the reference.
fn fewest(strategy: &'static str) -> Option<Vec<Step>> {
    let settings = ProptestConfig { failure_persistence: None, cases: 100, ..ProptestConfig::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(settings, rng);
    let steps = Reference::sequential_strategy(1..20);
    let run = runner.run(&steps, |(_, steps, seen)| {
        let mut wallet = Wallet { strategy, orders: 0, script: Vec::new() };
        let mut orders = Orders::default();
        for step in &steps {
            // Shrinking leaves out what was never reached.
            if let Some(seen) = &seen {
                seen.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            }
            orders = Reference::apply(orders, step);
            wallet = wallet.step(step);
            prop_assert_eq!(wallet.charges(), orders.count);
        }
        Ok(())
    });
    match run {
        Err(TestError::Fail(_, (_, steps, _))) => Some(steps),
        _ => None,
    }
}

fn main() {
    for strategy in ["naive", "idempotent"] {
        match fewest(strategy) {
            Some(steps) => println!("{strategy}: charges otherwise after {steps:?}"),
            None => println!("{strategy}: charges every order once"),
        }
    }
}

#[test]
fn without_a_key_one_order_and_one_lost_answer_are_enough() {
    let steps = fewest("naive").unwrap();
    assert!(matches!(steps.as_slice(), [Step::Order, Step::LoseReply(1) | Step::CrashAfter(1)]), "{steps:?}");
}

proptest_state_machine::prop_state_machine! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 30, ..ProptestConfig::default() })]

    #[test]
    fn with_a_key_every_order_is_charged_once(sequential 1..12 => Idempotent);
}
