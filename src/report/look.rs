//! How text for people looks: how wide, with or without colours, with or without characters beyond ASCII.
//!
//! Widths are counted in columns of a terminal. Colour is laid on last and never carries a meaning alone.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// What a terminal can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Columns, at least [`Look::NARROWEST`].
    pub width: usize,
    /// With ANSI colours.
    pub colour: bool,
    /// ASCII characters only.
    pub ascii: bool,
}

impl Default for Look {
    fn default() -> Look {
        Look { width: 80, colour: false, ascii: false }
    }
}

/// What a piece of text is, for its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Nothing special.
    Plain,
    /// A heading.
    Strong,
    /// All is well.
    Good,
    /// Something is wrong.
    Bad,
    /// Something should be looked at.
    Doubtful,
    /// Of less weight.
    Faint,
}

/// A sign with a meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sign {
    /// A copy of a message is lost.
    Lost,
    /// A further copy of a message.
    Again,
    /// A node goes down.
    Crash,
    /// A caller stops waiting.
    Timeout,
    /// This is what breaks the invariant.
    Flag,
    /// A transaction becomes durable.
    Commit,
    /// An operation changes nothing.
    Nothing,
    /// A client wants something, or is told something.
    Client,
    /// A coordinator decides something.
    Flow,
    /// A node is up.
    Line,
    /// A node is down.
    Down,
    /// Part of an arrow.
    Dash,
    /// Part of an arrow that is drawn in two rows.
    Dots,
    /// The head of an arrow.
    Right,
    /// The head of an arrow.
    Left,
    /// The start of an arrow to the right.
    FromLeft,
    /// The start of an arrow to the left.
    FromRight,
    /// Text was cut off.
    Cut,
    /// Lines were left out.
    Gap,
    /// From a value to another.
    To,
    /// A rule under a heading.
    Rule,
}

impl Sign {
    /// The characters for it, and those for a terminal that knows ASCII only.
    const fn pair(self) -> (&'static str, &'static str) {
        match self {
            Sign::Lost => ("✕", "x"),
            Sign::Again => ("⇉", "%"),
            Sign::Crash => ("↯", "#"),
            Sign::Timeout => ("⟲", "@"),
            Sign::Flag => ("⚑", "<<"),
            Sign::Commit => ("●", "*"),
            Sign::Nothing => ("○", "o"),
            Sign::Client => ("◆", "$"),
            Sign::Flow => ("◇", "?"),
            Sign::Line => ("│", "|"),
            Sign::Down => ("┊", ":"),
            Sign::Dash => ("─", "-"),
            Sign::Dots => ("┈", "."),
            Sign::Right => ("▶", ">"),
            Sign::Left => ("◀", "<"),
            Sign::FromLeft => ("├", "+"),
            Sign::FromRight => ("┤", "+"),
            Sign::Cut => ("…", "~"),
            Sign::Gap => ("⋮", ":"),
            Sign::To => ("→", "->"),
            Sign::Rule => ("─", "-"),
        }
    }
}

impl Look {
    /// Narrower terminals are written to as if they had this many columns.
    pub const NARROWEST: usize = 60;

    /// The characters of a sign.
    pub fn sign(&self, sign: Sign) -> &'static str {
        let (rich, plain) = sign.pair();
        if self.ascii { plain } else { rich }
    }

    /// Text in the colour of what it is.
    pub fn paint(&self, tone: Tone, text: &str) -> String {
        let mut out = String::new();
        self.put(&mut out, tone, text);
        out
    }

    /// Puts text in the colour of what it is behind what is there.
    pub(super) fn put(&self, out: &mut String, tone: Tone, text: &str) {
        let code = match tone {
            Tone::Plain => "",
            Tone::Strong => "1",
            Tone::Good => "32",
            Tone::Bad => "1;31",
            Tone::Doubtful => "33",
            Tone::Faint => "2",
        };
        if self.colour && !code.is_empty() && !text.is_empty() {
            for part in ["\u{1b}[", code, "m", text, "\u{1b}[0m"] {
                out.push_str(part);
            }
        } else {
            out.push_str(text);
        }
    }

    /// Text without characters that this look has no room for.
    pub fn plain(&self, text: &str) -> String {
        if !self.ascii || text.is_ascii() {
            return text.into();
        }
        let known = |c: char| match c {
            '→' => "->".into(),
            '…' => "...".into(),
            '’' | '‘' => "'".into(),
            '“' | '”' => "\"".into(),
            '–' | '—' | '−' => "-".into(),
            '×' => "x".into(),
            c if c.is_ascii() => c.to_string(),
            _ => "?".into(),
        };
        text.chars().map(known).collect::<String>()
    }

    /// Text in at most so many columns; what does not fit is cut, and the cut shows.
    pub fn fit(&self, text: &str, columns: usize) -> String {
        let text = self.plain(text);
        if columns_of(&text) <= columns {
            return text;
        }
        let mut out = String::new();
        let mut used = 1;
        for c in text.chars() {
            used += c.width().unwrap_or(0);
            if used > columns {
                break;
            }
            out.push(c);
        }
        out + self.sign(Sign::Cut)
    }
}

