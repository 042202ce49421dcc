// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every code with which Oyez closes a connection or reports an error on it, in one table.
//!
//! Pusher Channels protocol, "Connection closure": 4000–4099 tell the client never to come back,
//! 4100–4199 to come back after a second, 4200–4299 at once; 4300–4399 do not close.

/// Declares the codes with their texts.
macro_rules! codes {
    ($( $(#[doc = $doc:literal])+ $name:ident = $code:literal, $text:literal; )+) => {
        /// A close or error code with the text that a client is told.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum CloseCode { $( $(#[doc = $doc])+ $name, )+ }

        impl CloseCode {
            /// All codes, ascending.
            pub const ALL: &'static [CloseCode] = &[ $( CloseCode::$name, )+ ];

            /// The number on the wire.
            pub const fn code(self) -> u16 { match self { $( CloseCode::$name => $code, )+ } }

            /// What the client is told beside the number.
            pub const fn text(self) -> &'static str { match self { $( CloseCode::$name => $text, )+ } }
        }
    };
}

codes! {
    /// The server has nothing more to say (RFC 6455 7.4.1).
    Normal = 1000, "Goodbye";
    /// A plain connection to an app that wants TLS.
    TlsOnly = 4000, "This app accepts TLS connections only: connect with wss";
    /// No app has this key.
    UnknownApp = 4001, "Application does not exist";
    /// The app is switched off in the config.
    AppDisabled = 4003, "Application is disabled";
    /// The app has as many connections as its config allows.
    AppFull = 4004, "Application is over its connection limit (max_connections)";
    /// An upgrade on a path that is not `/app/KEY`.
    PathNotFound = 4005, "Path not found: connect to /app/KEY";
    /// `protocol` is not a number.
    BadProtocol = 4006, "Invalid protocol version: the query parameter `protocol` must be a number";
    /// A protocol that this server does not speak.
    UnsupportedProtocol = 4007, "Unsupported protocol version: this server speaks 5, 6 and 7";
    /// No `protocol` in the query.
    NoProtocol = 4008, "No protocol version supplied: add ?protocol=7";
    /// The connection may not do this: origin, sign-in, or a terminated user.
    Unauthorized = 4009, "Connection not authorized";
    /// The server is full, or this connection is too slow or too loud.
    OverCapacity = 4100, "Over capacity: come back in a moment";
    /// The server is about to stop; or the program that it is part of wants a connection to begin
    /// anew.
    Draining = 4200, "Server is going away: reconnect";
    /// Nothing was heard for `ping_after` and `pong_timeout`.
    PongTimeout = 4201, "Pong reply not received";
    /// Too many client events per second. Does not close.
    ClientEventRate = 4301, "Client event rejected: over the rate limit";
    /// A list in the message is longer than its limit. Does not close.
    ListTooLong = 4302, "List is over its limit";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_ascend_and_texts_fit_a_close_frame() {
        assert!(CloseCode::ALL.windows(2).all(|w| w[0].code() < w[1].code()));
        assert!(CloseCode::ALL.iter().all(|c| c.text().len() <= 123));
    }
}
