//! The names that a document declares, with their numbers: the first pass, before anything is understood.
//!
//! Numbers are declaration ordinals. Looking a name up reports one that is not there, with the name probably meant.

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use super::super::code::Code;
use super::super::expr::{self, Ty, is_field, is_name};
use super::super::fields::Fields;
use super::super::problem::{Problem, Problems, did_you_mean, enumerate, quote};
use super::super::source::Place;
use super::super::tree::{Entry, Text};
use super::exprs::Exprs;
use super::language::what;
use super::later;
use crate::model::flow::Target;
use crate::model::ids::{FlowId, GroupId, OpId, ServiceId, TableId, TopicId};

/// The most things of one kind.
const MOST: usize = 1_000;
/// The most arguments of an operation or flow.
pub(super) const MOST_ARGS: usize = 64;

/// A service.
#[derive(Clone, Debug)]
pub(super) struct ServiceName<'n> {
    pub(super) name: &'n Text,
    pub(super) fields: Fields<'n>,
    pub(super) tables: Vec<TableId>,
    pub(super) operations: Vec<OpId>,
}

/// A table.
#[derive(Clone, Debug)]
pub(super) struct TableName<'n> {
    pub(super) name: &'n Text,
    pub(super) service: ServiceId,
    pub(super) fields: Fields<'n>,
}

/// An operation or a flow, as those see it who call it.
#[derive(Clone, Debug)]
pub(super) struct Callable<'n> {
    pub(super) name: &'n Text,
    /// Of an operation.
    pub(super) service: Option<ServiceId>,
    pub(super) fields: Fields<'n>,
    pub(super) args: Vec<(String, Ty)>,
    pub(super) reply: Ty,
}

/// A topic: its entry in `topics`, if there is one, and where it was first named.
#[derive(Clone, Debug)]
pub(super) struct TopicName<'n> {
    pub(super) name: &'n Text,
    pub(super) fields: Option<Fields<'n>>,
    /// Its fields and their types.
    pub(super) columns: Vec<(String, Ty)>,
    /// Somebody publishes it.
    pub(super) published: bool,
}

/// A group of clients.
#[derive(Clone, Debug)]
pub(super) struct GroupName<'n> {
    pub(super) name: &'n Text,
    pub(super) fields: Fields<'n>,
}

/// All names of a document.
#[derive(Clone, Debug, Default)]
pub(super) struct Index<'n> {
    /// Shared by the documents that stand on the same ground; all but the clients, who differ from case to case.
    ground: Arc<Declared<'n>>,
    pub(super) groups: Vec<GroupName<'n>>,
    group_by: BTreeMap<&'n str, GroupId>,
}

/// What services, flows and topics declare.
#[derive(Clone, Debug, Default)]
pub(super) struct Declared<'n> {
    pub(super) services: Vec<ServiceName<'n>>,
    pub(super) tables: Vec<TableName<'n>>,
    pub(super) operations: Vec<Callable<'n>>,
    pub(super) flows: Vec<Callable<'n>>,
    pub(super) topics: Vec<TopicName<'n>>,
    service_by: BTreeMap<&'n str, ServiceId>,
    table_by: BTreeMap<(ServiceId, &'n str), TableId>,
    operation_by: BTreeMap<(ServiceId, &'n str), OpId>,
    flow_by: BTreeMap<&'n str, FlowId>,
    topic_by: BTreeMap<&'n str, TopicId>,
}

impl<'n> Deref for Index<'n> {
    type Target = Declared<'n>;

    fn deref(&self) -> &Declared<'n> {
        &self.ground
    }
}

impl DerefMut for Index<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        Arc::make_mut(&mut self.ground)
    }
}

