// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Frame`]: what the server says over a WebSocket, encoded once and shared by everybody who
//! hears it.
//!
//! `data` is a JSON *string* for channel events, `pusher_internal:*` and
//! `pusher:connection_established`, an object for `pusher:error`, `pusher:signin_success` and
//! `pusher:pong` (protocol section 2).

use std::fmt::Display;

use bytes::Bytes;

use crate::channel::ChannelName;
use crate::close::CloseCode;
use crate::json::write_string;
use crate::socket_id::SocketId;
use crate::user::{Member, UserId};
use crate::websocket::frame;

/// A WebSocket text frame, header and all, ready to be written. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame(Bytes);

/// What may stand in an event's frame beside `event`, `channel` and `data`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Extras<'a> {
    /// Who sent a client event on a presence channel.
    pub user_id: Option<&'a UserId>,
    /// The event's place in the channel's log, on channels with memory.
    pub offset: Option<u64>,
    /// Whether the event is shown again to a newcomer.
    pub replayed: Option<Replayed>,
}

/// Marks a frame that shows a remembered event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replayed;

/// The place of a subscription in its channel's log (`oyez` in `subscription_succeeded`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CutPosition<'a> {
    /// The numbering that the offset belongs to.
    pub epoch: &'a str,
    /// The authority that numbered last.
    pub term: &'a str,
    /// The last event before the subscription.
    pub offset: u64,
    /// How many replayed frames follow.
    pub replay: usize,
}

impl Frame {
    /// The bytes to write.
    pub fn bytes(&self) -> &Bytes {
        &self.0
    }

    /// Frames a JSON text that the writer appends.
    fn text(capacity: usize, write: impl FnOnce(&mut Vec<u8>)) -> Frame {
        let mut out = Vec::with_capacity(frame::HEADER_MAX + capacity);
        out.resize(frame::HEADER_MAX, 0);
        write(&mut out);
        Frame(frame::text(out))
    }

    /// An event on a channel; `data` arrives byte for byte.
    pub fn event(channel: &ChannelName, event: &str, data: &str, extras: Extras<'_>) -> Frame {
        let capacity = 96 + channel.as_str().len() + event.len() + data.len() + data.len() / 8;
        Frame::text(capacity, |out| {
            out.extend_from_slice(b"{\"event\":");
            write_string(out, event);
            out.extend_from_slice(b",\"channel\":");
            write_string(out, channel.as_str());
            out.extend_from_slice(b",\"data\":");
            write_string(out, data);
            if let Some(user_id) = extras.user_id {
                out.extend_from_slice(b",\"user_id\":");
                write_string(out, user_id.as_str());
            }
            if let Some(offset) = extras.offset {
                out.extend_from_slice(b",\"offset\":");
                out.extend_from_slice(itoa::Buffer::new().format(offset).as_bytes());
            }
            if extras.replayed.is_some() {
                out.extend_from_slice(b",\"replayed\":true");
            }
            out.push(b'}');
        })
    }

    /// `pusher:connection_established`, the first frame of every connection.
    pub fn connection_established(socket_id: SocketId, activity_timeout: u64) -> Frame {
        Frame::text(128, |out| {
            let data = format!(
                "{{\"event\":\"pusher:connection_established\",\"data\":\"{{\\\"socket_id\\\":\\\"{socket_id}\\\",\
                 \\\"activity_timeout\\\":{activity_timeout}}}\"}}"
            );
            out.extend_from_slice(data.as_bytes());
        })
    }

    /// `pusher:pong`.
    pub fn pong() -> Frame {
        Frame::text(40, |out| out.extend_from_slice(b"{\"event\":\"pusher:pong\",\"data\":{}}"))
    }

    /// `pusher:ping`, for clients that do not answer WebSocket pings.
    pub fn ping() -> Frame {
        Frame::text(40, |out| out.extend_from_slice(b"{\"event\":\"pusher:ping\",\"data\":{}}"))
    }

    /// `pusher:error`; without a code it says `null`.
    pub fn error(code: Option<CloseCode>, message: impl Display) -> Frame {
        let message = message.to_string();
        Frame::text(64 + message.len(), |out| {
            out.extend_from_slice(b"{\"event\":\"pusher:error\",\"data\":{\"code\":");
            match code {
                Some(code) => {
                    out.extend_from_slice(itoa::Buffer::new().format(code.code()).as_bytes())
                }
                None => out.extend_from_slice(b"null"),
            }
            out.extend_from_slice(b",\"message\":");
            write_string(out, &message);
            out.extend_from_slice(b"}}");
        })
    }

