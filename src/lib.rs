//! halfway finds what your services leave behind when an operation stops halfway.
//!
//! You describe services, the operations between them and the weather – a network that loses, reorders and repeats,
//! crashes, slow links – and it runs them under thousands of seeds and under each strategy you are considering: naive,
//! optimistic concurrency, idempotency keys, sagas. It tells which invariants break and how often, and runs any seed
//! again exactly. A run is a pure function of scenario, strategy and seed.
//!
//! # A scenario in a test
//!
//! A scenario file says what the services do and what must be true; a test says which strategy has to stand it.
//!
//! ```
//! # use halfway::Scenario;
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let order = Scenario::load("scenarios/order-saga.json")?;
//! order.strategy("hardened").seeds(0..50).check()?;
//! # Ok(())
//! # }
//! ```
//!
//! [`Trial::check`] judges as the command `halfway run` does, against what the file expects of the strategy; of one that
//! the file says nothing about, nothing bad is expected. When it fails, its error is the whole report: the matrix, the
//! story of what broke, who sent what to whom, and how to see just that again – `halfway replay … --seed 7` on the command
//! line, `HALFWAY_SEED=7 cargo test …` in the test.
//!
//! # A scenario in Rust
//!
//! Where a file has names, [`build::Builder`] has types. What is built can be written out as a file, and what is written
//! out is read back equal.
//!
//! ```
//! use halfway::build::{Builder, Verdict, always};
//!
//! let b = Builder::new("counter");
//! let site = b.service("site");
//! let pages = site.table("pages");
//! let views = pages.field("views");
//! pages.row("home").with(&views, 0);
//!
//! let view = site.operation("view");
//! let seen = pages.at("home").field(&views);
//! view.set(&seen, &seen + 1);
//!
//! b.clients("readers").count(3).does(view.call(()));
//! let lost = b.must(halfway::build::no_lost_update());
//! b.invariant("counts up", always(seen.ge(0)));
//!
//! let scenario = b.build()?;
//! scenario.strategy("naive").violates("no-lost-update").seeds(0..20).check()?;
//! scenario.strategy("occ").holds("no-lost-update").seeds(0..20).check()?;
//! assert_eq!(b.draft()?.read()?.digest, scenario.digest);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # A scenario as a value
//!
//! A [`Draft`] is what a file says, as a value: take one from a file, change it, read it.
//!
//! ```
//! # use halfway::Draft;
//! let mut draft = Draft::load("scenarios/payment-lost-ack.json")?.as_written();
//! draft.set("/weather/faults/0/chance", "100%");
//! draft.read()?.strategy("idempotent").seeds(0..20).check()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Where to go on
//!
//! | to | read |
//! |---|---|
//! | bring an invariant, a service or a strategy of your own | [`own`] |
//! | run and judge without a test | [`explore::Prepared`], [`explore::sweep`], [`explore::judge`] |
//! | look at one run record by record | [`explore::Prepared::replay`], [`model::record`] |
//! | turn results into text, JSON or JUnit | [`report`] |
//! | know what a strategy can say | [`model::how`] |
//!
//! The levels of the code, lowest first, are [`kernel`], [`model`], [`store`], then [`scenario`], [`strategy`], [`sim`] and
//! [`check`] side by side, then [`build`], [`explore`], [`report`] and [`trial`]. Without default features the command and what
//! it needs – arguments, terminals, signals – stay out.
//!
//! # What a version promises
//!
//! The library, the command with its machine-readable output, the scenario language, and the meaning of a seed follow
//! semantic versioning. What the records of a run hold and how plans are compiled ([`sim`], [`strategy`], [`model::step`]) is
//! open for reading, and changes more freely until 1.0.

pub mod build;
pub mod check;
#[cfg(feature = "cli")]
pub mod cli;
pub mod explore;
pub mod kernel;
pub mod model;
#[cfg(feature = "proptest")]
pub mod prop;
pub mod report;
pub mod scenario;
pub mod sim;
pub mod store;
pub mod strategy;
pub mod trial;

pub use model::invariant::Verdict;
pub use model::own;
pub use scenario::{Draft, Scenario};
pub use trial::{Checked, Failed, Trial};
