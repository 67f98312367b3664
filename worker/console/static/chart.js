// Lines and bars as SVG. Words stand beside the drawing, so that they keep their size, and each
// chart has its numbers as a table, too.

import { h, s } from "./dom.js";
import { clock, isKnown, span } from "./format.js";

const WIDTH = 600;
const HEIGHT = 120;
const ROWS = 12;

const drawn = new Map();

export function sparkline(values, label) {
  const known = values.filter(isKnown);
  if (known.length < 2) return h("span", { class: "spark" });
  const top = Math.max(...known, 1);
  return s("svg", { class: "spark", viewBox: "0 0 100 24", preserveAspectRatio: "none", role: "img", "aria-label": label },
    ...paths(values, (index) => (index / (values.length - 1)) * 100, (value) => 22 - (value / top) * 20, 24, true));
}

// `lines` are [{name, values, tone}]; `times` are Unix times in ms.
export function lineChart({ id, title, note, times, lines, format }) {
  const known = lines.flatMap((line) => line.values.filter(isKnown));
  if (!known.length || times.length < 2) return blank(id, title, note);
  const ticks = ticksFor(Math.max(...known));
  const top = ticks[ticks.length - 1];
  const first = times[0];
  const length = Math.max(1, times[times.length - 1] - first);
  const x = (index) => ((times[index] - first) / length) * WIDTH;
  const y = (value) => HEIGHT - (value / top) * HEIGHT;
  drawn.set(id, { times, lines, format, top });
  const newest = lines.map((line) => `${line.name}: ${format(lastKnown(line.values))}`).join(", ");
  const peak = format(Math.max(...known));
  return figure(id, h("h3", {}, title), note,
    h("div", { class: "legend" }, lines.map((line) => h("span", { class: `key ${line.tone}` }, h("i", { "aria-hidden": "true" }), lines.length > 1 ? `${line.name} ` : "", h("b", {}, format(lastKnown(line.values)))))),
    h("div", { class: "plot" },
      h("div", { class: "ticks", "aria-hidden": "true" }, ticks.map((tick) => h("span", { style: { bottom: `${(tick / top) * 100}%` } }, format(tick)))),
      h("div", { class: "canvas", "data-chart": id },
        s("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-labelledby": `${id}-title ${id}-desc` },
          s("title", { id: `${id}-title` }, title),
          s("desc", { id: `${id}-desc` }, `The last hour. Now ${newest}; at most ${peak}.`),
          ticks.map((tick) => s("line", { class: "grid", x1: 0, x2: WIDTH, y1: y(tick), y2: y(tick) })),
          lines.map((line) => s("g", { class: line.tone }, ...paths(line.values, x, y, HEIGHT, lines.length === 1)))),
        h("span", { class: "cursor", hidden: true, "data-keep": "" }),
        h("span", { class: "readout", hidden: true, "data-keep": "" })),
      h("div", { class: "hours", "aria-hidden": "true" }, [1, 0.5].map((part) => h("span", {}, before(times, part))), h("span", {}, "now"))),
    table(title, ["Time", ...lines.map((line) => line.name)], thinned(times).map((index) => [clock(times[index]), ...lines.map((line) => format(line.values[index]))])));
}

// `bars` are [{name, value, label}].
export function barChart({ id, level = "h3", title, note, bars, format, columns }) {
  const top = Math.max(...bars.map((bar) => bar.value ?? 0));
  if (!top) return blank(id, title, note);
  return figure(id, h(level, {}, title), note,
    h("div", { class: "bars", role: "img", "aria-label": `${title}: ${bars.map((bar) => `${bar.name} ${format(bar.value)}`).join(", ")}` },
      bars.map((bar, index) => h("div", { class: index === bars.length - 1 ? "bar-now" : "" },
        h("b", {}, format(bar.value)),
        h("div", { class: "column" }, h("i", { class: bar.value ? "" : "none", style: { height: `${((bar.value ?? 0) / top) * 100}%` } })),
        h("span", {}, bar.name)))),
    table(title, columns.names, columns.rows));
}

