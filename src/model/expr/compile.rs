//! From the tree to flat code. Stack heights and slots are known statically, so running needs no checks of them.

use std::ops::Range;

use super::code::{Code, Handler, Op, Rescue};
use super::eval::{STACK, VARS};
use super::fold::fold;
use super::tree::{BOUND_ROWS, BinaryOp, Expr, ExprKind, Fold, Over, UnaryOp};
use super::{quick, seek, shape};
use crate::model::value::{NULL, Word};

pub(super) fn compile(expr: &Expr) -> Code {
    let expr = fold(expr);
    let mut compiler = Compiler { next_var: BOUND_ROWS, ..Compiler::default() };
    compiler.expr(&expr);
    if compiler.too_deep {
        compiler = Compiler::default();
        compiler.push(Op::TooDeep, &expr.span);
        return compiler.code;
    }
    compiler.code.shape = shape::of(&expr, quick::suits(&compiler.code.ops));
    compiler.code.sought = seek::of(&expr, 0, true, |var| var);
    compiler.code
}

#[derive(Default)]
struct Compiler {
    code: Code,
    /// Height of the stack where the next instruction starts.
    depth: usize,
    next_var: u16,
    /// Slots of the loops around: variable of the tree, slot of its row or element.
    vars: Vec<(u16, u16)>,
    too_deep: bool,
}

impl Compiler {
    fn here(&self) -> u32 {
        self.code.ops.len() as u32
    }

    /// Appends an instruction that keeps the height of the stack.
    fn push(&mut self, op: Op, span: &Range<u32>) -> usize {
        self.code.ops.push(op);
        self.code.spans.push(span.clone());
        self.code.ops.len() - 1
    }

    /// Appends an instruction that makes the stack one higher.
    fn grow(&mut self, op: Op, span: &Range<u32>) {
        self.push(op, span);
        self.depth += 1;
        self.too_deep |= self.depth >= STACK;
    }

    /// Appends an instruction that makes the stack one lower.
    fn shrink(&mut self, op: Op, span: &Range<u32>) {
        self.push(op, span);
        self.drop_one();
    }