    /// `pusher_internal:subscription_succeeded` on a channel that is not a presence channel.
    pub fn subscription_succeeded(channel: &ChannelName, cut: Option<CutPosition<'_>>) -> Frame {
        let mut data = vec![b'{'];
        write_cut(&mut data, cut);
        data.push(b'}');
        internal(channel, "pusher_internal:subscription_succeeded", data)
    }

    /// The same on a presence channel, with its members.
    pub fn presence_succeeded<'a>(
        channel: &ChannelName,
        members: impl Iterator<Item = &'a Member> + Clone,
        cut: Option<CutPosition<'_>>,
    ) -> Frame {
        let mut data = b"{\"presence\":{\"ids\":[".to_vec();
        let mut count = 0_usize;
        for member in members.clone() {
            if count > 0 {
                data.push(b',');
            }
            write_string(&mut data, member.user_id.as_str());
            count += 1;
        }
        data.extend_from_slice(b"],\"hash\":{");
        for (at, member) in members.enumerate() {
            if at > 0 {
                data.push(b',');
            }
            write_string(&mut data, member.user_id.as_str());
            data.push(b':');
            data.extend_from_slice(member.user_info.as_deref().unwrap_or("null").as_bytes());
        }
        data.extend_from_slice(b"},\"count\":");
        data.extend_from_slice(itoa::Buffer::new().format(count).as_bytes());
        data.push(b'}');
        if cut.is_some() {
            data.push(b',');
            write_cut(&mut data, cut);
        }
        data.push(b'}');
        internal(channel, "pusher_internal:subscription_succeeded", data)
    }

    /// `pusher:subscription_error`, which reaches the page's handler on that channel.
    pub fn subscription_error(
        channel: &ChannelName,
        kind: &str,
        error: impl Display,
        status: u16,
    ) -> Frame {
        let error = error.to_string();
        Frame::text(128 + error.len(), |out| {
            out.extend_from_slice(b"{\"event\":\"pusher:subscription_error\",\"channel\":");
            write_string(out, channel.as_str());
            out.extend_from_slice(b",\"data\":{\"type\":");
            write_string(out, kind);
            out.extend_from_slice(b",\"error\":");
            write_string(out, &error);
            out.extend_from_slice(b",\"status\":");
            out.extend_from_slice(itoa::Buffer::new().format(status).as_bytes());
            out.extend_from_slice(b"}}");
        })
    }

    /// `pusher_internal:member_added`.
    pub fn member_added(channel: &ChannelName, member: &Member) -> Frame {
        let mut data = b"{\"user_id\":".to_vec();
        write_string(&mut data, member.user_id.as_str());
        data.extend_from_slice(b",\"user_info\":");
        data.extend_from_slice(member.user_info.as_deref().unwrap_or("null").as_bytes());
        data.push(b'}');
        internal(channel, "pusher_internal:member_added", data)
    }

    /// `pusher_internal:member_removed`.
    pub fn member_removed(channel: &ChannelName, user_id: &UserId) -> Frame {
        let mut data = b"{\"user_id\":".to_vec();
        write_string(&mut data, user_id.as_str());
        data.push(b'}');
        internal(channel, "pusher_internal:member_removed", data)
    }

    /// `pusher_internal:subscription_count`.
    pub fn subscription_count(channel: &ChannelName, count: usize) -> Frame {
        let data = format!("{{\"subscription_count\":{count}}}");
        internal(channel, "pusher_internal:subscription_count", data.into_bytes())
    }

    /// `pusher:cache_miss`.
    pub fn cache_miss(channel: &ChannelName) -> Frame {
        internal(channel, "pusher:cache_miss", b"{}".to_vec())
    }

    /// `pusher:signin_success`.
    pub fn signin_success(user_data: &str) -> Frame {
        Frame::text(64 + user_data.len() * 2, |out| {
            out.extend_from_slice(b"{\"event\":\"pusher:signin_success\",\"data\":{\"user_data\":");
            write_string(out, user_data);
            out.extend_from_slice(b"}}");
        })
    }

    /// `pusher_internal:watchlist_events`, with only the lists that hold somebody; `None` when
    /// both are empty.
    pub fn watchlist_events(online: &[UserId], offline: &[UserId]) -> Option<Frame> {
        let lists = [("online", online), ("offline", offline)];
        let mut data = b"{\"events\":[".to_vec();
        let mut first = true;
        for (name, ids) in lists.into_iter().filter(|(_, ids)| !ids.is_empty()) {
            if !first {
                data.push(b',');
            }
            first = false;
            data.extend_from_slice(format!("{{\"name\":\"{name}\",\"user_ids\":[").as_bytes());
            for (at, id) in ids.iter().enumerate() {
                if at > 0 {
                    data.push(b',');
                }
                write_string(&mut data, id.as_str());
            }
            data.extend_from_slice(b"]}");
        }
        data.extend_from_slice(b"]}");
        let data = text_of(data);
        (!first).then(|| {
            Frame::text(64 + data.len() * 2, |out| {
                out.extend_from_slice(b"{\"event\":\"pusher_internal:watchlist_events\",\"data\":");
                write_string(out, &data);
                out.push(b'}');
            })
        })
    }
}

