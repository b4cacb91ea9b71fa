//! Memory that this program's own file takes while it waits.

#![allow(unsafe_code)]

use std::path::{Path, PathBuf};

use rustix::mm::{Advice, madvise};

use crate::platform::environment;

/// Gives the pages of this program's file back to the system; those that are used again are read from the file again. For
/// a process that waits for hours: its start uses code that it never needs again.
pub fn release_program_pages() {
    let Some(program) = mapped_program() else { return };
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    for (start, length) in read_only_ranges(&maps, &program) {
        let start = std::ptr::with_exposed_provenance_mut(start);
        // SAFETY: the range is a mapping of a file that is never written to. The advice keeps its contents: a page that is
        // touched afterwards is read from the file again.
        if let Err(error) = unsafe { madvise(start, length, Advice::LinuxPageOut) } {
            tracing::debug!(%error, "the program's pages stay in memory");
            return;
        }
    }
}

/// This program's file under the name that its mappings have.
fn mapped_program() -> Option<PathBuf> {
    std::fs::read_link(environment::own_program().ok()?).ok()
}

/// Start and length of each mapping of a file that cannot be written to, from proc_pid_maps(5).
fn read_only_ranges(maps: &str, file: &Path) -> Vec<(usize, usize)> {
    let range = |line: &str| {
        let mut words = line.split_ascii_whitespace();
        let (range, access) = (words.next()?, words.next()?);
        let path = line.find('/').map(|at| Path::new(&line[at..]))?;
        let (start, end) = range.split_once('-')?;
        let [start, end] = [start, end].map(|address| usize::from_str_radix(address, 16).ok());
        let length = end?.checked_sub(start?)?;
        (path == file && access.as_bytes().get(1) == Some(&b'-')).then_some((start?, length))
    };
    maps.lines().filter_map(range).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const MAPS: &str = "\
        5567204c1000-556721564000 r-xp 0073b000 fe:00 10821633                   /home/ana maria/acolyte\n\
        556721564000-556721608000 r--p 017dd000 fe:00 10821633                   /home/ana maria/acolyte\n\
        556721608000-55672160f000 rw-p 01880000 fe:00 10821633                   /home/ana maria/acolyte\n\
        55675c610000-55675c678000 rw-p 00000000 00:00 0                          [heap]\n\
        7fb6edefc000-7fb6ee052000 r-xp 00026000 fe:00 326269                     /usr/lib/x86_64-linux-gnu/libc.so.6\n";

    #[test]
    fn only_mappings_of_the_file_that_cannot_be_written_are_found() {
        let found = read_only_ranges(MAPS, Path::new("/home/ana maria/acolyte"));
        assert_eq!(found, [(0x5567_204c_1000, 0x10a_3000), (0x5567_2156_4000, 0xa_4000)]);
        assert_eq!(read_only_ranges("damaged\n-\nzz-1 r-xp /a", Path::new("/a")), []);
    }

    #[test]
    fn released_pages_are_read_again_when_they_are_used() {
        release_program_pages();
        let own = mapped_program().unwrap();
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        assert!(!read_only_ranges(&maps, &own).is_empty(), "this test runs on");
    }
}
