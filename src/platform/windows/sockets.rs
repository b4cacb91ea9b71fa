//! Which process listens on a TCP port.

#![allow(unsafe_code)]

use std::net::Ipv4Addr;

use windows::Win32::Foundation::{ERROR_INSUFFICIENT_BUFFER, ERROR_SUCCESS, WIN32_ERROR};
use windows::Win32::NetworkManagement::IpHelper::{
    GetExtendedTcpTable, MIB_TCPROW_OWNER_PID, MIB_TCPTABLE_OWNER_PID, TCP_TABLE_OWNER_PID_LISTENER,
};
use windows::Win32::Networking::WinSock::AF_INET;

/// Attempts: the table may grow between the question for its size and that for its content.
const TRIES: usize = 5;

/// Address, port and process of each listening socket of IPv4; `None` if the system does not tell.
pub fn listening_sockets() -> Option<Vec<(Ipv4Addr, u16, u32)>> {
    let mut bytes = 0;
    let mut memory: Vec<u32> = Vec::new();
    for _ in 0..TRIES {
        let table = (!memory.is_empty()).then(|| memory.as_mut_ptr().cast());
        // SAFETY: the memory is as long as `bytes` says, or there is none and `bytes` is 0.
        let asked = unsafe {
            GetExtendedTcpTable(
                table,
                &mut bytes,
                false,
                u32::from(AF_INET.0),
                TCP_TABLE_OWNER_PID_LISTENER,
                0,
            )
        };
        match WIN32_ERROR(asked) {
            ERROR_SUCCESS if table.is_some() => return Some(rows(&memory)),
            ERROR_INSUFFICIENT_BUFFER | ERROR_SUCCESS => {
                bytes = bytes.max(size_of::<MIB_TCPTABLE_OWNER_PID>() as u32);
                memory = vec![0; (bytes as usize).div_ceil(size_of::<u32>())];
                bytes = (memory.len() * size_of::<u32>()) as u32;
            }
            _ => return None,
        }
    }
    None
}

/// A table is its number of rows and then the rows, all of words of 32 bits.
fn rows(table: &[u32]) -> Vec<(Ipv4Addr, u16, u32)> {
    const WORDS: usize = size_of::<MIB_TCPROW_OWNER_PID>() / size_of::<u32>();
    let count = table.first().map_or(0, |count| *count as usize);
    let rows = table.get(1..).unwrap_or_default().chunks_exact(WORDS).take(count);
    rows.filter_map(|row| {
        // State, local address, local port, remote address, remote port, process. Address and port are in the order of
        // the network, the port in the lower half.
        let [_, address, port, _, _, process] = *row else { return None };
        let port = u16::from_be((port & 0xFFFF) as u16);
        Some((Ipv4Addr::from(address.to_ne_bytes()), port, process))
    })
    .collect()
}
