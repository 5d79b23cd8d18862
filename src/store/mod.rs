//! The durable parts of the world: tables with versions, locks, idempotency keys, event numbers. Each is a plain value that can be
//! cloned, compared and reset; none knows of time, messages or strategies.

mod index;
mod keys;
mod locks;
mod sequences;
mod sink;
mod table_locks;
mod tables;

pub use index::Index;
pub use keys::{KeyEntry, KeyState, Keys};
pub use locks::{Lock, Locks, Owner};
pub use sequences::Sequences;
pub use sink::Sink;
pub use table_locks::Hold;
pub use tables::{RowMeta, Rows, TableState, Tables};
