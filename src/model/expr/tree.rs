//! The typed tree. It is kept plain, so that write policies and observers can look through it; evaluation does not walk
//! it but runs [`Code`](super::Code).

use std::ops::Range;

use crate::model::ids::{ColumnId, TableId};
use crate::model::value::{NULL, Type, Word};

/// Row variables below this number are bound by the caller before evaluation (`it` of an invariant, the row under test
/// of a `delete`, `old` and `new` of a merge rule); those from here on belong to the macros of the expression.
pub const BOUND_ROWS: u16 = 4;

/// An expression whose names are resolved and whose types are known. `==` ignores the spans.
#[derive(Clone, Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// The type of its value.
    pub ty: Type,
    /// Where it stands, in bytes of the text of the whole expression.
    pub span: Range<u32>,
}

/// The forms of an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExprKind {
    /// A constant of a scalar type, or null of any type.
    Const(Word),
    /// A slot of the caller: an argument, a `let`, a reply.
    Local(u16),
    /// The element that a macro over a list value is looking at.
    Element(u16),
    /// A column of the row that a macro over a table is looking at, or of a row bound by the caller.
    RowVar {
        /// The row variable; below [`BOUND_ROWS`] the caller binds it.
        var: u16,
        /// The table of the row.
        table: TableId,
        /// The column read.
        column: ColumnId,
    },
    /// The same row as a whole: a record of these columns, in the order of the record's type.
    RowVarRecord {
        /// The row variable.
        var: u16,
        /// The table of the row.
        table: TableId,
        /// The columns, in the order of the fields of the type.
        columns: Vec<ColumnId>,
    },
    /// `t[k].c`
    Cell {
        /// The table.
        table: TableId,
        /// The key of the row.
        key: Box<Expr>,
        /// The column read; reading `id` still demands that the row exists.
        column: ColumnId,
    },
    /// `t[k]` as a whole.
    Row {
        /// The table.
        table: TableId,
        /// The key of the row.
        key: Box<Expr>,
        /// The columns, in the order of the fields of the type.
        columns: Vec<ColumnId>,
    },
    /// `k in t`
    HasRow {
        /// The table.
        table: TableId,
        /// The key looked for; null is in no table.
        key: Box<Expr>,
    },
    /// The clock of the service.
    Now,
    /// A field of the event that runs the operation.
    EventField(EventField),
    /// A count over the whole run.
    Counter(Counter),
    /// `!x`, `-x`
    Unary(UnaryOp, Box<Expr>),
    /// Arithmetic, comparison, and the joining of lists.
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    /// `a && b`
    And(Box<Expr>, Box<Expr>),
    /// `a || b`
    Or(Box<Expr>, Box<Expr>),
    /// `test ? yes : no`
    Cond(Box<Expr>, Box<Expr>, Box<Expr>),
    /// `x in list`
    In(Box<Expr>, Box<Expr>),
    /// A list literal.
    List(Vec<Expr>),
    /// A record literal, its fields in the order of its type.
    Record(Vec<RecordField>),
    /// `record.field`
    Field {
        /// The record.
        of: Box<Expr>,
        /// The name, for messages.
        name: String,
        /// The place in the tuple.
        index: u16,
    },
    /// `list[i]`, counted from 0.
    Index(Box<Expr>, Box<Expr>),
    /// `size(list)` of a list value; over a table it is a [`Loop`](Self::Loop).
    Size(Box<Expr>),
    /// `list.indexOf(x)`: the first place, or -1.
    IndexOf(Box<Expr>, Box<Expr>),
    /// `has(e.f)`: the field is not null.
    Has(Box<Expr>),
    /// A pass over the rows of a table, in key order, or over the elements of a list. A table used as a value is a pass
    /// that collects whole rows; `t.filter(r, p).map(r, e).sum()` is one pass.
    Loop {
        /// What is passed over.
        over: Over,
        /// The row variable ([`RowVar`](Self::RowVar)) or element variable ([`Element`](Self::Element)) bound to the
        /// current one. No two loops of one expression share a number.
        var: u16,
        /// What the text calls the current one.
        name: Called,
        /// Filters, in order; elements for which one is false are left out.
        keep: Vec<Expr>,
        /// What becomes of those that are left.
        fold: Fold,
        /// What is computed for each of them; absent for [`Fold::Count`] only.
        body: Option<Box<Expr>>,
    },
}

/// What a text calls a variable; empty if it does not name it. It means nothing: what differs in nothing else is equal.
#[derive(Clone, Default, Eq)]
pub struct Called(pub String);

impl std::fmt::Debug for Called {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Called")
    }
}

impl PartialEq for Called {
    fn eq(&self, _: &Called) -> bool {
        true
    }
}

/// A field of a record literal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordField {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Expr,
}

/// What a macro passes over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Over {
    /// The live rows of a table, in key order.
    Rows(TableId),
    /// The elements of a list value.
    List(Box<Expr>),
}

