//! From a seed to the key of a run, and the version of what seeds mean.
//!
//! ChaCha8 is specified and portable, so a seed gives the same run on every machine and in every release that
//! states the same contract. It is asked once per run; all draws are keyed by the result (see `path`).

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// The version of all that decides what a seed means: roles, folds, samplers, ties and the words of the digest.
///
/// Any change of a golden value in this level raises it.
pub const SEED_CONTRACT: u32 = 4;

/// The key of the run with this seed: the first 64 bits of ChaCha8 seeded with it, stream 0.
pub fn run_key(seed: u64) -> u64 {
    ChaCha8Rng::seed_from_u64(seed).next_u64()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed by a second implementation of ChaCha8 and of the expansion of seeds.
    #[test]
    fn a_seed_gives_the_same_key_for_ever() {
        assert_eq!(run_key(0), 0xb585_f767_a79a_3b6c);
        assert_eq!(run_key(1), 0x6709_4cea_8ca4_0db1);
        assert_eq!(run_key(42), 0xae90_bfb5_395d_5ba1);
        assert_eq!(run_key(u64::MAX), 0xaf20_2386_e3a7_3cae);
        assert_eq!(SEED_CONTRACT, 4);
    }
}
