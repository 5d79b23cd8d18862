//! Flows: business operations over several services, and the topics that carry events between them.

use super::expr::Expr;
use super::ids::{FlowId, OpId, ServiceId, TopicId};
use super::service::Slot;
use crate::kernel::dist::Dist;

/// What a call asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// An operation of a service.
    Op(OpId),
    /// A flow.
    Flow(FlowId),
}

/// A call with its arguments.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// What is asked for.
    pub target: Target,
    /// One expression an argument, over the slots of the flow or of the client.
    pub args: Vec<Expr>,
}

/// A business operation over several services.
#[derive(Clone, Debug, PartialEq)]
pub struct Flow {
    /// Its name in the file.
    pub name: String,
    /// The service that runs it; `None`: whoever calls.
    pub by: Option<ServiceId>,
    /// The topic whose events start it.
    pub on: Option<TopicId>,
    /// How many of the slots are arguments.
    pub args: u16,
    /// Arguments, then the names that steps bind: the `Local`s of its expressions.
    pub slots: Vec<Slot>,
    /// The steps in order, at most 63.
    pub steps: Vec<Step>,
    /// The answer when it succeeds.
    pub reply: Option<Expr>,
}

/// The numbers in a set of steps, bit n for step n, in order.
#[inline]
pub fn numbers(mut set: u64) -> impl Iterator<Item = u8> {
    std::iter::from_fn(move || {
        let least = set.trailing_zeros();
        set &= set.wrapping_sub(1);
        (least < u64::BITS).then_some(least as u8)
    })
}

/// A step of a flow.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Steps with the same number start at once; numbers count from 0 in order.
    pub group: u16,
    /// What it does.
    pub does: StepKind,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq)]
pub enum StepKind {
    /// Calls something.
    Call(Box<CallStep>),
    /// Waits.
    Wait(Dist),
}

/// A step that calls something.
#[derive(Clone, Debug, PartialEq)]
pub struct CallStep {
    /// The action.
    pub action: Call,
    /// The slot that the reply is bound to.
    pub bind: Option<u16>,
    /// False: the step is left out.
    pub when: Option<Expr>,
    /// The compensation.
    pub undo: Option<Call>,
    /// What a saga may do with it.
    pub class: Class,
    /// A refusal does not fail the flow.
    pub optional: bool,
}

/// The class of a step in a saga.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// It can be undone.
    Compensatable,
    /// The go or no-go: once it is done, the flow only goes forward.
    Pivot,
    /// It is repeated until it succeeds.
    Retriable,
    /// It changes nothing.
    ReadOnly,
}

/// A topic without a broker: one message to each subscribing service.
#[derive(Clone, Debug, PartialEq)]
pub struct Topic {
    /// Its name.
    pub name: String,
    /// The fields that any publisher gives or any subscriber reads, with their types.
    pub fields: Vec<Slot>,
    /// The field that names the entity, for sequence numbers.
    pub key: Option<u16>,
    /// Who is told, in declaration order, each with the topic field of each of its arguments (`None`: it is null).
    pub subscribers: Vec<Subscriber>,
}

/// Who is told of an event.
#[derive(Clone, Debug, PartialEq)]
pub struct Subscriber {
    /// The operation or flow that the event runs.
    pub target: Target,
    /// For each argument the field of the topic it takes.
    pub args: Vec<Option<u16>>,
}
