// Rows that are ticked in a list: how many, all that are shown, and not both those and all that match.
(() => {
  const bar = () => document.getElementById("chosen");
  const ticks = () => [...document.querySelectorAll('input[type="checkbox"][form="chosen"]')];

  function tell() {
    const form = bar();
    if (!form) return;
    document.documentElement.style.setProperty("--ticked", `${form.offsetHeight}px`); // the heads stay below it
    const whole = form.querySelector("[data-tick-whole]")?.checked;
    const ticked = ticks().filter((tick) => tick.checked).length;
    const said = form.querySelector("[data-ticked]");
    said.textContent = whole ? "" : said.dataset.ticked.replace("0", ticked);
    for (const tick of ticks()) tick.disabled = Boolean(whole);
    for (const button of form.querySelectorAll("button[name=deed]")) button.disabled = !whole && !ticked;
    const all = form.querySelector("[data-tick-all]");
    all.checked = ticked > 0 && ticked === ticks().length;
    all.indeterminate = ticked > 0 && ticked < ticks().length;
  }

  document.addEventListener("change", (event) => {
    const { target } = event;
    if ("tickAll" in target.dataset) for (const tick of ticks()) tick.checked = target.checked;
    if ("tickAll" in target.dataset || "tickWhole" in target.dataset || target.getAttribute("form") === "chosen") tell();
  });
  document.addEventListener("htmx:load", tell);
  window.addEventListener("pageshow", tell);
  window.addEventListener("resize", tell);
})();
