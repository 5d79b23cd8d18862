//! Links between nodes as rules speak of them: sets of nodes on two sides, filed by the places they are written with, and
//! which of them are cut now. Numbering makes every place a range of nodes.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::model::plan::{NodeKind, Plan};
use crate::model::weather::{Link, Place};

/// So many rules are looked through; of more only those that are filed under the places of a message.
pub(super) const FEW: usize = 8;

/// The nodes of a place.
pub(super) fn nodes_of(plan: &Plan, place: Place) -> Range<u32> {
    let nodes = &plan.nodes;
    let (from, count) = match place {
        Place::Any => (0, nodes.count),
        Place::Service(service) => (nodes.replica(service, 0), plan.model.service(service).replicas),
        Place::Replica(service, n) => (nodes.replica(service, n), 1),
        Place::Database(service) => (nodes.database(service), 1),
        Place::Group(group) => (nodes.clients[group.index()], plan.model.group(group).count),
    };
    from..from + count
}

/// The two sides of a link as sets of nodes.
#[derive(Clone, Debug)]
pub(super) struct Sides {
    from: Vec<Range<u32>>,
    to: Vec<Range<u32>>,
    both: bool,
}

impl Sides {
    pub(super) fn of(plan: &Plan, link: &Link) -> Sides {
        let nodes = |places: &[Place]| places.iter().map(|&place| nodes_of(plan, place)).collect();
        Sides { from: nodes(&link.from), to: nodes(&link.to), both: link.both }
    }

    pub(super) fn have(&self, from: u32, to: u32) -> bool {
        let within = |side: &[Range<u32>], node| side.iter().any(|range| range.contains(&node));
        within(&self.from, from) && within(&self.to, to)
            || self.both && within(&self.from, to) && within(&self.to, from)
    }

    pub(super) fn are_all(&self, plan: &Plan) -> bool {
        let all = |side: &[Range<u32>]| side.iter().any(|range| range.len() == plan.nodes.count as usize);
        all(&self.from) && all(&self.to)
    }
}

/// Rules by the links that they speak of.
#[derive(Clone, Debug, Default)]
pub(super) struct Links(BTreeMap<(Place, Place), Vec<u16>>);

impl Links {
    /// Files a rule; rules come in ascending order.
    pub(super) fn add(&mut self, rule: u16, link: &Link) {
        for &from in &link.from {
            for &to in &link.to {
                self.0.entry((from, to)).or_default().push(rule);
                if link.both && from != to {
                    self.0.entry((to, from)).or_default().push(rule);
                }
            }
        }
    }

    /// The rules that speak of the link between two nodes: several lists, each in ascending order.
    pub(super) fn between(&self, plan: &Plan, from: u32, to: u32) -> impl Iterator<Item = &[u16]> {
        let (from, to) = (places_of(plan, from), places_of(plan, to));
        let pairs = from.into_iter().flatten().flat_map(move |from| {
            let to = to.into_iter().flatten();
            to.map(move |to| (from, to))
        });
        pairs.filter_map(|pair| self.0.get(&pair).map(|rules| &rules[..]))
    }
}

/// The places that a node belongs to.
fn places_of(plan: &Plan, node: u32) -> [Option<Place>; 3] {
    let any = Some(Place::Any);
    match plan.nodes.kind(node) {
        NodeKind::Replica(of, n) => [any, Some(Place::Service(of)), Some(Place::Replica(of, n))],
        NodeKind::Database(of) => [any, Some(Place::Database(of)), None],
        NodeKind::Client(of, _) => [any, Some(Place::Group(of)), None],
    }
}

/// The rules whose links are cut now.
#[derive(Clone, Debug, Default)]
pub(super) struct Cuts {
    /// In no order.
    rules: Vec<u16>,
    /// By rule: its place among them, and how many were cut before it; `None`: it is whole.
    since: Vec<Option<(u32, u64)>>,
    serial: u64,
}

impl Cuts {
    /// The rules that cut something now, in no order.
    pub(super) fn now(&self) -> &[u16] {
        &self.rules
    }

    /// Whether a rule does.
    pub(super) fn has(&self, rule: u16) -> bool {
        self.since.get(usize::from(rule)).is_some_and(Option::is_some)
    }

    /// A rule that does not cuts from now on.
    pub(super) fn cut(&mut self, rule: u16) {
        let len = self.since.len().max(usize::from(rule) + 1);
        self.since.resize(len, None);
        self.since[usize::from(rule)] = Some((self.rules.len() as u32, self.serial));
        self.serial += 1;
        self.rules.push(rule);
    }

