// j and k lead through the pages of a list and from case to case; dead in fields and with modifiers.
const KEYS = { j: "next", k: "prev" };
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
  if (event.target.closest("input, select, textarea, [contenteditable]")) return;
  const link = KEYS[event.key] && document.querySelector(`a[rel=${KEYS[event.key]}]`);
  if (link) link.click();
});
