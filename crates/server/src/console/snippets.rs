// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Snippet`]: code that a person pastes into an app to use this server, for the development page
//! and for what development mode prints.

use std::net::{IpAddr, SocketAddr};

/// Where an app finds its server, and as whom.
#[derive(Clone, Copy, Debug)]
pub struct Connection<'a> {
    /// Host as a URL has it: a name, or an address (IPv6 in brackets).
    pub host: &'a str,
    /// Port.
    pub port: u16,
    /// Prefix before `/app` and `/apps`; empty for none.
    pub prefix: &'a str,
    /// The app's id.
    pub id: &'a str,
    /// The app's key.
    pub key: &'a str,
    /// The app's secret.
    pub secret: &'a str,
}

/// A piece of a snippet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// The same for everybody.
    Code(&'a str),
    /// A value of this connection, as it stands in code.
    Value(&'a str),
}

/// Code for one library.
#[derive(Clone, Copy, Debug)]
pub struct Snippet {
    /// Short name, for ids.
    pub name: &'static str,
    /// What a person calls it.
    pub title: &'static str,
    /// The command that installs the library.
    pub install: &'static str,
    code: &'static str,
    /// Inserted where the code says `{path}`, if there is a prefix.
    path: &'static str,
}

impl Snippet {
    /// `pusher-js`, in a page.
    pub const BROWSER: Snippet = Snippet {
        name: "browser",
        title: "Browser",
        install: "npm install pusher-js",
        code: r#"import Pusher from "pusher-js";

const key = "{key}";
const pusher = new Pusher(key, {
  cluster: "oyez", // any name
  wsHost: "{host}",
  wsPort: {port},{path}
  forceTLS: false,
  enabledTransports: ["ws", "wss"],
});

pusher
  .subscribe("my-channel")
  .bind("my-event", (data) => {
    console.log(data);
  });"#,
        path: "\n  wsPath: \"{prefix}\",",
    };

    /// The Node library.
    pub const NODE: Snippet = Snippet {
        name: "node",
        title: "Node",
        install: "npm install pusher",
        code: r#"const Pusher = require("pusher");

const pusher = new Pusher({
  appId: "{id}",
  key: "{key}",
  secret: "{secret}",
  host: "{host}",
  port: "{port}",
  useTLS: false,
});{path}

pusher.trigger(
  "my-channel", "my-event",
  { message: "hello" },
);"#,
        path: "\n// It has no setting for the path\n// {prefix}:\n// let a proxy add it.",
    };

    /// The Python library.
    pub const PYTHON: Snippet = Snippet {
        name: "python",
        title: "Python",
        install: "pip install pusher",
        code: r#"import pusher

client = pusher.Pusher(
    app_id="{id}",
    key="{key}",
    secret="{secret}",
    host="{host}",
    port={port},
    ssl=False,
){path}

client.trigger(
    "my-channel", "my-event",
    {"message": "hello"},
)"#,
        path: "\n# It has no setting for the path\n# {prefix}:\n# let a proxy add it.",
    };

    /// The PHP library.
    pub const PHP: Snippet = Snippet {
        name: "php",
        title: "PHP",
        install: "composer require pusher/pusher-php-server",
        code: r#"<?php
require "vendor/autoload.php";

$pusher = new Pusher\Pusher(
    "{key}",
    "{secret}",
    "{id}",
    [
        "host" => "{host}",
        "port" => {port},{path}
        "scheme" => "http",
        "useTLS" => false,
    ]
);

$pusher->trigger(
    "my-channel", "my-event",
    ["message" => "hello"]
);"#,
        path: "\n        \"path\" => \"{prefix}\",",
    };

    /// All, in the order in which a person needs them.
    pub const ALL: [Snippet; 4] = [Snippet::BROWSER, Snippet::NODE, Snippet::PYTHON, Snippet::PHP];

    /// The code, for whoever prints it.
    pub fn text(&self, connection: &Connection<'_>) -> String {
        let mut text = String::with_capacity(self.code.len() + 128);
        self.each_part(connection, |part| match part {
            Part::Code(part) | Part::Value(part) => text.push_str(part),
        });
        text
    }

    /// Gives the code out in pieces, in order.
    pub fn each_part(&self, connection: &Connection<'_>, mut give: impl FnMut(Part<'_>)) {
        let path = if connection.prefix.is_empty() { "" } else { self.path };
        match self.code.split_once("{path}") {
            Some((before, after)) => {
                for code in [before, path, after] {
                    fill(code, connection, &mut give);
                }
            }
            None => fill(self.code, connection, &mut give),
        }
    }
}

