// SPDX-License-Identifier: MIT OR Apache-2.0
//! The time as people read it.

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

#[cfg(test)]
mod tests {
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
