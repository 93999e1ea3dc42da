// What several screens are put together from: badges, cards, tables, lists of alarms, commands to copy.

import { severity } from "./charts.js";
import { h, name } from "./dom.js";
import { DASH, duration, time, times, words } from "./text.js";

const TONES = {
  firing: "red", poisoned: "red", "no monitor": "red", critical: "red", FAIL: "red", page: "red",
  pending: "amber", "no data": "amber", no_data: "amber", warning: "amber", UNDECIDED: "amber",
  ok: "green", PASS: "green", resolved: "green",
};
const ICONS = { red: "▲", amber: "◆", green: "●", blue: "◉", grey: "○" };
export const tone = (status) => TONES[status] ?? "grey";

/** A status: icon, word and colour. */
export const badge = (status, own) => {
  const colour = own ?? tone(status);
  return h("span", { class: `badge ${colour}` }, h("span", { "aria-hidden": "true" }, ICONS[colour]), words(status));
};

export const link = {
  model: (key) => `#/model/${encodeURIComponent(key)}`,
  feature: (key, feature) => `#/model/${encodeURIComponent(key)}/feature/${encodeURIComponent(feature)}`,
};

export const section = (title, ...content) =>
  content.flat().some(Boolean) ? h("section", { "data-key": title }, h("h2", {}, title), content) : null;
export const card = (...content) => h("div", { class: "card" }, content);
export const padded = (...content) => h("div", { class: "card pad" }, content);

export const tile = (value, what, state = "") =>
  h("div", { class: `tile ${state}` }, h("b", {}, value), h("span", {}, what));

/**
 * A table that becomes cards where it is narrow. Heads are `[text, class]`; a row is `{key, cells}`,
 * a cell a text, an element, or null for what is not known.
 */
export function table(heads, rows, { className = "", more } = {}) {
  return h("div", { class: "card scroll" },
    h("table", { class: className },
      h("thead", {}, h("tr", {}, heads.map(([text, own]) => h("th", { class: own, scope: "col" }, text)))),
      h("tbody", {},
        rows.map(({ key, cells, state }) => h("tr", { "data-key": key, class: state },
          cells.map((cell, i) => h("td", { class: heads[i][1], "data-label": heads[i][0] }, cell ?? h("span", { class: "soft" }, DASH))))),
        more && h("tr", { "data-key": "more" }, h("td", { class: "soft", colspan: heads.length }, more)))));
}

/** A severity in a table: the feature, how far, and the bar with its mark at the threshold. */
export function worst(value, feature, href) {
  if (typeof value !== "number") return null;
  return h("span", { class: "worst" },
    feature && (href ? h("a", { href, class: "over-row" }, name(feature)) : name(feature)),
    h("span", { class: "soft small" }, ` ${times(value)}`), severity(value));
}

export const copyable = (line, what) =>
  h("div", { class: "command" },
    what && h("span", { class: "soft small" }, what),
    h("code", {}, line),
    h("button", { type: "button", class: "copy", "data-copy": line, "aria-label": `Copy: ${what ?? line}` }, "Copy"));

/** Open or resolved alarms, each with where its cause is looked at. */
export function alarmList(alarms, { now, of = true, detail, acts } = {}) {
  return h("ul", { class: "alarms" }, alarms.map((alarm) =>
    h("li", { "data-key": alarm.id + alarm.status, class: alarm.status },
      h("p", { class: "meta" },
        alarm.status === "firing" ? badge(alarm.severity, alarm.handled?.status === "silenced" ? "grey" : "red") : badge("resolved"),
        alarm.handled && badge(alarm.handled.status, "blue"),
        of && h("a", { href: link.model(alarm.key), class: "strong", "data-row": true }, name(alarm.name)),
        alarm.feature && h("a", { href: link.feature(alarm.key, alarm.feature_key), "data-row": !of }, name(alarm.feature)),
        h("span", { class: "soft small" }, words(alarm.kind), " · ",
          alarm.status === "firing"
            ? ["since ", time(alarm.starts_at), now ? `, for ${duration(now - alarm.starts_at)}` : ""]
            : ["ended ", time(alarm.ends_at), alarm.ends_at ? ` after ${duration(alarm.ends_at - alarm.starts_at)}` : ""])),
      h("p", { class: "summary" }, name(alarm.summary)),
      detail?.(alarm),
      acts?.(alarm))));
}

export const nothing = (text) => h("p", { class: "empty" }, text);

/** Lines of text by model. */
export const told = (title, models) =>
  models?.length
    ? section(title, card(h("ul", { class: "told" }, models.map((each) =>
        h("li", { "data-key": each.key ?? "more" },
          each.key !== null && h("a", { href: link.model(each.key), class: "strong" }, name(each.name)),
          h("div", {}, each.lines.map((line) => h("p", {}, name(line)))))))))
    : null;
