// SPDX-License-Identifier: MIT OR Apache-2.0
//! Frames about one subscription: that it is, that it cannot be, and who else is there.

use std::fmt::Display;

use super::cut::write_cut;
use super::{CutPosition, Frame, internal};
use crate::channel::ChannelName;
use crate::json::write_string;
use crate::user::{Member, UserId};

impl Frame {
    /// `pusher_internal:subscription_succeeded` on a channel that is not a presence channel.
    pub fn subscription_succeeded(channel: &ChannelName, cut: Option<CutPosition>) -> Frame {
        let mut data = vec![b'{'];
        if let Some(cut) = cut {
            write_cut(&mut data, cut);
        }
        data.push(b'}');
        internal(channel, "pusher_internal:subscription_succeeded", data)
    }

    /// The same on a presence channel, with its members.
    pub fn presence_succeeded<'a>(
        channel: &ChannelName,
        members: impl Iterator<Item = &'a Member> + Clone,
        cut: Option<CutPosition>,
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
        if let Some(cut) = cut {
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
}
