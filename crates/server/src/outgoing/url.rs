// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads the URLs of a config, and shows them without what may be secret.

use hyper::Uri;
use hyper::http::uri::Scheme;

/// Why nothing can be sent to a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// It cannot be read at all.
    #[error("it is not a URL (international names and spaces must be encoded)")]
    Syntax,
    /// Neither `http` nor `https`.
    #[error("it must begin with http:// or https://")]
    Scheme,
    /// A user name or a password in it would show up wherever the URL does.
    #[error(
        "it must not hold a user name or password: a receiver knows Oyez by the signature in \
         X-Pusher-Signature"
    )]
    Login,
}

/// Reads a URL to which something can be sent.
pub(crate) fn parse(url: &str) -> Result<Uri, UrlError> {
    let uri: Uri = url.parse().map_err(|_| UrlError::Syntax)?;
    if uri.scheme() != Some(&Scheme::HTTP) && uri.scheme() != Some(&Scheme::HTTPS) {
        return Err(UrlError::Scheme);
    }
    let authority = uri.authority().ok_or(UrlError::Syntax)?;
    if authority.as_str().contains('@') {
        return Err(UrlError::Login);
    }
    if authority.host().is_empty() {
        return Err(UrlError::Syntax);
    }
    Ok(uri)
}

/// Whether it is reached by TLS.
pub(crate) fn is_https(uri: &Uri) -> bool {
    uri.scheme() == Some(&Scheme::HTTPS)
}

/// The URL without its query, which may hold a token: what logs and metrics may show.
pub(crate) fn without_query(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or_default()
}
