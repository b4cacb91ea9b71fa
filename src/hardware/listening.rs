//! Who can reach a TCP port: from Linux' tables of sockets, elsewhere by trying.

use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

/// The state "listening" in `/proc/net/tcp`.
const LISTEN: &str = "0A";

/// Whether `port` is listened on at an address other than loopback; `None` when nobody listens, as far as the tables
/// (`/proc/net/tcp`, `/proc/net/tcp6`) tell.
pub fn beyond_loopback(tables: &[String], port: u16) -> Option<bool> {
    let addresses: Vec<&str> = tables
        .iter()
        .flat_map(|table| table.lines())
        .filter_map(|line| {
            let mut fields = line.split_whitespace().skip(1);
            let (address, listening_port) = fields.next()?.split_once(':')?;
            let state = fields.nth(1)?;
            (state == LISTEN && u16::from_str_radix(listening_port, 16).ok()? == port).then_some(address)
        })
        .collect();
    (!addresses.is_empty()).then(|| addresses.iter().any(|address| !is_loopback(address)))
}

/// Tries the port at this machine's own address in its network, which loopback servers do not answer. `None` without
/// a network.
pub fn by_connecting(port: u16) -> Option<bool> {
    const LIMIT: Duration = Duration::from_millis(300);
    // Connecting a datagram socket sends nothing; it only makes the system choose the address it would send from.
    // The other end is an address reserved for documentation (RFC 5737).
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    let own = socket.local_addr().ok()?.ip();
    let reachable = TcpStream::connect_timeout(&SocketAddr::new(own, port), LIMIT).is_ok();
    (!own.is_loopback() && !own.is_unspecified()).then_some(reachable)
}

/// Addresses are hexadecimal in the machine's byte order, 32 bits at a time: 127.0.0.1 is `0100007F` on all
/// processors that we run on.
fn is_loopback(address: &str) -> bool {
    match address.len() {
        8 => address.ends_with("7F"),
        32 => {
            let v6_loopback = address == "00000000000000000000000001000000";
            let v4_mapped = address.starts_with("0000000000000000FFFF0000") && address.ends_with("7F");
            v6_loopback || v4_mapped
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n";

    fn table(address: &str, state: &str) -> String {
        format!(
            "{HEAD}   0: {address}:2CAA 00000000:0000 {state} 00000000:00000000 00:00000000 00000000  0\n"
        )
    }

    #[test]
    fn loopback_is_private_and_any_address_is_exposed() {
        for (address, exposed) in [
            ("0100007F", false),
            ("00000000", true),
            ("0A01A8C0", true),
            ("00000000000000000000000001000000", false),
            ("00000000000000000000000000000000", true),
            ("0000000000000000FFFF00000100007F", false),
        ] {
            assert_eq!(beyond_loopback(&[table(address, "0A")], 11_434), Some(exposed), "{address}");
        }
    }

    #[test]
    fn connections_are_not_listeners() {
        assert_eq!(beyond_loopback(&[table("00000000", "01")], 11_434), None);
        assert_eq!(beyond_loopback(&[table("00000000", "0A")], 42_434), None);
        assert_eq!(beyond_loopback(&["garbage\n:::\n".to_owned()], 1), None);
    }
}