    /// The instruction just appended takes one off on the way that goes on. After giving up on a tree heights mean
    /// nothing.
    fn drop_one(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    fn slots(&mut self, count: u16) -> u16 {
        let first = self.next_var;
        self.next_var = self.next_var.saturating_add(count);
        self.too_deep |= usize::from(self.next_var) > VARS;
        first
    }

    /// Lets a jump that was appended earlier lead here.
    fn land(&mut self, jump: usize) {
        let here = self.here();
        match &mut self.code.ops[jump] {
            Op::Jump(to) | Op::Unless(to) | Op::AndJump(to) | Op::OrJump(to) => *to = here,
            Op::NextRow { exit, .. } | Op::SeekRow { exit, .. } | Op::NextItem { exit, .. } => *exit = here,
            _ => {}
        }
    }

    fn columns(&mut self, columns: &[crate::model::ids::ColumnId]) -> u16 {
        self.code.columns.push(columns.iter().map(|column| column.0).collect());
        (self.code.columns.len() - 1) as u16
    }

    /// The slot of a row or element variable.
    fn var(&self, var: u16) -> u16 {
        if let Some(&(_, slot)) = self.vars.iter().rev().find(|(name, _)| *name == var) {
            return slot;
        }
        var.min(BOUND_ROWS - 1)
    }

    /// Appends code that leaves the value of the expression on the stack.
    fn expr(&mut self, expr: &Expr) {
        let span = &expr.span;
        if self.too_deep {
            return;
        }
        match &expr.kind {
            ExprKind::Const(word) => self.grow(Op::Const(*word), span),
            ExprKind::Local(slot) => self.grow(Op::Local(*slot), span),
            ExprKind::Element(var) => {
                let var = self.var(*var);
                self.grow(Op::Var(var), span);
            }
            ExprKind::RowVar { var, table, column } => {
                let var = self.var(*var);
                self.grow(Op::RowVar { var, table: *table, column: column.0 }, span);
            }
            ExprKind::RowVarRecord { var, table, columns } => {
                let (var, columns) = (self.var(*var), self.columns(columns));
                self.grow(Op::RowVarRecord { var, table: *table, columns }, span);
            }
            ExprKind::Cell { table, key, column } => {
                let (table, column) = (*table, column.0);
                match key.kind {
                    ExprKind::Const(key) => self.grow(Op::CellConst { table, column, key }, span),
                    ExprKind::Local(key) => self.grow(Op::CellLocal { table, column, key }, span),
                    _ => {
                        self.expr(key);
                        self.push(Op::Cell { table, column }, span);
                    }
                }
            }
            ExprKind::Row { table, key, columns } => {
                self.expr(key);
                let columns = self.columns(columns);
                self.push(Op::Row { table: *table, columns }, span);
            }
            ExprKind::HasRow { table, key } => self.on(key, Op::HasRow(*table), span),
            ExprKind::Now => self.grow(Op::Now, span),
            ExprKind::EventField(field) => self.grow(Op::Event(*field), span),
            ExprKind::Counter(counter) => self.grow(Op::Counter(*counter), span),
            ExprKind::Unary(UnaryOp::Not, of) => self.on(of, Op::Not, span),
            ExprKind::Unary(UnaryOp::Neg, of) => self.on(of, Op::Neg, span),
            ExprKind::Binary(op, left, right) => self.binary(*op, left, right, span),
            ExprKind::And(left, right) => self.logic(left, right, false, span),
            ExprKind::Or(left, right) => self.logic(left, right, true, span),
            ExprKind::Cond(test, yes, no) => {
                self.expr(test);
                let unless = self.push(Op::Unless(0), &test.span);
                self.drop_one();
                self.expr(yes);
                let jump = self.push(Op::Jump(0), span);
                self.drop_one();
                self.land(unless);
                self.expr(no);
                self.land(jump);
            }
            ExprKind::In(item, list) => self.member(item, list, span),
            ExprKind::List(items) => self.tuple(items.iter(), span),
            ExprKind::Record(fields) => self.tuple(fields.iter().map(|field| &field.value), span),
            ExprKind::Field { of, index, .. } => self.on(of, Op::Field(*index), span),
            ExprKind::Index(list, index) => self.on_both(list, index, Op::Index, span),
            ExprKind::Size(list) => self.on(list, Op::Size, span),
            ExprKind::IndexOf(list, item) => self.on_both(list, item, Op::IndexOf, span),
            ExprKind::Has(of) => self.on(of, Op::NeConst(NULL), span),
            ExprKind::Loop { over, var, keep, fold, body, .. } => {
                self.pass(over, *var, keep, *fold, body.as_deref(), span);
            }
        }
    }

    fn on(&mut self, of: &Expr, op: Op, span: &Range<u32>) {
        self.expr(of);
        self.push(op, span);
    }

    fn on_both(&mut self, left: &Expr, right: &Expr, op: Op, span: &Range<u32>) {
        self.expr(left);
        self.expr(right);
        self.shrink(op, span);
    }

    fn binary(&mut self, op: BinaryOp, left: &Expr, right: &Expr, span: &Range<u32>) {
        let fused = match right.kind {
            ExprKind::Const(word) => with_const(op, word),
            ExprKind::Local(slot) => with_local(op, slot),
            _ => None,
        };
        if let Some(fused) = fused {
            return self.on(left, fused, span);
        }
        let op = match op {
            BinaryOp::Add => Op::Add,
            BinaryOp::Sub => Op::Sub,
            BinaryOp::Mul => Op::Mul,
            BinaryOp::Div => Op::Div,
            BinaryOp::Rem => Op::Rem,
            BinaryOp::Eq => Op::Eq,
            BinaryOp::Ne => Op::Ne,
            BinaryOp::Lt => Op::Lt,
            BinaryOp::Le => Op::Le,
            BinaryOp::Gt => Op::Gt,
            BinaryOp::Ge => Op::Ge,
            BinaryOp::Concat => Op::Concat,
            BinaryOp::Append => Op::Append,
        };
        self.on_both(left, right, op, span);
    }

    fn logic(&mut self, left: &Expr, right: &Expr, deciding: bool, span: &Range<u32>) {
        let (from, depth, var) = (self.here(), self.depth, self.next_var);
        let mark = self.mark_if(|part| part.collects(), &[left], span);
        self.expr(left);
        let jump = self.push(if deciding { Op::OrJump(0) } else { Op::AndJump(0) }, &left.span);
        self.drop_one();
        let to = self.here();
        self.next_var = var;
        self.expr(right);
        if !right.is_truth() {
            self.push(Op::Given, &right.span);
        }
        self.land(jump);
        let rescue = Rescue::Logic { end: self.here(), deciding };
        self.handle(Handler { from, to, depth: depth as u8, mark, rescue });
    }

    /// Handlers are found innermost first, so a handler is entered after those of its parts.
    fn handle(&mut self, handler: Handler) {
        self.code.handlers.push(handler);
    }

    fn mark_if(&mut self, test: impl Fn(&Expr) -> bool, parts: &[&Expr], span: &Range<u32>) -> Option<u16> {
        if !parts.iter().any(|part| part.any(&test)) {
            return None;
        }
        let mark = self.slots(1);
        self.push(Op::Mark(mark), span);
        Some(mark)
    }

    /// What a pass over rows may go straight to: what its first filter asks first or, if there is none, what decides
    /// its body.
    fn seek(&mut self, var: u16, keep: &[Expr], fold: Fold, body: Option<&Expr>) -> Option<u16> {
        let (test, wanted) = match (keep.first(), fold) {
            (Some(test), _) => (test, true),
            (None, Fold::Exists | Fold::ExistsOne) => (body?, true),
            (None, Fold::All) => (body?, false),
            _ => return None,
        };
        let sought = seek::of(test, var, wanted, |var| self.var(var))?;
        self.code.seeks.push(sought);
        u16::try_from(self.code.seeks.len() - 1).ok()
    }

    fn member(&mut self, item: &Expr, list: &Expr, span: &Range<u32>) {
        if let ExprKind::List(items) = &list.kind {
            let words: Option<Vec<Word>> = items.iter().map(Expr::as_const).collect();
            if let Some(words) = words.filter(|_| self.code.sets.len() < usize::from(u16::MAX)) {
                self.code.sets.push(words);
                return self.on(item, Op::InSet((self.code.sets.len() - 1) as u16), span);
            }
        }
        self.on_both(item, list, Op::In, span);
    }

    fn tuple<'a>(&mut self, items: impl ExactSizeIterator<Item = &'a Expr>, span: &Range<u32>) {
        let count = items.len() as u32;
        for item in items {
            self.expr(item);
            self.shrink(Op::Collect, &item.span);
        }
        self.grow(Op::Take(count), span);
    }

