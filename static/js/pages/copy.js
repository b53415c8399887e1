// Buttons that copy a text of the page.
import { onContent } from "./swapped.js";

const SHOWN_MS = 1200;

function select(element) {
  getSelection().selectAllChildren(element);
}

async function copy(button) {
  const source = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(source.textContent);
  } catch {
    // Browsers offer no clipboard to pages without HTTPS: the selected text can still be copied by hand.
    select(source);
    return;
  }
  button.dataset.copied = "";
  setTimeout(() => delete button.dataset.copied, SHOWN_MS);
}

export function startCopying() {
  onContent(() => {
    for (const button of document.querySelectorAll("button[data-copy][hidden]")) {
      button.hidden = false;
      button.addEventListener("click", () => copy(button));
    }
  });
}
