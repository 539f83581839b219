// Uploads: refuse too large a file before it is sent, show how far the sending is.
// Without this file the forms work as forms do.
"use strict";

const tooLarge = (form) => {
  const limit = Number(form.dataset.limit);
  return [...form.querySelectorAll("input[type=file]")]
    .flatMap((input) => [...input.files])
    .find((file) => file.size > limit);
};

const say = (form, words) => {
  const place = form.querySelector("[data-upload-error]");
  place.textContent = words;
  place.hidden = !words;
};

const showProgress = (form, sent, total) => {
  const place = form.querySelector("[data-upload-progress]");
  place.hidden = false;
  place.querySelector("progress").value = total ? sent / total : 0;
  place.querySelector("[role=status]").textContent =
    sent < total ? `Sending: ${Math.floor((100 * sent) / total)} %` : "Sent. The file is being read …";
};

const setBusy = (form, busy) => {
  for (const button of form.querySelectorAll("button.btn:not([type=button])")) button.disabled = busy;
  if (!busy) form.querySelector("[data-upload-progress]").hidden = true;
};

// The answer is a page: another address after a redirect, or this page with what is wrong.
const show = (request, form) => {
  const page = new DOMParser().parseFromString(request.responseText, "text/html");
  const main = page.getElementById("main");
  if (request.status < 400 && request.responseURL) {
    location.assign(request.responseURL);
  } else if (request.status === 422 && main) {
    document.title = page.title;
    document.getElementById("main").replaceWith(document.adoptNode(main));
    main.tabIndex = -1;
    main.focus({ preventScroll: true });
    scrollTo(0, 0);
  } else {
    setBusy(form, false);
    const words = main?.querySelector("h1")?.textContent;
    say(form, `${words || "The server could not take the file"}. Nothing was imported.`);
  }
};

const send = (form) => {
  const request = new XMLHttpRequest();
  request.open("POST", form.action);
  request.upload.addEventListener("progress", (event) => showProgress(form, event.loaded, event.total));
  request.addEventListener("load", () => show(request, form));
  request.addEventListener("error", () => {
    setBusy(form, false);
    say(form, "The server cannot be reached, or stopped reading the file. Nothing was imported. Try again.");
  });
  request.send(new FormData(form));
  setBusy(form, true);
};

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-upload]") || event.submitter?.hasAttribute("formaction")) return;
  event.preventDefault();
  const file = tooLarge(form);
  if (file) {
    const size = (bytes) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
    const limit = size(Number(form.dataset.limit));
    say(form, `${file.name} has ${size(file.size)}, and the limit is ${limit}. Split it into several batches.`);
  } else {
    say(form, "");
    send(form);
  }
});
