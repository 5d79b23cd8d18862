//! Making two types one, and saying why that cannot be.

use super::problem::{Place, Problem};
use super::types::{Shape, Ty, Types};

/// Two types that cannot be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clash {
    Between(Ty, Ty),
    /// It would contain itself.
    Endless,
}

impl Types {
    /// What a join's failure means to the author: the place it was noticed at, and where the other type comes from.
    pub(super) fn explain(&self, clash: Clash, place: &Place) -> Problem {
        let Clash::Between(found, needed) = clash else {
            return Problem::new(place.clone(), "this value would contain itself");
        };
        let message = match (self.shape(found), self.shape(needed)) {
            (Shape::Record { fields, open }, Shape::Record { fields: others, open: others_open }) => {
                let lacks = |of: &[(String, Ty)], open: bool, from: &[(String, Ty)]| {
                    let mut lacking =
                        from.iter().filter(|(name, _)| of.iter().all(|(known, _)| known != name));
                    lacking.next().filter(|_| !open).map(|(name, _)| name.clone())
                };
                match (lacks(fields, *open, others), lacks(others, *others_open, fields)) {
                    (Some(field), _) => format!("this record has no field `{field}`"),
                    (None, Some(field)) => format!("the field `{field}` is not expected in this record"),
                    (None, None) => "these records differ".to_owned(),
                }
            }
            _ => format!("this is a {}, not a {}", self.describe(found), self.describe(needed)),
        };
        let mut problem = Problem::new(place.clone(), &message);
        let reason = |ty: Ty| {
            let other = self.origin(ty).filter(|origin| !origin.within(place))?;
            Some((other.clone(), format!("here it is a {}", self.describe(ty))))
        };
        problem.other = reason(needed).or_else(|| reason(found));
        problem
    }

    /// Makes two types one. Links first and descends then, so shared and circular types end.
    pub(super) fn join(&mut self, found: Ty, needed: Ty) -> Result<(), Clash> {
        let (a, b) = (self.shorten(found), self.shorten(needed));
        if a == b {
            return Ok(());
        }
        match (self.shape(a).clone(), self.shape(b).clone()) {
            (Shape::Free { null }, other) | (other, Shape::Free { null }) => {
                let (free, kept) = if matches!(self.shape(a), Shape::Free { .. }) { (a, b) } else { (b, a) };
                if self.contains(kept, free) {
                    return Err(Clash::Endless);
                }
                self.link(free, kept);
                if let Shape::Free { null: other } = other {
                    self.reshape(kept, Shape::Free { null: null || other });
                }
                Ok(())
            }
            (Shape::Scalar(left), Shape::Scalar(right)) if left == right => {
                let (from, to) = if self.origin(b).is_some() { (a, b) } else { (b, a) };
                self.link(from, to);
                Ok(())
            }
            (Shape::List(left), Shape::List(right)) => {
                if self.contains(left, b) || self.contains(right, a) {
                    return Err(Clash::Endless);
                }
                self.link(a, b);
                self.join(left, right)
            }
            (
                Shape::Record { fields: left, open: left_open },
                Shape::Record { fields: right, open: right_open },
            ) => {
                let has = |fields: &[(String, Ty)], name: &str| fields.iter().any(|(other, _)| other == name);
                let too_many = left.iter().any(|(name, _)| !right_open && !has(&right, name));
                let too_few = right.iter().any(|(name, _)| !left_open && !has(&left, name));
                if too_many || too_few {
                    return Err(Clash::Between(a, b));
                }
                let parts = left.iter().chain(&right).map(|field| field.1);
                if parts.into_iter().any(|part| self.contains(part, a) || self.contains(part, b)) {
                    return Err(Clash::Endless);
                }
                // A closed one knows the order of its fields.
                let (from, to, mut kept, other) =
                    if right_open && !left_open { (b, a, left, right) } else { (a, b, right, left) };
                let mut pairs = Vec::new();
                for (name, ty) in other {
                    match kept.iter().find(|(known, _)| *known == name) {
                        Some((_, known)) => {
                            pairs.push(if to == b { (ty, *known) } else { (*known, ty) });
                        }
                        None => kept.push((name, ty)),
                    }
                }
                self.link(from, to);
                self.reshape(to, Shape::Record { fields: kept, open: left_open && right_open });
                pairs.into_iter().try_for_each(|(found, needed)| self.join(found, needed))
            }
            _ => Err(Clash::Between(a, b)),
        }
    }

    /// Whether `part` occurs in `whole`. Each node is looked at once.
    fn contains(&self, whole: Ty, part: Ty) -> bool {
        let part = self.root(part);
        let mut seen = Vec::new();
        let mut open = vec![self.root(whole)];
        while let Some(next) = open.pop() {
            if next == part {
                return true;
            }
            match self.shape(next) {
                Shape::Free { .. } | Shape::Scalar(_) => continue,
                _ if seen.contains(&next) => continue,
                Shape::List(of) => open.push(self.root(*of)),
                Shape::Record { fields, .. } => open.extend(fields.iter().map(|(_, ty)| self.root(*ty))),
            }
            seen.push(next);
        }
        false
    }
}
