"use strict";
// Copies a command line: <button data-copy="id of what is copied">.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const line = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(line.textContent);
    button.textContent = "Copied";
  } catch {
    // Without a secure connection browsers let nobody write to the clipboard: it is selected, to be copied by hand.
    getSelection().selectAllChildren(line);
    button.textContent = "Selected";
  }
  setTimeout(() => { button.textContent = "Copy"; }, 2000);
});
