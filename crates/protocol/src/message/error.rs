// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`MessageError`]: what a client is told of a message that was refused.

use crate::channel::ChannelName;
use crate::close::CloseCode;

/// Why a message was refused. The connection lives.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct MessageError {
    /// The code of the `pusher:error`, where the protocol has one.
    pub code: Option<CloseCode>,
    /// What was wrong and what to do.
    pub message: String,
    /// The subscription that fails by it: the page's handler on that channel shall hear it.
    pub subscription: Option<FailedSubscription>,
}

/// What `pusher:subscription_error` says beside its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedSubscription {
    /// Which channel.
    pub channel: ChannelName,
    /// `type`.
    pub kind: &'static str,
    /// `status`.
    pub status: u16,
}

impl MessageError {
    /// An error for which the protocol has no code.
    pub fn new(message: impl Into<String>) -> MessageError {
        MessageError { code: None, message: message.into(), subscription: None }
    }

    /// An error with its code.
    pub fn with_code(code: CloseCode, message: impl Into<String>) -> MessageError {
        MessageError { code: Some(code), ..MessageError::new(message) }
    }

    /// A subscription that fails because its `auth` cannot be one (401).
    pub fn bad_auth(channel: &ChannelName, message: impl Into<String>) -> MessageError {
        MessageError::failing(channel, "AuthError", 401, message)
    }

    /// A subscription that fails because something else in its data cannot be (400).
    pub fn bad_data(channel: &ChannelName, message: impl Into<String>) -> MessageError {
        MessageError::failing(channel, "InvalidData", 400, message)
    }

    fn failing(
        channel: &ChannelName,
        kind: &'static str,
        status: u16,
        message: impl Into<String>,
    ) -> MessageError {
        let failed = FailedSubscription { channel: channel.clone(), kind, status };
        MessageError { subscription: Some(failed), ..MessageError::new(message) }
    }
}
