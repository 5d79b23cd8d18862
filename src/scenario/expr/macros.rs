//! Functions and macros. A chain such as `t.filter(r, p).map(r, e).sum()` becomes one pass over the table.

use std::ops::Range;

use super::ast::{Expr, Kind, Name};
use super::draft::{Node, NodeKind, Source};
use super::heads::Head;
use super::problem::did_you_mean;
use super::resolve::{Resolver, Var};
use super::rules::RuleKind;
use super::types::{Scalar, Ty};
use crate::model::expr::Fold;
use crate::model::ids::TableId;

pub(in crate::scenario) const METHODS: [&str; 10] =
    ["size", "all", "exists", "exists_one", "filter", "map", "sum", "min", "max", "indexOf"];
pub(in crate::scenario) const FUNCTIONS: [&str; 3] = ["size", "has", "duration"];

/// A pass that is still being put together.
struct Pass {
    over: Source,
    item: Var,
    /// What the text calls an item; empty until it does.
    name: String,
    keep: Vec<Node>,
    /// What `map` makes of each item.
    mapped: Option<Node>,
}

impl Pass {
    fn var(&self) -> u16 {
        match self.item {
            Var::Row { var, .. } | Var::Element { var, .. } => var,
        }
    }

    /// Notes what the text calls an item; of several names the first.
    fn called(&mut self, name: &Expr) {
        if let (Kind::Name(text), true) = (&name.kind, self.name.is_empty()) {
            self.name.clone_from(text);
        }
    }
}

