"use strict";
const words = document.getElementById("words");
const category = document.getElementById("category");
const state = document.getElementById("status");
const told = document.getElementById("told");
const nothing = document.getElementById("nothing");
const sections = [...document.querySelectorAll("section[data-category]")];
const entries = [...document.querySelectorAll("article")].map((element) => ({
  element,
  text: element.textContent.toLowerCase().replace(/\s+/g, " "),
}));

function narrow() {
  const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const { element, text } of entries) {
    const fits =
      (!category.value || element.dataset.category === category.value) &&
      (!state.value || element.dataset.status.split(" ").includes(state.value)) &&
      wanted.every((word) => text.includes(word));
    element.hidden = !fits;
    shown += fits;
  }
  for (const section of sections) {
    section.hidden = !section.querySelector("article:not([hidden])");
  }
  told.textContent = `${shown} of ${entries.length}`;
  nothing.hidden = shown > 0;
}

function open() {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  if (target.hidden) {
    words.value = category.value = state.value = "";
    narrow();
  }
  const details = target.querySelector("details");
  if (details) details.open = true;
  target.scrollIntoView();
}

for (const control of [words, category, state]) control.addEventListener("input", narrow);
addEventListener("hashchange", open);
addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== words) {
    event.preventDefault();
    words.focus();
  } else if (event.key === "Escape" && document.activeElement === words) {
    words.value = "";
    narrow();
  }
});
document.getElementById("find").hidden = false;
narrow();
open();
