// Live pages: events say that something changed, then the changed part of the page is fetched again and morphed in.
"use strict";

const LEAST_MS = 900;
const KINDS = ["state", "stage", "trial", "note", "end"];
const OVER = ["done", "failed", "cancelled"];
const live = document.getElementById("live");
const lost = document.getElementById("lost");

// The notice of a lost connection. Figures that cannot be refreshed say so.
const link = { down: false, since: "" };

function disconnected() {
  if (!link.down) link.since = new Date().toLocaleTimeString();
  link.down = true;
  lost.hidden = false;
  lost.classList.remove("back");
  lost.querySelector("span").textContent = `Connection lost. What you see is from ${link.since}; trying again.`;
  lost.querySelector("button").hidden = false;
}

function connected() {
  if (!link.down) return;
  link.down = false;
  lost.classList.add("back");
  lost.querySelector("span").textContent = "Connected again.";
  lost.querySelector("button").hidden = true;
  setTimeout(() => { if (!link.down) lost.hidden = true; }, 2500);
}

// A job's page follows the job's events, and takes them up again where the connection broke.
function follow() {
  let source = null, seen = Number(live.dataset.after), waiting = null, last = 0, cost = 0, again = null, over = false;

  const refresh = () => {
    waiting = null;
    if (document.hidden) { waiting = "shown"; return; }
    last = performance.now();
    htmx.trigger(live, "changed");
    document.dispatchEvent(new Event("atunner:changed"));
  };
  const later = () => {
    if (waiting !== null) return;
    waiting = setTimeout(refresh, Math.max(0, last + Math.max(LEAST_MS, 4 * cost) - performance.now()));
  };
  const heard = (event) => {
    if (event.lastEventId) seen = Number(event.lastEventId);
    connected();
    later();
    if (event.type === "state" && OVER.includes(JSON.parse(event.data).body.state)) { over = true; source.close(); }
  };
  const open = () => {
    clearTimeout(again);
    source?.close();
    source = new EventSource(`/api/v1/jobs/${live.dataset.job}/events?after=${seen}`);
    for (const kind of KINDS) source.addEventListener(kind, heard);
    source.onopen = () => { connected(); later(); };
    source.onerror = () => {
      if (over) return;
      disconnected();
      // The browser gives up for good when the answer is not a stream, as from a proxy whose server is away.
      if (source.readyState === EventSource.CLOSED) again = setTimeout(open, 3000);
    };
  };
  live.addEventListener("htmx:after:swap", () => { cost = performance.now() - last; });
  // After the last event no stream comes back: what was not fetched then is asked for again.
  document.addEventListener("htmx:error", () => { if (over) { clearTimeout(again); again = setTimeout(refresh, 3000); } });
  document.addEventListener("visibilitychange", () => { if (!document.hidden && waiting === "shown") { waiting = null; later(); } });
  lost.querySelector("button").addEventListener("click", () => { if (over) refresh(); else open(); });
  addEventListener("pagehide", () => { over = true; source.close(); });
  addEventListener("pageshow", (event) => { if (event.persisted) { over = false; open(); } });
  open();
}

// Lists tick. While a choice is being made or the pointer is at work nothing is lost: the swap morphs.
function tick() {
  const list = document.getElementById("list");
  if (list?.dataset.tick && !document.hidden) htmx.trigger(list, "tick");
}

function chosen() {
  for (const button of document.querySelectorAll("button[data-needs]")) {
    const boxes = [...document.querySelectorAll('input[type="checkbox"][name="job"]')].filter((box) => box.form === button.form);
    const count = boxes.filter((box) => box.checked).length;
    button.disabled = count < Number(button.dataset.needs) || count > Number(button.dataset.most);
    button.title = button.disabled ? `Choose ${button.dataset.needs} to ${button.dataset.most} jobs` : "";
  }
}

// The form: the mistake that the server found is shown at its field, and files are read into their text.
function marked() {
  const form = document.getElementById("submit");
  const mistake = document.getElementById("mistake");
  for (const field of form.querySelectorAll("[aria-invalid]")) {
    field.removeAttribute("aria-invalid");
    field.removeAttribute("aria-describedby");
  }
  const field = mistake?.dataset.field && form.elements[mistake.dataset.field];
  if (field instanceof Element && mistake.className === "wrong") {
    field.setAttribute("aria-invalid", "true");
    field.setAttribute("aria-describedby", "mistake");
  }
  document.getElementById("go").disabled = Boolean(mistake);
}

async function taken(input) {
  const file = input.files[0];
  if (!file) return;
  const form = input.form;
  form.elements[input.dataset.into].value = await file.text();
  form.elements[`${input.dataset.into}_name`].value = file.name;
  form.dispatchEvent(new Event("input", { bubbles: true }));
}

document.addEventListener("DOMContentLoaded", () => {
  if (live && !OVER.includes(live.dataset.state)) follow();
  if (document.getElementById("list")) setInterval(tick, 3000);
  chosen();
  if (document.getElementById("submit")) marked();
});
document.addEventListener("change", (event) => {
  if (event.target.name === "job") chosen();
  if (event.target.dataset?.into) taken(event.target);
});
document.addEventListener("htmx:after:swap", () => { chosen(); if (document.getElementById("submit")) marked(); connected(); });
document.addEventListener("htmx:before:request", () => document.documentElement.classList.toggle("busy", !live && !document.getElementById("list")?.dataset.tick));
document.addEventListener("htmx:finally:request", () => document.documentElement.classList.remove("busy"));
// Only what never arrived is a lost connection.
document.addEventListener("htmx:error", (event) => { if (event.detail?.error instanceof TypeError) disconnected(); });
lost.querySelector("button").addEventListener("click", () => { if (!live) tick(); });
