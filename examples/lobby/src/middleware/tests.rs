// SPDX-License-Identifier: MIT OR Apache-2.0
//! Everything from the port to the database, but without a port.
