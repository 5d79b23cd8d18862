//! Scripts with less in them: without some lines, without some intents, with shorter times.

use super::prepared::Prepared;
use crate::kernel::choose::Ask;
use crate::kernel::time::Span;
use crate::model::Model;
use crate::model::name::Name;
use crate::model::script::{Decision, Deed};
use crate::model::weather::Downtime;

/// The lines that decide such things, last first.
pub(super) fn lines(script: &[Decision], of: fn(&Deed) -> bool) -> Vec<usize> {
    (0..script.len()).rev().filter(|&line| of(&script[line].deed)).collect()
}

/// The script without these lines.
pub(super) fn without(script: &[Decision], gone: &[usize]) -> Vec<Decision> {
    let kept = script.iter().enumerate().filter(|(line, _)| !gone.contains(line));
    kept.map(|(_, decision)| decision.clone()).collect()
}

/// What is decided about one intent is decided about another that was left out, and the other way round.
pub(super) fn moved(script: &[Decision], from: &Name, to: &Name, model: &Model) -> Option<Vec<Decision>> {
    let mut moved = Vec::with_capacity(script.len());
    for decision in script {
        let rest = |name: &Name| {
            let rest = decision.line.strip_prefix(&name.text)?;
            (!rest.starts_with(|c: char| c.is_ascii_digit())).then_some(rest)
        };
        let (name, rest) = match (rest(from), rest(to)) {
            (Some(rest), _) => (to, rest),
            (None, Some(rest)) => (from, rest),
            (None, None) => {
                moved.push(decision.clone());
                continue;
            }
        };
        let line = format!("{}{rest}", name.text);
        let name = Name::parse(line.split([' ', '?']).next()?, model).ok()?;
        moved.push(Decision { line, path: name.path, deed: decision.deed.clone() });
    }
    Some(moved)
}

/// Leaves intents out, and whatever is decided about them.
pub(super) fn without_intents(script: &[Decision], gone: &[Name]) -> Vec<Decision> {
    let about = |decision: &Decision| {
        gone.iter().any(|name| {
            decision
                .line
                .strip_prefix(&name.text)
                .is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()))
        })
    };
    let mut kept: Vec<Decision> = script.iter().filter(|decision| !about(decision)).cloned().collect();
    kept.extend(gone.iter().map(|name| Decision {
        line: format!("{} = none", name.text),
        path: name.path,
        deed: Deed::LeftOut,
    }));
    kept
}

/// How long it is, of what has a length.
pub(super) fn length(deed: &Deed) -> Option<Span> {
    match deed {
        Deed::Arrives(span) | Deed::Late(span) => Some(*span),
        Deed::Answer(ask, ns) if *ask != Ask::Jitter => Some(Span(*ns)),
        Deed::Strike(_, _, _, Downtime::For(dist)) | Deed::Cut(_, _, Downtime::For(dist)) => dist.fixed(),
        _ => None,
    }
}

/// The same with another length.
pub(super) fn with_length(decision: &Decision, to: Span, prepared: &Prepared) -> Decision {
    let mut deed = decision.deed.clone();
    match &mut deed {
        Deed::Arrives(span) | Deed::Late(span) => *span = to,
        Deed::Answer(_, ns) => *ns = to.0,
        Deed::Strike(_, _, _, lasts) | Deed::Cut(_, _, lasts) => *lasts = Downtime::For(to.into()),
        _ => {}
    }
    let name = decision.line.split([' ', '?']).next().unwrap_or("");
    Decision { line: deed.line(name, &prepared.model), path: decision.path, deed }
}

/// Down to one significant digit above a millisecond, and to a tenth of one below.
pub(super) fn rounded(span: Span) -> Span {
    let mut unit = 100_000;
    while span.0 / unit >= 10 {
        unit *= 10;
    }
    Span(span.0 - span.0 % unit.min(span.0.max(1)))
}
