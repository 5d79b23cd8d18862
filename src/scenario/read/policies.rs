//! From the layers of a strategy to one policy for every operation, flow and caller.

use super::super::code::Code;
use super::super::expr::Names;
use super::super::fields::Fields;
use super::super::problem::{Problem, Problems, Severity, quote};
use super::super::shape::Table;
use super::super::source::Place;
use super::super::tree::{Entry, Kind, Node};
use super::exprs::{Exprs, local};
use super::language::how;
use super::memo::Memo;
use super::names::Index;
use super::parameters::{coordination_policy, key_policy, key_source, retry_policy, write_policy};
use super::strategies::{Part, Scoped, Strategy, lay, naive, scopes};
use super::told::Told;
use crate::kernel::time::Span;
use crate::model::Model;
use crate::model::flow::Target;
use crate::model::how::*;
use crate::model::ids::{FlowId, GroupId, OpId, ServiceId};
use crate::model::service::By;

/// Resolves a strategy for a model whose structure is known.
pub(super) fn resolve<'n>(
    strategy: &Strategy<'n>,
    model: &Model,
    index: &Index<'n>,
    exprs: &mut Exprs,
    told: &mut Told,
    problems: &mut Problems,
) -> How {
    let scopes = scopes(strategy, index, problems);
    let plain = ["write", "store", "idempotency", "publish", "coordination"];
    let plain = plain.map(|dimension| (dimension, strategy.plain(dimension)));
    let nothing = Node { place: strategy.head, kind: Kind::Object(Default::default()) };
    let known = Known::default();
    let mut resolver = Resolver {
        strategy,
        scopes,
        plain,
        nothing,
        known,
        usual: None,
        model,
        index,
        exprs,
        told,
        problems,
    };
    let operations = model.operation_ids().map(|op| resolver.operation(op)).collect();
    let flows = model.flow_ids().map(|flow| resolver.flow(flow)).collect();
    let retries = resolver.retries();
    resolver.unread();
    How { name: strategy.name.clone(), operations, flows, retries, own: None }
}

/// What policies were read to.
#[derive(Default)]
struct Known {
    write: Memo<Entry, (WritePolicy, Option<By>)>,
    store: Memo<Entry, StoreLevel>,
    key: Memo<Entry, Option<KeyPolicy>>,
    publish: Memo<Entry, PublishPolicy>,
    coordination: Memo<Entry, Coordination>,
    retry: Memo<Entry, Retry>,
}

