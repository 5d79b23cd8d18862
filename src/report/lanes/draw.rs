//! Lanes on paper: where each lane runs, how an arrow crosses it, and where the notes go.
//!
//! Notes stand to the right of the lanes if there is room, else in lines of their own.

use unicode_width::UnicodeWidthChar;

use super::{AGAIN, Part, Row, What, gap};
use crate::model::plan::NodeKind;
use crate::report::look::{Look, Sign, Tone, columns_of, wrap};
use crate::report::scene::Scene;
use crate::report::words::moment;

/// The heading is repeated after so many lines.
const HEADING_EVERY: usize = 25;
/// Lanes are at least and at most so many columns apart.
const APART: (usize, usize) = (10, 20);
/// Lanes come this close before a picture gets wider than the terminal.
const TIGHT: usize = 7;
/// Room kept for the name of the last lane.
const LAST: usize = 8;
/// With less room than this beside the lanes, notes go below.
const NOTES: usize = 26;

/// Draws rows.
pub(super) fn draw(scene: &Scene<'_>, rows: &[Row], look: &Look) -> String {
    let nodes = nodes(scene, rows);
    let paper = Paper::new(scene, rows, &nodes, look);
    let mut out = String::new();
    let mut since = 0;
    let mut down = vec![false; nodes.len()];
    for (n, row) in rows.iter().enumerate() {
        // Not for the last few.
        if n == 0 || (since >= HEADING_EVERY && rows.len() - n > 5) {
            out.push_str(&paper.heading(&nodes, scene));
            since = 0;
        }
        let lines = paper.row(row, &mut down);
        since += lines.len();
        for line in lines {
            out.push_str(line.trim_end());
            out.push('\n');
        }
    }
    out.push_str(&paper.legend(rows));
    out
}

/// The nodes that appear: clients first, then replicas, then databases.
fn nodes(scene: &Scene<'_>, rows: &[Row]) -> Vec<u32> {
    let mut nodes = Vec::new();
    for row in rows {
        match &row.what {
            What::Event { node, .. } => nodes.push(*node),
            What::Arrow { from, to, .. } => nodes.extend([*from, *to]),
            What::World { .. } | What::Gap(_) => {}
        }
    }
    let rank = |node: u32| match scene.nodes.kind(node) {
        NodeKind::Client(..) => 0,
        NodeKind::Replica(..) => 1,
        NodeKind::Database(_) => 2,
    };
    nodes.sort_unstable_by_key(|&node| (rank(node), node));
    nodes.dedup();
    nodes
}

struct Paper<'l> {
    look: &'l Look,
    nodes: Vec<u32>,
    /// Columns of the time.
    time: usize,
    /// Columns from lane to lane.
    apart: usize,
    /// Where notes begin beside the lanes; `None`: they go below.
    notes: Option<usize>,
}

