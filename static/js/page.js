// What every page needs: toasts, forms that are sent once, strips that show where one is, and honest answers
// when an htmx request does not succeed.
(() => {
  const AGAIN = 2000; // milliseconds until a form that is answered with a file may be sent again
  const polls = (element) => (element.getAttribute?.("hx-trigger") || "").includes("every");

  // What only works with scripts is hidden until one runs.
  function show(root) {
    for (const element of root.querySelectorAll("[data-scripted][hidden]")) element.hidden = false;
  }
  show(document);
  document.addEventListener("shown", (event) => show(event.target)); // dialog.js, keys.js
  document.addEventListener("htmx:load", (event) => show(event.detail.elt.parentElement || document));

  document.addEventListener("click", (event) => {
    const toast = event.target.closest("[data-dismiss]")?.closest(".toast");
    if (!toast) return;
    toast.remove();
    document.getElementById("main")?.focus({ preventScroll: true });
  });

  // A toast that is there when the page opens is announced as one that comes later would be.
  const live = document.getElementById("live");
  const toasts = [...document.querySelectorAll(".toast > span")].map((toast) => toast.textContent.trim());
  if (live && toasts.length) setTimeout(() => (live.textContent = toasts.join(" ")), 100);

  // The current page's place in a strip that is wider than the window.
  function showPlace() {
    for (const current of document.querySelectorAll(".tabs [aria-current], .work > nav [aria-current]")) {
      const strip = current.closest("ul");
      const [outer, inner] = [strip.getBoundingClientRect(), current.getBoundingClientRect()];
      strip.scrollLeft += inner.left + inner.width / 2 - (outer.left + outer.width / 2);
    }
  }
  showPlace();
  window.addEventListener("resize", showPlace);

  // Menus close like menus: by a click elsewhere, by Escape, and when the focus has left them.
  const leave = (event) => {
    for (const menu of document.querySelectorAll("details[data-menu][open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  };
  document.addEventListener("click", leave);
  document.addEventListener("focusin", leave);
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && event.target.closest?.("details[data-menu][open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });

  // A long list that is there already is narrowed by what is typed above it.
  document.addEventListener("input", (event) => {
    const list = document.getElementById(event.target.dataset.narrows);
    if (!list) return;
    const words = event.target.value.toLocaleLowerCase().split(/\s+/);
    for (const item of list.children) {
      const text = item.textContent.toLocaleLowerCase();
      item.hidden = !words.every((word) => text.includes(word));
    }
  });

  // An address says what is filtered, and nothing of what is not.
  document.addEventListener("formdata", ({ target, formData }) => {
    if (target.method !== "get") return;
    for (const [name, value] of [...formData]) if (value === "") formData.delete(name);
  });

  // A form is sent once: a double click must not ask twice. Marked data-again, it is answered with a file and the
  // page stays, so it may be sent again a little later.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented) return;
    if (form.dataset.sent) {
      event.preventDefault();
    } else if (form.method === "post" && !form.hasAttribute("hx-post")) {
      form.dataset.sent = "yes";
      if ("again" in form.dataset) setTimeout(() => delete form.dataset.sent, AGAIN);
    }
  });
  // Coming back through the browser's history, the form may be sent again. A page that the browser kept whole shows at
  // once; not when something was sent since, or somebody else is signed in or nobody: portal/pages.py changes the mark.
  const mark = () => document.cookie.match(/consentry_mark=([^;]*)/)?.[1];
  let marked = mark();
  document.addEventListener("htmx:afterRequest", ({ detail }) => {
    if (detail.requestConfig.verb !== "get") marked = mark(); // it was this page, which now shows what came of it
  });
  window.addEventListener("pageshow", (event) => {
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
    if (!event.persisted || marked === mark()) return;
    document.documentElement.hidden = true;
    window.location.reload();
  });

  document.addEventListener("htmx:beforeSwap", (event) => {
    const { detail } = event;
    const answered = new URL(detail.xhr.responseURL || window.location.href);
    if (answered.pathname.startsWith("/accounts/") || detail.xhr.status === 401) {
      // The portal session has ended: show that, or the sign-in page, as a whole and not in a corner of this one.
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
