//! A response body fed in chunks from another task, so that a double can throttle, stall or break it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame, SizeHint};
use tokio::sync::mpsc;

/// The next chunk. An `Err` breaks the connection without ending the body.
pub type Piece = io::Result<Bytes>;

/// The receiving end of a channel of pieces.
pub struct PieceBody {
    pieces: mpsc::Receiver<Piece>,
    length: Option<u64>,
}

impl PieceBody {
    /// A body of unknown length: sent chunked.
    pub fn new() -> (mpsc::Sender<Piece>, Self) {
        let (sender, pieces) = mpsc::channel(4);
        (sender, Self { pieces, length: None })
    }

    /// A body that is complete already.
    pub fn full(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        let (sender, pieces) = mpsc::channel(1);
        let length = bytes.len() as u64;
        if length > 0 {
            // The channel is new and holds one piece: this cannot fail.
            let _ = sender.try_send(Ok(bytes));
        }
        Self { pieces, length: Some(length) }
    }
}

impl Body for PieceBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        self.pieces.poll_recv(context).map(|piece| piece.map(|p| p.map(Frame::data)))
    }

    fn size_hint(&self) -> SizeHint {
        self.length.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
