//! Courses of runs for `proptest`: made from seeds in the scenario's own weather, or from faults at points that a run
//! really passes. Both shrink by name.

use std::sync::Arc;

use proptest::prelude::Rng as _;
use proptest::strategy::{NewTree, Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use super::subject::Subject;
use crate::explore::{Course, Prepared, Shrinker};
use crate::kernel::time::Span;

/// A strategy for courses; see [`courses`] and [`scripts`].
#[derive(Clone, Debug)]
pub struct Courses {
    prepared: Arc<Prepared>,
    /// At most so many faults at points; `None`: what the weather brings.
    faults: Option<usize>,
}

/// Runs of random seeds in the weather of the scenario. What breaks is written down as a script and shrinks to fewer
/// intents, fewer faults and shorter times.
#[must_use]
pub fn courses(subject: &Subject) -> Courses {
    Courses { prepared: subject.prepared.clone(), faults: None }
}

/// Runs in calm weather with one to `most` faults at points that the run really passes: messages lost, sent twice or late,
/// nodes that crash or pause at commits and sends, executions that fail. Each is chosen after the run with those before it,
/// so later ones strike what earlier ones bring about. Shrinks as [`courses`] do.
#[must_use]
pub fn scripts(subject: &Subject, most: usize) -> Courses {
    Courses { prepared: subject.prepared.clone(), faults: Some(most.max(1)) }
}

impl Strategy for Courses {
    type Tree = CourseTree;
    type Value = Course;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Self> {
        // A signed word, so that files can hold it.
        let seed = runner.rng().next_u64() >> 1;
        let mut course = Course::of_seed(seed);
        if let Some(most) = self.faults {
            course.script = Some(Vec::new());
            let count = 1 + runner.rng().next_u64() as usize % most;
            for _ in 0..count {
                self.strike(&mut course, runner);
            }
        }
        Ok(CourseTree(Shrinker::new(self.prepared.clone(), course)))
    }
}

impl Courses {
    /// Adds one fault somewhere on the course.
    fn strike(&self, course: &mut Course, runner: &mut TestRunner) {
        const LENGTHS: [u64; 5] = [5, 20, 50, 200, 500];
        let passings = course.passings(&self.prepared);
        if passings.is_empty() {
            return;
        }
        let mut draw = |n: usize| (runner.rng().next_u64() % n as u64) as usize;
        // A few tries: not everything can go wrong everywhere.
        for _ in 0..8 {
            let passing = &passings[draw(passings.len())];
            let span = Span::millis(LENGTHS[draw(LENGTHS.len())]);
            let Some(fault) = passing.fault(draw(4), span, &self.prepared.model) else { continue };
            let script = course.script.get_or_insert_default();
            let known = |one: &crate::model::script::Decision| {
                one.path == fault.path && one.deed.matter() == fault.deed.matter()
            };
            if !script.iter().any(known) {
                script.push(fault);
                return;
            }
        }
    }
}

/// A course and the smaller ones that can be made of it.
#[derive(Clone, Debug)]
pub struct CourseTree(Shrinker);

impl ValueTree for CourseTree {
    type Value = Course;

    fn current(&self) -> Course {
        self.0.current().clone()
    }

    /// The course still fails: it is kept, and a smaller one tried.
    fn simplify(&mut self) -> bool {
        self.0.still_breaks();
        self.0.propose().is_some()
    }

    /// The course does not fail any more: it is dropped, and another one tried.
    fn complicate(&mut self) -> bool {
        self.0.breaks_no_more();
        self.0.propose().is_some()
    }
}
