//! The header of Windows programs.

/// A console, as programs for the terminal ask for it.
const CONSOLE: u16 = 3;
/// No console.
const WINDOWS: u16 = 2;

/// Bytes of a program that hold its header. That of ours has 128 bytes before it; linkers write up to 512.
pub const HEADER_BYTES: usize = 4096;

/// Marks a program as one for windows, so that the system opens no console for it. `start` is the program, or at least its
/// first [`HEADER_BYTES`]. Returns whether it was one for a console. A signature of the program is not valid any more.
///
/// See "PE Format" of the Windows documentation: the offset of the header is at 0x3c; behind its signature of 4 bytes and
/// 20 bytes about the file, the subsystem is 68 bytes further.
pub fn without_console(start: &mut [u8]) -> bool {
    let header = start.get(..2) == Some(b"MZ".as_slice());
    let offset =
        start.get(0x3c..0x40).and_then(|bytes| Some(u32::from_le_bytes(bytes.try_into().ok()?) as usize));
    let Some(offset) =
        offset.filter(|offset| header && start.get(*offset..offset + 4) == Some(b"PE\0\0".as_slice()))
    else {
        return false;
    };
    let at = offset + 4 + 20 + 68;
    match start.get_mut(at..at + 2) {
        Some(subsystem) if *subsystem == CONSOLE.to_le_bytes() => {
            subsystem.copy_from_slice(&WINDOWS.to_le_bytes());
            true
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The beginning of a program with this subsystem.
    fn program(subsystem: u16) -> Vec<u8> {
        let mut bytes = vec![0; 512];
        bytes[..2].copy_from_slice(b"MZ");
        bytes[0x3c] = 0x80;
        bytes[0x80..0x84].copy_from_slice(b"PE\0\0");
        bytes[0xdc..0xde].copy_from_slice(&subsystem.to_le_bytes());
        bytes
    }

    #[test]
    fn a_console_program_becomes_one_without() {
        let mut bytes = program(CONSOLE);
        assert!(without_console(&mut bytes));
        assert_eq!(bytes, program(WINDOWS), "nothing else changes");
        assert!(!without_console(&mut bytes));
    }

    #[test]
    fn what_is_no_such_program_stays_as_it_is() {
        let mut far = program(CONSOLE);
        far[0x3c..0x40].copy_from_slice(&u32::MAX.to_le_bytes());
        let mut cut = program(CONSOLE);
        cut.truncate(0xdd);
        for bytes in [far, cut, b"#!/bin/sh\nexit 0\n".to_vec(), program(9), Vec::new()] {
            let mut changed = bytes.clone();
            assert!(!without_console(&mut changed));
            assert_eq!(changed, bytes);
        }
    }
}
