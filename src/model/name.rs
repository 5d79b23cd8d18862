//! Names of decisions as people write them: `shoppers#2.i3.a2/s1.charge.t1:reply~1` is the first copy of the answer to
//! the first try of step 1 in the second attempt at intent 3 of shopper 2.
//!
//! One text for each path, and back: a name is folded to its path as it is read, segment by segment. Numbers count from 1.
//! Who asks is named, what is asked may be left to be understood: `a2:reply` is the reply to the request `a2:request`.

use std::ops::Range;

use super::Model;
use super::flow::{Flow, StepKind, Target};
use crate::kernel::path::{Path, Role};

/// A path and how it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// The path.
    pub path: Path,
    /// How it is written.
    pub text: String,
    /// Its last edge and the one before.
    last: [Option<Role>; 2],
}

/// Why a text names nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongName {
    /// The bytes that are wrong.
    pub range: Range<usize>,
    /// What is wrong with them.
    pub message: String,
    /// What could stand there.
    pub known: Vec<String>,
}

/// Segments that are a word and a number: the word, the edge, and the number that is written 1.
const NUMBERED: [(&str, Role, u32); 18] = [
    ("i", Role::Intent, 0),
    ("a", Role::Attempt, 1),
    ("t", Role::Try, 1),
    ("f", Role::Fetch, 1),
    ("r", Role::Recovery, 1),
    ("n", Role::Occurrence, 1),
    ("e", Role::Event, 0),
    ("to", Role::Subscriber, 0),
    ("log", Role::Log, 1),
    ("draw", Role::Draw, 0),
    ("task", Role::Task, 1),
    ("out", Role::Emission, 1),
    ("rule", Role::Rule, 0),
    ("fault", Role::Fault, 0),
    ("replica", Role::Replica, 0),
    ("relay", Role::Relay, 0),
    ("local", Role::Local, 0),
    ("client", Role::Client, 0),
];

/// The words for what is done with a step.
const DEEDS: [(&str, Role); 3] = [("do", Role::Action), ("undo", Role::Undo), ("confirm", Role::Confirm)];

impl Name {
    /// A client of a group, both counted from 0.
    #[must_use]
    pub fn client(model: &Model, group: usize, number: u32) -> Name {
        let of = &model.groups[group];
        let path = Path::ROOT.child(Role::Group, group as u32).child(Role::Client, number);
        let text = if of.count == 1 { of.name.clone() } else { format!("{}#{}", of.name, number + 1) };
        Name { path, text, last: [None, Some(Role::Client)] }
    }

    /// A path of which nobody knows how it came about: `0x` and 16 digits.
    #[must_use]
    pub fn unknown(path: Path) -> Name {
        Name { path, text: format!("0x{path}"), last: [None, None] }
    }

    /// The last edge of the path, if it is known.
    #[must_use]
    pub fn role(&self) -> Option<Role> {
        self.last[1]
    }

    /// What it causes. Actions and compensations of steps may be called by the name of their operation instead of `do`
    /// and `undo`, see [`label`].
    #[must_use]
    pub fn child(&self, role: Role, n: u32, label: Option<&str>) -> Name {
        let mut text = self.text.clone();
        if role != Role::Copy && self.last[1] == Some(Role::Request) {
            text.truncate(text.len() - ":request".len());
        }
        match role {
            Role::Step => text += &format!("/s{}", u64::from(n) + 1),
            Role::Request => text += ":request",
            Role::Reply => text += ":reply",
            Role::Ack => text += ":ack",
            Role::Copy => text += &format!("~{}", u64::from(n) + 1),
            Role::Action | Role::Undo | Role::Confirm => {
                let deed = DEEDS.iter().find(|(_, deed)| *deed == role).map_or("", |(word, _)| word);
                text += &format!(".{}", label.unwrap_or(deed));
            }
            _ => {
                let (word, _, one) = NUMBERED.iter().find(|known| known.1 == role).unwrap_or(&NUMBERED[17]);
                text += &format!(".{word}{}", u64::from(n) + 1 - u64::from(*one));
            }
        }
        Name { path: self.path.child(role, n), text, last: [self.last[1], Some(role)] }
    }

