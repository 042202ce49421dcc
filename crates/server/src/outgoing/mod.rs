// SPDX-License-Identifier: MIT OR Apache-2.0
//! What goes out to the apps' own servers, whoever sends it: where to ([`url`]), over what
//! ([`client`]), and whom to trust ([`tls`]); or to the program that we are a part of
//! ([`program`]).
//!
//! HTTP/1.1 over TCP or TLS. It promises that nothing goes where nobody configured: no redirect is
//! followed, no proxy is used, and no receiver is believed whose certificate does not fit. It
//! never logs, counts or repeats anything: that is for those who send.

pub(crate) mod client;
pub(crate) mod program;
pub(crate) mod tls;
pub(crate) mod url;

pub use url::UrlError;