impl<'n> Index<'n> {
    /// Declares everything that the document names, but for its clients.
    pub(super) fn of(document: &Fields<'n>, exprs: &mut Exprs, problems: &mut Problems) -> Self {
        let mut index = Index::default();
        for entry in bounded(document.members("services"), "services", problems) {
            index.service(entry, exprs, problems);
        }
        for entry in bounded(document.members("flows"), "flows", problems) {
            index.flow(entry, exprs, problems);
        }
        for entry in bounded(document.members("topics"), "topics", problems) {
            let fields = later::fields(&entry.value, entry.key.place, &what::TOPIC, problems);
            if let Some(topic) = index.topic(&entry.key, problems) {
                index.topics[topic.index()].fields = fields;
            }
        }
        index
    }

    /// Declares the groups of clients.
    pub(super) fn clients(&mut self, document: &Fields<'n>, problems: &mut Problems) {
        for entry in bounded(document.members("clients"), "groups of clients", problems) {
            let fields = later::fields(&entry.value, entry.key.place, &what::CLIENTS, problems);
            if let Some(fields) = fields.filter(|_| simple(&entry.key, problems)) {
                self.group_by.insert(&entry.key.value, GroupId(self.groups.len() as u16));
                self.groups.push(GroupName { name: &entry.key, fields });
            }
        }
    }

    fn service(&mut self, entry: &'n Entry, exprs: &mut Exprs, problems: &mut Problems) {
        let name = &entry.key;
        let Some(fields) = later::fields(&entry.value, name.place, &what::SERVICE, problems) else { return };
        if !identifier(name, problems) {
            return;
        }
        let service = ServiceId(self.services.len() as u16);
        let (mut tables, mut operations) = (Vec::new(), Vec::new());
        for entry in fields.members("tables") {
            let own = later::fields(&entry.value, entry.key.place, &what::TABLE, problems);
            let Some(own) = own.filter(|_| identifier(&entry.key, problems)) else { continue };
            if self.tables.len() == MOST {
                too_many("tables", entry.key.place, problems);
                break;
            }
            let table = exprs.types.add_table(&format!("{}.{}", name.value, entry.key.value));
            self.table_by.insert((service, &entry.key.value), table);
            self.tables.push(TableName { name: &entry.key, service, fields: own });
            tables.push(table);
        }
        for entry in fields.members("operations") {
            let own = later::fields(&entry.value, entry.key.place, &what::OPERATION, problems);
            let Some(own) = own.filter(|_| member_name(&entry.key, problems)) else { continue };
            if self.operations.len() == MOST {
                too_many("operations", entry.key.place, problems);
                break;
            }
            let operation = OpId(self.operations.len() as u16);
            self.operation_by.insert((service, &entry.key.value), operation);
            let args = arguments(&own, &["now", "event"], exprs, problems);
            let reply = exprs.types.null();
            self.operations.push(Callable {
                name: &entry.key,
                service: Some(service),
                fields: own,
                args,
                reply,
            });
            operations.push(operation);
        }
        self.service_by.insert(&name.value, service);
        self.services.push(ServiceName { name, fields, tables, operations });
    }

    fn flow(&mut self, entry: &'n Entry, exprs: &mut Exprs, problems: &mut Problems) {
        let own = later::fields(&entry.value, entry.key.place, &what::FLOW, problems);
        let Some(own) = own.filter(|_| identifier(&entry.key, problems)) else { return };
        let flow = FlowId(self.flows.len() as u16);
        self.flow_by.insert(&entry.key.value, flow);
        let args = arguments(&own, &[], exprs, problems);
        let reply = exprs.types.null();
        self.flows.push(Callable { name: &entry.key, service: None, fields: own, args, reply });
    }

    /// The topic of that name, declared by being named.
    pub(super) fn topic(&mut self, name: &'n Text, problems: &mut Problems) -> Option<TopicId> {
        if let Some(known) = self.topic_by.get(name.value.as_str()) {
            return Some(*known);
        }
        if !simple(name, problems) {
            return None;
        }
        if self.topics.len() == MOST {
            too_many("topics", name.place, problems);
            return None;
        }
        let topic = TopicId(self.topics.len() as u16);
        self.topic_by.insert(&name.value, topic);
        self.topics.push(TopicName { name, fields: None, columns: Vec::new(), published: false });
        Some(topic)
    }

