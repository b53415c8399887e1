// Ticking runs: the count, all at once, a range with Shift, and runs that stay ticked when the rows change.
import { onContent } from "./swapped.js";

const RUNS_MAX = 100; // what one comparison takes; the server says so too
const HINT = "Tick runs to compare them";

/** Ids of the ticked runs in the order of ticking, those of other pages included. */
const ticked = new Set();
let anchor = null;

function boxes() {
  return [...document.querySelectorAll('#runs tbody input[name="run"]')];
}

function show() {
  const form = document.getElementById("compare");
  if (!form) return;
  const rows = boxes();
  for (const box of rows) box.checked = ticked.has(box.value);
  const here = new Set(rows.map((box) => box.value));
  const away = [...ticked].filter((id) => !here.has(id));
  carry(form, away);
  const text = ticked.size ? `${ticked.size} selected` + (away.length ? `, ${away.length} not in view` : "") : HINT;
  const tooMany = ticked.size > RUNS_MAX;
  form.querySelector("[data-selected]").textContent = tooMany ? `${text}; at most ${RUNS_MAX} can be compared` : text;
  form.querySelector("[data-select-none]").hidden = ticked.size === 0;
  form.querySelector("[data-compare]").disabled = ticked.size === 0 || tooMany;
  const all = document.querySelector("[data-select-all]");
  if (!all) return;
  all.hidden = false;
  all.checked = rows.length > 0 && rows.every((box) => box.checked);
  all.indeterminate = !all.checked && rows.some((box) => box.checked);
}

/** Ticked runs without a row here go with the form as hidden fields. */
function carry(form, ids) {
  for (const old of form.querySelectorAll('input[type="hidden"]')) old.remove();
  for (const id of ids) {
    const field = document.createElement("input");
    Object.assign(field, { type: "hidden", name: "run", value: id });
    form.append(field);
  }
}

function tick(box, on) {
  if (on) ticked.add(box.value);
  else ticked.delete(box.value);
}

function range(to, on) {
  const rows = boxes();
  const ends = [rows.indexOf(anchor), rows.indexOf(to)];
  if (ends.includes(-1)) return;
  for (const box of rows.slice(Math.min(...ends), Math.max(...ends) + 1)) tick(box, on);
}

function clicked(event) {
  const { target } = event;
  if (target.matches?.('#runs input[name="run"]')) {
    if (event.shiftKey && anchor) range(target, target.checked);
    tick(target, target.checked);
    anchor = target;
  } else if (target.matches?.("[data-select-all]")) {
    for (const box of boxes()) tick(box, target.checked);
  } else if (target.closest?.("[data-select-none]")) {
    ticked.clear();
  } else {
    return;
  }
  show();
}

export function startSelection() {
  document.addEventListener("click", clicked);
  // A browser that goes back may show boxes as they were left.
  addEventListener("pageshow", () => {
    for (const box of boxes()) if (box.checked) ticked.add(box.value);
    show();
  });
  onContent(show);
}
