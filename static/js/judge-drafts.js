// What is typed and not yet saved, kept in this browser: answers and comment, nothing else.
// A draft belongs to one form (its submission key), so it never comes back on another one.
"use strict";
window.judge = window.judge || {};
(() => {
  const PREFIX = "touchstone.draft.";
  const KEPT_FOR = 14 * 24 * 3600 * 1000;
  const LEFT_OUT = new Set(["csrfmiddlewaretoken", "submission_key", "active_ms", "view"]);

  // A browser may refuse to store (private window, full disk): judging goes on without drafts.
  function attempt(action) {
    try {
      return action(window.localStorage);
    } catch {
      return null;
    }
  }

  const keyOf = (form) => PREFIX + form.elements.submission_key.value;

  function save(form, active) {
    const values = [...new FormData(form)].filter(([name]) => !LEFT_OUT.has(name));
    const draft = JSON.stringify({ values, active, at: Date.now() });
    attempt((store) => store.setItem(keyOf(form), draft));
  }

  function load(form) {
    return attempt((store) => JSON.parse(store.getItem(keyOf(form))));
  }

  function fill(form, values) {
    for (const [name, value] of values) {
      const field = form.elements.namedItem(name);
      if (field) field.value = value;
    }
  }

  function clear(form) {
    attempt((store) => store.removeItem(keyOf(form)));
  }

  function forget(isOld) {
    attempt((store) => {
      for (const key of Object.keys(store).filter((name) => name.startsWith(PREFIX))) {
        if (isOld(JSON.parse(store.getItem(key)))) store.removeItem(key);
      }
    });
  }

  forget((draft) => !draft || Date.now() - draft.at > KEPT_FOR);
  judge.drafts = { save, load, fill, clear, forgetAll: () => forget(() => true) };
})();
