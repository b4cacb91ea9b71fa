//! What slows a card while it is measured.

use std::time::Duration;

use crate::hardware::slowed_cards;
use crate::install::OtherWork;
use crate::install::blocking::blocking;

/// Timeout for the graphics driver.
const DRIVER_LIMIT: Duration = Duration::from_secs(5);

/// What slows NVIDIA's cards now; nothing unless `look`.
pub(super) async fn what_slows_cards(look: bool) -> Vec<OtherWork> {
    if !look {
        return Vec::new();
    }
    // Without an answer nothing is known to slow them.
    let found = blocking(|| Ok(slowed_cards(DRIVER_LIMIT))).await.unwrap_or_default();
    let slowed = |(gpu, by, temperature_c)| OtherWork::CardSlowed { gpu, by, temperature_c };
    found.into_iter().map(slowed).collect()
}
