//! The JSON lines of a history, written straight from the records: what [`Entry`](super::Entry) and `serde_json` would
//! write, byte for byte, in a nineteenth of the instructions (780 a record of the echo work instead of 14,600).
//! `Entry::fill` tells what each kind says; this is the same in the order of the fields.

use super::entry::{kind_word, move_word, outcome_word, point_word};
use super::names::{Names, escaped, is_number};
use super::pen::{Pen, Piece, Whole, Word as Key, word};
use crate::explore::Image;
use crate::kernel::path::Path;
use crate::kernel::time::Time;
use crate::model::ids::TableId;
use crate::model::record::{
    FLOW, FlowMove, Kind, LOST_CUT, LOST_DOWN, Masks, NONE, Outcome, Record, StepRole, commit, install,
};
use crate::model::value::{NULL, Type, Word};
use crate::report::scene::Scene;
use crate::report::why::No;

/// Writes a head, which is a line, and the lines of all records, in large pieces of whole texts.
pub(super) fn write(head: &str, scene: &Scene<'_>, out: impl FnMut(&[u8])) {
    let records = &scene.trace.records;
    let mut out = Pen::new(out);
    out.text(head);
    let mut lines = Lines {
        scene,
        names: Names::of(scene),
        kinds: std::array::from_fn(|_| None),
        out,
        intents: Vec::new(),
        nos: Vec::new(),
        messages: vec![None; MESSAGES],
        ran: Ran::of(records),
        at: (Time(0), Piece::of("0")),
        path: (Path::ROOT, Piece::of_digits(Path::ROOT.0)),
    };
    for (at, record) in records.iter().enumerate() {
        lines.line(at, record);
    }
    lines.out.finish();
}

/// The flag, subject and nodes of a message.
type Message = (u8, u16, u32, u32);

/// How many messages are remembered. That of four clients or a dozen services are all; of many more most lines of messages
/// take some 200 instructions more.
const MESSAGES: usize = 256;

/// The subject is that of another message only of what acknowledges it.
fn whole_message(names: &Names<'_>, (point, _, from, to): Message, (kind, op): (u8, u16)) -> Whole {
    Whole::of(&[
        ",\"message\":\"",
        point_word(point),
        "\",\"of\":\"",
        names.subject(kind, op).as_str(),
        ",\"from\":\"",
        names.node(from).as_str(),
        ",\"to\":\"",
        names.node(to).as_str(),
    ])
}

struct Lines<'s, 'a, F: FnMut(&[u8])> {
    scene: &'s Scene<'a>,
    names: Names<'a>,
    /// `,"kind":"sent","path":"`
    kinds: [Option<Piece>; Kind::COUNT],
    out: Pen<F>,
    /// `,"client":"ana","intent":1`, by the slot of the intent. Slots are used again, so this is as of the record.
    intents: Vec<Option<Whole>>,
    /// How each was last said no to.
    nos: Vec<Option<No>>,
    /// `,"message":"request","of":"buy","from":"ana","to":"shop"`, each in the place that its numbers lead to.
    messages: Vec<Option<(Message, Whole)>>,
    ran: Ran,
    /// An instant, and how it is written: several records in a row have the same, which saves 40 instructions each.
    at: (Time, Piece),
    /// The same of a path.
    path: (Path, Piece),
}

impl<F: FnMut(&[u8])> Lines<'_, '_, F> {
    fn line(&mut self, at: usize, record: &Record) {
        let slot = record.intent as usize;
        if record.kind == Kind::Invoke && record.intent != NONE {
            if self.intents.len() <= slot {
                self.intents.resize(slot + 1, None);
                self.nos.resize(slot + 1, None);
            }
            let number = (u64::from(record.ver) + 1).to_string();
            let client = self.names.client(record.client).as_str();
            self.nos[slot] = Some(No::default());
            self.intents[slot] = Some(Whole::of(&[",\"client\":\"", client, ",\"intent\":", &number]));
        }
        if let Some(Some(no)) = self.nos.get_mut(slot) {
            no.note(at, record);
        }
        self.head(record);
        self.fields(at, record);
        self.out.word(word!("}\n"));
        if record.kind == Kind::Settled
            && let Some(intent) = self.intents.get_mut(slot)
        {
            *intent = None;
        }
    }

