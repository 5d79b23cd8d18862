//! What integrity costs: messages, store operations, attempts, and how long clients wait, in virtual time.

use std::ops::Range;

use crate::kernel::time::{Span, Time};
use crate::model::ids::OpId;
use crate::model::record::{FLOW, Kind, Record, commit};
use crate::store::{Sink, Tables};

/// Sixteen buckets an octave: quantiles are exact to 1/16 from above, and histograms merge by addition.
const PER_OCTAVE: u32 = 16;

/// Spans in logarithmic buckets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    /// The lowest bucket that holds a span.
    first: usize,
    /// From there to the highest: those of one run lie close together, and are added to the sum of all after each.
    counts: Vec<u64>,
    total: u64,
}

impl Histogram {
    fn bucket(span: Span) -> usize {
        let ns = span.0;
        if ns < u64::from(PER_OCTAVE) {
            return ns as usize;
        }
        let octave = ns.ilog2();
        let within = ns >> (octave - PER_OCTAVE.ilog2()) & u64::from(PER_OCTAVE - 1);
        ((octave - PER_OCTAVE.ilog2() + 1) * PER_OCTAVE) as usize + within as usize
    }

    fn lowest(bucket: usize) -> Span {
        let per = PER_OCTAVE as usize;
        if bucket < per {
            return Span(bucket as u64);
        }
        let shift = (bucket / per - 1) as u32;
        Span(((per + bucket % per) as u64) << shift)
    }

    fn highest(bucket: usize) -> Span {
        // Behind the last bucket is no span that could be written: it starts over at nothing.
        Span(Self::lowest(bucket + 1).0.wrapping_sub(1))
    }

    /// Counts a span.
    pub fn add(&mut self, span: Span) {
        let bucket = Self::bucket(span);
        self.reach(bucket..bucket + 1);
        self.counts[bucket - self.first] += 1;
        self.total += 1;
    }

    /// Makes room for some buckets.
    fn reach(&mut self, buckets: Range<usize>) {
        if self.counts.is_empty() {
            self.first = buckets.start;
        }
        if buckets.start < self.first {
            self.counts.splice(..0, std::iter::repeat_n(0, self.first - buckets.start));
            self.first = buckets.start;
        }
        let length = buckets.end - self.first;
        if length > self.counts.len() {
            self.counts.resize(length, 0);
        }
    }

    /// Adds all of another.
    pub fn merge(&mut self, other: &Histogram) {
        if other.counts.is_empty() {
            return;
        }
        self.reach(other.first..other.first + other.counts.len());
        for (own, more) in self.counts[other.first - self.first..].iter_mut().zip(&other.counts) {
            *own += more;
        }
        self.total += other.total;
    }

    /// Forgets all, but for its memory.
    fn clear(&mut self) {
        self.counts.clear();
        (self.first, self.total) = (0, 0);
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.total
    }

    /// The span that `per_mille` of a thousand do not exceed, up to the end of its bucket: an upper bound, a sixteenth too
    /// high at most; `None` of nothing.
    pub fn quantile(&self, per_mille: u64) -> Option<Span> {
        let rank = (self.total * per_mille).div_ceil(1000).max(1);
        let mut seen = 0;
        let bucket = self.counts.iter().position(|count| {
            seen += count;
            seen >= rank
        });
        bucket.filter(|_| self.total > 0).map(|bucket| Self::highest(self.first + bucket))
    }
}

/// The costs of runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Costs {
    /// Events of the engine.
    pub events: u64,
    /// Rows read by key, rows installed, commits.
    pub store_ops: u64,
    /// From the beginning of an intent to its end for the client, of those that ended.
    pub latency: Histogram,
    /// How many transactions of each operation became durable, other than those that only remember a refusal.
    commits: Vec<u64>,
    /// When each open intent began, by slot.
    began: Vec<Time>,
}

