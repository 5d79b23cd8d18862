//! From quantities as written to those the engine draws from.

use super::super::quantity::{ShareSpec, TimeShape, TimeSpec};
use crate::kernel::dist::Dist;
use crate::kernel::sample::Share;
use crate::kernel::time::Span;

/// The time as a distribution; `None` if it is without end.
pub(super) fn dist(time: TimeSpec) -> Option<Dist> {
    let cap = time.cap.map(Span);
    Some(match time.shape {
        TimeShape::Fixed(ns) => Dist::Fixed(Span(ns)),
        TimeShape::Ever => return None,
        // An even range has no tail to cut; it just ends at the cap.
        TimeShape::Range { low, high } => {
            Dist::Range { low: Span(low), high: cap.unwrap_or(Span(high)).min(Span(high)) }
        }
        TimeShape::Exp { mean } => Dist::Exp { mean: Span(mean), cap },
        TimeShape::Normal { mean, deviation } => Dist::Normal { mean: Span(mean), sd: Span(deviation), cap },
    })
}

/// A fixed time, or the span that stands for ever.
pub(super) fn span_or_ever(time: Option<u64>) -> Span {
    time.map_or(Span::MAX, Span)
}

/// The share.
pub(super) fn share(share: ShareSpec) -> Share {
    match share {
        ShareSpec::Fixed(ppm) => Share::fixed(ppm),
        ShareSpec::Range { low, high } => Share { low, high },
    }
}