    fn head(&mut self, record: &Record) {
        if self.at.0 != record.at {
            self.at = (record.at, Piece::of(itoa::Buffer::new().format(record.at.0)));
        }
        if self.path.0 != record.path {
            self.path = (record.path, Piece::of_digits(record.path.0));
        }
        self.out.word(word!("{\"at_ns\":"));
        self.out.piece(&self.at.1);
        let kind = || Piece::of(&format!(",\"kind\":\"{}\",\"path\":\"", kind_word(record.kind)));
        self.out.piece(self.kinds[record.kind as usize].get_or_insert_with(kind));
        self.out.piece(&self.path.1);
        if let Some(Some(owner)) = self.intents.get(record.intent as usize) {
            self.out.whole(owner);
        }
    }

    fn fields(&mut self, at: usize, record: &Record) {
        match record.kind {
            Kind::Sent | Kind::Lost | Kind::Delivered | Kind::Delayed => self.message(record),
            Kind::Read => {
                self.row(TableId(record.op), record.row);
                self.number(word!(",\"version\":"), record.ver.into());
            }
            Kind::Install => self.install(at, record),
            Kind::Begin => {
                self.executed(record);
                self.effect(record);
            }
            Kind::Commit => self.commit(record),
            Kind::Invoke => self.target(record.op),
            Kind::Complete => {
                let outcome = Outcome::of(record.flag);
                self.said(word!(",\"outcome\":\""), outcome_word(outcome));
                if outcome == Outcome::Failed {
                    let no = self.nos.get(record.intent as usize);
                    match no.copied().flatten().and_then(|no| no.reason(record, &self.scene.trace.records)) {
                        Some(reason) => self.said(word!(",\"reason\":\""), reason),
                        None => self.reason(record),
                    }
                }
            }
            Kind::Settled | Kind::Heal => {}
            Kind::Refused => {
                self.executed(record);
                self.reason(record);
            }
            Kind::Failed => self.executed(record),
            Kind::Rollback | Kind::Replay | Kind::Busy => self.op_and_node(record),
            Kind::Conflict => {
                self.op_and_node(record);
                self.row(TableId(record.data as u16), record.row);
            }
            Kind::LockWait => {
                if let Some(table) = self.names.tables.get(usize::from(record.op)) {
                    self.out.name(word!(",\"table\":\""), &table.name);
                }
                self.node(record.who);
            }
            Kind::Timeout => {
                self.target(record.op);
                self.node(record.who);
                self.number(word!(",\"attempt\":"), record.ver.into());
            }
            Kind::Crash | Kind::Pause => {
                self.node(record.who);
                self.why(record.data);
            }
            Kind::Restart | Kind::Resume => self.node(record.who),
            Kind::Cut => {
                self.out.word(if record.flag != 1 {
                    word!(",\"open\":true")
                } else {
                    word!(",\"open\":false")
                });
                self.why(record.data);
            }
            Kind::Flow => {
                self.out.name(word!(",\"flow\":\""), self.names.target(record.op | FLOW));
                self.said(word!(",\"move\":\""), move_word(record.flag));
                // One that starts tells which step of another flow it is, in other words.
                if record.row != NONE && record.flag != FlowMove::Started as u8 {
                    self.number(word!(",\"step\":"), record.row.into());
                }
            }
            Kind::Publish | Kind::Mark => {
                let (point, op) = self.scene.subject_words(record);
                self.out.name(word!(",\"topic\":\""), self.names.subject(point, op));
                self.node(record.who);
            }
            Kind::End => {
                let words = ["rest", "not at rest", "budget spent", "broken"];
                self.said(word!(",\"how\":\""), words.get(usize::from(record.flag)).unwrap_or(&"?"));
                self.number(word!(",\"events\":"), record.data);
            }
        }
    }

    /// A word of the format, with the quote behind it.
    #[inline(always)]
    fn said(&mut self, key: &Key, word: &str) {
        self.out.word(key);
        self.out.text(word);
        self.out.word(word!("\""));
    }

    #[inline(always)]
    fn number(&mut self, key: &Key, number: u64) {
        self.out.word(key);
        self.out.number(number);
    }

    #[inline(always)]
    fn flag(&mut self, flags: u8, bit: u8, field: &Key) {
        if flags & bit != 0 {
            self.out.word(field);
        }
    }

    fn target(&mut self, word: u16) {
        self.out.name(word!(",\"target\":\""), self.names.target(word));
    }

    fn node(&mut self, node: u32) {
        self.out.name(word!(",\"node\":\""), self.names.node(node));
    }

    fn why(&mut self, rule: u64) {
        self.out.name(word!(",\"why\":\""), self.names.rule(rule));
    }

    fn op_and_node(&mut self, record: &Record) {
        self.out.name(word!(",\"op\":\""), self.names.target(record.op));
        self.node(record.who);
    }