    /// Declares a field of a topic, or finds it.
    pub(super) fn topic_field(&mut self, topic: TopicId, name: &str, exprs: &mut Exprs) -> (u16, Ty) {
        let columns = &mut self.topics[topic.index()].columns;
        let at = columns.iter().position(|(known, _)| known == name).unwrap_or_else(|| {
            columns.push((name.to_owned(), exprs.types.null()));
            columns.len() - 1
        });
        (at as u16, columns[at].1)
    }

    pub(super) fn find_service(&self, name: &str) -> Option<ServiceId> {
        self.service_by.get(name).copied()
    }

    pub(super) fn find_table(&self, name: &str) -> Option<TableId> {
        let (service, table) = name.split_once('.')?;
        self.table_by.get(&(self.find_service(service)?, table)).copied()
    }

    pub(super) fn find_table_of(&self, service: ServiceId, name: &str) -> Option<TableId> {
        self.table_by.get(&(service, name)).copied()
    }

    pub(super) fn find_operation(&self, name: &str) -> Option<OpId> {
        let (service, operation) = name.split_once('.')?;
        self.operation_by.get(&(self.find_service(service)?, operation)).copied()
    }

    pub(super) fn find_flow(&self, name: &str) -> Option<FlowId> {
        self.flow_by.get(name).copied()
    }

    pub(super) fn find_topic(&self, name: &str) -> Option<TopicId> {
        self.topic_by.get(name).copied()
    }

    pub(super) fn find_group(&self, name: &str) -> Option<GroupId> {
        self.group_by.get(name).copied()
    }

    /// An operation (`service.operation`) or a flow.
    pub(super) fn find_target(&self, name: &str) -> Option<Target> {
        let operation = self.find_operation(name).map(Target::Op);
        operation.or_else(|| self.find_flow(name).map(Target::Flow))
    }

    pub(super) fn callable(&self, target: Target) -> &Callable<'n> {
        match target {
            Target::Op(op) => &self.operations[op.index()],
            Target::Flow(flow) => &self.flows[flow.index()],
        }
    }

    /// `service.operation` or the name of the flow.
    pub(super) fn target_name(&self, target: Target) -> String {
        let callable = self.callable(target);
        match callable.service {
            Some(service) => {
                format!("{}.{}", self.services[service.index()].name.value, callable.name.value)
            }
            None => callable.name.value.owned(),
        }
    }

    pub(super) fn table_name(&self, table: TableId) -> String {
        let of = &self.tables[table.index()];
        format!("{}.{}", self.services[of.service.index()].name.value, of.name.value)
    }

    pub(super) fn all_services(&self) -> Vec<String> {
        self.services.iter().map(|service| service.name.value.owned()).collect()
    }

    pub(super) fn all_tables(&self) -> Vec<String> {
        (0..self.tables.len()).map(|table| self.table_name(TableId(table as u16))).collect()
    }

    pub(super) fn all_operations(&self) -> Vec<String> {
        (0..self.operations.len()).map(|op| self.target_name(Target::Op(OpId(op as u16)))).collect()
    }

    pub(super) fn all_flows(&self) -> Vec<String> {
        self.flows.iter().map(|flow| flow.name.value.owned()).collect()
    }

    pub(super) fn all_topics(&self) -> Vec<String> {
        self.topics.iter().map(|topic| topic.name.value.owned()).collect()
    }

    pub(super) fn all_groups(&self) -> Vec<String> {
        self.groups.iter().map(|group| group.name.value.owned()).collect()
    }

    /// The names of the tables of a service, for scopes.
    pub(super) fn tables_of(&self, service: ServiceId) -> Vec<(String, TableId)> {
        let tables = self.services[service.index()].tables.iter();
        tables.map(|table| (self.tables[table.index()].name.value.owned(), *table)).collect()
    }

    /// A scope in which tables are written `service.table`, for invariants and facts.
    pub(super) fn outside(&self) -> expr::Names {
        let mut scope = expr::Names::new();
        for (at, service) in self.services.iter().enumerate() {
            scope.add_service(&service.name.value, self.tables_of(ServiceId(at as u16)));
        }
        scope
    }
}

