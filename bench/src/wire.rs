// SPDX-License-Identifier: MIT OR Apache-2.0
//! What goes over a WebSocket, as far as the bench needs it: the handshake's two halves and
//! single-fragment frames. Shared by the bare loop (server side) and the subscribers (client
//! side). It promises to refuse what it does not understand with an error; it never guesses,
//! since a misread frame would be a wrong count.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

/// The key every subscriber of the bench offers: the worked example of RFC 6455, section 1.3.
pub(crate) const CLIENT_KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// The GUID of RFC 6455, section 1.3.
const HANDSHAKE_GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The mask of every frame a subscriber sends. A constant is enough on a loopback bench.
const MASK: [u8; 4] = [0x1a, 0x2b, 0x3c, 0x4d];

/// Frames above this are a mistake of the peer: nothing in a bench run is that large.
const FRAME_LIMIT: usize = 32 * 1024;

/// What a frame is (RFC 6455, section 5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opcode {
    /// A text message: every message of the Pusher protocol.
    Text,
    /// The peer says goodbye.
    Close,
    /// Wants a pong with the same payload.
    Ping,
    /// Answers a ping.
    Pong,
}

impl Opcode {
    const fn bits(self) -> u8 {
        match self {
            Self::Text => 0x1,
            Self::Close => 0x8,
            Self::Ping => 0x9,
            Self::Pong => 0xa,
        }
    }

    const fn of(bits: u8) -> Option<Self> {
        match bits {
            0x1 => Some(Self::Text),
            0x8 => Some(Self::Close),
            0x9 => Some(Self::Ping),
            0xa => Some(Self::Pong),
            _ => None,
        }
    }
}

/// Why bytes are not a frame of this bench.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadFrame {
    /// A reserved bit, a continuation, a binary frame, or an unknown opcode.
    #[error("a frame that starts with {0:#04x}: only unfragmented text and control frames count")]
    Kind(u8),
    /// A server that masks, or a client that does not.
    #[error("a frame that is masked the wrong way round")]
    Mask,
    /// Larger than anything in a bench run.
    #[error("a frame of {0} bytes")]
    TooLarge(u64),
}

/// Where a frame at the start of some bytes begins and ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    /// What it is.
    pub(crate) opcode: Opcode,
    /// First byte of the payload.
    pub(crate) start: usize,
    /// One past its last byte: where the next frame starts.
    pub(crate) end: usize,
    /// The client's mask, when the sender is a client.
    mask: Option<[u8; 4]>,
}

/// Whose frames are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sender {
    /// Frames must be masked.
    Client,
    /// Frames must not be masked.
    Server,
}

impl Head {
    /// Reads the head of the frame at the start of `bytes`; `None` while the frame is incomplete.
    pub(crate) fn read(bytes: &[u8], sender: Sender) -> Result<Option<Self>, BadFrame> {
        let [first, second, rest @ ..] = bytes else { return Ok(None) };
        let opcode = (first & 0xf0 == 0x80)
            .then(|| Opcode::of(first & 0x0f))
            .flatten()
            .ok_or(BadFrame::Kind(*first))?;
        if (second & 0x80 != 0) != (sender == Sender::Client) {
            return Err(BadFrame::Mask);
        }
        let (length, mut start) = match second & 0x7f {
            126 => match rest.first_chunk::<2>() {
                Some(two) => (u64::from(u16::from_be_bytes(*two)), 4),
                None => return Ok(None),
            },
            127 => match rest.first_chunk::<8>() {
                Some(eight) => (u64::from_be_bytes(*eight), 10),
                None => return Ok(None),
            },
            short => (u64::from(short), 2),
        };
        let length = usize::try_from(length)
            .ok()
            .filter(|length| *length <= FRAME_LIMIT)
            .ok_or(BadFrame::TooLarge(length))?;
        let mask = if sender == Sender::Client {
            let Some(mask) = bytes[start..].first_chunk::<4>() else { return Ok(None) };
            start += 4;
            Some(*mask)
        } else {
            None
        };
        let end = start + length;
        Ok((bytes.len() >= end).then_some(Self { opcode, start, end, mask }))
    }

