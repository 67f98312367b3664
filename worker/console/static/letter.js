// One dead letter: the whole chain of reasons, where it came from, what would happen to it now.

import { api } from "./api.js";
import { h } from "./dom.js";
import { ago, bytes, moment } from "./format.js";
import { fateWords, letterMemory } from "./letters.js";
import { badge, button, link, section } from "./parts.js";

const CLOSED = new Set(["replayed", "superseded", "returned", "discarded"]);

export const letter = (name, id) => ({
  nav: "letters",
  title: `Letter ${id} of ${name}`,
  everyMs: 5000,
  load: (signal) => api.letter(name, id, signal),
  render: (one) => h("div", { class: "view" },
    head(name, one),
    h("p", { class: "reason" }, one.message),
    h("div", { class: "columns" },
      h("div", {}, chain(one)),
      h("div", {}, now(name, one), origin(one), row(name, one)))),
});

function head(name, one) {
  const isClosed = CLOSED.has(one.state);
  return h("div", { class: "head" },
    h("div", {},
      h("p", { class: "crumbs" }, link("Dead letters", "#/letters"), " / ", link(name, `#/letters/${encodeURIComponent(name)}`)),
      h("h1", { tabindex: "-1" }, one.class || "Letter", " ", badge(one.state)),
      h("p", { class: "quiet" }, `Letter ${one.id} of ${one.table}, came ${ago(one.came_ms)}`)),
    h("div", { class: "actions", role: "group", "aria-label": "Actions for this letter" },
      button("What would happen?", "letter-outlook", { name, letter: one.id }),
      button("Replay…", "letter-replay", { name, letter: one.id, tone: "primary", disabled: isClosed, state: one.state }),
      button("Discard…", "letter-discard", { name, letter: one.id, disabled: isClosed })));
}

function chain(one) {
  const last = one.failures.length;
  return section(last > 1 ? `Failed ${last} times` : "Why it failed", h("ol", { class: "chain" }, [...one.failures].reverse().map((failure, index) =>
    h("li", { "data-key": `failure ${last - index}` },
      h("p", {}, h("b", {}, failure.class || "Connect"), h("span", { class: "quiet" }, ` at ${failure.stage || "an unknown stage"}`, failure.status ? `, HTTP ${failure.status}` : "", failure.worker_version ? `, vecsink ${failure.worker_version}` : "")),
      h("p", { class: "message" }, failure.message),
      failure.trace && h("details", { open: false }, h("summary", {}, "Causes and stack trace"), h("pre", { tabindex: 0 }, failure.trace))))));
}

function now(name, one) {
  const found = letterMemory(name).single?.[one.id];
  const [fate] = Object.keys(found?.fates ?? {});
  return section("State",
    h("dl", { class: "pairs" },
      pair("Now", badge(one.state)),
      one.note && pair("Note", one.note),
      one.note_ms && pair("Since", moment(one.note_ms)),
      pair("Replays", `${one.replays} of at most ${one.max_replays}`),
      pair("Attempts", String(one.attempts)),
      found && pair("If replayed now", fate ? `It ${singular(fateWords[fate] ?? fate)}${found.reasons[0] ? `: ${found.reasons[0][1]}` : ""}` : "Nothing would happen")));
}

const singular = (words) => words.replace("are ", "is ").replace("have ", "has ").replace("their points", "its point");

function origin(one) {
  return section("Where it came from",
    h("dl", { class: "pairs" },
      pair("Table", one.table, true),
      pair("Record", `${one.origin.topic}[${one.origin.partition}]@${one.origin.offset}`, true),
      pair("Letter", `${one.topic}[${one.id.replace(":", "]@")}`, true),
      pair("Committed", one.committed_ms ? moment(one.committed_ms) : "–"),
      pair("Failed", moment(one.came_ms)),
      one.source_position && pair("Source position", String(one.source_position), true),
      pair("Bytes", `key ${bytes(one.bytes.key)}, value ${bytes(one.bytes.value)}`),
      (one.schema_ids.key || one.schema_ids.value) && pair("Schemas", `key ${one.schema_ids.key ?? "–"}, value ${one.schema_ids.value ?? "–"}`)));
}

function row(name, one) {
  const command = `vecsink dlq show ${name}.json ${one.id}`;
  return section("Its row", h("p", { class: "quiet" }, "Rows are never sent over HTTP. Who may read the database's content sees it with:"),
    h("div", { class: "line" }, h("code", { class: "grow" }, command), button("Copy", "copy", { text: command })));
}

function pair(title, value, mono) {
  return h("div", {}, h("dt", {}, title), h("dd", { class: mono ? "mono" : "" }, value));
}
