// SPDX-License-Identifier: MIT OR Apache-2.0
//! Frames to a client: final, unmasked, with the shortest header (RFC 6455 5.2).
//!
//! A text frame is encoded once and shared by all who get it; a control frame lives on the stack.
//! The server never fragments.

use bytes::Bytes;

use super::ProtocolError;

/// The most that a control frame may carry, in bytes (RFC 6455 5.5).
pub const CONTROL_PAYLOAD_MAX: usize = 125;
/// The longest reason of a close frame, in bytes: a control payload without the code.
pub const CLOSE_REASON_MAX: usize = CONTROL_PAYLOAD_MAX - size_of::<u16>();

/// First byte of every frame that the server sends: FIN, to which the opcode is added.
const FIN: u8 = 0x80;
/// Bytes of a header with the length in its second byte.
const SHORT_HEADER: usize = 2;
const LENGTH_16: u8 = 126;
const LENGTH_64: u8 = 127;

/// What a frame is (RFC 6455 5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opcode {
    Continuation = 0x0,
    Text = 0x1,
    Binary = 0x2,
    Close = 0x8,
    Ping = 0x9,
    Pong = 0xa,
}

impl Opcode {
    /// Reads the low four bits of a frame's first byte.
    pub(super) const fn from_wire(bits: u8) -> Result<Self, ProtocolError> {
        Ok(match bits {
            0x0 => Self::Continuation,
            0x1 => Self::Text,
            0x2 => Self::Binary,
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xa => Self::Pong,
            reserved => return Err(ProtocolError::ReservedOpcode(reserved)),
        })
    }

    /// Control frames may stand between the fragments of a message.
    pub(super) const fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }

    /// The first byte of a server's frame.
    const fn first_byte(self) -> u8 {
        FIN | self as u8
    }
}

/// The longest header of a frame that is not masked.
pub const HEADER_MAX: usize = SHORT_HEADER + size_of::<u64>();

/// Makes a text frame, to be shared by everybody who gets it, of a text that was written behind
/// [`HEADER_MAX`] bytes kept free for the header. The text must be UTF-8.
pub fn text(mut out: Vec<u8>) -> Bytes {
    let payload = out.len() - HEADER_MAX;
    let first = Opcode::Text.first_byte();
    let mut put = |header: &[u8]| {
        let start = HEADER_MAX - header.len();
        out[start..HEADER_MAX].copy_from_slice(header);
        start
    };
    let start = if payload <= CONTROL_PAYLOAD_MAX {
        put(&[first, payload as u8])
    } else if let Ok(length) = u16::try_from(payload) {
        let [a, b] = length.to_be_bytes();
        put(&[first, LENGTH_16, a, b])
    } else {
        let [a, b, c, d, e, f, g, h] = (payload as u64).to_be_bytes();
        put(&[first, LENGTH_64, a, b, c, d, e, f, g, h])
    };
    Bytes::from(out).slice(start..)
}

/// A ping, pong or close frame, ready to be written, without an allocation.
#[derive(Clone, Copy)]
pub struct ControlFrame {
    bytes: [u8; SHORT_HEADER + CONTROL_PAYLOAD_MAX],
    len: u8,
}

impl ControlFrame {
    fn new(opcode: Opcode, parts: [&[u8]; 2]) -> Self {
        let mut frame = Self { bytes: [0; SHORT_HEADER + CONTROL_PAYLOAD_MAX], len: 0 };
        let mut end = SHORT_HEADER;
        for part in parts {
            let taken = part.len().min(frame.bytes.len() - end);
            frame.bytes[end..end + taken].copy_from_slice(&part[..taken]);
            end += taken;
        }
        frame.bytes[0] = opcode.first_byte();
        frame.bytes[1] = (end - SHORT_HEADER) as u8;
        frame.len = end as u8;
        frame
    }
}

impl std::ops::Deref for ControlFrame {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

impl std::fmt::Debug for ControlFrame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ControlFrame").field(&&**self).finish()
    }
}

/// A ping; of a payload over 125 bytes the first 125 are sent.
pub fn ping(payload: &[u8]) -> ControlFrame {
    ControlFrame::new(Opcode::Ping, [payload, &[]])
}

/// The answer to a ping with the same payload (RFC 6455 5.5.3); at most 125 bytes of it.
pub fn pong(payload: &[u8]) -> ControlFrame {
    ControlFrame::new(Opcode::Pong, [payload, &[]])
}

/// A close frame with a code and a reason, of which the characters within the first 123 bytes are
/// sent. Whether the code may be sent is the caller's affair.
pub fn close(code: u16, reason: &str) -> ControlFrame {
    let reason = &reason[..reason.floor_char_boundary(CLOSE_REASON_MAX)];
    ControlFrame::new(Opcode::Close, [&code.to_be_bytes(), reason.as_bytes()])
}

/// A close frame without a code: the answer to one without a code.
pub fn close_without_code() -> ControlFrame {
    ControlFrame::new(Opcode::Close, [&[], &[]])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_has_the_shortest_header() {
        for (len, header) in [
            (0, &[0x81, 0][..]),
            (125, &[0x81, 125]),
            (126, &[0x81, 126, 0, 126]),
            (65_535, &[0x81, 126, 0xff, 0xff]),
            (65_536, &[0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] {
            let payload = "x".repeat(len);
            let frame = text([&[0; HEADER_MAX], payload.as_bytes()].concat());
            assert_eq!(frame.len(), header.len() + len);
            assert_eq!(&frame[..header.len()], header);
            assert_eq!(&frame[header.len()..], payload.as_bytes());
        }
    }

    #[test]
    fn control_frames_never_exceed_their_limit() {
        assert_eq!(*ping(b""), [0x89, 0]);
        assert_eq!(*pong(b"ab"), [0x8a, 2, b'a', b'b']);
        assert_eq!(ping(&[7; 200]).len(), 127);
        assert_eq!(pong(&[7; 125])[1], 125);
        assert_eq!(*close_without_code(), [0x88, 0]);
    }

    #[test]
    fn a_close_reason_is_cut_between_characters() {
        assert_eq!(*close(4001, "no"), [0x88, 4, 0x0f, 0xa1, b'n', b'o']);
        assert_eq!(close(1000, &"r".repeat(300)).len(), 127);
        // 123 bytes end within the 62nd character of two bytes: 61 of them are sent.
        let frame = close(1000, &"é".repeat(100));
        assert_eq!(frame[1], 2 + 122);
        assert!(std::str::from_utf8(&frame[4..]).is_ok());
    }
}
