// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a client sends, from bytes to events (RFC 6455 5 to 8).
//!
//! The bytes belong to whoever read them: a message that lies in them whole is unmasked where it is
//! and handed out without a copy. Only what is incomplete is kept here, on the heap, and given back
//! as soon as it is complete; a connection that is between messages holds two words. Time and
//! memory are linear in what the client sent, and memory is bounded by the limit on messages.
//! Answers are the caller's: the decoder sends nothing.

use super::header::{CLIENT_HEADER_MAX, Context, Fin, FrameHeader};
use super::mask::unmask;
use super::message::Message;
use super::{Close, ProtocolError, frame::Opcode};

/// The most empty fragments in one message. Fragments with a payload are bounded by the limit on
/// the message; these are not, and so that a message always ends they get a bound of their own.
const EMPTY_FRAGMENTS_MAX: u8 = 64;

/// Something that the client said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A text message, all of it.
    Text(&'a str),
    /// A binary message, all of it.
    Binary(&'a [u8]),
    /// To be answered by a pong with the same payload of at most 125 bytes.
    Ping(&'a [u8]),
    /// An answer to a ping, or a sign of life.
    Pong(&'a [u8]),
    /// The client closes, or answers our close frame. No event follows.
    Close(Option<Close<'a>>),
}

/// The state of one connection's incoming half. Between messages it holds no heap.
///
/// ```
/// use oyez_protocol::websocket::{Decoder, Event};
///
/// let mut decoder = Decoder::default();
/// // A masked text frame "Hello" (RFC 6455 5.7), and the first byte of another frame.
/// let mut read = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58, 0x81];
/// let mut input = &mut read[..];
/// let mut heard = Vec::new();
/// while let Some(event) = decoder.next(&mut input, 1024)? {
///     if let Event::Text(text) = event {
///         heard.push(text.to_owned());
///     }
/// }
/// assert_eq!(heard, ["Hello"]);
/// assert!(input.is_empty() && decoder.is_within_message());
/// # Ok::<(), oyez_protocol::websocket::ProtocolError>(())
/// ```
#[derive(Debug, Default)]
pub struct Decoder {
    state: State,
}

/// Idle connections are many: what each of them holds is counted.
const _: () = assert!(size_of::<Decoder>() <= 16);

#[derive(Debug, Default)]
enum State {
    /// Between messages, nothing kept.
    #[default]
    Idle,
    /// Within a frame or within a fragmented message.
    Within(Box<Within>),
    /// After a close frame or an error: whatever comes is thrown away.
    Finished,
}

/// What is kept of something incomplete, or of an assembled event until the next call.
#[derive(Debug, Default)]
struct Within {
    frame: Frame,
    /// The data message that is open.
    message: Option<Message>,
    /// Payload so far of a control frame that came in pieces.
    control: Vec<u8>,
    empty_fragments: u8,
    /// What the last call handed out from here, to be released by the next one.
    handed_out: Option<HandedOut>,
}

/// How far the current frame has come.
#[derive(Debug, Default)]
enum Frame {
    /// No byte of it has come.
    #[default]
    None,
    Header {
        bytes: [u8; CLIENT_HEADER_MAX],
        len: usize,
    },
    Payload {
        header: FrameHeader,
        received: usize,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HandedOut {
    Message,
    Control,
    Close,
}

/// One move of the decoder.
enum Step<'b> {
    /// All input is consumed, and more is needed.
    Starved,
    /// A part of a message was taken in; there may be more input.
    Absorbed,
    /// An event that lies in the caller's input.
    InPlace(Event<'b>),
    /// The message that is kept is complete.
    Message,
    /// The control frame that is kept is complete.
    Control(Opcode),
}

impl Decoder {
    /// Gives the next event in `input`, and moves the start of `input` behind what it consumed.
    ///
    /// `None` means that all of `input` is consumed, and what is incomplete is kept. The caller may
    /// stop after any event: `input` is then what has not been looked at, to be given to a later
    /// call before any newer bytes, or dropped with the connection. `message_bytes` is the most
    /// that a message may have; a larger one is refused with its header, before any of its payload
    /// is kept.
    ///
    /// # Errors
    /// The client's first violation, at the earliest byte that shows it. After an error, and after
    /// [`Event::Close`], further input is consumed and ignored.
    pub fn next<'e, 'b: 'e>(
        &'e mut self,
        input: &mut &'b mut [u8],
        message_bytes: usize,
    ) -> Result<Option<Event<'e>>, ProtocolError> {
        self.release();
        let step = loop {
            match self.step(input, message_bytes) {
                Ok(Step::Starved) => return Ok(None),
                Ok(Step::Absorbed) => {}
                Ok(Step::InPlace(event)) => {
                    if matches!(event, Event::Close(_)) {
                        self.state = State::Finished;
                    }
                    return Ok(Some(event));
                }
                Ok(step) => break step,
                Err(error) => {
                    self.state = State::Finished;
                    return Err(error);
                }
            }
        };
        self.kept_event(&step).map(Some)
    }

    /// Whether the client has begun something that it has not completed: a frame or a message.
    pub fn is_within_message(&self) -> bool {
        let State::Within(within) = &self.state else { return false };
        match within.handed_out {
            None => true,
            Some(HandedOut::Control) => within.message.is_some(),
            Some(HandedOut::Message | HandedOut::Close) => false,
        }
    }

    /// Bytes of heap that the connection's unfinished business holds.
    pub fn heap_bytes(&self) -> usize {
        match &self.state {
            State::Idle | State::Finished => 0,
            State::Within(within) => {
                size_of::<Within>()
                    + within.control.capacity()
                    + within.message.as_ref().map_or(0, Message::capacity)
            }
        }
    }

    /// Frees what the last event borrowed from here.
    fn release(&mut self) {
        let State::Within(within) = &mut self.state else { return };
        match within.handed_out.take() {
            None => {}
            Some(HandedOut::Control) if within.message.is_some() => within.control = Vec::new(),
            Some(HandedOut::Control | HandedOut::Message) => self.state = State::Idle,
            Some(HandedOut::Close) => self.state = State::Finished,
        }
    }

    /// The kept event that `step` found complete and without fault.
    fn kept_event(&self, step: &Step<'_>) -> Result<Event<'_>, ProtocolError> {
        let State::Within(within) = &self.state else { unreachable!("something is kept") };
        match (step, &within.message) {
            (Step::Control(opcode), _) => control_event(*opcode, &within.control),
            (_, Some(Message::Text { text, .. })) => Ok(Event::Text(text)),
            (_, Some(Message::Binary(bytes))) => Ok(Event::Binary(bytes)),
            (_, None) => unreachable!("a complete message is kept until the next call"),
        }
    }

    fn step<'b>(
        &mut self,
        input: &mut &'b mut [u8],
        message_bytes: usize,
    ) -> Result<Step<'b>, ProtocolError> {
        let open_message = match &self.state {
            State::Finished => {
                *input = &mut [];
                return Ok(Step::Starved);
            }
            State::Idle => None,
            State::Within(within) => match &within.frame {
                Frame::None => within.message.as_ref().map(Message::len),
                Frame::Header { .. } | Frame::Payload { .. } => {
                    return self.within().resume(input, message_bytes);
                }
            },
        };
        // At the start of a frame.
        if input.is_empty() {
            return Ok(Step::Starved);
        }
        let context = Context { open_message, message_bytes };
        let Some((header, header_len)) = FrameHeader::parse(input, context)? else {
            let mut bytes = [0; CLIENT_HEADER_MAX];
            let len = input.len();
            bytes[..len].copy_from_slice(input);
            *input = &mut [];
            self.within().frame = Frame::Header { bytes, len };
            return Ok(Step::Starved);
        };
        take(input, header_len);
        if input.len() < header.payload {
            let within = self.within();
            within.frame = Frame::Payload { header, received: 0 };
            return within.payload(header, 0, input, message_bytes);
        }
        let payload = take(input, header.payload);
        unmask(payload, header.key, 0);
        match (header.opcode, header.fin) {
            (Opcode::Ping | Opcode::Pong | Opcode::Close, _) => {
                control_event(header.opcode, payload).map(Step::InPlace)
            }
            (Opcode::Text, Fin::Last) => std::str::from_utf8(payload)
                .map(|text| Step::InPlace(Event::Text(text)))
                .map_err(|_| ProtocolError::TextNotUtf8),
            (Opcode::Binary, Fin::Last) => Ok(Step::InPlace(Event::Binary(payload))),
            _ => {
                let within = self.within();
                within.absorb(header, payload, message_bytes)?;
                within.end_frame(header)
            }
        }
    }

    /// The place for what is incomplete.
    fn within(&mut self) -> &mut Within {
        if !matches!(self.state, State::Within(_)) {
            self.state = State::Within(Box::default());
        }
        let State::Within(within) = &mut self.state else { unreachable!("just set") };
        within
    }
}

impl Within {
    /// Goes on with a frame that has begun.
    fn resume<'b>(
        &mut self,
        input: &mut &'b mut [u8],
        message_bytes: usize,
    ) -> Result<Step<'b>, ProtocolError> {
        let context =
            Context { open_message: self.message.as_ref().map(Message::len), message_bytes };
        let (header, received) = match &mut self.frame {
            Frame::None => unreachable!("a frame has begun"),
            Frame::Payload { header, received } => (*header, *received),
            Frame::Header { bytes, len } => loop {
                if input.is_empty() {
                    return Ok(Step::Starved);
                }
                bytes[*len] = take(input, 1)[0];
                *len += 1;
                if let Some((header, _)) = FrameHeader::parse(&bytes[..*len], context)? {
                    break (header, 0);
                }
            },
        };
        self.payload(header, received, input, message_bytes)
    }

    /// Takes what is there of a payload of which `received` bytes have come.
    fn payload<'b>(
        &mut self,
        header: FrameHeader,
        received: usize,
        input: &mut &'b mut [u8],
        message_bytes: usize,
    ) -> Result<Step<'b>, ProtocolError> {
        let available = input.len().min(header.payload - received);
        let part = take(input, available);
        unmask(part, header.key, received);
        let received = received + available;
        self.frame = Frame::Payload { header, received };
        if header.opcode.is_control() {
            self.control.extend_from_slice(part);
        } else {
            self.absorb(header, part, message_bytes)?;
        }
        if received < header.payload { Ok(Step::Starved) } else { self.end_frame(header) }
    }

    /// Joins unmasked payload of a data frame to the open message, or opens one with it.
    fn absorb(
        &mut self,
        header: FrameHeader,
        part: &[u8],
        message_bytes: usize,
    ) -> Result<(), ProtocolError> {
        if header.payload == 0 {
            self.empty_fragments += 1;
            if self.empty_fragments > EMPTY_FRAGMENTS_MAX {
                return Err(ProtocolError::TooManyEmptyFragments);
            }
        }
        let message = self.message.get_or_insert_with(|| match header.opcode {
            Opcode::Binary => Message::binary(),
            _ => Message::text(),
        });
        // A last frame says how long the message is; a first one that is not last does not.
        let most = match (header.fin, header.opcode) {
            (Fin::Last, Opcode::Text | Opcode::Binary) => header.payload,
            _ => message_bytes,
        };
        message.append(part, most)
    }

    /// All payload of a frame has come.
    fn end_frame<'b>(&mut self, header: FrameHeader) -> Result<Step<'b>, ProtocolError> {
        self.frame = Frame::None;
        match (header.opcode, header.fin) {
            (Opcode::Close, _) => {
                Close::parse(&self.control)?;
                self.handed_out = Some(HandedOut::Close);
            }
            (Opcode::Ping | Opcode::Pong, _) => self.handed_out = Some(HandedOut::Control),
            (_, Fin::More) => return Ok(Step::Absorbed),
            (_, Fin::Last) => {
                self.message.as_ref().map_or(Ok(()), Message::check_end)?;
                self.handed_out = Some(HandedOut::Message);
                return Ok(Step::Message);
            }
        }
        Ok(Step::Control(header.opcode))
    }
}

/// Takes the first `count` bytes off the input.
fn take<'b>(input: &mut &'b mut [u8], count: usize) -> &'b mut [u8] {
    let (taken, rest) = std::mem::take(input).split_at_mut(count);
    *input = rest;
    taken
}

/// The event of a complete control frame.
fn control_event(opcode: Opcode, payload: &[u8]) -> Result<Event<'_>, ProtocolError> {
    match opcode {
        Opcode::Close => Close::parse(payload).map(Event::Close),
        Opcode::Ping => Ok(Event::Ping(payload)),
        _ => Ok(Event::Pong(payload)),
    }
}
