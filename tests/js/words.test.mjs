import assert from "node:assert/strict";
import { test } from "node:test";
import { fitText, markCounts, pointsText } from "../../static/js/charts/describe.js";
import { number, place, span, timeTick } from "../../static/js/charts/format.js";

const thinned = { x: [1, 2], y: [0.5, -1], inRange: 50_000, total: 100_000, nanCount: 3, infCount: 0 };
const whole = { x: [1, 2], y: [0.5, 1], inRange: 2, total: 2, nanCount: 0, infCount: 0 };

test("numbers have five significant digits, as in the tables", () => {
  const shown = [0.437512345, 1.2e-5, 500, 1234567.8, 0.1 + 0.2, -0.5, 1e300, 0, NaN, Infinity, "-Infinity", null];
  const texts = ["0.43751", "1.2e-5", "500", "1.2346e6", "0.3", "-0.5", "1e300", "0", "NaN", "∞", "−∞", "none"];
  assert.deepEqual(shown.map(number), texts);
});

test("spans have two units", () => {
  assert.deepEqual([5, 12_400, 200_000, 7_500_000, 90_000_000].map(span), ["5 ms", "12.4 s", "3 min 20 s", "2 h 5 min", "1 d 1 h"]);
  assert.equal(place(1234, "step"), "step 1,234");
});

test("a tick of a time axis shows the date where a day begins", () => {
  const midnight = new Date(2026, 10, 23).getTime();
  assert.equal(timeTick(midnight, 3_600_000), "2026-11-23");
  assert.equal(timeTick(midnight + 3_600_000, 3_600_000), "01:00");
  assert.equal(timeTick(midnight + 5000, 1000), "00:00:05");
});

test("the caption says how much is drawn, and counts what is not", () => {
  assert.equal(pointsText([whole], false), "2 of 2 points");
  assert.equal(pointsText([thinned], true), "2 of 50,000 points in view, 100,000 in all");
  assert.deepEqual(markCounts([thinned], false), [["nan", "3 NaN"]]);
  assert.deepEqual(markCounts([thinned], true), [["nan", "3 NaN"], ["beyond", "at least 1 at or below 0"]]);
  assert.deepEqual(markCounts([whole], true), []);
});

test("the switch of the y axis says how many points are off scale, and when there may be more", () => {
  assert.equal(fitText(3, true, [whole]), "Show all, 3 points off scale");
  assert.equal(fitText(1, false, [thinned]), "Fit to typical values, at least 1 point off scale");
});
