//! Flows: their steps, what these bind, and how a saga may treat them.

use super::super::code::Code;
use super::super::expr::Names;
use super::super::fields::Fields;
use super::super::problem::{Problem, Problems, quote};
use super::super::tree::{Kind, Node};
use super::calls::call;
use super::exprs::{Exprs, local};
use super::language::what;
use super::later;
use super::names::{Index, too_many, undeclared};
use super::operations::{new_name, record_or_value};
use super::values::dist;
use crate::model::flow::{CallStep, Class, Flow, Step, StepKind, Target};
use crate::model::ids::FlowId;
use crate::model::service::{Operation, Slot};
use crate::model::value::Type;

/// The most steps of a flow.
const MOST_STEPS: usize = 63;

/// A flow, with what is decided when all flows are known.
#[derive(Clone, Debug)]
pub(super) struct FlowDraft {
    pub(super) flow: Flow,
    pub(super) tys: Vec<super::super::expr::Ty>,
    /// Steps whose class the file leaves open.
    pub(super) open: Vec<usize>,
}

/// Reads a flow.
pub(super) fn read<'n>(
    id: FlowId,
    index: &Index<'n>,
    exprs: &mut Exprs,
    problems: &mut Problems,
) -> FlowDraft {
    let callable = &index.flows[id.index()];
    let fields = &callable.fields;
    let by = fields.text("by").and_then(|name| {
        let service = index.find_service(&name.value);
        if service.is_none() {
            undeclared("service", &name.value, name.place, &index.all_services(), problems);
        }
        service
    });
    let on = fields.text("on").and_then(|topic| index.find_topic(&topic.value));
    if let Some(entry) = fields.entry("on").filter(|_| !fields.has("by") && !fields.spoilt("by")) {
        let message = "a flow that events start needs a service that runs it";
        problems.push(Problem::error(Code::Together, entry.key.place, message).hint("add `by`"));
    }
    let mut reader = Reader {
        scope: Names::new(),
        flow: Flow {
            name: callable.name.value.owned(),
            by,
            on,
            args: callable.args.len() as u16,
            slots: Vec::new(),
            steps: Vec::new(),
            reply: None,
        },
        tys: Vec::new(),
        open: Vec::new(),
        index,
        exprs,
    };
    for (name, ty) in &callable.args {
        reader.bind(name, *ty);
    }
    let nodes = fields.list("steps");
    if nodes.is_empty() && fields.has("steps") {
        let problem = Problem::error(Code::Together, fields.head(), "a flow has at least one step");
        problems.push(problem);
    }
    for node in nodes {
        let at_once = node.as_list().unwrap_or(std::slice::from_ref(node));
        reader.group(at_once, problems);
    }
    if reader.flow.steps.len() > MOST_STEPS {
        let message = format!("a flow has at most {MOST_STEPS} steps");
        problems.push(Problem::error(Code::Limit, fields.head(), message));
    }
    if let Some(entry) = fields.entry("reply") {
        let (reply, ty) = record_or_value(&entry.value, &reader.scope, reader.exprs, problems);
        let place = reader.exprs.data_place(entry.value.place);
        reader.exprs.unify(ty, callable.reply, &place, problems);
        reader.flow.reply = Some(reply);
    }
    FlowDraft { flow: reader.flow, tys: reader.tys, open: reader.open }
}

struct Reader<'r, 'n> {
    scope: Names,
    flow: Flow,
    tys: Vec<super::super::expr::Ty>,
    open: Vec<usize>,
    index: &'r Index<'n>,
    exprs: &'r mut Exprs,
}

