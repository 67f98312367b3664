// Asks before something that cannot be undone, in the browser's own modal dialog.

import { h } from "./dom.js";

// `fields` are [{id, label, type, value, hint, mustBe}]. Gives their values, or null.
export function ask({ title, text, confirm, tone = "primary", fields = [] }) {
  const dialog = document.getElementById("dialog");
  const inputs = fields.map((field) => input(field));
  const go = h("button", { type: "button", class: `button ${tone}` }, confirm);
  const leave = h("button", { type: "button", class: "button" }, "Cancel");
  dialog.replaceChildren(
    h("h2", { id: "dialog-title" }, title),
    ...[text].flat().map((one) => h("p", {}, one)),
    ...fields.map((field, index) => labelled(field, inputs[index])),
    h("div", { class: "actions" }, leave, go));
  const isReady = () => fields.every((field, index) => (!field.mustBe || inputs[index].value === field.mustBe) && (!field.isRequired || inputs[index].value.trim()));
  const renew = () => {
    go.disabled = !isReady();
  };
  renew();
  return new Promise((resolve) => {
    const end = (answer) => {
      dialog.close();
      resolve(answer);
    };
    const values = () => Object.fromEntries(fields.map((field, index) => [field.id, field.type === "checkbox" ? inputs[index].checked : inputs[index].value.trim()]));
    dialog.oninput = renew;
    dialog.onkeydown = (event) => {
      if (event.key === "Enter" && event.target.nodeName === "INPUT" && isReady()) end(values());
    };
    dialog.oncancel = () => resolve(null);
    go.onclick = () => end(values());
    leave.onclick = () => end(null);
    dialog.showModal();
    (inputs[0] ?? leave).focus();
  });
}

function input({ id, type = "text", value = "", hint }) {
  const made = h("input", { id: `field-${id}`, type, autocomplete: "off", "aria-describedby": hint ? `hint-${id}` : null });
  if (type === "checkbox") made.checked = Boolean(value);
  else made.value = value;
  return made;
}

function labelled({ id, label, type, hint }, made) {
  const words = h("span", {}, label);
  return h("div", { class: "field" }, h("label", { class: type === "checkbox" ? "check" : "", for: `field-${id}` }, type === "checkbox" ? [made, words] : [words, made]), hint && h("p", { class: "quiet small", id: `hint-${id}` }, hint));
}
