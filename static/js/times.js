// Shows every <time datetime> in the reader's zone; the exact UTC stays in its title.
(() => {
  const formats = {
    clock: { hour: "2-digit", minute: "2-digit" },
    seconds: { hour: "2-digit", minute: "2-digit", second: "2-digit" },
    date: { dateStyle: "medium" },
    full: { dateStyle: "medium", timeStyle: "short" },
  };
  const language = document.documentElement.lang || undefined;

  function localise(root) {
    for (const element of root.querySelectorAll("time[data-show]:not([data-shown])")) {
      const moment = new Date(element.dateTime);
      const options = formats[element.dataset.show];
      element.dataset.shown = "";
      if (!options || Number.isNaN(moment.getTime())) continue;
      const sameDay = moment.toDateString() === new Date().toDateString();
      const timeOnly = element.dataset.show === "clock" || element.dataset.show === "seconds";
      // A clock time of another day would mislead, so it gets its day as well.
      const shown = timeOnly && !sameDay ? { month: "short", day: "numeric", ...options } : options;
      element.textContent = new Intl.DateTimeFormat(language, { hourCycle: "h23", ...shown }).format(moment);
    }
  }

  localise(document);
  document.addEventListener("shown", (event) => localise(event.target));
  document.addEventListener("htmx:load", (event) => localise(event.detail.elt.parentElement || document));
})();