impl<'n> Reader<'_, 'n> {
    fn bind(&mut self, name: &str, ty: super::super::expr::Ty) -> u16 {
        let slot = self.flow.slots.len();
        self.scope.bind(name, local(slot, ty));
        self.flow.slots.push(Slot { name: name.to_owned(), ty: Type::Null });
        self.tys.push(ty);
        slot as u16
    }

    /// Steps that start at once; what they bind is known after them.
    fn group(&mut self, nodes: &'n [Node], problems: &mut Problems) {
        let number = self.flow.steps.last().map_or(0, |step| step.group + 1);
        let mut bound = Vec::new();
        for node in nodes {
            let Some(fields) = later::fields(node, node.head(), &what::STEP, problems) else { continue };
            let Some((kind, entry)) = fields.choice(&["do", "wait", "for"], problems) else { continue };
            if self.flow.steps.len() > MOST_STEPS {
                too_many("steps in one flow", entry.key.place, problems);
                return;
            }
            let does = match kind.name {
                "do" => self.call(&fields, &mut bound, problems),
                "wait" => {
                    for (field, other) in fields.iter().filter(|(field, _)| field.name != "wait") {
                        let message = format!("a pause has no {}", quote(field.name));
                        problems.push(Problem::error(Code::Together, other.key.place, message));
                    }
                    let time = fields.time("wait").and_then(dist);
                    if time.is_none() {
                        let problem = Problem::error(Code::Time, entry.value.place, "no step waits for ever");
                        problems.push(problem);
                    }
                    time.map(StepKind::Wait)
                }
                // Reported as not supported.
                _ => None,
            };
            if let Some(does) = does {
                self.flow.steps.push(Step { group: number, does });
            }
        }
        for (name, ty, step) in bound {
            let slot = self.bind(&name, ty);
            if let Some(Step { does: StepKind::Call(call), .. }) = self.flow.steps.get_mut(step) {
                call.bind = Some(slot);
            }
        }
    }

    fn call(
        &mut self,
        fields: &Fields<'n>,
        bound: &mut Vec<(String, super::super::expr::Ty, usize)>,
        problems: &mut Problems,
    ) -> Option<StepKind> {
        if let Some(entry) = fields.entry("steps") {
            let message = "only a `for` has steps of its own";
            problems.push(Problem::error(Code::Together, entry.key.place, message));
        }
        let when = fields.node("when").map(|node| self.exprs.truth(node, &self.scope, problems));
        let action = call(fields.text("do")?, &self.scope, self.index, self.exprs, problems);
        let reply = action.as_ref().map(|call| self.index.callable(call.target).reply);
        // The compensation sees the reply, too.
        let mut with_reply = self.scope.clone();
        if let Some(name) = fields.text("as")
            && new_name(name, &self.scope, problems)
        {
            if bound.iter().any(|(known, _, _)| *known == name.value) {
                let message = format!("two of these steps bind {}", quote(&name.value));
                problems.push(Problem::error(Code::Twice, name.place, message));
            } else {
                let ty = reply.unwrap_or_else(|| self.exprs.types.null());
                with_reply.bind(&name.value, local(self.flow.slots.len() + bound.len(), ty));
                bound.push((name.value.owned(), ty, self.flow.steps.len()));
            }
        }
        let undo =
            fields.text("undo").and_then(|undo| call(undo, &with_reply, self.index, self.exprs, problems));
        let class = match fields.word("class") {
            Some("compensatable") => Class::Compensatable,
            Some("pivot") => Class::Pivot,
            Some("retriable") => Class::Retriable,
            Some(_) => Class::ReadOnly,
            None if fields.has("undo") => Class::Compensatable,
            None => {
                self.open.push(self.flow.steps.len());
                Class::Retriable
            }
        };
        let optional = fields.flag("optional").unwrap_or(false);
        Some(StepKind::Call(Box::new(CallStep { action: action?, bind: None, when, undo, class, optional })))
    }
}

/// Decides the classes left open: a step that writes nothing is read-only, another one is retriable.
pub(super) fn settle_classes(flows: &mut [FlowDraft], operations: &[Operation]) {
    let mut read_only = Vec::new();
    for draft in flows.iter() {
        for at in &draft.open {
            if let Some(Step { does: StepKind::Call(call), .. }) = draft.flow.steps.get(*at) {
                read_only.push(!writes(call.action.target, flows, operations, &mut Vec::new()));
            } else {
                read_only.push(false);
            }
        }
    }
    let mut read_only = read_only.into_iter();
    for draft in flows.iter_mut() {
        for at in &draft.open {
            let is = read_only.next().unwrap_or(false);
            if let Some(Step { does: StepKind::Call(call), .. }) = draft.flow.steps.get_mut(*at)
                && is
            {
                call.class = Class::ReadOnly;
            }
        }
    }
}

/// Whether anything is written or told by what is called.
fn writes(target: Target, flows: &[FlowDraft], operations: &[Operation], seen: &mut Vec<FlowId>) -> bool {
    match target {
        Target::Op(op) => operations[op.index()]
            .all_effects()
            .any(|effects| !effects.writes.is_empty() || !effects.publish.is_empty()),
        Target::Flow(flow) => {
            if seen.contains(&flow) {
                return false;
            }
            seen.push(flow);
            let calls = flows[flow.index()].flow.steps.iter().filter_map(|step| match &step.does {
                StepKind::Call(call) => Some(call),
                StepKind::Wait(_) => None,
            });
            let targets: Vec<Target> = calls.map(|call| call.action.target).collect();
            targets.into_iter().any(|target| writes(target, flows, operations, seen))
        }
    }
}

/// Reports flows that call themselves, by way of others or not.
pub(super) fn circles(flows: &[FlowDraft], index: &Index<'_>, problems: &mut Problems) {
    let called = |draft: &FlowDraft| -> Vec<FlowId> {
        let calls = draft.flow.steps.iter().filter_map(|step| match &step.does {
            StepKind::Call(call) => Some(call),
            StepKind::Wait(_) => None,
        });
        let targets = calls.flat_map(|call| [Some(&call.action), call.undo.as_ref()]).flatten();
        targets
            .filter_map(|call| match call.target {
                Target::Flow(flow) => Some(flow),
                Target::Op(_) => None,
            })
            .collect()
    };
    let edges: Vec<Vec<FlowId>> = flows.iter().map(called).collect();
    for at in 0..flows.len() {
        let mut open = edges[at].clone();
        let mut seen = vec![false; flows.len()];
        while let Some(next) = open.pop() {
            if std::mem::replace(&mut seen[next.index()], true) {
                continue;
            }
            open.extend(edges[next.index()].iter().copied());
        }
        if seen[at] {
            let name = index.flows[at].name;
            let message = format!("the flow {} calls itself", quote(&name.value));
            problems
                .push(Problem::error(Code::Circle, name.place, message).hint("flows must come to an end"));
        }
    }
}

/// Whether the steps of a list were written as objects; for lints.
pub(super) fn step_heads<'n>(fields: &Fields<'n>) -> Vec<&'n Node> {
    let mut heads = Vec::new();
    for node in fields.list("steps") {
        match &node.kind {
            Kind::List(nodes) => heads.extend(nodes.iter()),
            _ => heads.push(node),
        }
    }
    heads
}
