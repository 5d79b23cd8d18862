//! For whom something is done: what travels with every message, task and timer, in full and in short.

use crate::kernel::path::Path;

/// For whom something is done, and as what: it travels with every message, task and timer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Ctx {
    /// The intent's slot.
    pub(crate) intent: u32,
    /// The client, numbered over all groups.
    pub(crate) client: u32,
    /// The flow instance of the step, or `NONE`.
    pub(crate) instance: u32,
    /// The step and role as records have them, or `NONE`.
    pub(crate) step: u32,
    /// The effect.
    pub(crate) effect: u64,
    /// Names the run of the calling flow: the key source `call`.
    pub(crate) call: u64,
    /// Names the request as it was sent, the same for all its copies: the key source `attempt`.
    pub(crate) sent: u64,
}

/// A context as it lies in messages and calls, which know the name of their request themselves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Brief {
    pub(crate) intent: u32,
    pub(crate) client: u32,
    instance: u32,
    step: u32,
    effect: u64,
    call: u64,
}

impl Brief {
    /// The whole context, of a request sent under this name.
    #[inline]
    pub(crate) fn ctx(&self, sent: Path) -> Ctx {
        let Brief { intent, client, instance, step, effect, call } = *self;
        Ctx { intent, client, instance, step, effect, call, sent: sent.0 }
    }
}

impl std::convert::From<&Ctx> for Brief {
    #[inline]
    fn from(ctx: &Ctx) -> Brief {
        let Ctx { intent, client, instance, step, effect, call, sent: _ } = *ctx;
        Brief { intent, client, instance, step, effect, call }
    }
}

impl Default for Brief {
    fn default() -> Brief {
        Brief::from(&Ctx::default())
    }
}

/// The intent that something belongs to, and its client: all that most records say of a context.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Who {
    /// The intent's slot.
    pub(crate) intent: u32,
    /// The client, numbered over all groups.
    pub(crate) client: u32,
}

impl std::convert::From<&Ctx> for Who {
    #[inline]
    fn from(ctx: &Ctx) -> Who {
        Who { intent: ctx.intent, client: ctx.client }
    }
}

impl std::convert::From<&Brief> for Who {
    #[inline]
    fn from(brief: &Brief) -> Who {
        Who { intent: brief.intent, client: brief.client }
    }
}

impl Default for Ctx {
    fn default() -> Ctx {
        let none = crate::model::record::NONE;
        Ctx { intent: none, client: none, instance: none, step: none, effect: 0, call: 0, sent: 0 }
    }
}