// Minutes are too coarse for a process that has just begun.
function before(times, part) {
  const last = times[times.length - 1];
  const passed = (last - times[0]) * part;
  return passed < 600000 ? `${span(passed / 1000)} ago` : clock(last - passed);
}

function figure(id, heading, note, ...content) {
  return h("figure", { class: "chart", "data-key": id }, h("figcaption", {}, heading, note && h("span", { class: "quiet" }, note)), ...content);
}

function blank(id, title, note) {
  drawn.delete(id);
  return figure(id, h("h3", {}, title), note, h("p", { class: "nothing" }, "Nothing to show yet."));
}

function paths(values, x, y, bottom, isFilled) {
  const runs = [];
  let run = [];
  values.forEach((value, index) => {
    if (isKnown(value)) run.push([x(index), y(value)]);
    else if (run.length) runs.push(run), (run = []);
  });
  if (run.length) runs.push(run);
  const round = ([left, up]) => `${left.toFixed(1)} ${up.toFixed(1)}`;
  const stroke = runs.map((one) => `M${(one.length > 1 ? one : [one[0], [one[0][0] + 1, one[0][1]]]).map(round).join("L")}`).join("");
  const area = runs.map((one) => `M${one[0][0].toFixed(1)} ${bottom}L${one.map(round).join("L")}L${one[one.length - 1][0].toFixed(1)} ${bottom}Z`).join("");
  return [isFilled && s("path", { class: "area", d: area }), s("path", { class: "line", d: stroke, "vector-effect": "non-scaling-stroke" })].filter(Boolean);
}

function ticksFor(most) {
  if (!(most > 0)) return [0, 1];
  const rough = most / 2;
  const size = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((one) => one * size).find((one) => one >= rough);
  const ticks = [0, step, 2 * step];
  return ticks[1] >= most ? ticks.slice(0, 2) : ticks;
}

function lastKnown(values) {
  return values[values.length - 1] ?? null;
}

function thinned(times) {
  const step = Math.max(1, Math.ceil(times.length / ROWS));
  return times.map((_, index) => index).filter((index) => (times.length - 1 - index) % step === 0).reverse();
}

function table(title, names, rows) {
  return h("details", { class: "numbers" }, h("summary", {}, "Numbers"),
    h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": `${title}, numbers` },
      h("table", { class: "plain" }, h("caption", { class: "unseen" }, title),
        h("thead", {}, h("tr", {}, names.map((name) => h("th", { scope: "col" }, name)))),
        h("tbody", {}, rows.map((row) => h("tr", {}, row.map((cell, index) => (index ? h("td", {}, cell) : h("th", { scope: "row" }, cell)))))))));
}

// One listener for all charts: a line under the pointer, and what it says there.
export function followPointer(root) {
  root.addEventListener("pointermove", (event) => {
    const canvas = event.target.closest?.("[data-chart]");
    for (const other of root.querySelectorAll("[data-chart]")) if (other !== canvas) quiet(other);
    if (canvas) point(canvas, event.clientX);
  });
  root.addEventListener("pointerleave", () => root.querySelectorAll("[data-chart]").forEach(quiet));
}

function point(canvas, left) {
  const chart = drawn.get(canvas.dataset.chart);
  if (!chart) return;
  const box = canvas.getBoundingClientRect();
  const share = Math.min(1, Math.max(0, (left - box.left) / box.width));
  const { times, lines, format } = chart;
  const wanted = times[0] + share * (times[times.length - 1] - times[0]);
  const index = times.reduce((best, time, at) => (Math.abs(time - wanted) < Math.abs(times[best] - wanted) ? at : best), 0);
  const [cursor, readout] = [canvas.querySelector(".cursor"), canvas.querySelector(".readout")];
  cursor.hidden = readout.hidden = false;
  cursor.style.left = `${share * 100}%`;
  readout.textContent = `${clock(times[index])}  ${lines.map((line) => `${lines.length > 1 ? `${line.name} ` : ""}${format(line.values[index])}`).join("  ")}`;
  readout.classList.toggle("turned", share > 0.6);
  readout.style.left = `${share * 100}%`;
}

function quiet(canvas) {
  for (const part of canvas.querySelectorAll(".cursor, .readout")) part.hidden = true;
}
