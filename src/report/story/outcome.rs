//! *So*: what came of it, for each form of witness.

use super::Teller;
use crate::check::{Act, Finding, Party, SagaRule, Steps, Witness};
use crate::explore::{Prepared, Replay};
use crate::model::ids::FlowId;
use crate::model::invariant::InvariantKind;
use crate::model::record::{FlowMove, NONE, Outcome};
use crate::model::value::{Type, Word};
use crate::report::expression::Writer;
use crate::report::left::Left;
use crate::report::reading;
use crate::report::words::{count, list, moment, safe};

impl Teller<'_, '_> {
    pub(super) fn outcome(
        &self,
        prepared: &Prepared,
        replay: &Replay,
        invariant: usize,
        finding: &Finding,
    ) -> Vec<String> {
        let scene = &self.scene;
        let act = |act: &Act| self.name(&act.party);
        match &finding.what {
            Witness::LostUpdate { table, row, victim, culprit, base, columns, victims, .. } => {
                let row = scene.row(*table, *row, false);
                let what = match columns {
                    0 => row.clone(),
                    mask => format!("{} of {row}", list(&scene.columns(*table, *mask))),
                };
                let (victim, culprit) = (act(victim), act(culprit));
                let seen = match *base {
                    NONE => "without having read it".into(),
                    0 => "having read that there was none".into(),
                    base => format!("from version {base}, read before {victim} wrote"),
                };
                let more = match victims {
                    0 | 1 => String::new(),
                    n => format!(" ({} in all)", count(u64::from(*n), "lost update")),
                };
                vec![format!("{culprit} overwrites {what} {seen}: what {victim} wrote is lost{more}.")]
            }
            Witness::DuplicateEffect { first, second } => {
                let op = scene.target(second.op);
                let (one, two) = (moment(first.at), moment(second.at));
                vec![format!("{} took effect twice: {op} at {one} and again at {two}.", act(first))]
            }
            Witness::NotDurable { who, flow, steps, .. } => {
                vec![format!("{} was told ok, but {}.", self.name(who), self.steps(*flow, who, steps))]
            }
            Witness::NotUndone { who, stands } => {
                let what: Vec<String> = stands.iter().map(|act| scene.target(act.op)).collect();
                let verb = if what.len() == 1 { "stands" } else { "stand" };
                vec![format!("{} was told that it failed, but {} {verb}.", self.name(who), list(&what))]
            }
            Witness::WrongBelief { who, flow, believed, steps, .. } => {
                let believed = match believed {
                    FlowMove::Completed => "believes that all is done",
                    FlowMove::Compensated => "believes that all is undone",
                    FlowMove::Escalated => "says that it stopped in between",
                    FlowMove::GaveUp => "says that it failed",
                    _ => "has not ended",
                };
                let what = self.steps(Some(*flow), who, steps);
                vec![format!("{} of {} {believed}, but {what}.", scene.flow(*flow), self.name(who))]
            }
            Witness::HalfDone { who, flow, steps, .. } => {
                let what = self.steps(Some(*flow), who, steps);
                vec![format!("{} of {} is half done: {what}.", scene.flow(*flow), self.name(who))]
            }
            Witness::Rule { rule, who, flow, step, steps, .. } => {
                let step = step.map(|step| format!(" ({})", scene.step(*flow, step))).unwrap_or_default();
                vec![
                    format!(
                        "{} of {} breaks a rule of compensation: {}{step}.",
                        scene.flow(*flow),
                        self.name(who),
                        rule_text(*rule)
                    ),
                    format!("In the end {}.", self.steps(Some(*flow), who, steps)),
                ]
            }
            Witness::TwoRows { table, column, value, first, second } => {
                let (one, two) = (scene.row(*table, first.0, false), scene.row(*table, second.0, false));
                let what = scene.column(*table, column.index());
                let value = scene.value(*table, column.index(), *value);
                let was = if first.1 == Act::NONE { " (there from the start)" } else { "" };
                vec![format!("{one}{was} and {two} have the same {what}, {value}.")]
            }
            Witness::Orphan { table, row, by } => {
                let by = by
                    .as_ref()
                    .map_or(", there from the start,".into(), |by| format!(", made for {},", act(by)));
                vec![format!("{}{by} belongs to nothing at rest.", scene.row(*table, *row, false))]
            }
            Witness::Expression { by, who, .. } => {
                let said = reading::lines(prepared, replay, invariant, finding);
                let mut so = said.unwrap_or_else(|| vec!["An expression is not true.".into()]);
                if let Some(by) = by.as_ref().filter(|by| **by != Act::NONE) {
                    so.push(format!("So it was after {} at {}.", scene.target(by.op), moment(by.at)));
                }
                if let Some(who) = who.as_ref().filter(|who| who.is_known()) {
                    so.push(format!("It was judged for {}.", self.name(who)));
                }
                so
            }
            Witness::Changed { from, to } => changed(prepared, replay, invariant, *from, *to),
            Witness::NeverEnded { who } => {
                let told = match who.told {
                    None => "Its client",
                    Some(Outcome::Unknown) => "Its client gave up without an answer, but its work",
                    Some(_) => "Its client was answered, but its work",
                };
                vec![format!("{} never ends. {told} is still waiting when the run is over.", self.name(who))]
            }
            Witness::LeftRow { table, row, flow, by } => {
                let row = scene.row(*table, *row, false);
                // It is not carried out, whatever its client was told.
                let what = match by.party.told {
                    Some(Outcome::Ok) => "is not carried out, though its client was told ok, and left",
                    Some(Outcome::Failed) => "failed and left",
                    _ => "is not carried out, and left",
                };
                vec![format!("{} of {} {what} {row} behind.", scene.flow(*flow), act(by))]
            }
            Witness::Own { text, panicked: true, .. } => {
                vec![format!("The invariant itself panicked: {}", safe(text))]
            }
            Witness::Own { text, acts, .. } => {
                let mut so = vec![safe(text)];
                for act in acts.iter().filter(|act| act.party.is_known()) {
                    let (op, who) = (scene.target(act.op), self.name(&act.party));
                    so.push(format!("It shows in {op} for {who} at {}.", moment(act.at)));
                }
                so
            }
            Witness::LeftLocked(left) => {
                Left::of(scene, prepared).lines(scene, *left, |party| self.name(party))
            }
        }
    }

