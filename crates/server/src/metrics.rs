// SPDX-License-Identifier: MIT OR Apache-2.0
//! `/metrics`: everything that is counted, in either text format of Prometheus.
//!
//! One table of all metrics, read when somebody asks; nothing is kept here. Labels come from
//! bounded sets only: workers, apps and URLs of the config, statuses, outcomes.

mod memory;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};

use crate::shared::Shared;
use crate::stats::{TURN_BUCKETS, Tally, WorkerStats};
use crate::webhooks::LostReason;

/// A text format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// The one that everything reads: version 0.0.4 of the text format of Prometheus.
    Classic,
    /// OpenMetrics 1.0.0, for those who ask for it.
    OpenMetrics,
}

/// The page.
pub(crate) fn text(shared: &Arc<Shared>, format: Format) -> String {
    match format {
        Format::Classic => classic(&open_metrics(shared)),
        Format::OpenMetrics => open_metrics(shared),
    }
}

/// The classic form of an OpenMetrics page. Samples are the same in both; but a family of counters
/// is named with the `_total` of its samples, and there is neither a unit nor an end.
fn classic(page: &str) -> String {
    let mut out = String::with_capacity(page.len());
    let mut help = "";
    for line in page.lines() {
        if let Some(text) = line.strip_prefix("# HELP ") {
            // How its family is named is known from the next line.
            help = text.split_once(' ').map_or("", |(_, text)| text);
        } else if let Some(family) = line.strip_prefix("# TYPE ") {
            let (name, kind) = family.split_once(' ').unwrap_or((family, "untyped"));
            let suffix = if kind == "counter" { "_total" } else { "" };
            out += &format!("# HELP {name}{suffix} {help}\n# TYPE {name}{suffix} {kind}\n");
        } else if !line.starts_with("# UNIT ") && line != "# EOF" {
            out += line;
            out.push('\n');
        }
    }
    out
}

fn open_metrics(shared: &Arc<Shared>) -> String {
    let mut registry = Registry::with_prefix("oyez");
    registry.register_collector(Box::new(Reading(Arc::clone(shared))));
    let mut page = String::new();
    match prometheus_client::encoding::text::encode(&mut page, &registry) {
        Ok(()) => page,
        Err(error) => format!("# the metrics could not be written: {error}\n"),
    }
}

/// A row of the tables below: name, help, and where it is counted.
type Row = (&'static str, &'static str, fn(&WorkerStats) -> &Tally);

/// What each worker counts up.
const COUNTERS: &[Row] = &[
    ("connections_opened", "WebSockets opened", |w| &w.opened),
    ("connections_refused", "WebSockets refused with a close code", |w| &w.refused),
    ("messages_received", "Messages from WebSocket clients", |w| &w.messages_in),
    ("messages_sent", "Frames for WebSocket clients", |w| &w.messages_out),
    ("bytes_received", "Bytes read from WebSockets", |w| &w.bytes_in),
    ("bytes_sent", "Bytes written to WebSockets", |w| &w.bytes_out),
    ("events", "Events put in order by the homes of their channels", |w| &w.events),
    ("client_errors", "Errors told to WebSocket clients", |w| &w.errors),
    (
        "slow_readers_closed",
        "Connections closed because limits.output_bytes waited for them",
        |w| &w.slow_closed,
    ),
    (
        "fallen_behind",
        "Times that a subscriber could not keep up with a channel that remembers, and catches up",
        |w| &w.fallen_behind,
    ),
    ("replayed", "Remembered events that newcomers were shown", |w| &w.replayed),
    ("resumed", "Subscriptions that went on where they were", |w| &w.resumed),
    ("silent_closed", "Connections closed because nothing was heard of them", |w| &w.silent_closed),
    ("panics", "Panics caught; each one is a bug", |w| &w.panics),
];

/// What each worker has now.
const GAUGES: &[Row] = &[
    ("connections", "WebSockets open now", |w| &w.connections),
    ("subscriptions", "Subscriptions now", |w| &w.subscriptions),
    (
        "stale_truths",
        "Channels now whose truth has changed at its source or cannot be asked for",
        |w| &w.stale_truths,
    ),
];

#[derive(Debug)]
struct Reading(Arc<Shared>);

impl Collector for Reading {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let out = &mut encoder;
        self.workers(out)?;
        self.memory(out)?;
        self.journal(out)?;
        self.resolver(out)?;
        self.apps(out)?;
        self.http(out)?;
        self.webhooks(out)
    }
}

