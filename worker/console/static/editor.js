// Add or edit a connector: its JSON, checked while it is typed, and all keys there are.

import { api } from "./api.js";
import { h } from "./dom.js";
import { plural } from "./format.js";
import { button, coded, icon, link } from "./parts.js";
import { TEMPLATES } from "./templates.js";

const PAUSE_MS = 300;

let draft = null;

export const editor = (name) => ({
  nav: name ? "" : "editor",
  title: name ? `Edit ${name}` : "Add a connector",
  everyMs: null,
  load: async (signal) => {
    const [definitions, config] = await Promise.all([api.definitions(signal), name ? api.config(name, signal) : null]);
    draft = { name, text: JSON.stringify(config ?? TEMPLATES["Cohere to Pinecone"], null, 2), definitions, search: "", verdict: null, failure: "", isChecking: false, state: "RUNNING" };
    return draft;
  },
  render: () => h("div", { class: "view" }, head(), h("div", { class: "split editor-split" }, h("div", { class: "main" }, templates(), box(), verdict(), problems(), finish()), reference())),
  entered: (context) => check(context),
});

function head() {
  return h("div", { class: "head" },
    h("div", {},
      h("p", { class: "crumbs" }, link("Connectors", "#/"), draft.name && [" / ", link(draft.name, `#/connectors/${encodeURIComponent(draft.name)}`)]),
      h("h1", { tabindex: "-1" }, draft.name ? `Edit ${draft.name}` : "Add a connector"),
      h("p", { class: "quiet" }, draft.name ? "Tasks restart with the new configuration; what is indexed stays. [hidden] stands for the secret that is stored." : "One JSON object, as Kafka Connect takes it. It is checked on this pod while you type; nothing starts before you create it.")));
}

function templates() {
  if (draft.name) return null;
  return h("div", { class: "templates", role: "group", "aria-label": "Begin with" }, h("span", { class: "quiet" }, "Begin with"), Object.keys(TEMPLATES).map((one) => button(one, "template", { template: one, tone: "small" })));
}

function box() {
  return h("div", { class: "code" },
    h("label", { class: "unseen", for: "config" }, "Configuration, JSON"),
    gutter(),
    textarea());
}

// Stays as it is while everything else is brought up to date.
function textarea() {
  const made = h("textarea", { id: "config", "data-keep": "", "data-input": "draft", spellcheck: "false", autocomplete: "off", autocapitalize: "off", wrap: "off", rows: 26, "aria-describedby": "verdict" });
  made.value = draft.text;
  return made;
}

function gutter() {
  const wrong = new Set(found().map((one) => one.line));
  return h("div", { class: "gutter", "aria-hidden": "true" }, h("div", { "data-own-style": "" }, draft.text.split("\n").map((_, index) => h("span", { class: wrong.has(index + 1) ? "wrong" : "" }, index + 1))));
}

// All that is wrong, by line; what is missing has none.
function found() {
  const reading = read(draft.text);
  if (reading.error) return [reading.error];
  const lines = linesOf(draft.text);
  const twice = [...lines].filter(([, all]) => all.length > 1).map(([key, all]) => ({ key, line: all[1], message: "is there twice: the last one counts" }));
  if (draft.failure) return [...twice, { key: keyOf(draft.failure), line: lines.get(keyOf(draft.failure))?.[0], message: draft.failure }];
  const configs = draft.verdict?.configs ?? [];
  const wrong = configs.flatMap(({ value }) => value.errors.map((message) => ({ key: value.name, line: lines.get(value.name)?.[0], message })));
  return [...twice, ...wrong].sort((one, other) => (one.line ?? 1e9) - (other.line ?? 1e9));
}

const keyOf = (message) => (/connector type|implements Connector/.test(message) ? "connector.class" : "");

