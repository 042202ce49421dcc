// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Runtimes`]: where closures and routes of the embedding program run, found when the first of
//! them needs it.

use tokio::runtime::Handle;

use super::builder::StartError;

/// A runtime that exists for the program's closures and routes only.
pub(super) type Runtime = tokio::runtime::Runtime;

/// See the module.
pub(super) struct Runtimes {
    found: Option<Handle>,
    own: Option<Runtime>,
}

impl Runtimes {
    /// The runtime that was given, if one was.
    pub(super) fn new(given: Option<Handle>) -> Runtimes {
        Runtimes { found: given, own: None }
    }

    /// The runtime that was given, or the one that we are inside of, or one of our own.
    pub(super) fn get(&mut self) -> Result<Handle, StartError> {
        if let Some(found) = &self.found {
            return Ok(found.clone());
        }
        let handle = match Handle::try_current() {
            Ok(current) => current,
            Err(_) => self.open()?,
        };
        self.found = Some(handle.clone());
        Ok(handle)
    }

    /// Our own, if there is one: it must live as long as the server.
    pub(super) fn into_own(self) -> Option<Runtime> {
        self.own
    }

    #[cfg(feature = "runtime")]
    fn open(&mut self) -> Result<Handle, StartError> {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let own = builder.enable_all().thread_name("oyez-app").build();
        let own = own.map_err(StartError::Thread)?;
        Ok(self.own.insert(own).handle().clone())
    }

    #[cfg(not(feature = "runtime"))]
    fn open(&mut self) -> Result<Handle, StartError> {
        Err(StartError::NoRuntime)
    }
}