impl Costs {
    /// Makes it as new, but for its memory: one run after the other is counted in it.
    pub(super) fn clear(&mut self) {
        (self.events, self.store_ops) = (0, 0);
        self.latency.clear();
        self.commits.clear();
        self.began.clear();
    }

    /// How many transactions of an operation became durable, other than those that only remember a refusal.
    pub fn commits(&self, op: OpId) -> u64 {
        self.commits.get(op.index()).copied().unwrap_or(0)
    }

    /// Adds all of another.
    pub fn merge(&mut self, other: &Costs) {
        self.events += other.events;
        self.store_ops += other.store_ops;
        self.latency.merge(&other.latency);
        if self.commits.len() < other.commits.len() {
            self.commits.resize(other.commits.len(), 0);
        }
        self.commits.iter_mut().zip(&other.commits).for_each(|(own, more)| *own += more);
    }

    fn commit(&mut self, record: &Record) {
        // What is kept of a refusal under a key is no success.
        if record.flag & (commit::REFUSED | commit::FENCED | commit::KEPT) != 0 {
            return;
        }
        let at = usize::from(record.op);
        if record.op < FLOW && at >= self.commits.len() {
            self.commits.resize(at + 1, 0);
        }
        if let Some(commits) = self.commits.get_mut(at) {
            *commits += 1;
        }
    }
}

impl Sink for Costs {
    #[inline]
    fn record(&mut self, record: &Record, _tables: &mut Tables) {
        let slot = record.intent as usize;
        match record.kind {
            Kind::Read | Kind::Install => self.store_ops += 1,
            Kind::Commit => {
                self.store_ops += 1;
                self.commit(record);
            }
            Kind::Invoke => {
                if slot >= self.began.len() {
                    self.began.resize(slot + 1, Time::ZERO);
                }
                self.began[slot] = record.at;
            }
            Kind::Complete => {
                let began = self.began.get(slot).copied().unwrap_or(record.at);
                self.latency.add(record.at.since(began));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_starts_where_the_one_before_ends() {
        for ns in (0..5_000u64).chain([1 << 20, (1 << 20) + 1, u64::MAX / 2]) {
            let bucket = Histogram::bucket(Span(ns));
            assert!(Histogram::lowest(bucket).0 <= ns, "{ns}");
            assert!(Histogram::lowest(bucket + 1).0 > ns, "{ns}");
        }
    }

    #[test]
    fn quantiles_are_within_a_sixteenth_and_merge_like_the_whole() {
        let (mut low, mut high, mut all) = (Histogram::default(), Histogram::default(), Histogram::default());
        for ns in 1..=1000u64 {
            let span = Span(ns * 1_000_000);
            all.add(span);
            if ns % 3 == 0 { low.add(span) } else { high.add(span) }
        }
        low.merge(&high);
        assert_eq!(low, all);
        let p50 = all.quantile(500).unwrap().0;
        assert!((500_000_000..=500_000_000 + 500_000_000 / 16).contains(&p50), "{p50}");
        assert_eq!(Histogram::default().quantile(990), None);
        let mut longest = Histogram::default();
        longest.add(Span(u64::MAX));
        assert_eq!(longest.quantile(500), Some(Span(u64::MAX)));
    }

    #[test]
    fn a_histogram_used_again_and_again_adds_up_like_a_new_one_each_time() {
        let mut sum = Histogram::default();
        let (mut again, mut all) = (Histogram::default(), Histogram::default());
        for run in 0..50u64 {
            let mut fresh = Histogram::default();
            again.clear();
            for n in 0..run % 7 {
                let span = Span(((run * 7919 + n * 104_729) % 1_000_003) >> (run % 20));
                for histogram in [&mut fresh, &mut again, &mut all] {
                    histogram.add(span);
                }
            }
            assert_eq!(again, fresh, "{run}");
            sum.merge(&again);
        }
        assert_eq!(sum, all);
    }
}
