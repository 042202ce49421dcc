// SPDX-License-Identifier: MIT OR Apache-2.0
//! `Sec-WebSocket-Key` and the proof that it was read (RFC 6455 4.2.2).

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use sha1::{Digest, Sha1};

/// Characters of a key: 16 bytes in base64.
const KEY_LEN: usize = 24;
const NONCE_LEN: usize = 16;
/// What every WebSocket server appends to the key (RFC 6455 1.3).
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Characters of `Sec-WebSocket-Accept`: 20 bytes of SHA-1 in base64.
pub const ACCEPT_LEN: usize = 28;

const RESPONSE_START: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\n\
    Upgrade: websocket\r\n\
    Connection: Upgrade\r\n\
    Sec-WebSocket-Accept: ";
const RESPONSE_END: &[u8] = b"\r\n\r\n";
/// Bytes of the answer to a handshake.
pub const RESPONSE_101_LEN: usize = RESPONSE_START.len() + ACCEPT_LEN + RESPONSE_END.len();

/// Clients exist that draw 24 random characters: surplus bits of the last one are let pass.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// A well-formed `Sec-WebSocket-Key`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WebSocketKey([u8; KEY_LEN]);

impl WebSocketKey {
    /// Takes a key of 24 base64 characters that stand for 16 bytes.
    pub fn parse(value: &[u8]) -> Option<Self> {
        let key = <[u8; KEY_LEN]>::try_from(value).ok()?;
        // The decoder wants room for all 24 characters before it looks at the padding.
        let mut nonce = [0; KEY_LEN / 4 * 3];
        let decoded = LENIENT.decode_slice(key, &mut nonce).ok()?;
        (decoded == NONCE_LEN).then_some(Self(key))
    }

    /// The value of `Sec-WebSocket-Accept`.
    pub fn accept(&self) -> [u8; ACCEPT_LEN] {
        let digest = Sha1::new().chain_update(self.0).chain_update(GUID).finalize();
        let mut accept = [0; ACCEPT_LEN];
        STANDARD.encode_slice(digest, &mut accept).expect("20 bytes make 28 characters");
        accept
    }

    /// The whole answer that turns the connection into a WebSocket. Frames may follow at once.
    pub fn response_101(&self) -> [u8; RESPONSE_101_LEN] {
        let mut response = [0; RESPONSE_101_LEN];
        let (start, rest) = response.split_at_mut(RESPONSE_START.len());
        let (accept, end) = rest.split_at_mut(ACCEPT_LEN);
        start.copy_from_slice(RESPONSE_START);
        accept.copy_from_slice(&self.accept());
        end.copy_from_slice(RESPONSE_END);
        response
    }
}
