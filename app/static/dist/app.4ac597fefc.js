"use strict";

{
  const on = (type, handler, capture) => document.addEventListener(type, handler, capture);
  const toasts = document.getElementById("toasts");

  const SECONDS = { success: 6, info: 6 };
  const UNDO_SECONDS = 15;

  const arm = (toast) => {
    const seconds = toast.querySelector("form") ? UNDO_SECONDS : SECONDS[toast.dataset.toast];
    if (!seconds) return;
    let timer;
    const start = () => {
      clearTimeout(timer);
      timer = setTimeout(() => toast.remove(), seconds * 1000);
    };
    const stop = () => clearTimeout(timer);
    for (const type of ["mouseenter", "focusin"]) toast.addEventListener(type, stop);
    for (const type of ["mouseleave", "focusout"]) toast.addEventListener(type, start);
    start();
  };
  for (const toast of toasts.children) arm(toast);
  new MutationObserver((records) => {
    for (const record of records) {
      for (const node of record.addedNodes) if (node.dataset?.toast) arm(node);
    }
    while (toasts.childElementCount > 3) toasts.firstElementChild.remove();
  }).observe(toasts, { childList: true });

  const showToast = (templateId, traceId) => {
    const toast = document.getElementById(templateId).content.firstElementChild.cloneNode(true);
    const place = toast.querySelector("[data-trace-id]");
    if (traceId) place?.replaceChildren(traceId);
    else place?.parentElement.remove();
    toasts.append(toast);
  };

  const BY_HAND = new Set(["click", "submit", "input", "change", "keydown", "keyup"]);
  let traceId = document.querySelector("meta[name=trace-id]").content;
  const newTraceId = () => {
    const bytes = crypto.getRandomValues(new Uint8Array(16)); // randomUUID() wants https
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return hex.replace(/(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  };
  on("htmx:config:request", (event) => {
    const { request, sourceEvent } = event.detail.ctx;
    if (sourceEvent?.type === "every") return; // a page that asks for hours is not one trace
    if (BY_HAND.has(sourceEvent?.type)) traceId = newTraceId();
    if (traceId) request.headers["X-Trace-Id"] = traceId;
  });

  const isRepeated = (event) => event.detail.ctx.sourceEvent?.type === "every";

  let rowNumber = -1; // the row that the request came from

  on("htmx:before:swap", (event) => {
    const { response, sourceElement } = event.detail.ctx;
    rowNumber = sourceElement.closest("tr.item")?.sectionRowIndex ?? -1;
    if (response?.status >= 500 && !response.headers.has("HX-Reswap")) {
      event.preventDefault();
      if (isRepeated(event)) return;
      showToast("toast-failed", response.headers.get("X-Trace-Id"));
    }
  });
  on("htmx:error", (event) => {
    const context = event.detail.ctx;
    if (context && !context.response && !isRepeated(event)) showToast("toast-offline");
  });
  on("htmx:finally:request", (event) => {
    if (event.detail.ctx.response?.status < 400) {
      event.detail.ctx.sourceElement.closest("[data-toast]")?.remove();
    }
  });

  let kept = [];
  const isList = ({ detail: { ctx } }) => ctx.target === "#items" || ctx.target?.id === "items";
  on("htmx:before:swap", (event) => {
    if (event.defaultPrevented || !isList(event)) return;
    const focused = document.activeElement;
    kept = [...document.querySelectorAll("#items tbody tr:not(.item)")].map((form) => {
      const had = form.contains(focused) && focused;
      form.remove();
      return { form, had };
    });
  });
  on("htmx:after:swap", (event) => {
    if (!isList(event)) return;
    for (const { form, had } of kept) {
      const row = document.getElementById(form.id);
      if (row) row.replaceWith(form);
      else bodyOfList().prepend(form);
      if (had) had.focus({ preventScroll: true });
    }
    kept = [];
  });
  const bodyOfList = () => {
    const list = document.getElementById("items");
    const body = list.querySelector("tbody");
    if (body) return body;
    const table = document.createElement("table");
    table.className = "table cards-on-phone mt-2 rounded-box border border-base-300 bg-base-100";
    table.role = "table";
    list.querySelector("nav").parentElement.after(table);
    const made = table.createTBody();
    made.role = "rowgroup";
    return made;
  };

  on("htmx:after:swap", (event) => {
    const target = event.detail.ctx.target;
    const id = target instanceof Element ? target.id : String(target).replace("#", "");
    let place = document.getElementById(id);
    if (place?.dataset.announce) {
      document.getElementById("announcer").textContent = place.dataset.announce;
    }
    if (document.activeElement !== document.body) return;
    if (id === "new-item") place = document.getElementById("new");
    if (id === "items" && rowNumber >= 0) {
      const rows = place.querySelectorAll("tr.item");
      place = rows[Math.min(rowNumber, rows.length - 1)] ?? place;
    }
    const next = place?.matches("tr") ? place.querySelector("[data-focus]") : place;
    next?.focus({ preventScroll: true });
  });

  on("click", (event) => {
    const element = event.target.closest("[data-close],[data-copy],[data-dismiss]");
    if (!element) return;
    if ("close" in element.dataset) element.closest("[data-toast]").remove();
    else if (element.dataset.copy) copy(element);
    else {
      event.preventDefault();
      document.getElementById(element.dataset.dismiss).replaceChildren();
      document.getElementById("new").focus();
    }
  });

  const copy = async (button) => {
    const source = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(source.textContent.trim());
      button.querySelector("[aria-live]").textContent = button.dataset.copied;
    } catch {
      getSelection().selectAllChildren(source); // no clipboard without https: ready for Ctrl+C
    }
  };

  on("keydown", (event) => {
    if (event.key === "Escape" && !event.isComposing) {
      event.target.closest("form")?.querySelector("[data-cancel],[data-dismiss]")?.click();
    }
  });

  const boxes = () => [...document.querySelectorAll("#items [name=id][type=checkbox]")];
  on("change", (event) => {
    const all = document.querySelector("[data-select-all]");
    if (!all || !event.target.closest("#items")) return;
    if (event.target === all) for (const box of boxes()) box.checked = all.checked;
    const chosen = boxes().filter((box) => box.checked).length;
    all.checked = chosen > 0 && chosen === boxes().length;
    all.indeterminate = chosen > 0 && !all.checked;
    document.querySelector("[data-selected]").textContent = chosen;
  });

  on("input", (event) => event.isComposing && event.stopImmediatePropagation(), true);
  on("compositionend", (event) => event.target.dispatchEvent(new Event("input", { bubbles: true })));

  const isSearch = (element) => element === document.getElementById("q")?.form;
  let found;
  const forget = () => (found = undefined);
  addEventListener("popstate", forget);
  on("htmx:config:request", (event) => {
    const { sourceElement, sourceEvent } = event.detail.ctx;
    if (!isSearch(sourceElement)) return;
    const { value } = sourceElement.elements.q;
    if (value === found) {
      event.preventDefault();
      sourceEvent.preventDefault();
    }
    found = value;
  });
  on("htmx:finally:request", (event) => {
    const { sourceElement, response } = event.detail.ctx;
    if (isSearch(sourceElement) && !(response?.status < 400)) forget();
  });

  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone && !document.cookie.split("; ").includes(`tz=${zone}`)) {
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `tz=${zone}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
  }
}
