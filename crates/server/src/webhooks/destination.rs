// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Destination`]: one receiver of one app, and what it wants to hear. [`Destinations`]: all of
//! them, found by app. Built once at start, never changed, shared by everybody.
//!
//! The same URL named twice by one app is one destination that wants both lists. The same URL
//! named by two apps is two, because their requests are signed with different secrets. Each closure
//! is one of its own, and named by its place among those of its app.

use std::fmt;

use oyez_core::AppIndex;
use oyez_protocol::webhook::WebhookKind;

use super::closure::Closure;
use super::post::Post;
use super::way::Way;
use crate::apps::{App, Apps};
use crate::options::{Receiver, WebhookOptions};
use crate::outgoing::url::{self, UrlError};

/// One receiver of one app.
pub(super) struct Destination {
    /// Names the app in logs, metrics and on disk: unlike its index, it survives a new config.
    pub(super) app_id: String,
    /// Names the destination on disk: the URL of the config, whole, which is never logged; or
    /// which closure it is.
    pub(super) name: String,
    /// Names the destination in logs and metrics: the URL without its query, which may hold a
    /// token, or `closure`; numbered where that makes two of one app look the same.
    pub(super) shown: String,
    /// How it is reached.
    pub(super) way: Way,
    kinds: Kinds,
}

/// What a closure is called.
const CLOSURE: &str = "closure";

/// A destination, by its place in [`Destinations`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DestinationIndex(pub(super) usize);

/// All destinations of all apps.
#[derive(Debug, Default)]
pub(super) struct Destinations {
    all: Vec<Destination>,
    apps: Vec<OfApp>,
}

/// The destinations of one app, and what any of them wants.
#[derive(Debug, Default)]
struct OfApp {
    wanted: Kinds,
    destinations: Vec<DestinationIndex>,
}

/// A set of [`WebhookKind`]s.
#[derive(Clone, Copy, Debug, Default)]
struct Kinds(u8);

/// Checks that webhooks can be sent to a URL, for whoever reads a config.
pub fn check_webhook_url(url: &str) -> Result<(), UrlError> {
    url::parse(url).map(|_| ())
}

impl Destinations {
    /// Reads them off the apps. Fails at the first URL that is no good, naming its app.
    pub(super) fn new(apps: &Apps) -> Result<Destinations, (String, UrlError)> {
        let mut destinations = Destinations::default();
        for app in apps.iter() {
            let mut of_app = OfApp::default();
            let mut bare_names: Vec<String> = Vec::new();
            for webhook in &app.options.webhooks {
                let bare = Destination::bare_name(&webhook.receiver);
                let alike = bare_names.iter().filter(|known| *known == bare).count();
                let destination = Destination::new(app, webhook, bare, alike + 1)
                    .map_err(|error| (app.options.id.clone(), error))?;
                of_app.wanted = of_app.wanted.union(destination.kinds);
                let same =
                    |index: &&DestinationIndex| destinations.all[index.0].name == destination.name;
                if let Some(known) = of_app.destinations.iter().find(same) {
                    let known = &mut destinations.all[known.0];
                    known.kinds = known.kinds.union(destination.kinds);
                    continue;
                }
                bare_names.push(bare.to_owned());
                of_app.destinations.push(DestinationIndex(destinations.all.len()));
                destinations.all.push(destination);
            }
            destinations.apps.push(of_app);
        }
        Ok(destinations)
    }

    /// Whether any destination of the app wants events of that kind.
    pub(super) fn wants(&self, app: AppIndex, kind: WebhookKind) -> bool {
        self.apps.get(app.0 as usize).is_some_and(|app| app.wanted.contains(kind))
    }

    /// The app's destinations that want events of that kind.
    pub(super) fn of(
        &self,
        app: AppIndex,
        kind: WebhookKind,
    ) -> impl Iterator<Item = DestinationIndex> {
        let destinations = self.apps.get(app.0 as usize).map(|app| app.destinations.as_slice());
        let wants = move |index: &DestinationIndex| self.get(*index).kinds.contains(kind);
        destinations.unwrap_or_default().iter().copied().filter(wants)
    }

    /// The destination of an index that came from here.
    pub(super) fn get(&self, index: DestinationIndex) -> &Destination {
        &self.all[index.0]
    }

    /// The destination that was stored under these names, if the config still has it, and it
    /// still wants events of that kind.
    pub(super) fn find(
        &self,
        app_id: &str,
        name: &str,
        kind: WebhookKind,
    ) -> Option<DestinationIndex> {
        let same = |destination: &Destination| {
            destination.app_id == app_id
                && destination.name == name
                && destination.kinds.contains(kind)
        };
        self.all.iter().position(same).map(DestinationIndex)
    }

    /// All of them, in the order of their indexes.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Destination> {
        self.all.iter()
    }

    /// Whether no app has a webhook.
    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Whether any of them is reached by TLS.
    pub(super) fn any_https(&self) -> bool {
        let https = |way: &Way| matches!(way, Way::Post(post) if post.is_https());
        self.all.iter().any(|destination| https(&destination.way))
    }
}