/// Cuts a template at its names in braces.
fn fill<'a>(mut code: &'a str, connection: &Connection<'a>, give: &mut impl FnMut(Part<'_>)) {
    let port = connection.port.to_string();
    while let Some(open) = code.find('{') {
        let (before, rest) = code.split_at(open);
        let name = rest.split('}').next().unwrap_or_default();
        let value = match name {
            "{host" => connection.host,
            "{port" => &port,
            "{prefix" => connection.prefix,
            "{id" => connection.id,
            "{key" => connection.key,
            "{secret" => connection.secret,
            _ => {
                // A brace of the code itself.
                give(Part::Code(&code[..=open]));
                code = &code[open + 1..];
                continue;
            }
        };
        give(Part::Code(before));
        give(Part::Value(&in_quotes(value)));
        code = &rest[name.len() + 1..];
    }
    give(Part::Code(code));
}

/// A value as it stands between the double quotes of all four languages. Keys, ids and hosts hold
/// nothing that needs it; a secret of one's own may.
fn in_quotes(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for c in value.chars() {
        if matches!(c, '"' | '\\' | '$') {
            text.push('\\');
        }
        text.push(c);
    }
    text
}

/// The host of an address, as a URL has it.
pub fn host_of(address: SocketAddr) -> String {
    match address.ip() {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Connection<'_> = Connection {
        host: "127.0.0.1",
        port: 6001,
        prefix: "",
        id: "12345",
        key: "the-key",
        secret: "the-secret",
    };

    #[test]
    fn no_name_is_left_open_and_every_value_is_there() {
        for snippet in Snippet::ALL {
            for connection in [PLAIN, Connection { prefix: "/rt", ..PLAIN }] {
                let text = snippet.text(&connection);
                for name in ["{host}", "{port}", "{prefix}", "{id}", "{key}", "{secret}", "{path}"]
                {
                    assert!(!text.contains(name), "{name} in {text}");
                }
                for value in ["127.0.0.1", "6001", "the-key", connection.prefix] {
                    assert!(text.contains(value), "{value} in {text}");
                }
                let backend = snippet.name != "browser";
                assert_eq!(text.contains("the-secret"), backend, "{text}");
                assert_eq!(text.contains("12345"), backend, "{text}");
            }
        }
    }

    #[test]
    fn p009_the_prefix_is_there_only_when_there_is_one() {
        let text = |snippet: Snippet, prefix| snippet.text(&Connection { prefix, ..PLAIN });
        assert!(text(Snippet::BROWSER, "/rt").contains("\n  wsPort: 6001,\n  wsPath: \"/rt\",\n"));
        assert!(text(Snippet::BROWSER, "").contains("\n  wsPort: 6001,\n  forceTLS: false,\n"));
        assert!(text(Snippet::PHP, "/rt").contains("\"path\" => \"/rt\","));
        assert!(!text(Snippet::PHP, "").contains("path"));
    }

    #[test]
    fn a_secret_cannot_end_its_quotes() {
        let secret = "a\"b\\c$d";
        let text = Snippet::PHP.text(&Connection { secret, ..PLAIN });
        assert!(text.contains(r#""a\"b\\c\$d""#), "{text}");
    }
}