    /// Unmasks the payload in place (a server's frame is left as it is) and gives it back.
    pub(crate) fn unmask<'a>(&self, bytes: &'a mut [u8]) -> &'a [u8] {
        let payload = &mut bytes[self.start..self.end];
        if let Some(mask) = self.mask {
            for (byte, key) in payload.iter_mut().zip(mask.iter().cycle()) {
                *byte ^= key;
            }
        }
        payload
    }
}

/// Appends a server's frame.
pub(crate) fn server_frame(out: &mut Vec<u8>, opcode: Opcode, payload: &[u8]) {
    out.push(0x80 | opcode.bits());
    push_length(out, 0, payload.len());
    out.extend_from_slice(payload);
}

/// Appends a client's frame.
pub(crate) fn client_frame(out: &mut Vec<u8>, opcode: Opcode, payload: &[u8]) {
    out.push(0x80 | opcode.bits());
    push_length(out, 0x80, payload.len());
    out.extend_from_slice(&MASK);
    out.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, key)| byte ^ key));
}

fn push_length(out: &mut Vec<u8>, mask_bit: u8, length: usize) {
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short), _) if short < 126 => out.push(mask_bit | short),
        (_, Ok(medium)) => {
            out.push(mask_bit | 126);
            out.extend_from_slice(&medium.to_be_bytes());
        }
        _ => {
            out.push(mask_bit | 127);
            out.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
}

/// `Sec-WebSocket-Accept` for a client's key.
pub(crate) fn accept_key(key: &[u8]) -> String {
    let mut sha = Sha1::new();
    sha.update(key);
    sha.update(HANDSHAKE_GUID);
    STANDARD.encode(sha.finalize())
}

/// One past the empty line that ends an HTTP head, when it is there.
pub(crate) fn head_end(bytes: &[u8]) -> Option<usize> {
    find(bytes, b"\r\n\r\n").map(|at| at + 4)
}

/// Where `needle` first stands in `bytes`.
pub(crate) fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes.windows(needle.len()).position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accept_key_is_that_of_the_rfc() {
        assert_eq!(accept_key(CLIENT_KEY.as_bytes()), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn a_frame_of_every_length_form_survives_the_round_trip() {
        for length in [0, 1, 125, 126, 127, 65_535 / 4, FRAME_LIMIT] {
            let payload: Vec<u8> = (0..length).map(|i| i as u8).collect();
            for sender in [Sender::Server, Sender::Client] {
                let mut bytes = Vec::new();
                match sender {
                    Sender::Server => server_frame(&mut bytes, Opcode::Text, &payload),
                    Sender::Client => client_frame(&mut bytes, Opcode::Text, &payload),
                }
                bytes.extend_from_slice(b"\x81");
                let head = Head::read(&bytes, sender).unwrap().unwrap();
                assert_eq!((head.opcode, head.end), (Opcode::Text, bytes.len() - 1));
                assert_eq!(head.unmask(&mut bytes), payload);
            }
        }
    }

    #[test]
    fn an_incomplete_frame_is_awaited_at_every_byte() {
        for length in [5, 300] {
            let mut bytes = Vec::new();
            client_frame(&mut bytes, Opcode::Ping, &vec![7; length]);
            for cut in 0..bytes.len() {
                assert_eq!(Head::read(&bytes[..cut], Sender::Client), Ok(None), "cut at {cut}");
            }
        }
    }

    #[test]
    fn what_the_bench_does_not_understand_is_refused() {
        let read = |bytes: &[u8]| Head::read(bytes, Sender::Server);
        assert_eq!(read(&[0x01, 0x00]), Err(BadFrame::Kind(0x01)), "fragment");
        assert_eq!(read(&[0xc1, 0x00]), Err(BadFrame::Kind(0xc1)), "compressed");
        assert_eq!(read(&[0x82, 0x00]), Err(BadFrame::Kind(0x82)), "binary");
        assert_eq!(read(&[0x81, 0x80, 0, 0, 0, 0]), Err(BadFrame::Mask));
        let huge = [0x81, 127, 0, 0, 0, 1, 0, 0, 0, 0];
        assert_eq!(read(&huge), Err(BadFrame::TooLarge(1 << 32)));
    }

    #[test]
    fn the_end_of_an_http_head_is_found() {
        assert_eq!(head_end(b"HTTP/1.1 200 OK\r\n\r"), None);
        assert_eq!(head_end(b"HTTP/1.1 200 OK\r\n\r\n{}"), Some(19));
    }
}