    fn step(&mut self, record: &Record) {
        if let Some((step, role)) = record.step() {
            self.number(word!(",\"step\":"), step.into());
            self.said(word!(",\"role\":\""), if role == StepRole::Action { "action" } else { "undo" });
        }
    }

    fn executed(&mut self, record: &Record) {
        self.op_and_node(record);
        self.step(record);
    }

    fn effect(&mut self, record: &Record) {
        self.out.word(word!(",\"effect\":\""));
        self.out.hexadecimal(record.data);
        self.out.word(word!("\""));
    }

    fn reason(&mut self, record: &Record) {
        let out = &mut self.out;
        self.names.text(self.scene, record.data as Word, |text| out.name(word!(",\"reason\":\""), text));
    }

    fn row(&mut self, table: TableId, slot: u32) {
        self.out.name(word!(",\"row\":\""), self.names.row(self.scene, table, slot));
        self.out.word(word!("\""));
    }

    fn message(&mut self, record: &Record) {
        let message = (record.flag, record.op, record.who, record.row);
        let place = record.who.wrapping_mul(9)
            ^ record.row.wrapping_mul(5)
            ^ u32::from(record.op ^ u16::from(record.flag));
        let known = &mut self.messages[place as usize % MESSAGES];
        match known {
            Some((of, whole)) if *of == message => self.out.whole(whole),
            _ => {
                let subject = self.scene.subject_words(record);
                let whole = whole_message(&self.names, message, subject);
                self.out.whole(&whole);
                // What acknowledges letters has no subject of its own, so the next one may be about another.
                *known = (subject == (record.flag, record.op)).then_some((message, whole));
            }
        }
        match record.kind {
            Kind::Sent => self.number(word!(",\"copies\":"), record.ver.into()),
            _ => self.number(word!(",\"copy\":"), record.ver.into()),
        }
        match (record.kind, record.data) {
            (Kind::Lost, LOST_DOWN) => self.said(word!(",\"why\":\""), "receiver down"),
            (Kind::Lost, LOST_CUT) => self.said(word!(",\"why\":\""), "link cut"),
            (Kind::Lost | Kind::Delayed, rule) => self.why(rule),
            _ => {}
        }
    }

    fn commit(&mut self, record: &Record) {
        self.out.name(word!(",\"op\":\""), self.names.target(record.op));
        if let Some(node) = self.ran.at(record.path) {
            self.node(node);
        }
        self.step(record);
        self.effect(record);
        self.number(word!(",\"installs\":"), record.ver.into());
        self.flag(record.flag, commit::KEPT, word!(",\"kept\":true"));
        self.flag(record.flag, commit::REFUSED, word!(",\"refused\":true"));
        self.flag(record.flag, commit::SKIPPED, word!(",\"skipped\":true"));
        self.flag(record.flag, commit::FENCED, word!(",\"fenced\":true"));
        self.flag(record.flag, commit::EARLY, word!(",\"early\":true"));
    }

    fn install(&mut self, at: usize, record: &Record) {
        let table = TableId(record.op);
        self.row(table, record.row);
        self.number(word!(",\"version\":"), record.ver.into());
        if record.who != NONE {
            self.number(word!(",\"base\":"), record.who.into());
        }
        let masks = Masks::unpack(record.data);
        self.columns(word!(",\"set\":[\""), table, masks.set);
        self.columns(word!(",\"read_and_set\":[\""), table, masks.rmw);
        self.columns(word!(",\"carried\":[\""), table, masks.carried);
        self.flag(record.flag, install::NOOP, word!(",\"noop\":true"));
        self.flag(record.flag, install::CREATE, word!(",\"create\":true"));
        self.flag(record.flag, install::DELETE, word!(",\"delete\":true"));
        self.flag(record.flag, install::OTHERWISE, word!(",\"otherwise\":true"));
        self.flag(record.flag, install::KEPT, word!(",\"kept\":true"));
        let image = self.scene.trace.image(at);
        self.out.word(word!(",\"change\":\""));
        self.change(record, image);
        self.out.word(word!("\""));
        if let Some(Image { before, after }) = image {
            self.cells(word!(",\"before\":{"), table, before);
            self.cells(word!(",\"after\":{"), table, after);
        }
    }

    fn columns(&mut self, key: &Key, table: TableId, mask: u32) {
        let columns = self.names.tables[table.index()].columns.iter().enumerate();
        let mut any = false;
        for (_, column) in columns.filter(|(n, _)| mask >> n & 1 == 1) {
            self.out.name(if any { word!(",\"") } else { key }, &column.quoted);
            any = true;
        }
        if any {
            self.out.word(word!("]"));
        }
    }

