//! A card's display, power limits and what slows it.

use super::identity::Adapter;
use crate::machine::GpuState;

/// State of an adapter; `None` where nothing is known.
pub fn state(adapter: &Adapter<'_>) -> Option<GpuState> {
    let state = match (adapter.nvml, &adapter.sysfs) {
        (Some(nvml), card) => {
            let watts = |milliwatts: Option<u32>| milliwatts.map(|mw| f64::from(mw) / 1000.0);
            // On Linux the connectors tell more: NVML counts a display only while a program draws on it.
            let connected = card.as_ref().and_then(|card| card.display).filter(|connected| *connected);
            GpuState {
                display: connected.or(nvml.display_active),
                power_limit_w: watts(nvml.power_limit_mw),
                power_default_w: watts(nvml.power_default_mw),
                power_max_w: watts(nvml.power_max_mw),
                temperature_c: nvml.temperature_c,
                slowed_by: nvml.slowed_by.clone(),
            }
        }
        (None, Some(card)) => {
            let [limit, default, max] =
                card.power_limits_uw.map(|limit| limit.filter(|uw| *uw > 0).map(|uw| uw as f64 / 1e6));
            GpuState {
                display: card.display,
                power_limit_w: limit,
                power_default_w: default,
                power_max_w: max,
                temperature_c: card.temperature_mc.and_then(|mc| u32::try_from(mc / 1000).ok()),
                slowed_by: Vec::new(),
            }
        }
        (None, None) => GpuState::default(),
    };
    let state = GpuState { display: state.display.or(adapter.dxgi.and_then(|gpu| gpu.display)), ..state };
    (state != GpuState::default()).then_some(state)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::hardware::evidence::{DxgiAdapter, NvmlDevice};
    use crate::hardware::sysfs::Card;
    use crate::machine::Slowdown;

    #[test]
    fn figures_of_both_drivers_are_in_watts_and_degrees() {
        let nvml = NvmlDevice {
            power_limit_mw: Some(60_000),
            power_max_mw: Some(115_000),
            temperature_c: Some(87),
            slowed_by: vec![Slowdown::Temperature],
            display_active: Some(false),
            ..NvmlDevice::default()
        };
        let found = state(&Adapter { nvml: Some(&nvml), ..Adapter::default() }).unwrap();
        let expected = GpuState {
            display: Some(false),
            power_limit_w: Some(60.0),
            power_max_w: Some(115.0),
            temperature_c: Some(87),
            slowed_by: vec![Slowdown::Temperature],
            ..GpuState::default()
        };
        assert_eq!(found, expected);

        let card = Card {
            power_limits_uw: [Some(250_000_000), Some(315_000_000), None],
            temperature_mc: Some(61_500),
            ..Card::default()
        };
        let found = state(&Adapter { sysfs: Some(card), ..Adapter::default() }).unwrap();
        assert_eq!((found.power_limit_w, found.power_default_w), (Some(250.0), Some(315.0)));
        assert_eq!((found.temperature_c, found.display), (Some(61), None));
    }

    #[test]
    fn a_connected_display_counts_also_while_nothing_is_drawn_on_it() {
        let nvml = NvmlDevice { display_active: Some(false), ..NvmlDevice::default() };
        let card = Card { display: Some(true), ..Card::default() };
        let adapter = Adapter { nvml: Some(&nvml), sysfs: Some(card), ..Adapter::default() };
        assert_eq!(state(&adapter).unwrap().display, Some(true));

        let dxgi = DxgiAdapter { display: Some(true), ..DxgiAdapter::default() };
        let found = state(&Adapter { dxgi: Some(&dxgi), ..Adapter::default() }).unwrap();
        assert_eq!(found.display, Some(true));
        assert_eq!(state(&Adapter::default()), None);
    }
}