/// Whether each character of a text is a byte, takes one column and can be printed as it is. Nearly all text is so, and is
/// spared to be looked at character by character.
pub(super) fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// How many columns text takes.
pub fn columns_of(text: &str) -> usize {
    if is_plain(text) { text.len() } else { text.width() }
}

/// Puts so many blanks behind what is there.
pub(super) fn blanks(out: &mut String, n: usize) {
    out.extend(std::iter::repeat_n(' ', n));
}

/// Takes away the blanks at the end of what stands behind `from`.
pub(super) fn trim(out: &mut String, from: usize) {
    let end = from + out[from..].trim_end().len();
    out.truncate(end);
}

/// Text in lines of at most so many columns, broken at blanks, and within words only where a word is longer.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    if text.len() <= columns && !text.starts_with(' ') && is_plain(text) {
        return vec![text.to_owned()];
    }
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split(' ') {
        let wide = columns_of(word);
        if used > 0 && used + 1 + wide > columns {
            lines.push(String::new());
            used = 0;
        } else if used > 0 {
            lines.last_mut().unwrap_or(&mut String::new()).push(' ');
            used += 1;
        }
        if used + wide <= columns
            && is_plain(word)
            && let Some(line) = lines.last_mut()
        {
            line.push_str(word);
            used += wide;
            continue;
        }
        for c in word.chars() {
            let wide = c.width().unwrap_or(0);
            if used + wide > columns {
                lines.push(String::new());
                used = 0;
            }
            if let Some(line) = lines.last_mut() {
                line.push(c);
            }
            used += wide;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_wrapped_at_blanks_and_cut_only_where_it_must_be() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefgh i", 4), ["abcd", "efgh", "i"]);
        assert_eq!(wrap("", 4), [""]);
        assert_eq!(wrap("予約 する", 4), ["予約", "する"], "two columns a character");
    }

    /// Letter by letter, with no way round.
    fn wrapped_slowly(text: &str, columns: usize) -> Vec<String> {
        let mut lines = vec![String::new()];
        let mut used = 0;
        for word in text.split(' ') {
            if used > 0 && used + 1 + word.width() > columns {
                lines.push(String::new());
                used = 0;
            } else if used > 0 {
                lines.last_mut().unwrap().push(' ');
                used += 1;
            }
            for c in word.chars() {
                let wide = c.width().unwrap_or(0);
                if used + wide > columns {
                    lines.push(String::new());
                    used = 0;
                }
                lines.last_mut().unwrap().push(c);
                used += wide;
            }
        }
        lines
    }

    #[test]
    fn plain_text_is_wrapped_and_measured_as_any_other() {
        let pieces = ["a", "bc", " ", "-", "約", "e\u{301}", "\u{7f}", "~", "\t", ""];
        for n in 0..10_000 {
            let text = [n % 10, n / 10 % 10, n / 100 % 10, n / 1_000].map(|at| pieces[at]).concat();
            assert_eq!(columns_of(&text), text.width(), "{text:?}");
            for columns in 1..7 {
                assert_eq!(wrap(&text, columns), wrapped_slowly(&text, columns), "{text:?} {columns}");
            }
        }
    }

    #[test]
    fn what_is_cut_shows_it() {
        let look = Look::default();
        assert_eq!(look.fit("key-per-attempt", 8), "key-per…");
        assert_eq!(look.fit("naive", 5), "naive");
        let plain = Look { ascii: true, ..look };
        assert_eq!(plain.fit("10 → 9", 80), "10 -> 9");
    }

    #[test]
    fn colour_comes_only_when_asked_for() {
        assert_eq!(Look::default().paint(Tone::Bad, "VIOLATED"), "VIOLATED");
        let colourful = Look { colour: true, ..Look::default() };
        assert_eq!(colourful.paint(Tone::Bad, "VIOLATED"), "\u{1b}[1;31mVIOLATED\u{1b}[0m");
    }
}
