//! Oyez server.
