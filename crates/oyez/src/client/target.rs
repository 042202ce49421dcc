// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Target`]: the server and app that a client command speaks to, and how it is found.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use oyez::config::{self, Environment, Mode, Sources};
use oyez::development;
use oyez_protocol::auth::Credentials;
use oyez_protocol::secret::Secret;
use oyez_server::options::AppOptions;
use percent_encoding::percent_decode_str;

use crate::cli::ClientArgs;
use crate::failure::Failure;

/// What `--url` must look like.
const FORM: &str = "--url (or OYEZ_URL) must look like http://KEY:SECRET@HOST:PORT/apps/ID";

/// One app of one server.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) transport: Transport,
    /// `HOST` or `HOST:PORT`, as it stands in a URL.
    pub(crate) authority: String,
    /// What stands before `/app` and `/apps`.
    pub(crate) prefix: String,
    pub(crate) id: String,
    pub(crate) key: String,
    pub(crate) secret: Secret,
}

/// What carries HTTP and WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Plain,
    Tls,
}

impl Target {
    /// Looks where the command line says: the URL, the config file, or the data folder.
    pub(crate) fn find(args: &ClientArgs) -> Result<Target, Failure> {
        if let Some(url) = args.url.as_deref().filter(|url| !url.is_empty()) {
            return Target::parse(url);
        }
        let sources = Sources {
            file: Sources::file_or_here(args.config.clone()),
            environment: Environment::of_process(),
            listen: None,
            data: args.data.clone(),
        };
        let config = config::load(&sources)?;
        let (app, address) = match &config.mode {
            Mode::File(_) => {
                (choose(&config.options.apps, args.app.as_deref())?, config.options.listen)
            }
            Mode::Development => match development::find(&config).map_err(Failure::impossible)? {
                Some((app, address)) => (app, address),
                None => {
                    return Err(Failure::misasked(
                        "which server? Give --url http://KEY:SECRET@HOST:PORT/apps/ID or set OYEZ_URL, name a \
                         config file with --config, or start a development server here with `oyez`",
                    ));
                }
            },
        };
        if address.port() == 0 {
            let text = "the settings let the server choose its port (listen … :0): give --url with the port it chose";
            return Err(Failure::misasked(text));
        }
        Ok(Target {
            transport: Transport::Plain,
            authority: reachable(address).to_string(),
            prefix: config.options.path,
            id: app.id,
            key: app.key,
            secret: app.secret,
        })
    }

    /// Reads `http://KEY:SECRET@HOST:PORT/apps/ID`; a prefix may stand before `/apps`. No error
    /// repeats the text, which holds the secret.
    pub(crate) fn parse(url: &str) -> Result<Target, Failure> {
        let bad = |why: &str| Failure::misasked(format!("{FORM}: {why}"));
        let uri: http::Uri = url.trim().parse().map_err(|_| bad("this is not a URL"))?;
        let transport = match uri.scheme_str() {
            Some("http") => Transport::Plain,
            Some("https") => Transport::Tls,
            _ => return Err(bad("it must begin with http:// or https://")),
        };
        let authority = uri.authority().ok_or_else(|| bad("it has no host"))?.as_str();
        let (user, authority) = authority
            .rsplit_once('@')
            .ok_or_else(|| bad("KEY:SECRET@ is missing before the host"))?;
        let (key, secret) =
            user.split_once(':').ok_or_else(|| bad("the :SECRET is missing after the key"))?;
        let place: http::uri::Authority = authority.parse().map_err(|_| bad("it has no host"))?;
        if place.host().is_empty() {
            return Err(bad("it has no host"));
        }
        if place.host() != authority && place.port_u16().is_none() {
            return Err(bad("its port is not a number"));
        }
        let path = uri.path().trim_end_matches('/');
        let (prefix, id) =
            path.rsplit_once("/apps/").ok_or_else(|| bad("its path must end with /apps/ID"))?;
        let decode = |text: &str, what: &str| match percent_decode_str(text).decode_utf8() {
            Ok(text) if !text.is_empty() => Ok(text.into_owned()),
            _ => Err(bad(&format!("its {what} is empty or not text"))),
        };
        if id.contains('/') || uri.query().is_some() {
            return Err(bad("nothing may follow the ID"));
        }
        Ok(Target {
            transport,
            authority: authority.to_owned(),
            prefix: prefix.to_owned(),
            id: decode(id, "ID")?,
            key: decode(key, "KEY")?,
            secret: Secret::new(&decode(secret, "SECRET")?),
        })
    }

