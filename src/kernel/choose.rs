//! The one seam for all that is not determined: a chooser is asked typed questions by name.
//!
//! A seeded one answers from (run key, name) alone, so an answer never depends on how many were given before. Others can
//! replay a script or enumerate every answer; engine, network and store are the same for all of them.

use super::dist::Dist;
use super::path::{Path, draw, mix};
use super::sample::{below, chance};
use super::script::Matter;
use super::seed::run_key;
use super::time::Span;

/// What a name is asked about. The codes are part of the seed contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Ask {
    /// How long a copy of a message is under way.
    Latency = 1,
    /// How much longer a rule lets it be.
    Delay = 2,
    /// How long an operation thinks, or a flow waits.
    Think = 3,
    /// How much of a backoff is waited.
    Jitter = 4,
    /// Which replica is asked.
    Route = 5,
    /// When a client starts.
    Start = 6,
    /// How long it pauses.
    Gap = 7,
    /// What it wants.
    Want = 8,
    /// The value of an argument.
    Argument = 9,
    /// When a fault strikes.
    Strike = 10,
    /// How long it lasts.
    Last = 11,
    /// The rate of a rule in this run.
    Rate = 12,
    /// Whether a rule is on in this run.
    Swarm = 13,
}

/// Answers questions about things by their names.
pub trait Chooser {
    /// A length of time.
    fn span(&mut self, who: Path, ask: Ask, from: &Dist) -> Span;
    /// A number below `n`, which is at least 1.
    fn below(&mut self, who: Path, ask: Ask, n: u64) -> u64;
    /// A raw draw, for samplers of other kinds.
    fn word(&mut self, who: Path, ask: Ask) -> u64;
    /// Whether a rule, by its identity, hits a thing, at a rate in ppm.
    fn hits(&mut self, who: Path, rule: u64, ppm: u32) -> bool;
    /// The order of things that happen at one instant.
    fn tie_key(&self) -> u64;
    /// What a script decides about a thing; without a script, nothing.
    #[inline]
    fn decided(&mut self, _who: Path, _what: Matter) -> Option<u64> {
        None
    }
    /// Is told what was decided about a thing, for those who write scripts.
    #[inline]
    fn note(&mut self, _who: Path, _what: Matter, _value: u64) {}
}

/// Answers from a seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seeded {
    key: u64,
}

impl Seeded {
    /// The chooser of a seed.
    pub fn new(seed: u64) -> Seeded {
        Seeded { key: run_key(seed) }
    }
}

impl Chooser for Seeded {
    #[inline]
    fn span(&mut self, who: Path, ask: Ask, from: &Dist) -> Span {
        match from {
            Dist::Fixed(span) => *span,
            _ => from.sample(draw(self.key, who, ask as u64)),
        }
    }

    #[inline]
    fn below(&mut self, who: Path, ask: Ask, n: u64) -> u64 {
        below(draw(self.key, who, ask as u64), n)
    }

    #[inline]
    fn word(&mut self, who: Path, ask: Ask) -> u64 {
        draw(self.key, who, ask as u64)
    }

    #[inline]
    fn hits(&mut self, who: Path, rule: u64, ppm: u32) -> bool {
        ppm > 0 && chance(mix(self.key, mix(who.0, rule)), ppm)
    }

    #[inline]
    fn tie_key(&self) -> u64 {
        self.key
    }
}
