// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`TruthRule`]: how a truth that a closure knows is sent and asked for. [`IntoTruth`]: what such
//! a closure may answer.

use std::sync::Arc;
use std::time::Duration;

use oyez_server::options::{Source, TruthOptions};
use oyez_server::{BoxError, TruthClosure, TruthFuture};
use serde::Serialize;
use serde_json::Value;

/// The event that carries a truth whose rule names none.
pub const TRUTH_EVENT: &str = "truth";

/// `truth = { … }` of a rule in the config, for a truth that a closure knows.
#[derive(Clone, Debug)]
pub struct TruthRule(TruthOptions);

impl TruthRule {
    /// A truth that subscribers get as that event, with every default of the config.
    pub fn event(name: &str) -> TruthRule {
        TruthRule(TruthOptions::new(name, Source::Pushed))
    }

    /// How long a subscription waits for an answer; then the truth follows live. 300 ms if not set.
    pub fn wait(mut self, time: Duration) -> TruthRule {
        self.0.wait = time;
        self
    }

    /// Each subscription is confirmed: it waits for the answer to a question that began after it
    /// came. Without this a truth is asked for when nothing is known, and when somebody says
    /// `changed`; a page that was made of a commit for which nobody has said so yet would be shown
    /// the truth of a moment before.
    pub fn confirm(mut self) -> TruthRule {
        self.0.confirm = true;
        self
    }

    /// A call that takes longer has failed, and is repeated after a pause. 5 s if not set.
    pub fn timeout(mut self, time: Duration) -> TruthRule {
        self.0.timeout = time;
        self
    }

    /// When to ask once more after the last `changed`, for one that ran ahead of its commit; zero
    /// never. 1 s if not set.
    pub fn settle(mut self, time: Duration) -> TruthRule {
        self.0.settle = time;
        self
    }

    /// How often to ask again while somebody is subscribed. Never if not set.
    pub fn refresh(mut self, time: Duration) -> TruthRule {
        self.0.refresh = Some(time);
        self
    }

    pub(super) fn into_options(self) -> TruthOptions {
        self.0
    }
}

impl Default for TruthRule {
    /// A truth that subscribers get as the event [`TRUTH_EVENT`].
    fn default() -> TruthRule {
        TruthRule::event(TRUTH_EVENT)
    }
}

impl From<&str> for TruthRule {
    /// [`TruthRule::event`].
    fn from(event: &str) -> TruthRule {
        TruthRule::event(event)
    }
}

/// What a closure that knows truths may answer: anything that becomes JSON, in `Some`, in `Ok` or
/// both, or a [`serde_json::Value`] as it is.
///
/// `None` and `null` say that the channel has no truth. An error says that it is not known now:
/// subscribers keep the truth that they have, and the closure is called again after a pause; the
/// error's text is logged. A field `version` of the truth that is a whole number is its version.
pub trait IntoTruth {
    /// The truth; none; or why it is not known.
    ///
    /// # Errors
    /// What the closure answered, or what keeps its answer from being JSON.
    fn into_truth(self) -> Result<Option<Value>, BoxError>;
}

impl IntoTruth for Value {
    fn into_truth(self) -> Result<Option<Value>, BoxError> {
        Ok(Some(self).filter(|value| !value.is_null()))
    }
}

impl<T: Serialize> IntoTruth for Option<T> {
    fn into_truth(self) -> Result<Option<Value>, BoxError> {
        serde_json::to_value(self)?.into_truth()
    }
}

impl<T: Serialize, E: Into<BoxError>> IntoTruth for Result<T, E> {
    fn into_truth(self) -> Result<Option<Value>, BoxError> {
        serde_json::to_value(self.map_err(Into::into)?)?.into_truth()
    }
}

/// The closure as the server calls it.
pub(super) fn closure<F, Answer>(ask: F) -> TruthClosure
where
    F: Fn(String) -> Answer + Send + Sync + 'static,
    Answer: Future<Output: IntoTruth> + Send + 'static,
{
    Arc::new(move |channel| {
        let answer = ask(channel.to_owned());
        let truth: TruthFuture = Box::pin(async move { answer.await.into_truth() });
        truth
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn truth(answer: impl IntoTruth) -> Option<Value> {
        answer.into_truth().expect("it is known")
    }

    #[test]
    fn a_closure_answers_whatever_becomes_json() {
        assert_eq!(truth(json!({ "a": 1 })), Some(json!({ "a": 1 })));
        assert_eq!(truth(Some(vec![1, 2])), Some(json!([1, 2])));
        assert_eq!(truth(Ok::<_, BoxError>("x")), Some(json!("x")));
        assert_eq!(truth(Ok::<_, BoxError>(Some(7))), Some(json!(7)));
    }

    #[test]
    fn null_and_none_are_no_truth_and_an_error_is_its_text() {
        assert_eq!(truth(Value::Null), None);
        assert_eq!(truth(None::<u8>), None);
        assert_eq!(truth(Ok::<_, BoxError>(None::<u8>)), None);
        let error = Err::<u8, _>("the database is away").into_truth().expect_err("not known");
        assert_eq!(error.to_string(), "the database is away");
    }
}
