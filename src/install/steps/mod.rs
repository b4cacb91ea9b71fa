//! The steps of an installation, one file each, in the order in which they run.

pub mod aside;
pub mod check;
pub mod compare;
pub mod engine;
pub mod finish;
pub mod ladder;
pub mod load;
pub mod login;
pub mod mark;
pub mod measure;
pub mod model;
pub mod server;
