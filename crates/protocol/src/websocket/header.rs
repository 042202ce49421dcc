// SPDX-License-Identifier: MIT OR Apache-2.0
//! The header of a client's frame (RFC 6455 5.2): read, and checked as early as its bytes allow.

use super::ProtocolError;
use super::frame::{CONTROL_PAYLOAD_MAX, Opcode};
use super::mask::MaskKey;

/// Longest header of a client's frame: two bytes, a 64-bit length, the mask key.
pub(super) const CLIENT_HEADER_MAX: usize = 14;

const FIN: u8 = 0x80;
const RESERVED: u8 = 0x70;
const OPCODE: u8 = 0x0f;
const MASKED: u8 = 0x80;
const LENGTH: u8 = 0x7f;
const LENGTH_16: u8 = 126;
const LENGTH_64: u8 = 127;

/// A header without fault.
#[derive(Clone, Copy, Debug)]
pub(super) struct FrameHeader {
    pub(super) opcode: Opcode,
    pub(super) fin: Fin,
    /// Bytes of payload; the limits have been applied.
    pub(super) payload: usize,
    pub(super) key: MaskKey,
}

/// Whether a frame is the last of its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fin {
    Last,
    More,
}

/// What the header of a frame is judged by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context {
    /// Bytes so far of the message that is open, if one is.
    pub(super) open_message: Option<usize>,
    /// The most that a message may have.
    pub(super) message_bytes: usize,
}

impl FrameHeader {
    /// Reads the header at the start of `bytes` and says how long it is; `None` when its end is
    /// missing. A fault is found with the first byte that shows it, however few have come.
    pub(super) fn parse(
        bytes: &[u8],
        context: Context,
    ) -> Result<Option<(Self, usize)>, ProtocolError> {
        let Some(&first) = bytes.first() else { return Ok(None) };
        if first & RESERVED != 0 {
            return Err(ProtocolError::ReservedBit);
        }
        let opcode = Opcode::from_wire(first & OPCODE)?;
        let fin = if first & FIN != 0 { Fin::Last } else { Fin::More };
        match (opcode, context.open_message) {
            (Opcode::Continuation, None) => return Err(ProtocolError::NothingToContinue),
            (Opcode::Text | Opcode::Binary, Some(_)) => {
                return Err(ProtocolError::MessageNotComplete);
            }
            _ if opcode.is_control() && fin == Fin::More => {
                return Err(ProtocolError::ControlFragmented);
            }
            _ => {}
        }

        let Some(&second) = bytes.get(1) else { return Ok(None) };
        if second & MASKED == 0 {
            return Err(ProtocolError::Unmasked);
        }
        let (announced, at) = match second & LENGTH {
            short @ ..LENGTH_16 => (u64::from(short), 2),
            _ if opcode.is_control() => return Err(ProtocolError::ControlTooLong),
            LENGTH_16 => {
                let Some(length) = bytes.get(2..).and_then(<[u8]>::first_chunk) else {
                    return Ok(None);
                };
                let length = u16::from_be_bytes(*length);
                if usize::from(length) <= CONTROL_PAYLOAD_MAX {
                    return Err(ProtocolError::LengthNotMinimal);
                }
                (u64::from(length), 4)
            }
            LENGTH_64.. => {
                let Some(length) = bytes.get(2..).and_then(<[u8]>::first_chunk) else {
                    return Ok(None);
                };
                let length = u64::from_be_bytes(*length);
                if length > u64::MAX >> 1 {
                    return Err(ProtocolError::LengthTopBit);
                }
                if length <= u64::from(u16::MAX) {
                    return Err(ProtocolError::LengthNotMinimal);
                }
                (length, 10)
            }
        };

        let room = match opcode {
            Opcode::Ping | Opcode::Pong | Opcode::Close => CONTROL_PAYLOAD_MAX,
            _ => context.message_bytes.saturating_sub(context.open_message.unwrap_or(0)),
        };
        let payload = usize::try_from(announced)
            .ok()
            .filter(|&payload| payload <= room)
            .ok_or(ProtocolError::MessageTooLarge { limit: context.message_bytes })?;

        let Some(&key) = bytes.get(at..).and_then(<[u8]>::first_chunk) else { return Ok(None) };
        Ok(Some((Self { opcode, fin, payload, key }, at + key.len())))
    }
}
