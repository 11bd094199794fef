// Live updates: events say that something changed, then the changed part of the page is fetched again.
"use strict";

const LEAST_MS = 1000;
const live = document.getElementById("live");
const lost = document.getElementById("lost");
const over = ["done", "failed", "cancelled"];

function say(isLost) {
  if (lost) lost.hidden = !isLost;
}

function openParts(root) {
  return [...root.querySelectorAll("details")].map((one) => one.open);
}

async function refresh() {
  const answer = await fetch(`/jobs/${live.dataset.job}?part=live`, { headers: { accept: "text/html" } });
  if (!answer.ok) return;
  const text = await answer.text();
  const focused = document.activeElement && live.contains(document.activeElement);
  if (focused && document.activeElement.tagName === "BUTTON") return;
  const open = openParts(live);
  const log = live.querySelector(".log");
  const top = log ? log.scrollTop : 0;
  const page = new DOMParser().parseFromString(text, "text/html");
  live.replaceChildren(...page.body.childNodes);
  const parts = [...live.querySelectorAll("details")];
  if (parts.length === open.length) parts.forEach((one, at) => { one.open = open[at]; });
  const after = live.querySelector(".log");
  if (after) after.scrollTop = top;
}

function follow() {
  let waiting = null;
  let last = 0;
  const source = new EventSource(`/api/v1/jobs/${live.dataset.job}/events?after=${live.dataset.after}`);
  const later = () => {
    if (waiting !== null) return;
    const wait = Math.max(0, last + LEAST_MS - Date.now());
    waiting = setTimeout(async () => {
      waiting = null;
      last = Date.now();
      try { await refresh(); } catch { say(true); }
    }, wait);
  };
  const heard = (event) => {
    say(false);
    later();
    if (event.type === "state" && over.includes(JSON.parse(event.data).body.state)) source.close();
  };
  for (const kind of ["state", "stage", "trial", "note", "end"]) source.addEventListener(kind, heard);
  source.onopen = () => say(false);
  source.onerror = () => { if (source.readyState !== EventSource.CLOSED) say(true); };
}

if (live && !over.includes(live.dataset.state)) follow();

const list = document.querySelector("table[data-reload]");
if (list) {
  setInterval(async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html" } });
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const part of ["table.list tbody", ".tabs"]) {
        const [old, now] = [document.querySelector(part), page.querySelector(part)];
        if (old && now && !old.contains(document.activeElement)) old.replaceWith(now);
      }
      say(false);
    } catch { say(true); }
  }, Number(list.dataset.reload) * 1000);
}
