// One connector: what it does, what it did in the last hour, what it costs, how it is set.

import { api } from "./api.js";
import { barChart, lineChart } from "./chart.js";
import { h } from "./dom.js";
import { brief, count, isKnown, percent, plural, rate, seconds, spent, usd } from "./format.js";
import { badge, button, link, meter, notices, section, since, word } from "./parts.js";

export const connector = (name) => ({
  nav: "fleet",
  title: name,
  everyMs: 5000,
  load: async (signal) => {
    const [details, series] = await Promise.all([api.connector(name, signal), api.series(name, signal)]);
    return { ...details, series };
  },
  render: (one) => h("div", { class: "view" },
    head(one),
    notices(one.notices, { withNames: false }, one.at_ms),
    figures(one),
    charts(one),
    h("div", { class: "columns" },
      h("div", {}, tasks(one), topics(one)),
      h("div", {}, spend(one), here(one))),
    settings(one)),
});

function head(one) {
  const { name } = one;
  const isHeld = one.target === "PAUSED" || one.target === "STOPPED";
  return h("div", { class: "head" },
    h("div", {},
      h("p", { class: "crumbs" }, link("Connectors", "#/")),
      h("h1", { tabindex: "-1" }, name, " ", badge(one.state)),
      one.since_ms && h("p", { class: "quiet" }, `${word(one.state)} `, since(one.since_ms, one.since_exact, one.at_ms))),
    h("div", { class: "actions", role: "group", "aria-label": `Actions for ${name}` },
      isHeld ? button("Resume", "resume", { name, tone: "primary" }) : button("Pause", "pause", { name }),
      button("Restart", "restart", { name, disabled: one.target === "STOPPED" }),
      one.target !== "STOPPED" && button("Stop", "stop", { name }),
      link("Edit", `#/edit/${encodeURIComponent(name)}`, { class: "button" }),
      button("Delete", "delete", { name, tone: "danger" })));
}

function figures(one) {
  const { figures: of, here: pod } = one;
  const budget = of?.budget;
  return h("dl", { class: "tiles" },
    tile("Rows behind", of ? count(of.behind) : "–", isKnown(pod?.behind_s) && pod.behind_s > 0 ? `for ${seconds(pod.behind_s)}` : of ? "up to date" : one.problem),
    tile("Freshness, 95 %", seconds(pod?.p95_s), isKnown(pod?.p50_s) ? `half in ${seconds(pod.p50_s)}` : "no row in the last minute here"),
    tile("Rows a second", rate(one.rows_per_s)),
    tile("Spent today", spent(of?.today), budget ? h("span", {}, meter(budget.share, `${percent(budget.share)} of the day's budget`), " ", budget.used) : isKnown(of?.today?.usd) ? `${brief(of.today.tokens)} tokens` : null),
    tile("Open letters", of?.letters ? (of.letters.open ? link(count(of.letters.open), `#/letters/${encodeURIComponent(one.name)}`, { class: "bad" }) : "0") : "–", of?.letters?.last_kind ? `newest ${of.letters.last_kind}` : of && !of.letters ? "no dead-letter topic" : null));
}

function tile(name, value, note) {
  return h("div", {}, h("dt", {}, name), h("dd", {}, value), note && h("dd", { class: "note" }, note));
}

function charts(one) {
  const { series } = one;
  const times = series.at_ms;
  const line = (name, key, tone) => ({ name, values: series[key], tone });
  const pod = `this pod, ${one.this_pod}`;
  return h("section", { class: "charts", "aria-label": "The last hour" }, h("h2", { class: "unseen" }, "The last hour"),
    lineChart({ id: "behind", title: "Rows behind", note: "whole group", times, lines: [line("rows", "behind", "one")], format: brief }),
    lineChart({ id: "fresh", title: "Freshness", note: pod, times, lines: [line("95 %", "p95_s", "two"), line("50 %", "p50_s", "one")], format: seconds }),
    lineChart({ id: "rate", title: "Rows a second", note: pod, times, lines: [line("rows/s", "rows_per_s", "one")], format: rate }),
    lineChart({ id: "cost", ...cost(series), note: pod, times }));
}

// Dollars where a price is known, else tokens where the provider counts them, else texts.
function cost(series) {
  const choices = [["usd_per_h", "Dollars an hour", usd], ["tokens_per_s", "Tokens a second", rate], ["texts_per_s", "Texts a second", rate]];
  const [key, title, format] = choices.find(([one]) => series[one].some((value) => value > 0)) ?? choices[2];
  return { title, format, lines: [{ name: title.toLowerCase(), values: series[key], tone: "one" }] };
}

function tasks(one) {
  if (!one.task_list.length) return section("Tasks", h("p", { class: "quiet" }, "It is stopped and has no tasks. Resume starts them where they stood."));
  return section("Tasks", h("ul", { class: "rows" }, one.task_list.map((task) =>
    h("li", { "data-key": `task ${task.id}` },
      h("div", { class: "line" },
        h("b", {}, `Task ${task.id}`), badge(task.state), h("span", { class: "quiet mono grow" }, task.pod, task.pod === one.this_pod && " (this pod)"),
        button("Restart", "restart-task", { name: one.name, task: task.id, title: `Restart task ${task.id}` })),
      task.error && h("p", { class: "error" }, task.error),
      task.trace && h("details", {}, h("summary", {}, "Where it failed"), h("pre", { tabindex: 0 }, task.trace))))));
}

