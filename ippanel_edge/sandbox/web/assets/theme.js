// The theme of the page: that of the system until the user chooses one, which the browser remembers.
// It runs before the page is drawn, so that the page is never drawn in the other theme.
"use strict";

{
  const THEME = "sandbox-theme";
  const root = document.documentElement;

  const stored = readTheme();
  if (stored) root.dataset.theme = stored;

  document.addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    const show = () => button.setAttribute("aria-pressed", String(isDark()));

    button.addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      writeTheme(root.dataset.theme);
      show();
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
    button.hidden = false;
    show();
  });

  function isDark() {
    return root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  }

  function readTheme() {
    try {
      const theme = localStorage.getItem(THEME);
      return theme === "light" || theme === "dark" ? theme : null;
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
      return null; // the browser forbids storage
    }
  }

  function writeTheme(theme) {
    try {
      localStorage.setItem(THEME, theme);
    } catch (error) {
      if (!(error instanceof DOMException)) throw error; // the browser forbids storage: the theme lasts until a reload
    }
  }
}
