//! The vocabulary: what a scenario says once it has been read. Nouns without behaviour, shared by every level above.
//!
//! [`Model`] is *what* and *weather*; [`How`](how::How) is one strategy; the two are compiled into a [`Plan`](plan::Plan).
//! A model is valid by construction: names are ids, numbers are in range, expressions are typed.

pub mod client;
pub mod expr;
pub mod flow;
pub mod heap;
pub mod how;
pub mod ids;
pub mod invariant;
pub mod name;
pub mod own;
pub mod plan;
pub mod record;
pub mod script;
pub mod service;
pub mod step;
pub mod symbols;
pub mod value;
pub mod weather;

use std::collections::BTreeSet;

use client::ClientGroup;
use flow::{Flow, Target, Topic};
use ids::{FlowId, GroupId, OpId, ServiceId, TableId, TopicId};
use service::{Operation, Service, Slot, Table};
use symbols::Symbols;
use weather::Weather;

/// Everything a scenario says about the world except how operations and flows are carried out.
#[derive(Clone, Debug)]
pub struct Model {
    /// The interned texts of this model.
    pub symbols: Symbols,
    /// The services, in declaration order.
    pub services: Vec<Service>,
    /// All tables of all services.
    pub tables: Vec<Table>,
    /// All operations of all services.
    pub operations: Vec<Operation>,
    /// The flows, in declaration order.
    pub flows: Vec<Flow>,
    /// The topics, in the order of first mention.
    pub topics: Vec<Topic>,
    /// The groups of clients, in declaration order.
    pub groups: Vec<ClientGroup>,
    /// Network, faults and the phases of a run.
    pub weather: Weather,
}

macro_rules! lookup {
    ($($name:ident: $id:ty => $field:ident, $of:ty;)*) => {
        impl Model {
            $(
                #[doc = concat!("The ", stringify!($name), " with this id.")]
                pub fn $name(&self, id: $id) -> &$of {
                    &self.$field[id.0 as usize]
                }
            )*
        }
    };
}

lookup! {
    service: ServiceId => services, Service;
    table: TableId => tables, Table;
    operation: OpId => operations, Operation;
    flow: FlowId => flows, Flow;
    topic: TopicId => topics, Topic;
    group: GroupId => groups, ClientGroup;
}

impl Model {
    /// `service.operation`, as people write it.
    pub fn operation_name(&self, id: OpId) -> String {
        let operation = self.operation(id);
        format!("{}.{}", self.service(operation.service).name, operation.name)
    }

    /// `service.table`, as people write it.
    pub fn table_name(&self, id: TableId) -> String {
        let table = self.table(id);
        format!("{}.{}", self.service(table.service).name, table.name)
    }

    /// The names of the arguments that intents of clients have, in alphabetical order, each once.
    pub fn intent_args(&self) -> Vec<String> {
        let calls = self.groups.iter().flat_map(|group| group.calls());
        let names = calls.flat_map(|call| self.args_of(call.target)).map(|slot| slot.name.clone());
        names.collect::<BTreeSet<String>>().into_iter().collect()
    }

    /// The arguments of an operation or a flow.
    pub fn args_of(&self, target: Target) -> &[Slot] {
        let (slots, args) = match target {
            Target::Op(op) => (&self.operation(op).slots, self.operation(op).args),
            Target::Flow(flow) => (&self.flow(flow).slots, self.flow(flow).args),
        };
        &slots[..slots.len().min(args as usize)]
    }

    /// The ids of all operations.
    pub fn operation_ids(&self) -> impl Iterator<Item = OpId> + use<> {
        (0..self.operations.len() as u16).map(OpId)
    }

    /// The ids of all flows.
    pub fn flow_ids(&self) -> impl Iterator<Item = FlowId> + use<> {
        (0..self.flows.len() as u16).map(FlowId)
    }

    /// The ids of all tables.
    pub fn table_ids(&self) -> impl Iterator<Item = TableId> + use<> {
        (0..self.tables.len() as u16).map(TableId)
    }
}
