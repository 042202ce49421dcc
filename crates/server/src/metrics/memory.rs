// SPDX-License-Identifier: MIT OR Apache-2.0
//! The metrics of what channels remember: memory, journal, resolvers.

use std::fmt;

use oyez_journal::COMMIT_BUCKETS;
use oyez_protocol::encode::ResetReason;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

use super::{Reading, Times, counter, gauge};
use crate::resolver::{CALL_BUCKETS, FailureKind, SourceStats};

/// Counters and gauges of sources: name, help, and where it is counted.
type SourceRow = (&'static str, &'static str, fn(&SourceStats) -> u64);

/// What each source has now.
const SOURCE_GAUGES: &[SourceRow] = &[
    ("resolver_in_flight", "Calls for truths that run now", SourceStats::in_flight),
    (
        "resolver_waiting",
        "Questions for truths that wait for a call now (limits.resolver_calls)",
        SourceStats::waiting,
    ),
];

impl Reading {
    /// What the homes of each worker remember.
    pub(super) fn memory(&self, out: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let stats = &self.0.stats;
        let help = "Subscriptions that began anew where they wanted to go on, or in their midst";
        let mut metric = out.encode_descriptor("resets", help, None, MetricType::Counter)?;
        for (worker, stats) in stats.iter().enumerate() {
            for (reason, count) in ResetReason::ALL.iter().zip(&stats.resets) {
                let labels = [("worker", worker.to_string()), ("reason", reason.name().to_owned())];
                counter(&mut metric, &labels, count.get())?;
            }
        }
        let help = "What all channels remember, with everything that belongs to it";
        let unit = Some(&Unit::Bytes);
        let mut metric = out.encode_descriptor("memory", help, unit, MetricType::Gauge)?;
        for (worker, stats) in stats.iter().enumerate() {
            gauge(&mut metric, &[("worker", worker.to_string())], stats.memory_bytes.get())?;
        }
        Ok(())
    }

    /// What becomes durable; nothing without a data folder.
    pub(super) fn journal(&self, out: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let Some(journal) = &self.0.journal else { return Ok(()) };
        let stats = journal.stats();
        for (name, help, count) in [
            ("journal_commits", "Commits of the journal, each one a sync", stats.commits()),
            ("journal_appends", "Appends in commits of the journal", stats.appends()),
            ("journal_records", "Records in commits of the journal", stats.records()),
        ] {
            let mut metric = out.encode_descriptor(name, help, None, MetricType::Counter)?;
            metric.encode_counter::<NoLabelSet, _, u64>(&count, None)?;
        }
        let waiting = journal.waiting_bytes() as u64;
        let failed = u64::from(journal.is_failed());
        let largest = stats.largest_commit();
        let bytes = Some(&Unit::Bytes);
        for (name, help, unit, value) in [
            ("journal_largest_commit", "Appends in the largest commit so far", None, largest),
            ("journal", "Size of the journal on disk", bytes, stats.journal_bytes()),
            ("journal_waiting", "Bytes on their way to the journal", bytes, waiting),
            (
                "journal_failed",
                "Whether the journal failed: durable channels answer 503, and the server ends",
                None,
                failed,
            ),
        ] {
            let mut metric = out.encode_descriptor(name, help, unit, MetricType::Gauge)?;
            metric.encode_gauge(&i64::try_from(value).unwrap_or(i64::MAX))?;
        }
        let help = "How long commits of the journal took";
        let unit = Some(&Unit::Seconds);
        let metric = out.encode_descriptor("journal_commit", help, unit, MetricType::Histogram)?;
        let counts = stats.buckets().to_vec();
        Times { bounds: &COMMIT_BUCKETS, counts, micros: stats.total_micros() }.write(metric)
    }

    /// What is asked of backends; nothing where no rule names one.
    pub(super) fn resolver(&self, out: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let sources = &self.0.sources;
        if sources.is_empty() {
            return Ok(());
        }
        let help = "Calls for truths that ended, by what they brought";
        let mut metric =
            out.encode_descriptor("resolver_calls", help, None, MetricType::Counter)?;
        for source in sources.iter() {
            let failures = FailureKind::ALL.map(|kind| (kind.name(), source.failures(kind)));
            let outcomes = [("truth", source.truths()), ("none", source.nones())];
            for (outcome, count) in outcomes.into_iter().chain(failures) {
                let labels =
                    [("source", source.name().to_owned()), ("outcome", outcome.to_owned())];
                counter(&mut metric, &labels, count)?;
            }
        }
        for (name, help, count) in SOURCE_GAUGES {
            let mut metric = out.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for source in sources.iter() {
                gauge(&mut metric, &[("source", source.name().to_owned())], count(source))?;
            }
        }
        let help = "How long calls for truths took";
        let unit = Some(&Unit::Seconds);
        let mut metric =
            out.encode_descriptor("resolver_call", help, unit, MetricType::Histogram)?;
        for source in sources.iter() {
            let times = Times {
                bounds: &CALL_BUCKETS,
                counts: source.calls().collect(),
                micros: source.call_micros(),
            };
            times.write(metric.encode_family(&[("source", source.name().to_owned())])?)?;
        }
        Ok(())
    }
}
