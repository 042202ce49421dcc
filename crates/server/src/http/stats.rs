// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`HttpStats`]: what one worker counts of its HTTP traffic. It alone writes; `/metrics` reads.

use hyper::StatusCode;
use oyez_protocol::api::ErrorCode;

use crate::stats::Tally;

/// What a request was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RouteKind {
    /// `POST /events`, and its deprecated form.
    Events,
    /// `POST /batch_events`.
    BatchEvents,
    /// `GET /channels`.
    Channels,
    /// `GET /channels/CH`, and its deprecated form.
    Channel,
    /// `GET /channels/CH/users`.
    Users,
    /// `POST /users/ID/terminate_connections`.
    Terminate,
    /// `/channels/CH/truth`.
    Truth,
    /// `GET /channels/CH/history`.
    History,
    /// `POST /channels/CH/forget`.
    Forget,
    /// `POST /channels/CH/changed`.
    Changed,
    /// `/up`.
    Up,
    /// `/metrics`.
    Metrics,
    /// `/oyez.js`.
    Library,
    /// A page, or nothing that is there.
    Other,
}

impl RouteKind {
    /// All kinds, in the order of their counters.
    pub(crate) const ALL: [RouteKind; 14] = [
        RouteKind::Events,
        RouteKind::BatchEvents,
        RouteKind::Channels,
        RouteKind::Channel,
        RouteKind::Users,
        RouteKind::Terminate,
        RouteKind::Truth,
        RouteKind::History,
        RouteKind::Forget,
        RouteKind::Changed,
        RouteKind::Up,
        RouteKind::Metrics,
        RouteKind::Library,
        RouteKind::Other,
    ];

    /// The label in metrics.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            RouteKind::Events => "events",
            RouteKind::BatchEvents => "batch_events",
            RouteKind::Channels => "channels",
            RouteKind::Channel => "channel",
            RouteKind::Users => "users",
            RouteKind::Terminate => "terminate_connections",
            RouteKind::Truth => "truth",
            RouteKind::History => "history",
            RouteKind::Forget => "forget",
            RouteKind::Changed => "changed",
            RouteKind::Up => "up",
            RouteKind::Metrics => "metrics",
            RouteKind::Library => "library",
            RouteKind::Other => "other",
        }
    }
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StatusClass {
    /// 2xx: done.
    Success,
    /// 4xx: the caller's mistake.
    ClientError,
    /// 5xx: not now.
    ServerError,
}

impl StatusClass {
    /// All classes, in the order of their counters.
    pub(crate) const ALL: [StatusClass; 3] =
        [StatusClass::Success, StatusClass::ClientError, StatusClass::ServerError];

    /// The label in metrics.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            StatusClass::Success => "2xx",
            StatusClass::ClientError => "4xx",
            StatusClass::ServerError => "5xx",
        }
    }

    fn of(status: StatusCode) -> StatusClass {
        match status.as_u16() {
            0..400 => StatusClass::Success,
            400..500 => StatusClass::ClientError,
            _ => StatusClass::ServerError,
        }
    }
}

/// What a publish that was done is counted under, beside the names of the errors.
const DONE: &str = "ok";

/// The counters of one worker.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct HttpStats {
    requests: [[Tally; StatusClass::ALL.len()]; RouteKind::ALL.len()],
    done: Tally,
    refused: Refusals,
    /// Bytes of bodies that arrived.
    pub(crate) body_bytes: Tally,
}

/// One counter for each code.
#[derive(Debug)]
struct Refusals([Tally; ErrorCode::ALL.len()]);

impl Default for Refusals {
    fn default() -> Refusals {
        Refusals(std::array::from_fn(|_| Tally::default()))
    }
}

impl HttpStats {
    /// Counts an answered request.
    pub(crate) fn request(&self, kind: RouteKind, status: StatusCode) {
        self.requests[kind as usize][StatusClass::of(status) as usize].add(1);
    }

    /// Counts a call that was to publish.
    pub(crate) fn publish(&self, result: Result<(), ErrorCode>) {
        match result {
            Ok(()) => self.done.add(1),
            Err(code) => self.refused.0[code as usize].add(1),
        }
    }

    /// Requests by kind and class, zeros included.
    pub(crate) fn requests(&self) -> impl Iterator<Item = (RouteKind, StatusClass, u64)> {
        RouteKind::ALL.into_iter().flat_map(move |kind| {
            StatusClass::ALL
                .into_iter()
                .map(move |class| (kind, class, self.requests[kind as usize][class as usize].get()))
        })
    }

    /// Calls that were to publish, by status and `ok` or the error's short name; errors that did
    /// not occur are left out.
    pub(crate) fn publishes(&self) -> impl Iterator<Item = (u16, &'static str, u64)> {
        let refused = ErrorCode::ALL.iter().zip(&self.refused.0);
        let refused = refused.map(|(code, tally)| (code.status(), code.name(), tally.get()));
        [(200, DONE, self.done.get())].into_iter().chain(refused.filter(|(_, _, count)| *count > 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_counter_has_a_place_of_its_own() {
        assert!(RouteKind::ALL.iter().enumerate().all(|(at, kind)| *kind as usize == at));
        assert!(StatusClass::ALL.iter().enumerate().all(|(at, class)| *class as usize == at));
        assert!(ErrorCode::ALL.iter().enumerate().all(|(at, code)| *code as usize == at));

        let stats = HttpStats::default();
        stats.request(RouteKind::Users, StatusCode::NOT_FOUND);
        stats.publish(Ok(()));
        stats.publish(Err(ErrorCode::BadSignature));
        let counted: Vec<_> = stats.requests().filter(|(_, _, count)| *count > 0).collect();
        assert_eq!(counted, [(RouteKind::Users, StatusClass::ClientError, 1)]);
        let publishes: Vec<_> = stats.publishes().collect();
        assert_eq!(publishes, [(200, "ok", 1), (401, "bad_signature", 1)]);
    }
}