impl Destination {
    /// The `number`th of those in its app that are called so.
    fn new(
        app: &App,
        webhook: &WebhookOptions,
        bare: &str,
        number: usize,
    ) -> Result<Destination, UrlError> {
        let shown = match number {
            1 => bare.to_owned(),
            _ => format!("{bare} ({number})"),
        };
        let (name, way) = match &webhook.receiver {
            Receiver::Url(url) => (url.clone(), Way::Post(Box::new(Post::new(app, url)?))),
            Receiver::Closure { runtime, closure } => {
                let closure = Closure::new(runtime.clone(), closure.clone());
                (shown.clone(), Way::Closure(closure))
            }
        };
        let kinds = webhook.events.iter().fold(Kinds::default(), |set, kind| set.with(*kind));
        Ok(Destination { app_id: app.options.id.clone(), name, shown, way, kinds })
    }

    /// What it is called when no other is called so.
    fn bare_name(receiver: &Receiver) -> &str {
        match receiver {
            Receiver::Url(url) => url::without_query(url),
            Receiver::Closure { .. } => CLOSURE,
        }
    }
}

impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of app {}", self.shown, self.app_id)
    }
}

impl Kinds {
    fn with(self, kind: WebhookKind) -> Kinds {
        Kinds(self.0 | 1 << kind as u8)
    }

    fn union(self, other: Kinds) -> Kinds {
        Kinds(self.0 | other.0)
    }

    fn contains(self, kind: WebhookKind) -> bool {
        self.0 & (1 << kind as u8) != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::AppOptions;

    fn app(id: &str, webhooks: &[(&str, &[WebhookKind])]) -> AppOptions {
        let webhook = |(url, events): &(&str, &[WebhookKind])| WebhookOptions::url(url, *events);
        AppOptions {
            webhooks: webhooks.iter().map(webhook).collect(),
            ..AppOptions::new(id, id, "s")
        }
    }

    #[test]
    fn an_event_goes_to_the_urls_of_its_app_that_want_its_kind() {
        use WebhookKind::*;
        let apps = Apps::new(vec![
            app(
                "1",
                &[("http://a/", &[ChannelOccupied, CacheMiss]), ("http://b/", &[ChannelOccupied])],
            ),
            app("2", &[]),
            app("3", &[("http://a/", &[SubscriptionCount])]),
        ])
        .unwrap();
        let destinations = Destinations::new(&apps).unwrap();
        let of = |app, kind| destinations.of(AppIndex(app), kind).map(|d| d.0).collect::<Vec<_>>();
        assert_eq!(of(0, ChannelOccupied), [0, 1]);
        assert_eq!(of(0, CacheMiss), [0]);
        assert_eq!(of(2, SubscriptionCount), [2]);
        assert!(of(2, ChannelOccupied).is_empty());
        assert!(of(9, ChannelOccupied).is_empty());
        assert!(destinations.wants(AppIndex(0), CacheMiss));
        assert!(!destinations.wants(AppIndex(0), MemberAdded));
        assert!(!destinations.wants(AppIndex(1), ChannelOccupied));
        let find = |id, name, kind| destinations.find(id, name, kind).map(|d| d.0);
        assert_eq!(find("3", "http://a/", SubscriptionCount), Some(2));
        assert_eq!(find("3", "http://a/", CacheMiss), None);
        assert_eq!(find("2", "http://a/", SubscriptionCount), None);
    }

    #[test]
    fn a_url_named_twice_by_one_app_is_one_destination() {
        use WebhookKind::*;
        let apps = Apps::new(vec![app(
            "1",
            &[("http://a/", &[CacheMiss]), ("http://a/", &[CacheMiss, MemberAdded])],
        )])
        .unwrap();
        let destinations = Destinations::new(&apps).unwrap();
        assert_eq!(destinations.of(AppIndex(0), CacheMiss).count(), 1);
        assert_eq!(destinations.of(AppIndex(0), MemberAdded).count(), 1);
    }

    #[test]
    fn bad_urls_are_refused_with_the_reason() {
        for (url, expected) in [
            ("http://127.0.0.1:3000/pusher/webhooks", Ok(())),
            ("https://example.com", Ok(())),
            ("HTTPS://example.com/a?b=c", Ok(())),
            ("http://[::1]:80/", Ok(())),
            ("", Err(UrlError::Syntax)),
            ("http://", Err(UrlError::Syntax)),
            ("http://a b/", Err(UrlError::Syntax)),
            ("/webhooks", Err(UrlError::Scheme)),
            ("example.com", Err(UrlError::Scheme)),
            ("ftp://example.com/", Err(UrlError::Scheme)),
            ("http://user:pass@example.com/", Err(UrlError::Login)),
        ] {
            assert_eq!(check_webhook_url(url), expected, "{url}");
        }
        let apps = Apps::new(vec![app("7", &[("ftp://x/", &[])])]).unwrap();
        assert_eq!(Destinations::new(&apps).unwrap_err(), ("7".to_owned(), UrlError::Scheme));
    }

    #[test]
    fn neither_the_query_nor_the_secret_is_shown() {
        let urls: [(&str, &[WebhookKind]); 2] =
            [("http://a/hook?token=hidden", &[]), ("http://a/hook?token=other", &[])];
        let destinations = Destinations::new(&Apps::new(vec![app("1", &urls)]).unwrap()).unwrap();
        let shown: Vec<String> = destinations.iter().map(|d| format!("{d:?}")).collect();
        assert_eq!(shown, ["http://a/hook of app 1", "http://a/hook (2) of app 1"]);
    }
}
