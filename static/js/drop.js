// A file dropped anywhere on the page is checked as one that was chosen is: nothing is changed before the preview.
(() => {
  const form = document.querySelector("form[data-takes-file]");
  if (!form) return;
  const brings = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  const mark = (over) => document.documentElement.toggleAttribute("data-dropping", over);

  document.addEventListener("dragover", (event) => {
    if (!brings(event)) return;
    event.preventDefault();
    mark(true);
  });
  document.addEventListener("dragleave", (event) => event.relatedTarget || mark(false)); // out of the window
  document.addEventListener("drop", (event) => {
    if (!brings(event)) return;
    event.preventDefault();
    mark(false);
    const [file] = event.dataTransfer.files;
    if (!file) return;
    const one = new DataTransfer();
    one.items.add(file);
    let field = form.elements.file;
    if (!field) {
      field = Object.assign(document.createElement("input"), { type: "file", name: "file", hidden: true });
      form.append(field);
    }
    field.files = one.files;
    form.elements.source.value = "file";
    form.noValidate = true; // what the chosen source needs is not asked for
    form.requestSubmit();
  });
})();
