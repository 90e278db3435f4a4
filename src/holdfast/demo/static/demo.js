// The lines are drawn anew each second, but not under a finger: of a button that is replaced between press and
// release, the browser tells no click.
"use strict";

document.addEventListener("htmx:beforeSwap", (event) => {
  const isPoll = event.detail.requestConfig.elt.id === "lines";
  if (isPoll && document.querySelector("#lines :active")) event.detail.shouldSwap = false;
});
