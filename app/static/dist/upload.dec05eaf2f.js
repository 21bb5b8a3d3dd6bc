"use strict";

{
  const on = (type, handler) => document.addEventListener(type, handler);
  const show = (element, visible) => element.classList.toggle("hidden", !visible);
  let request = null;

  const tell = (form, problem) => {
    for (const text of form.querySelectorAll("[data-problem]")) {
      show(text, text.dataset.problem === problem);
    }
  };

  const setBusy = (form, busy) => {
    const progress = form.querySelector("[data-progress]");
    show(progress, busy);
    progress.classList.toggle("flex", busy);
    for (const control of form.querySelectorAll("input, .btn:not([data-abort])")) {
      control.disabled = busy;
    }
  };

  const advance = (form, share) => {
    const percent = Math.round(share * 100);
    form.querySelector("progress").value = percent;
    form.querySelector("[data-percent]").textContent = `${percent} %`;
  };

  const upload = (form, data) => {
    request = new XMLHttpRequest();
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) advance(form, event.loaded / event.total);
    });
    request.addEventListener("load", () => {
      const next = request.getResponseHeader("HX-Redirect");
      if (request.status === 200 && next) {
        location.assign(next);
        return;
      }
      setBusy(form, false);
      tell(form, request.status === 413 ? "413" : "failed");
    });
    request.addEventListener("error", () => {
      setBusy(form, false);
      tell(form, "failed");
    });
    request.addEventListener("abort", () => setBusy(form, false));
    request.open("POST", form.action);
    request.setRequestHeader("HX-Request", "true");
    request.send(data);
  };

  on("submit", (event) => {
    const form = event.target.closest("form[data-upload]");
    if (!form) return;
    event.preventDefault();
    const files = [...form.querySelector("input[type=file]").files];
    const tooLarge = files.some((file) => file.size > Number(form.dataset.maxBytes));
    tell(form, tooLarge ? "size" : "");
    if (tooLarge) return;
    const data = new FormData(form); // before its fields are disabled
    advance(form, 0);
    setBusy(form, true);
    upload(form, data);
  });

  on("click", (event) => {
    if (event.target.closest("[data-abort]")) request?.abort();
  });
}
