//! The power supply, from the output of macOS' `pmset`. (Linux: [`super::sysfs::power`].)

use super::evidence::Power;

/// Parses the output of `pmset -g batt` (`battery`) and `pmset -g` (`settings`).
pub fn of_pmset(battery: &str, settings: &str) -> Option<Power> {
    let (_, source) = battery.split_once("Now drawing from '")?;
    let saving = settings.lines().any(|line| {
        let mut words = line.split_whitespace();
        // Macs with a high power mode have `powermode` instead: 0 automatic, 1 low, 2 high.
        matches!(words.next(), Some("lowpowermode" | "powermode")) && words.next() == Some("1")
    });
    Some(Power { on_battery: source.starts_with("Battery"), saving })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn battery_and_low_power_mode_are_read() {
        let battery = "Now drawing from 'Battery Power'\n -InternalBattery-0 (id=1)\t84%; discharging; 5:12 remaining\n";
        let settings = "System-wide power settings:\nCurrently in use:\n lowpowermode         1\n sleep 1\n";
        assert_eq!(of_pmset(battery, settings), Some(Power { on_battery: true, saving: true }));
        let mains = "Now drawing from 'AC Power'\n";
        assert_eq!(of_pmset(mains, " lowpowermode 0\n"), Some(Power { on_battery: false, saving: false }));
        assert_eq!(of_pmset("", ""), None);
        // Instead of `lowpowermode`, since macOS 13 on Macs with three modes.
        for (mode, saving) in [("0", false), ("1", true), ("2", false)] {
            let settings = format!("Currently in use:\n powermode            {mode}\n womp 1\n");
            assert_eq!(of_pmset(mains, &settings), Some(Power { on_battery: false, saving }), "{mode}");
        }
    }

    /// Answers of real Macs; tests/fixtures/macos/README.md says whose.
    #[test]
    fn answers_of_real_macs_are_read() {
        let settings = include_str!("../../tests/fixtures/macos/pmset-g-m1-pro.txt");
        let mains = include_str!("../../tests/fixtures/macos/pmset-g-batt-mains.txt");
        assert_eq!(of_pmset(mains, settings), Some(Power { on_battery: false, saving: false }));
        let battery = include_str!("../../tests/fixtures/macos/pmset-g-batt-battery.txt");
        let saving = include_str!("../../tests/fixtures/macos/pmset-g-low-power.txt");
        assert_eq!(of_pmset(battery, saving), Some(Power { on_battery: true, saving: true }));
    }
}