    /// Whether a request goes out under this name: an attempt, or a try of a call.
    fn asks(&self) -> bool {
        match self.last {
            [_, Some(Role::Attempt)] => true,
            [before, Some(Role::Try)] => before != Some(Role::Subscriber),
            _ => false,
        }
    }

    /// Reads a name.
    ///
    /// # Errors
    /// The first part that names nothing in this model.
    pub fn parse(text: &str, model: &Model) -> Result<Name, WrongName> {
        let mut reader = Reader { text, at: 0 };
        let mut name = reader.head(model)?;
        while reader.at < text.len() {
            name = reader.segment(name, model)?;
        }
        Ok(name)
    }
}

/// The name of a step's operation as a label for its action or its compensation, if it can mean nothing else in any flow.
#[must_use]
pub fn label(model: &Model, flow: &Flow, step: usize, undo: bool) -> Option<String> {
    let StepKind::Call(call) = &flow.steps.get(step)?.does else { return None };
    let target = if undo { call.undo.as_ref()?.target } else { call.action.target };
    let name = target_name(model, target);
    (deed(model, step, name) == [if undo { Role::Undo } else { Role::Action }]
        && !DEEDS.iter().any(|(word, _)| *word == name)
        && numbered(name).is_none())
    .then(|| name.to_owned())
}

fn target_name(model: &Model, target: Target) -> &str {
    match target {
        Target::Op(op) => &model.operation(op).name,
        Target::Flow(flow) => &model.flow(flow).name,
    }
}

/// What an operation of that name does at a step, in any flow.
fn deed(model: &Model, step: usize, name: &str) -> Vec<Role> {
    let mut roles = Vec::new();
    for flow in &model.flows {
        if let Some(StepKind::Call(call)) = flow.steps.get(step).map(|step| &step.does) {
            if target_name(model, call.action.target) == name {
                roles.push(Role::Action);
            }
            if call.undo.as_ref().is_some_and(|undo| target_name(model, undo.target) == name) {
                roles.push(Role::Undo);
            }
        }
    }
    roles.sort_unstable();
    roles.dedup();
    roles
}

/// A word and a number.
fn numbered(word: &str) -> Option<(Role, u32)> {
    let digits = word.find(|c: char| c.is_ascii_digit())?;
    let (_, role, one) = NUMBERED[..17].iter().find(|known| known.0 == &word[..digits])?;
    let n: u64 = canonical(&word[digits..])?;
    u32::try_from((n + u64::from(*one)).checked_sub(1)?).ok().map(|n| (*role, n))
}

