// htmx, set up for pages whose Content-Security-Policy allows neither eval nor inline scripts.
import htmx from "htmx.org";

/** What htmx gets in place of `Function`: refuses, so that no attribute of a page is ever run as code. */
function refuseCode() {
  throw new Error("Minleaf's pages run no code from attributes (hx-on, js:, trigger filters)");
}

htmx.registerExtension("minleaf-no-eval", {
  init: (api) => api.initSecurity(undefined, refuseCode, refuseCode),
});
htmx.config.defaultSettleDelay = 0;
// Our own style sheet says what a waiting element looks like.
document.adoptedStyleSheets = document.adoptedStyleSheets.filter((sheet) => sheet !== htmx.indicatorStyleSheet);

export default htmx;
