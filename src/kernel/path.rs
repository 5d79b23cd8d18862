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