/// What a pass does with the value of its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fold {
    /// True unless a body is false.
    All,
    /// True if a body is true.
    Exists,
    /// True if exactly one body is true.
    ExistsOne,
    /// The list of the bodies.
    Collect,
    /// How many there are.
    Count,
    /// The sum of the bodies; 0 of none.
    Sum,
    /// The least body; fails if there is none.
    Min,
    /// The greatest body; fails if there is none.
    Max,
}

/// Operators with one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnaryOp {
    /// `!`
    Not,
    /// `-` of a whole number or a duration.
    Neg,
}

/// Operators with two operands. Arithmetic is checked; it is the same for numbers, instants and durations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryOp {
    /// `+` of numbers, durations, or an instant and a duration.
    Add,
    /// `-`; two instants differ by a duration.
    Sub,
    /// `*`
    Mul,
    /// `/`, towards zero.
    Div,
    /// `%`, with the sign of the left operand.
    Rem,
    /// `==`, also of null.
    Eq,
    /// `!=`, also of null.
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `list + list`
    Concat,
    /// `list + element`
    Append,
}

impl BinaryOp {
    /// How it is written.
    pub fn sign(self) -> &'static str {
        match self {
            BinaryOp::Add | BinaryOp::Concat | BinaryOp::Append => "+",
            BinaryOp::Sub => "-",
            BinaryOp::Mul => "*",
            BinaryOp::Div => "/",
            BinaryOp::Rem => "%",
            BinaryOp::Eq => "==",
            BinaryOp::Ne => "!=",
            BinaryOp::Lt => "<",
            BinaryOp::Le => "<=",
            BinaryOp::Gt => ">",
            BinaryOp::Ge => ">=",
        }
    }
}

/// What every event carries besides its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventField {
    /// The identity of the event, the same for every copy: a number.
    Id,
    /// The producer's clock when it was published: an instant.
    Time,
    /// The version of the record written: a number.
    Version,
    /// The number of the event among those of its key: a number.
    Seq,
}

impl EventField {
    /// All of them, in order.
    pub const ALL: [EventField; 4] = [EventField::Id, EventField::Time, EventField::Version, EventField::Seq];

    /// How it is written.
    pub fn name(self) -> &'static str {
        match self {
            EventField::Id => "id",
            EventField::Time => "time",
            EventField::Version => "version",
            EventField::Seq => "seq",
        }
    }
}

macro_rules! counters {
    ($($variant:ident $name:literal $doc:literal,)*) => {
        /// What a run counts, for facts such as `count.lost > 0`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Counter {
            $(#[doc = $doc] $variant,)*
        }

        impl Counter {
            /// All of them, in order; the position of one is `counter as usize`.
            pub const ALL: &'static [Counter] = &[$(Counter::$variant),*];

            /// How it is written after `count.`
            pub fn name(self) -> &'static str {
                match self {
                    $(Counter::$variant => $name,)*
                }
            }
        }
    };
}

counters! {
    Intents "intents" "Intents begun by clients.",
    Ok "ok" "Intents that ended well.",
    Failed "failed" "Intents definitely refused.",
    Unknown "unknown" "Intents that ended without an answer.",
    Silent "silent" "Violations of which every client involved was told ok.",
    Refused "refused" "Refusals by operations.",
    Attempts "attempts" "Requests sent, repetitions included.",
    Writes "writes" "Rows written.",
    Messages "messages" "Messages sent.",
    Lost "lost" "Messages lost.",
    Duplicated "duplicated" "Messages copied.",
    Delayed "delayed" "Messages delayed.",
    Crashes "crashes" "Crashes of replicas.",
    Overlaps "overlaps" "Pairs of operations on one record of which each read before the other wrote.",
    Conflicts "conflicts" "Writes refused because the version had changed.",
    Replays "replays" "Requests answered from the memory of an earlier one.",
    Busy "busy" "Requests turned away because the same one was in progress.",
    Compensations "compensations" "Steps undone.",
    Parked "parked" "Sagas set aside for a person.",
    Receives "receives" "Messages handed out by a queue or log.",
    Dead "dead" "Messages moved to a dead-letter topic.",
    Buffered "buffered" "Events held back until an earlier one came.",
}

impl Expr {
    /// An expression from its parts.
    pub fn new(kind: ExprKind, ty: Type, span: Range<u32>) -> Self {
        Expr { kind, ty, span }
    }

    /// A constant that stands nowhere.
    pub fn constant(word: Word, ty: Type) -> Self {
        Expr { kind: ExprKind::Const(word), ty, span: 0..0 }
    }

    /// The constant null.
    pub fn null() -> Self {
        Expr::constant(NULL, Type::Null)
    }

    /// The constant true or false.
    pub fn truth(value: bool) -> Self {
        Expr::constant(value.into(), Type::Bool)
    }

    /// Whether it is a constant word.
    pub fn as_const(&self) -> Option<Word> {
        match self.kind {
            ExprKind::Const(word) => Some(word),
            _ => None,
        }
    }
}

impl PartialEq for Expr {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind && self.ty == other.ty
    }
}

impl Eq for Expr {}