impl Reading {
    fn workers(&self, out: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let stats = &self.0.stats;
        for (name, help, tally) in COUNTERS {
            let mut metric = out.encode_descriptor(name, help, None, MetricType::Counter)?;
            for (worker, stats) in stats.iter().enumerate() {
                counter(&mut metric, &[("worker", worker.to_string())], tally(stats).get())?;
            }
        }
        for (name, help, tally) in GAUGES {
            let mut metric = out.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for (worker, stats) in stats.iter().enumerate() {
                gauge(&mut metric, &[("worker", worker.to_string())], tally(stats).get())?;
            }
        }
        let name = "event_loop_delay";
        let help = "By how much the last tick of a worker's loop came late";
        let mut metric =
            out.encode_descriptor(name, help, Some(&Unit::Seconds), MetricType::Gauge)?;
        for (worker, stats) in stats.iter().enumerate() {
            let labels = [("worker", worker.to_string())];
            metric.encode_family(&labels)?.encode_gauge(&seconds(stats.delay_micros.get()))?;
        }
        let (name, help) = ("turn", "How long a turn of a worker's loop took");
        let mut metric =
            out.encode_descriptor(name, help, Some(&Unit::Seconds), MetricType::Histogram)?;
        for (worker, stats) in stats.iter().enumerate() {
            let times = Times {
                bounds: &TURN_BUCKETS,
                counts: stats.turns.iter().map(Tally::get).collect(),
                micros: stats.turn_micros.get(),
            };
            times.write(metric.encode_family(&[("worker", worker.to_string())])?)?;
        }
        Ok(())
    }

    fn apps(&self, out: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let shared = &self.0;
        let help = "WebSockets of an app now";
        let mut metric = out.encode_descriptor("app_connections", help, None, MetricType::Gauge)?;
        for app in shared.apps.iter() {
            let connections = app.connections() as u64;
            gauge(&mut metric, &[("app", app.options.id.clone())], connections)?;
        }
        let help = "Channels of an app now, those included that were left a moment ago";
        let mut metric = out.encode_descriptor("app_channels", help, None, MetricType::Gauge)?;
        for app in shared.apps.iter() {
            let channels = shared.channels(app.index).load(Ordering::Relaxed) as u64;
            gauge(&mut metric, &[("app", app.options.id.clone())], channels)?;
        }
        let help = "Bytes on their way between workers";
        let unit = Some(&Unit::Bytes);
        let mut metric = out.encode_descriptor("backlog", help, unit, MetricType::Gauge)?;
        let bytes = shared.backlog.bytes() as u64;
        metric.encode_gauge(&(bytes as i64))?;
        let help = "Whether the server is about to stop";
        let mut metric = out.encode_descriptor("draining", help, None, MetricType::Gauge)?;
        metric.encode_gauge(&i64::from(shared.draining.load(Ordering::Relaxed)))
    }

    fn http(&self, out: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let shared = &self.0;
        let help = "HTTP connections open now";
        let mut metric =
            out.encode_descriptor("http_connections", help, None, MetricType::Gauge)?;
        for (worker, stats) in shared.stats.iter().enumerate() {
            let open = stats.http_connections.load(Ordering::Relaxed) as u64;
            gauge(&mut metric, &[("worker", worker.to_string())], open)?;
        }
        let help = "HTTP requests answered, by what they were for and how they ended";
        let mut metric = out.encode_descriptor("http_requests", help, None, MetricType::Counter)?;
        for (worker, stats) in shared.http_stats.iter().enumerate() {
            for (kind, class, count) in stats.requests().filter(|(_, _, count)| *count > 0) {
                let labels = [
                    ("worker", worker.to_string()),
                    ("route", kind.name().to_owned()),
                    ("status", class.name().to_owned()),
                ];
                counter(&mut metric, &labels, count)?;
            }
        }
        let help = "Calls that were to publish, by status and outcome";
        let mut metric = out.encode_descriptor("publishes", help, None, MetricType::Counter)?;
        for (worker, stats) in shared.http_stats.iter().enumerate() {
            for (status, outcome, count) in stats.publishes() {
                let labels = [
                    ("worker", worker.to_string()),
                    ("status", status.to_string()),
                    ("outcome", outcome.to_owned()),
                ];
                counter(&mut metric, &labels, count)?;
            }
        }
        Ok(())
    }