struct Resolver<'r, 'n> {
    strategy: &'r Strategy<'n>,
    scopes: Vec<Scoped<'n>>,
    /// By dimension what holds without scopes.
    plain: [(&'static str, Option<Node>); 5],
    /// The policy that says nothing.
    nothing: Node,
    known: Known,
    /// How an operation of ours is carried out that no scope names and whose keys are not computed, but for who runs it
    /// where the policy leaves that to the operation.
    usual: Option<(OperationHow, Option<By>)>,
    model: &'r Model,
    index: &'r Index<'n>,
    exprs: &'r mut Exprs,
    told: &'r mut Told,
    problems: &'r mut Problems,
}

impl<'n> Resolver<'_, 'n> {
    /// The policy of a dimension: a base, and over it what the matching scopes say.
    fn policy(&self, dimension: &str, base: Option<Node>, matches: impl Fn(Part) -> bool) -> Node {
        let scoped = self.scopes.iter().filter(|scope| matches(scope.part));
        let policy = scoped.fold(base, |base, scope| lay(base, scope.node, dimension));
        policy.unwrap_or_else(|| self.nothing.clone())
    }

    /// Reads a policy by the table of its dimension.
    fn read<T: Clone>(
        &mut self,
        table: &'static Table,
        policy: &Node,
        known: impl Fn(&mut Known) -> &mut Memo<Entry, T>,
        read: impl FnOnce(&Fields<'_>, &str) -> T,
    ) -> Option<T> {
        let Kind::Object(entries) = &policy.kind else { return None };
        if let Some(read) = known(&mut self.known).find(entries) {
            return Some(read);
        }
        // What is wrong with its parts was reported where they are written.
        let fields = Fields::of(policy, self.strategy.head, table, &mut Problems::new())?;
        let used = used(&fields).or_else(|| naive(table.name)).unwrap_or_default();
        self.strangers(table, &fields, used, Severity::Error);
        let read = read(&fields, used);
        known(&mut self.known).keep(entries, &read);
        Some(read)
    }

    /// Reports parameters of the strategy itself that belong to another policy.
    fn strangers(&mut self, table: &Table, fields: &Fields<'_>, used: &str, severity: Severity) {
        let Some(own) = self.strategy.own else { return };
        for (field, entry) in fields.iter() {
            let owned = how::OWNED.iter().find(|(dimension, _, parameters)| {
                *dimension == table.name && parameters.contains(&field.name)
            });
            let Some((_, policies, _)) = owned.filter(|(_, policies, _)| !policies.contains(&used)) else {
                continue;
            };
            let place = entry.key.place;
            if within(place, own) {
                let message = format!("{} says nothing to {}", quote(field.name), quote(used));
                let hint = format!(
                    "it belongs to {}",
                    super::super::problem::enumerate(policies.iter().copied(), "and")
                );
                let problem = match severity {
                    Severity::Error => Problem::error(Code::Parameter, place, message),
                    Severity::Warning => Problem::warning(Code::Parameter, place, message),
                };
                self.problems.push(problem.hint(hint));
            }
        }
    }

    /// Parameters of the strategy itself that say nothing to a key that is never in progress: one that is stored as done
    /// before the effect or after it. Stored with it, it is in progress as long as its transaction, which nobody takes over.
    /// The key of a flow is in progress all the same, unless it is merged into an operation.
    fn in_progress(&mut self, policy: &Node, key: &KeyPolicy, merged: bool) {
        let Some(own) = self.strategy.own else { return };
        // Where it stands is asked before what it is called: most parameters are those of the naive policies.
        for entry in
            policy.as_object().unwrap_or_default().iter().filter(|entry| within(entry.key.place, own))
        {
            if let Some(name) = ["busy", "busy_for"].into_iter().find(|name| entry.key.value == *name) {
                let idle = match key.store {
                    KeyStore::Before if merged => Some("before"),
                    KeyStore::After if merged => Some("after"),
                    KeyStore::With if merged && name == "busy_for" => Some("with"),
                    _ => None,
                };
                self.told.parameter(name, entry.key.place, idle);
            }
        }
    }

    /// Dimensions of which this version has the naive policies only: nothing is read of them, but what belongs to another
    /// policy says nothing there, too.
    fn unread(&mut self) {
        let Some(own) = self.strategy.own else { return };
        for table in [&how::CONSUME, &how::CONFLICT, &how::ISOLATION, &how::REPAIR] {
            // Most strategies say nothing of them, and to lay policies over each other takes time.
            let says = |node: &Node| node.get(table.name).is_some_and(|entry| within(entry.key.place, own));
            let layers = self.strategy.layers.iter().map(|layer| layer.node);
            if !layers.chain(self.scopes.iter().map(|scope| scope.node)).any(says) {
                continue;
            }
            let parts: Vec<Part> = self.scopes.iter().map(|scope| scope.part).collect();
            for part in std::iter::once(None).chain(parts.into_iter().map(Some)) {
                let plain = self.strategy.plain(table.name);
                let policy = self.policy(table.name, plain, |of| Some(of) == part);
                let Some(fields) = Fields::of(&policy, self.strategy.head, table, &mut Problems::new())
                else {
                    continue;
                };
                let used = used(&fields).or_else(|| naive(table.name)).unwrap_or_default();
                self.strangers(table, &fields, used, Severity::Warning);
            }
        }
    }

    /// What holds without scopes; nothing but the naive policies at a service that is not ours.
    fn base(&self, dimension: &str, service: Option<ServiceId>) -> Option<Node> {
        let external = service.is_some_and(|service| self.model.service(service).external);
        let plain = self.plain.iter().find(|(of, _)| *of == dimension && !external);
        plain.and_then(|(_, policy)| policy.clone())
    }

    fn operation(&mut self, op: OpId) -> OperationHow {
        let operation = self.model.operation(op);
        let service = operation.service;
        let touches = |part: Part| match part {
            Part::Op(of) => of == op,
            Part::Service(of) => of == service,
            Part::Table(of) => {
                operation.all_effects().any(|effects| effects.writes.iter().any(|write| write.table == of))
            }
            Part::Topic(of) => {
                operation.on == Some(of)
                    || operation.all_effects().any(|effects| effects.publish.iter().any(|p| p.topic == of))
            }
            Part::Flow(_) | Part::Group(_) => false,
        };
        let usual =
            !self.model.service(service).external && !self.scopes.iter().any(|scope| touches(scope.part));
        if let Some((how, by)) = self.usual.as_ref().filter(|_| usual) {
            return OperationHow { by: by.unwrap_or(operation.by), ..how.clone() };
        }
        let policy = |resolver: &Self, dimension| {
            resolver.policy(dimension, resolver.base(dimension, Some(service)), touches)
        };
        let (write, store) = (policy(self, "write"), policy(self, "store"));
        let (key, publish) = (policy(self, "idempotency"), policy(self, "publish"));
        let (write, by) = self
            .read(
                &how::WRITE,
                &write,
                |known| &mut known.write,
                |fields, used| {
                    let by = fields.word("by");
                    let by = by.map(|by| if by == "owner" { By::Owner } else { By::Caller });
                    (write_policy(fields, used), by)
                },
            )
            .unwrap_or((WritePolicy::Absolute, None));
        let store = self.read(
            &how::STORE,
            &store,
            |known| &mut known.store,
            |_, used| match used {
                "none" => StoreLevel::None,
                _ => StoreLevel::ReadCommitted,
            },
        );
        let how = OperationHow {
            write,
            by: by.unwrap_or(operation.by),
            store: store.unwrap_or(StoreLevel::ReadCommitted),
            idempotency: self.idempotency(&key, Target::Op(op), true),
            publish: self.publish(&publish),
        };
        let computed =
            matches!(&how.idempotency, Idempotency::Key(key) if matches!(key.source, KeySource::Computed(_)));
        // A computed key may mean nothing to another operation, and that is said of each.
        if usual && !computed {
            self.usual = Some((how.clone(), by));
        }
        how
    }

    fn flow(&mut self, id: FlowId) -> FlowHow {
        let by = self.model.flow(id).by;
        let runs = |part: Part| match part {
            Part::Flow(of) => of == id,
            Part::Service(of) => by == Some(of),
            _ => false,
        };
        let of = |dimension| self.policy(dimension, self.base(dimension, by), runs);
        let coordination = of("coordination");
        let (key, publish) = (of("idempotency"), of("publish"));
        if by.is_none() {
            self.homeless(id);
        }
        let coordination = self.read(
            &how::COORDINATION,
            &coordination,
            |known| &mut known.coordination,
            coordination_policy,
        );
        let idempotency = match by {
            // Nobody keeps a memory of a flow that its caller runs.
            None => Idempotency::None,
            Some(_) => self.idempotency(&key, Target::Flow(id), coordination == Some(Coordination::Merged)),
        };
        FlowHow {
            coordination: coordination.unwrap_or(Coordination::Calls { answer: Answer::Done }),
            idempotency,
            publish: self.publish(&publish),
        }
    }

    /// A scope that asks something of a flow without a home can never be carried out.
    fn homeless(&mut self, id: FlowId) {
        for scope in self.scopes.iter().filter(|scope| scope.part == Part::Flow(id)) {
            for dimension in ["coordination", "idempotency", "publish"] {
                if let Some(entry) = scope.node.get(dimension) {
                    let name = &self.model.flow(id).name;
                    let message =
                        format!("the flow {} has no `by`: it runs at its caller, by calls", quote(name));
                    let problem = Problem::error(Code::Scope, entry.key.place, message);
                    self.problems.push(problem.hint("give the flow a service that runs it"));
                }
            }
        }
    }

    fn publish(&mut self, policy: &Node) -> PublishPolicy {
        let read = self.read(
            &how::PUBLISH,
            policy,
            |known| &mut known.publish,
            |fields, used| match used {
                "before-commit" => PublishPolicy::BeforeCommit,
                "outbox" => PublishPolicy::Outbox(Relay {
                    kind: match fields.word("relay") {
                        Some("cursor") => RelayKind::Cursor,
                        Some("gap") => RelayKind::Gap,
                        _ => RelayKind::Flag,
                    },
                    // A grid of no width would be looked at without end.
                    every: fields.fixed_time("every").map_or(Span::millis(10), |ns| Span(ns.max(1))),
                    gap: fields.fixed_time("gap").map_or(Span::millis(100), Span),
                }),
                _ => PublishPolicy::AfterCommit,
            },
        );
        read.unwrap_or(PublishPolicy::AfterCommit)
    }

    /// `merged`: one transaction does it all.
    fn idempotency(&mut self, policy: &Node, target: Target, merged: bool) -> Idempotency {
        let Some(mut key) = self
            .read(
                &how::IDEMPOTENCY,
                policy,
                |known| &mut known.key,
                |fields, used| (used == "key").then(|| key_policy(fields)),
            )
            .flatten()
        else {
            return Idempotency::None;
        };
        self.in_progress(policy, &key, merged);
        let computed = policy.get("key").map(|entry| &entry.value);
        let word = computed.and_then(Node::as_text).and_then(|text| key_source(&text.value));
        if let (Some(node), None) = (computed, word) {
            let mut scope = Names::new();
            for (slot, (name, ty)) in self.index.callable(target).args.iter().enumerate() {
                scope.bind(name, local(slot, *ty));
            }
            let mut problems = Problems::new();
            let (expr, _) = self.exprs.value(node, &scope, None, &mut problems);
            if problems.has_errors() {
                let name = self.index.target_name(target);
                let place = problems.iter().next().map_or(node.place, |problem| problem.place);
                let message = format!("this key means nothing to `{name}`");
                let args: Vec<&str> =
                    self.index.callable(target).args.iter().map(|(name, _)| name.as_str()).collect();
                let hint = format!(
                    "its arguments are ({}); `where` gives a key to some operations only",
                    args.join(", ")
                );
                self.problems.push(Problem::error(Code::Meaning, place, message).hint(hint));
            }
            key.source = KeySource::Computed(expr);
        }
        Idempotency::Key(Box::new(key))
    }

    /// Retry policies: for all, then for those that differ.
    fn retries(&mut self) -> Vec<(RetryScope, Retry)> {
        let plain = self.strategy.plain("retry");
        let of_flows = self.strategy.plain_of_flows();
        let mut retries = Vec::new();
        let all = self.policy("retry", plain.clone(), |_| false);
        let all = self.retry(&all);
        retries.push((RetryScope::All, all));
        for group in 0..self.model.groups.len() as u16 {
            let group = GroupId(group);
            let policy = self.policy("retry", plain.clone(), |part| part == Part::Group(group));
            self.add_retry(RetryScope::Group(group), &policy, &mut retries);
        }
        for flow in self.model.flow_ids() {
            let by = self.model.flow(flow).by;
            let policy = self.policy("retry", of_flows.clone(), |part| match part {
                Part::Service(of) => by == Some(of),
                Part::Flow(of) => of == flow,
                _ => false,
            });
            self.add_retry(RetryScope::Flow(flow), &policy, &mut retries);
        }
        for op in self.model.operation_ids() {
            if self.scopes.iter().any(|scope| scope.part == Part::Op(op) && scope.node.get("retry").is_some())
            {
                let base = if self.is_for_clients(op) { &plain } else { &of_flows };
                let policy = self.policy("retry", base.clone(), |part| part == Part::Op(op));
                let policy = self.retry(&policy);
                retries.push((RetryScope::Op(op), policy));
            }
        }
        retries
    }

    /// Whether a client calls the operation itself.
    fn is_for_clients(&self, op: OpId) -> bool {
        self.model.groups.iter().any(|group| {
            let calls = group.does.iter().map(|(call, _)| call);
            calls.chain(group.script.iter().map(|(_, call)| call)).any(|call| call.target == Target::Op(op))
        })
    }

    fn add_retry(&mut self, scope: RetryScope, policy: &Node, retries: &mut Vec<(RetryScope, Retry)>) {
        let retry = self.retry(policy);
        if retries.first().is_none_or(|(_, all)| *all != retry) {
            retries.push((scope, retry));
        }
    }

    fn retry(&mut self, policy: &Node) -> Retry {
        let read = self.read(&how::RETRY, policy, |known| &mut known.retry, |fields, _| retry_policy(fields));
        if let Some(retry) = &read {
            let place = |key| policy.get(key).map(|entry: &Entry| entry.value.place);
            if retry.timeout.is_zero()
                && let Some(place) = place("timeout")
            {
                let problem = Problem::error(Code::Time, place, "no answer comes in no time");
                self.problems.push(problem.hint("a time such as \"100ms\""));
            }
            if retry.backoff == Backoff::Period
                && retry.first.is_zero()
                && let Some(place) = place("backoff")
            {
                let message = "with a `period` of nothing, all repetitions are sent at once";
                self.problems.push(Problem::error(Code::Together, place, message).hint("say `first`"));
            }
        }
        read.unwrap_or(Retry {
            timeout: Span::SECOND,
            attempts: Some(1),
            on_timeout: OnTimeout::Resend,
            backoff: Backoff::None,
            first: Span::ZERO,
            factor: 2,
            cap: Span::MAX,
            jitter: Jitter::None,
            give_up_on_refusals: true,
            late: Late::Ignore,
        })
    }
}

/// Whether a place lies in another one.
fn within(place: Place, outer: Place) -> bool {
    place.file == outer.file && outer.start <= place.start && place.end <= outer.end
}

/// The policy that is named; dimensions without a choice have none.
fn used(fields: &Fields<'_>) -> Option<&'static str> {
    let (field, entry) = fields.iter().find(|(field, _)| field.name == "use")?;
    let name = &entry.value.as_text()?.value;
    match &field.shape {
        super::super::shape::Shape::OneOf(words) => words.iter().map(|w| w.name).find(|word| word == name),
        _ => None,
    }
}
