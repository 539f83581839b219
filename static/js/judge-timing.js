// Active time: counted while the page can be seen and somebody used it within the last minute.
"use strict";
window.judge = window.judge || {};
(() => {
  const IDLE = 60_000;
  const SIGNS = ["keydown", "pointerdown", "pointermove", "wheel", "scroll", "touchstart", "input"];
  const now = () => performance.now();

  let total = 0;
  let countedUntil = now();
  let lastSign = now();
  let visible = !document.hidden;

  function settle() {
    const time = now();
    if (visible) total += Math.max(0, Math.min(time, lastSign + IDLE) - countedUntil);
    countedUntil = time;
  }

  function sign() {
    settle();
    lastSign = now();
  }

  document.addEventListener("visibilitychange", () => {
    settle();
    visible = !document.hidden;
    if (visible) lastSign = now();
  });
  for (const name of SIGNS) document.addEventListener(name, sign, { capture: true, passive: true });

  judge.timing = {
    begin(milliseconds) {
      total = milliseconds;
      countedUntil = lastSign = now();
    },
    read() {
      settle();
      return Math.round(total);
    },
  };
})();
