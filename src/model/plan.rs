//! A plan: a model and a strategy compiled for the engine. Valid by construction; running it cannot fail.

use std::sync::Arc;

use super::Model;
use super::expr::Code;
use super::flow::{Class, Target};
use super::how::{Answer, Coordination, PublishPolicy, Reasons, Retry};
use super::ids::{FlowId, GroupId, OpId, ServiceId};
use super::step::{KeyPlan, Program};
use crate::kernel::dist::Dist;
use crate::kernel::time::Time;

/// How many events a run may have where nobody says otherwise.
pub const EVENT_BUDGET: u64 = 2_000_000;

/// The number of a program in a plan.
pub type ProgramId = u16;

/// A model and a strategy, compiled.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What it was compiled from.
    pub model: Arc<Model>,
    /// The name of the strategy.
    pub strategy: String,
    /// The programs.
    pub programs: Vec<Program>,
    /// How each operation is run.
    pub operations: Vec<OperationPlan>,
    /// How each flow is run.
    pub flows: Vec<FlowPlan>,
    /// What each group of clients does.
    pub groups: Vec<GroupPlan>,
    /// The nodes: replicas, databases, clients.
    pub nodes: Nodes,
    /// The retry policies that calls refer to.
    pub retries: Vec<Retry>,
    /// Compiled conditions of the fault rules, in their order.
    pub fault_when: Vec<Option<Code>>,
    /// Texts that the engine refuses with.
    pub reasons: Reasons,
    /// More events than this end a run: something repeats itself without end.
    pub event_budget: u64,
    /// Intents run one after the other, each when the one before has settled (the clean-weather twin).
    pub serial: bool,
    /// No rule of the weather applies (the clean-weather twin).
    pub clean: bool,
}

/// How an operation is run.
#[derive(Clone, Debug)]
pub struct OperationPlan {
    /// Run by its owner: the whole of it. Run by the caller: `None`.
    pub whole: Option<ProgramId>,
    /// Run by the caller: what the owner does to fetch, and to write.
    pub halves: Option<(ProgramId, ProgramId)>,
    /// How its events leave.
    pub publish: PublishPolicy,
}

/// How a flow is run.
#[derive(Clone, Debug)]
pub struct FlowPlan {
    /// Who coordinates it.
    pub coordination: Coordination,
    /// How repeated starts are recognised.
    pub key: Option<KeyPlan>,
    /// How the events of a choreography leave.
    pub publish: PublishPolicy,
    /// How many slots it has.
    pub slots: u16,
    /// The steps.
    pub steps: Vec<StepPlan>,
    /// The steps of each group, a bit each.
    pub groups: Vec<u64>,
    /// The answer when it succeeds.
    pub reply: Option<Code>,
    /// Of a merged flow: its one program.
    pub merged: Option<ProgramId>,
    /// The number of the pivot step, if there is one.
    pub pivot: Option<u8>,
}

impl FlowPlan {
    /// The steps of each group, a bit each.
    pub fn groups(steps: &[StepPlan]) -> Vec<u64> {
        let mut groups = Vec::new();
        for (n, step) in steps.iter().enumerate() {
            let at = usize::from(step.group);
            groups.resize(groups.len().max(at + 1), 0);
            groups[at] |= 1 << n;
        }
        groups
    }

    /// When the caller is answered.
    pub fn answer(&self) -> Answer {
        match &self.coordination {
            Coordination::Calls { answer } | Coordination::Choreography { answer } => *answer,
            Coordination::Saga(saga) => saga.answer,
            Coordination::FireAndForget | Coordination::Merged => Answer::Done,
        }
    }
}

/// A step of a flow.
#[derive(Clone, Debug)]
pub struct StepPlan {
    /// Steps with the same number start at once.
    pub group: u16,
    /// The action; `None`: it waits.
    pub action: Option<CallPlan>,
    /// How long it waits.
    pub wait: Option<Dist>,
    /// False: the step is left out.
    pub when: Option<Code>,
    /// The slot that the reply is bound to.
    pub bind: Option<u16>,
    /// The compensation.
    pub undo: Option<CallPlan>,
    /// What a saga may do with it.
    pub class: Class,
    /// A refusal does not fail the flow.
    pub optional: bool,
}

