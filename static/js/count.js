// How many lines are in a pasted list, while it is typed, and how many name nobody that could be looked for. A rough
// word: what a line means, only the server says.
(() => {
  const said = document.querySelector("[data-counts]");
  const field = said && document.getElementById(said.dataset.counts);
  if (!field) return;
  const named = /@|[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}/i;

  function count() {
    const lines = field.value.split("\n").filter((line) => line.trim());
    const odd = lines.filter((line) => !named.test(line)).length;
    said.hidden = !lines.length;
    said.textContent = said.dataset.words.replace("{all}", lines.length).replace("{odd}", odd);
  }

  field.addEventListener("input", count);
  count();
})();