/// A number as it is written: without leading zeros.
fn canonical(digits: &str) -> Option<u64> {
    let n: u64 = digits.parse().ok()?;
    (n.to_string() == digits).then_some(n)
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl Reader<'_> {
    fn wrong(&self, from: usize, message: impl Into<String>, known: Vec<String>) -> WrongName {
        WrongName { range: from..self.at.max(from), message: message.into(), known }
    }

    fn word(&mut self) -> &str {
        let from = self.at;
        let rest = &self.text[from..];
        self.at += rest.find(['.', '/', ':', '~', '#']).unwrap_or(rest.len());
        &self.text[from..self.at]
    }

    fn head(&mut self, model: &Model) -> Result<Name, WrongName> {
        let name = self.word().to_owned();
        if let Some(hex) = name.strip_prefix("0x") {
            let path = u64::from_str_radix(hex, 16).ok().filter(|_| hex.len() == 16);
            let path = path.ok_or_else(|| self.wrong(0, "a path has 16 hexadecimal digits", Vec::new()))?;
            return Ok(Name::unknown(Path(path)));
        }
        let Some(group) = model.groups.iter().position(|group| group.name == name) else {
            let known = model.groups.iter().map(|group| group.name.clone()).collect();
            return Err(self.wrong(0, format!("there is no group of clients `{name}`"), known));
        };
        let count = model.groups[group].count;
        let mut number = 1;
        if self.text[self.at..].starts_with('#') {
            let from = self.at;
            self.at += 1;
            number = canonical(self.word()).unwrap_or(0);
            if number == 0 || number > u64::from(count) {
                let message = match count {
                    1 => format!("`{name}` has one client only"),
                    _ => format!("`{name}` has the clients #1 to #{count}"),
                };
                return Err(self.wrong(from, message, Vec::new()));
            }
        } else if count > 1 {
            return Err(self.wrong(
                0,
                format!("which of the {count} of `{name}`?"),
                vec![format!("{name}#1")],
            ));
        }
        Ok(Name::client(model, group, number as u32 - 1))
    }

    fn segment(&mut self, name: Name, model: &Model) -> Result<Name, WrongName> {
        let from = self.at;
        let kind = self.text[from..].chars().next().unwrap_or('.');
        self.at += kind.len_utf8();
        let word = self.word().to_owned();
        let number = |word: &str| canonical(word).filter(|n| (1..=u64::from(u32::MAX)).contains(n));
        let (role, n) = match (kind, word.as_str()) {
            (':', "request") => (Role::Request, 0),
            (':', "reply") => (Role::Reply, 0),
            (':', "ack") => (Role::Ack, 0),
            (':', _) => {
                let known = ["request", "reply", "ack"].map(str::to_owned).to_vec();
                return Err(self.wrong(from + 1, format!("no message is called `{word}`"), known));
            }
            ('~', _) => match number(&word) {
                Some(n) => (Role::Copy, n as u32 - 1),
                None => {
                    return Err(self.wrong(from, "copies are `~1`, `~2` and so on", Vec::new()));
                }
            },
            ('/', _) => {
                let steps = model.flows.iter().map(|flow| flow.steps.len()).max().unwrap_or(0) as u64;
                match word.strip_prefix('s').and_then(number).filter(|n| *n <= steps) {
                    Some(n) => (Role::Step, n as u32 - 1),
                    None => {
                        let message = match steps {
                            0 => "there is no flow, so nothing has steps".to_owned(),
                            1 => "the only step is `/s1`".to_owned(),
                            _ => format!("steps are `/s1` to `/s{steps}`"),
                        };
                        return Err(self.wrong(from, message, Vec::new()));
                    }
                }
            }
            ('.', _) => return self.dotted(name, from, &word, model),
            _ => return Err(self.wrong(from, "a name goes on with `.`, `/`, `:` or `~`", Vec::new())),
        };
        Ok(understood(name, role).child(role, n, None))
    }

    fn dotted(&mut self, name: Name, from: usize, word: &str, model: &Model) -> Result<Name, WrongName> {
        if name.role() == Some(Role::Step) {
            let step = name.text.rsplit("/s").next().and_then(|n| n.parse::<usize>().ok()).unwrap_or(1) - 1;
            if let Some((_, role)) = DEEDS.iter().find(|(known, _)| *known == word) {
                return Ok(name.child(*role, 0, None));
            }
            match deed(model, step, word).as_slice() {
                [role] if numbered(word).is_none() => return Ok(name.child(*role, 0, Some(word))),
                [_, _] => {
                    let known = vec!["do".into(), "undo".into()];
                    return Err(self.wrong(from + 1, format!("`{word}` is done and undone here"), known));
                }
                _ => {}
            }
            if numbered(word).is_none() {
                let mut known: Vec<String> = model
                    .flows
                    .iter()
                    .flat_map(|flow| [label(model, flow, step, false), label(model, flow, step, true)])
                    .flatten()
                    .collect();
                known.extend(["do".into(), "undo".into()]);
                return Err(self.wrong(from + 1, format!("no flow does `{word}` at that step"), known));
            }
        }
        let Some((role, n)) = numbered(word) else {
            let known = NUMBERED[..10].iter().map(|(word, ..)| format!("{word}1")).collect();
            return Err(self.wrong(from + 1, format!("no part of a name is called `{word}`"), known));
        };
        if let (Role::Intent, Some(Role::Client)) = (role, name.role()) {
            let group = model.groups.iter().find(|group| {
                let own = name.text.split('#').next().unwrap_or("");
                group.name == own
            });
            let intents = group.map_or(0, |group| group.intents.max(group.script.len() as u32));
            if n >= intents {
                let message = match intents {
                    1 => "each of them has one intent only".to_owned(),
                    _ => format!("each of them has the intents .i1 to .i{intents}"),
                };
                return Err(self.wrong(from, message, Vec::new()));
            }
        }
        Ok(understood(name, role).child(role, n, None))
    }
}

/// The request that is understood where something follows that only a request can cause.
fn understood(name: Name, next: Role) -> Name {
    if name.asks() && next != Role::Request { name.child(Role::Request, 0, None) } else { name }
}
