// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Given`]: a value as somebody wrote it, read into what a setting needs.
//!
//! A value comes from TOML, where it has a type, or from a variable or flag, where it is text. A
//! reader says what it expected, and repeats what was written only where that cannot be a secret.

use std::net::{Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use toml::de::DeValue;

/// One written value.
pub(super) enum Given<'a> {
    /// From the file.
    Toml(&'a DeValue<'a>),
    /// From a variable or a flag.
    Text(&'a str),
}

/// The value, or what was expected instead.
pub(super) type Read<T> = Result<T, String>;

/// Longest time that a setting may be; beyond it a unit was mistaken.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

/// Units of times, the longest suffix first.
const UNITS: [(&str, f64); 5] =
    [("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0), ("d", 86_400.0)];

impl<'a> Given<'a> {
    /// A text.
    pub(super) fn text(&self) -> Read<&str> {
        match self {
            Given::Toml(DeValue::String(text)) => Ok(text),
            Given::Text(text) => Ok(text),
            Given::Toml(other) => Err(format!("must be a text in quotes, not {}", kind(other))),
        }
    }

    /// A text of at least one character.
    pub(super) fn name(&self) -> Read<String> {
        match self.text()? {
            "" => Err("must not be empty".to_owned()),
            text => Ok(text.to_owned()),
        }
    }

    /// `true` or `false`.
    pub(super) fn switch(&self) -> Read<bool> {
        match self {
            Given::Toml(DeValue::Boolean(value)) => Ok(*value),
            Given::Text("true") => Ok(true),
            Given::Text("false") => Ok(false),
            Given::Toml(other) => Err(format!("must be true or false, not {}", kind(other))),
            Given::Text(_) => Err("must be true or false".to_owned()),
        }
    }

    /// A whole number within the range.
    pub(super) fn count(&self, range: RangeInclusive<usize>) -> Read<usize> {
        let (least, most) = (*range.start(), *range.end());
        let expected = match most {
            usize::MAX => format!("must be a whole number, {least} or more"),
            _ => format!("must be a whole number from {least} to {most}"),
        };
        let number: i128 = match self {
            Given::Toml(DeValue::Integer(n)) => {
                i128::from_str_radix(n.as_str(), n.radix()).map_err(|_| expected.clone())?
            }
            Given::Toml(other) => return Err(format!("{expected}, not {}", kind(other))),
            Given::Text(text) => text.replace('_', "").parse().map_err(|_| expected.clone())?,
        };
        match usize::try_from(number) {
            Ok(n) if range.contains(&n) => Ok(n),
            _ => Err(format!("{expected}; it is {number}")),
        }
    }

    /// A time: `"3s"`, `"200ms"`, `"10m"`, or a number of seconds.
    pub(super) fn time(&self, range: RangeInclusive<Duration>) -> Read<Duration> {
        const EXPECTED: &str =
            "must be a time: \"3s\", \"200ms\", \"10m\", \"1h\", or a number of seconds";
        let seconds = match self {
            Given::Toml(DeValue::Integer(n)) => {
                i64::from_str_radix(n.as_str(), n.radix()).map_err(|_| EXPECTED)? as f64
            }
            Given::Toml(DeValue::Float(n)) => n.as_str().parse().map_err(|_| EXPECTED)?,
            Given::Toml(DeValue::String(text)) => written_time(text).ok_or(EXPECTED)?,
            Given::Toml(other) => return Err(format!("{EXPECTED}; not {}", kind(other))),
            Given::Text(text) => written_time(text).ok_or(EXPECTED)?,
        };
        let most = (*range.end()).min(LONGEST);
        match Duration::try_from_secs_f64(seconds) {
            Ok(time) if (*range.start()..=most).contains(&time) => Ok(time),
            _ => Err(format!(
                "must be from {} to {}; it is {seconds} seconds",
                show_time(*range.start()),
                show_time(most)
            )),
        }
    }

    /// An address and a port. `localhost` is 127.0.0.1, no address at all is every one.
    pub(super) fn address(&self) -> Read<SocketAddr> {
        let text = self.text()?;
        let named = match text.rsplit_once(':') {
            Some(("", port)) => Some((Ipv4Addr::UNSPECIFIED, port)),
            Some((host, port)) if host.eq_ignore_ascii_case("localhost") => {
                Some((Ipv4Addr::LOCALHOST, port))
            }
            _ => None,
        };
        if let Some((ip, Ok(port))) = named.map(|(ip, port)| (ip, port.parse())) {
            return Ok(SocketAddr::from((ip, port)));
        }
        text.parse().map_err(|_| {
            format!(
                "must be an IP address and a port, like \"127.0.0.1:6001\", \"localhost:6001\", \
                 \"[::1]:6001\" or, for every address of this machine, \":6001\"; it is {text:?}"
            )
        })
    }

    /// A folder; the empty text is none.
    pub(super) fn folder(&self) -> Read<Option<PathBuf>> {
        let text = self.text()?;
        Ok((!text.is_empty()).then(|| PathBuf::from(text)))
    }

    /// A prefix of URL paths: empty, or `/something` without a slash at its end, however it was
    /// written.
    pub(super) fn prefix(&self) -> Read<String> {
        let text = self.text()?;
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.~/".contains(&b);
        if text.is_empty() || text == "/" {
            return Ok(String::new());
        }
        if !text.bytes().all(plain) || text.contains("//") {
            let parts = "parts of letters, digits and - _ . ~ with single slashes between";
            return Err(format!(
                "must be \"\" or a path like \"/realtime\": {parts}; it is {text:?}"
            ));
        }
        Ok(format!("/{}", text.trim_matches('/')))
    }

    /// An http or https URL with a host. The text may hold a password: it is never repeated.
    pub(super) fn url(&self) -> Read<String> {
        const EXPECTED: &str =
            "must be an absolute URL, like \"http://127.0.0.1:3000/pusher/webhooks\"";
        let text = self.text()?;
        let uri: http::Uri = text.parse().map_err(|_| EXPECTED)?;
        match uri.scheme_str() {
            Some("http" | "https") => {}
            Some(other) => {
                return Err(format!("must begin with http:// or https://, not {other}://"));
            }
            None => return Err(EXPECTED.to_owned()),
        }
        if uri.host().is_none_or(str::is_empty) {
            return Err(EXPECTED.to_owned());
        }
        if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            let text =
                "must not hold a user name or password: a receiver knows Oyez by its signature";
            return Err(text.to_owned());
        }
        oyez_server::check_webhook_url(text).map_err(|_| EXPECTED)?;
        Ok(text.to_owned())
    }

    /// A list of texts, at least one.
    pub(super) fn texts(&self) -> Read<Vec<String>> {
        let expected = "must be a list of texts, like [\"a\", \"b\"]";
        let texts: Vec<String> = match self {
            Given::Text(text) => text.split(',').map(|part| part.trim().to_owned()).collect(),
            Given::Toml(DeValue::Array(items)) => items
                .iter()
                .map(|item| match item.get_ref() {
                    DeValue::String(text) => Ok(text.to_string()),
                    other => Err(format!("{expected}; one of them is {}", kind(other))),
                })
                .collect::<Result<_, _>>()?,
            Given::Toml(other) => return Err(format!("{expected}, not {}", kind(other))),
        };
        if texts.is_empty() {
            return Err("must not be empty".to_owned());
        }
        Ok(texts)
    }

    /// One word of a fixed choice.
    pub(super) fn choice<T: Copy>(&self, choices: &[(&str, T)]) -> Read<T> {
        let text = self.text()?;
        choices.iter().find(|(word, _)| *word == text).map(|(_, value)| *value).ok_or_else(|| {
            let words: Vec<_> = choices.iter().map(|(word, _)| format!("{word:?}")).collect();
            format!("must be one of {}; it is {text:?}", words.join(", "))
        })
    }
}

/// What a TOML value is, in words.
pub(super) fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// Seconds of a written time.
fn written_time(text: &str) -> Option<f64> {
    let text = text.trim();
    let (number, unit) = UNITS
        .iter()
        .find_map(|(suffix, unit)| text.strip_suffix(suffix).map(|number| (number, *unit)))
        .unwrap_or((text, 1.0));
    let number = number.trim_end();
    let plain = number.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    (plain && !number.is_empty()).then(|| number.parse::<f64>().ok().map(|n| n * unit)).flatten()
}

/// A time in the shortest of its written forms.
pub(super) fn show_time(time: Duration) -> String {
    const WHOLE: [(&str, u128); 4] =
        [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000)];
    let millis = time.as_millis();
    let whole = WHOLE.iter().find(|(_, unit)| millis.is_multiple_of(*unit));
    match whole {
        _ if millis == 0 => "0s".to_owned(),
        Some((suffix, unit)) => format!("{}{suffix}", millis / unit),
        None => format!("{millis}ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANY: RangeInclusive<Duration> = Duration::ZERO..=Duration::MAX;

    #[test]
    fn a_time_has_a_unit_or_is_in_seconds() {
        for (text, millis) in [
            ("3s", 3000),
            ("200ms", 200),
            ("10m", 600_000),
            ("1h", 3_600_000),
            ("2d", 172_800_000),
            ("0.5", 500),
            ("1.5s", 1500),
            ("45", 45_000),
            (" 7 s ", 7000),
            ("0", 0),
        ] {
            assert_eq!(Given::Text(text).time(ANY), Ok(Duration::from_millis(millis)), "{text}");
        }
        for bad in ["", "s", "-1s", "1e9", "3 weeks", "1.2.3", "inf", "NaN", "٣s"] {
            assert!(Given::Text(bad).time(ANY).is_err(), "{bad}");
        }
        assert!(Given::Text("400d").time(ANY).is_err());
    }

    #[test]
    fn a_time_prints_as_it_is_written() {
        for text in ["3s", "200ms", "10m", "1h", "2d", "0s", "90s"] {
            let time = Given::Text(text).time(ANY).expect("a time");
            assert_eq!(show_time(time), text);
        }
    }

    #[test]
    fn p009_a_prefix_begins_with_a_slash_and_ends_without() {
        for (text, prefix) in [
            ("", ""),
            ("/", ""),
            ("/rt", "/rt"),
            ("rt", "/rt"),
            ("rt/", "/rt"),
            ("/rt/", "/rt"),
            ("a/b/", "/a/b"),
            ("/a/b-c_d.e~f", "/a/b-c_d.e~f"),
        ] {
            assert_eq!(Given::Text(text).prefix().as_deref(), Ok(prefix), "{text}");
        }
        for bad in ["/a b", "//", "/a//b", "/ä", "/a?b", "/a#b", "/%41", "http://a"] {
            assert!(Given::Text(bad).prefix().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_address_needs_an_ip_and_a_port() {
        for (good, address) in [
            ("127.0.0.1:0", "127.0.0.1:0"),
            ("0.0.0.0:6001", "0.0.0.0:6001"),
            ("[::1]:6001", "[::1]:6001"),
            ("localhost:6001", "127.0.0.1:6001"),
            ("LocalHost:6001", "127.0.0.1:6001"),
            (":6001", "0.0.0.0:6001"),
        ] {
            let read = Given::Text(good).address().map(|address| address.to_string());
            assert_eq!(read.as_deref(), Ok(address), "{good}");
        }
        for bad in [
            "",
            "6001",
            ":",
            ":70000",
            "::6001",
            "localhost",
            "localhost:",
            "127.0.0.1",
            "example.com:80",
            "127.0.0.1:70000",
        ] {
            assert!(
                Given::Text(bad).address().expect_err("bad").contains("like \"127.0.0.1:6001\"")
            );
        }
    }

    #[test]
    fn a_url_is_absolute_http_and_is_never_repeated() {
        for good in ["http://127.0.0.1:3000/a", "https://example.com", "http://[::1]:1/x?y=z"] {
            assert!(Given::Text(good).url().is_ok(), "{good}");
        }
        for bad in [
            "",
            "/hooks",
            "example.com/a",
            "ftp://u:hunter2@h/a",
            "http://",
            "http://u:hunter2@ h/",
        ] {
            let error = Given::Text(bad).url().expect_err("bad");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
