//! What a user brings along in Rust, put into a scenario that was read: processes, invariants, strategies.
//!
//! Each call takes the scenario and gives it back, so that they can be chained; what does not fit is said at once.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::problem::{instead, quote};
use super::read::Scenario;
use crate::model::Model;
use crate::model::ids::{OpId, ServiceId, TableId};
use crate::model::invariant::{Expectation, Invariant, InvariantKind};
use crate::model::own::{
    OwnPolicy, OwnProcess, OwnTable, OwnWatch, Place, Policy, Process, Steps, Watch, said,
};
use crate::model::service::{Column, MAX_COLUMNS, Table};

/// Something in Rust that does not fit the scenario.
#[derive(Clone, PartialEq, Eq)]
pub struct Misfit(String);

/// As a person reads it: a `main` or a test that returns it shows no more.
impl fmt::Debug for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Misfit {}

/// What code of the user's own says when it is put into a scenario. A panic there is told like all that does not fit.
fn asked<T>(what: &str, name: &str, ask: impl FnOnce() -> T) -> Result<T, Misfit> {
    catch_unwind(AssertUnwindSafe(ask)).map_err(|panic| {
        Misfit(format!("the {what} `{name}` panicked when it was asked what it is: {}", said(&*panic)))
    })
}

impl Scenario {
    /// Registers the process of every service whose `process` has this name, in all cases and strategies.
    ///
    /// # Errors
    /// If no service has such a process.
    pub fn with_process(mut self, name: &str, process: impl Process) -> Result<Scenario, Misfit> {
        let mut found = false;
        let own = OwnProcess::new(process);
        let texts = asked("process", name, || own.prototype().texts())?;
        self.change_models(|model| {
            let hosts = model.services.iter_mut().filter_map(|service| service.host.as_mut());
            let mut here = false;
            for host in hosts.filter(|host| host.name == name) {
                host.process = Some(own.clone());
                here = true;
            }
            if here {
                texts.iter().for_each(|text| {
                    model.symbols.intern(text);
                });
            }
            found |= here;
        });
        match found {
            true => Ok(self),
            false => {
                let hint = instead(name, &self.missing_processes(), quote, "; ");
                Err(Misfit(format!("no service of `{}` has the process `{name}`{hint}", self.name)))
            }
        }
    }

