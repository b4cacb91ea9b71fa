//! Modules of main memory, from the firmware's SMBIOS tables (DSP0134, structure type 17) or what udev keeps of them.

use crate::machine::RamModule;
use crate::{GIB, MIB};

/// Upper limit of the number of modules.
const MAX_MODULES: usize = 64;

/// Installed modules by udev's database (`/run/udev/data/+dmi:id`): `E:MEMORY_DEVICE_0_SIZE=17179869184`. Empty slots have
/// no size.
pub fn of_udev(database: &str) -> Vec<RamModule> {
    let value = |index: usize, key: &str| {
        let start = format!("E:MEMORY_DEVICE_{index}_{key}=");
        database.lines().find_map(|line| line.strip_prefix(start.as_str())).map(str::trim)
    };
    let number = |index: usize, key: &str| value(index, key)?.parse::<u32>().ok().filter(|n| *n > 0);
    let module = |index: usize| {
        let size_bytes = value(index, "SIZE")?.parse::<u64>().ok().filter(|bytes| *bytes > 0)?;
        Some(RamModule {
            size_bytes,
            technology: value(index, "TYPE").map(Into::into),
            in_slot: matches!(value(index, "FORM_FACTOR"), Some("DIMM" | "SODIMM")),
            data_width_bits: number(index, "DATA_WIDTH"),
            mt_s: number(index, "CONFIGURED_SPEED_MTS"),
            rated_mt_s: number(index, "SPEED_MTS"),
        })
    };
    (0..MAX_MODULES).filter_map(module).collect()
}

/// Installed modules by the structures of SMBIOS. Reading stops at the first that is cut off.
pub fn of_smbios(table: &[u8]) -> Vec<RamModule> {
    const MEMORY_DEVICE: u8 = 17;
    const END: u8 = 127;
    let mut found = Vec::new();
    let mut rest = table;
    while let [kind, length, ..] = *rest {
        let length = usize::from(length);
        let (Some(body), Some(after)) = (rest.get(..length), rest.get(length..)) else { break };
        if kind == END || length < 4 || found.len() == MAX_MODULES {
            break;
        }
        if kind == MEMORY_DEVICE {
            found.extend(module(body));
        }
        // Strings follow the structure, up to two zero bytes.
        let Some(end) = after.windows(2).position(|pair| pair == [0, 0]) else { break };
        rest = &after[end + 2..];
    }
    found
}

