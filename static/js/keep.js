// What somebody has reached, typed or opened stays: when a part of the page is replaced, and when they have to
// sign in again before what they typed is accepted.
(() => {
  // --- A part of the page is replaced -----------------------------------------------------------------

  // How the same thing is found again in what the server sent: by its id, else by where it leads or what it is
  // called, within its form or the nearest thing with an id.
  function addressOf(element) {
    if (element.id) return { selector: `#${CSS.escape(element.id)}`, index: 0 };
    let selector = element.localName;
    for (const name of isTicked(element) ? ["name", "value"] : ["href", "name"]) {
      if (element.hasAttribute(name)) selector += `[${name}="${CSS.escape(element.getAttribute(name))}"]`;
    }
    const form = element.closest("form")?.getAttribute("action"); // a tick may belong to a form it is not in
    const within = element.parentElement?.closest("[id]");
    if (form) selector = `form[action="${CSS.escape(form)}"] ${selector}`;
    else if (within && !element.hasAttribute("href")) selector = `#${CSS.escape(within.id)} ${selector}`;
    return { selector, index: [...document.querySelectorAll(selector)].indexOf(element) };
  }

  const find = ({ selector, index }) => document.querySelectorAll(selector)[index] || null;

  const isTyped = (field) =>
    field.matches("input:not([type=hidden], [type=file], [type=password], [type=submit]), textarea, select");
  const isTicked = (field) => field.matches("[type=radio], [type=checkbox]");
  function isChanged(field) {
    if (isTicked(field)) return field.checked !== field.defaultChecked;
    if (field.localName === "select") {
      return field.selectedIndex !== Math.max([...field.options].findIndex((one) => one.defaultSelected), 0);
    }
    return field.value !== field.defaultValue;
  }

  let before = [];

  function remember() {
    before = [];
    const keep = (element, restore) => before.push({ element, address: addressOf(element), restore });
    for (const field of document.querySelectorAll("input, textarea, select")) {
      if (!isTyped(field) || !isChanged(field)) continue;
      const { value, checked } = field;
      keep(field, (found) => (isTicked(found) ? (found.checked = checked) : (found.value = value)));
    }
    for (const details of document.querySelectorAll("details[open]")) keep(details, (found) => (found.open = true));
    for (const opener of document.querySelectorAll("[data-opener]")) {
      keep(opener, (found) => (found.dataset.opener = "")); // dialog.js gives the focus back to it
    }
    const active = document.activeElement;
    if (!active || active === document.body) return;
    const { selectionStart: start, selectionEnd: end } = active;
    keep(active, (found) => {
      found.focus({ preventScroll: true });
      if (typeof start === "number") found.setSelectionRange(start, end);
    });
    before.at(-1).hadFocus = true;
  }

  function restore() {
    for (const one of before) {
      if (one.element.isConnected) continue;
      const found = find(one.address);
      if (found) one.restore(found);
      // What had the focus is gone: reading goes on at the page's beginning, not at the browser's.
      else if (one.hadFocus) document.getElementById("main")?.focus({ preventScroll: true });
    }
    before = [];
  }

  document.addEventListener("htmx:beforeSwap", remember);
  document.addEventListener("htmx:afterSwap", restore);

  // --- Signing in again -------------------------------------------------------------------------------

  // What was typed into a form marked data-keep waits in this tab, under the address it was sent to, until a page of
  // the portal opens: the form itself, into which it is put back, or any other, by which it was accepted or left.
  const KEPT = "kept:";
  const nameOf = (form) => `${KEPT}${form.dataset.keep}:${new URL(form.action).pathname}`; // data-keep says whose it is

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || !form.matches("form[method=post][data-keep]")) return;
    const fields = [...form.elements].filter((field) => field.name && isTyped(field));
    const typed = fields.filter((field) => !isTicked(field) || field.checked);
    try {
      sessionStorage.setItem(nameOf(form), JSON.stringify(typed.map(({ name, value }) => [name, value])));
    } catch {
      return; // more than the browser has room for: then it is as it was without this script
    }
    if (form.elements.kept) return;
    // Says that what this form was typed into is a page at the address it is sent to, also if it was a dialog here.
    const kept = document.createElement("input");
    Object.assign(kept, { type: "hidden", name: "kept", value: "yes" });
    form.append(kept);
  });

  function putBack(form, typed) {
    for (const [name, value] of typed) {
      for (const field of form.querySelectorAll(`[name="${CSS.escape(name)}"]`)) {
        if (isTicked(field)) field.checked ||= field.value === value;
        else if (isTyped(field) && !field.value) field.value = value;
      }
    }
  }

  for (const key of Object.keys(sessionStorage).filter((one) => one.startsWith(KEPT))) {
    const form = [...document.querySelectorAll("form[method=post][data-keep]")].find((one) => nameOf(one) === key);
    if (form) putBack(form, JSON.parse(sessionStorage.getItem(key)));
    sessionStorage.removeItem(key);
  }
})();
