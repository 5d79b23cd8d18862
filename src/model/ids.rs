//! Small numbers that stand for the declared things of a scenario, in order of declaration. They index flat vectors
//! of the compiled model, and a type of its own for each keeps a table from being taken for a topic.

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u16);

        impl $name {
            /// The number as an index into a vector.
            #[inline]
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }
    };
}

id! {
    /// A service.
    ServiceId
}
id! {
    /// A table of any service; the numbering runs over the whole scenario.
    TableId
}
id! {
    /// An operation of any service; the numbering runs over the whole scenario.
    OpId
}
id! {
    /// A flow.
    FlowId
}
id! {
    /// A topic.
    TopicId
}
id! {
    /// A group of clients.
    GroupId
}
id! {
    /// A column within its table. Column 0 is always `id`, the key.
    ColumnId
}

impl ColumnId {
    /// The key column, `id`.
    pub const KEY: ColumnId = ColumnId(0);
}