    /// `Scene::change`, not in short, between quotes.
    fn change(&mut self, record: &Record, image: Option<Image<'_>>) {
        let table = TableId(record.op);
        let row = |lines: &mut Self| lines.out.piece(lines.names.row(lines.scene, table, record.row));
        if record.flag & install::NOOP != 0 {
            row(self);
            return self.out.word(word!(" as before"));
        }
        match image {
            None => row(self),
            Some(Image { after: None, .. }) => {
                row(self);
                self.out.word(word!(" deleted"));
            }
            Some(Image { before: None, after: Some(after) }) => {
                self.out.word(word!("new "));
                row(self);
                self.out.word(word!(" {"));
                for (n, &word) in after.iter().enumerate().skip(1) {
                    self.out.word(if n == 1 { word!("") } else { word!(", ") });
                    self.column(table, n, false);
                    self.out.word(word!(": "));
                    self.shown(table, n, word);
                }
                self.out.word(word!("}"));
            }
            Some(Image { before: Some(before), after: Some(after) }) => {
                row(self);
                let changed = || (1..after.len()).filter(|&n| before.get(n) != after.get(n));
                let count = changed().take(2).count();
                if count == 0 {
                    self.out.word(word!(" as before"));
                }
                for (nth, n) in changed().enumerate() {
                    self.out.word(match (count, nth) {
                        (1, _) => word!("."),
                        (_, 0) => word!(" "),
                        _ => word!(", "),
                    });
                    self.column(table, n, count > 1);
                    self.out.word(word!(" "));
                    self.shown(table, n, before[n]);
                    self.out.word(word!(" → "));
                    self.shown(table, n, after[n]);
                }
            }
        }
    }

    fn column(&mut self, table: TableId, n: usize, trimmed: bool) {
        let column = self.names.tables[table.index()].columns.get(n);
        match column {
            Some(column) => self.out.piece(if trimmed { &column.trimmed } else { &column.name }),
            None => self.out.word(word!("?")),
        }
    }

    /// A cell as people are shown it.
    fn shown(&mut self, table: TableId, n: usize, word: Word) {
        match self.names.tables[table.index()].columns.get(n).map(|column| column.ty) {
            Some(ty) if is_number(ty, word) => self.out.signed(word),
            _ => self.out.text(&escaped(&self.scene.value(table, n, word))),
        }
    }

    /// A row as an object.
    fn cells(&mut self, key: &Key, table: TableId, cells: Option<&[Word]>) {
        let Some(cells) = cells else { return };
        self.out.word(key);
        let mut first = true;
        for nth in 0..self.names.tables[table.index()].by_name.len() {
            let table = &self.names.tables[table.index()];
            let n = table.by_name[nth];
            let (column, Some(&word)) = (&table.columns[n], cells.get(n)) else { continue };
            let ty = column.ty;
            self.out.word(if first { word!("") } else { word!(",") });
            first = false;
            self.out.piece(&column.key);
            self.value(ty, word);
        }
        self.out.word(word!("}"));
    }

    fn value(&mut self, ty: &Type, word: Word) {
        match ty {
            _ if word == NULL => self.out.word(word!("null")),
            Type::Bool => self.out.word(if word != 0 { word!("true") } else { word!("false") }),
            Type::Text => {
                let out = &mut self.out;
                self.names.text(self.scene, word, |text| out.name(word!("\""), text));
            }
            Type::List(_) | Type::Record(_) => {
                let shown = self.scene.model.symbols.show(word, ty, self.scene.heap());
                self.said(word!("\""), &escaped(&shown));
            }
            Type::Int | Type::Instant | Type::Duration | Type::Null => self.out.signed(word),
        }
    }
}

/// Where each execution ran first, by its path. Open addressing, a power of two in size, at most half full and never passed
/// through; a path is a good hash of itself.
struct Ran {
    places: Vec<Option<(Path, u32)>>,
}

impl Ran {
    fn of(records: &[Record]) -> Ran {
        let begun = || records.iter().filter(|record| record.kind == Kind::Begin);
        let mut ran = Ran { places: vec![None; (2 * begun().count() + 2).next_power_of_two()] };
        for record in begun() {
            let at = ran.place(record.path);
            ran.places[at].get_or_insert((record.path, record.who));
        }
        ran
    }

    /// The place of a path, or the one where it belongs.
    fn place(&self, path: Path) -> usize {
        let mask = self.places.len() - 1;
        let mut at = path.0 as usize & mask;
        while self.places[at].is_some_and(|(other, _)| other != path) {
            at = (at + 1) & mask;
        }
        at
    }

    fn at(&self, path: Path) -> Option<u32> {
        self.places[self.place(path)].map(|(_, node)| node)
    }
}
