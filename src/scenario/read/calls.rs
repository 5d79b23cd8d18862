//! Calls of operations and flows: `service.operation(…)`, `flow(…)`.

use super::super::code::Code;
use super::super::expr::Names;
use super::super::expr::ast::{Expr as Ast, Kind as AstKind};
use super::super::problem::{Problem, Problems};
use super::super::source::Place;
use super::super::tree::Text;
use super::exprs::Exprs;
use super::names::{Index, undeclared};
use crate::model::flow::{Call, Target};

/// Reads a call. What is wrong with it is reported.
pub(super) fn call<'n>(
    text: &'n Text,
    scope: &Names,
    index: &Index<'n>,
    exprs: &mut Exprs,
    problems: &mut Problems,
) -> Option<Call> {
    let parsed = exprs.parse_text(text, problems)?;
    let (name, place, args) = match &parsed.ast.kind {
        AstKind::Call { of: None, name, args } => {
            (name.text.clone(), exprs.place(parsed.source, &name.span), args)
        }
        AstKind::Call { of: Some(of), name, args } => {
            let AstKind::Name(service) = &of.kind else { return not_a_call(text.place, problems) };
            let span = of.span.start..name.span.end;
            (format!("{service}.{}", name.text), exprs.place(parsed.source, &span), args)
        }
        _ => return not_a_call(text.place, problems),
    };
    let Some(target) = index.find_target(&name) else {
        unknown(&name, place, index, problems);
        for arg in args {
            exprs.resolve(arg, parsed.source, scope, None, problems);
        }
        return None;
    };
    let expected: Vec<_> = index.callable(target).args.iter().map(|(_, ty)| *ty).collect();
    if expected.len() != args.len() {
        arity(target, args, place, index, problems);
    }
    let mut values = Vec::new();
    for (at, arg) in args.iter().enumerate() {
        let ty = expected.get(at).copied();
        values.push(exprs.resolve(arg, parsed.source, scope, ty, problems).0);
    }
    (expected.len() == args.len()).then_some(Call { target, args: values })
}

fn not_a_call(place: Place, problems: &mut Problems) -> Option<Call> {
    let problem = Problem::error(Code::Call, place, "this is not a call");
    problems.push(problem.hint("write `service.operation(…)` or `flow(…)`"));
    None
}

fn unknown(name: &str, place: Place, index: &Index<'_>, problems: &mut Problems) {
    match name.split_once('.') {
        Some((service, _)) if index.find_service(service).is_none() => {
            undeclared("service", service, place, &index.all_services(), problems);
        }
        Some((service, _)) => {
            let of = format!("{service}.");
            let known: Vec<String> =
                index.all_operations().into_iter().filter(|operation| operation.starts_with(&of)).collect();
            undeclared("operation", name, place, &known, problems);
        }
        None => undeclared("flow", name, place, &index.all_flows(), problems),
    }
}

fn arity(target: Target, args: &[Ast], place: Place, index: &Index<'_>, problems: &mut Problems) {
    let name = index.target_name(target);
    let names: Vec<&str> = index.callable(target).args.iter().map(|(name, _)| name.as_str()).collect();
    let count = |n: usize| match n {
        0 => "no arguments".to_owned(),
        1 => "one argument".to_owned(),
        n => format!("{n} arguments"),
    };
    let message = format!("`{name}` takes {}, not {}", count(names.len()), args.len());
    let hint = format!("`{name}({})`", names.join(", "));
    problems.push(Problem::error(Code::Arity, place, message).hint(hint));
}
