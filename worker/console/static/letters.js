// Dead letters of a connector: by class, stage, table and state, and putting them back.

import { api } from "./api.js";
import { barChart } from "./chart.js";
import { h } from "./dom.js";
import { ago, clock, count, moment, plural } from "./format.js";
import { badge, button, empty, link } from "./parts.js";

const FACETS = [["classes", "Error class"], ["stages", "Stage"], ["tables", "Table"]];
const MOST = 12;
const HOUR_MS = 3600000;
const CLOSED = new Set(["replayed", "superseded", "returned", "discarded"]);

// Filters and marks live as long as the page, by connector.
const kept = new Map();

function memory(name) {
  if (!kept.has(name)) kept.set(name, { filters: { classes: new Set(), stages: new Set(), tables: new Set() }, isClosed: false, marked: new Set(), run: null, outlook: null });
  return kept.get(name);
}

export function letters(name) {
  return {
    nav: "letters",
    title: name ? `Dead letters of ${name}` : "Dead letters",
    get everyMs() {
      return name && memory(name).run ? 1500 : 5000;
    },
    load: async (signal) => {
      const overview = await api.overview(signal);
      const having = overview.connectors.filter((one) => one.has_letters || one.name === name);
      const chosen = name ?? mostLetters(having)?.name;
      if (!chosen) return { overview, having, chosen: null };
      return { overview, having, chosen, found: await api.letters(chosen, query(memory(chosen)), signal), status: overview.connectors.find((one) => one.name === chosen) };
    },
    render: (data) => h("div", { class: "view" }, head(data), data.chosen ? filled(data) : none(data)),
  };
}

function mostLetters(connectors) {
  return [...connectors].sort((one, other) => (other.figures?.letters?.open ?? 0) - (one.figures?.letters?.open ?? 0))[0];
}

export function query({ filters, isClosed }) {
  const pairs = Object.entries(filters).flatMap(([name, values]) => [...values].map((value) => [name, value]));
  if (isClosed) pairs.push(["states", "all"]);
  return new URLSearchParams(pairs).toString();
}

// What a request for these letters says: the marked ones, or all that the filters leave.
export function wish(name) {
  const { filters, marked } = memory(name);
  if (marked.size) return { at: [...marked] };
  const lists = Object.fromEntries(Object.entries(filters).map(([key, values]) => [key, [...values]]));
  return { ...lists, all: true };
}

export const letterMemory = memory;

function head(data) {
  return h("div", { class: "head" },
    h("div", {}, h("h1", { tabindex: "-1" }, "Dead letters"),
      data.chosen && h("p", { class: "quiet mono" }, data.found.topic)),
    data.having.length > 0 && h("label", { class: "pick" }, h("span", {}, "Connector"),
      h("select", { "data-change": "letters-of", id: "letters-of" }, data.having.map((one) =>
        h("option", { value: one.name, selected: one.name === data.chosen }, one.figures?.letters?.open ? `${one.name} (${count(one.figures.letters.open)} open)` : one.name)))));
}

function none(data) {
  return empty("No dead letters to look after", data.overview.connectors.length ? "No connector has a dead-letter topic (errors.tolerance=all and errors.deadletterqueue.topic.name): a bad record stops its task instead." : "There is no connector yet.");
}

