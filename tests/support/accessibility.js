// SPDX-License-Identifier: MIT OR Apache-2.0
// Whether a page can be used by everybody, as far as a program can tell: axe-core's rules, contrast
// among them, and what a reader of the page's outline needs.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createRequire } from 'node:module';

const AXE = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** A card is drawn from characters, "3♥♥♥3", and is a picture all the same, called "Three of hearts". */
const RULES = { 'label-content-name-mismatch': { enabled: false } };

/** Fails with each rule that the page breaks, and where. */
export async function isAccessible(page, what) {
  await page.evaluate(AXE);
  const violations = await page.evaluate(async ({ tags, rules }) => {
    const { violations: found } = await window.axe.run(document, { runOnly: tags, rules, resultTypes: ['violations'] });
    return found.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id} at ${target}: ${failureSummary.replaceAll(/\s+/g, ' ')}`));
  }, { tags: TAGS, rules: RULES });
  assert.deepEqual(violations, [], what);
}

/** Nothing is wider than the screen. */
export async function fitsItsScreen(page, what) {
  const wide = await page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    const sticksOut = (element) => element.getBoundingClientRect().right > width + 1 && getComputedStyle(element).position !== 'fixed';
    const parts = document.documentElement.scrollWidth > width ? [...document.body.querySelectorAll('*')].filter(sticksOut) : [];
    return parts.slice(0, 5).map((element) => element.outerHTML.slice(0, 120)).concat(document.documentElement.scrollWidth > width ? [`${document.documentElement.scrollWidth} > ${width}`] : []);
  });
  assert.deepEqual(wide, [], what);
}