/// A call to be made.
#[derive(Clone, Debug)]
pub struct CallPlan {
    /// What is asked for.
    pub target: Target,
    /// One code an argument.
    pub args: Vec<Code>,
    /// The number of its retry policy.
    pub retry: u16,
}

/// What a group of clients does.
#[derive(Clone, Debug)]
pub struct GroupPlan {
    /// Calls and weights.
    pub does: Vec<(CallPlan, u32)>,
    /// Exact intents.
    pub script: Vec<(Time, CallPlan)>,
}

/// The nodes of a world in one numbering: replicas by service, then databases, then clients by group.
#[derive(Clone, Debug, Default)]
pub struct Nodes {
    /// The first replica of each service.
    pub replicas: Vec<u32>,
    /// The first database.
    pub databases: u32,
    /// The first client of each group.
    pub clients: Vec<u32>,
    /// How many nodes there are.
    pub count: u32,
    /// What each replica and database is: asked for with every message, so a table and no search. Clients may be many.
    kinds: Vec<NodeKind>,
}

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeKind {
    /// A replica of a service, counted from 0.
    Replica(ServiceId, u32),
    /// The database of a service.
    Database(ServiceId),
    /// A client of a group, counted from 0.
    Client(GroupId, u32),
}

impl Nodes {
    /// The nodes of a model.
    pub fn of(model: &Model) -> Nodes {
        let mut nodes = Nodes::default();
        for (service, of) in (0..).map(ServiceId).zip(&model.services) {
            nodes.replicas.push(nodes.count);
            nodes.count += of.replicas;
            nodes.kinds.extend((0..of.replicas).map(|n| NodeKind::Replica(service, n)));
        }
        nodes.databases = nodes.count;
        nodes.count += model.services.len() as u32;
        nodes.kinds.extend((0..).map(ServiceId).zip(&model.services).map(|(of, _)| NodeKind::Database(of)));
        for of in &model.groups {
            nodes.clients.push(nodes.count);
            nodes.count += of.count;
        }
        nodes
    }

    /// What a node is.
    #[inline]
    pub fn kind(&self, node: u32) -> NodeKind {
        self.kinds.get(node as usize).copied().unwrap_or_else(|| self.client(node))
    }

    /// How many replicas and databases there are: the first nodes.
    pub fn servers(&self) -> u32 {
        self.kinds.len() as u32
    }

    /// The service whose replica a node is.
    #[inline]
    pub fn service_at(&self, node: u32) -> Option<ServiceId> {
        match self.kinds.get(node as usize) {
            Some(NodeKind::Replica(service, _)) => Some(*service),
            _ => None,
        }
    }

    /// What a node behind all replicas and databases is.
    fn client(&self, node: u32) -> NodeKind {
        let group = self.clients.partition_point(|&first| first <= node).saturating_sub(1);
        let first = self.clients.get(group).copied().unwrap_or(node);
        NodeKind::Client(GroupId(group as u16), node - first)
    }

    /// A replica.
    pub fn replica(&self, service: ServiceId, n: u32) -> u32 {
        self.replicas[service.0 as usize] + n
    }

    /// A database.
    pub fn database(&self, service: ServiceId) -> u32 {
        self.databases + u32::from(service.0)
    }

    /// A node as people write it: `orders`, `orders#2`, `orders.db`, `shoppers#3`.
    pub fn name(&self, model: &Model, node: u32) -> String {
        match self.kind(node) {
            NodeKind::Replica(service, n) => {
                let of = model.service(service);
                if of.replicas == 1 { of.name.clone() } else { format!("{}#{}", of.name, n + 1) }
            }
            NodeKind::Database(service) => format!("{}.db", model.service(service).name),
            NodeKind::Client(group, n) => {
                let of = model.group(group);
                if of.count == 1 { of.name.clone() } else { format!("{}#{}", of.name, n + 1) }
            }
        }
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum End {
    /// Nothing was left to happen.
    Rest = 0,
    /// The time was up before that.
    NotAtRest = 1,
    /// The budget of events was spent.
    Spent = 2,
    /// Code of the user's own panicked, or asked for what cannot be.
    Broken = 3,
}

/// Why a strategy cannot carry a model out: the cells of the matrix are `n/a`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotApplicable {
    /// The operation, if it is one's fault.
    pub op: Option<OpId>,
    /// The flow, if it is one's fault.
    pub flow: Option<FlowId>,
    /// What cannot be done, in words.
    pub why: String,
}
