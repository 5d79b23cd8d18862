//! Names of decisions: a path of causes, folded into 64 bits, and the draw that belongs to it.
//!
//! What chance decides depends on the run's key and on the name of the decision alone, never on how many draws came
//! before; so adding a client, a step or a fault shifts no other luck. Names hold no text and no service, so
//! renaming shifts nothing either. How a draw becomes a loss or a delay is told in `sample` and `dist`.

use std::fmt;

/// What an edge of a path stands for.
///
/// The numbers are part of the seed contract: they never change and are never used again; new roles are appended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Role {
    /// The n-th group of clients, by declaration.
    Group = 1,
    /// The n-th client of a group.
    Client = 2,
    /// The n-th intent of a client.
    Intent = 3,
    /// The n-th time a client tries its intent.
    Attempt = 4,
    /// The n-th step of a flow, by declaration.
    Step = 5,
    /// The action of a step.
    Action = 6,
    /// The compensation of a step.
    Undo = 7,
    /// The confirmation of a step that was only tried.
    Confirm = 8,
    /// The n-th try of a call or of a receive.
    Try = 9,
    /// The n-th fetch of a row by a caller that thinks elsewhere.
    Fetch = 10,
    /// The way there.
    Request = 11,
    /// The way back.
    Reply = 12,
    /// The n-th copy of a message.
    Copy = 13,
    /// The n-th event published.
    Event = 14,
    /// An acknowledgement.
    Ack = 15,
    /// The n-th subscriber of a topic.
    Subscriber = 16,
    /// The n-th task started.
    Task = 17,
    /// The n-th output of a user's own process with one tag and receiver.
    Emission = 18,
    /// The n-th rule of the weather.
    Rule = 19,
    /// The n-th fault of the weather.
    Fault = 20,
    /// The n-th replica of a service.
    Replica = 21,
    /// The n-th time that something which repeats happens.
    Occurrence = 22,
    /// The n-th recovery after a crash.
    Recovery = 23,
    /// The n-th round of a relay of stored messages.
    Relay = 24,
    /// The n-th entry of a durable log.
    Log = 25,
    /// The n-th piece of work that leaves no node.
    Local = 26,
    /// The n-th draw of the workload.
    Draw = 27,
}

impl Role {
    /// All roles, by their number.
    pub const ALL: [Role; 27] = [
        Role::Group,
        Role::Client,
        Role::Intent,
        Role::Attempt,
        Role::Step,
        Role::Action,
        Role::Undo,
        Role::Confirm,
        Role::Try,
        Role::Fetch,
        Role::Request,
        Role::Reply,
        Role::Copy,
        Role::Event,
        Role::Ack,
        Role::Subscriber,
        Role::Task,
        Role::Emission,
        Role::Rule,
        Role::Fault,
        Role::Replica,
        Role::Occurrence,
        Role::Recovery,
        Role::Relay,
        Role::Log,
        Role::Local,
        Role::Draw,
    ];
}

/// The name of a decision, a message or an activity: the chain of its causes, folded into 64 bits.
///
/// Two different chains share a name with chance 2^-64 a pair. `Display` writes 16 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Path(pub u64);

impl Default for Path {
    fn default() -> Path {
        Path::ROOT
    }
}

impl Path {
    /// Where all chains begin. Not zero, so that a forgotten path is no valid name.
    pub const ROOT: Path = Path(0x6861_6c66_7761_7931);