    fn webhooks(&self, out: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let outcomes = self.0.webhooks.outcomes();
        let labels = |app: &str, url: &str, outcome: &'static str| {
            [("app", app.to_owned()), ("url", url.to_owned()), ("outcome", outcome.to_owned())]
        };
        let help = "Webhook events by what became of them";
        let mut metric =
            out.encode_descriptor("webhook_events", help, None, MetricType::Counter)?;
        for to in outcomes {
            counter(&mut metric, &labels(to.app_id(), to.url(), "delivered"), to.delivered())?;
            for reason in LostReason::ALL {
                counter(
                    &mut metric,
                    &labels(to.app_id(), to.url(), reason.name()),
                    to.lost(reason),
                )?;
            }
        }
        let help = "Webhook requests that failed, and those that repeated an earlier one";
        let mut metric =
            out.encode_descriptor("webhook_requests", help, None, MetricType::Counter)?;
        for to in outcomes {
            counter(&mut metric, &labels(to.app_id(), to.url(), "failed"), to.failed_attempts())?;
            counter(&mut metric, &labels(to.app_id(), to.url(), "retry"), to.retries())?;
        }
        let help = "Webhook events that had to be written to the data folder";
        let mut metric =
            out.encode_descriptor("webhook_stored", help, None, MetricType::Counter)?;
        metric.encode_counter::<NoLabelSet, _, u64>(&self.0.webhooks.stored(), None)?;
        let help = "Commits of webhook events to the data folder that failed";
        let name = "webhook_store_failures";
        let mut metric = out.encode_descriptor(name, help, None, MetricType::Counter)?;
        metric.encode_counter::<NoLabelSet, _, u64>(&self.0.webhooks.store_failures(), None)?;
        let help = "Webhook events that wait now";
        let mut metric = out.encode_descriptor("webhook_waiting", help, None, MetricType::Gauge)?;
        for to in outcomes {
            let labels = [("app", to.app_id().to_owned()), ("url", to.url().to_owned())];
            gauge(&mut metric, &labels, to.waiting() as u64)?;
        }
        Ok(())
    }
}

/// Lengths of time, counted by bucket.
struct Times<'a> {
    /// Upper bounds of the buckets but the last, in microseconds.
    bounds: &'a [u64],
    /// How many were in each.
    counts: Vec<u64>,
    /// All of them together.
    micros: u64,
}

impl Times<'_> {
    fn write(&self, mut metric: MetricEncoder<'_>) -> fmt::Result {
        let bounds = self.bounds.iter().map(|micros| seconds(*micros)).chain([f64::INFINITY]);
        let buckets: Vec<_> = bounds.zip(self.counts.iter().copied()).collect();
        let (sum, count) = (seconds(self.micros), self.counts.iter().sum());
        metric.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
    }
}

fn seconds(micros: u64) -> f64 {
    micros as f64 / 1e6
}

fn counter(metric: &mut MetricEncoder<'_>, labels: &[(&str, String)], value: u64) -> fmt::Result {
    metric.encode_family(&labels)?.encode_counter::<NoLabelSet, _, u64>(&value, None)
}

