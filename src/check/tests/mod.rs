//! Histories written by hand, one pair of good and bad for each invariant.

mod effects;
mod exprs;
mod flows;
mod hazards;
mod history;
mod saga;
mod told;
