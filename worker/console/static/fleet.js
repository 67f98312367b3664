// All connectors: what needs somebody, what it costs, how far it is.

import { api } from "./api.js";
import { sparkline } from "./chart.js";
import { h } from "./dom.js";
import { brief, count, isKnown, percent, plural, rate, seconds, spent } from "./format.js";
import { badge, empty, icon, link, meter, notices, since } from "./parts.js";

const MANY = 8;

let needle = "";

export const fleet = () => ({
  nav: "fleet",
  title: "Connectors",
  everyMs: 5000,
  load: (signal) => {
    if (!document.querySelector("[data-input=fleet]")) needle = "";
    return api.overview(signal);
  },
  render: (data) => h("div", { class: "view" }, head(data), data.connectors.length ? filled(data) : nothing()),
});

function head(data) {
  const failed = data.connectors.filter((one) => one.state === "FAILED").length;
  const words = failed ? `${plural(failed, "connector")} failed` : data.notices.length ? "Running, with things to look at" : "All is well";
  return h("div", { class: "head" },
    h("div", {}, h("h1", { tabindex: "-1" }, "Connectors"),
      data.connectors.length > 0 && h("p", { class: `verdict ${failed ? "bad" : data.notices.length ? "warn" : "good"}` }, words)),
    link("Add connector", "#/new", { class: "button primary" }));
}

function nothing() {
  return empty("No connector yet", "A connector reads one or more tables' changes from Kafka and keeps a vector index equal to them. Add one here, by PUT /connectors/NAME/config, or as a JSON file in the folder that vecsink run watches.",
    link("Add the first connector", "#/new", { class: "button primary" }));
}

function filled(data) {
  return [
    data.is_well ? null : h("p", { class: "banner" }, icon("warning"), `This pod is not well: ${data.health}`),
    data.notices.length ? notices(data.notices, { withNames: true }, data.at_ms) : null,
    tiles(data.connectors),
    table(data),
    h("p", { class: "footnote" }, `Rows behind, rows a second, spending and letters are of the whole cluster, as Kafka tells. Freshness is measured where rows are written, so it is of the tasks on this pod (${data.pod}) alone. Days end at 00:00 UTC, other times are this browser's.`),
  ];
}

const sum = (numbers) => (numbers.some(isKnown) ? numbers.filter(isKnown).reduce((one, other) => one + other, 0) : null);

function tiles(connectors) {
  const figures = connectors.map((one) => one.figures);
  const worst = Math.max(...connectors.map((one) => one.here?.p95_s ?? -1));
  const budgets = connectors.filter((one) => one.figures?.budget);
  const fullest = budgets.sort((one, other) => other.figures.budget.share - one.figures.budget.share)[0];
  return h("dl", { class: "tiles" },
    tile("Rows behind", count(sum(figures.map((one) => one?.behind)))),
    tile("Freshness, 95 %", worst < 0 ? "–" : seconds(worst), "commit to index, last minute"),
    tile("Rows a second", rate(sum(connectors.map((one) => one.rows_per_s)))),
    tile("Spent today", spent(day(figures)), fullest ? `${percent(fullest.figures.budget.share)} of ${fullest.name}'s budget` : "no budget set"),
    tile("Open letters", count(sum(figures.map((one) => one?.letters?.open)))));
}

function day(figures) {
  const days = figures.map((one) => one?.today).filter(Boolean);
  return days.length ? { usd: sum(days.map((one) => one.usd)), tokens: sum(days.map((one) => one.tokens)) } : null;
}

function tile(name, value, note) {
  return h("div", {}, h("dt", {}, name), h("dd", {}, value), note && h("dd", { class: "note" }, note));
}

const COLUMNS = [["Connector", ""], ["State", ""], ["Behind", "number"], ["Freshness", "number"], ["Rows/s", "number"], ["Today", "number"], ["Letters", "number"]];

