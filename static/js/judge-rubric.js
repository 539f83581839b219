// The strips of the rubric: which one the digits act on, and where it goes from there.
"use strict";
window.judge = window.judge || {};
(() => {
  const form = () => document.getElementById("rubric");
  const strips = () => [...form().querySelectorAll(".strip")];
  const isAnswered = (strip) => strip.querySelector("input:checked") !== null;
  const current = () => form().querySelector(".strip.now") || strips()[0];
  const questionOf = (strip) => strip.closest(".q");

  function moveTo(strip, { focus = false } = {}) {
    for (const marked of form().querySelectorAll(".now")) marked.classList.remove("now");
    strip.classList.add("now");
    questionOf(strip).classList.add("now");
    if (focus) strip.focus({ preventScroll: true });
    refresh();
  }

  function unanswered() {
    return strips().filter((strip) => !isAnswered(strip));
  }

  // An optional question has a way to say "no answer"; it is not needed to save.
  function missing() {
    return unanswered().filter((strip) => strip.querySelector('input[value=""]') === null);
  }

  function advance(strip, completes) {
    const open = unanswered();
    const all = strips();
    if (open.length) {
      moveTo(open.find((one) => all.indexOf(one) > all.indexOf(strip)) || open[0], { focus: true });
      return false;
    }
    if (completes || strip === all.at(-1)) return true;
    moveTo(all[all.indexOf(strip) + 1], { focus: true });
    return false;
  }

  // Answers whether the form is complete now and wants to be saved.
  function choose(digit) {
    const strip = current();
    const input = strip.querySelector(`input[data-key="${digit}"]`);
    if (!input) return false;
    const completes = !isAnswered(strip);
    input.checked = true;
    input.dispatchEvent(new Event("change", { bubbles: true }));
    return advance(strip, completes);
  }

  function refresh() {
    const now = current();
    for (const link of form().querySelectorAll(".steps a")) {
      const question = document.getElementById(link.hash.slice(1));
      const own = strips().filter((strip) => questionOf(strip) === question);
      link.textContent = question.dataset.name + (own.every(isAnswered) ? " ✓" : "");
      if (questionOf(now) === question) link.setAttribute("aria-current", "step");
      else link.removeAttribute("aria-current");
    }
    showToGo();
  }

  function showToGo() {
    if (form().hasAttribute("data-correcting")) return;
    const count = unanswered().length;
    const words = count === 1 ? "1 key to go" : `${count} keys to go`;
    document.getElementById("to-go").textContent = count ? words : "Enter saves";
  }

  document.addEventListener("click", (event) => {
    const step = event.target.closest(".steps a");
    if (step) {
      event.preventDefault();
      const question = document.getElementById(step.hash.slice(1));
      const own = strips().filter((strip) => questionOf(strip) === question);
      moveTo(own.find((strip) => !isAnswered(strip)) || own[0]);
    }
    // A click or a tap moves on. An arrow key or the space bar fires a click without a count.
    const strip = event.target.closest("#rubric .strip");
    if (strip && event.target.type === "radio" && event.detail > 0) advance(strip, false);
  });

  document.addEventListener("focusin", (event) => {
    const strip = event.target.closest?.("#rubric .strip");
    if (strip && strip !== current()) moveTo(strip);
  });

  judge.rubric = {
    begin() {
      moveTo(unanswered()[0] || strips()[0]);
    },
    choose,
    missing,
    moveTo,
    refresh,
    nameOf: (strip) => strip.getAttribute("aria-label") || strip.dataset.name,
  };
})();
