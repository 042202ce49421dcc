// SPDX-License-Identifier: MIT OR Apache-2.0
//! What values promise (T-027).

mod rfc;
