// Toasts that can be put away, and honest answers when an htmx request does not succeed.
(() => {
  const polls = (element) => (element.getAttribute?.("hx-trigger") || "").includes("every");

  document.addEventListener("click", (event) => {
    event.target.closest("[data-dismiss]")?.closest(".toast")?.remove();
  });

  document.addEventListener("htmx:beforeSwap", (event) => {
    const { detail } = event;
    const answered = new URL(detail.xhr.responseURL || window.location.href);
    if (answered.pathname.startsWith("/accounts/")) {
      // The portal session has ended: go to the sign-in page as a whole, not into a corner of this one.
      detail.shouldSwap = false;
      window.location.reload();
      return;
    }
    if (detail.xhr.status < 400) return;
    if (polls(detail.elt)) {
      stale(true);
      return;
    }
    // Error pages say what happened and what was not changed, so they are shown.
    detail.shouldSwap = true;
    detail.isError = false;
    detail.target = document.getElementById("main");
    detail.selectOverride = "#main";
    detail.swapOverride = "outerHTML";
  });

  document.addEventListener("htmx:sendError", () => stale(true));
  document.addEventListener("htmx:afterOnLoad", (event) => {
    if (event.detail.xhr.status < 400) stale(false);
  });

  function stale(yes) {
    const note = document.getElementById("stale");
    if (note && note.hidden === yes) note.hidden = !yes;
  }
})();
