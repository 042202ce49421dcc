// SPDX-License-Identifier: MIT OR Apache-2.0
//! Frames about the connection itself and its user, on no channel.

use std::fmt::Display;

use super::{Frame, text_of};
use crate::close::CloseCode;
use crate::json::write_string;
use crate::socket_id::SocketId;
use crate::user::UserId;

impl Frame {
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