    /// What signs for this app.
    pub(crate) fn credentials(&self) -> Credentials<'_> {
        Credentials { key: &self.key, secret: &self.secret }
    }

    /// Path of a call of the HTTP API; `call` begins with a slash.
    pub(crate) fn path(&self, call: &str) -> String {
        format!("{}/apps/{}{call}", self.prefix, self.id)
    }

    /// URL of the WebSocket.
    pub(crate) fn socket_url(&self) -> String {
        let scheme = match self.transport {
            Transport::Plain => "ws",
            Transport::Tls => "wss",
        };
        let Target { authority, prefix, key, .. } = self;
        let version = env!("CARGO_PKG_VERSION");
        format!(
            "{scheme}://{authority}{prefix}/app/{key}?protocol=7&client=oyez-tail&version={version}"
        )
    }

    /// `HOST:PORT` to connect to.
    pub(crate) fn host_and_port(&self) -> (String, u16) {
        let default = match self.transport {
            Transport::Plain => 80,
            Transport::Tls => 443,
        };
        let port = self.authority.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
        let host = match port {
            Some(_) => self.authority.rsplit_once(':').map_or("", |(host, _)| host),
            None => &self.authority,
        };
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        (host.to_owned(), port.unwrap_or(default))
    }
}

/// The server, without its credentials.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.transport {
            Transport::Plain => "http",
            Transport::Tls => "https",
        };
        write!(f, "{scheme}://{}{}", self.authority, self.prefix)
    }
}

fn choose(apps: &[AppOptions], id: Option<&str>) -> Result<AppOptions, Failure> {
    let chosen = match id {
        None => apps.first(),
        Some(id) => apps.iter().find(|app| app.id == id),
    };
    chosen.cloned().ok_or_else(|| {
        let ids: Vec<_> = apps.iter().map(|app| app.id.as_str()).collect();
        Failure::misasked(format!("the config has no app with that id: it has {}", ids.join(", ")))
    })
}

/// An address that listens everywhere is reached on this machine by its loopback.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_server_and_app() {
        for (url, plain, authority, prefix, host, port) in [
            ("http://k:s@127.0.0.1:6001/apps/7", true, "127.0.0.1:6001", "", "127.0.0.1", 6001),
            ("https://k:s@example.com/apps/7", false, "example.com", "", "example.com", 443),
            ("http://k:s@[::1]:6001/apps/7/", true, "[::1]:6001", "", "::1", 6001),
            ("http://k:s@h/a/b/apps/7", true, "h", "/a/b", "h", 80),
            ("http://k:s@h:81/apps/apps/7", true, "h:81", "/apps", "h", 81),
        ] {
            let target = Target::parse(url).unwrap_or_else(|e| panic!("{url}: {}", e.text()));
            assert_eq!(target.transport == Transport::Plain, plain, "{url}");
            assert_eq!((&*target.authority, &*target.prefix), (authority, prefix), "{url}");
            assert_eq!(target.host_and_port(), (host.to_owned(), port), "{url}");
            assert_eq!(
                (&*target.id, &*target.key, target.secret.reveal()),
                ("7", "k", "s"),
                "{url}"
            );
        }
        let target = Target::parse("http://k%2d1:s%40%3a@h/apps/7").expect("escapes");
        assert_eq!((&*target.key, target.secret.reveal()), ("k-1", "s@:"));
    }

    #[test]
    fn p009_the_prefix_stands_before_both_paths() {
        let target = Target::parse("http://k:s@h:81/a/b/apps/7").expect("a URL");
        assert_eq!(target.path("/events"), "/a/b/apps/7/events");
        assert!(target.socket_url().starts_with("ws://h:81/a/b/app/k?protocol=7&"));
    }

    #[test]
    fn a_bad_url_shows_the_form_and_never_the_secret() {
        for url in [
            "hunter2",
            "",
            "k:hunter2@h/apps/1",
            "http://k:hunter2@/apps/1",
            "ws://k:hunter2@h/apps/1",
            "http://hunter2@h/apps/1",
            "http://h/apps/1?secret=hunter2",
            "http://k:hunter2@h/",
            "http://k:hunter2@h/apps/",
            "http://k:hunter2@h/apps/1/events",
            "http://:hunter2@h/apps/1",
            "http://k:@h/apps/1",
            "http://k:hunter2@h:port/apps/1",
            "http://k:hunter2@h/apps/1?x",
            "http://k:hunter2%ff@h/apps/1",
        ] {
            let failure = Target::parse(url).expect_err(url);
            assert!(failure.text().contains("KEY:SECRET@HOST:PORT/apps/ID"), "{}", failure.text());
            assert!(!format!("{failure:?}").contains("hunter2"), "{failure:?}");
        }
        let target = Target::parse("http://k:hunter2@h/apps/1").expect("a URL");
        assert!(!format!("{target:?} {target} {}", target.socket_url()).contains("hunter2"));
    }

    #[test]
    fn an_address_that_listens_everywhere_is_reached_by_loopback() {
        for (listen, reached) in
            [("0.0.0.0:1", "127.0.0.1:1"), ("[::]:1", "[::1]:1"), ("10.0.0.1:1", "10.0.0.1:1")]
        {
            let listen = listen.parse().expect("an address");
            assert_eq!(reachable(listen).to_string(), reached);
        }
    }

    #[test]
    fn an_app_is_the_first_or_the_one_named() {
        let apps = ["1", "2"].map(|id| AppOptions::new(id, "k", "s"));
        assert_eq!(choose(&apps, None).expect("the first").id, "1");
        assert_eq!(choose(&apps, Some("2")).expect("the second").id, "2");
        assert!(choose(&apps, Some("3")).expect_err("none").text().contains("it has 1, 2"));
    }
}