function filled(data) {
  const { found, chosen } = data;
  const mine = memory(chosen);
  const open = Object.entries(found.states).filter(([state]) => !CLOSED.has(state)).reduce((sum, [, number]) => sum + number, 0);
  const closed = found.known - open;
  return [
    mine.run && progress(data, mine),
    h("div", { class: "split" },
      h("aside", { "aria-label": "Filters" },
        h("label", { class: "check" }, h("input", { type: "checkbox", "data-change": "letters-closed", "data-name": chosen, checked: mine.isClosed }), `Closed ones, too (${count(closed)})`),
        FACETS.map(([key, title]) => facet(chosen, key, title, found[key], mine.filters[key])),
        h("div", { class: "facet" }, h("h2", {}, "State"), h("ul", {}, Object.entries(found.states).sort().map(([state, number]) => h("li", {}, badge(state), h("span", { class: "number" }, count(number))))))),
      h("div", { class: "main" },
        found.unseen > 0 && h("p", { class: "banner" }, `The newest ${count(found.known)} letters are looked at here, ${count(found.unseen)} older records are not; vecsink dlq knows all.`),
        found.hours.length > 1 && hours(found.hours),
        bulk(data, mine, open),
        mine.outlook && outlook(chosen, mine.outlook),
        found.letters.length ? table(chosen, found, mine, data.overview.at_ms) : empty(open || mine.isClosed ? "Nothing fits these filters" : "All clear", open || mine.isClosed ? "Take a filter away to see more." : `Every letter of ${chosen} is closed: replayed, superseded, returned or discarded.`))),
  ];
}

function facet(name, key, title, counts, chosen) {
  const gone = [...chosen].filter((value) => !counts.some(([known]) => known === value)).map((value) => [value, 0]);
  const shown = [...counts.slice(0, MOST), ...gone];
  return h("div", { class: "facet", role: "group", "aria-label": title }, h("h2", {}, title),
    shown.length ? h("ul", {}, shown.map(([value, number]) => h("li", {}, h("button", { type: "button", "data-do": "facet", "data-name": name, "data-facet": key, "data-value": value, "aria-pressed": String(chosen.has(value)) }, h("span", {}, value || "(not said)"), h("span", { class: "number" }, count(number)))))) : h("p", { class: "quiet" }, "–"));
}

function hours(found) {
  const bars = everyHour(found).map(([ms, number]) => ({ name: clock(ms), value: number }));
  return barChart({ id: "letter-hours", level: "h2", title: "Came by hour", note: "", bars, format: count, columns: { names: ["Hour", "Letters"], rows: found.map(([ms, number]) => [moment(ms), count(number)]) } });
}

// The last day at most, hours without letters too.
function everyHour(found) {
  const counts = new Map(found);
  const last = found[found.length - 1][0];
  const length = Math.min(24, (last - found[0][0]) / HOUR_MS + 1);
  return Array.from({ length }, (_, index) => last - (length - 1 - index) * HOUR_MS).map((ms) => [ms, counts.get(ms) ?? 0]);
}

function bulk(data, mine, open) {
  const { chosen: name, found } = data;
  const number = mine.marked.size || found.fitting;
  const what = mine.marked.size ? `${count(number)} marked` : isFiltered(mine) ? `${count(number)} that fit` : `all ${count(number)}`;
  const isIdle = !number || isUnderWay(found, mine);
  return h("div", { class: "bulk" },
    h("p", {}, h("b", {}, mine.marked.size ? `${plural(number, "letter")} marked` : `${plural(found.fitting, "letter")}`), !mine.marked.size && !isFiltered(mine) && found.first_ms ? h("span", { class: "quiet" }, ` from ${moment(found.first_ms)} to ${moment(found.last_ms)}`) : null),
    h("div", { class: "actions" },
      mine.marked.size > 0 && button("Unmark", "unmark", { name }),
      isFiltered(mine) && button("Clear filters", "unfilter", { name }),
      button("Dry run", "letters-outlook", { name, disabled: isIdle, title: "Says what a replay would do; changes nothing" }),
      button(`Replay ${what}…`, "letters-replay", { name, number, tone: "primary", disabled: isIdle || !open }),
      button("Discard…", "letters-discard", { name, number, disabled: isIdle || !open })));
}

const isUnderWay = (found, { run }) => Boolean(run && found.runs[run.run]?.asked);

const isFiltered = ({ filters }) => Object.values(filters).some((values) => values.size);

