// Saved or not saved, and never a lie about it: what is sent, what came back, what is tried again.
"use strict";
window.judge = window.judge || {};
(() => {
  const WAITS = [1, 2, 4, 8, 15, 30];
  const PROBE_EVERY = 4000;
  const form = () => document.getElementById("rubric");
  const KEPT = "What you wrote stays on this page and in this browser.";

  let tries = 0;
  let retryTimer = 0;
  let probeTimer = 0;
  let slowTimer = 0;
  let refreshed = false;

  function status(kind, words) {
    const line = document.getElementById("saved");
    line.classList.toggle("not", kind === "not");
    line.classList.toggle("pending", kind === "pending");
    document.getElementById("saved-words").textContent = words;
  }

  function element(name, text, attributes = {}) {
    const made = document.createElement(name);
    made.textContent = text;
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  }

  function note(...parts) {
    const box = element("div", "", { class: "note is-unmet", role: "alert" });
    box.append(...parts);
    document.getElementById("notes").replaceChildren(box);
  }

  function clearNote() {
    document.getElementById("notes")?.replaceChildren();
  }

  function settle() {
    clearTimeout(slowTimer);
    clearTimeout(retryTimer);
    clearInterval(probeTimer);
  }

  function send() {
    settle();
    if (form() && !judge.isSending) form().requestSubmit(document.getElementById("save"));
  }

  function sending(sent) {
    settle();
    judge.isSending = true;
    status("pending", "Saving …");
    slowTimer = setTimeout(() => {
      const button = document.getElementById("save");
      button.dataset.words = button.textContent;
      button.textContent = "Saving …";
      button.setAttribute("aria-busy", "true");
    }, 1000);
    judge.drafts.save(sent, judge.timing.read());
  }

  function answered(sent, request) {
    settle();
    judge.isSending = false;
    restoreButton();
    const status = request.status;
    if (status >= 200 && status < 300) return acknowledged(sent);
    if (status === 422) return undefined;
    if (status === 401) return signedOut();
    if (status === 403 && !refreshed) return refreshAndSend();
    if (status === 0 || status >= 500 || status === 408 || status === 429) return tryAgain(status);
    return refused(request);
  }

  function restoreButton() {
    const button = document.getElementById("save");
    if (!button?.dataset.words) return;
    button.textContent = button.dataset.words;
    button.removeAttribute("aria-busy");
  }

  function acknowledged(sent) {
    tries = 0;
    refreshed = false;
    judge.acknowledged = sent;
    judge.drafts.clear(sent);
  }

  function tryAgain(code) {
    const seconds = WAITS[Math.min(tries, WAITS.length - 1)];
    tries += 1;
    status("not", "Not saved, trying again");
    const why = code ? "The server cannot answer now." : "The server cannot be reached.";
    note(element("b", "Not saved."), ` ${why} Your answer is still here and will be sent again.`);
    retryTimer = setTimeout(send, seconds * 1000);
  }

  function signedOut() {
    status("not", "Not saved");
    const to = { href: form().dataset.signIn, target: "_blank", rel: "noopener" };
    note(
      element("b", "You have been signed out."),
      " Your answer is kept in this browser. ",
      element("a", "Sign in", to),
      " in a new tab and it will be sent.",
    );
    probeTimer = setInterval(() => document.hidden || probe(), PROBE_EVERY);
  }

  function refused(request) {
    status("not", "Not saved");
    const words = request.status === 404
      ? "This item is not open to the account that is signed in now. Your answer is still here."
      : plainWords(request) || "The server did not take this answer. It is still here.";
    const kept = request.status === 410 && form().elements.comment?.value.trim() ? `${KEPT} ` : "";
    note(element("b", "Not saved."), ` ${words} ${kept}`, ...waysOn(request.status));
  }

  function waysOn(code) {
    if (code === 410) return [element("a", "My studies", { href: document.querySelector(".mark").href })];
    if (code !== 409) return [];
    return [
      element("a", "Open what is stored", { href: form().action }),
      " or ",
      element("button", "go on to the next item", { type: "submit", form: "go-on", class: "as-link" }),
      ".",
    ];
  }

  function plainWords(request) {
    const isPlain = request.getResponseHeader("Content-Type")?.startsWith("text/plain");
    return isPlain ? request.responseText : "";
  }

  // The page of the task, asked for anew, brings a form with a token that is valid now.
  async function freshToken() {
    const headers = { "HX-Request": "true" };
    const answer = await fetch(form().action, { headers, cache: "no-store" });
    if (!answer.ok) return answer.status;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const token = page.querySelector("[name=csrfmiddlewaretoken]").value;
    for (const field of document.getElementsByName("csrfmiddlewaretoken")) field.value = token;
    return 200;
  }

  async function probe() {
    const code = await freshToken().catch(() => 0);
    if (code === 200 || code === 409 || code === 410) send();
    else if (code === 404) refused({ status: 404 });
  }

  async function refreshAndSend() {
    refreshed = true;
    const code = await freshToken().catch(() => 0);
    if (code === 200 || code === 410) send();
    else if (code === 401) signedOut();
    else if (code === 404) refused({ status: 404 });
    else tryAgain(code);
  }

  // Sheets, undo and the views: not repeated by themselves, but never silent.
  function otherAnswered(sender, request) {
    const code = request.status;
    if (code >= 200 && code < 400) return;
    if (code === 401) return signedOutElsewhere(sender);
    const words = plainWords(request)
      || (code ? "The server cannot answer now. Try again." : "The server cannot be reached. Try again.");
    say(sender, words);
  }

  function signedOutElsewhere(sender) {
    const to = { href: form().dataset.signIn, target: "_blank", rel: "noopener" };
    say(sender, "You have been signed out. ", element("a", "Sign in", to), " in a new tab, then reload this page.");
  }

  function say(sender, ...parts) {
    const sheet = sender.closest("[popover]");
    if (!sheet) return note(element("b", "Not done."), " ", ...parts);
    sheet.querySelector(".sheet-error")?.remove();
    const line = element("p", "", { class: "error sheet-error", role: "alert" });
    line.append(...parts);
    sender.append(line);
    return undefined;
  }

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.requestConfig.elt === form()) sending(form());
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    const { requestConfig, xhr } = event.detail;
    if (requestConfig.elt.id === "rubric") answered(requestConfig.elt, xhr);
    else otherAnswered(requestConfig.elt, xhr);
  });
  window.addEventListener("online", () => tries && send());
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && probeTimer && form()) probe();
  });

  judge.saving = { status, note, clearNote, element };
})();
