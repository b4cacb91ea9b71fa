//! A setting in which a model runs on a machine, with the figures by which settings are compared.

use crate::models::stars;
use crate::plan::types::Candidate;

/// A setting in which a model runs.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Setting {
    /// Model, context, KV cache, batch and placement.
    pub candidate: Candidate,
    /// Whether all weights are on the card.
    pub is_whole: bool,
    /// Whether it needs consent to a limit that another setting might avoid: layers on the processor, slow answers, a long
    /// wait.
    pub needs_consent: bool,
    /// Stars with their share, 0 to 5; `None` if the model is not rated.
    pub points: Option<f64>,
    /// Geometric mean of the speeds with an empty context and with 32,768 tokens in it.
    pub tokens_per_s: f64,
    /// Seconds to the first token of a prompt that fills the context.
    pub first_token_s: f64,
}

impl Setting {
    /// Stars, 1 to 5; 0 for an unrated model.
    pub fn stars(&self) -> u8 {
        self.points.map_or(0, stars)
    }

    /// The candidate with this id.
    pub fn candidate(&self, id: &str) -> Candidate {
        Candidate { id: id.to_owned(), ..self.candidate.clone() }
    }
}