function progress(data, mine) {
  const { run, asked } = mine.run;
  const states = data.found.runs[run] ?? {};
  const waiting = states.asked ?? 0;
  const done = Math.max(0, asked - waiting);
  const said = Object.entries(states).filter(([state]) => state !== "asked").map(([state, number]) => `${count(number)} ${state}`).join(", ");
  const isHeld = data.status && data.status.target !== "RUNNING";
  return h("div", { class: "progress card", "data-key": "progress" },
    h("div", { class: "line" }, h("b", {}, waiting ? `Replay under way: ${count(done)} of ${count(asked)}` : `Replay done: ${plural(asked, "letter")}`), h("span", { class: "quiet grow" }, said),
      button(waiting ? "Hide" : "Close", "run-close", { name: data.chosen })),
    h("div", { class: "track", role: "progressbar", "aria-valuemin": 0, "aria-valuemax": asked, "aria-valuenow": done, "aria-label": "Replay" }, h("i", { style: { width: `${asked ? (done / asked) * 100 : 0}%` } })),
    waiting > 0 && (data.found.delays[run] ?? []).map((why) => h("p", { class: "advice" }, `Waiting: ${why}`)),
    isHeld && waiting > 0 && h("p", { class: "advice" }, `${data.chosen} is ${data.status.target.toLowerCase()}: the letters stay asked for until it runs.`));
}

const FATES = {
  written: "would be written", deleted: "would be deleted, with their points", unchanged: "are in the index as they are",
  filtered: "have no place in the index", superseded: "are superseded by something newer", fails: "would fail again", undecided: "would stay open",
};

function outlook(name, found) {
  return h("div", { class: "card outlook", "data-key": "outlook" },
    h("div", { class: "line" }, h("h2", { class: "grow" }, "If they were replayed now"), button("Close", "outlook-close", { name })),
    found.letters ? h("ul", { class: "fates" }, Object.entries(found.fates).map(([fate, number]) => h("li", {}, h("b", {}, count(number)), ` ${FATES[fate] ?? fate}`))) : h("p", {}, "Nothing would be replayed."),
    found.reasons.length > 0 && h("details", {}, h("summary", {}, "Why"), h("ul", { class: "rows small" }, found.reasons.map(([fate, why, number]) => h("li", {}, h("b", {}, `${count(number)} ${fate}`), ` ${why}`)))),
    h("p", { class: "quiet" }, "Nothing was changed."));
}

export const fateWords = FATES;

function table(name, found, mine, now) {
  const rest = found.fitting - found.letters.length;
  return h("div", { class: "card flush" },
    h("table", { class: "letters", role: "table", "aria-label": "Letters" },
      h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, h("th", { scope: "col", role: "columnheader" }, h("span", { class: "unseen" }, "Mark")), ["What happened", "Table", "State", "Came"].map((title) => h("th", { scope: "col", role: "columnheader" }, title)))),
      h("tbody", { role: "rowgroup" }, found.letters.map((one) => row(name, one, mine, now)))),
    rest > 0 && h("p", { class: "more quiet" }, `${count(rest)} more fit; the newest are shown. Filters and replays mean all of them.`));
}

function row(name, one, mine, now) {
  const spot = `#/letters/${encodeURIComponent(name)}/${one.id}`;
  return h("tr", { role: "row", "data-key": one.id, "data-href": spot },
    h("td", { role: "cell", class: "mark" }, h("input", { type: "checkbox", "data-change": "mark", "data-name": name, "data-letter": one.id, checked: mine.marked.has(one.id), disabled: CLOSED.has(one.state), "aria-label": `Mark letter ${one.id}` })),
    h("th", { scope: "row", role: "rowheader" }, h("div", {}, link(one.class || "(not said)", spot, { class: "strong" }), h("span", { class: "quiet" }, ` ${one.stage}`, one.status ? `, HTTP ${one.status}` : "", one.replays ? `, replayed ${one.replays}×` : ""), h("span", { class: "message" }, one.message), one.note && h("span", { class: "note" }, one.note))),
    h("td", { role: "cell", class: "mono", "data-label": "Table" }, h("div", {}, one.table)),
    h("td", { role: "cell", "data-label": "State" }, h("div", {}, badge(one.state))),
    h("td", { role: "cell", class: "quiet nowrap", "data-label": "Came" }, h("div", {}, h("time", { title: moment(one.came_ms) }, ago(one.came_ms, now)))));
}
