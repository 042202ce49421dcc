// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Caller`]: from which network address a request comes.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::HeaderMap;
use axum::http::request::Parts;

use crate::app::App;
use crate::error::Error;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// The bits of an IPv6 address that say whose it is. The others its owner chooses at will.
const IPV6_NETWORK: u128 = !0 << 64;

/// The address that is asked to keep a pace: of one connection, in IPv6 of one network (/64).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Caller(IpAddr);

impl Caller {
    pub(crate) fn new(address: IpAddr) -> Caller {
        Caller(match address.to_canonical() {
            IpAddr::V6(address) => {
                IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & IPV6_NETWORK))
            }
            address => address,
        })
    }
}

/// Whom the proxy names. Each proxy adds whom it saw at the end, so only the last is ours to
/// believe: all before it may be the caller's invention.
fn forwarded(headers: &HeaderMap) -> Option<IpAddr> {
    let last = headers.get_all(FORWARDED_FOR).iter().next_back()?;
    last.to_str().ok()?.rsplit(',').next()?.trim().parse().ok()
}

impl FromRequestParts<App> for Caller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Caller, Error> {
        let forwarded = match app.config.behind_proxy {
            true => forwarded(&parts.headers),
            false => None,
        };
        let peer =
            || parts.extensions.get().map(|ConnectInfo(peer): &ConnectInfo<SocketAddr>| peer.ip());
        let address = forwarded.or_else(peer);
        address.map(Caller::new).ok_or_else(|| Error::Broken("nobody says who calls".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn caller(address: &str) -> Caller {
        Caller::new(address.parse().expect("an address"))
    }

    #[test]
    fn an_ipv6_network_is_one_caller() {
        assert_eq!(caller("2001:db8:1:2:3:4:5:6"), caller("2001:db8:1:2::1"));
        assert_ne!(caller("2001:db8:1:2::1"), caller("2001:db8:1:3::1"));
        assert_ne!(caller("192.0.2.1"), caller("192.0.2.2"));
        assert_eq!(caller("::ffff:192.0.2.1"), caller("192.0.2.1"));
        assert_ne!(caller("::ffff:192.0.2.1"), caller("::ffff:192.0.2.2"));
    }

    #[test]
    fn only_what_the_last_proxy_says_counts() {
        let mut headers = HeaderMap::new();
        assert_eq!(forwarded(&headers), None);
        headers.append(FORWARDED_FOR, HeaderValue::from_static("192.0.2.1"));
        headers.append(FORWARDED_FOR, HeaderValue::from_static("192.0.2.2, 192.0.2.3"));
        assert_eq!(forwarded(&headers), "192.0.2.3".parse().ok());
        headers.append(FORWARDED_FOR, HeaderValue::from_static("unknown"));
        assert_eq!(forwarded(&headers), None);
    }
}