/// One structure; `None` for an empty slot.
fn module(body: &[u8]) -> Option<RamModule> {
    let byte = |at: usize| body.get(at).copied();
    let word = |at: usize| Some(u16::from_le_bytes([byte(at)?, byte(at + 1)?]));
    // 0 and 0xffff: unknown.
    let known = |at: usize| word(at).filter(|word| *word != 0 && *word != 0xffff).map(u32::from);
    let size_bytes = match word(0x0c)? {
        0 | 0xffff => return None,
        0x7fff => {
            let mib = u32::from_le_bytes([byte(0x1c)?, byte(0x1d)?, byte(0x1e)?, byte(0x1f)?]);
            u64::from(mib & 0x7fff_ffff) * MIB
        }
        kib if kib & 0x8000 != 0 => u64::from(kib & 0x7fff) << 10,
        mib => u64::from(mib) * MIB,
    };
    let technology = match byte(0x12)? {
        0x18 => Some("DDR3"),
        0x1a => Some("DDR4"),
        0x1b => Some("LPDDR"),
        0x1c => Some("LPDDR2"),
        0x1d => Some("LPDDR3"),
        0x1e => Some("LPDDR4"),
        0x22 => Some("DDR5"),
        0x23 => Some("LPDDR5"),
        _ => None,
    };
    Some(RamModule {
        size_bytes,
        technology: technology.map(Into::into),
        // DIMM and SO-DIMM.
        in_slot: matches!(byte(0x0e)?, 0x09 | 0x0d),
        data_width_bits: known(0x0a),
        mt_s: known(0x20),
        rated_mt_s: known(0x15),
    })
    .filter(|module| module.size_bytes <= 4096 * GIB)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn ddr4(size_bytes: u64, mt_s: u32, rated: u32) -> RamModule {
        RamModule {
            size_bytes,
            technology: Some("DDR4".into()),
            in_slot: true,
            data_width_bits: Some(64),
            mt_s: Some(mt_s),
            rated_mt_s: Some(rated),
        }
    }

    /// As udev 249 prints a board with four slots, of which one is filled (systemd's test data for `dmi_memory_id`).
    #[test]
    fn udev_lists_filled_slots_only() {
        let database = "I:2118\nE:MEMORY_ARRAY_NUM_DEVICES=4\nE:MEMORY_DEVICE_0_PRESENT=0\n\
            E:MEMORY_DEVICE_0_FORM_FACTOR=Unknown\nE:MEMORY_DEVICE_0_TYPE=Unknown\nE:MEMORY_DEVICE_0_SPEED_MTS=3000\n\
            E:MEMORY_DEVICE_1_TOTAL_WIDTH=64\nE:MEMORY_DEVICE_1_DATA_WIDTH=64\nE:MEMORY_DEVICE_1_SIZE=17179869184\n\
            E:MEMORY_DEVICE_1_FORM_FACTOR=DIMM\nE:MEMORY_DEVICE_1_TYPE=DDR4\nE:MEMORY_DEVICE_1_SPEED_MTS=3200\n\
            E:MEMORY_DEVICE_1_CONFIGURED_SPEED_MTS=2133\n";
        let found = of_udev(database);
        assert_eq!(found, [ddr4(16 * GIB, 2133, 3200)]);
        // 8 bytes × 2,133 million transfers.
        assert!((found[0].gb_s().unwrap() - 17.064).abs() < 1e-9);
        assert!(found[0].fills_a_channel());
        assert!(of_udev("E:ID_VENDOR=Lenovo\n").is_empty());
    }

    fn structure(size_mib: u16, extended_mib: u32, form: u8, kind: u8) -> Vec<u8> {
        let mut body = vec![0; 0x28];
        (body[0], body[1]) = (17, 0x28);
        body[0x0a..0x0c].copy_from_slice(&64_u16.to_le_bytes());
        body[0x0c..0x0e].copy_from_slice(&size_mib.to_le_bytes());
        (body[0x0e], body[0x12]) = (form, kind);
        body[0x15..0x17].copy_from_slice(&3200_u16.to_le_bytes());
        body[0x1c..0x20].copy_from_slice(&extended_mib.to_le_bytes());
        body[0x20..0x22].copy_from_slice(&2133_u16.to_le_bytes());
        body.extend(b"DIMM 0\0P0 CHANNEL A\0\0");
        body
    }

    #[test]
    fn structures_of_the_firmware_are_read() {
        let bios = [0, 4, 0, 0, 0, 0];
        let end = [127, 4, 0, 0, 0, 0];
        let table = [
            bios.to_vec(),
            structure(16 * 1024, 0, 0x09, 0x1a),
            structure(0, 0, 0x02, 0x02),
            structure(0x7fff, 64 * 1024, 0x0d, 0x1a),
            structure(0x8000 | 512, 0, 0x0b, 0x23),
            end.to_vec(),
            structure(1024, 0, 0x09, 0x1a),
        ]
        .concat();
        let found = of_smbios(&table);
        assert_eq!(found[..2], [ddr4(16 * GIB, 2133, 3200), ddr4(64 * GIB, 2133, 3200)]);
        assert_eq!(found.len(), 3, "no empty slot, and nothing after the end");
        assert_eq!((found[2].size_bytes, found[2].in_slot), (512 << 10, false));
        assert!(!found[2].fills_a_channel());
    }

    #[test]
    fn a_table_that_is_cut_off_is_no_trouble() {
        let table = structure(1024, 0, 0x09, 0x1a);
        for length in 0..0x28 {
            assert!(of_smbios(&table[..length]).is_empty(), "{length}");
        }
        assert_eq!(of_smbios(&table[..0x28]).len(), 1, "only its strings are missing");
    }
}
