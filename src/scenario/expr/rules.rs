//! What an operator asks of types that were not known when it was read. Rules are tried until none makes progress; then
//! the first one takes its default, and so on, so the outcome depends on the order in the file and nothing else.

use super::problem::{Place, Problem};
use super::types::{Scalar, Shape, Ty, Types};
use super::unify::Clash;

/// Something that holds between types.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) kind: RuleKind,
    pub(super) place: Place,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum RuleKind {
    /// `left + right = out`
    Sum { left: Ty, right: Ty, out: Ty },
    /// `left - right = out`
    Difference { left: Ty, right: Ty, out: Ty },
    /// It can be compared with `<`.
    Ordered(Ty),
    /// It can be negated and added up.
    Number(Ty),
}

/// How far a rule got.
enum Step {
    Done,
    Waits,
}

enum Refusal {
    Clash(Clash),
    Said(String),
}

impl From<Clash> for Refusal {
    fn from(clash: Clash) -> Self {
        Refusal::Clash(clash)
    }
}

/// What a shape is to arithmetic.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    Free,
    Int,
    Instant,
    Duration,
    List(Ty),
    Other,
}

impl Types {
    /// Adds a rule, and applies it if it can be applied already.
    pub(super) fn require(&mut self, kind: RuleKind, place: Place) -> Result<(), Problem> {
        let rule = Rule { kind, place };
        match self.attempt(&rule, false)? {
            Step::Done => {}
            Step::Waits => self.waiting.push(rule),
        }
        Ok(())
    }

    /// Decides what is still open, after all expressions of the file were resolved and before the first is finished.
    pub fn settle(&mut self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut rules = std::mem::take(&mut self.waiting);
        loop {
            let before = rules.len();
            rules.retain(|rule| self.still_waits(rule, false, &mut problems));
            if rules.is_empty() {
                return problems;
            }
            if rules.len() == before {
                let first = rules.remove(0);
                self.still_waits(&first, true, &mut problems);
            }
        }
    }

    fn still_waits(&mut self, rule: &Rule, decide: bool, problems: &mut Vec<Problem>) -> bool {
        match self.attempt(rule, decide) {
            Ok(Step::Waits) => true,
            Ok(Step::Done) => false,
            Err(problem) => {
                problems.push(problem);
                false
            }
        }
    }

    fn attempt(&mut self, rule: &Rule, decide: bool) -> Result<Step, Problem> {
        let result = match rule.kind {
            RuleKind::Sum { left, right, out } => self.sum(left, right, out, decide),
            RuleKind::Difference { left, right, out } => self.difference(left, right, out, decide),
            RuleKind::Ordered(ty) => {
                self.one_of(ty, decide, &[Sort::Int, Sort::Instant, Sort::Duration], "order")
            }
            RuleKind::Number(ty) => self.one_of(ty, decide, &[Sort::Int, Sort::Duration], "sum and no sign"),
        };
        result.map_err(|refusal| match refusal {
            Refusal::Clash(clash) => self.explain(clash, &rule.place),
            Refusal::Said(message) => Problem::new(rule.place.clone(), &message),
        })
    }

    fn sort(&self, ty: Ty) -> Sort {
        match self.shape(ty) {
            Shape::Free { .. } => Sort::Free,
            Shape::Scalar(Scalar::Int) => Sort::Int,
            Shape::Scalar(Scalar::Instant) => Sort::Instant,
            Shape::Scalar(Scalar::Duration) => Sort::Duration,
            Shape::List(of) => Sort::List(*of),
            Shape::Scalar(_) | Shape::Record { .. } => Sort::Other,
        }
    }

    fn be(&mut self, ty: Ty, scalar: Scalar) -> Result<(), Clash> {
        let needed = self.scalar(scalar, None);
        self.join(ty, needed)
    }

    fn all_be(&mut self, types: [Ty; 3], scalars: [Scalar; 3]) -> Result<Step, Refusal> {
        for (ty, scalar) in types.into_iter().zip(scalars) {
            self.be(ty, scalar)?;
        }
        Ok(Step::Done)
    }

    fn same(&mut self, left: Ty, right: Ty, out: Ty) -> Result<Step, Refusal> {
        self.join(right, left)?;
        self.join(out, left)?;
        Ok(Step::Done)
    }

    fn one_of(&mut self, ty: Ty, decide: bool, sorts: &[Sort], lacks: &str) -> Result<Step, Refusal> {
        match self.sort(ty) {
            Sort::Free if !decide => Ok(Step::Waits),
            Sort::Free => {
                self.be(ty, Scalar::Int)?;
                Ok(Step::Done)
            }
            sort if sorts.contains(&sort) => Ok(Step::Done),
            _ => Err(Refusal::Said(format!("a {} has no {lacks}", self.describe(ty)))),
        }
    }