fn write_cut(data: &mut Vec<u8>, cut: Option<CutPosition<'_>>) {
    let Some(CutPosition { epoch, term, offset, replay }) = cut else { return };
    let text = format!(
        "\"oyez\":{{\"epoch\":\"{epoch}\",\"term\":\"{term}\",\"offset\":{offset},\"resumed\":false,\"replay\":{replay}}}"
    );
    data.extend_from_slice(text.as_bytes());
}

fn text_of(data: Vec<u8>) -> String {
    String::from_utf8(data).expect("built from texts alone")
}

fn internal(channel: &ChannelName, event: &str, data: Vec<u8>) -> Frame {
    Frame::event(channel, event, &text_of(data), Extras::default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn payload(frame: &Frame) -> Value {
        let bytes = frame.bytes();
        assert_eq!(bytes[0], 0x81);
        let start = match bytes[1] {
            126 => 4,
            127 => 10,
            _ => 2,
        };
        serde_json::from_slice(&bytes[start..]).expect("valid JSON")
    }

    fn channel(name: &str) -> ChannelName {
        ChannelName::parse(name, 200).expect("a valid name")
    }

    #[test]
    fn p011_data_arrives_byte_for_byte_at_every_length() {
        let odd = "\u{0}\u{1}\"\\/\u{7f}\u{2028}é😀\r\n\t";
        for length in [0, 1, 60, 61, 62, 63, 100, 125, 126, 127, 1000, 65_400, 65_535, 70_000] {
            let data = odd.chars().cycle().take(length).collect::<String>();
            let frame = Frame::event(&channel("a"), "e", &data, Extras::default());
            assert_eq!(payload(&frame), json!({"event":"e","channel":"a","data":data}));
        }
    }

    #[test]
    fn p001_the_first_frame_has_its_data_as_a_string() {
        let id = SocketId::random();
        let value = payload(&Frame::connection_established(id, 120));
        let data: Value = serde_json::from_str(value["data"].as_str().expect("a string")).unwrap();
        assert_eq!(data, json!({"socket_id": id.to_string(), "activity_timeout": 120}));
    }

    #[test]
    fn p029_members_are_ids_hash_and_count() {
        let members = [
            Member { user_id: UserId::of("1"), user_info: Some(r#"{"name":"A"}"#.into()) },
            Member { user_id: UserId::of("2"), user_info: None },
        ];
        let cut = CutPosition { epoch: "e", term: "t", offset: 4, replay: 1 };
        let frame = Frame::presence_succeeded(&channel("presence-a"), members.iter(), Some(cut));
        let data: Value = serde_json::from_str(payload(&frame)["data"].as_str().unwrap()).unwrap();
        assert_eq!(
            data["presence"],
            json!({"ids":["1","2"],"hash":{"1":{"name":"A"},"2":null},"count":2})
        );
        assert_eq!(
            data["oyez"],
            json!({"epoch":"e","term":"t","offset":4,"resumed":false,"replay":1})
        );
    }

    #[test]
    fn p058_only_the_lists_that_hold_somebody_are_sent() {
        let frame = Frame::watchlist_events(&[UserId::of("a\"")], &[]).expect("somebody");
        let data: Value = serde_json::from_str(payload(&frame)["data"].as_str().unwrap()).unwrap();
        assert_eq!(data, json!({"events":[{"name":"online","user_ids":["a\""]}]}));
        assert_eq!(Frame::watchlist_events(&[], &[]), None);
    }
}
