// What to type first, with the real addresses.

import { h } from "./dom.js";

export const title = () => "Get started";

export function screen(doc) {
  const { text, snippets } = doc.start;
  return h("div", { class: "start" },
    h("h1", {}, "Get started"),
    h("p", {}, doc.models ? "Publish a prediction of another model and it appears in the fleet within a few seconds; nothing needs to be configured." : text),
    !doc.models && h("p", { class: "waiting" }, h("span", { class: "pulse", "aria-hidden": "true" }), "waiting for a first event"),
    snippets.map((each) => h("section", { "data-key": each.what },
      h("h2", {}, each.what),
      each.install && code(each.install),
      code(each.code))));
}

const code = (text) =>
  h("div", { class: "snippet" }, h("pre", { tabindex: "0" }, text), h("button", { type: "button", class: "copy", "data-copy": text }, "Copy"));
