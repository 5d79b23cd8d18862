//! One binary for all tests of the whole: each module tells what it guards.

mod dependencies;
mod earned;
mod examples;
mod external;
mod growth;
mod hardened;
mod locked;
mod merged;
mod mutants;
mod nested;
mod network;
mod otherwise;
mod own;
mod per_intent;
mod planted;
mod points;
mod restarts;
mod robust;
mod same;
mod scripts;
mod shipped;
mod stability;
mod tidy;
mod waiting;
mod writes;
