// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Apps`]: apps by their id. On disk an app is its id, because its place depends on the config.

use std::collections::HashMap;

use oyez_core::AppIndex;

/// The apps of this run.
#[derive(Debug)]
pub(crate) struct Apps {
    ids: Vec<Box<str>>,
    indexes: HashMap<Box<str>, AppIndex>,
}

impl Apps {
    /// The apps in the order of their indexes.
    pub(crate) fn new<S: AsRef<str>>(ids: &[S]) -> Apps {
        let ids: Vec<Box<str>> = ids.iter().map(|id| id.as_ref().into()).collect();
        let indexes = (0..).map(AppIndex);
        let indexes = ids.iter().cloned().zip(indexes).collect();
        Apps { ids, indexes }
    }

    /// The id of an app of this run.
    pub(crate) fn id(&self, app: AppIndex) -> &str {
        &self.ids[app.0 as usize]
    }

    /// The app of that id, if this run has it.
    pub(crate) fn index(&self, id: &str) -> Option<AppIndex> {
        self.indexes.get(id).copied()
    }
}