impl Paper<'_> {
    fn new<'l>(scene: &Scene<'_>, rows: &[Row], nodes: &[u32], look: &'l Look) -> Paper<'l> {
        let time = rows.iter().map(|row| moment(row.at).len()).max().unwrap_or(0).max("virtual".len());
        let first = time + 3;
        let gaps = nodes.len().saturating_sub(1);
        let longest = nodes.iter().map(|&node| columns_of(&scene.node(node))).max().unwrap_or(0);
        let labels = rows.iter().map(|row| match &row.what {
            What::Arrow { label, .. } => columns_of(label),
            _ => 0,
        });
        let wanted = (labels.max().unwrap_or(0) + 8).max(longest + 2).clamp(APART.0, APART.1);
        let beside = look.width.saturating_sub(first + 4 + NOTES) / gaps.max(1);
        let (apart, notes) = if gaps == 0 || beside >= APART.0 {
            let apart = wanted.min(beside.max(APART.0));
            (apart, Some(first + gaps * apart + 3))
        } else {
            let room = look.width.saturating_sub(first + LAST) / gaps.max(1);
            (wanted.min(room.max(TIGHT)), None)
        };
        Paper { look, nodes: nodes.to_vec(), time, apart, notes }
    }

    fn lane(&self, n: usize) -> usize {
        self.time + 3 + n * self.apart
    }

    fn heading(&self, nodes: &[u32], scene: &Scene<'_>) -> String {
        let mut canvas = Canvas::default();
        canvas.put(self.time.saturating_sub("virtual".len()), "virtual");
        for (n, &node) in nodes.iter().enumerate() {
            let room = match n + 1 == nodes.len() {
                true => self.look.width.saturating_sub(self.lane(n)).max(LAST),
                false => self.apart - 1,
            };
            canvas.put(self.lane(n), &self.look.fit(&scene.node(node), room));
        }
        format!("{}\n", self.look.paint(Tone::Strong, canvas.text().trim_end()))
    }

    fn row(&self, row: &Row, down: &mut [bool]) -> Vec<String> {
        let look = self.look;
        let mut canvas = Canvas::default();
        let time = moment(row.at);
        canvas.put(self.time.saturating_sub(time.len()), &time);
        self.lines(&mut canvas, down);
        let at = |node: &u32| self.nodes.iter().position(|other| other == node).unwrap_or(0);
        // Where a note may begin if there is no room beside the lanes: behind what the row draws.
        let (note, free) = match &row.what {
            What::Event { node, sign, note } => {
                let lane = at(node);
                if *sign == Sign::Crash {
                    down[lane] = !down[lane];
                }
                canvas.put(self.lane(lane), look.sign(*sign));
                (note, self.lane(lane) + 3)
            }
            What::Arrow { from, to, label, part, note } => {
                self.arrow(&mut canvas, (at(from), at(to)), label, *part);
                (note, self.lane(at(from).max(at(to))) + 3)
            }
            What::World { note } => (note, self.lane(0) + 3),
            What::Gap(n) => {
                let mut canvas = Canvas::default();
                for lane in 0..self.nodes.len() {
                    canvas.put(self.lane(lane), look.sign(Sign::Gap));
                }
                canvas.put(self.notes.unwrap_or(self.lane(0) + 3), &gap(*n));
                return vec![look.paint(Tone::Faint, &canvas.text())];
            }
        };
        let flag = if row.matters { format!("{} ", look.sign(Sign::Flag)) } else { String::new() };
        let note = look.plain(&format!("{flag}{note}"));
        let tone = if row.matters { Tone::Bad } else { Tone::Plain };
        match self.notes {
            _ if note.is_empty() => vec![canvas.text()],
            Some(from) => self.beside(canvas, from, &note, tone, down),
            None if free + columns_of(&note) <= look.width => {
                // Over the lanes further right: nothing happens there in this row.
                vec![format!("{}{}", canvas.text_to(free), look.paint(tone, &note))]
            }
            None => self.below(canvas, &note, tone),
        }
    }

    /// A row with its note to the right of the lanes.
    fn beside(&self, canvas: Canvas, from: usize, note: &str, tone: Tone, down: &[bool]) -> Vec<String> {
        let look = self.look;
        let mut first = Some(canvas);
        let lines = wrap(note, look.width.saturating_sub(from));
        let line = |line: String| {
            let mut canvas = first.take().unwrap_or_default();
            self.lines(&mut canvas, down);
            format!("{}{}", canvas.text_to(from), look.paint(tone, &line))
        };
        lines.into_iter().map(line).collect()
    }

    /// A row with its note in lines of its own.
    fn below(&self, canvas: Canvas, note: &str, tone: Tone) -> Vec<String> {
        let look = self.look;
        let from = self.lane(0) + 3;
        let lines = wrap(note, look.width.saturating_sub(from)).into_iter();
        let lines = lines.map(|line| {
            let mut canvas = Canvas::default();
            canvas.put(self.lane(0), look.sign(Sign::Line));
            format!("{}{}", canvas.text_to(from), look.paint(tone, &line))
        });
        std::iter::once(canvas.text()).chain(lines).collect()
    }

    /// All lanes, where nothing is drawn yet.
    fn lines(&self, canvas: &mut Canvas, down: &[bool]) {
        for (n, &down) in down.iter().enumerate() {
            if canvas.is_blank(self.lane(n)) {
                canvas.put(self.lane(n), self.look.sign(if down { Sign::Down } else { Sign::Line }));
            }
        }
    }

    fn arrow(&self, canvas: &mut Canvas, (from, to): (usize, usize), label: &str, part: Part) {
        let look = self.look;
        let label = label.replace(AGAIN, look.sign(Sign::Again));
        if from == to {
            canvas.put(self.lane(from), look.sign(Sign::FromLeft));
            canvas.put(self.lane(from) + 1, look.sign(Sign::Dash));
            canvas.put(self.lane(from) + 2, &look.fit(&label, self.apart.saturating_sub(3)));
            return;
        }
        let right = to > from;
        let (low, high) = (self.lane(from.min(to)), self.lane(from.max(to)));
        let (dash, dots) = (look.sign(Sign::Dash), look.sign(Sign::Dots));
        // Which of the columns between the lanes are drawn as sure and which as open.
        let reach = (high - low) * 3 / 5;
        for x in low + 1..high {
            let gone = if right { x - low } else { high - x };
            let left = (high - low) - gone;
            match part {
                Part::Whole => canvas.put(x, dash),
                Part::Lost if gone > reach.max(columns_of(&label) + 4) => canvas.put(x, " "),
                Part::Lost => canvas.put(x, dash),
                Part::Leaves => canvas.put(x, if left <= 4 { dots } else { dash }),
                Part::Arrives => canvas.put(x, if gone <= 4 { dots } else { dash }),
            }
        }
        let (start, end) = if right { (low, high) } else { (high, low) };
        if part != Part::Arrives {
            canvas.put(start, look.sign(if right { Sign::FromLeft } else { Sign::FromRight }));
        }
        if matches!(part, Part::Whole | Part::Arrives) {
            let head = look.sign(if right { Sign::Right } else { Sign::Left });
            canvas.put(if right { end - 1 } else { end + 1 }, head);
        }
        let label = look.fit(&label, (high - low).saturating_sub(5));
        let wide = columns_of(&label) + 2;
        let lost = reach.max(columns_of(&label) + 4);
        let place = match (part, right) {
            // The label of a lost message stands near its sender.
            (Part::Lost, true) => low + 2,
            (Part::Lost, false) => high.saturating_sub(1 + wide),
            (_, true) => low + (high - low).saturating_sub(wide + 1) / 2 + 1,
            (_, false) => low + (high - low).saturating_sub(wide) / 2 + 1,
        };
        canvas.put(place, &format!(" {label} "));
        if part == Part::Lost {
            let x = if right { (low + lost).min(high - 1) } else { high.saturating_sub(lost).max(low + 1) };
            canvas.put(x, look.sign(Sign::Lost));
        }
    }

    fn legend(&self, rows: &[Row]) -> String {
        let used = |test: &dyn Fn(&Row) -> bool| rows.iter().any(test);
        let sign = |wanted: Sign| {
            used(&|row: &Row| matches!(&row.what, What::Event { sign, .. } if *sign == wanted))
        };
        let part = |wanted: Part| {
            used(&|row: &Row| matches!(&row.what, What::Arrow { part, .. } if *part == wanted))
        };
        let again =
            used(&|row: &Row| matches!(&row.what, What::Arrow { label, .. } if label.contains(AGAIN)));
        let all = [
            (sign(Sign::Client), Sign::Client, "client"),
            (sign(Sign::Commit), Sign::Commit, "committed"),
            (sign(Sign::Nothing), Sign::Nothing, "no change"),
            (sign(Sign::Flow), Sign::Flow, "coordinator"),
            (sign(Sign::Timeout), Sign::Timeout, "stops waiting"),
            (sign(Sign::Crash), Sign::Crash, "down or up"),
            (part(Part::Lost), Sign::Lost, "lost"),
            (again, Sign::Again, "another copy"),
            (part(Part::Leaves), Sign::Dots, "arrives later"),
            (used(&|row: &Row| row.matters), Sign::Flag, "breaks it"),
        ];
        let mut lines = vec![String::new()];
        for (_, sign, word) in all.iter().filter(|(used, ..)| *used) {
            let text = format!("  {} {word}", self.look.sign(*sign));
            let full =
                lines.last().is_some_and(|line| columns_of(line) + columns_of(&text) > self.look.width);
            if full {
                lines.push(String::new());
            }
            if let Some(line) = lines.last_mut() {
                line.push_str(&text);
            }
        }
        lines.iter().map(|line| format!("{}\n", self.look.paint(Tone::Faint, line))).collect()
    }
}

/// A line of characters that can be written to anywhere.
#[derive(Clone, Debug, Default)]
struct Canvas {
    /// One entry a column; the second column of a wide character holds nothing.
    cells: Vec<Option<char>>,
}

impl Canvas {
    fn put(&mut self, mut x: usize, text: &str) {
        for c in text.chars() {
            let wide = c.width().unwrap_or(0);
            if wide == 0 {
                continue;
            }
            if self.cells.len() < x + wide {
                self.cells.resize(x + wide, Some(' '));
            }
            self.cells[x] = Some(c);
            if wide == 2 {
                self.cells[x + 1] = None;
            }
            x += wide;
        }
    }

    fn is_blank(&self, x: usize) -> bool {
        self.cells.get(x).is_none_or(|cell| *cell == Some(' '))
    }

    fn text(&self) -> String {
        self.cells.iter().flatten().collect()
    }

    /// The text up to a column, filled up with blanks.
    fn text_to(&self, columns: usize) -> String {
        let text: String = self.cells.iter().take(columns).flatten().collect();
        format!("{text}{}", " ".repeat(columns.saturating_sub(self.cells.len())))
    }
}