function table(data) {
  const fitting = data.connectors.filter((one) => `${one.name} ${way(one)} ${one.state}`.toLowerCase().includes(needle));
  return h("div", { class: "card flush" },
    data.connectors.length > MANY && h("label", { class: "narrow" }, h("span", { class: "unseen" }, "Find a connector"), h("input", { type: "search", "data-keep": "", "data-input": "fleet", placeholder: `Find among ${data.connectors.length} by name, table, model, store or state` })),
    h("table", { class: "fleet", role: "table", "aria-label": "Connectors" },
      h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, COLUMNS.map(([name, kind]) => h("th", { scope: "col", role: "columnheader", class: kind }, name)))),
      h("tbody", { role: "rowgroup" }, fitting.map((one) => row(one, data)))),
    !fitting.length && h("p", { class: "more quiet" }, "No connector fits."));
}

export const finding = {
  fleet: (field, { rerender }) => {
    needle = field.value.trim().toLowerCase();
    rerender();
  },
};

function cell(name, kind, ...content) {
  return h("td", { role: "cell", class: kind, "data-label": name }, h("div", {}, ...content));
}

function row(one, data) {
  const { figures, here } = one;
  const spot = `#/connectors/${encodeURIComponent(one.name)}`;
  return h("tr", { role: "row", "data-key": one.name, "data-href": spot, class: one.state === "FAILED" ? "failed" : "" },
    h("th", { scope: "row", role: "rowheader" }, h("div", {}, link(one.name, spot, { class: "strong" }), h("span", { class: "quiet way" }, way(one)), one.error && h("span", { class: "error" }, one.error))),
    cell("State", "", badge(one.state), h("span", { class: "quiet" }, tasks(one)), one.state !== "RUNNING" && one.since_ms && h("span", { class: "quiet" }, since(one.since_ms, one.since_exact, data.at_ms))),
    cell("Behind", "number", figures ? h("b", { title: count(figures.behind) }, figures.behind < 100000 ? count(figures.behind) : brief(figures.behind)) : waiting(one), sparkline(one.spark, "Rows behind, the last hour")),
    cell("Freshness", "number", h("b", {}, seconds(here?.p95_s)), isKnown(here?.p50_s) && h("span", { class: "quiet" }, `half in ${seconds(here.p50_s)}`)),
    cell("Rows/s", "number", h("b", {}, rate(one.rows_per_s))),
    cell("Today", "number", h("b", {}, spent(figures?.today)), figures?.budget ? meter(figures.budget.share, `${percent(figures.budget.share)} of the day's budget`) : isKnown(figures?.today?.usd) ? h("span", { class: "quiet" }, `${brief(figures.today.tokens)} tokens`) : null),
    cell("Letters", "number", letters(one)));
}

function letters(one) {
  const found = one.figures?.letters;
  if (!found) return h("b", { class: "quiet", title: "No dead-letter topic: a bad record stops the task" }, "–");
  if (!found.open) return h("b", { class: "quiet" }, "0");
  return link(count(found.open), `#/letters/${encodeURIComponent(one.name)}`, { class: "count bad", "aria-label": `${plural(found.open, "open letter")} of ${one.name}` });
}

function waiting(one) {
  return one.problem ? h("span", { class: "quiet", title: one.problem }, "not known") : h("span", { class: "skeleton", "aria-label": "Loading" });
}

function way(one) {
  const { chosen } = one;
  const model = chosen["embedder.model"] ?? chosen.embedder;
  const place = [chosen.store, chosen["store.index"]].filter(Boolean).join(" ");
  return [one.reads, model, place].filter(Boolean).join(" → ");
}

function tasks(one) {
  if (!one.tasks) return "no tasks";
  const running = one.tasks_running === one.tasks || one.state === "PAUSED" ? plural(one.tasks, "task") : `${one.tasks_running} of ${plural(one.tasks, "task")}`;
  return one.pods.length > 1 ? `${running} on ${one.pods.length} pods` : running;
}
