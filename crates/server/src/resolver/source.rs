// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`SourceOptions`]: one function of a channel that says what is true, as it was configured.
//! [`Sources`]: all of them, checked and ready to be asked. Built once at start, never changed.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::Uri;
use hyper::header::HeaderValue;
use oyez_core::AppIndex;
use oyez_protocol::secret::Secret;
use rustls::ClientConfig;
use serde_json::Value;
use tokio::runtime::Handle;

use super::SourceIndex;
use super::closure::Closure;
use super::stats::SourceStats;
use crate::apps::{App, Apps};
use crate::outgoing::UrlError;
use crate::outgoing::client::key_header;
use crate::outgoing::tls::{self, Trust};
use crate::outgoing::url;

/// What a [`TruthClosure`] promises: the truth of the channel, or `None` when it has none. An
/// error keeps the truth that subscribers have, and the question is asked again later; its text
/// shows up in logs and on the console.
pub type TruthFuture =
    Pin<Box<dyn Future<Output = Result<Option<Value>, Box<dyn Error + Send + Sync>>> + Send>>;

/// A function of an embedding program that says what is true in a channel, given its name. A
/// top-level field `version` of the truth that is a whole number is the truth's version.
pub type TruthClosure = Arc<dyn Fn(&str) -> TruthFuture + Send + Sync>;

/// A longer time counts as this: time has an end on some systems.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);

/// One source of truths.
#[derive(Clone, Debug)]
pub struct SourceOptions {
    /// A call that takes longer has failed: connecting and the last byte of the answer included.
    /// At most a day.
    pub timeout: Duration,
    /// Whom to call.
    pub kind: SourceKind,
}

/// Whom to call for a truth.
#[derive(Clone)]
pub enum SourceKind {
    /// `POST` to that URL with `{"app_id","channel"}`, signed like a webhook (protocol section 7).
    /// 200 with JSON is the truth, 404 means none, anything else is a failure. A header
    /// `Oyez-Version` with a whole number is the truth's version, and wins over a field of it.
    Url(String),
    /// A function of the embedding program.
    Closure {
        /// Names the source in logs and metrics, as the rule's `match` does.
        name: String,
        /// Where the function and its future run; no thread of the server ever does that.
        runtime: Handle,
        /// The function.
        closure: TruthClosure,
    },
}

/// Why the sources of a config cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum SourcesError {
    /// A URL of the config is no good.
    #[error("the truth URL {url} cannot be used: {error}")]
    Url {
        /// The URL without its query.
        url: String,
        /// What is wrong with it.
        error: UrlError,
    },
    /// The machine's certificates are needed for an https URL.
    #[error(
        "a truth URL begins with https, but the machine's certificates cannot be read: install \
         them (Debian: ca-certificates) or name a file in SSL_CERT_FILE"
    )]
    Certificates(#[source] std::io::Error),
}

/// All sources, and who asks them.
pub(crate) struct Sources {
    pub(super) all: Vec<Arc<Source>>,
    askers: Vec<Arc<Asker>>,
    pub(super) tls: ClientConfig,
    pub(super) stats: Arc<[SourceStats]>,
}

/// A source that can be asked.
pub(super) struct Source {
    /// Names it in logs and metrics: the URL without its query, or the closure's name; numbered
    /// where that makes two look the same.
    pub(super) name: String,
    pub(super) timeout: Duration,
    pub(super) way: Way,
}

/// How a source is asked.
pub(super) enum Way {
    Post(Uri),
    Closure(Closure),
}

/// As which app a question is asked.
pub(super) struct Asker {
    pub(super) app_id: String,
    /// Value of `X-Pusher-Key`.
    pub(super) key: HeaderValue,
    /// Signs.
    pub(super) secret: Secret,
}

