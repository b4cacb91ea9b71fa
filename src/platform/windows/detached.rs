//! Starts a process that inherits its standard streams and nothing else.

#![allow(unsafe_code)]

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::windows::ffi::OsStrExt as _;
use std::os::windows::io::{AsRawHandle as _, FromRawHandle as _, OwnedHandle};
use std::path::Path;

use windows::Win32::Foundation::{DUPLICATE_SAME_ACCESS, DuplicateHandle, HANDLE, WAIT_OBJECT_0};
use windows::Win32::System::Threading::{
    CREATE_NEW_PROCESS_GROUP, CREATE_NO_WINDOW, CREATE_UNICODE_ENVIRONMENT, CreateProcessW,
    DeleteProcThreadAttributeList, EXTENDED_STARTUPINFO_PRESENT, GetCurrentProcess, GetExitCodeProcess,
    InitializeProcThreadAttributeList, LPPROC_THREAD_ATTRIBUTE_LIST, PROC_THREAD_ATTRIBUTE_HANDLE_LIST,
    PROCESS_INFORMATION, STARTF_USESTDHANDLES, STARTUPINFOEXW, UpdateProcThreadAttribute,
    WaitForSingleObject,
};
use windows::core::{PCWSTR, PWSTR};

use super::ffi::system_error;

/// A process that was started, with the right to ask how it ended.
#[derive(Debug)]
pub struct DetachedProcess {
    handle: OwnedHandle,
    id: u32,
}

impl DetachedProcess {
    /// Its ID.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Its exit code; `None` while it runs.
    pub fn exit_code(&self) -> io::Result<Option<u32>> {
        let process = HANDLE(self.handle.as_raw_handle());
        // SAFETY: the handle is open as long as `self`.
        if unsafe { WaitForSingleObject(process, 0) } != WAIT_OBJECT_0 {
            return Ok(None);
        }
        let mut code = 0;
        // SAFETY: the handle is open, and `code` is valid for writing.
        unsafe { GetExitCodeProcess(process, &mut code) }.map_err(system_error)?;
        Ok(Some(code))
    }
}

/// Starts a program with this command line and this environment, without a console window and without input. Both its
/// outputs go into a file.
pub fn spawn_detached(
    program: &Path,
    line: &str,
    environment: &BTreeMap<String, OsString>,
    folder: Option<&Path>,
    output: &File,
) -> io::Result<DetachedProcess> {
    let nothing = File::open("NUL")?;
    let (input, output) = (inheritable(&nothing)?, inheritable(output)?);
    let handles = [HANDLE(input.as_raw_handle()), HANDLE(output.as_raw_handle())];
    let list = InheritedHandles::new(&handles)?;

    let mut startup = STARTUPINFOEXW::default();
    startup.StartupInfo.cb = u32::try_from(size_of::<STARTUPINFOEXW>()).unwrap_or_default();
    startup.StartupInfo.dwFlags = STARTF_USESTDHANDLES;
    startup.StartupInfo.hStdInput = handles[0];
    startup.StartupInfo.hStdOutput = handles[1];
    startup.StartupInfo.hStdError = handles[1];
    startup.lpAttributeList = list.list();
    let program = wide(program.as_os_str());
    let mut line = wide(OsStr::new(line));
    let environment = environment_block(environment);
    let folder = folder.map(|folder| wide(folder.as_os_str()));
    let folder = folder.as_ref().map_or(PCWSTR::null(), |folder| PCWSTR(folder.as_ptr()));
    let flags = CREATE_NEW_PROCESS_GROUP
        | CREATE_NO_WINDOW
        | CREATE_UNICODE_ENVIRONMENT
        | EXTENDED_STARTUPINFO_PRESENT;
    let mut started = PROCESS_INFORMATION::default();
    // SAFETY: every text ends with a zero, the block with two; the line may be written to; `startup` is as long as it
    // says, and its list and handles outlive the call.
    unsafe {
        CreateProcessW(
            PCWSTR(program.as_ptr()),
            Some(PWSTR(line.as_mut_ptr())),
            None,
            None,
            true,
            flags,
            Some(environment.as_ptr().cast()),
            folder,
            &startup.StartupInfo,
            &mut started,
        )
    }
    .map_err(system_error)?;
    // SAFETY: both handles are new and ours.
    let (handle, _thread) = unsafe {
        (OwnedHandle::from_raw_handle(started.hProcess.0), OwnedHandle::from_raw_handle(started.hThread.0))
    };
    Ok(DetachedProcess { handle, id: started.dwProcessId })
}

/// A copy of a file's handle that a child can inherit.
fn inheritable(file: &File) -> io::Result<OwnedHandle> {
    let mut copy = HANDLE::default();
    // SAFETY: the file is open, and `copy` is valid for writing.
    unsafe {
        let us = GetCurrentProcess();
        DuplicateHandle(us, HANDLE(file.as_raw_handle()), us, &mut copy, 0, true, DUPLICATE_SAME_ACCESS)
    }
    .map_err(system_error)?;
    // SAFETY: the handle is new and ours.
    Ok(unsafe { OwnedHandle::from_raw_handle(copy.0) })
}

/// The list of what a child inherits. It refers to the handles and to its own memory, which does not move.
struct InheritedHandles<'a> {
    memory: Vec<usize>,
    _handles: &'a [HANDLE],
}

impl<'a> InheritedHandles<'a> {
    fn new(handles: &'a [HANDLE]) -> io::Result<Self> {
        let mut bytes = 0;
        // SAFETY: without a list, only the size is written. It fails by design.
        let _too_small = unsafe { InitializeProcThreadAttributeList(None, 1, None, &mut bytes) };
        let mut memory = vec![0_usize; bytes.div_ceil(size_of::<usize>())];
        let list = LPPROC_THREAD_ATTRIBUTE_LIST(memory.as_mut_ptr().cast());
        // SAFETY: the memory has the size that the system asked for.
        unsafe { InitializeProcThreadAttributeList(Some(list), 1, None, &mut bytes) }
            .map_err(system_error)?;
        let this = Self { memory, _handles: handles };
        // SAFETY: the list is initialised, and `handles` outlives it.
        unsafe {
            UpdateProcThreadAttribute(
                this.list(),
                0,
                PROC_THREAD_ATTRIBUTE_HANDLE_LIST as usize,
                Some(handles.as_ptr().cast()),
                size_of_val(handles),
                None,
                None,
            )
        }
        .map_err(system_error)?;
        Ok(this)
    }

    fn list(&self) -> LPPROC_THREAD_ATTRIBUTE_LIST {
        LPPROC_THREAD_ATTRIBUTE_LIST(self.memory.as_ptr().cast_mut().cast())
    }
}

impl Drop for InheritedHandles<'_> {
    fn drop(&mut self) {
        // SAFETY: the list was initialised by `new`.
        unsafe { DeleteProcThreadAttributeList(self.list()) };
    }
}

/// Text that ends with a zero.
fn wide(text: &OsStr) -> Vec<u16> {
    text.encode_wide().chain([0]).collect()
}

/// `NAME=VALUE` after `NAME=VALUE`, sorted without case as the system expects, with a zero after each and one at the end.
fn environment_block(environment: &BTreeMap<String, OsString>) -> Vec<u16> {
    let mut variables: Vec<_> = environment.iter().collect();
    variables.sort_by_key(|(name, _)| name.to_uppercase());
    let mut block = Vec::new();
    for (name, value) in variables {
        block.extend(name.encode_utf16().chain("=".encode_utf16()).chain(value.encode_wide()).chain([0]));
    }
    block.push(0);
    if environment.is_empty() {
        block.push(0);
    }
    block
}