    /// A rule cuts no longer. Returns whether it did.
    pub(super) fn mend(&mut self, rule: u16) -> bool {
        let Some((at, _)) = self.since.get_mut(usize::from(rule)).and_then(Option::take) else {
            return false;
        };
        self.rules.swap_remove(at as usize);
        if let Some(&moved) = self.rules.get(at as usize)
            && let Some((place, _)) = &mut self.since[usize::from(moved)]
        {
            *place = at;
        }
        true
    }

    /// The rules that cut something now, the one that has done so longest first.
    pub(super) fn by_age(&self) -> Vec<u16> {
        let mut rules = self.rules.clone();
        rules.sort_unstable_by_key(|&rule| self.since[usize::from(rule)].map(|(_, serial)| serial));
        rules
    }

    /// All is whole.
    pub(super) fn reset(&mut self) {
        self.rules.clear();
        self.since.clear();
        self.serial = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::super::rules::Rules;
    use super::super::tests::plan_with;
    use super::*;
    use crate::kernel::dist::Dist;
    use crate::kernel::time::Span;
    use crate::model::ids::{GroupId, ServiceId};

    /// Whether a node belongs to a place, said by what it is and not by its number.
    fn is_at(plan: &Plan, place: Place, node: u32) -> bool {
        match (place, plan.nodes.kind(node)) {
            (Place::Any, _) => true,
            (Place::Service(service), NodeKind::Replica(of, _)) => service == of,
            (Place::Replica(service, n), NodeKind::Replica(of, m)) => service == of && n == m,
            (Place::Database(service), NodeKind::Database(of)) => service == of,
            (Place::Group(group), NodeKind::Client(of, _)) => group == of,
            _ => false,
        }
    }

    fn places() -> [Place; 5] {
        let (service, group) = (ServiceId(0), GroupId(0));
        let replica = Place::Replica(service, 0);
        [Place::Any, Place::Service(service), replica, Place::Database(service), Place::Group(group)]
    }

    #[test]
    fn a_link_has_two_nodes_if_its_places_have_them_and_so_does_its_file() {
        let plan = plan_with(Vec::new(), Vec::new());
        let (mut links, mut all) = (Links::default(), Vec::new());
        for from in places() {
            for to in places() {
                for both in [false, true] {
                    let link = Link { from: vec![from], to: vec![to, from], both };
                    links.add(all.len() as u16, &link);
                    all.push((Sides::of(&plan, &link), link));
                }
            }
        }
        for from in 0..plan.nodes.count {
            for to in 0..plan.nodes.count {
                let at = |places: &[Place], node| places.iter().any(|&place| is_at(&plan, place, node));
                let mut filed: Vec<u16> = links.between(&plan, from, to).flatten().copied().collect();
                filed.sort_unstable();
                filed.dedup();
                let mut expected = Vec::new();
                for (n, (sides, link)) in all.iter().enumerate() {
                    let there = at(&link.from, from) && at(&link.to, to);
                    let back = link.both && at(&link.from, to) && at(&link.to, from);
                    assert_eq!(sides.have(from, to), there || back, "{link:?} {from} {to}");
                    if there || back {
                        expected.push(n as u16);
                    }
                }
                assert_eq!(filed, expected, "{from} {to}");
            }
        }
    }

    #[test]
    fn of_many_latencies_the_one_written_last_holds_as_of_few() {
        for many in [1, FEW as u64 + 1, 40] {
            let link = |n: u64| Link {
                from: vec![places()[n as usize % 5]],
                to: vec![Place::Any],
                both: n.is_multiple_of(3),
            };
            let own: Vec<(Link, Dist)> = (0..many).map(|n| (link(n), Dist::Fixed(Span(n)))).collect();
            let plan = plan_with(Vec::new(), own.clone());
            let rules = Rules::of(&plan);
            for from in 0..plan.nodes.count {
                for to in 0..plan.nodes.count {
                    let last = own.iter().rev().find(|(link, _)| Sides::of(&plan, link).have(from, to));
                    let expected = last.map_or(&rules.latency, |(_, dist)| dist);
                    assert_eq!(rules.latency(&plan, from, to), expected);
                }
            }
        }
    }

    #[test]
    fn cuts_are_mended_in_the_order_in_which_they_were_made() {
        let mut cuts = Cuts::default();
        for rule in [5, 1, 9, 3] {
            cuts.cut(rule);
        }
        assert!(cuts.mend(5));
        assert!(!cuts.mend(5));
        assert!(!cuts.mend(40), "never cut at all");
        cuts.cut(5);
        assert_eq!(cuts.by_age(), [1, 9, 3, 5]);
        assert!(cuts.mend(9));
        assert_eq!(cuts.by_age(), [1, 3, 5]);
        assert!(cuts.has(3) && !cuts.has(9));
        for rule in cuts.by_age() {
            assert!(cuts.mend(rule));
        }
        assert_eq!(cuts.now(), [0; 0]);
    }
}
