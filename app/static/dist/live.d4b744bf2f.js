"use strict";

{
  const MOST_ROWS = 150;
  let place = null; // the list, while it is live
  let source = null;
  let position = ""; // where the stream was last
  let isPaused = false;
  let waiting = new Map(); // rows that are not shown yet, by id
  let days = new Map(); // the heads of their days
  let count = 0; // how many came since the list was shown as it is
  let isMore = false;
  let isWhole = false; // what waits takes the place of what is there
  let isPlanned = false;
  let lost = null; // until a stream that broke off is told of

  const find = (name) => place.querySelector(`[data-live-${name}]`);
  const table = () => place.querySelector("table");
  const rows = () => [...place.querySelectorAll("tr[data-id]")];
  const isNewer = (a, b) => (a.length === b.length ? a > b : a.length > b.length);
  const isHeld = () => isPaused || table().getBoundingClientRect().top < 0;

  const say = (text) => {
    const box = find("problem");
    box.hidden = !text;
    box.querySelector("span").textContent = text;
  };

  const receive = (event) => {
    const news = JSON.parse(event.data);
    position = event.lastEventId;
    const template = document.createElement("template");
    template.innerHTML = `<table>${news.html}</table>`;
    if (news.whole) {
      waiting.clear();
      isWhole = true;
    }
    const shown = isWhole ? new Set() : new Set(rows().map((row) => row.dataset.id));
    let added = 0;
    for (const body of template.content.querySelectorAll("tbody")) {
      days.set(body.dataset.day, body.rows[0].cloneNode(true));
      for (const row of body.querySelectorAll("tr[data-id]")) {
        const id = row.dataset.id;
        if (shown.has(id) || waiting.has(id)) continue;
        row.dataset.day = body.dataset.day;
        waiting.set(id, row);
        added += 1;
      }
    }
    count += news.whole ? news.count : added;
    isMore ||= news.more;
    const ids = [...waiting.keys()].sort((a, b) => (isNewer(a, b) ? -1 : 1));
    for (const id of ids.slice(MOST_ROWS)) waiting.delete(id);
    plan();
  };

  const receiveJobs = (event) => {
    const template = document.createElement("template");
    template.innerHTML = event.data;
    for (const part of template.content.children) {
      const target = document.querySelector(part.getAttribute("hx-target"));
      if (part.getAttribute("hx-swap") === "innerHTML") target?.replaceChildren();
      target?.append(...part.children);
    }
  };

  const plan = () => {
    if (isPlanned) return;
    isPlanned = true;
    requestAnimationFrame(() => {
      isPlanned = false;
      if (place) isHeld() ? showCount() : showRows();
    });
  };

  const showCount = () => {
    const button = find("new");
    const words = isMore ? button.dataset.more : button.dataset.exact;
    button.textContent = words.replace("{}", new Intl.NumberFormat(document.documentElement.lang).format(count));
    button.hidden = count === 0;
  };

  const bodyOf = (day) => {
    const bodies = [...place.querySelectorAll("tbody")];
    const there = bodies.find((body) => body.dataset.day === day);
    if (there) return there;
    const body = document.createElement("tbody");
    body.setAttribute("role", "rowgroup");
    body.className = "max-md:block";
    body.dataset.day = day;
    body.append(days.get(day));
    table().insertBefore(body, bodies.find((other) => other.dataset.day < day) ?? null);
    return body;
  };

  const showRows = () => {
    if (isWhole) for (const body of place.querySelectorAll("tbody")) body.remove();
    const arrived = [...waiting.values()].sort((a, b) => (isNewer(a.dataset.id, b.dataset.id) ? -1 : 1));
    for (const row of arrived) {
      const body = bodyOf(row.dataset.day);
      let next = body.rows[1];
      while (next && isNewer(next.dataset.id, row.dataset.id)) next = next.nextElementSibling;
      body.insertBefore(row, next ?? null);
    }
    waiting = new Map();
    days = new Map();
    count = 0;
    isMore = isWhole = false;
    if (arrived.length) find("nothing")?.remove();
    showCount();
    trim();
  };

  const trim = () => {
    const all = rows();
    const gone = all.splice(MOST_ROWS);
    for (const row of gone) {
      const body = row.parentElement;
      row.remove();
      if (body.rows.length === 1) body.remove();
    }
    if (!gone.length) return;
    const older = find("older");
    const url = new URL(older.href);
    url.searchParams.set("after", all.at(-1).dataset.id);
    older.href = url;
    older.hidden = false;
  };

  const connect = () => {
    if (source || !place || document.hidden) return;
    const url = new URL(place.dataset.live, location.href);
    if (position) url.searchParams.set("since", position);
    source = new EventSource(url);
    source.addEventListener("requests", receive);
    source.addEventListener("jobs", receiveJobs);
    source.addEventListener("state", (event) =>
      say(event.data === "down" ? find("problem").dataset.down : ""),
    );
    source.addEventListener("error", () => {
      if (source?.readyState === EventSource.CLOSED) {
        forget();
        say(find("problem").dataset.ended);
      } else lost ??= setTimeout(() => say(find("problem").dataset.away), 5000);
    });
    source.addEventListener("open", () => {
      forget();
      say(""); // what the stream has to tell comes after this
      place.setAttribute("data-live-open", "");
    });
  };

  const forget = () => {
    clearTimeout(lost);
    lost = null;
  };

  const disconnect = () => {
    source?.close();
    source = null;
    forget();
    place?.removeAttribute("data-live-open");
  };

  const follow = () => {
    const now = document.querySelector("[data-live]");
    if (now === place) return;
    disconnect();
    place = now;
    position = "";
    isPaused = isMore = isWhole = false;
    waiting = new Map();
    days = new Map();
    count = 0;
    connect();
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-live-pause],[data-live-new]");
    if (!button) return;
    if (button === find("new")) {
      isPaused = false;
      place.scrollIntoView({ block: "start" });
      showRows();
    } else {
      isPaused = !isPaused;
      plan();
    }
    find("pause").setAttribute("aria-pressed", isPaused);
  });
  addEventListener("scroll", () => place && waiting.size && plan(), { passive: true });
  document.addEventListener("visibilitychange", () => (document.hidden ? disconnect() : connect()));
  addEventListener("pagehide", disconnect);
  addEventListener("pageshow", connect);
  document.addEventListener("htmx:after:swap", follow);
  follow();
}
