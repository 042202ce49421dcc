// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Apps`]: the apps that this server serves, found by key (WebSocket) or by id (HTTP API).
//!
//! Built once at start, shared by all workers, never changed. The only thing in it that moves is
//! each app's count of connections, an atomic number.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use oyez_core::{AppIndex, RuleBook};
use oyez_protocol::auth::Credentials;

use crate::http::RateLimit;
use crate::options::AppOptions;

/// One app.
#[derive(Debug)]
pub struct App {
    /// Its place in [`Apps`], by which the core and the workers name it.
    pub index: AppIndex,
    /// Everything the config says of it.
    pub options: AppOptions,
    /// What its channels remember.
    pub(crate) rules: RuleBook,
    /// Its HTTP API calls, against `limits.requests_per_second`.
    pub(crate) requests: RateLimit,
    connections: AtomicUsize,
}

/// All apps.
#[derive(Debug, Default)]
pub struct Apps {
    all: Vec<Arc<App>>,
    by_key: HashMap<String, AppIndex>,
    by_id: HashMap<String, AppIndex>,
}

/// Why the apps of a config cannot be served together.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppsError {
    /// Two apps would be found by one key or one id.
    #[error("two apps have the same {what} `{value}`: give each its own")]
    Duplicate {
        /// `key` or `id`.
        what: &'static str,
        /// The value they share.
        value: String,
    },
    /// A key or an id that cannot stand in a path.
    #[error("the app's {what} `{value}` must be made of letters, digits, `-` and `_`")]
    Characters {
        /// `key` or `id`.
        what: &'static str,
        /// The value.
        value: String,
    },
}

impl App {
    /// What checks the signatures of the app's clients.
    pub fn credentials(&self) -> Credentials<'_> {
        Credentials { key: &self.options.key, secret: &self.options.secret }
    }

    /// Counts a new connection, unless the app has as many as it may.
    pub fn connect(&self) -> Result<(), AppFull> {
        let before = self.connections.fetch_add(1, Ordering::Relaxed);
        let limit = self.options.max_connections;
        if limit > 0 && before >= limit {
            self.disconnect();
            return Err(AppFull);
        }
        Ok(())
    }

    /// Counts a connection that has gone.
    pub fn disconnect(&self) {
        self.connections.fetch_sub(1, Ordering::Relaxed);
    }

    /// How many connections the app has now.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// Whether a page of that origin may connect. Requests without an origin come from programs,
    /// which could claim any: they are let in. `https://*.example.com` allows every subdomain.
    pub fn allows_origin(&self, origin: Option<&str>) -> bool {
        let Some(origin) = origin else { return true };
        self.options.allowed_origins.iter().any(|allowed| origin_matches(allowed, origin))
    }
}

/// The app has as many connections as its `max_connections` allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AppFull;

impl Apps {
    /// Checks that each app can be told from the others.
    pub fn new(options: Vec<AppOptions>) -> Result<Apps, AppsError> {
        let mut apps = Apps::default();
        for (at, options) in options.into_iter().enumerate() {
            let index = AppIndex(at as u32);
            let names =
                [("key", &options.key, &mut apps.by_key), ("id", &options.id, &mut apps.by_id)];
            for (what, value, map) in names {
                let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
                if value.is_empty() || !value.bytes().all(plain) {
                    return Err(AppsError::Characters { what, value: value.clone() });
                }
                if map.insert(value.clone(), index).is_some() {
                    return Err(AppsError::Duplicate { what, value: value.clone() });
                }
            }
            apps.all.push(Arc::new(App {
                index,
                options,
                rules: RuleBook::default(),
                requests: RateLimit::new(),
                connections: AtomicUsize::new(0),
            }));
        }
        Ok(apps)
    }

    /// The same apps with what their channels remember, one book for each.
    pub(crate) fn remembering(mut self, books: Vec<RuleBook>) -> Apps {
        for (app, book) in self.all.iter_mut().zip(books) {
            if let Some(app) = Arc::get_mut(app) {
                app.rules = book;
            }
        }
        self
    }

    /// The app of a WebSocket path.
    pub fn by_key(&self, key: &str) -> Option<&Arc<App>> {
        self.by_key.get(key).map(|index| self.get(*index))
    }

    /// The app of an HTTP API path.
    pub fn by_id(&self, id: &str) -> Option<&Arc<App>> {
        self.by_id.get(id).map(|index| self.get(*index))
    }

    /// The app of an index that came from here.
    pub fn get(&self, index: AppIndex) -> &Arc<App> {
        &self.all[index.0 as usize]
    }

    /// All of them, in the order of the config.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<App>> {
        self.all.iter()
    }
}

/// `allowed` is `*`, an origin, or a host; a host may begin with `*.` for all its subdomains.
fn origin_matches(allowed: &str, origin: &str) -> bool {
    if allowed == "*" || allowed.eq_ignore_ascii_case(origin) {
        return true;
    }
    let split = |s: &str| -> (Option<String>, String) {
        let s = s.to_ascii_lowercase();
        match s.split_once("://") {
            Some((scheme, host)) => (Some(scheme.to_owned()), host.to_owned()),
            None => (None, s),
        }
    };
    let ((want_scheme, want), (scheme, host)) = (split(allowed), split(origin));
    if want_scheme.is_some() && want_scheme != scheme {
        return false;
    }
    let matches = |host: &str| match want.strip_prefix("*.") {
        Some(domain) => {
            host.strip_suffix(domain).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
        }
        None => host == want,
    };
    // A pattern without a port speaks of every port.
    matches(&host) || host.rsplit_once(':').is_some_and(|(name, _)| matches(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p010_origins_match_exactly_or_by_wildcard_subdomain() {
        for (allowed, origin, expected) in [
            ("*", "https://anything.example", true),
            ("https://example.com", "https://example.com", true),
            ("https://example.com", "http://example.com", false),
            ("example.com", "http://example.com", true),
            ("example.com", "http://example.com:8080", true),
            ("example.com:8080", "http://example.com:8080", true),
            ("example.com:8081", "http://example.com:8080", false),
            ("*.example.com", "https://a.example.com", true),
            ("*.example.com", "https://a.b.example.com:3000", true),
            ("*.example.com", "https://example.com", false),
            ("*.example.com", "https://badexample.com", false),
            ("https://*.example.com", "http://a.example.com", false),
            ("example.com", "https://example.com.evil.net", false),
        ] {
            assert_eq!(origin_matches(allowed, origin), expected, "{allowed} {origin}");
        }
    }

    #[test]
    fn two_apps_of_one_key_are_refused_by_name() {
        let apps = vec![AppOptions::new("1", "k", "s"), AppOptions::new("2", "k", "t")];
        assert_eq!(
            Apps::new(apps).unwrap_err().to_string(),
            "two apps have the same key `k`: give each its own"
        );
    }

    #[test]
    fn an_app_counts_to_its_limit() {
        let options = AppOptions { max_connections: 1, ..AppOptions::new("1", "k", "s") };
        let apps = Apps::new(vec![options]).unwrap();
        let app = apps.by_key("k").unwrap();
        assert_eq!((app.connect(), app.connect()), (Ok(()), Err(AppFull)));
        app.disconnect();
        assert_eq!(app.connect(), Ok(()));
    }
}
