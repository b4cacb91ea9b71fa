//! Finds running Ollama servers over HTTP.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::ollama::client::{Client, ClientError};
use crate::ollama::replies::{Listed, Loaded};
use crate::untrusted::UntrustedText;

/// A server that responded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunningServer {
    /// Its address.
    pub address: SocketAddr,
    /// Its version, without a leading `v`.
    pub version: UntrustedText,
    /// Loaded models; empty if unknown.
    pub loaded: Vec<Loaded>,
    /// Models on disk, which may not be readable for this user; empty if unknown.
    pub models: Vec<Listed>,
}

/// The servers that respond, in the order of `addresses`, which are queried concurrently. `limit` is the timeout of
/// each request. Blocks on its own runtime: call it from a worker thread, not from async code.
pub fn running_servers(addresses: &[SocketAddr], limit: Duration) -> Vec<RunningServer> {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::warn!(%error, "running servers cannot be queried");
            return Vec::new();
        }
    };
    let mut found = runtime.block_on(async {
        let questions = addresses.iter().enumerate().map(|(index, address)| {
            let address = *address;
            async move { (index, query(address, limit).await) }
        });
        questions.collect::<JoinSet<_>>().join_all().await
    });
    found.sort_by_key(|(index, _)| *index);
    found.into_iter().filter_map(|(_, server)| server.ok()).collect()
}

async fn query(address: SocketAddr, limit: Duration) -> Result<RunningServer, ClientError> {
    let client = Client::probing(address, limit)?;
    let version = client.version().await?;
    let (loaded, models) = tokio::join!(client.ps(), client.tags());
    Ok(RunningServer {
        address,
        version,
        loaded: loaded.unwrap_or_default(),
        models: models.unwrap_or_default(),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::thread;
    use std::time::Instant;

    use super::*;
    use crate::testing::{ReceivedRequest, Reply, TestServer};

    const LIMIT: Duration = Duration::from_millis(500);

    fn address(server: &TestServer) -> SocketAddr {
        server.authority().parse().unwrap()
    }

    #[test]
    fn servers_are_listed_with_their_models_and_other_programs_are_skipped() {
        let ollama = TestServer::start(|request: &ReceivedRequest| match request.path.as_str() {
            "/api/version" => Reply::body(r#"{"version":"0.32.15"}"#),
            "/api/ps" => {
                Reply::body(r#"{"models":[{"name":"acolyte:latest","size":6000,"size_vram":5000}]}"#)
            }
            "/api/tags" => Reply::body(r#"{"models":[{"name":"acolyte:latest","size":4000,"details":{}}]}"#),
            _ => Reply::status(404),
        });
        let silent_about_models =
            TestServer::start(|request: &ReceivedRequest| match request.path.as_str() {
                "/api/version" => Reply::body(r#"{"version":"0.5.7"}"#),
                _ => Reply::status(500),
            });
        let other = TestServer::start(|_| Reply::status(404));
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let addresses = [address(&other), address(&ollama), free, address(&silent_about_models)];
        let found = running_servers(&addresses, LIMIT);
        assert_eq!(found.iter().map(|s| s.version.as_str()).collect::<Vec<_>>(), ["0.32.15", "0.5.7"]);
        assert_eq!(found[0].address, address(&ollama));
        assert_eq!((found[0].loaded[0].size, found[0].loaded[0].size_vram), (6000, 5000));
        assert_eq!(found[0].models, [Listed { name: "acolyte:latest".to_owned(), size: 4000 }]);
        assert!(found[1].loaded.is_empty() && found[1].models.is_empty());
    }

    /// A server without HTTP, one with an endless response, one with a response that is too long.
    #[test]
    fn a_server_that_never_finishes_times_out() {
        let start = |answer: fn(std::net::TcpStream)| {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            thread::spawn(move || {
                let (mut stream, _) = listener.accept().unwrap();
                let _some = stream.read(&mut [0; 1024]).unwrap();
                answer(stream);
            });
            address
        };
        let addresses = [
            start(|mut stream| drop(stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n"))),
            // Ends when the client disconnects.
            start(|mut stream| while stream.write_all(b"H").is_ok() {}),
            start(|mut stream| {
                let head = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n";
                if stream.write_all(head).is_ok() {
                    while stream.write_all(&[b' '; 4096]).is_ok() {}
                }
            }),
        ];
        let began = Instant::now();
        assert_eq!(running_servers(&addresses, LIMIT), []);
        assert!(began.elapsed() < 10 * LIMIT, "{:?}", began.elapsed());
    }
}
