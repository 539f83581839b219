// Signing out leaves nothing of this person in the browser: drafts and settings of Touchstone go.
const clear = (storage) => {
  for (const key of Object.keys(storage)) if (key.startsWith("touchstone")) storage.removeItem(key);
};
for (const form of document.querySelectorAll("form[data-signout]")) {
  form.addEventListener("submit", () => {
    try {
      clear(localStorage);
      clear(sessionStorage);
    } catch {
      // A browser that refuses storage has kept nothing.
    }
  });
}
