//! The frame of steps of an operation.
//!
//! ```text
//! (arrived) · key lookup · key early · BEGIN · key claim · (begun) · fence · weather · (lock · read · think · intend · write…)…
//!   · verify · reply · (computed) · key store · outbox · publish early · COMMIT · key late · (committed) · publish · end
//! ```
//! Steps of a policy of the user's own stand at the places in brackets.
//! Each policy fills only its own places. Crash points lie between all steps, so every policy gets them for nothing. An
//! operation run by its caller becomes two programs with one frame: the first reads and computes, the frame travels
//! through the caller, the second writes.

use super::Compiler;
use super::rewrite::shift;
use super::writes::{Frame, Writer};
use crate::kernel::time::Span;
use crate::model::expr::Code;
use crate::model::how::{
    Coordination, Idempotency, KeySource, KeyStore, OccScope, OnConflict, OperationHow, PublishPolicy,
    StoreLevel, WritePolicy,
};
use crate::model::ids::OpId;
use crate::model::own::{Custom, Place, Steps};
use crate::model::plan::{NotApplicable, OperationPlan};
use crate::model::service::{By, Operation};
use crate::model::step::{KeyPlan, PartPlan, Program, Step};

/// Which half of an operation a program is.
#[derive(Clone, Copy, PartialEq)]
enum Half {
    Whole,
    Fetch,
    Apply,
}

pub(super) fn compile(compiler: &mut Compiler<'_>, op: OpId) -> OperationPlan {
    let how = &compiler.how.operations[op.index()];
    let publish = how.publish.clone();
    let mut plan = OperationPlan { whole: None, halves: None, publish };
    if compiler.model.operation(op).hosted {
        // A process answers it: there is nothing to compile.
        return plan;
    }
    let halves = match how.by {
        By::Owner => vec![Half::Whole],
        By::Caller => vec![Half::Fetch, Half::Apply],
    };
    let mut programs = Vec::new();
    for half in halves {
        match program(compiler, op, how, half) {
            Ok(program) => programs.push(compiler.add(program)),
            Err(why) => {
                compiler.refused.push(NotApplicable { op: Some(op), flow: None, why });
                return plan;
            }
        }
    }
    match programs[..] {
        [fetch, apply] => plan.halves = Some((fetch, apply)),
        [whole] => plan.whole = Some(whole),
        _ => {}
    }
    plan
}

pub(super) fn key_plan(idempotency: &Idempotency) -> Option<KeyPlan> {
    match idempotency {
        Idempotency::None => None,
        Idempotency::Key(policy) => {
            let computed = match &policy.source {
                KeySource::Computed(expr) => Some(Code::compile(expr)),
                _ => None,
            };
            Some(KeyPlan { policy: (**policy).clone(), computed })
        }
    }
}

/// The parts of an operation under a policy, each compiled for a frame, and the code of its reply.
pub(super) struct Body {
    pub(super) parts: Vec<PartPlan>,
    pub(super) otherwise: Option<PartPlan>,
    pub(super) reply: Option<Code>,
}

pub(super) fn body(
    compiler: &Compiler<'_>,
    op: OpId,
    policy: &WritePolicy,
    frame: &mut Frame,
) -> Result<Body, String> {
    let model = compiler.model;
    let operation = model.operation(op);
    let store = compiler.how.operations[op.index()].store;
    let writer = Writer { model, op, policy, store, whole: &compiler.whole };
    let mut parts = Vec::new();
    for (n, part) in operation.parts.iter().enumerate() {
        let mut plan = writer.part(part, frame)?;
        let reply = operation.reply.as_ref().filter(|_| n == 0);
        plan.told = writer.told(part, reply, frame.offset);
        parts.push(plan);
    }
    let refuses = !operation.otherwise.writes.is_empty() || !operation.otherwise.publish.is_empty();
    let otherwise = refuses.then(|| writer.otherwise(&operation.otherwise, frame)).transpose()?;
    let reply = operation.reply.as_ref().map(|reply| Code::compile(&shift(reply, frame.offset)));
    Ok(Body { parts, otherwise, reply })
}

/// The steps of one part, from its locks to its last write.
pub(super) fn part_steps(part: &PartPlan, n: u8, steps: &mut Vec<Step>) {
    if !part.reads.is_empty() {
        steps.push(Step::Lock(n));
    }
    steps.push(Step::Read(n));
    if !matches!(part.think, crate::model::step::ThinkPlan::None) {
        steps.push(Step::Think(n));
    }
    writes(part, n, steps);
}

/// The locks of what is looked at for events and the reply.
pub(super) fn lock_told(parts: &[PartPlan], of: std::ops::Range<u8>, steps: &mut Vec<Step>) {
    steps.extend(of.filter(|&n| !parts[n as usize].told.is_empty()).map(Step::LockTold));
}