impl Sources {
    /// Checks that all can be asked; [`SourceIndex`] is the place in `options`. Reads the
    /// machine's certificates if there is an https URL.
    ///
    /// # Errors
    /// At the first URL that is no good; without certificates.
    pub(crate) fn new(apps: &Apps, options: Vec<SourceOptions>) -> Result<Sources, SourcesError> {
        let mut all: Vec<Arc<Source>> = Vec::with_capacity(options.len());
        let mut bare_names: Vec<String> = Vec::with_capacity(options.len());
        for SourceOptions { timeout, kind } in options {
            let (bare_name, way) = match kind {
                SourceKind::Url(text) => {
                    let shown = url::without_query(&text).to_owned();
                    match url::parse(&text) {
                        Ok(uri) => (shown, Way::Post(uri)),
                        Err(error) => return Err(SourcesError::Url { url: shown, error }),
                    }
                }
                SourceKind::Closure { name, runtime, closure } => {
                    (name, Way::Closure(Closure::new(runtime, closure)))
                }
            };
            let alike = bare_names.iter().filter(|known| **known == bare_name).count();
            let name = match alike {
                0 => bare_name.clone(),
                _ => format!("{bare_name} ({})", alike + 1),
            };
            bare_names.push(bare_name);
            let timeout = timeout.min(LONGEST_TIMEOUT);
            all.push(Arc::new(Source { name, timeout, way }));
        }
        let any_https =
            all.iter().any(|source| matches!(&source.way, Way::Post(uri) if url::is_https(uri)));
        Ok(Sources {
            tls: tls::config(Trust::System, any_https).map_err(SourcesError::Certificates)?,
            askers: apps.iter().map(|app| Arc::new(Asker::new(app))).collect(),
            stats: all.iter().map(|source| SourceStats::new(&source.name)).collect(),
            all,
        })
    }

    /// What comes of the questions, one entry per source, in the order of their indexes.
    pub(crate) fn stats(&self) -> Arc<[SourceStats]> {
        Arc::clone(&self.stats)
    }

    /// Whether nobody can be asked anything.
    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The source of an index.
    pub(super) fn get(&self, index: SourceIndex) -> &Arc<Source> {
        &self.all[index.0 as usize]
    }

    /// As whom that app asks.
    pub(super) fn asker(&self, app: AppIndex) -> &Arc<Asker> {
        &self.askers[app.0 as usize]
    }
}

impl Asker {
    fn new(app: &Arc<App>) -> Asker {
        Asker {
            app_id: app.options.id.clone(),
            key: key_header(&app.options.key),
            secret: app.options.secret.clone(),
        }
    }
}

impl fmt::Debug for SourceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SourceKind::Url(text) => f.write_str(url::without_query(text)),
            SourceKind::Closure { name, .. } => write!(f, "closure {name}"),
        }
    }
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.all.iter().map(|source| &source.name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::AppOptions;

    fn sources(urls: &[&str]) -> Result<Sources, SourcesError> {
        let apps = Apps::new(vec![AppOptions::new("3", "k", "s")]).unwrap();
        let option = |url: &&str| SourceOptions {
            timeout: Duration::from_secs(1),
            kind: SourceKind::Url((*url).to_owned()),
        };
        Sources::new(&apps, urls.iter().map(option).collect())
    }

    #[test]
    fn a_url_that_is_no_good_is_refused_by_name_and_reason() {
        let error = sources(&["http://a/", "ftp://b/truth?token=hidden"]).unwrap_err().to_string();
        assert_eq!(
            error,
            "the truth URL ftp://b/truth cannot be used: it must begin with http:// or https://"
        );
    }

    #[test]
    fn no_query_is_shown_and_no_two_names_are_alike() {
        let sources = sources(&["http://a/t?x=hidden", "http://b/", "http://a/t?x=other"]).unwrap();
        let names: Vec<_> = sources.stats().iter().map(|s| s.name().to_owned()).collect();
        assert_eq!(names, ["http://a/t", "http://b/", "http://a/t (2)"]);
        assert!(!format!("{sources:?}").contains("hidden"));
        let kind = SourceKind::Url("http://a/t?x=hidden".to_owned());
        assert_eq!(format!("{kind:?}"), "http://a/t");
    }
}
