//! From an expression in Rust to its text, for the place where it stands.
//!
//! Handles of another builder, arguments of another operation and fields of another table are found here.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::doc::Doc;
use super::expr::{Expr, TableRef, Tree, Var, level};
use crate::scenario::json::Json;
use crate::scenario::quantity::Nanos;

/// Where an expression stands.
#[derive(Clone, Debug)]
pub(super) struct Here {
    pub(super) doc: Doc,
    /// The service whose tables are known by their bare names.
    pub(super) service: Option<String>,
    /// The part whose arguments are known: `box.sell`.
    pub(super) part: String,
}

impl Here {
    /// Outside of all services: invariants and facts.
    pub(super) fn outside(doc: &Doc) -> Here {
        Here { doc: doc.clone(), service: None, part: String::new() }
    }

    /// The text of an expression.
    pub(super) fn text(&self, expr: &Expr) -> String {
        let mut text = Text { here: self, vars: Vec::new(), out: String::new() };
        text.write(expr, level::COND);
        text.out
    }

    /// An expression as a value of the document: numbers and truth values stand for themselves.
    pub(super) fn json(&self, expr: &Expr) -> Json {
        match &*expr.0 {
            Tree::Int(value) => (*value).into(),
            Tree::Bool(value) => (*value).into(),
            _ => self.text(expr).into(),
        }
    }

    /// A field must be one of the table of its row.
    pub(super) fn same_table(&self, of: &TableRef, table: &TableRef, field: &str) {
        if (&of.service, &of.name) != (&table.service, &table.name) {
            self.doc.problem(format!(
                "the field `{field}` of {}.{} is asked of a row of {}.{}",
                table.service, table.name, of.service, of.name
            ));
        }
    }

    /// A handle must belong to this builder.
    pub(super) fn checked(&self, doc: &Doc, what: &str, name: &str) {
        if !self.doc.is(doc) {
            self.doc.problem(format!("{what} `{name}` belongs to another builder"));
        }
    }

    fn table(&self, table: &TableRef) -> String {
        let whole = format!("{}.{}", table.service, table.name);
        self.checked(&table.doc, "the table", &whole);
        if self.service.as_deref() == Some(table.service.as_str()) { table.name.clone() } else { whole }
    }
}

struct Text<'h> {
    here: &'h Here,
    /// The variables of the passes around, with the names they got.
    vars: Vec<(Rc<Var>, String)>,
    out: String,
}