pub(super) fn writes(part: &PartPlan, n: u8, steps: &mut Vec<Step>) {
    if !part.intends.is_empty() {
        steps.push(Step::Intend(n));
    }
    steps.extend((0..part.writes.len()).map(|write| Step::Write(n, write as u8)));
}

fn program(compiler: &Compiler<'_>, op: OpId, how: &OperationHow, half: Half) -> Result<Program, String> {
    let operation = compiler.model.operation(op);
    feasible(operation, how, half).map_err(|why| format!("`{}` {why}", compiler.model.operation_name(op)))?;
    let mut frame = Frame::behind(operation.slots.len() as u16);
    let Body { mut parts, otherwise, reply } = body(compiler, op, &how.write, &mut frame)?;
    let key = if half == Half::Fetch { None } else { key_plan(&how.idempotency) };
    // A fence is a table beside those of the participant: at a system of others nobody can put one up.
    let fenced = !compiler.model.service(operation.service).external
        && compiler
            .how
            .flows
            .iter()
            .any(|flow| matches!(&flow.coordination, Coordination::Saga(s) if s.fence));
    let occ = match &how.write {
        WritePolicy::Occ(occ) => Some(occ),
        _ => None,
    };
    let lock_wait = match how.write {
        WritePolicy::Lock { wait } => Some(wait),
        _ => None,
    };
    let store = key.as_ref().map(|key| key.policy.store);
    let mut own = OwnSteps::of(compiler, op, half);
    let custom_slots = (frame.take(usize::from(own.slots)), own.slots);
    frame.suffices(&format!("`{}`", compiler.model.operation_name(op)))?;
    let read_only = is_read_only(operation) && key.is_none() && own.custom.is_empty();

    let mut steps = own.take(Place::Arrived);
    if store.is_some() {
        steps.push(Step::KeyLookup);
    }
    if store == Some(KeyStore::Before) {
        steps.push(Step::KeyEarly);
    }
    let redo = steps.len() as u16;
    if half != Half::Fetch {
        steps.push(Step::Begin);
        if store == Some(KeyStore::With) {
            steps.push(Step::KeyClaim);
        }
        steps.extend(own.take(Place::Begun));
        if fenced {
            steps.push(Step::Fence);
        }
        if !compiler.fair {
            steps.push(Step::Weather(0));
        }
    }
    for (n, part) in parts.iter_mut().enumerate() {
        let n = n as u8;
        match half {
            Half::Whole => part_steps(part, n, &mut steps),
            Half::Fetch => steps.push(Step::Read(n)),
            Half::Apply => writes(part, n, &mut steps),
        }
        part.skip_to = steps.len() as u16;
    }
    let count = parts.len() as u8;
    let main = Tail {
        parts: 0..count,
        verify: occ.is_some_and(|occ| occ.scope == OccScope::Reads) && half != Half::Fetch,
        store,
        publish: &how.publish,
        fetch: half == Half::Fetch,
        computed: own.take(Place::Computed),
        committed: own.take(Place::Committed),
    };
    // A skip in the first part is the end of the operation; in a later one, of that part.
    let end = steps.len() as u16;
    if let Some(first) = parts.first_mut() {
        first.skip_to = end;
    }
    lock_told(&parts, 0..count, &mut steps);
    main.steps(&parts, &mut steps);
    let refuse = steps.len() as u16;
    match otherwise {
        Some(otherwise) if half != Half::Fetch => {
            writes(&otherwise, count, &mut steps);
            parts.push(otherwise);
            let (computed, committed) = (Vec::new(), Vec::new());
            Tail { parts: count..count + 1, verify: false, store, computed, committed, ..main }
                .steps(&parts, &mut steps);
        }
        _ if store == Some(KeyStore::With) => steps.extend([Step::KeyStore, Step::Commit, Step::End]),
        _ if store == Some(KeyStore::After) => steps.extend([Step::KeyLate, Step::End]),
        _ => steps.push(Step::End),
    }
    Ok(Program {
        op,
        steps,
        refuse,
        redo,
        frame: frame.next,
        args: operation.args,
        publishes: publishes(&parts),
        parts,
        reply,
        key,
        conflict: occ.map_or((OnConflict::Reject, None), |occ| (occ.on_conflict, occ.tries)),
        loose: how.store == StoreLevel::None,
        lock_wait: lock_wait.unwrap_or(Span::MAX),
        is_fetch: half == Half::Fetch,
        read_only,
        merged: Vec::new(),
        custom: own.custom,
        custom_slots,
    })
}

