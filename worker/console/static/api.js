// Asks this pod. Paths are relative, so that the console works behind a proxy's prefix, too.

export class Refusal extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

const name = (text) => encodeURIComponent(text);

async function ask(path, { method = "GET", body, signal } = {}) {
  const headers = { accept: "application/json" };
  if (body !== undefined) headers["content-type"] = "application/json";
  let answer;
  try {
    answer = await fetch(path, {
      method, headers, signal, cache: "no-store", credentials: "same-origin",
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal("This pod does not answer.", 0);
  }
  const text = await answer.text();
  const said = text ? parsed(text) : null;
  if (!answer.ok) throw new Refusal(said?.message ?? `HTTP ${answer.status}`, answer.status);
  return said;
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const own = (connector, rest = "") => `api/connectors/${name(connector)}${rest}`;
const connect = (connector, rest = "") => `../connectors/${name(connector)}${rest}`;

export const api = {
  overview: (signal) => ask("api/overview", { signal }),
  connector: (one, signal) => ask(own(one), { signal }),
  series: (one, signal) => ask(own(one, "/series"), { signal }),
  letters: (one, query, signal) => ask(own(one, `/letters?${query}`), { signal }),
  letter: (one, id, signal) => ask(own(one, `/letters/${name(id)}`), { signal }),
  outlook: (one, body) => ask(own(one, "/letters/outlook"), { method: "POST", body }),
  replay: (one, body) => ask(own(one, "/letters/replay"), { method: "POST", body }),
  discard: (one, body) => ask(own(one, "/letters/discard"), { method: "POST", body }),
  // Kafka Connect's own paths.
  pause: (one) => ask(connect(one, "/pause"), { method: "PUT" }),
  resume: (one) => ask(connect(one, "/resume"), { method: "PUT" }),
  stop: (one) => ask(connect(one, "/stop"), { method: "PUT" }),
  restart: (one, onlyFailed) => ask(connect(one, `/restart?includeTasks=true&onlyFailed=${onlyFailed}`), { method: "POST" }),
  restartTask: (one, task) => ask(connect(one, `/tasks/${task}/restart`), { method: "POST" }),
  remove: (one) => ask(connect(one), { method: "DELETE" }),
  create: (body) => ask("../connectors", { method: "POST", body }),
  replace: (one, body) => ask(connect(one, "/config"), { method: "PUT", body }),
  config: (one, signal) => ask(connect(one, "/config"), { signal }),
  definitions: (signal) => ask("../connector-plugins/EmbeddingSink/config", { signal }),
  validate: (body, signal) => ask("../connector-plugins/EmbeddingSink/config/validate", { method: "PUT", body, signal }),
};