impl Resolver<'_> {
    /// A call that yields a value, or none if that was reported.
    pub(super) fn call(
        &mut self,
        of: Option<&Expr>,
        name: &Name,
        args: &[Expr],
        span: &Range<u32>,
    ) -> Option<Node> {
        match of {
            None => self.function(name, args, span),
            Some(of) => self.method(of, name, args, span),
        }
    }

    fn function(&mut self, name: &Name, args: &[Expr], span: &Range<u32>) -> Option<Node> {
        let [arg] = args else {
            return self.unknown_call(name, args, &FUNCTIONS, "function", &[1], span);
        };
        match name.text.as_str() {
            "size" => self.size(arg, span),
            "duration" => self.duration(arg, span),
            "has" => {
                let is_field = match &arg.kind {
                    Kind::Select { .. } => true,
                    Kind::Index { index: Some(index), .. } => matches!(index.kind, Kind::Text(_)),
                    _ => false,
                };
                if !is_field {
                    let hint = "has(row.field); whether a row is there: key in table".to_owned();
                    self.problem(&arg.span, "has() asks for a field", Some(hint));
                    return None;
                }
                let of = Box::new(self.expr(arg));
                Some(Node {
                    kind: NodeKind::Has(of),
                    ty: self.scalar(Scalar::Bool, span),
                    span: span.clone(),
                })
            }
            _ => self.unknown_call(name, args, &FUNCTIONS, "function", &[1], span),
        }
    }

    /// Reports a call of something unknown, or with a wrong number of arguments; looks at the arguments all the same.
    fn unknown_call(
        &mut self,
        name: &Name,
        args: &[Expr],
        known: &[&str],
        what: &str,
        arity: &[usize],
        span: &Range<u32>,
    ) -> Option<Node> {
        let text = &name.text;
        if known.contains(&text.as_str()) {
            let arity: Vec<String> = arity.iter().map(usize::to_string).collect();
            let plural = if arity == ["1"] { "argument" } else { "arguments" };
            let message = format!("`{text}` takes {} {plural}, not {}", arity.join(" or "), args.len());
            self.problem(span, &message, None);
            return None;
        }
        let hint = did_you_mean(text, known.iter().copied())
            .or_else(|| {
                METHODS.contains(&text.as_str()).then(|| format!("it follows a list: list.{text}(…)"))
            })
            .or_else(|| FUNCTIONS.contains(&text.as_str()).then(|| format!("it stands alone: {text}(…)")))
            .or_else(|| Some(format!("there are {}", known.join(", "))));
        self.problem(&name.span, &format!("there is no {what} `{text}`"), hint);
        if what == "function" {
            args.iter().for_each(|arg| {
                self.expr(arg);
            });
        }
        None
    }

    fn method(&mut self, of: &Expr, name: &Name, args: &[Expr], span: &Range<u32>) -> Option<Node> {
        let arity: &[usize] = match name.text.as_str() {
            "size" | "sum" | "min" | "max" => &[0],
            "indexOf" => &[1],
            "all" | "exists" | "exists_one" | "filter" => &[2],
            "map" => &[2, 3],
            _ => &[],
        };
        if !arity.contains(&args.len()) {
            self.head(of);
            return self.unknown_call(name, args, &METHODS, "method", arity, span);
        }
        match name.text.as_str() {
            "size" => self.size(of, span),
            "sum" => self.reduce(of, Fold::Sum, name, span),
            "min" => self.reduce(of, Fold::Min, name, span),
            "max" => self.reduce(of, Fold::Max, name, span),
            "indexOf" => {
                let list = self.expr(of);
                let item = self.expr(&args[0]);
                let needed = self.types.list(item.ty, None);
                self.unify(list.ty, needed, &of.span);
                let kind = NodeKind::IndexOf(Box::new(list), Box::new(item));
                Some(Node { kind, ty: self.scalar(Scalar::Int, span), span: span.clone() })
            }
            "filter" | "map" => {
                let pass = self.extended(of, name, args)?;
                Some(self.collect(pass, span))
            }
            other => {
                let fold = match other {
                    "all" => Fold::All,
                    "exists" => Fold::Exists,
                    _ => Fold::ExistsOne,
                };
                let pass = self.pass(of)?;
                let mut pass = self.unmapped(pass, &of.span);
                pass.called(&args[0]);
                let body = self.with_var(&args[0], pass.item, |resolver| resolver.truth(&args[1]))?;
                let ty = self.scalar(Scalar::Bool, span);
                Some(Self::looped(pass, fold, Some(body), ty, span))
            }
        }
    }

    /// What a macro passes over: a table, a filtered or mapped one, or a list.
    fn pass(&mut self, ast: &Expr) -> Option<Pass> {
        if let Kind::Call { of: Some(of), name, args } = &ast.kind {
            let filters = name.text == "filter" && args.len() == 2;
            if filters || name.text == "map" && matches!(args.len(), 2 | 3) {
                return self.extended(of, name, args);
            }
        }
        match self.head(ast)? {
            Head::Table(table) => {
                let var = self.fresh_var();
                Some(Pass {
                    over: Source::Rows(table),
                    item: Var::Row { var, table },
                    name: String::new(),
                    keep: vec![],
                    mapped: None,
                })
            }
            head => {
                let list = self.value(head, &ast.span);
                Some(self.pass_over(list, &ast.span))
            }
        }
    }

    fn pass_over(&mut self, list: Node, span: &Range<u32>) -> Pass {
        let ty = self.types.free();
        let needed = self.types.list(ty, None);
        self.unify(list.ty, needed, span);
        let var = self.fresh_var();
        Pass {
            over: Source::List(Box::new(list)),
            item: Var::Element { var, ty },
            name: String::new(),
            keep: vec![],
            mapped: None,
        }
    }

    /// A pass with one more `filter` or `map`.
    fn extended(&mut self, of: &Expr, name: &Name, args: &[Expr]) -> Option<Pass> {
        let pass = self.pass(of)?;
        let mut pass = self.unmapped(pass, &of.span);
        let (test, value) = match (name.text.as_str(), args) {
            ("filter", [_, test]) => (Some(test), None),
            (_, [_, value]) => (None, Some(value)),
            (_, [_, test, value]) => (Some(test), Some(value)),
            _ => (None, None),
        };
        pass.called(args.first()?);
        let (test, value) = self.with_var(args.first()?, pass.item, |resolver| {
            (test.map(|test| resolver.truth(test)), value.map(|value| resolver.expr(value)))
        })?;
        pass.keep.extend(test);
        pass.mapped = value;
        Some(pass)
    }

    /// A pass over the items of this one, whose items may be what a `map` made.
    fn unmapped(&mut self, pass: Pass, span: &Range<u32>) -> Pass {
        if pass.mapped.is_none() {
            return pass;
        }
        let list = self.collect(pass, span);
        self.pass_over(list, span)
    }

    fn with_var<T>(&mut self, name: &Expr, item: Var, inner: impl FnOnce(&mut Self) -> T) -> Option<T> {
        let Kind::Name(text) = &name.kind else {
            self.problem(
                &name.span,
                "the name of a variable should stand here",
                Some("t.all(r, r.field > 0)".into()),
            );
            return None;
        };
        self.vars.push((text.clone(), item));
        let result = inner(self);
        self.vars.pop();
        Some(result)
    }

    fn fresh_var(&mut self) -> u16 {
        self.next_var += 1;
        self.next_var - 1
    }

    fn item(&mut self, item: Var, span: &Range<u32>) -> Node {
        match item {
            Var::Row { var, table } => {
                let ty = self.types.row(table);
                Node { kind: NodeKind::RowVarRecord { var, table }, ty, span: span.clone() }
            }
            Var::Element { var, ty } => Node { kind: NodeKind::Element(var), ty, span: span.clone() },
        }
    }

    fn collect(&mut self, mut pass: Pass, span: &Range<u32>) -> Node {
        let body = match pass.mapped.take() {
            Some(mapped) => mapped,
            None => self.item(pass.item, span),
        };
        let place = self.place(span);
        let ty = self.types.list(body.ty, Some(place));
        Self::looped(pass, Fold::Collect, Some(body), ty, span)
    }

    /// A table as a value: the list of its rows.
    pub(super) fn all_rows(&mut self, table: TableId, span: &Range<u32>) -> Node {
        let var = self.fresh_var();
        let pass = Pass {
            over: Source::Rows(table),
            item: Var::Row { var, table },
            name: String::new(),
            keep: vec![],
            mapped: None,
        };
        self.collect(pass, span)
    }

    fn looped(pass: Pass, fold: Fold, body: Option<Node>, ty: Ty, span: &Range<u32>) -> Node {
        let var = pass.var();
        let Pass { over, name, keep, .. } = pass;
        let kind = NodeKind::Loop { over, var, name, keep, fold, body: body.map(Box::new) };
        Node { kind, ty, span: span.clone() }
    }

    fn size(&mut self, of: &Expr, span: &Range<u32>) -> Option<Node> {
        let pass = self.pass(of)?;
        let pass = self.unmapped(pass, &of.span);
        let ty = self.scalar(Scalar::Int, span);
        Some(match pass {
            Pass { over: Source::List(list), keep, .. } if keep.is_empty() => {
                Node { kind: NodeKind::Size(list), ty, span: span.clone() }
            }
            pass => Self::looped(pass, Fold::Count, None, ty, span),
        })
    }

    fn reduce(&mut self, of: &Expr, fold: Fold, name: &Name, span: &Range<u32>) -> Option<Node> {
        let mut pass = self.pass(of)?;
        let body = match (pass.mapped.take(), pass.item) {
            (Some(mapped), _) => mapped,
            (None, Var::Row { .. }) => {
                let text = &name.text;
                let hint = format!("choose a column: .map(r, r.column).{text}()");
                self.problem(span, &format!("rows have no `{text}`"), Some(hint));
                return None;
            }
            (None, item) => self.item(item, &of.span),
        };
        let ty = body.ty;
        let rule = if fold == Fold::Sum { RuleKind::Number(ty) } else { RuleKind::Ordered(ty) };
        self.require(rule, span);
        Some(Self::looped(pass, fold, Some(body), ty, span))
    }
}
