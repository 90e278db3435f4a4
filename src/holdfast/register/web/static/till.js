// The till's keyboard, scanner and dialogs. htmx does the talking; this file decides where a key goes.
//
// A scanner is a keyboard that types fast and ends with Enter. Whatever has the focus, not one of its
// characters may get lost or end up in a price: so all keys are seen here first.
"use strict";

(() => {
  const SCAN_GAP_MS = 35; // between two keys of a scanner; people take longer
  const SCAN_CHARS_MIN = 6;
  const STREAM_SILENT_MS = 25000; // the stream beats every 10 s
  const TYPING_MS = 1200; // after a key, a person may be about to press the next one
  const WARNING_WAITS_MS_MAX = 5000;
  const TEXT_TYPES = new Set(["text", "password", "search", "number", "date", "tel", ""]);

  const scanField = () => document.getElementById("scan");
  const openDialog = () => document.querySelector("dialog[open]");
  const asks = () => document.querySelector("#dialog dialog[open]"); // a warning only tells
  const isTextField = (element) =>
    element instanceof HTMLTextAreaElement ||
    (element instanceof HTMLInputElement && TEXT_TYPES.has(element.getAttribute("type") || ""));

  // ---- one act after the other -------------------------------------------------------------
  //
  // An answer changes what the next key means: F9 after a scan must find its line, an amount typed after F9 belongs
  // to the amount's field. On a slow machine people are faster than the answer. So while one is under way, keys and
  // touches wait for it, in order.

  const HELD_MAX = 1000;
  const HELD_KEYS = new Set("Enter Escape Backspace Tab ArrowUp ArrowDown F2 F3 F4 F6 F7 F8 F9 F10 F11 PageUp PageDown".split(" ")); // never F5
  const ASKS = ["hx-get", "hx-post", "hx-vals", "data-line-action"];
  const TOUCHED = "button[hx-get], button[hx-post], [data-line-action], form[hx-post] button:not([type=button]), #scan-form button";
  const PAGE = "the page itself";
  const underWay = new Set([PAGE]); // requests without an answer; htmx is at work from DOMContentLoaded on
  const held = [];
  let isReplaying = false;

  const mustHold = () => !isReplaying && (underWay.size > 0 || held.length > 0) && held.length < HELD_MAX;

  const hold = (event, act) => {
    event.preventDefault();
    event.stopImmediatePropagation();
    held.push(act);
  };

  const holdKey = (event) => {
    const { key, shiftKey, timeStamp } = event;
    if (!mustHold() || !scanField()) return false;
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return false;
    if (key.length !== 1 && !HELD_KEYS.has(key)) return false;
    hold(event, () => pressAgain({ key, shiftKey }, timeStamp));
    return true;
  };

  const onTouch = (event) => {
    const button = event.target.closest(TOUCHED);
    const line = selected; // the one that a finger meant, whatever is scanned meanwhile
    if (button && mustHold() && scanField()) hold(event, () => touchAgain(button, line));
  };

  const release = () => {
    while (held.length && !underWay.size) {
      isReplaying = true;
      try {
        held.shift()();
      } finally {
        isReplaying = false;
      }
    }
  };

  // What a browser does with a key of its own accord, it does for a trusted one alone.
  const pressAgain = ({ key, shiftKey }, timeStamp) => {
    const target = document.activeElement || document.body;
    const event = new KeyboardEvent("keydown", { key, shiftKey, bubbles: true, cancelable: true });
    Object.defineProperty(event, "timeStamp", { value: timeStamp }); // a scanner is told by when it sent it
    if (!target.dispatchEvent(event)) return;
    const dialog = openDialog();
    if (key === "Escape" && dialog) dialog.close();
    else if (key === "Tab") step(shiftKey ? -1 : 1);
    else if (key === "Enter" && isTextField(target)) target.form?.requestSubmit(target.form.querySelector("button:not([type=button])"));
    else if (isTextField(target)) type(target, key);
    else if ((key === "Enter" || key === " ") && target.matches("button, summary, [type=checkbox], [type=radio]")) target.click();
  };

  const step = (by) => {
    const reached = "a[href], button, input, select, textarea, summary, [tabindex]";
    const places = [...(openDialog() || document).querySelectorAll(reached)].filter(
      (one) => one.tabIndex >= 0 && !one.disabled && one.checkVisibility({ visibilityProperty: true }),
    );
    const at = places.indexOf(document.activeElement);
    if (places.length) places[(Math.max(at, by < 0 ? 0 : -1) + by + places.length) % places.length].focus();
  };

  const type = (field, key) => {
    const { selectionStart: from, selectionEnd: to } = field;
    if (key === "Backspace") field.setRangeText("", from === to ? Math.max(0, from - 1) : from, to, "end");
    else if (key.length === 1) field.setRangeText(key, from, to, "end");
  };

  // The answer may have drawn the button anew. One that is gone is not touched: nobody saw what stands there now.
  const touchAgain = (button, line) => {
    const asks = ASKS.filter((name) => button.hasAttribute(name));
    const same = (other) => asks.every((name) => other.getAttribute(name) === button.getAttribute(name));
    const twin = asks.length && [...document.querySelectorAll(`[${asks[0]}]`)].find(same);
    if (button.matches("[data-line-action]")) {
      if (!lines().some((one) => one.dataset.line === line)) return;
      select(line);
    }
    if (button.isConnected) button.click();
    else if (twin) twin.click();
  };

  // What is here already is not sent again: the page names it, and the till answers with what changed.
  const tellShown = ({ detail }) => {
    detail.headers["Holdfast-Sheet"] = document.querySelector("#work [data-sheet]")?.dataset.sheet || "";
    detail.headers["Holdfast-Lines"] = document.getElementById("ticket-foot")?.dataset.lines || "";
  };

  const onSend = (event) => {
    const request = event.detail.xhr;
    underWay.add(request);
    request.addEventListener("loadend", () => answered(request)); // however it ends, and after the swap
  };

  const answered = (request) => {
    underWay.delete(request);
    release();
  };

  // That the till does not answer is said by `stopped`.
  const ask = (verb, path, more) => window.htmx.ajax(verb, path, more).catch(() => {});

  const send = (text) => {
    if (text.trim()) ask("POST", "/scan", { target: "#work", values: { text } });
  };

  // ---- keys --------------------------------------------------------------------------------

  let typedAt = -TYPING_MS;
  let burst = "";
  let burstAt = 0;
  let burstField = null;
  let burstFieldBefore = "";

  const startBurst = (field) => {
    burst = "";
    burstField = isTextField(field) ? field : null;
    burstFieldBefore = burstField ? burstField.value : "";
  };

  const isScan = (now) => burst.length >= SCAN_CHARS_MIN && now - burstAt <= SCAN_GAP_MS * 3 && /^[\w-]+$/.test(burst);

  const onKey = (event) => {
    if (!isReplaying) typedAt = event.timeStamp;
    if (holdKey(event)) return;
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    const field = scanField();
    const now = event.timeStamp;
    if (event.key === "Enter") {
      if (field) onEnter(event, field, now);
      burst = "";
      return;
    }
    if (event.key.length !== 1) {
      onShortcut(event);
      return;
    }
    if (!burst || now - burstAt > SCAN_GAP_MS) startBurst(event.target);
    burst += event.key;
    burstAt = now;
    if (!field || isTextField(event.target)) return;
    if (event.key === " " && burst.length === 1) return; // presses the button that has the focus
    event.preventDefault();
    field.value += event.key;
    if (!openDialog()) field.focus();
  };

  const onEnter = (event, field, now) => {
    if (isScan(now)) {
      event.preventDefault();
      event.stopPropagation();
      if (burstField && burstField !== field) {
        burstField.value = burstFieldBefore; // a price is not a barcode
        send(burst);
      } else {
        send(field.value);
        field.value = "";
      }
    } else if (event.target === field || (!isTextField(event.target) && field.value && !asks())) {
      // Typed or scanned slowly, a warning on screen or not: what was entered comes before *Continue*.
      event.preventDefault();
      event.stopPropagation();
      send(field.value);
      field.value = "";
    }
  };

  // In the grid the arrows go from tab to tab and from tile to tile; everywhere else they choose a line.
  const gridKey = ({ key, target }) => {
    const at = target.closest("[role=tab], [data-tiles] button");
    if (!at) return false;
    const isTab = at.matches("[role=tab]");
    const all = [...(isTab ? at.parentElement.querySelectorAll("[role=tab]") : at.parentElement.children)];
    const tiles = document.querySelectorAll("[data-tiles] button");
    const place = all.indexOf(at);
    let next = null;
    if (key === "ArrowLeft") next = all[place - 1];
    else if (key === "ArrowRight") next = all[place + 1];
    else if (key === "Home") next = all[0];
    else if (key === "End") next = all[all.length - 1];
    else if (key === "ArrowDown" && isTab) next = tiles[0];
    else if (key === "ArrowDown") next = beside(at, all.slice(place + 1), (to, from) => to.top >= from.bottom);
    else if (key === "ArrowUp" && !isTab) {
      next = beside(at, all.slice(0, place).reverse(), (to, from) => to.bottom <= from.top);
      next ||= document.querySelector("[role=tab][aria-selected=true]");
    } else if (key !== "ArrowUp") return false;
    if (next) next.focus();
    return true;
  };

  // The nearest tile of the next row, in the same column.
  const beside = (tile, others, isBeyond) => {
    const from = tile.getBoundingClientRect();
    return others.find((other) => {
      const to = other.getBoundingClientRect();
      return isBeyond(to, from) && Math.abs(to.left - from.left) < 2;
    });
  };

  const onShortcut = (event) => {
    if (event.key === "Escape") {
      if (openDialog()) return; // the dialog closes itself
      const menu = document.querySelector("details.menu[open]");
      if (menu) {
        menu.open = false;
        menu.querySelector("summary").focus();
        return;
      }
      const back = document.querySelector("[data-escape]");
      if (back) back.click();
      return;
    }
    if (!openDialog() && gridKey(event)) {
      event.preventDefault();
      return;
    }
    if (event.key === "ArrowUp" || event.key === "ArrowDown") {
      if (openDialog() || (isTextField(event.target) && event.target !== scanField())) return;
      event.preventDefault();
      move(event.key === "ArrowUp" ? -1 : 1);
      return;
    }
    if (event.key === "PageUp" || event.key === "PageDown") {
      const turn = document.querySelector(`[data-turn=${event.key}]:enabled`);
      if (!turn || openDialog() || (isTextField(event.target) && event.target !== scanField())) return;
      event.preventDefault();
      turn.click();
      return;
    }
    if (!/^F\d+$/.test(event.key) || openDialog()) return;
    // The last one on the page: the work area's F9 stands behind the ticket's.
    const buttons = document.querySelectorAll(`[data-shortcut="${event.key}"]`);
    const button = buttons[buttons.length - 1];
    if (!button) return;
    event.preventDefault();
    button.click();
  };

  // ---- the selected line -------------------------------------------------------------------

  let selected = null;
  let linesBefore = 0;

  const lines = () => [...document.querySelectorAll("[data-line]")];

  const select = (id) => {
    selected = id;
    for (const line of lines()) {
      const isIt = line.dataset.line === id;
      if (line.getAttribute("aria-selected") !== String(isIt)) line.setAttribute("aria-selected", String(isIt));
      if (isIt) {
        line.scrollIntoView({ block: "nearest" });
        document.getElementById("lines").setAttribute("aria-activedescendant", line.id);
      }
    }
  };

  const move = (by) => {
    const ids = lines().map((line) => line.dataset.line);
    if (!ids.length) return;
    const at = ids.indexOf(selected);
    select(ids[Math.min(ids.length - 1, Math.max(0, (at < 0 ? ids.length : at) + by))]);
  };

  const selectAgain = () => {
    const ids = lines().map((line) => line.dataset.line);
    const isNew = ids.length > linesBefore || !ids.includes(selected);
    linesBefore = ids.length;
    select(ids.length ? (isNew ? ids[ids.length - 1] : selected) : null);
  };

  const onLineAction = (action) => {
    if (!selected) return;
    const isVoid = action === "void";
    const target = isVoid ? "#work" : "#dialog";
    const path = isVoid ? `/line/${selected}/void` : `/ask/${selected}/${action}`;
    ask(isVoid ? "POST" : "GET", path, { target });
  };

  // ---- keypads, chips, dialogs -------------------------------------------------------------

  const press = (key) => {
    const names = key.closest("[data-keypad]").dataset.keypad.split(" ");
    const fields = names.map((name) => document.getElementById(name));
    const field = fields.includes(lastField) ? lastField : fields.find((one) => !one.value) || fields[0];
    const what = key.dataset.key;
    if (what === "clear") field.value = "";
    else if (what === "back") field.value = field.value.slice(0, -1);
    else field.value += what;
    field.focus();
  };

  let lastField = null;

  const onClick = (event) => {
    const at = (selector) => event.target.closest(selector);
    const key = at("[data-key]");
    const line = at("[data-line]");
    const chip = at("[data-fill]");
    const action = at("[data-line-action]");
    if (key) press(key);
    else if (chip) document.getElementById(chip.dataset.fill).value = chip.dataset.value;
    else if (line) select(line.dataset.line);
    else if (action) onLineAction(action.dataset.lineAction);
    else if (at("[data-close]")) at("dialog").close();
    const menu = document.querySelector("details.menu[open]");
    if (menu && !(event.target.closest("summary") && menu.contains(event.target))) menu.open = false;
  };

  // Enter in a field of such a form presses nothing: only a finger on the button itself does.
  const onSubmit = (event) => {
    if (event.target.id === "scan-form") {
      event.preventDefault();
      send(scanField().value);
      scanField().value = "";
      return;
    }
    const deliberate = event.target.querySelector("[data-deliberate]");
    if (deliberate && event.submitter !== deliberate) event.preventDefault();
  };

  const onDialogKey = (event) => {
    const field = event.target;
    const isDeliberate = event.key === "Enter" && isTextField(field) && field.form?.querySelector("[data-deliberate]");
    if (isDeliberate) event.preventDefault();
  };

  // A warning that opens under somebody's typing would take his Enter for *Continue*, unread.
  const mustWait = (dialog) => {
    if (!dialog.closest("#warning")) return false;
    const now = performance.now();
    dialog.dataset.opensBy ||= now + WARNING_WAITS_MS_MAX;
    const waits = (now - typedAt < TYPING_MS || held.length > 0) && now < Number(dialog.dataset.opensBy);
    if (waits) setTimeout(showDialogs, TYPING_MS / 4);
    return waits;
  };

  const showDialogs = () => {
    for (const dialog of document.querySelectorAll("dialog[data-modal]:not([open])")) {
      if (dialog.dataset.closed || mustWait(dialog)) continue;
      dialog.showModal();
      dialog.addEventListener("close", () => {
        dialog.dataset.closed = "yes";
        const button = dialog.dataset.closeButton && document.getElementById(dialog.dataset.closeButton);
        if (button && dialog.isConnected) button.form.requestSubmit(); // Escape says *Continue* too
        focus();
      });
    }
  };

  const focus = () => {
    if (openDialog() || document.activeElement.matches("[role=tab], [data-turn]")) return; // whoever leafs goes on
    const wanted = document.querySelector("#work [data-focus]") || scanField();
    if (wanted && (!isTextField(document.activeElement) || !document.activeElement.isConnected || wanted.matches("[data-focus]"))) {
      wanted.focus();
    }
  };

  // Once for all parts of an answer. What changes by itself, as the status line, takes the focus from nobody.
  let settling = false;
  let mayFocus = false;

  const settle = (event) => {
    mayFocus ||= !event?.target.closest?.("[sse-swap], [hx-trigger^='sse:']");
    if (settling) return;
    settling = true;
    queueMicrotask(settleNow); // before the answer's `loadend`, which lets go what was held
  };

  // Whoever was in what is replaced, as on a warning's *Continue*, is nowhere then: digits would go to the scan field.
  const leave = (part) => {
    mayFocus ||= part !== document.body && part.contains(document.activeElement);
  };

  const settleNow = () => {
    settling = false;
    selectAgain();
    showDialogs();
    if (mayFocus) focus();
    mayFocus = false;
  };

  // ---- trouble -----------------------------------------------------------------------------

  const stopped = (is) => {
    document.getElementById("stopped").hidden = !is;
  };

  const onRefused = (event) => {
    const notice = document.getElementById("notice");
    let sentence = "";
    try {
      sentence = JSON.parse(event.detail.xhr.responseText).detail;
    } catch {
      sentence = event.detail.xhr.statusText;
    }
    if (!notice || !sentence) return;
    const paragraph = document.createElement("p");
    paragraph.className = "notice notice--bad";
    paragraph.setAttribute("role", "alert");
    paragraph.textContent = sentence;
    notice.replaceChildren(paragraph);
  };

  let heardAt = performance.now();
  const heard = () => {
    heardAt = performance.now();
    stopped(false);
  };

  document.addEventListener("keydown", onKey, true);
  document.addEventListener("keydown", onDialogKey);
  document.addEventListener("click", onTouch, true);
  document.addEventListener("click", onClick);
  document.addEventListener("submit", onSubmit, true);
  document.addEventListener("focusin", (event) => {
    if (isTextField(event.target)) lastField = event.target;
  });
  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    if (detail.shouldSwap) leave(detail.target);
  });
  document.addEventListener("htmx:sseBeforeMessage", ({ target }) => leave(target));
  document.addEventListener("htmx:afterSettle", settle);
  document.addEventListener("htmx:sseMessage", () => {
    heard();
    showDialogs();
  });
  document.addEventListener("htmx:sseError", () => stopped(true));
  document.addEventListener("htmx:sseOpen", heard);
  document.addEventListener("htmx:configRequest", tellShown);
  document.addEventListener("htmx:beforeSend", onSend);
  document.addEventListener("htmx:sendError", () => stopped(true));
  document.addEventListener("htmx:timeout", () => stopped(true));
  document.addEventListener("htmx:responseError", onRefused);
  document.addEventListener("htmx:afterOnLoad", () => stopped(false));
  document.addEventListener("DOMContentLoaded", () => {
    mayFocus = true;
    settleNow();
    answered(PAGE);
  });
  setInterval(() => {
    if (performance.now() - heardAt > STREAM_SILENT_MS) stopped(true);
  }, 5000);
})();
