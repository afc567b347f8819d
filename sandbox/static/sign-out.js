// Goes back to the application once every app has answered, or after five seconds. Without scripts the page waits three.
// Loaded before the frames are parsed, so that no answer is missed.
let answered = 0;
let expected = Infinity;
function goOnWhenDone() {
  const onwards = document.getElementById("continue");
  if (onwards && answered >= expected) location.replace(onwards.href);
}
document.addEventListener("load", (event) => {
  if (event.target instanceof HTMLIFrameElement) {
    answered += 1;
    goOnWhenDone();
  }
}, true);
document.addEventListener("DOMContentLoaded", () => {
  expected = document.querySelectorAll("iframe").length;
  goOnWhenDone();
  setTimeout(() => { expected = 0; goOnWhenDone(); }, 5000);
});
