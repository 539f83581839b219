// Keys without modifier or mouse; dead in text fields, in open sheets and while saving.
"use strict";
window.judge = window.judge || {};
(() => {
  const TYPED_IN = "textarea, select, input:not([type=radio], [type=checkbox])";
  const openSheet = () => document.querySelector("[popover]:popover-open");

  // For one frame after a sheet was closed the focus is still in its field.
  const isTyping = ({ target }) =>
    target.matches(TYPED_IN) && !target.closest("[popover]:not(:popover-open)");

  // The digit row needs Shift on some keyboards, and letters are others on some: the place counts.
  function meant(event) {
    const key = event.key.toLowerCase();
    if (/^[0-9a-z?]$/.test(key)) return key;
    if (event.shiftKey) return "";
    return /^(?:Digit|Key)(.)$/.exec(event.code)?.[1].toLowerCase() || "";
  }

  function isOurs(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || event.repeat) return false;
    return document.getElementById("rubric") !== null && !judge.isSending;
  }

  function inSheet(sheet, event) {
    if (event.target.matches(TYPED_IN)) {
      if (event.key === "Enter" && event.ctrlKey && sheet.id === "comment") judge.save();
      return;
    }
    const option = /^[0-9]$/.test(event.key) && sheet.querySelector(`[data-key="${event.key}"]`);
    if (!option || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    option.click();
    option.focus();
  }

  function press(key) {
    if (/^[0-9]$/.test(key)) {
      if (!judge.isFresh() && judge.rubric.choose(key)) judge.save();
      return true;
    }
    const sheet = { g: "guidelines", "?": "keys" }[key];
    if (sheet) document.getElementById(sheet).showPopover();
    const control = document.querySelector(`#rubric .acts [data-key="${key}"]`);
    if (control) control.click();
    return Boolean(sheet || control);
  }

  function onEnter(event) {
    if (event.target.closest("a, button, input, summary")) return;
    event.preventDefault();
    judge.save();
  }

  document.addEventListener("keydown", (event) => {
    const sheet = openSheet();
    if (sheet) return inSheet(sheet, event);
    if (isTyping(event) || !isOurs(event)) return undefined;
    if (event.key === "Enter") return onEnter(event);
    if (press(meant(event))) event.preventDefault();
    return undefined;
  });

  // A sheet that opens takes the focus: its first field, or itself, to be scrolled by key.
  document.addEventListener("toggle", (event) => {
    if (event.newState !== "open" || !event.target.matches("[popover]")) return;
    const first = event.target.querySelector("textarea, input:not([type=hidden]), .btn");
    if (!first) event.target.tabIndex = -1;
    (first || event.target).focus();
  }, { capture: true });
})();