    /// The processes that services name and nobody has registered, each once.
    pub fn missing_processes(&self) -> Vec<&str> {
        let strategies = self.cases.iter().flat_map(|case| &case.strategies);
        let hosts = strategies.flat_map(|strategy| &strategy.model.services).filter_map(|s| s.host.as_ref());
        let mut names: Vec<&str> =
            hosts.filter(|host| host.process.is_none()).map(|host| host.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Whether nothing in it is Rust code: a file can say all of it.
    pub fn is_plain(&self) -> bool {
        let own = |one: &Invariant| matches!(one.kind, InvariantKind::Own(_));
        let mut strategies = self.cases.iter().flat_map(|case| &case.strategies);
        self.processes.is_empty()
            && strategies.all(|strategy| strategy.how.own.is_none() && !strategy.invariants.iter().any(own))
    }

    /// Adds an invariant to all cases and strategies, behind those of the file.
    ///
    /// # Errors
    /// If there is an invariant of that name, or if it is about a table that a model does not have.
    pub fn with_invariant(mut self, name: &str, watch: impl Watch) -> Result<Scenario, Misfit> {
        let own = OwnWatch::new(watch);
        let (tables, ..) = asked("invariant", name, || {
            let watch = own.prototype();
            (watch.tables(), watch.needs(), watch.waits_for_rest())
        })?;
        let invariant = Invariant { name: name.to_owned(), kind: InvariantKind::Own(own.clone()) };
        for case in &mut self.cases {
            if case.invariants.iter().any(|known| known.name == name) {
                return Err(Misfit(format!("there is an invariant `{name}` already")));
            }
            case.invariants.push(invariant.clone());
            for strategy in &mut case.strategies {
                if own.scope(&strategy.model).len() < tables.len() {
                    let tables = tables.join("`, `");
                    return Err(Misfit(format!(
                        "`{name}` is about `{tables}`, and not all of them are tables of the model"
                    )));
                }
                strategy.invariants.push(invariant.clone());
            }
        }
        Ok(self)
    }

    /// Adds a strategy to all cases: the policies of `base`, which a case must have, changed and extended by a policy in
    /// Rust.
    ///
    /// # Errors
    /// If a case has a strategy of that name, or no `base`, or if a table that the policy brings along has the name of a
    /// service's own.
    pub fn with_strategy(mut self, name: &str, base: &str, policy: impl Policy) -> Result<Scenario, Misfit> {
        let own = OwnPolicy::new(policy);
        for case in &mut self.cases {
            if case.strategies.iter().any(|known| known.name == name) {
                return Err(Misfit(format!("there is a strategy `{name}` already")));
            }
            let found = case.strategies.iter().find(|known| known.name == base);
            let Some(mut strategy) = found.cloned() else {
                let known: Vec<&str> = case.strategies.iter().map(|known| known.name.as_str()).collect();
                let hint = instead(base, &known, quote, "; ");
                return Err(Misfit(format!("there is no strategy `{base}` to stand on{hint}")));
            };
            let mut model = (*strategy.model).clone();
            for table in asked("strategy", name, || own.policy().tables())? {
                bring(&mut model, &table)?;
            }
            for text in asked("strategy", name, || own.policy().texts())? {
                model.symbols.intern(&text);
            }
            strategy.name = name.to_owned();
            strategy.about = None;
            strategy.expected = Expectation::default();
            strategy.how.name = name.to_owned();
            asked("strategy", name, || {
                own.policy().how(&model, &mut strategy.how);
                own.policy().slots();
                let ours = |op: &OpId| model.service(model.operation(*op).service).host.is_none();
                for op in model.operation_ids().filter(ours) {
                    for place in Place::ALL {
                        own.policy().at(place, &model, op, &mut Steps::new(place));
                    }
                }
            })?;
            strategy.how.own = Some(own.clone());
            strategy.model = Arc::new(model);
            case.strategies.push(strategy);
        }
        Ok(self)
    }

    /// Changes all models, each once: strategies that shared one still do.
    fn change_models(&mut self, mut change: impl FnMut(&mut Model)) {
        let mut done: Vec<(Arc<Model>, Arc<Model>)> = Vec::new();
        for strategy in self.cases.iter_mut().flat_map(|case| &mut case.strategies) {
            let known = done.iter().find(|(old, _)| Arc::ptr_eq(old, &strategy.model));
            let new = match known {
                Some((_, new)) => new.clone(),
                None => {
                    let mut model = (*strategy.model).clone();
                    change(&mut model);
                    let new = Arc::new(model);
                    done.push((strategy.model.clone(), new.clone()));
                    new
                }
            };
            strategy.model = new;
        }
    }
}

/// Adds a table to every modelled service, behind all others: no number shifts.
fn bring(model: &mut Model, table: &OwnTable) -> Result<(), Misfit> {
    let name = &table.name;
    if table.fields.len() >= MAX_COLUMNS {
        return Err(Misfit(format!("the table `{name}` has more than {MAX_COLUMNS} fields")));
    }
    let column =
        |name: &str, ty: &_, default| Column { name: name.to_owned(), ty: Clone::clone(ty), default };
    let mut columns = vec![column("id", &table.key, crate::model::value::NULL)];
    columns.extend(table.fields.iter().map(|(name, ty, default)| column(name, ty, *default)));
    for at in 0..model.services.len() {
        if model.services[at].host.is_some() {
            continue;
        }
        if model.services[at].tables.iter().any(|&other| model.table(other).name == *name) {
            let service = &model.services[at].name;
            return Err(Misfit(format!("`{service}` has a table `{name}` of its own")));
        }
        let id = TableId(model.tables.len() as u16);
        model.tables.push(Table {
            name: name.clone(),
            service: ServiceId(at as u16),
            columns: columns.clone(),
            rows: Vec::new(),
            unique: Vec::new(),
            first_fresh: 1,
            kept: true,
        });
        model.services[at].tables.push(id);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::own::Hazard;
    use crate::scenario::Draft;

    struct Idle;

    impl Policy for Idle {
        fn at(&self, _: Place, _: &Model, _: OpId, _: &mut Steps) {}
    }

    #[test]
    fn a_strategy_that_is_not_there_is_answered_with_those_that_are() {
        let text = r#"{ "services": { "s": { "operations": { "op": {} } } }, "clients": { "c": { "does": "s.op()" } } }"#;
        let scenario = Draft::parse("one", text).unwrap().read().unwrap();
        let misfit = scenario.with_strategy("own", "navie", Idle).unwrap_err();
        let said = "there is no strategy `navie` to stand on; did you mean `naive`?; \
                    there are `naive`, `occ`, `idempotent`, `saga` and `hardened`";
        assert_eq!(format!("{misfit:?}"), said);
    }

    #[derive(Clone)]
    struct Shy(bool);

    impl Watch for Shy {
        fn needs(&self) -> Vec<Hazard> {
            assert!(!self.0, "no need");
            Vec::new()
        }

        fn tables(&self) -> Vec<String> {
            assert!(self.0, "no table");
            Vec::new()
        }
    }

    impl Policy for Shy {
        fn at(&self, _: Place, _: &Model, _: OpId, _: &mut Steps) {
            assert!(!self.0, "no place");
        }

        fn tables(&self) -> Vec<OwnTable> {
            assert!(self.0, "no table");
            Vec::new()
        }
    }

    #[test]
    fn code_that_panics_when_it_is_asked_what_it_is_does_not_fit() {
        let text = r#"{ "services": { "s": { "operations": { "op": {} } } }, "clients": { "c": { "does": "s.op()" } } }"#;
        let scenario = || Draft::parse("one", text).unwrap().read().unwrap();
        for (shy, watch, policy) in [(true, "no need", "no place"), (false, "no table", "no table")] {
            let said = scenario().with_invariant("own", Shy(shy)).unwrap_err().to_string();
            assert_eq!(said, format!("the invariant `own` panicked when it was asked what it is: {watch}"));
            let said = scenario().with_strategy("own", "naive", Shy(shy)).unwrap_err().to_string();
            assert_eq!(said, format!("the strategy `own` panicked when it was asked what it is: {policy}"));
        }
        assert!(scenario().with_strategy("own", "naive", Idle).is_ok());
    }
}
