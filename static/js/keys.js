// Lists by keyboard and by hand: / j k x ?, a row that is a link as a whole, ids that can be copied, folds that are fetched.
(() => {
  const ROW = "main :is(tbody tr, [data-row])";
  const rows = () => [...document.querySelectorAll(ROW)].filter((row) => linkOf(row));
  const linkOf = (row) => row.querySelector("a.strong, :scope > div > details > summary"); // leads there, or opens it
  const rowOf = (element) => element.closest?.(ROW);

  // --- Keys. One may switch them off: people who speak to their computer press keys by saying words. ----------------

  const OFF = "keys-off";
  const isOff = () => localStorage.getItem(OFF) !== null;
  const typed = "input:not([type=checkbox], [type=radio], [type=submit], [type=button]), textarea, select, [contenteditable]";

  function move(step) {
    const all = rows();
    const at = all.indexOf(rowOf(document.activeElement));
    const next = at < 0 ? all[step > 0 ? 0 : all.length - 1] : all[at + step];
    if (!next) return;
    linkOf(next).focus();
    next.scrollIntoView({ block: "nearest" });
  }

  function search() {
    const field = document.querySelector("main input[type=search], main input[name=q]");
    if (!field) return;
    field.closest("details")?.setAttribute("open", "");
    field.focus();
    field.select();
  }

  function help() {
    const template = document.getElementById("keys");
    if (!template || document.querySelector("dialog[open]")) return;
    const dialog = template.content.firstElementChild.cloneNode(true);
    const opener = document.activeElement;
    const on = dialog.querySelector("[data-keys-on]");
    on.checked = !isOff();
    on.addEventListener("change", () => (on.checked ? localStorage.removeItem(OFF) : localStorage.setItem(OFF, "")));
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog || event.target.closest("[data-dialog-close]")) dialog.close();
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      opener?.focus();
    });
    document.body.append(dialog);
    dialog.showModal();
  }

  const deeds = {
    "/": search,
    j: () => move(1),
    k: () => move(-1),
    x: () => rowOf(document.activeElement)?.querySelector("input[type=checkbox]")?.click(),
    "?": help,
  };

  document.addEventListener("keydown", (event) => {
    const { key, target } = event;
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (!Object.hasOwn(deeds, key) || isOff() || target.closest(typed) || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    deeds[key]();
  });

  // --- Clicks ---------------------------------------------------------------------------------------------------

  // A row leads where its name does. Its text can still be selected, and what is in it does what it does elsewhere.
  function follow(event) {
    const row = rowOf(event.target);
    const link = row?.querySelector("a.strong");
    if (!link || event.defaultPrevented || event.button > 1 || String(window.getSelection())) return;
    if (event.target.closest("a, button, input, label, select, summary, details, [data-copy]")) return;
    if (event.button === 1 || event.ctrlKey || event.metaKey || event.shiftKey) window.open(link.href);
    else link.click();
  }
  document.addEventListener("click", follow);
  document.addEventListener("auxclick", follow);

  async function copy(button) {
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
    } catch {
      window.getSelection().selectAllChildren(button.previousElementSibling); // over plain http: the older way
      if (!document.execCommand("copy")) return; // then it is selected, at least
    }
    const live = document.getElementById("live");
    if (live) live.textContent = button.dataset.said;
    button.classList.add("copied");
    setTimeout(() => button.classList.remove("copied"), 1500);
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) copy(button);
    if (event.target.closest("[data-keys]")) help();
  });

  // What a fold holds is fetched when it is opened; without scripts a link in it leads there.
  async function fetchInto(details) {
    const place = details.querySelector("div");
    const answer = await fetch(details.dataset.from, { headers: { "HX-Request": "true" } });
    if (answer.redirected) window.location.reload(); // the session has ended: say so
    if (!answer.ok) return;
    delete details.dataset.from;
    place.innerHTML = await answer.text(); // our own page's part, escaped as any page is
    place.dispatchEvent(new CustomEvent("shown", { bubbles: true }));
  }

  document.addEventListener("toggle", ({ target }) => target.open && target.dataset.from && fetchInto(target), true);
})();
