//! A violation told as *Let … Then … So …*: who wanted what, what happened in order, and what came of it.
//!
//! The witness says which acts matter; the chronicle around them (lost messages, timeouts, crashes) comes from the replayed
//! history. There is one telling for each form of witness, and the compiler sees to it that none is forgotten.

use super::expression::{Writer, part};
use super::look::{Look, Sign, Tone, columns_of, wrap};
use super::scene::{Scene, cast, cast_of_all};
use super::words::{count, list, moment, ordinal, safe};
use crate::check::{Act, Finding, Party, SagaRule, Steps, Witness};
use crate::explore::{Prepared, Replay};
use crate::kernel::path::Path;
use crate::kernel::time::Time;
use crate::model::expr::{BinaryOp, Code, Expr, ExprKind, Scratch, eval};
use crate::model::ids::{FlowId, TableId};
use crate::model::invariant::InvariantKind;
use crate::model::record::{FlowMove, Kind, NONE, Outcome, Record, StepRole, commit};
use crate::model::value::{Type, Word};
use crate::model::weather::PointKind;
use crate::store::Tables;

/// A longer chronicle loses its middle: the lanes show it whole.
const LONGEST: usize = 14;

/// A violation in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Story {
    /// Who and what is involved.
    pub letting: Vec<String>,
    /// What happened, in order.
    pub then: Vec<Event>,
    /// What came of it.
    pub so: Vec<String>,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When; `None` stands for events left out.
    pub at: Option<Time>,
    /// What.
    pub text: String,
    /// It is one of the acts that the finding is made of.
    pub matters: bool,
}

/// The intents that a finding is about, by their paths: two findings about the same ones have one story.
pub fn parties(finding: &Finding) -> Vec<Path> {
    let mut paths: Vec<Path> = cast(&finding.what).0.iter().map(|party| party.path).collect();
    paths.sort_unstable();
    paths
}

/// Tells findings in a replayed run that are about the same intents, each with the index of its invariant.
pub fn tell(prepared: &Prepared, replay: &Replay, findings: &[(usize, &Finding)]) -> Story {
    let scene = Scene::new(&prepared.model, replay);
    let (parties, acts) = cast_of_all(findings.iter().map(|(_, finding)| *finding));
    let teller = Teller { scene, parties, acts };
    let mut story = Story { letting: teller.letting(), ..Story::default() };
    story.then = teller.chronicle(findings);
    for (invariant, finding) in findings {
        for (n, line) in teller.outcome(prepared, replay, *invariant, finding).into_iter().enumerate() {
            let name = prepared.invariants.get(*invariant).map_or("?", |one| one.name.as_str());
            let several = findings.len() > 1 && n == 0;
            story.so.push(if several { format!("{}: {line}", safe(name)) } else { line });
        }
    }
    let silent = findings.iter().any(|(_, finding)| finding.silent);
    if silent && !teller.parties.is_empty() {
        story.so.push(match teller.parties.as_slice() {
            [_] => "Its client was told ok. Nobody notices.".into(),
            _ => "All clients involved were told ok. Nobody notices.".into(),
        });
    }
    story
}

struct Teller<'a> {
    scene: Scene<'a>,
    parties: Vec<Party>,
    acts: Vec<Act>,
}

/// A, B, C, … and after Z the number.
pub(super) fn letter(n: usize) -> String {
    match u8::try_from(n) {
        Ok(n) if n < 26 => char::from(b'A' + n).to_string(),
        _ => format!("#{}", n + 1),
    }
}

