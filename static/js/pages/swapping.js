// The runs table changes in place: htmx fetches the page that a link or form of it leads to and takes its table. Here is
// what must survive that (the place in the table) and what must not happen (half a page).
const TABLE = "#runs";

let scrolledX = 0;

function isTable(event) {
  return event.detail?.ctx?.target?.matches?.(TABLE) ?? false;
}

/** An error page has no table in it, and a server that is away sends no page: the browser shows what there is. */
function leaveTo(ctx) {
  const { action, form, body } = ctx.request;
  const query = body instanceof FormData ? new URLSearchParams(body).toString() : "";
  const address = new URL(action, location.href);
  if (form && query) address.search = query;
  location.assign(address);
}

export function startSwapping() {
  document.addEventListener("htmx:before:swap", (event) => {
    if (!isTable(event)) return;
    const { ctx } = event.detail;
    if (ctx.response?.status !== 200) {
      event.preventDefault();
      leaveTo(ctx);
      return;
    }
    scrolledX = document.querySelector(`${TABLE} .scroller`)?.scrollLeft ?? 0;
  });
  document.addEventListener("htmx:after:swap", () => {
    const table = document.querySelector(TABLE);
    if (!table) return;
    table.querySelector(".scroller").scrollLeft = scrolledX;
    // The server says the shortest address of what it shows.
    if (history.state?.htmx) history.replaceState(history.state, "", table.dataset.address);
  });
}
