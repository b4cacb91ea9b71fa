//! What the built programs need of a system, read from the files themselves.

use std::collections::BTreeSet;
use std::path::Path;

use object::elf::FileHeader64;
use object::read::elf::{FileHeader as _, SectionHeader as _};
use object::read::pe::PeFile64;
use object::{Endianness, Object as _};

use crate::error::{DistError, at};

/// The newest version of the C library that Linux programs may need: that of RHEL 8, Debian 10 and Ubuntu 18.10.
pub const GLIBC_FLOOR: GlibcVersion = GlibcVersion(2, 28, 0);

/// DLLs that come with Windows 10 and 11. Others, such as a compiler's runtime, are not on a fresh computer.
const WINDOWS_DLLS: [&str; 34] = [
    "advapi32.dll",
    "bcrypt.dll",
    "bcryptprimitives.dll",
    "cfgmgr32.dll",
    "comctl32.dll",
    "crypt32.dll",
    "d3d12.dll",
    "dwmapi.dll",
    "dxgi.dll",
    "gdi32.dll",
    "imm32.dll",
    "iphlpapi.dll",
    "kernel32.dll",
    "msvcrt.dll",
    "netapi32.dll",
    "ntdll.dll",
    "ole32.dll",
    "oleaut32.dll",
    "opengl32.dll",
    "pdh.dll",
    "powrprof.dll",
    "propsys.dll",
    "psapi.dll",
    "rstrtmgr.dll",
    "secur32.dll",
    "setupapi.dll",
    "shell32.dll",
    "shlwapi.dll",
    "uiautomationcore.dll",
    "user32.dll",
    "userenv.dll",
    "uxtheme.dll",
    "winmm.dll",
    "ws2_32.dll",
];

/// A version of the GNU C library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GlibcVersion(pub u16, pub u16, pub u16);

impl GlibcVersion {
    /// Of a symbol version such as `GLIBC_2.28`; `None` for other versions.
    fn of_symbol(name: &[u8]) -> Option<Self> {
        let mut numbers = std::str::from_utf8(name).ok()?.strip_prefix("GLIBC_")?.split('.').map(str::parse);
        let mut next = || numbers.next().unwrap_or(Ok(0)).ok();
        Some(Self(next()?, next()?, next()?))
    }
}

impl std::fmt::Display for GlibcVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

/// The newest version of the C library that a program needs.
///
/// # Errors
/// When it cannot be read, or needs one above [`GLIBC_FLOOR`].
pub fn require_glibc_floor(program: &Path) -> Result<GlibcVersion, DistError> {
    let wrong = |why: String| DistError::Program { path: program.to_owned(), why };
    let bytes = std::fs::read(program).map_err(at(program))?;
    let needed = needed_glibc(&bytes).map_err(|error| wrong(error.to_string()))?;
    match needed {
        Some(version) if version <= GLIBC_FLOOR => Ok(version),
        Some(version) => Err(wrong(format!("needs glibc {version}; the packages promise {GLIBC_FLOOR}"))),
        None => Err(wrong("names no version of glibc".to_owned())),
    }
}

fn needed_glibc(bytes: &[u8]) -> object::Result<Option<GlibcVersion>> {
    let header = FileHeader64::<Endianness>::parse(bytes)?;
    let endian = header.endian()?;
    let sections = header.sections(endian, bytes)?;
    let mut newest = None;
    for section in sections.iter() {
        let Some((mut needs, link)) = section.gnu_verneed(endian, bytes)? else { continue };
        let names = sections.strings(endian, bytes, link)?;
        while let Some((_, mut versions)) = needs.next()? {
            while let Some(version) = versions.next()? {
                newest = newest.max(GlibcVersion::of_symbol(version.name(endian, names)?));
            }
        }
    }
    Ok(newest)
}

/// The processor a program is for, as Rust names it.
///
/// # Errors
/// When it is no program for Linux or Windows.
pub fn processor(program: &Path) -> Result<&'static str, DistError> {
    let bytes = std::fs::read(program).map_err(at(program))?;
    let found = object::File::parse(&*bytes).map(|file| file.architecture());
    match found {
        Ok(object::Architecture::X86_64) => Ok("x86_64"),
        Ok(object::Architecture::Aarch64) => Ok("aarch64"),
        Ok(other) => Err(DistError::Program { path: program.to_owned(), why: format!("is for {other:?}") }),
        Err(error) => Err(DistError::Program { path: program.to_owned(), why: error.to_string() }),
    }
}

/// Requires that a Windows program loads only DLLs that come with Windows.
///
/// # Errors
/// When it cannot be read, or loads another.
pub fn require_windows_dlls(program: &Path) -> Result<(), DistError> {
    let wrong = |why: String| DistError::Program { path: program.to_owned(), why };
    let bytes = std::fs::read(program).map_err(at(program))?;
    let foreign = foreign_dlls(&bytes).map_err(|error| wrong(error.to_string()))?;
    if foreign.is_empty() {
        return Ok(());
    }
    let foreign: Vec<_> = foreign.into_iter().collect();
    Err(wrong(format!("loads DLLs that do not come with Windows: {}", foreign.join(", "))))
}

fn foreign_dlls(bytes: &[u8]) -> object::Result<BTreeSet<String>> {
    let file = PeFile64::parse(bytes)?;
    let mut foreign = BTreeSet::new();
    if let Some(table) = file.import_table()? {
        let mut descriptors = table.descriptors()?;
        while let Some(descriptor) = descriptors.next()? {
            let name = table.name(descriptor.name.get(object::LittleEndian))?;
            let name = String::from_utf8_lossy(name).to_ascii_lowercase();
            if !WINDOWS_DLLS.contains(&name.as_str()) && !name.starts_with("api-ms-win-") {
                foreign.insert(name);
            }
        }
    }
    Ok(foreign)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_their_numbers() {
        let version = |name: &str| GlibcVersion::of_symbol(name.as_bytes());
        assert_eq!(version("GLIBC_2.2.5"), Some(GlibcVersion(2, 2, 5)));
        assert!(version("GLIBC_2.9") < version("GLIBC_2.28"));
        assert_eq!(version("GLIBC_PRIVATE"), None);
        assert_eq!(version("GCC_3.0"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_need_of_a_real_program_is_read() {
        let bytes = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let needed = needed_glibc(&bytes).unwrap().unwrap();
        assert!(needed >= GlibcVersion(2, 14, 0), "memcpy alone needs that: {needed:?}");
        assert_eq!(processor(&std::env::current_exe().unwrap()).unwrap(), std::env::consts::ARCH);
    }
}
