//! Listening TCP ports: which process owns them, whether it is one of ours, and whether other machines can reach them.
//!
//! On Linux all that is in the socket tables (`/proc/net/tcp`, `/proc/net/tcp6`), also of other users' sockets. Elsewhere
//! the program comes from the system's own tool, and reachability from a connection attempt. On macOS that tool shows this
//! user's programs only.

#[cfg(not(target_os = "linux"))]
use std::time::Duration;

use super::ownership::Account;

/// Timeout of the system's tools.
#[cfg(not(target_os = "linux"))]
const TOOL_LIMIT: Duration = Duration::from_secs(5);

/// The process that listens on a port.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PortOwner {
    /// File name of its program; `None` where the system hides it.
    pub name: Option<String>,
    /// Process ID; `None` where the system hides it: on Linux that of another user's process.
    pub pid: Option<u32>,
    /// Its user, where it is another one than ours and the system tells.
    pub user: Option<Account>,
}

/// Who would answer a connection to a port of 127.0.0.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// One of the processes that were asked about.
    Ours,
    /// Another process.
    Other(PortOwner),
    /// Nobody, as far as this user may see.
    Nobody,
    /// The system does not tell.
    Unknown,
}

/// The process that listens on this port; `None` when nothing does, or the system does not tell.
pub fn owner(port: u16) -> Option<PortOwner> {
    match holder(port, &[]) {
        Holder::Other(owner) => Some(owner),
        Holder::Ours | Holder::Nobody | Holder::Unknown => None,
    }
}

/// Whether one of `ours` would answer a connection to this port of 127.0.0.1. An answer alone does not tell: whoever
/// binds the port first can answer as it likes.
pub fn holder(port: u16, ours: &[u32]) -> Holder {
    #[cfg(target_os = "linux")]
    return linux::holder(port, ours);
    #[cfg(not(target_os = "linux"))]
    match find(port) {
        None => Holder::Unknown,
        Some(None) => Holder::Nobody,
        Some(Some((pid, _))) if ours.contains(&pid) => Holder::Ours,
        Some(Some((pid, name))) => {
            let name = name.or_else(|| name_of(pid));
            Holder::Other(PortOwner { name, pid: Some(pid), user: None })
        }
    }
}

/// Whether other machines can reach this port; `None` when nothing listens, or that is unknown.
pub fn is_exposed(port: u16) -> Option<bool> {
    #[cfg(target_os = "linux")]
    return linux::is_exposed(&linux::sockets().unwrap_or_default(), port);
    #[cfg(not(target_os = "linux"))]
    return answers_beyond_loopback(port);
}

fn name_of(pid: u32) -> Option<String> {
    let line = super::process::command_line(pid)?;
    let program = line.first()?;
    let name = program.rsplit(['/', '\\']).next().filter(|name| !name.is_empty())?;
    Some(name.to_owned())
}

#[cfg(target_os = "linux")]
mod linux {
    use std::collections::BTreeSet;
    use std::fs;

    use super::{Account, Holder, PortOwner, name_of};

    /// The state "listening" in the kernel's tables.
    const LISTEN: &str = "0A";

