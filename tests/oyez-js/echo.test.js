// SPDX-License-Identifier: MIT OR Apache-2.0
// The scenarios of clients/echo.test.js, with our own client.
import './switch.js';

await import('../clients/echo.test.js');