    fn pass(
        &mut self,
        over: &Over,
        var: u16,
        keep: &[Expr],
        fold: Fold,
        body: Option<&Expr>,
        span: &Range<u32>,
    ) {
        let first_var = self.next_var;
        let item = match over {
            Over::Rows(_) => {
                let row = self.slots(1);
                self.push(Op::ClearVar(row), span);
                row
            }
            Over::List(list) => {
                self.expr(list);
                let slots = self.slots(3);
                self.shrink(Op::BeginList(slots), &list.span);
                slots + 2
            }
        };
        let state = self.slots(1);
        match fold {
            Fold::All | Fold::Exists | Fold::Min | Fold::Max => self.push(Op::ClearVar(state), span),
            Fold::ExistsOne | Fold::Count | Fold::Sum => self.push(Op::SetVar { var: state, to: 0 }, span),
            Fold::Collect => self.push(Op::Mark(state), span),
        };
        let decides = matches!(fold, Fold::All | Fold::Exists);
        let mark = match body {
            Some(body) if decides => self.mark_if(|part| part.collects(), &[body], span),
            _ => None,
        };
        self.vars.push((var, item));
        let again = self.here();
        let next = match over {
            Over::Rows(table) => {
                let op = match self.seek(var, keep, fold, body) {
                    Some(seek) => Op::SeekRow { table: *table, var: item, seek, exit: 0 },
                    None => Op::NextRow { table: *table, var: item, exit: 0 },
                };
                self.push(op, span)
            }
            Over::List(_) => self.push(Op::NextItem { var: item - 2, exit: 0 }, span),
        };
        for test in keep {
            self.expr(test);
            self.shrink(Op::Unless(again), &test.span);
        }
        let (from, depth) = (self.here(), self.depth);
        match body {
            _ if fold == Fold::Count => {}
            Some(body) => self.expr(body),
            None => self.grow(Op::Const(NULL), span),
        }
        let of = body.map_or(span, |body| &body.span);
        match fold {
            Fold::All | Fold::Exists => {
                let on = fold == Fold::All;
                self.push(Op::Again { on, to: again }, of);
                let rescue = Rescue::Loop { pending: state, resume: again };
                let to = self.here();
                self.handle(Handler { from, to, depth: depth as u8, mark, rescue });
                let decided = self.push(Op::Jump(0), span);
                self.land(next);
                self.push(Op::Verdict { var: state, otherwise: on }, span);
                self.land(decided);
            }
            Fold::ExistsOne | Fold::Count => {
                if fold == Fold::ExistsOne {
                    self.shrink(Op::Unless(again), of);
                }
                self.push(Op::CountVar(state), span);
                self.push(Op::Jump(again), span);
                self.land(next);
                self.grow(Op::Var(state), span);
                if fold == Fold::ExistsOne {
                    self.push(Op::EqConst(1), span);
                }
            }
            Fold::Sum | Fold::Min | Fold::Max => {
                let op = match fold {
                    Fold::Sum => Op::SumVar(state),
                    Fold::Min => Op::MinVar(state),
                    _ => Op::MaxVar(state),
                };
                self.shrink(op, of);
                self.push(Op::Jump(again), span);
                self.land(next);
                self.grow(if fold == Fold::Sum { Op::Var(state) } else { Op::Extreme(state) }, span);
            }
            Fold::Collect => {
                self.shrink(Op::Collect, of);
                self.push(Op::Jump(again), span);
                self.land(next);
                self.grow(Op::TakeFrom(state), span);
            }
        }
        self.vars.pop();
        self.next_var = first_var;
    }
}

