// MLflow's client prints addresses of MLflow's own pages, which keep the place behind a "#". They lead to ours.
const ID = /^[\w-]{1,256}$/;

/** The path of our page for the hash of an MLflow address, or null. */
export function ownPath(hash) {
  const [path, query = ""] = hash.replace(/^#/, "").split("?");
  const parts = path.split("/").filter(Boolean);
  if (parts[0] === "compare-runs") return comparison(new URLSearchParams(query));
  if (parts[0] !== "experiments" || !/^\d{1,18}$/.test(parts[1] ?? "")) return null;
  if (parts[2] === "runs" && ID.test(parts[3] ?? "")) return `/runs/${parts[3]}`;
  return parts.length === 2 || parts[2] === "runs" ? `/experiments/${parts[1]}` : null;
}

function comparison(query) {
  let ids;
  try {
    ids = JSON.parse(query.get("runs"));
  } catch {
    return null;
  }
  if (!Array.isArray(ids)) return null;
  const wanted = ids.filter((id) => typeof id === "string" && ID.test(id));
  return wanted.length ? `/compare?${wanted.map((id) => `run=${id}`).join("&")}` : null;
}

export function followOldAddress() {
  const path = location.hash.startsWith("#/") ? ownPath(location.hash) : null;
  if (path) location.replace(`${document.documentElement.dataset.root ?? ""}${path}`);
  // The mlflow client's link may be opened in a tab that already shows this page.
  addEventListener("hashchange", () => {
    if (location.hash.startsWith("#/")) followOldAddress();
  }, { once: true });
}
