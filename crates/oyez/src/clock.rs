// SPDX-License-Identifier: MIT OR Apache-2.0
//! The time as people read it.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};

/// Where the time of day begins in `2026-11-24T06:29:28.123456Z`, and where its milliseconds end.
const TIME_OF_DAY: std::ops::Range<usize> = 11..23;

/// Now in UTC: `2026-11-24T06:29:28.123456Z`.
pub(crate) fn now() -> String {
    let mut text = String::with_capacity(28);
    // A clock that cannot be read leaves the text empty.
    let _ = SystemTime.format_time(&mut Writer::new(&mut text));
    text
}

/// The time of day in UTC: `06:29:28.123`.
pub(crate) fn time_of_day() -> String {
    now().get(TIME_OF_DAY).unwrap_or_default().to_owned()
}

/// A moment in UTC, to the millisecond: `2026-11-24T06:29:28.123Z`. Milliseconds since 1970.
pub(crate) fn at(millis: u64) -> String {
    let moment = OffsetDateTime::from_unix_timestamp_nanos(i128::from(millis) * 1_000_000);
    let second = moment.and_then(|moment| moment.replace_nanosecond(0)).ok();
    match second.and_then(|second| second.format(&Rfc3339).ok()) {
        Some(second) => format!("{}.{:03}Z", second.trim_end_matches('Z'), millis % 1000),
        // No clock of today comes so far.
        None => format!("{millis} ms"),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_moment_has_its_form() {
        assert_eq!(super::at(1_795_501_768_007), "2026-11-24T06:29:28.007Z");
        assert_eq!(super::at(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(super::at(u64::MAX), format!("{} ms", u64::MAX));
    }

    #[test]
    fn the_time_has_its_form() {
        let (now, time) = (super::now(), super::time_of_day());
        assert!(now.ends_with('Z') && now.as_bytes()[10] == b'T', "{now}");
        assert_eq!(
            (time.len(), time.as_bytes()[2], time.as_bytes()[8]),
            (12, b':', b'.'),
            "{time}"
        );
    }
}
