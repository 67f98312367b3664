// What several views have in common.

import { h, s } from "./dom.js";
import { moment, span } from "./format.js";

const TONES = {
  RUNNING: "good", PAUSED: "idle", STOPPED: "idle", FAILED: "bad", RESTARTING: "warn", UNASSIGNED: "warn",
  open: "bad", asked: "warn", quarantined: "warn", replayed: "good", superseded: "idle", returned: "idle", discarded: "idle",
};

export function badge(state) {
  return h("span", { class: `badge ${TONES[state] ?? "idle"}` }, h("i", { "aria-hidden": "true" }), word(state));
}

export const word = (state) => state.charAt(0).toUpperCase() + state.slice(1).toLowerCase();

const ICONS = {
  critical: "M8 1.500l6.800 12.300H1.200zM8 6v3.600M8 11.800v.4",
  warning: "M8 1.700a6.300 6.300 0 1 0 0 12.600a6.300 6.300 0 0 0 0-12.600zM8 4.800v4M8 11v.4",
  notice: "M8 1.700a6.300 6.300 0 1 0 0 12.600a6.300 6.300 0 0 0 0-12.600zM8 7.400v4M8 4.800v.4",
  good: "M2.800 8.600l3.400 3.300 7-7.800",
};

export function icon(name) {
  return s("svg", { class: `icon ${name}`, viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": "true" },
    s("path", { d: ICONS[name], fill: "none", stroke: "currentColor", "stroke-width": 1.6, "stroke-linecap": "round", "stroke-linejoin": "round" }));
}

export function button(label, action, { name, tone = "", disabled = false, title, ...data } = {}) {
  const marks = Object.fromEntries(Object.entries(data).map(([key, value]) => [`data-${key}`, value]));
  return h("button", { type: "button", class: `button ${tone}`, "data-do": action, "data-name": name, disabled, title, ...marks }, label);
}

export function link(label, href, attributes = {}) {
  return h("a", { href, ...attributes }, label);
}

export function since(ms, isExact, now) {
  if (ms === null || ms === undefined) return null;
  return h("time", { datetime: new Date(ms).toISOString(), title: moment(ms) }, `${isExact ? "for" : "for at least"} ${span(Math.max(0, (now - ms) / 1000))}`);
}

export function section(title, ...content) {
  return h("section", { class: "card", "aria-label": title, "data-key": title }, h("h2", {}, title), ...content);
}

// Keys stand between backticks in what is said of settings.
export function coded(text) {
  return text.split("`").map((part, index) => (index % 2 ? h("code", {}, part) : part));
}

export function empty(title, text, ...more) {
  return h("div", { class: "empty" }, h("h2", {}, title), h("p", {}, text), ...more);
}

const DONE = {
  restart: ["Restart failed tasks", "restart-failed"],
  resume: ["Resume", "resume"],
};
const SHOWN = {
  letters: (one) => link("Dead letters", `#/letters/${encodeURIComponent(one)}`, { class: "button" }),
  edit: (one) => link("Edit configuration", `#/edit/${encodeURIComponent(one)}`, { class: "button" }),
};

export function notices(found, { withNames }, now) {
  if (!found.length) return null;
  return h("ul", { class: "notices", "aria-label": "What needs somebody" }, found.map((one) =>
    h("li", { class: one.severity, "data-key": `${one.connector} ${one.what}` },
      icon(one.severity),
      h("div", { class: "words" },
        h("p", { class: "what" },
          withNames && link(one.connector, `#/connectors/${encodeURIComponent(one.connector)}`, { class: "strong" }), withNames && " ",
          h("span", {}, one.what),
          one.since_ms && h("span", { class: "since" }, " ", since(one.since_ms, one.since_exact, now))),
        h("p", { class: "advice" }, one.advice)),
      h("div", { class: "do" }, acting(one)))));
}

function acting(one) {
  if (one.action in DONE) return button(DONE[one.action][0], DONE[one.action][1], { name: one.connector });
  if (one.action in SHOWN) return SHOWN[one.action](one.connector);
  return null;
}

export function meter(share, label) {
  const part = Math.min(1, Math.max(0, share));
  const tone = share >= 1 ? "bad" : share >= 0.8 ? "warn" : "";
  return h("span", { class: `meter ${tone}`, role: "img", "aria-label": label, title: label }, h("i", { style: { width: `${part * 100}%` } }));
}
