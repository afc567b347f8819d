// Shows every <time datetime> in the reader's zone; the exact UTC stays in its title.
(() => {
  const formats = {
    clock: { hour: "2-digit", minute: "2-digit" },
    seconds: { hour: "2-digit", minute: "2-digit", second: "2-digit" },
    date: { dateStyle: "medium" },
    full: { dateStyle: "medium", timeStyle: "short" },
    hour: { hour: "2-digit", minute: "2-digit" }, // under a head that says the day
    day: { weekday: "long", day: "numeric", month: "long", year: "numeric" },
  };
  // The page's language, as the reader's own country writes it where their browser names one. English is British here.
  const page = document.documentElement.lang;
  const own = navigator.languages.find((one) => one.split("-")[0] === page);
  const language = own || (page === "en" ? "en-GB" : page || undefined);

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

  // The server asks where the reader is when a day is meant: a day of a filter begins at their midnight.
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone && !document.cookie.includes(`consentry_zone=${zone}`)) {
    document.cookie = `consentry_zone=${zone}; path=/; max-age=31536000; samesite=lax`;
  }

  // What stands under the head of a day, the server's, is put under the reader's.
  function regroup(days) {
    const own = new Map();
    const head = days.querySelector(":scope > li");
    for (const entry of days.querySelectorAll("li li")) {
      const day = new Date(entry.querySelector("time").dateTime).toDateString();
      if (!own.has(day)) {
        const fresh = head.cloneNode(true);
        const time = fresh.querySelector("time");
        time.dateTime = entry.querySelector("time").dateTime;
        delete time.dataset.shown;
        fresh.querySelector("ul").replaceChildren();
        own.set(day, fresh);
      }
      own.get(day).querySelector("ul").append(entry);
    }
    days.replaceChildren(...own.values());
  }
  for (const days of document.querySelectorAll("[data-days]")) regroup(days);

  localise(document);
  document.addEventListener("shown", (event) => localise(event.target));
  document.addEventListener("htmx:load", (event) => localise(event.detail.elt.parentElement || document));
})();
