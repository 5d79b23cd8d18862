//! Runs a plan.
mod slab;
mod world;
