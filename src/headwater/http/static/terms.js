// Words that explain themselves: by their title where there is a pointer, and by a tap or Enter.

import { $ } from "./common.js";

const TERMS = ".term, dt[title], th[title], .tile h3[title]";

function explain(event) {
  const term = event.target.closest(TERMS);
  if (!term?.title || (event.key && event.key !== "Enter")) return;
  const box = term.getBoundingClientRect(), meaning = $("meaning");
  meaning.textContent = term.title;
  meaning.showPopover();
  meaning.style.left = `${Math.max(8, Math.min(box.left, innerWidth - meaning.offsetWidth - 8))}px`;
  meaning.style.top = `${box.bottom + 6 + meaning.offsetHeight < innerHeight ? box.bottom + 6 : box.top - meaning.offsetHeight - 6}px`;
}

for (const term of document.querySelectorAll(".term")) term.tabIndex = 0;
addEventListener("click", explain);
addEventListener("keydown", explain);