/// Whether an operation can be carried out like this at all; if not, why.
fn feasible(operation: &Operation, how: &OperationHow, half: Half) -> Result<(), &'static str> {
    let locks = matches!(how.write, WritePolicy::Lock { .. });
    let compares = matches!(&how.write, WritePolicy::Occ(occ) if occ.scope == OccScope::Reads);
    let by_caller = half != Half::Whole;
    let with = matches!(&how.idempotency, Idempotency::Key(key) if key.store == KeyStore::With);
    let mut effects = operation.all_effects();
    let posts = matches!(how.publish, PublishPolicy::Outbox(_)) && effects.any(|of| !of.publish.is_empty());
    match how.store {
        _ if by_caller && operation.parts.len() > 1 => {
            Err("has `then` parts, so it cannot be run by its caller")
        }
        _ if by_caller && operation.on.is_some() => {
            Err("is run by an event, so it cannot be run by its caller")
        }
        _ if by_caller && locks => {
            Err("is run by its caller, and no lock is held while its messages are under way")
        }
        _ if by_caller && compares => {
            Err("is run by its caller, which sends the versions of the rows it writes only")
        }
        // Each statement is by itself: a version can be compared in the one that writes, and nothing lasts longer.
        StoreLevel::None if locks => Err("has no transaction at its store, and no lock is held without one"),
        StoreLevel::None if compares => {
            Err("has no transaction at its store, and what it has read could change before all is written")
        }
        StoreLevel::None if with && !is_read_only(operation) => {
            Err("has no transaction at its store, and its key is to be stored in that of its effect")
        }
        StoreLevel::None if posts => Err(
            "has no transaction at its store, and its events are to be written into the outbox in that of its effect",
        ),
        _ => Ok(()),
    }
}

/// Whether some part publishes something.
pub(super) fn publishes(parts: &[PartPlan]) -> bool {
    parts.iter().any(|part| !part.publish.is_empty())
}

/// Whether it neither writes nor tells anything, whatever happens.
fn is_read_only(operation: &Operation) -> bool {
    operation.all_effects().all(|effects| effects.writes.is_empty() && effects.publish.is_empty())
}

/// The steps of a policy of the user's own, by place.
struct OwnSteps {
    custom: Vec<Custom>,
    slots: u16,
    at: [Vec<Step>; 4],
}

impl OwnSteps {
    fn of(compiler: &Compiler<'_>, op: OpId, half: Half) -> OwnSteps {
        let mut own = OwnSteps { custom: Vec::new(), slots: 0, at: Default::default() };
        let policy = match &compiler.how.own {
            Some(policy) if half != Half::Fetch => policy.policy(),
            _ => return own,
        };
        for place in Place::ALL {
            let mut steps = Steps::new(place);
            policy.at(place, compiler.model, op, &mut steps);
            for custom in steps.into_all() {
                // More than a program can number are left out; nobody writes that many.
                if let Ok(n) = u8::try_from(own.custom.len()) {
                    own.at[place as usize].push(Step::Custom(n));
                    own.custom.push(custom);
                }
            }
        }
        own.slots = if own.custom.is_empty() { 0 } else { policy.slots() };
        own
    }

    fn take(&mut self, place: Place) -> Vec<Step> {
        std::mem::take(&mut self.at[place as usize])
    }
}

/// The steps from the last write to the answer.
#[derive(Clone)]
struct Tail<'a> {
    parts: std::ops::Range<u8>,
    verify: bool,
    store: Option<KeyStore>,
    publish: &'a PublishPolicy,
    fetch: bool,
    /// Steps of the user's own.
    computed: Vec<Step>,
    committed: Vec<Step>,
}

impl Tail<'_> {
    fn steps(&self, parts: &[PartPlan], steps: &mut Vec<Step>) {
        let publishing = || self.parts.clone().filter(|&n| !parts[n as usize].publish.is_empty());
        if self.fetch {
            // What is left of the row writes has no reply yet.
            steps.push(Step::End);
            return;
        }
        if self.verify {
            steps.push(Step::Verify);
        }
        steps.push(Step::Reply);
        steps.extend(&self.computed);
        if self.store == Some(KeyStore::With) {
            steps.push(Step::KeyStore);
        }
        match self.publish {
            PublishPolicy::Outbox(_) => steps.extend(publishing().map(Step::Outbox)),
            PublishPolicy::BeforeCommit => steps.extend(publishing().map(Step::Publish)),
            PublishPolicy::AfterCommit => {}
        }
        steps.push(Step::Commit);
        if self.store == Some(KeyStore::After) {
            steps.push(Step::KeyLate);
        }
        steps.extend(&self.committed);
        if *self.publish == PublishPolicy::AfterCommit {
            steps.extend(publishing().map(Step::Publish));
        }
        steps.push(Step::End);
    }
}

/// The tail of a merged flow: all parts of all its operations, one commit; or the one part of what is done when one of them
/// refuses. What was read is compared step by step.
pub(super) fn merged_tail(
    parts: &[PartPlan],
    from: usize,
    store: Option<KeyStore>,
    publish: &PublishPolicy,
    steps: &mut Vec<Step>,
) {
    let (computed, committed) = (Vec::new(), Vec::new());
    let parts_of = from as u8..parts.len() as u8;
    let tail = Tail { parts: parts_of, verify: false, store, publish, fetch: false, computed, committed };
    tail.steps(parts, steps);
}
