import assert from "node:assert/strict";
import { test } from "node:test";
import { parseNumber, readColumns } from "../../static/js/charts/columns.js";
import { layout, nearestRun, polyline } from "../../static/js/charts/parallel-layout.js";
import { nice, numberScale, textScale } from "../../static/js/charts/scale.js";

const block = {
  runs: [{ id: "a", name: "x", color: 0 }, { id: "b", name: "y", color: 1 }, { id: "c", name: "z", color: 2 }],
  params: { lr: ["1e-5", "0.01", null], optimizer: ["adam", "sgd", "adam"], seed: ["1", "1", "1"], mixed: ["1", "one", "2"] },
  metrics: { acc: [0.5, "NaN", 1], loss: [null, "Infinity", 2] },
};
const { columns } = readColumns(block);
const named = (name) => columns.find((one) => one.name === name);

test("a wide positive column is logarithmic, others are linear", () => {
  assert.equal(numberScale([1e-5, 1e-3, 0.1]).log, true);
  assert.equal(numberScale([-1, 5000]).log, false);
  assert.equal(numberScale([1, 500]).log, false);
  assert.ok(Math.abs(numberScale([1e-5, 1e-1]).place(1e-3) - 0.5) < 1e-12);
  assert.equal(numberScale([5, 5]).place(5), 0.5);
  assert.equal(numberScale([NaN]).place(NaN), null);
});

test("ticks are round and inside", () => {
  assert.deepEqual(nice(0, 1, 5), [0, 0.2, 0.4, 0.6, 0.8, 1]);
  for (const tick of nice(-0.3, 0.31, 4)) assert.ok(tick >= -0.3 && tick <= 0.31);
  assert.deepEqual(nice(4, 4, 5), [4]);
  assert.ok(nice(-1e308, 1e308, 5).length >= 2);
});

test("texts sort as people count", () => {
  const scale = textScale(["layer10", "layer9", null]);
  assert.deepEqual(scale.ticks(5), [[0, "layer9"], [1, "layer10"]]);
  assert.equal(scale.place(null), null);
});

test("params are numbers only when every one of them is", () => {
  assert.equal(named("lr").scale.kind, "number");
  assert.equal(named("optimizer").scale.kind, "text");
  assert.equal(named("mixed").scale.kind, "text");
  assert.equal(named("seed").varies, false);
  assert.deepEqual(["1e-5", " 7 ", "", "0x10", "1_000", "abc", "-inf", "true"].map(parseNumber), [1e-5, 7, null, null, null, null, -Infinity, null]);
});

test("missing values, NaN and infinities have no place and keep their names", () => {
  assert.deepEqual([0, 1, 2].map(named("acc").place), [0, null, 1]);
  assert.equal(named("acc").without, "NaN");
  assert.equal(named("loss").without, "none, ∞");
  assert.deepEqual(named("loss").shown, ["none", "∞", "2"]);
});

test("a run without a value passes through the lane below the axis", () => {
  const place = layout([named("lr"), named("acc")], 600);
  assert.equal(polyline(place, 1)[1][1], place.lane);
  assert.equal(polyline(place, 2)[0][1], place.lane);
  assert.equal(polyline(place, 0)[0][1], place.foot);
});

test("the line under the pointer is found, unless its run is filtered out", () => {
  const place = layout([named("lr"), named("acc")], 600);
  const paths = [0, 1, 2].map((run) => polyline(place, run));
  const [[x0, y0], [x1, y1]] = paths[1];
  const middle = [(x0 + x1) / 2, (y0 + y1) / 2];
  assert.equal(nearestRun(place, paths, [true, true, true], ...middle), 1);
  assert.notEqual(nearestRun(place, paths, [true, false, true], ...middle), 1);
});

test("axes never stand closer than their names need", () => {
  const many = Array.from({ length: 20 }, () => named("acc"));
  assert.ok(layout(many, 390).width > 390);
  assert.equal(layout([named("acc"), named("lr")], 390).width, 390);
});
