// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a command prints: what was asked for to standard output, whose reader may stop reading at
//! any time, and notes beside it to standard error.

use std::io::{self, Write};

use crate::failure::Failure;

/// Whether somebody still reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    Listens,
    Gone,
}

/// Prints a text as it is.
pub(crate) fn text(text: &str) -> Result<Reader, Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(Reader::Listens),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Reader::Gone),
        Err(error) => Err(Failure::impossible(format!("cannot print: {error}"))),
    }
}

/// Says something beside what was asked for, as one line in one piece.
pub(crate) fn note(text: &str) {
    // Nobody is left to be told that nobody listens.
    let _ = io::stderr().lock().write_all(format!("{text}\n").as_bytes());
}

/// A text that came from elsewhere, on one line: what would move the cursor is written as an
/// escape.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control()
            || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stays_one_line_and_cannot_move_the_cursor() {
        assert_eq!(one_line("a\nb\u{1b}[2J\u{202e}é😀"), "a\\nb\\u{1b}[2J\\u{202e}é😀");
    }
}
