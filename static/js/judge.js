// One task after the other: begin with each form that comes, restore its draft, keep it.
"use strict";
window.judge = window.judge || {};
(() => {
  // Nobody judges a pair within so short a time: what comes is the rest of a double click.
  const FRESH = 350;
  const form = () => document.getElementById("rubric");

  let shown = null;
  let begunAt = 0;
  let typing = 0;
  let swaps = 0;

  judge.isFresh = () => form() !== shown || (swaps > 0 && performance.now() - begunAt < FRESH);
  judge.save = () => form().requestSubmit(document.getElementById("save"));

  function begin() {
    if (!form() || form() === shown) return;
    const first = shown === null;
    shown = form();
    const draft = judge.drafts.load(shown);
    if (draft && !hasErrors()) judge.drafts.fill(shown, draft.values);
    judge.timing.begin(draft?.active || 0);
    judge.rubric.begin();
    markComment();
    localTimes();
    if (!first) arrive();
  }

  const hasErrors = () => document.querySelector("#notes .note") !== null;

  function arrive() {
    if (hasErrors()) return showFault();
    begunAt = performance.now();
    swaps += 1;
    window.scrollTo(0, 0);
    document.getElementById("title").focus({ preventScroll: true });
    return undefined;
  }

  function showFault() {
    const fault = document.querySelector("[aria-invalid=true]");
    if (fault?.name === "comment") document.getElementById("comment").showPopover();
    else if (fault) judge.rubric.moveTo(fault.closest(".strip"), { focus: true });
  }

  function markComment() {
    const filled = Boolean(shown.elements.comment?.value.trim());
    for (const button of document.querySelectorAll('[popovertarget="comment"]:not([popovertargetaction])')) {
      button.classList.toggle("filled", filled);
    }
  }

  function localTimes() {
    for (const time of document.querySelectorAll("#saved time")) {
      const at = new Date(time.dateTime);
      time.textContent = at.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
    }
  }

  function keep() {
    clearTimeout(typing);
    if (form() && form() !== judge.acknowledged) judge.drafts.save(form(), judge.timing.read());
  }

  function edited(event) {
    if (event.target.form !== form() || !form()) return;
    if (!judge.isSending) judge.saving.status("pending", "Not saved yet");
    judge.rubric.refresh();
    markComment();
    clearTimeout(typing);
    typing = setTimeout(keep, event.type === "input" ? 250 : 0);
  }

  // What is missing is said here, before anything is sent.
  function isReady() {
    const [missing] = judge.rubric.missing();
    if (missing) {
      judge.rubric.moveTo(missing, { focus: true });
      const words = `${judge.rubric.nameOf(missing)}: choose an answer.`;
      judge.saving.note(judge.saving.element("b", "Not saved yet."), ` ${words}`);
      return false;
    }
    if (form().dataset.comment === "required" && !form().elements.comment.value.trim()) {
      const sheet = document.getElementById("comment");
      if (!sheet.matches(":popover-open")) sheet.showPopover();
      return false;
    }
    return true;
  }

  document.addEventListener("submit", (event) => {
    if (event.target !== form()) return;
    if (judge.isSending || judge.isFresh() || !isReady()) {
      event.preventDefault();
      event.stopImmediatePropagation();
      return;
    }
    judge.saving.clearNote();
    form().elements.active_ms.value = judge.timing.read();
  }, { capture: true });

  document.addEventListener("click", (event) => {
    if (judge.isFresh() && event.target.closest?.("#task") && event.isTrusted) {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
  }, { capture: true });

  document.addEventListener("change", edited);
  document.addEventListener("input", edited);
  document.addEventListener("visibilitychange", () => document.hidden && keep());
  window.addEventListener("pagehide", keep);
  document.addEventListener("htmx:load", begin);
  document.addEventListener("htmx:historyRestore", begin);
  begin();
})();
