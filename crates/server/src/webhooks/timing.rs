// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Timing`]: every interval of the webhook sender, by name. Production runs on the default;
//! tests that use real sockets shorten it.

use std::time::Duration;

use crate::outgoing::client::IDLE_CONNECTION;

/// A batch leaves this long after its first event came.
const BATCH_WINDOW: Duration = Duration::from_millis(50);
/// A receiver has this long to answer, connecting included.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// After its first attempt a batch is tried again for this long.
const RETRY_FOR: Duration = Duration::from_secs(5 * 60);
/// The first wait between two attempts, before jitter. Each further one is twice as long.
const BACKOFF_FIRST: Duration = Duration::from_millis(500);
/// No wait is longer, so that a receiver that is back gets its events soon.
const BACKOFF_LONGEST: Duration = Duration::from_secs(10);
/// An event that still waits this long after it came is put on disk: its batch had its window, and
/// its receiver as long again to answer. Whatever is delivered sooner never touches the disk.
const KEEP_AFTER: Duration = Duration::from_millis(100);
/// Younger events do not go along with such a commit, so there is one in
/// `KEEP_AFTER - KEEP_ALONG` at most.
const KEEP_ALONG: Duration = Duration::from_millis(50);
/// After a failed commit the file is opened again and the commit repeated this much later.
const COMMIT_RETRY: Duration = Duration::from_secs(5);
/// A stopping sender waits this long for its last commit.
const LAST_COMMIT: Duration = Duration::from_secs(5);
/// Losses are gathered for this long before they are logged.
const LOSS_GATHER: Duration = Duration::from_secs(1);
/// One URL's failures, and one URL's losses, are logged once in this time.
const LOG_EVERY: Duration = Duration::from_secs(10);

/// The intervals of the webhook sender.
#[derive(Clone, Debug)]
pub(super) struct Timing {
    pub(super) batch_window: Duration,
    pub(super) answer_within: Duration,
    pub(super) retry_for: Duration,
    pub(super) backoff_first: Duration,
    pub(super) backoff_longest: Duration,
    pub(super) idle_connection: Duration,
    pub(super) keep_after: Duration,
    pub(super) keep_along: Duration,
    pub(super) commit_retry: Duration,
    pub(super) last_commit: Duration,
    pub(super) loss_gather: Duration,
    pub(super) log_every: Duration,
}

impl Default for Timing {
    fn default() -> Timing {
        Timing {
            batch_window: BATCH_WINDOW,
            answer_within: ANSWER_WITHIN,
            retry_for: RETRY_FOR,
            backoff_first: BACKOFF_FIRST,
            backoff_longest: BACKOFF_LONGEST,
            idle_connection: IDLE_CONNECTION,
            keep_after: KEEP_AFTER,
            keep_along: KEEP_ALONG,
            commit_retry: COMMIT_RETRY,
            last_commit: LAST_COMMIT,
            loss_gather: LOSS_GATHER,
            log_every: LOG_EVERY,
        }
    }
}
