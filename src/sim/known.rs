//! What is looked up in a plan again and again, worked out once: how the outbox of a service is relayed, what the names in
//! the messages of processes stand for.

use std::collections::BTreeMap;

use crate::kernel::time::Span;
use crate::model::flow::Target;
use crate::model::how::{PublishPolicy, Relay, RelayKind};
use crate::model::ids::{FlowId, ServiceId};
use crate::model::plan::{NodeKind, Plan};
use crate::model::step::{Program, Step};

/// How an operation or a flow is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way {
    /// The service that answers; `None`: it is a flow that runs at its caller.
    pub(super) service: Option<ServiceId>,
    /// The only replica of that service; `None`: there are more, or there is no service.
    pub(super) alone: Option<u32>,
    /// The operation is run by its caller.
    pub(super) by_caller: bool,
}

/// What is known of a plan.
#[derive(Clone, Debug)]
pub(super) struct Known {
    /// How the outbox of each service is relayed.
    pub(super) relays: Vec<Relay>,
    /// Whether statements take no time, by node; at clients they never do.
    free: Vec<bool>,
    /// By program whether, where statements take no time, nothing else can happen between its first statement and its
    /// commit.
    pub(super) at_once: Vec<bool>,
    /// How each operation is asked for.
    operations: Vec<Way>,
    /// How each flow is.
    flows: Vec<Way>,
    /// What processes can ask for, by name, and who answers it.
    pub(super) targets: BTreeMap<String, (Target, ServiceId)>,
}

impl Known {
    pub(super) fn of(plan: &Plan) -> Known {
        let model = &plan.model;
        let outbox = |publish: &PublishPolicy| match publish {
            PublishPolicy::Outbox(relay) => Some(relay.clone()),
            _ => None,
        };
        let flows = plan.flows.iter().find_map(|flow| outbox(&flow.publish));
        let usual =
            flows.unwrap_or(Relay { kind: RelayKind::Flag, every: Span::millis(10), gap: Span::millis(100) });
        let relay = |service: &crate::model::service::Service| {
            let own = service.operations.iter().map(|op| &plan.operations[op.index()].publish);
            own.into_iter().find_map(outbox).unwrap_or_else(|| usual.clone())
        };
        let mut targets = BTreeMap::new();
        if model.services.iter().any(|service| service.host.is_some()) {
            for op in model.operation_ids() {
                let of = model.operation(op);
                let name = format!("{}.{}", model.service(of.service).name, of.name);
                targets.entry(name).or_insert((Target::Op(op), of.service));
            }
            for (flow, of) in (0..).map(FlowId).zip(&model.flows) {
                if let Some(by) = of.by {
                    targets.entry(of.name.clone()).or_insert((Target::Flow(flow), by));
                }
            }
        }
        let alone = |service: ServiceId| {
            (model.service(service).replicas == 1).then(|| plan.nodes.replica(service, 0))
        };
        let operation = |op| {
            let service = model.operation(op).service;
            let by_caller = plan.operations[op.index()].halves.is_some();
            Way { service: Some(service), alone: alone(service), by_caller }
        };
        let flow = |by: Option<ServiceId>| Way { service: by, alone: by.and_then(alone), by_caller: false };
        Known {
            operations: model.operation_ids().map(operation).collect(),
            flows: model.flows.iter().map(|of| flow(of.by)).collect(),
            relays: model.services.iter().map(relay).collect(),
            free: (0..plan.nodes.servers()).map(|node| is_free(plan, node)).collect(),
            at_once: plan.programs.iter().map(is_at_once).collect(),
            targets,
        }
    }
}

impl Known {
    /// Whether statements take no time at a node.
    #[inline]
    pub(super) fn is_free(&self, node: u32) -> bool {
        self.free.get(node as usize) != Some(&false)
    }

    /// How a target is asked for.
    #[inline]
    pub(super) fn way(&self, target: Target) -> Way {
        match target {
            Target::Op(op) => self.operations[op.index()],
            Target::Flow(flow) => self.flows[flow.index()],
        }
    }
}

/// Whether no step of a program up to its commit takes time by itself, sends anything, or is the user's own.
fn is_at_once(program: &Program) -> bool {
    let mut commits = program.steps.iter().rev().skip_while(|step| **step != Step::Commit);
    !commits.any(|step| matches!(step, Step::Think(_) | Step::Publish(_) | Step::Custom(_)))
}

fn is_free(plan: &Plan, node: u32) -> bool {
    match plan.nodes.kind(node) {
        NodeKind::Replica(service, _) => plan.model.service(service).statement.is_zero(),
        _ => true,
    }
}