    /// What became of the steps of a flow, in words.
    fn steps(&self, flow: Option<FlowId>, who: &Party, steps: &Steps) -> String {
        let name = |step: u8| match flow {
            Some(flow) => self.scene.step(flow, step),
            None => self.scene.target(who.target),
        };
        let groups = [
            (steps.done, "done"),
            (steps.undone, "undone"),
            (steps.idle, "carried out without effect"),
            (steps.missing, "not done"),
            (steps.left_out, "left out"),
        ];
        let mut parts = Vec::new();
        for (set, what) in groups {
            let names: Vec<String> = Steps::numbers(set).map(name).collect();
            if !names.is_empty() {
                parts.push(format!(
                    "{} {} {what}",
                    list(&names),
                    if names.len() == 1 { "is" } else { "are" }
                ));
            }
        }
        if parts.is_empty() { "nothing was done".into() } else { parts.join("; ") }
    }
}

fn rule_text(rule: SagaRule) -> &'static str {
    match rule {
        SagaRule::UndoneTooOften => "a step is undone more often than it was done",
        SagaRule::DoneTwice => "a step is done again while its effect stands",
        SagaRule::PivotCrossed => "the point of no return is crossed in the wrong direction",
        SagaRule::DoneAfterUndo => "a step is done after its compensation was accepted",
        SagaRule::EmptyUndo => "the compensation of a step without effect changed something",
        SagaRule::WrongOrder => "steps that build on each other are undone in the wrong order",
        SagaRule::HalfDone => "it ends half done, or its coordinator believes what is not so",
        SagaRule::LateEffect => "an effect came after it had ended, and stands",
        SagaRule::NotUndone => "it failed and a step that can be undone was not",
        SagaRule::NotFinished => "it passed the point of no return and did not finish",
        SagaRule::NeverEnded => "it never came to its end",
    }
}

fn changed(
    prepared: &Prepared,
    replay: &Replay,
    invariant: usize,
    from: Option<Word>,
    to: Option<Word>,
) -> Vec<String> {
    let Some(InvariantKind::Constant(expr)) = prepared.invariants.get(invariant).map(|one| &one.kind) else {
        return vec!["A value is not what it was at the start.".into()];
    };
    let writer = Writer { model: &prepared.model, slots: &[], whole: expr };
    let value = |word: Option<Word>| match (word, &expr.ty) {
        (None, _) => "something that cannot be computed".to_owned(),
        (Some(_), Type::List(_) | Type::Record(_)) => "another value".to_owned(),
        (Some(word), ty) => safe(&prepared.model.symbols.show(word, ty, replay.tables.heap())),
    };
    vec![format!(
        "{} was {} at the start and is {} at rest.",
        safe(&writer.text(expr)),
        value(from),
        value(to)
    )]
}
