// What buttons do. Each says afterwards what it did; what is dangerous asks first.

import { api } from "./api.js";
import { ask } from "./dialog.js";
import { count, plural } from "./format.js";
import { letterMemory, wish } from "./letters.js";

const CLOSED = "It stays on record, with the reason.";

export const actions = {
  async pause({ name }, { done }) {
    await api.pause(name);
    done(`${name} is paused: it keeps its partitions and reads nothing.`);
  },
  async resume({ name }, { done }) {
    await api.resume(name);
    done(`${name} goes on.`);
  },
  async stop({ name }, { done }) {
    const isSure = await ask({ title: `Stop ${name}?`, text: "Its tasks end on all pods and give up their partitions. Rows wait in Kafka; what is indexed stays. Resume starts them where they stood.", confirm: "Stop", tone: "danger" });
    if (!isSure) return;
    await api.stop(name);
    done(`${name} is stopped.`);
  },
  async restart({ name }, { done }) {
    const isSure = await ask({ title: `Restart ${name}?`, text: "All of its tasks end in order and begin anew, on all pods. Nothing is lost or embedded twice.", confirm: "Restart" });
    if (!isSure) return;
    await api.restart(name, false);
    done(`${name} restarts.`);
  },
  async "restart-failed"({ name }, { done }) {
    await api.restart(name, true);
    done(`The failed tasks of ${name} restart.`);
  },
  async "restart-task"({ name, task }, { done }) {
    await api.restartTask(name, task);
    done(`Task ${task} of ${name} restarts.`);
  },
  async delete({ name }, { done, go }) {
    const isSure = await ask({
      title: `Delete ${name}?`,
      text: "Its tasks end and its configuration is forgotten. The index, the consumer group and the dead letters stay.",
      confirm: "Delete", tone: "danger",
      fields: [{ id: "name", label: `Write ${name} to delete it`, mustBe: name }],
    });
    if (!isSure) return;
    await api.remove(name);
    go("#/");
    done(`${name} was deleted.`);
  },
  async copy({ text }, { toast }) {
    const isCopied = await copied(text);
    toast(isCopied ? "Copied." : "The browser does not let this page copy.", isCopied ? "good" : "bad");
  },
  facet({ name, facet, value }, { refresh }) {
    const { filters, marked } = letterMemory(name);
    marked.clear();
    letterMemory(name).outlook = null;
    if (!filters[facet].delete(value)) filters[facet].add(value);
    return refresh();
  },
  unfilter({ name }, { refresh }) {
    Object.values(letterMemory(name).filters).forEach((values) => values.clear());
    return refresh();
  },
  unmark({ name }, { rerender }) {
    letterMemory(name).marked.clear();
    rerender();
  },
  async "letters-outlook"({ name }, { refresh, toast }) {
    toast("Looking at the index and at what came after. This can take a while.");
    letterMemory(name).outlook = await api.outlook(name, { ...wish(name), force: true });
    await refresh();
  },
  "outlook-close"({ name }, { rerender }) {
    letterMemory(name).outlook = null;
    rerender();
  },
  "run-close"({ name }, { rerender }) {
    letterMemory(name).run = null;
    rerender();
  },
  async "letters-replay"({ name, number }, context) {
    const terms = await ask(terms_(plural(Number(number), "letter")));
    if (terms) await replay(name, wish(name), terms, context);
  },
  async "letters-discard"({ name, number }, context) {
    const said = await ask(reason_(plural(Number(number), "letter")));
    if (said) await discard(name, { ...wish(name), reason: said.reason }, context);
  },
  async "letter-outlook"({ name, letter }, { refresh }) {
    const memory = letterMemory(name);
    memory.single = { ...memory.single, [letter]: await api.outlook(name, { at: [letter], force: true }) };
    await refresh();
  },
  async "letter-replay"({ name, letter, state }, context) {
    const terms = await ask(terms_(`letter ${letter}`, state === "quarantined"));
    if (!terms) return;
    await replay(name, { at: [letter] }, terms, context);
    context.go(`#/letters/${encodeURIComponent(name)}`);
  },
  async "letter-discard"({ name, letter }, context) {
    const said = await ask(reason_(`letter ${letter}`));
    if (said) await discard(name, { at: [letter], reason: said.reason }, context);
  },
};

const terms_ = (what, isWorn = false) => ({
  title: `Replay ${what}?`,
  text: "The tasks that own these rows write them again, unless something newer is known of a row: then its letter is closed as superseded. What fails again comes back as a newer letter.",
  confirm: "Replay",
  fields: [
    { id: "rate", label: "Letters a second", type: "number", hint: "Empty: as fast as the connector's limits allow." },
    { id: "force", label: "Those in quarantine, too", type: "checkbox", value: isWorn },
  ],
});

const reason_ = (what) => ({
  title: `Discard ${what}?`,
  text: ["They are closed without being written: the index keeps what it has of these rows.", CLOSED],
  confirm: "Discard", tone: "danger",
  fields: [{ id: "reason", label: "Why they are not needed", isRequired: true }],
});

async function replay(name, which, { rate, force }, { refresh, toast }) {
  const memory = letterMemory(name);
  const answer = await api.replay(name, { ...which, force, ...(rate ? { per_s: rate } : {}) });
  memory.marked.clear();
  memory.outlook = null;
  memory.run = answer.asked ? { run: answer.run, asked: answer.asked } : null;
  const left = [answer.in_quarantine && `${count(answer.in_quarantine)} in quarantine`, answer.not_of_this_connector && `${count(answer.not_of_this_connector)} of topics that it does not read`].filter(Boolean).join(" and ");
  toast(`${answer.asked ? `${plural(answer.asked, "letter")} asked for.` : "Nothing to replay."}${left ? ` Left out: ${left}.` : ""}`, answer.asked ? "good" : "bad");
  await refresh();
}

async function discard(name, body, { done }) {
  const { discarded } = await api.discard(name, body);
  letterMemory(name).marked.clear();
  done(`${plural(discarded, "letter")} discarded.`);
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return byHand(text);
  }
}

// Browsers have no clipboard for pages over plain HTTP.
function byHand(text) {
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  const isDone = document.execCommand("copy");
  area.remove();
  return isDone;
}

export const changes = {
  "letters-of": (field, { go }) => go(`#/letters/${encodeURIComponent(field.value)}`),
  "letters-closed": (field, { refresh }) => {
    letterMemory(field.dataset.name).isClosed = field.checked;
    return refresh();
  },
  mark: (field, { rerender }) => {
    const { marked } = letterMemory(field.dataset.name);
    if (field.checked) marked.add(field.dataset.letter);
    else marked.delete(field.dataset.letter);
    rerender();
  },
};
