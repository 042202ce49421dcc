// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`run`]: what an embedding program is asked or told, as a task on a runtime of its own.
//!
//! However long the program blocks, whatever it panics with: we only wait for the task, and no
//! longer than its time. Then it ends at its next `await`; one that blocks goes on until it
//! returns, and its callers bound how many of those there are.

use std::any::Any;
use std::error::Error;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::client::with_causes;

/// Why a task of the program came to no end of its own.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    /// Its time is over.
    #[error("it did not answer within {0:?}")]
    NoAnswer(Duration),
    /// It panicked: the message.
    #[error("the closure panicked: {0}")]
    Panic(String),
    /// It has nowhere to run.
    #[error("the runtime of the embedding program has ended")]
    RuntimeEnded,
}

/// Runs the future there, whole: also what makes and drops its parts.
pub(crate) async fn run<T: Send + 'static>(
    runtime: &Handle,
    within: Duration,
    future: impl Future<Output = T> + Send + 'static,
) -> Result<T, Broken> {
    let mut task = Aborted(runtime.spawn(future));
    match timeout(within, &mut task.0).await {
        Ok(Ok(result)) => Ok(result),
        Ok(Err(error)) => match error.try_into_panic() {
            Ok(panic) => Err(Broken::Panic(message(panic))),
            Err(_) => Err(Broken::RuntimeEnded),
        },
        Err(_) => Err(Broken::NoAnswer(within)),
    }
}

/// A task that nobody waits for any more ends at its next `await`.
struct Aborted<T>(JoinHandle<T>);

impl<T> Drop for Aborted<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn message(panic: Box<dyn Any + Send>) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    one_line(text.unwrap_or("without a message"))
}

/// An error of the program and everything that led to it, as one short line.
pub(crate) fn reason(error: &(dyn Error + Send + Sync)) -> String {
    one_line(&with_causes(error))
}

/// Bytes of a foreign text that a reason may hold.
const FOREIGN_TEXT: usize = 200;

/// A text of the program as one short line.
fn one_line(text: &str) -> String {
    let mut line = String::new();
    for word in text.split(|c: char| c.is_control() || c.is_whitespace()).filter(|w| !w.is_empty())
    {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        if line.len() > FOREIGN_TEXT {
            line.truncate(line.floor_char_boundary(FOREIGN_TEXT));
            line.push('…');
            break;
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_foreign_text_becomes_one_short_line() {
        assert_eq!(one_line(" two\r\n lines\u{7}\t"), "two lines");
        let long = one_line(&"ä".repeat(1_000));
        assert!(long.len() <= FOREIGN_TEXT + '…'.len_utf8() && long.ends_with('…'), "{long}");
    }
}