function topics(one) {
  if (!one.topics.length) return section("Topics", h("p", { class: "quiet" }, one.figures ? "None of its topics exists yet." : "Not known yet."));
  return section("Topics",
    h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Topics, table" }, h("table", { class: "plain" },
      h("thead", {}, h("tr", {}, ["Topic", "Behind", "Partitions"].map((name, index) => h("th", { scope: "col", class: index ? "number" : "" }, name)))),
      h("tbody", {}, one.topics.map((lag) => h("tr", { "data-key": lag.topic }, h("th", { scope: "row", class: "mono" }, lag.topic), h("td", { class: "number" }, count(lag.behind)), h("td", { class: "number" }, lag.held === lag.partitions ? count(lag.partitions) : `${lag.held} of ${lag.partitions} read`)))))),
    one.members.length > 0 && h("details", {}, h("summary", {}, `${plural(one.members.length, "member")} of the consumer group`),
      h("ul", { class: "rows small" }, one.members.map((member) => h("li", {}, h("b", { class: "mono" }, member.client), h("span", { class: "quiet" }, ` ${member.host}, ${plural(member.partitions.length, "partition")}`))))));
}

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const dayName = (day) => DAYS[new Date(`${day}T12:00:00Z`).getUTCDay()];

function spend(one) {
  const { days } = one;
  if (!days) return section("Spend", h("p", { class: "quiet" }, "Nothing was written down yet."));
  const hasPrice = days.some((day) => day.usd);
  const value = (spent) => (hasPrice ? spent.usd ?? 0 : spent.tokens);
  const format = hasPrice ? usd : brief;
  const week = total(days);
  return section("Spend",
    barChart({
      id: "week", title: hasPrice ? "Dollars by day" : "Tokens by day", note: "whole cluster, UTC",
      bars: days.map((day, index) => ({ name: index === days.length - 1 ? "today" : dayName(day.day), value: value(day) })), format,
      columns: { names: ["Day", "Texts", "Calls", "Tokens", "USD"], rows: days.map((day) => [day.day, count(day.texts), count(day.calls), count(day.tokens), usd(day.usd)]) },
    }),
    week.length > 0 && h("table", { class: "plain" },
      h("thead", {}, h("tr", {}, ["Table", "Today", "7 days"].map((name, index) => h("th", { scope: "col", class: index ? "number" : "" }, name)))),
      h("tbody", {}, week.map(([table, today, all]) => h("tr", { "data-key": table }, h("th", { scope: "row", class: "mono" }, table), h("td", { class: "number" }, format(today)), h("td", { class: "number" }, format(all)))))));

  function total(found) {
    const tables = [...new Set(found.flatMap((day) => Object.keys(day.tables)))];
    const of = (day, table) => (day.tables[table] ? value(day.tables[table]) : 0);
    return tables.map((table) => [table, of(found[found.length - 1], table), found.reduce((before, day) => before + of(day, table), 0)]);
  }
}

const CIRCUITS = { closed: "answers", limited: "asked us to wait", open: "does not answer" };

function here(one) {
  const { pod } = one;
  if (!pod) return section("This pod", h("p", { class: "quiet" }, `No task of it has run on ${one.this_pod} since that started. Freshness and rates are kept by the pods that write.`));
  const { provider } = pod;
  return section("This pod",
    h("dl", { class: "pairs" },
      provider && pair("Provider", `${provider.name} ${CIRCUITS[provider.circuit] ?? provider.circuit}`),
      provider && pair("Model", provider.model, true),
      provider && pair("Calls", `${provider.in_flight} under way, ${provider.waiting} waiting, ${count(provider.limited)} answered 429`),
      provider && provider.outages > 0 && pair("Outages", count(provider.outages)),
      pod.store && pair("Store", pod.store),
      pair("In memory", `${plural(pod.buffered, "row")}, ${plural(pod.in_flight, "batch", "batches")} under way`),
      pair("Records", Object.entries(pod.outcomes).map(([name, number]) => `${count(number)} ${name}`).join(", ") || "none yet"),
      pair("Embedded", `${count(pod.bill.texts)} texts in ${plural(pod.bill.requests, "call")}`)));
}

function pair(name, value, mono) {
  return h("div", {}, h("dt", {}, name), h("dd", { class: mono ? "mono" : "" }, value));
}

function settings(one) {
  const keys = Object.keys(one.config).sort();
  return section("Configuration",
    h("p", { class: "quiet" }, "As it is stored: references as they were written, secrets hidden."),
    h("dl", { class: "settings" }, keys.map((key) => h("div", { "data-key": key }, h("dt", {}, key), h("dd", { class: one.config[key] === "[hidden]" ? "hidden-value" : "" }, one.config[key] || h("span", { class: "quiet" }, "(empty)"))))),
    h("div", { class: "actions" }, button("Copy as JSON", "copy", { name: one.name, text: JSON.stringify(one.config, null, 2) }), link("Edit", `#/edit/${encodeURIComponent(one.name)}`, { class: "button" })));
}
