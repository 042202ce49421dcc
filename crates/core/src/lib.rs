//! Oyez core.
