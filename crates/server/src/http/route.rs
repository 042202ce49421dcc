// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Route`]: what a path leads to. The segments are as they were sent: whoever uses one decodes
//! it.

use super::library::Library;
use super::stats::RouteKind;

/// What a path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route<'a> {
    /// `/up`.
    Up,
    /// `/metrics`.
    Metrics,
    /// A call of the HTTP API.
    Api {
        /// Of which app.
        app: AppName<'a>,
        /// Which call.
        call: Call<'a>,
    },
    /// The browser client.
    Library(Library),
    /// A page, or nothing.
    Other,
}

/// How a call says which app it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AppName<'a> {
    /// By the id in its path.
    Id(&'a str),
    /// By the key that signed it: the official Python library leaves `/apps/ID` out of the path
    /// of `terminate_connections`.
    SigningKey,
}

/// A call of the HTTP API, below `/apps/ID`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call<'a> {
    /// `POST /events`.
    Events,
    /// `POST /batch_events`.
    BatchEvents,
    /// `GET /channels`.
    Channels,
    /// `GET /channels/CH`.
    Channel(&'a str),
    /// `GET /channels/CH/users`.
    Users(&'a str),
    /// `POST /users/ID/terminate_connections`.
    Terminate(&'a str),
    /// `/channels/CH/truth`.
    Truth(&'a str),
    /// `GET /channels/CH/history`.
    History(&'a str),
    /// `POST /channels/CH/forget`.
    Forget(&'a str),
    /// `POST /channels/CH/changed`.
    Changed(&'a str),
    /// `POST /channels/CH/events`, deprecated.
    ChannelEvents(&'a str),
    /// `GET /channels/CH/stats`, deprecated.
    Stats(&'a str),
}

/// The longest path of a call has so many segments.
const SEGMENTS: usize = 5;

impl<'a> Route<'a> {
    /// `prefix` stands before `/apps`; it is empty, or begins with a slash and ends without.
    pub(super) fn find(path: &'a str, prefix: &str) -> Route<'a> {
        match path {
            "/up" => return Route::Up,
            "/metrics" => return Route::Metrics,
            _ => {}
        }
        if let Some(library) = Library::find(path) {
            return Route::Library(library);
        }
        let Some(path) = path.strip_prefix(prefix) else { return Route::Other };
        let Some(rest) = path.strip_prefix("/apps/") else {
            let user = path.strip_prefix("/users/");
            return match user.and_then(|rest| rest.strip_suffix("/terminate_connections")) {
                Some(user) if !user.contains('/') => {
                    Route::Api { app: AppName::SigningKey, call: Call::Terminate(user) }
                }
                _ => Route::Other,
            };
        };
        let mut segments = [""; SEGMENTS];
        let mut count = 0;
        for segment in rest.split('/') {
            if count == SEGMENTS {
                return Route::Other;
            }
            segments[count] = segment;
            count += 1;
        }
        let call = match &segments[1..count] {
            ["events"] => Call::Events,
            ["batch_events"] => Call::BatchEvents,
            ["channels"] => Call::Channels,
            ["channels", channel] => Call::Channel(channel),
            ["channels", channel, "users"] => Call::Users(channel),
            ["channels", channel, "events"] => Call::ChannelEvents(channel),
            ["channels", channel, "stats"] => Call::Stats(channel),
            ["users", user, "terminate_connections"] => Call::Terminate(user),
            ["channels", channel, "truth"] => Call::Truth(channel),
            ["channels", channel, "history"] => Call::History(channel),
            ["channels", channel, "forget"] => Call::Forget(channel),
            ["channels", channel, "changed"] => Call::Changed(channel),
            _ => return Route::Other,
        };
        Route::Api { app: AppName::Id(segments[0]), call }
    }

    /// Whether an embedding program may answer at that path.
    pub(super) fn is_free(&self, path: &str, prefix: &str) -> bool {
        let below = path.strip_prefix(prefix).unwrap_or_default();
        let is_ours = below.starts_with("/app/") || below.starts_with("/apps/");
        *self == Route::Other && !is_ours
    }

    /// What requests for it are counted as.
    pub(super) fn kind(&self) -> RouteKind {
        match self {
            Route::Up => RouteKind::Up,
            Route::Metrics => RouteKind::Metrics,
            Route::Library(_) => RouteKind::Library,
            Route::Other => RouteKind::Other,
            Route::Api { call, .. } => match call {
                Call::Events | Call::ChannelEvents(_) => RouteKind::Events,
                Call::BatchEvents => RouteKind::BatchEvents,
                Call::Channels => RouteKind::Channels,
                Call::Channel(_) | Call::Stats(_) => RouteKind::Channel,
                Call::Users(_) => RouteKind::Users,
                Call::Terminate(_) => RouteKind::Terminate,
                Call::Truth(_) => RouteKind::Truth,
                Call::History(_) => RouteKind::History,
                Call::Forget(_) => RouteKind::Forget,
                Call::Changed(_) => RouteKind::Changed,
            },
        }
    }
}

impl Call<'_> {
    /// The methods that it takes.
    pub(super) fn methods(&self) -> &'static [&'static str] {
        match self {
            Call::Events
            | Call::BatchEvents
            | Call::Terminate(_)
            | Call::ChannelEvents(_)
            | Call::Forget(_)
            | Call::Changed(_) => &["POST"],
            Call::Channels
            | Call::Channel(_)
            | Call::Users(_)
            | Call::Stats(_)
            | Call::History(_) => &["GET"],
            // Of the official libraries some can post, none can put.
            Call::Truth(_) => &["GET", "PUT", "POST"],
        }
    }

    /// Whether it publishes.
    pub(super) fn publishes(&self) -> bool {
        matches!(self, Call::Events | Call::BatchEvents | Call::ChannelEvents(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_path_leads_to_its_call_and_no_other_does() {
        let api = |call| Route::Api { app: AppName::Id("a1"), call };
        for (path, route) in [
            ("/up", Route::Up),
            ("/metrics", Route::Metrics),
            ("/oyez.js", Route::Library(Library::Script)),
            ("/oyez.js.map", Route::Library(Library::SourceMap)),
            ("/apps/a1/events", api(Call::Events)),
            ("/apps/a1/batch_events", api(Call::BatchEvents)),
            ("/apps/a1/channels", api(Call::Channels)),
            ("/apps/a1/channels/presence-a%2Fb", api(Call::Channel("presence-a%2Fb"))),
            ("/apps/a1/channels/c/users", api(Call::Users("c"))),
            ("/apps/a1/channels/c/events", api(Call::ChannelEvents("c"))),
            ("/apps/a1/channels/c/stats", api(Call::Stats("c"))),
            ("/apps/a1/channels/c/truth", api(Call::Truth("c"))),
            ("/apps/a1/channels/c/history", api(Call::History("c"))),
            ("/apps/a1/channels/c/forget", api(Call::Forget("c"))),
            ("/apps/a1/channels/c/changed", api(Call::Changed("c"))),
            ("/apps/a1/users/u/terminate_connections", api(Call::Terminate("u"))),
            ("/apps//events", Route::Api { app: AppName::Id(""), call: Call::Events }),
            (
                "/users/u/terminate_connections",
                Route::Api { app: AppName::SigningKey, call: Call::Terminate("u") },
            ),
            ("/users/u/v/terminate_connections", Route::Other),
            ("/", Route::Other),
            ("", Route::Other),
            ("*", Route::Other),
            ("/apps", Route::Other),
            ("/apps/a1", Route::Other),
            ("/apps/a1/", Route::Other),
            ("/apps/a1/events/", Route::Other),
            ("/apps/a1/channels/c/users/", Route::Other),
            ("/apps/a1/channels/c/users/x/y/z", Route::Other),
            ("/app/key", Route::Other),
            ("/APPS/a1/events", Route::Other),
            ("//apps/a1/events", Route::Other),
        ] {
            assert_eq!(Route::find(path, ""), route, "{path}");
        }
    }

    #[test]
    fn what_is_not_oyez_s_is_free_for_an_embedding_program() {
        let is_free = |path, prefix| Route::find(path, prefix).is_free(path, prefix);
        for path in ["/", "/login", "/pusher/auth", "/application", "/rt/app/k", "*", "", "/up/"] {
            assert!(is_free(path, ""), "{path}");
        }
        for path in ["/up", "/metrics", "/oyez.js", "/app/k", "/apps/1", "/apps/1/events"] {
            assert!(!is_free(path, ""), "{path}");
        }
        assert!(is_free("/app/k", "/rt") && !is_free("/rt/app/k", "/rt"));
    }

    #[test]
    fn p009_the_api_is_found_behind_its_prefix() {
        let events = Route::Api { app: AppName::Id("a1"), call: Call::Events };
        assert_eq!(Route::find("/rt/apps/a1/events", "/rt"), events);
        assert_eq!(Route::find("/apps/a1/events", "/rt"), Route::Other);
        assert_eq!(Route::find("/rtapps/a1/events", "/rt"), Route::Other);
        assert_eq!(Route::find("/up", "/rt"), Route::Up);
    }
}
