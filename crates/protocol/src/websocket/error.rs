// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a client can do wrong on an open WebSocket, each with its close code and its words.

/// The endpoint broke the framing rules (RFC 6455 7.4.1).
const PROTOCOL_ERROR: u16 = 1002;
/// Text that is not UTF-8.
const INVALID_PAYLOAD: u16 = 1007;
/// Allowed by the framing rules, but not here.
const POLICY_VIOLATION: u16 = 1008;
/// A message over the limit.
const MESSAGE_TOO_BIG: u16 = 1009;

/// A violation of RFC 6455 by the client. It ends the connection: answer with a close frame of
/// [`close_code`](Self::close_code) and the error's text, which always fits into one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolError {
    /// A reserved bit is set although no extension was negotiated (5.2).
    #[error("a reserved bit is set, but no extension was negotiated")]
    ReservedBit,
    /// An opcode that means nothing (5.2).
    #[error("opcode {0} is reserved")]
    ReservedOpcode(u8),
    /// A frame that is not masked (5.1).
    #[error("frames from a client must be masked")]
    Unmasked,
    /// A control frame with more than 125 bytes (5.5).
    #[error("a control frame carries at most 125 bytes")]
    ControlTooLong,
    /// A control frame without FIN (5.5).
    #[error("a control frame must not be fragmented")]
    ControlFragmented,
    /// A continuation frame while no message is open (5.4).
    #[error("a continuation frame needs a message to continue")]
    NothingToContinue,
    /// A new message while the last one is not complete (5.4).
    #[error("a new message began before the last one was complete")]
    MessageNotComplete,
    /// A length in more bytes than it needs (5.2).
    #[error("the payload length is not in its shortest form")]
    LengthNotMinimal,
    /// A 64-bit length with its top bit set (5.2).
    #[error("the top bit of a 64-bit payload length must be 0")]
    LengthTopBit,
    /// A close frame with one byte, which is half a code (5.5.1).
    #[error("the payload of a close frame is empty or starts with a code of 2 bytes")]
    CloseCodeCut,
    /// A close code that must not be sent (7.4).
    #[error("close code {0} must not be sent")]
    CloseCodeInvalid(u16),
    /// A close reason that is not UTF-8 (5.5.1).
    #[error("the reason of a close frame must be UTF-8")]
    CloseReasonNotUtf8,
    /// A text message that is not UTF-8 (8.1).
    #[error("a text message must be UTF-8")]
    TextNotUtf8,
    /// More empty fragments in one message than anybody has a reason to send.
    #[error("too many empty fragments in one message")]
    TooManyEmptyFragments,
    /// A message whose fragments announce more than the limit, in bytes.
    #[error("the message is larger than {limit} bytes")]
    MessageTooLarge {
        /// The limit in force, `limits.message_bytes`.
        limit: usize,
    },
}

impl ProtocolError {
    /// The code for the close frame (RFC 6455 7.4.1).
    pub const fn close_code(self) -> u16 {
        match self {
            Self::CloseReasonNotUtf8 | Self::TextNotUtf8 => INVALID_PAYLOAD,
            Self::TooManyEmptyFragments => POLICY_VIOLATION,
            Self::MessageTooLarge { .. } => MESSAGE_TOO_BIG,
            _ => PROTOCOL_ERROR,
        }
    }
}
