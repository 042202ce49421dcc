// SPDX-License-Identifier: MIT OR Apache-2.0
//! The payload of a client's close frame (RFC 6455 5.5.1 and 7.4).

use super::ProtocolError;

/// Why the client closes: a code that may be sent, and a reason that may be empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Close<'a> {
    /// 1000–1003, 1007–1011 or 3000–4999.
    pub code: u16,
    /// At most 123 bytes.
    pub reason: &'a str,
}

impl<'a> Close<'a> {
    /// Reads an unmasked payload; `None` for an empty one, which is a close without a code.
    pub(super) fn parse(payload: &'a [u8]) -> Result<Option<Self>, ProtocolError> {
        let (code, reason) = match payload {
            [] => return Ok(None),
            [_] => return Err(ProtocolError::CloseCodeCut),
            [high, low, reason @ ..] => (u16::from_be_bytes([*high, *low]), reason),
        };
        if !may_be_sent(code) {
            return Err(ProtocolError::CloseCodeInvalid(code));
        }
        let reason = std::str::from_utf8(reason).map_err(|_| ProtocolError::CloseReasonNotUtf8)?;
        Ok(Some(Self { code, reason }))
    }
}

/// Whether an endpoint may put this code into a close frame (RFC 6455 7.4.1 and 7.4.2).
const fn may_be_sent(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1011 | 3000..=4999)
}
