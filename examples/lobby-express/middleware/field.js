// SPDX-License-Identifier: MIT OR Apache-2.0
// A field of the form that was sent: always a text, empty if it is missing or was sent twice.
'use strict';

function field(req, name) {
  const value = req.body?.[name];
  return typeof value === 'string' ? value : '';
}

module.exports = { field };
