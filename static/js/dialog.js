// Opens the confirmation page of a link, or of a form that asks with GET, marked data-dialog in a <dialog>. Without
// this script it simply leads to the same page, and its form works there.
(() => {
  // What opened the dialog gets the focus back. It is found by this mark, which keep.js carries over when the list
  // it is in is replaced meanwhile.
  function mark(link) {
    for (const old of document.querySelectorAll("[data-opener]")) delete old.dataset.opener;
    if (link) link.dataset.opener = "";
  }

  function dialog() {
    let element = document.getElementById("dialog");
    if (!element) {
      element = document.createElement("dialog");
      element.id = "dialog";
      document.body.append(element);
      element.addEventListener("close", () => {
        element.replaceChildren();
        (document.querySelector("[data-opener]") || document.getElementById("main"))?.focus();
        mark(null);
      });
      element.addEventListener("click", (event) => {
        if (event.target === element || event.target.closest("[data-dialog-close]")) {
          event.preventDefault();
          element.close();
        }
      });
    }
    return element;
  }

  async function open(address) {
    const answer = await fetch(address, { headers: { "X-Requested-With": "dialog" }, redirect: "manual" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const confirm = page.querySelector("[data-confirm]");
    if (!answer.ok || !confirm) throw new Error("no confirmation on that page");
    const element = dialog();
    const title = confirm.querySelector("h1, h2");
    if (title) element.setAttribute("aria-labelledby", title.id);
    element.replaceChildren(document.adoptNode(confirm));
    element.showModal();
    // The safe way out gets the focus, so that Enter never destroys.
    element.querySelector("[data-dialog-close]")?.focus({ preventScroll: true });
    element.scrollTop = 0; // what will happen is read from the top
    window.htmx?.process(element);
    element.dispatchEvent(new CustomEvent("shown", { bubbles: true })); // times.js
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-dialog]");
    if (!link || event.defaultPrevented || event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
    event.preventDefault();
    mark(link);
    open(link.href).catch(() => window.location.assign(link.href));
  });

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || !form.matches("form[method=get][data-dialog]")) return;
    event.preventDefault();
    const address = new URL(form.action);
    address.search = new URLSearchParams(new FormData(form, event.submitter));
    mark(event.submitter);
    open(address.href).catch(() => window.location.assign(address.href));
  });
})();
