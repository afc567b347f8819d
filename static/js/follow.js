// A notification of the desktop when a revocation that one follows is over: only for who asked for it, and only while
// the page is open in a tab, shown or not.
(() => {
  const offer = document.getElementById("tell-me");
  const moves = () => document.querySelector('#live-part[hx-trigger="every 2s"]');
  if (!offer || !("Notification" in window)) return;
  const [button, said] = [offer.querySelector("button"), offer.querySelector("[data-told]")];
  let wanted = false;

  function show() {
    offer.hidden = !moves() || Notification.permission === "denied";
  }

  button.addEventListener("click", async () => {
    wanted = (await Notification.requestPermission()) === "granted";
    button.hidden = wanted;
    said.textContent = wanted ? said.dataset.told : "";
    show();
  });

  document.addEventListener("htmx:afterSwap", () => {
    show();
    if (!wanted || moves()) return;
    wanted = false;
    const title = document.querySelector("#live-part h1")?.textContent.trim();
    const body = document.getElementById("live-title")?.textContent.trim();
    const note = new Notification(title || document.title, { body, tag: window.location.pathname });
    note.addEventListener("click", () => window.focus());
  });
  show();
})();
