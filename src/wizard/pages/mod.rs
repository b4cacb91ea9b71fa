//! One file for each page: its state, what it draws, its buttons. A page draws what is in memory, and returns what the user
//! wants as [`Intent`]s.

mod advanced;
pub mod choice;
mod choice_cards;
mod comparison;
pub mod compatibility;
mod compatibility_table;
pub mod consent;
pub mod engine_form;
mod graphics_card;
pub mod hardware;
mod hardware_cards;
mod hardware_notes;
pub mod install;
mod install_steps;
mod kept_card;
mod labels;
pub mod manage;
mod manage_live;
mod manage_models;
mod manage_settings;
mod path_field;
pub mod profile;
pub mod result;
pub mod summary;
mod tips;
mod tuning_card;
mod updates_card;
mod view;
pub mod welcome;

pub use view::{Button, Footer, Intent, PageContext, View};