impl Text<'_> {
    fn push(&mut self, text: &str) {
        self.out.push_str(text);
    }

    /// Writes an expression, in brackets if it binds less than it must here.
    fn write(&mut self, expr: &Expr, least: u8) {
        let own = binds(&expr.0);
        if own < least {
            self.push("(");
        }
        self.bare(expr);
        if own < least {
            self.push(")");
        }
    }

    fn bare(&mut self, expr: &Expr) {
        match &*expr.0 {
            Tree::Int(value) => self.push(&value.to_string()),
            Tree::Bool(value) => self.push(&value.to_string()),
            Tree::Null => self.push("null"),
            Tree::Text(text) => self.push(&quoted(text)),
            Tree::Span(span) => self.push(&format!("duration('{}')", Nanos(span.0))),
            Tree::Raw(text) | Tree::Name(text) => self.push(text),
            Tree::Local { doc, part, name } => {
                self.here.checked(doc, "the name", name);
                if self.here.part != *part {
                    let there = match self.here.part.as_str() {
                        "" => "outside of it".to_owned(),
                        other => format!("in {other}"),
                    };
                    self.here.doc.problem(format!("`{name}` of {part} is not known {there}"));
                }
                self.push(name);
            }
            Tree::Table(table) => {
                let name = self.here.table(table);
                self.push(&name);
            }
            Tree::Row(table, key) => {
                let name = self.here.table(table);
                self.push(&name);
                self.push("[");
                self.write(key, level::COND);
                self.push("]");
            }
            Tree::Fresh(table) => {
                let name = self.here.table(table);
                self.push(&name);
                self.push("[]");
            }
            Tree::Var(var) => {
                let known = self.vars.iter().find(|(known, _)| Rc::ptr_eq(known, var));
                match known.map(|(_, name)| name.clone()) {
                    Some(name) => self.push(&name),
                    None => {
                        let what = "the variable of a pass is used outside of it";
                        self.here.doc.problem(what.to_owned());
                        self.push("null");
                    }
                }
            }
            Tree::Field { of, name, table } => {
                if let (Some(of), Some(table)) = (of.row_of(), table) {
                    self.here.same_table(of, table, name);
                }
                self.write(of, level::WHOLE);
                self.push(".");
                self.push(name);
            }
            Tree::Method(of, name, args) => {
                self.write(of, level::WHOLE);
                self.push(&format!(".{name}("));
                self.commas(args);
                self.push(")");
            }
            Tree::Pass { of, name, var, body } => {
                self.write(of, level::WHOLE);
                let chosen = self.free(&var.hint, body);
                self.push(&format!(".{name}({chosen}, "));
                self.vars.push((var.clone(), chosen));
                self.write(body, level::COND);
                self.vars.pop();
                self.push(")");
            }
            Tree::Has(of) => {
                self.push("has(");
                self.write(of, level::COND);
                self.push(")");
            }
            Tree::Unary(op, of) => {
                self.push(op);
                // `--1` would be read as one sign too many.
                self.write(of, level::WHOLE);
            }
            Tree::Binary { op, level: own, left, right } => {
                let chained = *own != level::RELATION;
                self.write(left, if chained { *own } else { own + 1 });
                self.push(&format!(" {op} "));
                self.write(right, own + 1);
            }
            Tree::Cond(test, yes, no) => {
                self.write(test, level::OR);
                self.push(" ? ");
                self.write(yes, level::OR);
                self.push(" : ");
                self.write(no, level::OR);
            }
            Tree::List(values) => {
                self.push("[");
                self.commas(values);
                self.push("]");
            }
            Tree::Map(members) => {
                self.push("{");
                for (n, (key, value)) in members.iter().enumerate() {
                    self.push(&format!("{}{}: ", if n > 0 { ", " } else { "" }, quoted(key)));
                    self.write(value, level::COND);
                }
                self.push("}");
            }
        }
    }

    fn commas(&mut self, values: &[Expr]) {
        for (n, value) in values.iter().enumerate() {
            if n > 0 {
                self.push(", ");
            }
            self.write(value, level::COND);
        }
    }

    /// A name for a variable that nothing in its pass is called by.
    fn free(&self, hint: &str, body: &Expr) -> String {
        let mut taken: BTreeSet<String> = self.vars.iter().map(|(_, name)| name.clone()).collect();
        words(body, &mut taken);
        let mut n = 1;
        let mut name = hint.to_owned();
        while taken.contains(&name) {
            n += 1;
            name = format!("{hint}{n}");
        }
        name
    }
}

/// All words of an expression that a variable could be mistaken for.
fn words(expr: &Expr, taken: &mut BTreeSet<String>) {
    match &*expr.0 {
        Tree::Raw(text) | Tree::Name(text) => {
            let word = |c: char| !(c.is_alphanumeric() || c == '_');
            taken.extend(text.split(word).map(str::to_owned));
        }
        Tree::Local { name, .. } => {
            taken.insert(name.clone());
        }
        Tree::Table(table) | Tree::Fresh(table) => taken.extend([table.service.clone(), table.name.clone()]),
        Tree::Row(table, key) => {
            taken.extend([table.service.clone(), table.name.clone()]);
            words(key, taken);
        }
        Tree::Field { of, .. } | Tree::Has(of) | Tree::Unary(_, of) => words(of, taken),
        Tree::Method(of, _, args) => std::iter::once(of).chain(args).for_each(|one| words(one, taken)),
        Tree::Pass { of, body, .. } => [of, body].into_iter().for_each(|one| words(one, taken)),
        Tree::Binary { left, right, .. } => [left, right].into_iter().for_each(|one| words(one, taken)),
        Tree::Cond(a, b, c) => [a, b, c].into_iter().for_each(|one| words(one, taken)),
        Tree::List(values) => values.iter().for_each(|one| words(one, taken)),
        Tree::Map(members) => members.iter().for_each(|(_, one)| words(one, taken)),
        Tree::Int(_) | Tree::Bool(_) | Tree::Null | Tree::Text(_) | Tree::Span(_) | Tree::Var(_) => {}
    }
}

/// How strongly an expression holds together.
fn binds(tree: &Tree) -> u8 {
    match tree {
        Tree::Int(value) if *value < 0 => level::UNARY,
        Tree::Raw(text) => {
            let plain = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
            if !text.is_empty() && text.chars().all(plain) { level::WHOLE } else { level::COND }
        }
        Tree::Unary(..) => level::UNARY,
        Tree::Binary { level, .. } => *level,
        Tree::Cond(..) => level::COND,
        _ => level::WHOLE,
    }
}

/// A text in the quotes of an expression.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("'");
    for c in text.chars() {
        match c {
            '\'' => out.push_str("\\'"),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c => out.push(c),
        }
    }
    out.push('\'');
    out
}