function verdict() {
  const wrong = found();
  const words = draft.isChecking && !draft.verdict ? "Checking…" : wrong.length ? plural(wrong.length, "problem") : "Valid: nothing is wrong with it";
  const tone = wrong.length ? "bad" : draft.verdict ? "good" : "";
  return h("p", { id: "verdict", class: `verdict ${tone}`, role: "status", "aria-live": "polite" }, tone && icon(wrong.length ? "warning" : "good"), words);
}

function problems() {
  const wrong = found();
  if (!wrong.length) return null;
  return h("ul", { class: "problems", "aria-label": "Problems" }, wrong.map((one, index) =>
    h("li", { "data-key": `${one.key} ${one.message}` },
      one.line ? h("button", { type: "button", class: "goto", "data-do": "goto", "data-line": one.line }, `Line ${one.line}`) : h("span", { class: "goto quiet" }, one.key ? "Missing" : "All of it"),
      h("div", {}, one.key && !sentence(one).startsWith(one.key) && [h("code", {}, one.key), " "], h("span", { "data-key": index }, sentence(one))),
      !one.line && one.key && button("Insert", "insert", { key: one.key, tone: "small" }))));
}

// Connect's sentences begin with the value and the key, which stand beside them here.
function sentence({ message, key }) {
  return message.replace(/^Invalid value (.*?) for configuration ([^:]+): /, (_, value) => (value === "null" ? "" : `${value}: `)).replace(`Missing required configuration "${key}" which has no default value.`, "is required.").replace(`${key}: `, "");
}

function finish() {
  const isFine = draft.verdict && !found().length && !draft.isChecking;
  if (draft.name) return h("div", { class: "actions finish" }, button("Save and restart", "save", { name: draft.name, tone: "primary", disabled: !isFine }), link("Cancel", `#/connectors/${encodeURIComponent(draft.name)}`, { class: "button" }));
  return h("div", { class: "actions finish" },
    h("label", { class: "pick" }, h("span", {}, "Begin"), h("select", { "data-change": "initial", id: "initial" }, [["RUNNING", "running"], ["PAUSED", "paused"], ["STOPPED", "stopped"]].map(([value, name]) => h("option", { value, selected: value === draft.state }, name)))),
    button("Create connector", "create", { tone: "primary", disabled: !isFine }));
}

function reference() {
  const known = draft.verdict?.configs?.map((one) => one.definition) ?? draft.definitions;
  const needle = draft.search.toLowerCase();
  const used = linesOf(draft.text);
  const fitting = known.filter((one) => `${one.name} ${one.documentation}`.toLowerCase().includes(needle));
  const groups = Map.groupBy ? Map.groupBy(fitting, (one) => one.group) : grouped(fitting);
  return h("aside", { class: "reference", "aria-label": "Reference" },
    h("label", { class: "search" }, h("span", {}, "Keys"), h("input", { type: "search", id: "keys", "data-keep": "", "data-input": "search", placeholder: "Find by name or meaning" })),
    h("p", { class: "quiet" }, `${plural(fitting.length, "key")} of this embedder and store`),
    [...groups].map(([group, definitions]) => h("details", { "data-key": needle ? `${group}, found` : group, open: needle !== "" || group === "Connector" }, h("summary", {}, group, h("span", { class: "quiet" }, ` ${definitions.length}`)),
      h("ul", {}, definitions.map((one) => entry(one, used.has(one.name)))))));
}

function grouped(definitions) {
  const groups = new Map();
  for (const one of definitions) groups.set(one.group, [...(groups.get(one.group) ?? []), one]);
  return groups;
}

function entry(one, isUsed) {
  const facts = [one.type.toLowerCase(), one.required ? "required" : one.default_value ? `default ${one.default_value}` : ""].filter(Boolean).join(", ");
  return h("li", { "data-key": one.name },
    h("div", { class: "line" }, h("code", { class: "grow" }, one.name), isUsed ? h("span", { class: "quiet small" }, "set") : button("Insert", "insert", { key: one.name, tone: "small" })),
    h("p", {}, coded(one.documentation)), h("p", { class: "quiet small" }, facts));
}

