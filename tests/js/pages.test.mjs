// What the pages' scripts decide, without a page.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ownPath } from "../../static/js/pages/old-addresses.js";
import { matching, wordAt } from "../../static/js/pages/suggestions.js";
import { relative } from "../../static/js/pages/times.js";

const RUN = "0123456789abcdef0123456789abcdef";

test("MLflow's addresses have a page of ours", () => {
  assert.equal(ownPath(`#/experiments/0/runs/${RUN}`), `/runs/${RUN}`);
  assert.equal(ownPath(`#/experiments/12/runs/${RUN}/model-metrics`), `/runs/${RUN}`);
  assert.equal(ownPath("#/experiments/12"), "/experiments/12");
  assert.equal(ownPath("#/experiments/12?searchFilter=x"), "/experiments/12");
  assert.equal(ownPath(`#/compare-runs?runs=${encodeURIComponent(JSON.stringify(["a1", "b2"]))}`), "/compare?run=a1&run=b2");
});

test("nothing else leads anywhere", () => {
  for (const hash of ["", "#/", "#/models/x", "#/experiments/x", "#/experiments/1/other", "#/compare-runs?runs=[", "#//evil"]) {
    assert.equal(ownPath(hash), null, hash);
  }
  assert.equal(ownPath("#/experiments/1/runs/..%2f..%2fevil"), "/experiments/1");
  assert.equal(ownPath('#/compare-runs?runs=["a/../b"]'), null);
});

test("a name may stand at the start, and behind and, or, not and a parenthesis", () => {
  for (const lead of ["", "a = 1 and ", "a = 1 OR ", "not ", "(", "a = 1 and (not "]) {
    assert.deepEqual(wordAt(`${lead}los`, lead.length + 3), { word: "los", start: lead.length, metric: false });
  }
  assert.deepEqual(wordAt("max(lo", 6), { word: "lo", start: 4, metric: true });
  for (const text of ["a = los", "a > 1 an", "a in (los, mos", "'los", ""]) assert.equal(wordAt(text, text.length), null, text);
});

test("names that begin with the word come first", () => {
  const names = ["val_loss", "loss", "lossless", "acc"].map((text) => ({ text, kind: "metric" }));
  const found = matching([...names, { text: "loss_kind", kind: "param" }], { word: "LOSS", metric: true });
  assert.deepEqual(found.map(({ text }) => text), ["loss", "lossless", "val_loss"]);
  assert.deepEqual(matching(names, { word: "loss", metric: false }).map(({ text }) => text), ["lossless", "val_loss"]);
});

test("times read as the server writes them", () => {
  const now = 1_700_000_000_000;
  const texts = [[9_999, "just now"], [59_999, "59 s ago"], [61_000, "1 min ago"], [90_000_000, "1 d ago"], [-7_300_000, "in 2 h"]];
  for (const [ago, text] of texts) assert.equal(relative(now - ago, now), text);
});
