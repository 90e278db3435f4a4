// Head office's pages work without this file; it adds what HTML cannot say.
"use strict";

// A button with data-dialog opens the dialog of that id; data-close closes the one it is in.
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-dialog]");
  if (opener) {
    document.getElementById(opener.dataset.dialog).showModal();
    return;
  }
  const closer = event.target.closest("[data-close]");
  if (closer) closer.closest("dialog").close();
});

// A button with data-copy copies the text of that id, where the browser lets a page do so; else it stays hidden,
// and one click on the text takes it whole.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const text = document.getElementById(button.dataset.copy).textContent;
  button.textContent = await navigator.clipboard.writeText(text).then(() => "Copied", () => "Not copied");
});
document.addEventListener("DOMContentLoaded", () => {
  if (!navigator.clipboard) return;
  for (const button of document.querySelectorAll("[data-copy]")) button.hidden = false;
});

// An answer that is an error still has something to say: let it take its place.
document.addEventListener("htmx:beforeSwap", (event) => {
  const type = event.detail.xhr.getResponseHeader("Content-Type") || "";
  if (event.detail.xhr.status >= 400 && type.startsWith("text/html")) {
    event.detail.shouldSwap = true;
    event.detail.isError = false;
  }
});

// A live part is not replaced under a person's focus; the next event does it.
const isUnderFocus = (event) => {
  const trigger = event.detail.requestConfig.triggeringEvent;
  return trigger && trigger.type.startsWith("sse:") && event.detail.target.contains(document.activeElement);
};
document.addEventListener("htmx:beforeRequest", (event) => {
  if (isUnderFocus(event)) event.preventDefault();
});
document.addEventListener("htmx:beforeSwap", (event) => {
  if (isUnderFocus(event)) event.detail.shouldSwap = false; // it came while the answer was under way
});

// Whether the page is live, said where the page has room for it.
function say(text) {
  for (const place of document.querySelectorAll("[data-live]")) place.textContent = text;
}
document.addEventListener("htmx:sseOpen", () => say("Live"));
document.addEventListener("htmx:sseError", () => say("Not live: head office does not answer"));

// Whoever presses a button that takes its own row away is at the next one then, or at the heading.
let pressed = -1;
const actions = (part) => [...part.querySelectorAll("button[hx-post]")];
document.addEventListener("htmx:beforeSwap", (event) => {
  pressed = actions(event.detail.target).indexOf(document.activeElement);
});
document.addEventListener("htmx:afterSettle", (event) => {
  if (pressed < 0) return;
  const left = actions(event.detail.target);
  (left[Math.min(pressed, left.length - 1)] || event.detail.target.querySelector("[tabindex='-1']")).focus();
  pressed = -1;
});

// An alert that was acknowledged is no longer counted beside the page's name.
document.addEventListener("htmx:afterSwap", (event) => {
  const list = event.detail.target.querySelector("[data-open-alerts]");
  const badge = document.querySelector(".nav .badge");
  if (!list || !badge) return;
  badge.hidden = list.dataset.openAlerts === "0";
  badge.firstChild.textContent = list.dataset.openAlerts;
});

// Totals by day. Days are dates, not moments: half a day at both ends, so that no bar is cut, and no hours.
const DAY = 86400;
const dateOf = (seconds) => new Date(seconds * 1000).toISOString().slice(0, 10);
function draw(place) {
  const data = JSON.parse(place.dataset.series);
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const axis = { stroke: colour("--text-2"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, font: "12px system-ui" };
  const bars = uPlot.paths.bars({ size: [0.65, 48], radius: 0.08 });
  const chart = new uPlot(
    {
      width: place.clientWidth,
      height: 224,
      legend: { show: false },
      cursor: { show: false },
      scales: { x: { time: true, range: (u, first, last) => [first - DAY / 2, last + DAY / 2] }, y: { range: (u, low, high) => [Math.min(0, low), high > 0 ? high * 1.08 : 1] } },
      axes: [{ ...axis, size: 32, space: 90, incrs: [1, 2, 7, 14, 28].map((days) => days * DAY), values: (u, ticks) => ticks.map(dateOf) }, { ...axis, size: 76, values: (u, ticks) => ticks.map((tick) => tick.toLocaleString("en")) }],
      series: [{}, { paths: bars, fill: colour("--accent"), stroke: colour("--accent"), points: { show: false } }],
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
    },
    data,
    place,
  );
  new ResizeObserver(() => chart.setSize({ width: place.clientWidth, height: 224 })).observe(place);
}
document.addEventListener("DOMContentLoaded", () => {
  if (typeof uPlot === "undefined") return;
  for (const place of document.querySelectorAll("[data-series]")) draw(place);
});
