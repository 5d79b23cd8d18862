//! Running compiled expressions. The hot loop keeps the top of the stack in a register and never checks heights, which
//! the compiler has bounded; failures leave it and are rescued, or not, in a cold function beside it.

use super::arith;
use super::code::{Code, Op, Rescue};
use super::shape::{self, Shape};
use super::tree::{BinaryOp, UnaryOp};
use super::view::{Failure, View};
use crate::model::ids::TableId;
use crate::model::value::{NULL, Word, truth};

/// The steps that one evaluation may take, counted where it loops or copies lists: so nothing runs for ever.
pub const BUDGET: i64 = 1_000_000;

/// Height of the stack; the height fits a byte, so indexing needs no check.
pub(super) const STACK: usize = 256;
/// Number of slots for loops, a power of two.
pub(super) const VARS: usize = 512;

/// The memory of an evaluation, some 6 KiB; make one and use it for all.
#[derive(Clone, Debug)]
pub struct Scratch {
    stack: [Word; STACK],
    vars: [Word; VARS],
    /// Words on their way into a tuple.
    pub(super) collected: Vec<Word>,
    /// The failures that `all` and `exists` hold back, each with its instruction.
    held: Vec<(Failure, u32)>,
    budget: i64,
    failed_at: usize,
}

impl Default for Scratch {
    fn default() -> Self {
        Scratch {
            stack: [0; STACK],
            vars: [0; VARS],
            collected: Vec::new(),
            held: Vec::new(),
            budget: 0,
            failed_at: 0,
        }
    }
}

impl Scratch {
    /// Fresh memory.
    pub fn new() -> Self {
        Self::default()
    }

    /// Binds a row variable below [`BOUND_ROWS`](super::BOUND_ROWS) to a live row, until it is bound again. Others are
    /// left alone.
    #[inline]
    pub fn bind_row(&mut self, var: u16, row: u32) {
        if var < super::BOUND_ROWS {
            self.vars[usize::from(var)] = Word::from(row);
        }
    }

    /// What the short ways need.
    #[inline]
    pub(super) fn short(&mut self) -> (&mut [Word; STACK], &[Word; VARS]) {
        (&mut self.stack, &self.vars)
    }

    /// What a variable holds.
    #[inline]
    pub(super) fn var(&self, var: u16) -> Word {
        self.vars[slot(var)]
    }

    pub(super) fn failed_at(&self) -> usize {
        self.failed_at
    }
}

impl Code {
    /// The value, if the expression is a constant or one of these slots: so a caller need not even make a view.
    #[inline]
    pub fn at_hand(&self, locals: &[Word]) -> Option<Word> {
        match self.shape {
            Shape::Const(word) => Some(word),
            Shape::Local(slot) => locals.get(usize::from(slot)).copied(),
            _ => None,
        }
    }
}

/// The value of a compiled expression. `locals` are the caller's slots; one that is not there is null. On failure
/// [`Code::failed_span`] tells where. It touches the heap only for lists and records, and allocates nothing else.
/// A boolean may be null; who needs a decision takes it as not true.
#[inline]
pub fn eval<V: View + ?Sized>(
    code: &Code,
    locals: &[Word],
    view: &mut V,
    scratch: &mut Scratch,
) -> Result<Word, Failure> {
    let known = match code.shape {
        Shape::Const(_) | Shape::Local(_) => code.at_hand(locals),
        Shape::Other => None,
        _ => shape::run(code, locals, view, scratch),
    };
    match known {
        Some(word) => Ok(word),
        None => full(code, locals, view, scratch),
    }
}

#[inline(never)]
fn full<V: View + ?Sized>(
    code: &Code,
    locals: &[Word],
    view: &mut V,
    scratch: &mut Scratch,
) -> Result<Word, Failure> {
    scratch.budget = BUDGET;
    scratch.collected.clear();
    scratch.held.clear();
    let mut machine = Machine { code, locals, view, scratch };
    match machine.run(State { pc: 0, height: 0, top: NULL }, code.ops.len()) {
        Ok(word) => Ok(word),
        Err((failure, at)) => {
            scratch.failed_at = at as usize;
            Err(failure)
        }
    }
}

pub(super) struct Machine<'a, V: View + ?Sized> {
    pub(super) code: &'a Code,
    locals: &'a [Word],
    pub(super) view: &'a mut V,
    pub(super) scratch: &'a mut Scratch,
}