fn gauge(metric: &mut MetricEncoder<'_>, labels: &[(&str, String)], value: u64) -> fmt::Result {
    metric.encode_family(&labels)?.encode_gauge(&i64::try_from(value).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::time::Duration;

    use hyper::StatusCode;
    use oyez_core::Timestamp;
    use oyez_journal::{Committer, Redb};
    use oyez_protocol::limits::Limits;
    use oyez_protocol::position::Term;
    use oyez_protocol::webhook::WebhookKind;

    use super::*;
    use crate::apps::Apps;
    use crate::http::RouteKind;
    use crate::options::{AppOptions, Options, WebhookOptions};
    use crate::resolver::{SourceKind, SourceOptions, Sources};
    use crate::shared::Equipment;
    use crate::webhooks::Webhooks;

    /// The page of a server on which every family has a sample.
    fn page(format: Format) -> String {
        let hook = WebhookOptions::url("http://127.0.0.1:9/a\"b", [WebhookKind::ChannelOccupied]);
        let app = AppOptions { webhooks: vec![hook], ..AppOptions::new("1", "key", "secret") };
        let options = Options { apps: vec![app], ..Options::default() };
        let apps = Arc::new(Apps::new(options.apps.clone()).expect("one app"));
        let webhooks = Webhooks::start(&apps, &Limits::default(), None).expect("no data folder");
        let folder = tempfile::tempdir().expect("a folder");
        let term = Term::random(&mut rand::rng());
        let (journal, _) =
            Redb::open(folder.path(), &["1"], Timestamp(1), term).expect("a journal");
        let committer = Committer::start(Box::new(journal), 2, |_, _| {}).expect("a thread");
        let source = SourceOptions {
            timeout: Duration::from_secs(1),
            kind: SourceKind::Url("http://127.0.0.1:9/truth?token=hidden".to_owned()),
        };
        let sources = Sources::new(&apps, vec![source]).expect("a source");
        let equipment = Equipment {
            sources: sources.stats(),
            journal: Some(committer.appender()),
            ..Equipment::bare(&apps, webhooks)
        };
        let shared = Arc::new(Shared::new(options, Arc::clone(&apps), equipment, 2));
        shared.stats[1].opened.add(3);
        shared.stats[0].turn(70);
        shared.http_stats[0].publish(Ok(()));
        shared.http_stats[0].request(RouteKind::Up, StatusCode::OK);
        let text = text(&shared, format);
        shared.webhooks.stop(Duration::ZERO);
        drop(shared);
        committer.stop();
        assert!(!text.contains("hidden"), "{text}");
        text
    }

    /// Fails unless each sample belongs to the family whose `TYPE` line came last.
    fn check(page: &str, counters_end_in: &str, comments: &[&str]) {
        let (mut family, mut kind) = ("", "");
        let mut samples: HashMap<&str, usize> = HashMap::new();
        for line in page.lines() {
            if let Some(comment) = line.strip_prefix("# ") {
                let mut words = comment.splitn(3, ' ');
                let mut word = || words.next().unwrap_or_default();
                let (what, name, text) = (word(), word(), word());
                assert!(comments.contains(&what), "{line}");
                match what {
                    "TYPE" => {
                        assert_eq!(name, family, "{line}: HELP and TYPE go together");
                        assert_eq!(kind, "", "{line}");
                        kind = text;
                        assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
                        assert!(samples.insert(name, 0).is_none(), "{line}: twice");
                    }
                    "HELP" => {
                        assert!(text.len() > 5, "{line}");
                        (family, kind) = (name, "");
                    }
                    _ => {}
                }
                continue;
            }
            let name = &line[..line.find(['{', ' ']).expect("a value")];
            let suffix = name.strip_prefix(family).unwrap_or_else(|| panic!("{line}: {family}"));
            match kind {
                "counter" => assert_eq!(suffix, counters_end_in, "{line}"),
                "gauge" => assert_eq!(suffix, "", "{line}"),
                "histogram" => assert!(["_bucket", "_sum", "_count"].contains(&suffix), "{line}"),
                _ => panic!("{line}: no TYPE"),
            }
            assert!(line.rsplit(' ').next().is_some_and(|v| v.parse::<f64>().is_ok()), "{line}");
            *samples.get_mut(family).expect("it has a TYPE") += 1;
        }
        let without: Vec<_> = samples.iter().filter(|(_, count)| **count == 0).collect();
        assert!(samples.len() > 20 && without.is_empty(), "{without:?}\n{page}");
    }

    #[test]
    fn each_sample_of_the_classic_format_has_its_type() {
        let page = page(Format::Classic);
        check(&page, "", &["HELP", "TYPE"]);
        assert!(page.contains("\n# TYPE oyez_connections_opened_total counter\n"), "{page}");
        assert!(page.contains("\noyez_connections_opened_total{worker=\"1\"} 3\n"), "{page}");
        assert!(page.contains("\n# TYPE oyez_turn_seconds histogram\n"), "{page}");
        assert!(
            page.contains("\noyez_turn_seconds_bucket{le=\"+Inf\",worker=\"0\"} 1\n"),
            "{page}"
        );
        assert!(page.contains("url=\"http://127.0.0.1:9/a\\\"b\""), "{page}");
    }

    #[test]
    fn what_is_remembered_is_measured() {
        let page = page(Format::Classic);
        for sample in [
            "replayed_total{worker=\"0\"} 0",
            "resumed_total{worker=\"0\"} 0",
            "resets_total{worker=\"1\",reason=\"trimmed\"} 0",
            "fallen_behind_total{worker=\"0\"} 0",
            "memory_bytes{worker=\"1\"} 0",
            "stale_truths{worker=\"1\"} 0",
            "journal_commits_total 0",
            "journal_appends_total 0",
            "journal_records_total 0",
            "journal_largest_commit 0",
            "journal_commit_seconds_bucket{le=\"0.0001\"} 0",
            "journal_waiting_bytes 0",
            "journal_failed 0",
            "resolver_calls_total{source=\"http://127.0.0.1:9/truth\",outcome=\"truth\"} 0",
            "resolver_calls_total{source=\"http://127.0.0.1:9/truth\",outcome=\"no_answer\"} 0",
            "resolver_in_flight{source=\"http://127.0.0.1:9/truth\"} 0",
            "resolver_waiting{source=\"http://127.0.0.1:9/truth\"} 0",
            "resolver_call_seconds_count{source=\"http://127.0.0.1:9/truth\"} 0",
        ] {
            assert!(page.contains(&format!("\noyez_{sample}\n")), "{sample}\n{page}");
        }
        assert!(page.contains("\noyez_journal_bytes "), "{page}");
    }

    #[test]
    fn each_sample_of_open_metrics_has_its_type() {
        let page = page(Format::OpenMetrics);
        let body = page.strip_suffix("# EOF\n").expect("it has an end");
        check(body, "_total", &["HELP", "TYPE", "UNIT"]);
        assert!(page.contains("\n# TYPE oyez_connections_opened counter\n"), "{page}");
        assert!(page.contains("\n# UNIT oyez_turn_seconds seconds\n"), "{page}");
    }
}
