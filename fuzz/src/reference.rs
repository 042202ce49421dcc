// SPDX-License-Identifier: MIT OR Apache-2.0
//! A slow WebSocket decoder that is plainly right: it has the whole stream, copies everything and
//! looks at text character by character along table 3-7 of the Unicode standard. It shares no code
//! with the one it judges.

use oyez_protocol::websocket::ProtocolError;

/// An event, in bytes of its own.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Said {
    Text(Vec<u8>),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<(u16, Vec<u8>)>),
}

/// All that a stream says, and the fault that ends it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Heard {
    pub(crate) said: Vec<Said>,
    pub(crate) fault: Option<ProtocolError>,
}

/// The most empty fragments of one message.
const EMPTY_FRAGMENTS_MAX: usize = 64;

/// Decodes a whole stream.
pub(crate) fn hear(stream: &[u8], limit: usize) -> Heard {
    let mut heard = Heard::default();
    let mut stream = Stream { bytes: stream, at: 0 };
    if let Err(End::Fault(fault)) = hear_frames(&mut stream, limit, &mut heard.said) {
        heard.fault = Some(fault);
    }
    heard
}

/// Why no more is said.
enum End {
    Starved,
    Closed,
    Fault(ProtocolError),
}

impl From<ProtocolError> for End {
    fn from(fault: ProtocolError) -> Self {
        Self::Fault(fault)
    }
}

struct Stream<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Stream<'_> {
    fn byte(&mut self) -> Result<u8, End> {
        let byte = *self.bytes.get(self.at).ok_or(End::Starved)?;
        self.at += 1;
        Ok(byte)
    }

    fn number(&mut self, bytes: usize) -> Result<u64, End> {
        let mut number = 0;
        for _ in 0..bytes {
            number = number << 8 | u64::from(self.byte()?);
        }
        Ok(number)
    }
}

/// The message that is open.
struct Open {
    is_text: bool,
    bytes: Vec<u8>,
    empty: usize,
}

fn hear_frames(stream: &mut Stream<'_>, limit: usize, said: &mut Vec<Said>) -> Result<(), End> {
    let mut open: Option<Open> = None;
    loop {
        let first = stream.byte()?;
        let last = first >= 128;
        let opcode = first % 16;
        if first / 16 % 8 != 0 {
            return Err(ProtocolError::ReservedBit.into());
        }
        match opcode {
            0 if open.is_none() => return Err(ProtocolError::NothingToContinue.into()),
            1 | 2 if open.is_some() => return Err(ProtocolError::MessageNotComplete.into()),
            0..=2 => {}
            8..=10 if !last => return Err(ProtocolError::ControlFragmented.into()),
            8..=10 => {}
            _ => return Err(ProtocolError::ReservedOpcode(opcode).into()),
        }
        let control = opcode >= 8;

        let second = stream.byte()?;
        if second < 128 {
            return Err(ProtocolError::Unmasked.into());
        }
        let length = match second - 128 {
            126 | 127 if control => return Err(ProtocolError::ControlTooLong.into()),
            126 => {
                let length = stream.number(2)?;
                if length < 126 {
                    return Err(ProtocolError::LengthNotMinimal.into());
                }
                length
            }
            127 => {
                let length = stream.number(8)?;
                if length >= 1 << 63 {
                    return Err(ProtocolError::LengthTopBit.into());
                }
                if length < 65_536 {
                    return Err(ProtocolError::LengthNotMinimal.into());
                }
                length
            }
            length => u64::from(length),
        };
        let before = open.as_ref().map_or(0, |open| open.bytes.len());
        if !control && u128::from(length) + before as u128 > limit as u128 {
            return Err(ProtocolError::MessageTooLarge { limit }.into());
        }
        let key = stream.number(4)?.to_be_bytes();

        if control {
            let mut payload = Vec::new();
            for at in 0..length as usize {
                payload.push(stream.byte()? ^ key[4 + at % 4]);
            }
            match opcode {
                8 => {
                    said.push(Said::Close(close(&payload)?));
                    return Err(End::Closed);
                }
                9 => said.push(Said::Ping(payload)),
                _ => said.push(Said::Pong(payload)),
            }
            continue;
        }

        let message =
            open.get_or_insert(Open { is_text: opcode == 1, bytes: Vec::new(), empty: 0 });
        // An empty message in one frame is no fragment.
        if length == 0 && !(last && opcode != 0) {
            message.empty += 1;
            if message.empty > EMPTY_FRAGMENTS_MAX {
                return Err(ProtocolError::TooManyEmptyFragments.into());
            }
        }
        let mut starved = false;
        for at in 0..length as usize {
            match stream.byte() {
                Ok(byte) => message.bytes.push(byte ^ key[4 + at % 4]),
                Err(_) => {
                    starved = true;
                    break;
                }
            }
        }
        let utf8 = if message.is_text { utf8(&message.bytes) } else { Utf8::Whole };
        match utf8 {
            Utf8::Bad => return Err(ProtocolError::TextNotUtf8.into()),
            _ if starved => return Err(End::Starved),
            Utf8::Cut if last => return Err(ProtocolError::TextNotUtf8.into()),
            _ => {}
        }
        if last && let Some(Open { is_text, bytes, .. }) = open.take() {
            said.push(if is_text { Said::Text(bytes) } else { Said::Binary(bytes) });
        }
    }
}