    /// A listening socket.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Socket {
        pub is_loopback: bool,
        /// Whether it takes connections to every address of this machine.
        pub is_for_all: bool,
        pub port: u16,
        /// User who opened it.
        pub uid: u32,
        pub inode: String,
    }

    /// Every listening socket; `None` where the tables cannot be read.
    pub fn sockets() -> Option<Vec<Socket>> {
        let mut sockets = parse(&fs::read_to_string("/proc/net/tcp").ok()?);
        // Missing where IPv6 is turned off.
        sockets.extend(fs::read_to_string("/proc/net/tcp6").map(|table| parse(&table)).unwrap_or_default());
        Some(sockets)
    }

    pub fn holder(port: u16, ours: &[u32]) -> Holder {
        sockets().map_or(Holder::Unknown, |sockets| holder_of(&sockets, port, ours))
    }

    /// A connection goes to the socket bound to 127.0.0.1 if there is one, else to one bound to all addresses.
    fn holder_of(sockets: &[Socket], port: u16, ours: &[u32]) -> Holder {
        let on_port = || sockets.iter().filter(|socket| socket.port == port);
        let mut candidates: Vec<&Socket> = on_port().filter(|socket| socket.is_loopback).collect();
        if candidates.is_empty() {
            candidates = on_port().filter(|socket| socket.is_for_all).collect();
        }
        let own = rustix::process::geteuid().as_raw();
        let inodes: BTreeSet<String> = ours.iter().flat_map(|pid| socket_inodes(*pid)).collect();
        let is_ours = |socket: &Socket| socket.uid == own && inodes.contains(&socket.inode);
        if candidates.is_empty() {
            return Holder::Nobody;
        }
        let Some(other) = candidates.iter().find(|socket| !is_ours(socket)) else { return Holder::Ours };
        let pid = process_of(&other.inode);
        Holder::Other(PortOwner {
            name: pid.and_then(name_of),
            pid,
            user: (other.uid != own).then(|| Account::of(other.uid)),
        })
    }

    /// The sockets that a process has open, if this user may see its files.
    fn socket_inodes(pid: u32) -> impl Iterator<Item = String> {
        let open = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        open.filter_map(|file| {
            let target = fs::read_link(file.path()).ok()?;
            Some(target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned())
        })
    }

    /// The listening sockets of one table; other lines are skipped.
    pub fn parse(table: &str) -> Vec<Socket> {
        let socket = |line: &str| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let (address, port) = fields.get(1)?.split_once(':')?;
            (*fields.get(3)? == LISTEN).then_some(())?;
            Some(Socket {
                is_loopback: is_loopback(address),
                is_for_all: address.bytes().all(|digit| digit == b'0'),
                uid: fields.get(7)?.parse().ok()?,
                port: u16::from_str_radix(port, 16).ok()?,
                inode: (*fields.get(9)?).to_owned(),
            })
        };
        table.lines().filter_map(socket).collect()
    }

    pub fn is_exposed(sockets: &[Socket], port: u16) -> Option<bool> {
        let on_port: Vec<&Socket> = sockets.iter().filter(|socket| socket.port == port).collect();
        (!on_port.is_empty()).then(|| on_port.iter().any(|socket| !socket.is_loopback))
    }

    /// The process that has this socket open, if this user may see its files.
    fn process_of(inode: &str) -> Option<u32> {
        let processes = fs::read_dir("/proc").ok()?.flatten();
        processes
            .filter_map(|process| process.file_name().to_str()?.parse::<u32>().ok())
            .find(|pid| socket_inodes(*pid).any(|open| open == inode))
    }

    /// Addresses are hexadecimal in the machine's byte order, 32 bits at a time: 127.0.0.1 is `0100007F` on every
    /// processor that is supported.
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
}

/// Connects to the port at this machine's own address in its network, which loopback servers do not answer. `None`
/// without a network.
#[cfg(not(target_os = "linux"))]
fn answers_beyond_loopback(port: u16) -> Option<bool> {
    use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
    const LIMIT: Duration = Duration::from_millis(300);
    // Connecting a datagram socket sends nothing; it only makes the system choose the address it would send from.
    // The other end is an address reserved for documentation (RFC 5737).
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    let own = socket.local_addr().ok()?.ip();
    let reachable = TcpStream::connect_timeout(&SocketAddr::new(own, port), LIMIT).is_ok();
    (!own.is_loopback() && !own.is_unspecified()).then_some(reachable)
}

/// Process and program that listen on a port, if any; `None` where the system's tool does not answer.
#[cfg(target_os = "macos")]
fn find(port: u16) -> Option<Option<(u32, Option<String>)>> {
    let mut lsof = super::program::command("/usr/sbin/lsof");
    lsof.args(["-nP", &format!("-iTCP:{port}"), "-sTCP:LISTEN", "-Fpc"]);
    Some(from_lsof(&super::program::run(lsof, TOOL_LIMIT).ok()?.stdout))
}

