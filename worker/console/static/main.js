// Finds the view of an address, keeps it up to date, and hands clicks to actions.

import { actions, changes } from "./actions.js";
import { api } from "./api.js";
import { followPointer } from "./chart.js";
import { connector } from "./connector.js";
import { h, morph } from "./dom.js";
import { editing, editor } from "./editor.js";
import { finding, fleet } from "./fleet.js";
import { moment } from "./format.js";
import { letter } from "./letter.js";
import { letters } from "./letters.js";
import { empty, word } from "./parts.js";

const ROUTES = [
  [/^$/, fleet],
  [/^connectors\/([^/]+)$/, connector],
  [/^letters(?:\/([^/]+))?$/, letters],
  [/^letters\/([^/]+)\/(\d+:\d+)$/, letter],
  [/^new$/, editor],
  [/^edit\/([^/]+)$/, editor],
];
const KNOWN = {
  0: ["This pod does not answer", "It may be restarting. The page tries again by itself."],
  404: ["There is no such thing", "It was deleted, or never was there."],
  409: ["This pod is still starting", "It reads which connectors there are. The page tries again by itself."],
};
const TOAST_MS = 6000;
const RETRY_MS = 3000;

const main = document.getElementById("main");
let view = null;
let data = null;
let present = null;
let shownMs = 0;
let timer = 0;
let loading = null;
let isLive = true;
let address = null;
const states = new Map();

function routed() {
  const path = decodeURI(location.hash.replace(/^#\/?/, ""));
  for (const [pattern, make] of ROUTES) {
    const match = pattern.exec(path);
    if (match) return make(...match.slice(1).map((part) => part && decodeURIComponent(part)));
  }
  return fleet();
}

async function navigate() {
  if (location.hash && !location.hash.startsWith("#/")) return;
  if (location.hash === address) return;
  const isArrival = address === null;
  address = location.hash;
  view = routed();
  data = null;
  main.setAttribute("aria-busy", "true");
  for (const one of document.querySelectorAll("[data-nav]")) {
    if (one.dataset.nav === view.nav) one.setAttribute("aria-current", "page");
    else one.removeAttribute("aria-current");
  }
  title();
  await load();
  if (isArrival) return;
  window.scrollTo(0, 0);
  main.querySelector("h1")?.focus({ preventScroll: true });
}

function title(prefix = "") {
  document.title = `${prefix}${view.title} · vecsink`;
}

// Asks and shows. What was known stays shown while the pod does not answer.
async function load() {
  clearTimeout(timer);
  loading?.abort();
  const mine = view;
  const control = new AbortController();
  loading = control;
  try {
    const found = await mine.load(control.signal);
    if (mine !== view || control.signal.aborted) return;
    const isFirst = data === null;
    data = found;
    shownMs = Date.now();
    outage(null);
    show();
    if (isFirst) mine.entered?.(context);
  } catch (error) {
    if (error.name === "AbortError" || mine !== view) return;
    failed(error);
  } finally {
    if (mine === view) main.removeAttribute("aria-busy");
  }
  schedule();
}

function schedule() {
  clearTimeout(timer);
  const every = isOut() ? RETRY_MS : view.everyMs;
  if (every && isLive && !document.hidden) timer = setTimeout(load, warmingUp() ? Math.min(every, 1200) : every);
}

// The first look at Kafka takes a moment.
const warmingUp = () => (data?.connectors ?? []).some((one) => one.figures === null && !one.problem);

function show() {
  const fresh = h("main", { id: "main", tabindex: "-1" }, view.render(data));
  if (present === view) morph(main, fresh);
  else main.replaceChildren(...fresh.childNodes);
  present = view;
  about(data);
}

function about(found) {
  const overview = found.overview ?? (found.connectors ? found : null);
  if (!overview) return title();
  document.getElementById("pod").textContent = overview.pod;
  document.getElementById("pod").title = "The pod that answers here";
  document.getElementById("version").textContent = `vecsink ${overview.version}`;
  const failing = overview.connectors.filter((one) => one.state === "FAILED").length;
  title(failing ? `(${failing} failed) ` : "");
  for (const one of overview.connectors) {
    const before = states.get(one.name);
    if (before && before !== one.state) say(`${one.name}: ${word(one.state)}`);
    states.set(one.name, one.state);
  }
}

function failed(error) {
  const isGone = error.status === 404;
  if (data && !isGone) return outage(`${error.message} Shown is what was known at ${moment(shownMs)}. Trying again.`);
  outage(null);
  data = present = null;
  const known = KNOWN[error.status] ?? ["This cannot be shown", error.message];
  main.replaceChildren(h("div", { class: "view" }, empty(...known, h("div", { class: "actions" }, h("button", { type: "button", class: "button", "data-do": "again" }, "Try again"), h("a", { class: "button", href: "#/" }, "All connectors")))));
}

const out = document.getElementById("outage");
const isOut = () => Boolean(out.textContent) || data === null;

function outage(text) {
  if (out.textContent !== (text ?? "")) out.textContent = text ?? "";
}

function say(text) {
  document.getElementById("said").textContent = text;
}

function toast(text, tone = "") {
  const made = h("p", { class: `toast ${tone}` }, text);
  document.getElementById("toasts").append(made);
  setTimeout(() => made.remove(), TOAST_MS);
}

const context = {
  refresh: load,
  rerender: () => data && show(),
  isShown: () => Boolean(data),
  toast,
  go: (hash) => {
    location.hash = hash;
  },
  done: (text) => {
    toast(text, "good");
    return load();
  },
};

const own = {
  again: () => load(),
  skip: () => main.focus(),
  live: () => {
    isLive = !isLive;
    document.getElementById("live").setAttribute("aria-pressed", String(isLive));
    document.getElementById("live-word").textContent = isLive ? "Live" : "Paused";
    if (isLive) load();
    else clearTimeout(timer);
  },
};

const all = { ...actions, ...editing.actions, ...own };

document.addEventListener("click", async (event) => {
  const target = event.target.closest("[data-do]");
  if (!target) return follow(event);
  if (target.nodeName === "A") event.preventDefault();
  if (target.disabled || target.getAttribute("aria-busy")) return;
  await carryOut(target, () => all[target.dataset.do]?.(target.dataset, context));
});

async function carryOut(target, work) {
  target.setAttribute("aria-busy", "true");
  try {
    await work();
  } catch (error) {
    toast(error.message, "bad");
  } finally {
    target.removeAttribute("aria-busy");
  }
}

// A row is as good as the link in it, for who points at it.
function follow(event) {
  const row = event.target.closest("[data-href]");
  if (!row || event.target.closest("a, button, input, label, summary") || String(getSelection())) return;
  location.hash = row.dataset.href;
}

document.addEventListener("change", async (event) => {
  const field = event.target;
  const name = field.dataset?.change;
  if (name) await carryOut(field, () => ({ ...changes, ...editing.changes })[name]?.(field, context));
});

document.addEventListener("input", (event) => {
  ({ ...editing.inputs, ...finding })[event.target.dataset?.input]?.(event.target, context);
});

document.addEventListener("scroll", (event) => {
  if (event.target.id !== "config") return;
  event.target.previousElementSibling.firstElementChild.style.transform = `translateY(${-event.target.scrollTop}px)`;
}, true);

document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : view.everyMs && isLive && load()));
window.addEventListener("hashchange", navigate);
followPointer(main);
api.overview().then((found) => about({ overview: found }), () => {});
navigate();