/// The instruction for an operator whose right operand is this constant. Null fails in all but equality, so there it is
/// left to the general form.
fn with_const(op: BinaryOp, word: Word) -> Option<Op> {
    match op {
        BinaryOp::Eq => Some(Op::EqConst(word)),
        BinaryOp::Ne => Some(Op::NeConst(word)),
        _ if word == NULL => None,
        BinaryOp::Add => Some(Op::AddConst(word)),
        BinaryOp::Sub => Some(Op::AddConst(-word)),
        BinaryOp::Lt => Some(Op::LtConst(word)),
        BinaryOp::Le => Some(Op::LeConst(word)),
        BinaryOp::Gt => Some(Op::GtConst(word)),
        BinaryOp::Ge => Some(Op::GeConst(word)),
        _ => None,
    }
}

fn with_local(op: BinaryOp, slot: u16) -> Option<Op> {
    match op {
        BinaryOp::Add => Some(Op::AddLocal(slot)),
        BinaryOp::Sub => Some(Op::SubLocal(slot)),
        BinaryOp::Eq => Some(Op::EqLocal(slot)),
        BinaryOp::Ne => Some(Op::NeLocal(slot)),
        BinaryOp::Lt => Some(Op::LtLocal(slot)),
        BinaryOp::Le => Some(Op::LeLocal(slot)),
        BinaryOp::Gt => Some(Op::GtLocal(slot)),
        BinaryOp::Ge => Some(Op::GeLocal(slot)),
        _ => None,
    }
}

impl Expr {
    /// Whether running this very node collects words, which a failure in its midst would leave behind.
    fn collects(&self) -> bool {
        matches!(
            self.kind,
            ExprKind::List(_) | ExprKind::Record(_) | ExprKind::Loop { fold: Fold::Collect, .. }
        )
    }
}
