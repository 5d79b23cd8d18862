//! Strategies are compiled away before a run: a model and a [`How`] become a [`Plan`].
//!
//! `operation` fills the frame of steps of an operation, each policy its own slots; `flow` does the same for flows and
//! merged flows; `writes` decides how one row write meets the store, `locks` what is locked for it and for
//! what is read. What a policy cannot carry out is an error here (the cell is `n/a`), never a silent fallback at run time.

mod flow;
mod locks;
mod operation;
mod rewrite;
mod writes;

use std::sync::Arc;

use self::locks::Tables;
use crate::model::Model;
use crate::model::expr::Code;
use crate::model::flow::{Call, Target};
use crate::model::how::{Caller, How, Reasons, Retry};
use crate::model::own::Host;
use crate::model::plan::{CallPlan, EVENT_BUDGET, GroupPlan, Nodes, NotApplicable, Plan};
use crate::model::step::Program;
use crate::model::weather::{Fault, FaultVerb};

/// Compiles a model under a strategy.
///
/// # Errors
/// All that the strategy cannot carry out, in the order of the model.
pub fn compile(model: &Arc<Model>, how: &How) -> Result<Plan, Vec<NotApplicable>> {
    let mut compiler = Compiler {
        model,
        how,
        fair: is_fair(model),
        whole: locks::whole_tables(model, how),
        programs: Vec::new(),
        retries: Vec::new(),
        refused: Vec::new(),
    };
    compiler.hosts();
    let operations = model.operation_ids().map(|op| operation::compile(&mut compiler, op)).collect();
    let flows = model.flow_ids().map(|id| flow::compile(&mut compiler, id)).collect();
    let groups = (0..model.groups.len()).map(|group| compiler.group(group)).collect();
    if !compiler.refused.is_empty() {
        return Err(compiler.refused);
    }
    let when = |fault: &Fault| fault.when.as_ref().map(Code::compile);
    Ok(Plan {
        strategy: how.name.clone(),
        programs: compiler.programs,
        operations,
        flows,
        groups,
        nodes: Nodes::of(model),
        retries: compiler.retries,
        fault_when: model.weather.faults.iter().map(when).collect(),
        reasons: reasons(model),
        event_budget: EVENT_BUDGET,
        serial: false,
        clean: false,
        model: model.clone(),
    })
}

/// Whether nothing refuses or fails operations: then their programs need not ask.
fn is_fair(model: &Model) -> bool {
    let faults = &model.weather.faults;
    let meant = |fault: &Fault| matches!(fault.verb, FaultVerb::Refuse(..) | FaultVerb::Fail(_));
    model.weather.script.is_none() && !faults.iter().any(meant)
}

/// The clean-weather twin of a plan: no fault, no refusal by weather, and one intent at a time. What breaks here is broken
/// by the strategy or the model alone.
pub fn clean_twin(plan: &Plan) -> Plan {
    let mut model = (*plan.model).clone();
    model.weather.faults.clear();
    model.weather.script = None;
    Plan { model: Arc::new(model), fault_when: Vec::new(), serial: true, clean: true, ..plan.clone() }
}

fn reasons(model: &Model) -> Reasons {
    let mut symbols = model.symbols.clone();
    let mut of = |text| symbols.intern(text);
    Reasons {
        missing: of("missing"),
        exists: of("exists"),
        error: of("error"),
        mismatch: of("other request"),
        fenced: of("fenced"),
    }
}

struct Compiler<'a> {
    model: &'a Arc<Model>,
    how: &'a How,
    /// No operation is refused or failed by the weather.
    fair: bool,
    /// The tables that some operation locks whole.
    whole: Tables,
    programs: Vec<Program>,
    retries: Vec<Retry>,
    refused: Vec<NotApplicable>,
}

impl Compiler<'_> {
    /// A service that a process runs needs one that is registered.
    fn hosts(&mut self) {
        for service in &self.model.services {
            if let Some(Host { name, process: None }) = &service.host {
                let why = format!(
                    "service `{}` is run by the process `{name}`, and none is registered",
                    service.name
                );
                self.refused.push(NotApplicable { op: None, flow: None, why });
            }
        }
    }

    fn add(&mut self, program: Program) -> u16 {
        self.programs.push(program);
        (self.programs.len() - 1) as u16
    }

    fn retry(&mut self, caller: Caller, target: Target) -> u16 {
        let retry = self.how.retry(caller, target);
        let known = self.retries.iter().position(|other| other == retry);
        known.unwrap_or_else(|| {
            self.retries.push(retry.clone());
            self.retries.len() - 1
        }) as u16
    }

    fn call(&mut self, caller: Caller, call: &Call) -> CallPlan {
        CallPlan {
            target: call.target,
            args: call.args.iter().map(Code::compile).collect(),
            retry: self.retry(caller, call.target),
        }
    }

    fn group(&mut self, group: usize) -> GroupPlan {
        let model = self.model.clone();
        let of = &model.groups[group];
        let caller = Caller::Group(crate::model::ids::GroupId(group as u16));
        GroupPlan {
            does: of.does.iter().map(|(call, weight)| (self.call(caller, call), *weight)).collect(),
            script: of.script.iter().map(|(at, call)| (*at, self.call(caller, call))).collect(),
        }
    }
}
