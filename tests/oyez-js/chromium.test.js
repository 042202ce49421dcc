// SPDX-License-Identifier: MIT OR Apache-2.0
// The scenarios of browser/chromium.test.js, with the script that the server carries.
import './switch.js';

await import('../browser/chromium.test.js');