    /// The name of the `n`-th thing of kind `role` that this one causes.
    #[inline]
    pub const fn child(self, role: Role, n: u32) -> Path {
        Path(mix(self.0, ((role as u64) << 32) | n as u64))
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// 2^64 divided by the golden ratio, made odd: the step of splitmix64.
pub(crate) const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
/// Sets the asks of one name apart. A multiplier with good spectral figures (Steele and Vigna, 2022).
const ASK: u64 = 0xd134_2543_de82_ef95;

/// The finaliser of splitmix64 (Steele, Lea and Flood, 2014; constants by Stafford): each bit of the input turns
/// each bit of the output with a chance near one half. It is a bijection.
#[inline]
pub(crate) const fn finalise(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Folds `b` into `a`; not symmetric, and for one `a` different `b` never collide.
///
/// A whole finaliser per edge is the point: with a cheaper fold the luck of attempt n and of attempt n + 1 correlates.
#[inline]
pub const fn mix(a: u64, b: u64) -> u64 {
    finalise(a ^ b.wrapping_add(1).wrapping_mul(GOLDEN))
}

/// The 64 uniform bits that belong to the name `path` in the run of `run_key`; `ask` tells apart several questions
/// about one name (is it lost? how long does it take?).
///
/// The asks of one name are a splitmix64-like sequence, none of which equals `mix(run_key, path.0)`, which ties use.
#[inline]
pub const fn draw(run_key: u64, path: Path, ask: u64) -> u64 {
    mix(run_key.wrapping_add(ask.wrapping_add(1).wrapping_mul(ASK)), path.0)
}

#[cfg(test)]
mod tests {
    use super::super::sample::chance;
    use super::super::seed::run_key;
    use super::super::testing::dependence;
    use super::*;

    /// z^2 of 9, so |z| of 3: a sound generator misses one such test in 370.
    const NINE: u128 = 9_000;

    fn lost(key: u64, path: Path, ask: u64) -> bool {
        chance(draw(key, path, ask), 100_000)
    }

    fn attempt(client: u32, intent: u32, attempt: u32) -> Path {
        let client = Path::ROOT.child(Role::Group, 0).child(Role::Client, client);
        client.child(Role::Intent, intent).child(Role::Attempt, attempt)
    }

    /// 200,000 triples: 100 clients, 100 intents, 20 attempts.
    fn attempts() -> impl Iterator<Item = (u32, u32, u32)> {
        (0..200_000).map(|i| (i / 2_000, i / 20 % 100, i % 20))
    }

    #[test]
    fn the_numbers_of_roles_never_change() {
        for (at, role) in Role::ALL.into_iter().enumerate() {
            assert_eq!(role as usize, at + 1, "{role:?}");
        }
        assert_eq!((Role::Group as u8, Role::Request as u8, Role::Draw as u8), (1, 11, 27));
    }

    /// Published outputs of splitmix64: three for seed 1234567, and the first for seed 0.
    #[test]
    fn the_finaliser_is_that_of_splitmix64() {
        let seeded = |n: u64| finalise(GOLDEN.wrapping_mul(n).wrapping_add(1_234_567));
        let published = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!([seeded(1), seeded(2), seeded(3)], published);
        assert_eq!(mix(0, 0), 0xe220_a839_7b1d_cdaf);
    }

    /// Computed by a second implementation, from the formulas in this file.
    #[test]
    fn golden_names_and_draws() {
        assert_eq!(mix(1, 2), 0x382f_f84c_b272_81e9);
        let path = Path::ROOT.child(Role::Group, 0).child(Role::Client, 3).child(Role::Intent, 7);
        assert_eq!(path.to_string(), "1232dabe9e521d3a");
        assert_eq!(draw(run_key(42), path, 0), 0xb90d_0d78_2856_af4d);
        assert_eq!(draw(run_key(42), path, 1), 0xcae5_ffca_cf07_6e46);
    }

    #[test]
    fn a_lost_attempt_says_nothing_about_the_next_one() {
        let key = run_key(1);
        let z2 = dependence(attempts().map(|(c, i, a)| {
            let message = |a| attempt(c, i, a).child(Role::Request, 0);
            (lost(key, message(a), 0), lost(key, message(a + 1), 0))
        }));
        assert!(z2 <= NINE, "z^2 = {z2}/1000");
    }

    #[test]
    fn relatives_have_luck_of_their_own() {
        type Pair = fn(u32, u32, u32) -> (Path, Path);
        let relatives: [(&str, Pair); 6] = [
            ("request and reply", |c, i, a| {
                let it = attempt(c, i, a);
                (it.child(Role::Request, 0), it.child(Role::Reply, 0))
            }),
            ("copies", |c, i, a| {
                let it = attempt(c, i, a).child(Role::Request, 0);
                (it.child(Role::Copy, 0), it.child(Role::Copy, 1))
            }),
            ("cousins", |c, i, a| {
                (attempt(c, i, a).child(Role::Step, 2), attempt(c, i + 1, a).child(Role::Step, 2))
            }),
            ("neighbours", |c, i, a| (attempt(c, i, a), attempt(c + 1, i, a))),
            ("parent and child", |c, i, a| (attempt(c, i, a), attempt(c, i, a).child(Role::Step, 0))),
            ("swapped numbers", |c, i, a| (attempt(c, i + 200, a), attempt(i + 200, c, a))),
        ];
        let key = run_key(2);
        for (name, pair) in relatives {
            let z2 = dependence(attempts().map(|(c, i, a)| {
                let (one, other) = pair(c, i, a);
                (lost(key, one, 0), lost(key, other, 0))
            }));
            assert!(z2 <= NINE, "{name}: z^2 = {z2}/1000");
        }
    }

    #[test]
    fn two_questions_about_one_name_are_answered_apart() {
        let key = run_key(3);
        for (one, other) in [(0, 1), (1, 2), (0, 7)] {
            let pairs = attempts().map(|(c, i, a)| {
                let path = attempt(c, i, a);
                (lost(key, path, one), lost(key, path, other))
            });
            let z2 = dependence(pairs);
            assert!(z2 <= NINE, "asks {one} and {other}: z^2 = {z2}/1000");
        }
    }

    #[test]
    fn neighbouring_seeds_and_keys_share_no_luck() {
        let path = attempt(0, 0, 0);
        // Deriving a key costs a ChaCha block, so fewer seeds than keys.
        let seeds = (0..20_000).map(|s| (lost(run_key(s), path, 0), lost(run_key(s + 1), path, 0)));
        assert!(dependence(seeds) <= NINE);
        let keys = (0..200_000).map(|k| (lost(k, path, 0), lost(k + 1, path, 0)));
        assert!(dependence(keys) <= NINE);
    }

    /// The trap that the tests above are for: numbers packed into a word and one multiplication.
    #[test]
    fn a_cheaper_fold_would_be_caught() {
        let key = run_key(1);
        let cheap = |c: u32, i: u32, a: u32| {
            let packed = (u64::from(c) << 40) | (u64::from(i) << 20) | u64::from(a);
            chance((key ^ packed).wrapping_mul(GOLDEN), 100_000)
        };
        let z2 = dependence(attempts().map(|(c, i, a)| (cheap(c, i, a), cheap(c, i, a + 1))));
        assert!(z2 > 100 * NINE, "z^2 = {z2}/1000");
    }

    /// Of 64 bits 32 should turn; over 10,000 pairs each bit's count has a standard deviation of 50, and the worst of 64
    /// sound bits stays within 5 of them.
    #[test]
    fn each_bit_of_a_name_turns_with_the_number() {
        let mut turned = [0u32; 64];
        for n in 0..10_000 {
            let change = Path::ROOT.child(Role::Client, n).0 ^ Path::ROOT.child(Role::Client, n + 1).0;
            (0..64).for_each(|bit| turned[bit] += (change >> bit & 1) as u32);
        }
        for (bit, count) in turned.into_iter().enumerate() {
            assert!((4_750..=5_250).contains(&count), "bit {bit} turned {count} times");
        }
    }

    #[test]
    fn no_two_of_a_large_family_share_a_name() {
        let mut names: Vec<u64> = attempts().map(|(c, i, a)| attempt(c, i, a).0).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), 200_000);
    }
}