/// A line `p123` and a line `cName` a process.
#[cfg(any(target_os = "macos", test))]
fn from_lsof(output: &str) -> Option<(u32, Option<String>)> {
    let pid = output.lines().find_map(|line| line.strip_prefix('p')?.trim().parse().ok())?;
    Some((pid, output.lines().find_map(|line| line.strip_prefix('c').map(str::to_owned))))
}

/// Process and program that listen on a port, if any; `None` where the system's tool does not answer.
#[cfg(windows)]
fn find(port: u16) -> Option<Option<(u32, Option<String>)>> {
    let root = super::environment::Environment::of_process().path("SystemRoot");
    let root = root.unwrap_or_else(|| r"C:\Windows".into());
    let mut netstat = super::program::command(root.join(r"System32\netstat.exe"));
    netstat.args(["-ano", "-p", "TCP"]);
    Some(from_netstat(&super::program::run(netstat, TOOL_LIMIT).ok()?.stdout, port))
}

/// Lines `TCP  127.0.0.1:80  0.0.0.0:0  LISTENING  123`; the word is translated, the foreign port 0 is not.
#[cfg(any(windows, test))]
fn from_netstat(output: &str, port: u16) -> Option<(u32, Option<String>)> {
    output.lines().find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let of = |address: &str| address.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
        let listens = of(fields.get(1)?) == Some(port) && of(fields.get(2)?) == Some(0);
        fields.last().filter(|_| listens)?.parse().ok().map(|pid| (pid, None))
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn our_own_port_names_us() {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        let owner_of_port = owner(port).unwrap();
        assert_eq!((owner_of_port.pid, &owner_of_port.user), (Some(std::process::id()), &None));
        assert!(owner_of_port.name.is_some());
        assert_eq!(holder(port, &[std::process::id()]), Holder::Ours);
        assert_eq!(holder(port, &[1]), Holder::Other(owner_of_port));
        assert_eq!(is_exposed(port), Some(false));
        drop(socket);
        assert_eq!((owner(port), is_exposed(port)), (None, None));
        assert_eq!(holder(port, &[std::process::id()]), Holder::Nobody);
        let everywhere = std::net::TcpListener::bind("0.0.0.0:0").unwrap();
        assert_eq!(is_exposed(everywhere.local_addr().unwrap().port()), Some(true));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn only_listening_sockets_count_and_loopback_is_private() {
        let table = |address: &str, state: &str| {
            linux::parse(&format!(
                "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
                 \x20  0: {address}:2CAA 00000000:0000 {state} 00000000:00000000 00:00000000 00000000  0 0 4242 1\n"
            ))
        };
        for (address, exposed) in [
            ("0100007F", false),
            ("00000000", true),
            ("0A01A8C0", true),
            ("00000000000000000000000001000000", false),
            ("00000000000000000000000000000000", true),
            ("0000000000000000FFFF00000100007F", false),
        ] {
            let sockets = table(address, "0A");
            assert_eq!(sockets[0].inode, "4242");
            assert_eq!(linux::is_exposed(&sockets, 11_434), Some(exposed), "{address}");
            assert_eq!(linux::is_exposed(&sockets, 42_434), None);
        }
        assert_eq!(table("00000000", "01"), [], "a connection is no listener");
        assert_eq!(linux::parse("head\ngarbage\n:::\n"), []);
    }

    #[test]
    fn the_output_of_other_systems_tools_is_read() {
        assert_eq!(from_lsof("p4711\ncollama\nf3\n"), Some((4711, Some("ollama".to_owned()))));
        assert_eq!(from_lsof(""), None);
        let output = "\n  Proto  Lokale Adresse  Remoteadresse  Status  PID\n  TCP  127.0.0.1:42434  0.0.0.0:0  ABHÖREN  812\n  TCP  127.0.0.1:42434  127.0.0.1:5000  HERGESTELLT  9\n";
        assert_eq!(from_netstat(output, 42434), Some((812, None)));
        assert_eq!(from_netstat(output, 5000), None);
    }
}