export function read(text) {
  let parsed;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    return { error: { key: "", line: lineOf(error.message, text), message: `Not valid JSON: ${error.message}` } };
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) return { error: { key: "", line: 1, message: "Expected a JSON object of settings" } };
  const inner = parsed.config;
  const isNested = typeof inner === "object" && inner !== null && !Array.isArray(inner);
  return { config: isNested ? { ...(parsed.name ? { name: parsed.name } : {}), ...inner } : parsed };
}

function lineOf(message, text) {
  const line = /line (\d+)/.exec(message);
  if (line) return Number(line[1]);
  const position = /position (\d+)/.exec(message);
  return position ? text.slice(0, Number(position[1])).split("\n").length : text.split("\n").length;
}

// The lines of each key.
function linesOf(text) {
  const lines = new Map();
  for (const match of text.matchAll(/"((?:[^"\\\n]|\\.)*)"\s*:/g)) {
    const line = text.slice(0, match.index).split("\n").length;
    lines.set(match[1], [...(lines.get(match[1]) ?? []), line]);
  }
  return lines;
}

let timer = 0;
let asking = null;

function check(context) {
  clearTimeout(timer);
  asking?.abort();
  const mine = draft;
  const { config, error } = read(mine.text);
  if (error) {
    Object.assign(mine, { verdict: null, failure: "", isChecking: false });
    return context.rerender();
  }
  asking = new AbortController();
  mine.isChecking = true;
  context.rerender();
  api.validate(config, asking.signal).then(
    (found) => Object.assign(mine, { verdict: found, failure: "", isChecking: false }),
    (refused) => {
      if (refused.name === "AbortError") return;
      Object.assign(mine, { verdict: null, failure: refused.message, isChecking: false });
    },
  ).finally(() => mine === draft && context.isShown() && context.rerender());
}

function write(text, context) {
  draft.text = text;
  document.getElementById("config").value = text;
  check(context);
}

function goTo(line) {
  const area = document.getElementById("config");
  const lines = area.value.split("\n");
  const first = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
  area.focus();
  area.setSelectionRange(first, first + (lines[line - 1] ?? "").length);
  area.scrollTop = Math.max(0, (line - 6) * parseFloat(getComputedStyle(area).lineHeight));
}

export const editing = {
  inputs: {
    search: (field, context) => {
      draft.search = field.value;
      context.rerender();
    },
    draft: (field, context) => {
      draft.text = field.value;
      draft.isChecking = true;
      context.rerender();
      clearTimeout(timer);
      timer = setTimeout(() => check(context), PAUSE_MS);
    },
  },
  actions: {
    template: ({ template }, context) => write(JSON.stringify(TEMPLATES[template], null, 2), context),
    goto: ({ line }) => goTo(Number(line)),
    insert({ key }, context) {
      const { config, error } = read(draft.text);
      if (error) return context.toast("The JSON is broken: mend it first.", "bad");
      const known = [...(draft.verdict?.configs ?? []).map((one) => one.definition), ...draft.definitions].find((one) => one.name === key);
      write(JSON.stringify({ ...config, [key]: known?.default_value ?? "" }, null, 2), context);
      goTo(linesOf(draft.text).get(key)?.[0] ?? 1);
    },
    async create(_, context) {
      const { config } = read(draft.text);
      const { name, ...rest } = config;
      await api.create({ name: String(name ?? ""), config: rest, initial_state: draft.state });
      context.toast(`${name} was created.`, "good");
      context.go(`#/connectors/${encodeURIComponent(name)}`);
    },
    async save({ name }, context) {
      await api.replace(name, read(draft.text).config);
      context.toast(`${name} has its new configuration.`, "good");
      context.go(`#/connectors/${encodeURIComponent(name)}`);
    },
  },
  changes: {
    initial: (field) => {
      draft.state = field.value;
    },
  },
};