/// Reports a name that was not found.
pub(super) fn undeclared(what: &str, name: &str, place: Place, known: &[String], problems: &mut Problems) {
    let message = format!("there is no {what} {}", quote(name));
    let names = || known.iter().map(String::as_str);
    let hint = match did_you_mean(name, names()) {
        Some(meant) => Some(format!("did you mean `{meant}`?")),
        None if known.is_empty() => None,
        None => Some(format!("there is {}", enumerate(names(), "and"))),
    };
    problems.push(Problem::error(Code::Undeclared, place, message).maybe_hint(hint));
}

/// The names of the arguments, each with a type of its own. `taken` are names that mean something else here.
fn arguments(
    fields: &Fields<'_>,
    taken: &[&str],
    exprs: &mut Exprs,
    problems: &mut Problems,
) -> Vec<(String, Ty)> {
    let mut args: Vec<(String, Ty)> = Vec::new();
    for name in fields.list("args").iter().filter_map(|node| node.as_text()) {
        if !identifier(name, problems) || !free_name(name, taken, problems) {
            continue;
        }
        if args.iter().any(|(known, _)| *known == name.value) {
            let message = format!("the argument {} is there twice", quote(&name.value));
            problems.push(Problem::error(Code::Twice, name.place, message));
        } else if args.len() == MOST_ARGS {
            too_many("arguments", name.place, problems);
            break;
        } else {
            args.push((name.value.owned(), exprs.types.free()));
        }
    }
    args
}

/// Whether a name is not one of those that mean something else here.
pub(super) fn free_name(name: &Text, taken: &[&str], problems: &mut Problems) -> bool {
    let free = !taken.contains(&name.value.as_str());
    if !free {
        let message = format!("{} has a meaning of its own here", quote(&name.value));
        problems.push(Problem::error(Code::BadName, name.place, message).hint("choose another name"));
    }
    free
}

/// Whether expressions can mention the name by itself.
pub(super) fn identifier(name: &Text, problems: &mut Problems) -> bool {
    is_name(&name.value) || bad_name(name, problems)
}

/// Whether expressions can mention the name after a dot.
pub(super) fn member_name(name: &Text, problems: &mut Problems) -> bool {
    is_member_name(&name.value) || bad_name(name, problems)
}

/// The same for any text.
pub(super) fn is_member_name(name: &str) -> bool {
    is_field(name)
}

/// Whether it is a name that no expression mentions: letters, digits, `_` and `-`.
fn simple(name: &Text, problems: &mut Problems) -> bool {
    let letter = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut letters = name.value.chars();
    let good = letters.next().is_some_and(letter) && letters.all(|c| letter(c) || c == '-');
    good || bad_name(name, problems)
}

fn bad_name(name: &Text, problems: &mut Problems) -> bool {
    let message = format!("{} cannot be a name here", quote(&name.value));
    let plain: String = name.value.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let problem = Problem::error(Code::BadName, name.place, message);
    problems.push(if is_member_name(&plain) && plain != name.value {
        problem.hint(format!("write {}", quote(&plain)))
    } else {
        problem.hint("letters, digits and `_`, no digit first, and no word of the expression language")
    });
    false
}

/// As many members as there may be.
fn bounded<'n>(members: &'n [Entry], what: &str, problems: &mut Problems) -> &'n [Entry] {
    if let Some(entry) = members.get(MOST) {
        too_many(what, entry.key.place, problems);
    }
    &members[..members.len().min(MOST)]
}

/// Reports a bound.
pub(super) fn too_many(what: &str, place: Place, problems: &mut Problems) {
    problems.push(Problem::error(Code::Limit, place, format!("there are too many {what}")));
}
