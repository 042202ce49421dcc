// SPDX-License-Identifier: MIT OR Apache-2.0
// Writes the config of a server under test as TOML: scalars, lists, tables and lists of tables.

const scalar = (value) => {
  if (Array.isArray(value)) return `[${value.map(scalar).join(', ')}]`;
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
};

const isTable = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);
const isTableList = (value) => Array.isArray(value) && value.length > 0 && value.every(isTable);

/** Nested tables come after the scalars of their parent, as TOML wants it. */
export function toToml(config, prefix = '') {
  const lines = [];
  const entries = Object.entries(config).filter(([, value]) => value !== undefined);
  for (const [key, value] of entries) {
    if (!isTable(value) && !isTableList(value)) lines.push(`${key} = ${scalar(value)}`);
  }
  for (const [key, value] of entries) {
    const path = prefix + key;
    if (isTable(value)) lines.push('', `[${path}]`, toToml(value, `${path}.`));
    if (isTableList(value)) {
      for (const item of value) lines.push('', `[[${path}]]`, toToml(item, `${path}.`));
    }
  }
  return lines.join('\n');
}