    fn sum(&mut self, left: Ty, right: Ty, out: Ty, decide: bool) -> Result<Step, Refusal> {
        use Scalar::{Duration, Instant};
        let types = [left, right, out];
        match (self.sort(left), self.sort(right), self.sort(out)) {
            (Sort::Other, ..) => Err(self.no_sum(left)),
            (Sort::List(of), Sort::List(item), _) => {
                let nests = matches!(self.sort(of), Sort::List(_));
                if nests && !matches!(self.sort(item), Sort::List(_) | Sort::Free) {
                    return self.append(left, of, right, out);
                }
                self.same(left, right, out)
            }
            (Sort::List(_), Sort::Free, _) if !decide => Ok(Step::Waits),
            (Sort::List(of), ..) => self.append(left, of, right, out),
            // The left one may still turn out to be a list.
            (Sort::Free, Sort::Other, _) if !decide => Ok(Step::Waits),
            (_, Sort::Other, _) => Err(self.no_sum(right)),
            (Sort::Free, Sort::List(_), _) | (Sort::Int, ..) => self.same(left, right, out),
            (Sort::Free, _, Sort::List(_)) => {
                self.join(left, out)?;
                self.sum(left, right, out, decide)
            }
            (Sort::Free, Sort::Free | Sort::Int, Sort::Int) => self.same(out, left, right),
            (Sort::Instant, ..) => self.all_be(types, [Instant, Duration, Instant]),
            (_, Sort::Instant, _) => self.all_be(types, [Duration, Instant, Instant]),
            (Sort::Duration, Sort::Duration, _)
            | (Sort::Duration | Sort::Free, Sort::Free | Sort::Duration, Sort::Duration) => {
                self.all_be(types, [Duration; 3])
            }
            (Sort::Duration, Sort::Free, Sort::Instant) => self.all_be(types, [Duration, Instant, Instant]),
            (Sort::Free, Sort::Duration, Sort::Instant) => self.all_be(types, [Instant, Duration, Instant]),
            _ if !decide => Ok(Step::Waits),
            (Sort::Free, Sort::Free, Sort::Instant) => self.all_be(types, [Instant, Duration, Instant]),
            (Sort::Duration, ..) | (_, Sort::Duration, _) => self.all_be(types, [Duration; 3]),
            _ => self.all_be(types, [Scalar::Int; 3]),
        }
    }

    fn no_sum(&self, ty: Ty) -> Refusal {
        Refusal::Said(format!("a {} cannot be added to anything", self.describe(ty)))
    }

    fn append(&mut self, list: Ty, of: Ty, item: Ty, out: Ty) -> Result<Step, Refusal> {
        self.join(item, of)?;
        self.join(out, list)?;
        Ok(Step::Done)
    }

    fn difference(&mut self, left: Ty, right: Ty, out: Ty, decide: bool) -> Result<Step, Refusal> {
        use Scalar::{Duration, Instant};
        let types = [left, right, out];
        let (l, r, o) = (self.sort(left), self.sort(right), self.sort(out));
        for (sort, ty) in [(l, left), (r, right)] {
            if matches!(sort, Sort::Other | Sort::List(_)) {
                let message = format!("nothing can be taken from or with a {}", self.describe(ty));
                return Err(Refusal::Said(message));
            }
        }
        match (l, r, o) {
            (Sort::Int, ..) | (_, Sort::Int, _) | (_, _, Sort::Int) => self.all_be(types, [Scalar::Int; 3]),
            (Sort::Duration, ..) => self.all_be(types, [Duration; 3]),
            (_, Sort::Instant, _) | (Sort::Instant, _, Sort::Duration) => {
                self.all_be(types, [Instant, Instant, Duration])
            }
            (Sort::Instant, Sort::Duration, _) | (_, _, Sort::Instant) => {
                self.all_be(types, [Instant, Duration, Instant])
            }
            (Sort::Free, Sort::Duration, Sort::Duration) => self.all_be(types, [Duration; 3]),
            _ if !decide => Ok(Step::Waits),
            (Sort::Instant, ..) => self.all_be(types, [Instant, Instant, Duration]),
            (_, Sort::Duration, _) | (_, _, Sort::Duration) => self.all_be(types, [Duration; 3]),
            _ => self.all_be(types, [Scalar::Int; 3]),
        }
    }
}
