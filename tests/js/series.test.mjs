import assert from "node:assert/strict";
import { test } from "node:test";
import {
  countNotPositive,
  countOutside,
  extentX,
  extentY,
  nearest,
  read,
  smooth,
  totals,
  typicalRange,
} from "../../static/js/charts/series.js";

function series(x, y, more = {}) {
  return { x: Float64Array.from(x), y: Float64Array.from(y), inRange: x.length, ...more };
}

test("an answer's marks become NaN and infinities at their places", () => {
  const raw = { run: "r", name: "n", x: [1, 2, 3, 4], y: [0.5, null, null, null], total: 9, in_range: 4 };
  const one = read({ ...raw, special: [[1, "NaN"], [2, "Infinity"], [3, "-Infinity"]], nan_count: 1, inf_count: 2 });
  assert.deepEqual([...one.y], [0.5, NaN, Infinity, -Infinity]);
  assert.deepEqual(totals([one, one]), { drawn: 8, inRange: 8, total: 18, nan: 2, inf: 4 });
});

test("extents leave out what cannot be drawn", () => {
  const one = series([3, 5, 9, 11], [NaN, -2, 7, Infinity]);
  assert.deepEqual(extentX([one, series([], [])]), [3, 11]);
  assert.deepEqual(extentY([one], false), [-2, 7]);
  assert.deepEqual(extentY([one], true), [7, 7]);
  assert.equal(extentY([series([1], [NaN])], false), null);
  assert.equal(extentX([series([], [])]), null);
  assert.equal(countNotPositive([one]), 1);
});

test("typical values leave a spike out, and only a spike", () => {
  const calm = Array.from({ length: 200 }, (_, i) => Math.sin(i));
  const x = calm.map((_, i) => i);
  assert.equal(typicalRange([series(x, calm)], false), null);
  const spiked = calm.with(50, 900).with(70, -900);
  const range = typicalRange([series(x, spiked)], false);
  assert.deepEqual(range, [Math.min(...calm), Math.max(...calm)]);
  assert.equal(countOutside([series(x, spiked)], range, false), 2);
});

test("a flat series is not cut to nothing", () => {
  const flat = Array.from({ length: 100 }, () => 1).with(3, 50);
  assert.equal(typicalRange([series(flat.keys(), flat)], false), null);
});

test("nearest finds the neighbour that is closer, the later one of equals", () => {
  const one = series([0, 10, 10, 30], [1, 2, 3, 4]);
  assert.deepEqual([-5, 4, 6, 10, 19, 21, 99].map((x) => nearest(one, x)), [0, 0, 2, 2, 2, 3, 3]);
  assert.equal(nearest(series([], []), 3), -1);
});

test("smoothing of a whole series is the moving average with its bias corrected", () => {
  const y = [1, 3, 2, NaN, 5];
  let sum = 0;
  let n = 0;
  const expected = y.map((value) => {
    if (Number.isNaN(value)) return value;
    sum = 0.6 * sum + 0.4 * value;
    n += 1;
    return sum / (1 - 0.6 ** n);
  });
  const found = smooth(series([0, 1, 2, 3, 4], y), 0.6);
  found.forEach((value, i) => assert.ok(Object.is(value, expected[i]) || Math.abs(value - expected[i]) < 1e-12));
});

test("smoothing of a thinned constant stays the constant, whatever the gaps", () => {
  const found = smooth(series([0, 1, 500, 501, 9000], [7, 7, 7, 7, 7], { inRange: 9001 }), 0.9);
  found.forEach((value) => assert.ok(Math.abs(value - 7) < 1e-9));
});
