// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`LogSum`]: what all logs of a home hold, in bytes. It is counted where a log is changed, and a
//! log is changed nowhere else: [`Memory`](crate::memory::Memory) gives its own out to be read.

use super::Log;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct LogSum(usize);

impl LogSum {
    pub(crate) fn bytes(&self) -> usize {
        self.0
    }

    /// There is one more log, which holds something already.
    pub(crate) fn add(&mut self, log: &Log) {
        self.0 += log.bytes();
    }

    /// A log is changed, and the sum with it.
    pub(crate) fn follow<R>(&mut self, log: &mut Log, change: impl FnOnce(&mut Log) -> R) -> R {
        let before = log.bytes();
        let result = change(log);
        self.0 = self.0 + log.bytes() - before;
        result
    }
}