impl Teller<'_> {
    fn name(&self, party: &Party) -> String {
        match self.parties.iter().position(|known| known.path == party.path) {
            Some(at) if party.is_known() => letter(at),
            _ => "nobody in particular".into(),
        }
    }

    fn letting(&self) -> Vec<String> {
        let one = |(n, party): (usize, &Party)| {
            let told = match self.scene.intent_of(party).and_then(|at| self.scene.intents.get(at as usize)) {
                Some(intent) => told(&intent.told),
                None => String::new(),
            };
            let wants = self.scene.intent(party.client, party.intent, party.target);
            format!("{} = {wants}{told}", letter(n))
        };
        self.parties.iter().enumerate().map(one).collect()
    }

    fn is_ours(&self, at: usize) -> bool {
        let owner = self.scene.owner.get(at).copied().unwrap_or(NONE);
        let path = self.scene.intents.get(owner as usize).map(|intent| intent.path);
        path.is_some_and(|path| self.parties.iter().any(|party| party.path == path))
    }

    /// `A: ` before what happens to one of several parties.
    fn whose(&self, at: usize) -> String {
        match self.parties.len() {
            0 | 1 => String::new(),
            _ => format!("{}: ", self.owner_name(at)),
        }
    }

    fn owner_name(&self, at: usize) -> String {
        let owner = self.scene.owner.get(at).copied().unwrap_or(NONE);
        let path = self.scene.intents.get(owner as usize).map(|intent| intent.path);
        let known = self.parties.iter().position(|party| Some(party.path) == path);
        known.map_or_else(|| "somebody".into(), letter)
    }

    /// What happened to the parties, as far as it matters.
    fn chronicle(&self, findings: &[(usize, &Finding)]) -> Vec<Event> {
        let rows: Vec<(u16, u32)> = findings
            .iter()
            .filter_map(|(_, finding)| match &finding.what {
                Witness::LostUpdate { table, row, .. } => Some((table.0, *row)),
                _ => None,
            })
            .collect();
        let ours: Vec<u32> = self.nodes();
        let mut events = Vec::new();
        for (at, record) in self.scene.trace.records.iter().enumerate() {
            let text = match record.kind {
                Kind::Crash | Kind::Pause if ours.contains(&record.who) => self.weather(record),
                _ if !self.is_ours(at) && !self.is_act(record) => continue,
                Kind::Read if rows.contains(&(record.op, record.row)) => {
                    let row = self.scene.row(TableId(record.op), record.row, false);
                    {
                        let who = self.owner_name(at);
                        format!("{who} reads {row}, version {}", record.ver)
                    }
                }
                _ => match self.event(at, record) {
                    Some(text) => text,
                    None => continue,
                },
            };
            let matters = record.kind == Kind::Commit && self.is_act(record);
            events.push(Event { at: Some(record.at), text, matters });
        }
        shortened(events)
    }

    /// The nodes where something was done for the parties.
    fn nodes(&self) -> Vec<u32> {
        let records = self.scene.trace.records.iter().enumerate();
        let ours = records.filter(|(at, record)| record.kind == Kind::Begin && self.is_ours(*at));
        let mut nodes: Vec<u32> = ours.map(|(_, record)| record.who).collect();
        nodes.sort_unstable();
        nodes.dedup();
        nodes
    }

    fn is_act(&self, record: &Record) -> bool {
        self.acts.iter().any(|act| act.path == record.path && act.at == record.at)
    }

    fn weather(&self, record: &Record) -> String {
        let verb = if record.kind == Kind::Crash { "crashes" } else { "pauses" };
        format!("{} {verb}: {}", self.scene.node(record.who), self.scene.rule(record.data))
    }

    /// `A, 2nd request: ` and the like: which request of whom an execution answers.
    fn request(&self, at: usize, path: Path) -> String {
        let owner = if self.parties.len() > 1 { Some(self.owner_name(at)) } else { None };
        let nth = |n: u32| ordinal(u64::from(n));
        let which = match self.scene.request(path) {
            Some((n, 0)) if n > 1 => Some(format!("{} request", nth(n))),
            Some((_, 0)) | None => None,
            Some((1, copy)) => Some(format!("{} copy of the request", nth(copy + 1))),
            Some((n, copy)) => Some(format!("{} copy of the {} request", nth(copy + 1), nth(n))),
        };
        let parts: Vec<String> = owner.into_iter().chain(which).collect();
        if parts.is_empty() { String::new() } else { format!("{}: ", parts.join(", ")) }
    }

    fn event(&self, at: usize, record: &Record) -> Option<String> {
        let scene = &self.scene;
        let who = || self.request(at, record.path);
        Some(match record.kind {
            Kind::Lost => {
                let what = scene.subject(record.flag, record.op);
                let (from, to) = (scene.node(record.who), scene.node(record.row));
                let what = match record.flag {
                    flag if flag == PointKind::Reply as u8 => format!("the answer to {what}"),
                    flag if flag == PointKind::Request as u8 => format!("the request {what}"),
                    _ => what,
                };
                format!("{}{what} is lost between {from} and {to}: {}", self.whose(at), scene.loss(record))
            }
            Kind::Delayed => {
                let what = scene.subject(record.flag, record.op);
                format!("{}{what} is held up: {}", self.whose(at), scene.rule(record.data))
            }
            Kind::Delivered if record.ver > 0 => {
                let what = scene.subject(record.flag, record.op);
                let to = scene.node(record.row);
                format!(
                    "{}the {} copy of {what} reaches {to}",
                    self.whose(at),
                    ordinal(u64::from(record.ver) + 1)
                )
            }
            Kind::Timeout => {
                let (node, what) = (scene.node(record.who), scene.short_target(record.op));
                format!("{}{node} stops waiting for {what}", self.whose(at))
            }
            Kind::Commit => {
                let quiet = commit::SKIPPED | commit::FENCED;
                let op = scene.target(record.op);
                let done = scene.changes(at, true).join("; ");
                let undo = matches!(record.step(), Some((_, StepRole::Undo)));
                if record.ver == 0 && record.flag & quiet == 0 && !self.is_act(record) {
                    return None;
                }
                let how = match (record.flag & commit::REFUSED != 0, undo) {
                    (true, _) => " (refused)",
                    (false, true) => " (compensation)",
                    (false, false) => "",
                };
                format!("{}{op}{how}: {done}", who())
            }
            Kind::Rollback => format!("{}{} is rolled back", who(), scene.target(record.op)),
            Kind::Refused => {
                let why = scene.text(record.data as Word);
                let by = if record.flag == 1 { ", by weather" } else { "" };
                format!("{}{} refuses: {why}{by}", who(), scene.target(record.op))
            }
            Kind::Failed => format!("{}{} fails technically", who(), scene.target(record.op)),
            Kind::Conflict => {
                let table = TableId(record.data as u16);
                format!(
                    "{}{} finds {} changed",
                    who(),
                    scene.target(record.op),
                    scene.row(table, record.row, true)
                )
            }
            Kind::Replay => {
                format!("{}{} knows the request and repeats its answer", who(), scene.target(record.op))
            }
            Kind::Busy => {
                format!("{}{} is still busy with the same request", who(), scene.target(record.op))
            }
            Kind::Flow => {
                let flow = scene.flow(FlowId(record.op));
                let believes = match FlowMove::ALL.get(usize::from(record.flag))? {
                    FlowMove::Compensating => "turns back",
                    FlowMove::Parked => "sets a compensation aside for a person",
                    FlowMove::Completed => "ends and believes that all is done",
                    FlowMove::Compensated => "ends and believes that all is undone",
                    FlowMove::Escalated => "ends in between, and knows it",
                    FlowMove::Recovered => "is taken up again",
                    FlowMove::GaveUp => "ends as failed, without undoing anything",
                    _ => return None,
                };
                format!("{}{flow} {believes}", self.whose(at))
            }
            Kind::Complete => {
                let client = scene.client(record.client);
                match Outcome::of(record.flag) {
                    Outcome::Ok => format!("{}{client} is told ok", self.whose(at)),
                    Outcome::Failed => format!("{}{client} is told that it failed", self.whose(at)),
                    Outcome::Unknown => {
                        format!("{}{client} gives up without an answer", self.whose(at))
                    }
                }
            }
            _ => return None,
        })
    }

    fn outcome(
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
            Witness::Expression { span, row, by, who } => {
                let mut so = expression(prepared, replay, invariant, span);
                if let Some((table, row)) = row {
                    so.push(format!("The row is {}.", scene.row(*table, *row, false)));
                }
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
                let told =
                    if who.told.is_some() { "Its client was answered, but its work" } else { "Its client" };
                vec![format!("{} never ends. {told} is still waiting when the run is over.", self.name(who))]
            }
            Witness::LeftRow { table, row, flow, by } => {
                let row = scene.row(*table, *row, false);
                vec![format!("{} of {} failed and left {row} behind.", scene.flow(*flow), act(by))]
            }
            Witness::LeftLocked(left) => {
                let mut what = Vec::new();
                for (n, noun) in [
                    (left.locks, "row lock"),
                    (left.keys_in_progress, "key"),
                    (left.open_transactions, "open transaction"),
                ] {
                    if n > 0 {
                        what.push(count(u64::from(n), noun));
                    }
                }
                vec![format!("At the end something is still held: {}.", list(&what))]
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

/// What a client was told, to be put behind the name of an intent.
fn told(told: &Option<(Outcome, Time, String)>) -> String {
    match told {
        None => ", never answered".into(),
        Some((Outcome::Ok, at, _)) => format!(", told ok at {}", moment(*at)),
        Some((Outcome::Failed, at, why)) => format!(", told failed ({why}) at {}", moment(*at)),
        Some((Outcome::Unknown, at, _)) => format!(", gives up without an answer at {}", moment(*at)),
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

/// Which expression is not true, and if it is a comparison over rows alone, what its sides are at rest.
fn expression(
    prepared: &Prepared,
    replay: &Replay,
    invariant: usize,
    span: &std::ops::Range<u32>,
) -> Vec<String> {
    let kind = prepared.invariants.get(invariant).map(|one| &one.kind);
    let (expr, at_rest) = match kind {
        Some(InvariantKind::AtRest(expr)) => (expr, true),
        Some(InvariantKind::Always(expr) | InvariantKind::PerIntent(expr)) => (expr, false),
        _ => return vec!["An expression is not true.".into()],
    };
    let writer = Writer { model: &prepared.model, slots: &[] };
    let broken = part(expr, span);
    let mut so = vec![format!("Not true: {}", safe(&writer.text(broken)))];
    if let (true, ExprKind::Binary(op, left, right)) = (at_rest, &broken.kind) {
        let compares =
            !matches!(op, BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Div | BinaryOp::Rem);
        let mut tables = replay.tables.clone();
        let sides = [left, right].map(|side| side_text(side, &writer, &mut tables));
        if let ([Some(left), Some(right)], true) = (sides, compares) {
            so.push(format!("At rest it reads: {left} {} {right}", op.sign()));
        }
    }
    so
}

/// The value of an expression at rest, if it stands by itself.
fn side_text(expr: &Expr, writer: &Writer<'_>, tables: &mut Tables) -> Option<String> {
    let mut alone = true;
    expr.walk(&mut |inner| {
        alone &= !matches!(
            inner.kind,
            ExprKind::Local(_) | ExprKind::Now | ExprKind::EventField(_) | ExprKind::Counter(_)
        );
    });
    let word = eval(&Code::compile(expr), &[], &mut tables.rows(), &mut Scratch::new()).ok()?;
    alone.then(|| safe(&writer.model.symbols.show(word, &expr.ty, tables.heap())))
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
    let writer = Writer { model: &prepared.model, slots: &[] };
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

/// The first and the last of a long chronicle, and all that matters in between.
fn shortened(events: Vec<Event>) -> Vec<Event> {
    if events.len() <= LONGEST {
        return events;
    }
    let keep = LONGEST / 2;
    let last = events.len() - keep;
    let mut out: Vec<Event> = Vec::new();
    let mut left_out = 0;
    for (n, event) in events.into_iter().enumerate() {
        if n < keep || n >= last || event.matters {
            if left_out > 0 {
                out.push(Event { at: None, text: left_out_text(left_out), matters: false });
                left_out = 0;
            }
            out.push(event);
        } else {
            left_out += 1;
        }
    }
    out
}

fn left_out_text(n: u64) -> String {
    format!("{} left out", count(n, "event"))
}

impl Story {
    /// The story as text for people, indented by two columns.
    pub fn render(&self, look: &Look) -> String {
        let mut out = String::new();
        let room = look.width.saturating_sub(10);
        let mut section = |title: &str, lines: Vec<(String, Tone)>| {
            for (n, (line, tone)) in lines.into_iter().enumerate() {
                let title = if n == 0 { title } else { "" };
                out.push_str(&format!(
                    "  {}{}\n",
                    look.paint(Tone::Strong, &format!("{title:<6}")),
                    look.paint(tone, &line)
                ));
            }
        };
        let plain = |lines: &[String]| -> Vec<(String, Tone)> {
            let lines = lines.iter().flat_map(|line| wrap(&look.plain(line), room));
            lines.map(|line| (line, Tone::Plain)).collect()
        };
        section("Let", plain(&self.letting));
        let widest =
            self.then.iter().filter_map(|event| event.at).map(|at| moment(at).len()).max().unwrap_or(0);
        let mut then = Vec::new();
        for event in &self.then {
            let time = event.at.map_or_else(|| look.sign(Sign::Gap).to_owned(), moment);
            let flag = if event.matters { look.sign(Sign::Flag) } else { "" };
            let indent = widest + 2 + columns_of(look.sign(Sign::Flag)) + 1;
            for (n, line) in
                wrap(&look.plain(&event.text), room.saturating_sub(indent)).into_iter().enumerate()
            {
                let (time, flag) = if n == 0 { (time.as_str(), flag) } else { ("", "") };
                let flag_room = columns_of(look.sign(Sign::Flag));
                let blanks = " ".repeat(flag_room.saturating_sub(columns_of(flag)));
                let pad = " ".repeat(widest.saturating_sub(columns_of(time)));
                let tone = if event.at.is_none() { Tone::Faint } else { Tone::Plain };
                then.push((format!("{pad}{time}  {flag}{blanks} {line}"), tone));
            }
        }
        section("Then", then);
        section("So", plain(&self.so));
        out
    }
}