/// Where a run is. The topmost word is in `top`; those below it are in the stack, from 1 to `height - 1`.
#[derive(Clone, Copy)]
struct State {
    pc: usize,
    height: u8,
    top: Word,
}

/// The slot of a loop; the mask spares a check.
#[inline(always)]
fn slot(var: u16) -> usize {
    usize::from(var) & (VARS - 1)
}

#[inline(always)]
fn row_of(word: Word) -> u32 {
    word as u32
}

impl<V: View + ?Sized> Machine<'_, V> {
    /// Runs from a state up to the instruction `end`, and yields the word on top.
    fn run(&mut self, start: State, end: usize) -> Result<Word, (Failure, u32)> {
        let ops = &self.code.ops[..end];
        let State { mut pc, mut height, mut top } = start;
        macro_rules! push {
            ($value:expr) => {{
                let value = $value;
                self.scratch.stack[usize::from(height)] = top;
                height = height.wrapping_add(1);
                top = value;
            }};
        }
        macro_rules! pop {
            () => {{
                let value = top;
                height = height.wrapping_sub(1);
                top = self.scratch.stack[usize::from(height)];
                value
            }};
        }
        loop {
            // A failure that was held back is reported where it happened.
            let mut origin = None;
            let failure = 'failed: {
                macro_rules! attempt {
                    ($result:expr) => {
                        match $result {
                            Ok(value) => value,
                            Err(failure) => break 'failed failure,
                        }
                    };
                }
                macro_rules! some {
                    ($option:expr, $failure:expr) => {
                        match $option {
                            Some(value) => value,
                            None => break 'failed $failure,
                        }
                    };
                }
                macro_rules! given {
                    ($value:expr) => {
                        if $value == NULL {
                            break 'failed Failure::NullOperand;
                        }
                    };
                }
                macro_rules! compute {
                    ($op:ident) => {{
                        let right = pop!();
                        top = attempt!(arith::binary(BinaryOp::$op, top, right));
                    }};
                    ($op:ident, $right:expr) => {
                        top = attempt!(arith::binary(BinaryOp::$op, top, $right))
                    };
                }
                macro_rules! local {
                    ($slot:expr) => {
                        self.locals.get(usize::from($slot)).copied().unwrap_or(NULL)
                    };
                }
                while let Some(&op) = ops.get(pc) {
                    pc += 1;
                    match op {
                        Op::Const(word) => push!(word),
                        Op::Local(local) => push!(local!(local)),
                        Op::Var(var) => push!(self.scratch.vars[slot(var)]),
                        Op::RowVar { var, table, column } => {
                            let row = row_of(self.scratch.vars[slot(var)]);
                            push!(self.view.cell(table, row, column));
                        }
                        Op::RowVarRecord { var, table, columns } => {
                            let row = row_of(self.scratch.vars[slot(var)]);
                            push!(attempt!(self.record(table, row, columns)));
                        }
                        Op::Cell { table, column } => {
                            let row = some!(self.find(table, top), Failure::Missing(table));
                            top = self.view.cell(table, row, column);
                        }
                        Op::CellConst { table, column, key } => {
                            let row = some!(self.find(table, key), Failure::Missing(table));
                            push!(self.view.cell(table, row, column));
                        }
                        Op::CellLocal { table, column, key } => {
                            let row = some!(self.find(table, local!(key)), Failure::Missing(table));
                            push!(self.view.cell(table, row, column));
                        }
                        Op::Row { table, columns } => {
                            let row = some!(self.find(table, top), Failure::Missing(table));
                            top = attempt!(self.record(table, row, columns));
                        }
                        Op::HasRow(table) => top = truth(self.find(table, top).is_some()),
                        Op::Now => push!(self.view.now()),
                        Op::Event(field) => push!(self.view.event(field)),
                        Op::Counter(counter) => push!(self.view.counter(counter)),
                        Op::Not => top = attempt!(arith::unary(UnaryOp::Not, top)),
                        Op::Neg => top = attempt!(arith::unary(UnaryOp::Neg, top)),
                        Op::Add => compute!(Add),
                        Op::Sub => compute!(Sub),
                        Op::Mul => compute!(Mul),
                        Op::Div => compute!(Div),
                        Op::Rem => compute!(Rem),
                        Op::Eq => compute!(Eq),
                        Op::Ne => compute!(Ne),
                        Op::Lt => compute!(Lt),
                        Op::Le => compute!(Le),
                        Op::Gt => compute!(Gt),
                        Op::Ge => compute!(Ge),
                        Op::AddConst(word) => compute!(Add, word),
                        Op::EqConst(word) => compute!(Eq, word),
                        Op::NeConst(word) => compute!(Ne, word),
                        Op::LtConst(word) => compute!(Lt, word),
                        Op::LeConst(word) => compute!(Le, word),
                        Op::GtConst(word) => compute!(Gt, word),
                        Op::GeConst(word) => compute!(Ge, word),
                        Op::AddLocal(local) => compute!(Add, local!(local)),
                        Op::SubLocal(local) => compute!(Sub, local!(local)),
                        Op::EqLocal(local) => compute!(Eq, local!(local)),
                        Op::NeLocal(local) => compute!(Ne, local!(local)),
                        Op::LtLocal(local) => compute!(Lt, local!(local)),
                        Op::LeLocal(local) => compute!(Le, local!(local)),
                        Op::GtLocal(local) => compute!(Gt, local!(local)),
                        Op::GeLocal(local) => compute!(Ge, local!(local)),
                        Op::Concat => {
                            let right = pop!();
                            top = attempt!(self.joined(top, right));
                        }
                        Op::Append => {
                            let item = pop!();
                            top = attempt!(self.appended(top, item));
                        }
                        Op::In => {
                            let list = pop!();
                            top = truth(attempt!(self.place(list, top)).is_some());
                        }
                        Op::InSet(set) => top = truth(self.code.sets[usize::from(set)].contains(&top)),
                        Op::Field(index) => {
                            given!(top);
                            top = self.view.heap().get(top).get(usize::from(index)).copied().unwrap_or(NULL);
                        }
                        Op::Index => {
                            let index = pop!();
                            given!(index);
                            given!(top);
                            let item =
                                usize::try_from(index).ok().and_then(|i| self.view.heap().get(top).get(i));
                            top = *some!(item, Failure::OutOfRange);
                        }
                        Op::Size => {
                            given!(top);
                            top = self.view.heap().get(top).len() as Word;
                        }
                        Op::IndexOf => {
                            let item = pop!();
                            top = attempt!(self.place(top, item)).map_or(-1, |place| place as Word);
                        }
                        Op::Given => given!(top),
                        Op::Jump(to) => pc = to as usize,
                        Op::Unless(to) => {
                            given!(top);
                            if pop!() == 0 {
                                pc = to as usize;
                            }
                        }
                        Op::AndJump(to) => match top {
                            0 => pc = to as usize,
                            NULL => break 'failed Failure::NullOperand,
                            _ => {
                                pop!();
                            }
                        },
                        Op::OrJump(to) => match top {
                            0 => {
                                pop!();
                            }
                            NULL => break 'failed Failure::NullOperand,
                            _ => pc = to as usize,
                        },
                        Op::Again { on, to } => {
                            given!(top);
                            if top == truth(on) {
                                pop!();
                                pc = to as usize;
                            }
                        }
                        Op::SetVar { var, to } => self.scratch.vars[slot(var)] = Word::from(to),
                        Op::ClearVar(var) => self.scratch.vars[slot(var)] = NULL,
                        Op::BeginList(var) => {
                            given!(top);
                            self.scratch.vars[slot(var)] = pop!();
                            self.scratch.vars[slot(var + 1)] = 0;
                        }
                        Op::NextRow { table, var, exit } => {
                            attempt!(self.spend(exit as usize - pc));
                            let row = self.scratch.vars[slot(var)];
                            let after = (row != NULL).then(|| row_of(row));
                            match self.view.next_row(table, after) {
                                Some(row) => self.scratch.vars[slot(var)] = Word::from(row),
                                None => pc = exit as usize,
                            }
                        }
                        Op::SeekRow { table, var, seek, exit } => {
                            attempt!(self.spend(exit as usize - pc));
                            let scratch = &self.scratch;
                            let seek = &self.code.seeks[usize::from(seek)];
                            let (column, word) = seek.resolve(self.locals, self.view, |var| scratch.var(var));
                            let row = scratch.var(var);
                            let after = (row != NULL).then(|| row_of(row));
                            match self.view.next_row_where(table, after, column, word) {
                                Some(row) => self.scratch.vars[slot(var)] = Word::from(row),
                                None => pc = exit as usize,
                            }
                        }
                        Op::NextItem { var, exit } => {
                            attempt!(self.spend(exit as usize - pc));
                            let vars = &mut self.scratch.vars;
                            let place = vars[slot(var + 1)];
                            match self.view.heap().get(vars[slot(var)]).get(place as usize) {
                                Some(&item) => {
                                    vars[slot(var + 1)] = place + 1;
                                    vars[slot(var + 2)] = item;
                                }
                                None => pc = exit as usize,
                            }
                        }
                        Op::Verdict { var, otherwise } => {
                            let held = self.scratch.vars[slot(var)];
                            if held != NULL {
                                let (failure, at) = self.scratch.held[held as usize];
                                origin = Some(at);
                                break 'failed failure;
                            }
                            push!(truth(otherwise));
                        }
                        Op::SumVar(var) => {
                            let sum = self.scratch.vars[slot(var)];
                            self.scratch.vars[slot(var)] = attempt!(arith::binary(BinaryOp::Add, sum, top));
                            pop!();
                        }
                        Op::CountVar(var) => self.scratch.vars[slot(var)] += 1,
                        Op::MinVar(var) | Op::MaxVar(var) => {
                            given!(top);
                            let new = pop!();
                            let best = &mut self.scratch.vars[slot(var)];
                            let better = if matches!(op, Op::MinVar(_)) { new < *best } else { new > *best };
                            if *best == NULL || better {
                                *best = new;
                            }
                        }
                        Op::Extreme(var) => {
                            let best = self.scratch.vars[slot(var)];
                            if best == NULL {
                                break 'failed Failure::Empty;
                            }
                            push!(best);
                        }
                        Op::Mark(var) => {
                            self.scratch.vars[slot(var)] = self.scratch.collected.len() as Word;
                        }
                        Op::Collect => {
                            let word = pop!();
                            self.scratch.collected.push(word);
                        }
                        Op::Take(count) => {
                            let start = self.scratch.collected.len() - count as usize;
                            push!(self.take(start));
                        }
                        Op::TakeFrom(var) => {
                            let start = self.scratch.vars[slot(var)] as usize;
                            push!(self.take(start));
                        }
                        Op::TooDeep => break 'failed Failure::Budget,
                    }
                }
                return Ok(top);
            };
            let at = State { pc: pc - 1, height, top };
            let origin = origin.unwrap_or(at.pc as u32);
            State { pc, height, top } = self.rescue((failure, origin), at, start.pc)?;
        }
    }

    /// Where to go on after a failure, if anything around it absorbs it. Only handlers from `start` on are this run's.
    #[cold]
    fn rescue(&mut self, failure: (Failure, u32), at: State, start: usize) -> Result<State, (Failure, u32)> {
        if failure.0 == Failure::Budget {
            return Err(failure);
        }
        let place = at.pc as u32;
        let code = self.code;
        for handler in &code.handlers {
            if !(handler.from..handler.to).contains(&place) || (handler.from as usize) < start {
                continue;
            }
            let depth = handler.depth;
            let top = if at.height > depth { self.scratch.stack[usize::from(depth)] } else { at.top };
            if let Some(mark) = handler.mark {
                let mark = self.scratch.vars[slot(mark)];
                self.scratch.collected.truncate(mark as usize);
            }
            match handler.rescue {
                Rescue::Loop { pending, resume } => {
                    if self.scratch.vars[slot(pending)] == NULL {
                        self.scratch.vars[slot(pending)] = self.scratch.held.len() as Word;
                        self.scratch.held.push(failure);
                    }
                    return Ok(State { pc: resume as usize, height: depth, top });
                }
                Rescue::Logic { end, deciding } => {
                    let right = State { pc: handler.to as usize, height: depth, top };
                    match self.run(right, end as usize) {
                        Ok(word) if word == truth(deciding) => {
                            // The right side has put `top` back on the stack before its own value.
                            return Ok(State { pc: end as usize, height: depth + 1, top: word });
                        }
                        Err((Failure::Budget, at)) => return Err((Failure::Budget, at)),
                        _ => {}
                    }
                }
            }
        }
        Err(failure)
    }

    #[inline]
    fn find(&mut self, table: TableId, key: Word) -> Option<u32> {
        if key == NULL { None } else { self.view.find(table, key) }
    }

    #[inline]
    pub(super) fn spend(&mut self, steps: usize) -> Result<(), Failure> {
        self.scratch.budget -= steps as i64 + 1;
        if self.scratch.budget < 0 { Err(Failure::Budget) } else { Ok(()) }
    }
}