fn close(payload: &[u8]) -> Result<Option<(u16, Vec<u8>)>, ProtocolError> {
    if payload.is_empty() {
        return Ok(None);
    }
    if payload.len() == 1 {
        return Err(ProtocolError::CloseCodeCut);
    }
    let code = u16::from(payload[0]) * 256 + u16::from(payload[1]);
    let named = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011];
    if !named.contains(&code) && !(3000..5000).contains(&code) {
        return Err(ProtocolError::CloseCodeInvalid(code));
    }
    match utf8(&payload[2..]) {
        Utf8::Whole => Ok(Some((code, payload[2..].to_vec()))),
        _ => Err(ProtocolError::CloseReasonNotUtf8),
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Utf8 {
    /// Nothing but whole characters.
    Whole,
    /// The end is the start of a character.
    Cut,
    /// No further byte can make it text.
    Bad,
}

fn utf8(bytes: &[u8]) -> Utf8 {
    let mut at = 0;
    while at < bytes.len() {
        let (more, second) = match bytes[at] {
            0x00..=0x7f => (0, 0x80..=0xbf),
            0xc2..=0xdf => (1, 0x80..=0xbf),
            0xe0 => (2, 0xa0..=0xbf),
            0xed => (2, 0x80..=0x9f),
            0xe1..=0xef => (2, 0x80..=0xbf),
            0xf0 => (3, 0x90..=0xbf),
            0xf1..=0xf3 => (3, 0x80..=0xbf),
            0xf4 => (3, 0x80..=0x8f),
            _ => return Utf8::Bad,
        };
        for nth in 1..=more {
            let Some(byte) = bytes.get(at + nth) else { return Utf8::Cut };
            let allowed = if nth == 1 { second.clone() } else { 0x80..=0xbf };
            if !allowed.contains(byte) {
                return Utf8::Bad;
            }
        }
        at += 1 + more;
    }
    Utf8::Whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_agrees_with_the_standard_library() {
        for a in 0..=255u8 {
            for b in 0..=255u8 {
                for rest in [&b""[..], b"\x80", b"\x80\xbf", b"xy"] {
                    let bytes = [&[a, b][..], rest].concat();
                    let expected = match std::str::from_utf8(&bytes) {
                        Ok(_) => Utf8::Whole,
                        Err(error) if error.error_len().is_none() => Utf8::Cut,
                        Err(_) => Utf8::Bad,
                    };
                    assert_eq!(utf8(&bytes), expected, "{bytes:02x?}");
                }
            }
        }
    }
}
