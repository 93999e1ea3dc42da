// One model: its hour, what moved, how good its answers are, who learns to be better.

import { answers } from "./answers.js";
import { categories, flow, heat, histogram, line, span } from "./charts.js";
import { h, name } from "./dom.js";
import { learning } from "./fleet.js";
import { alarmList, badge, card, copyable, link, nothing, padded, section, table, worst } from "./parts.js";
import { ago, bytes, duration, figure, latency, percent, plural, time, times } from "./text.js";

export const title = (doc) => doc.name ?? "Model";

export function screen(doc, { now }) {
  if (doc.gone) return gone("This model is not known: no event of it was seen, or it was long ago.");
  const quiet = doc.row.quiet === null ? null : doc.row.quiet + (now - doc.now);
  const empty = quiet === null ? "no prediction yet" : `no data for ${duration(quiet)}`;
  return h("div", {},
    h("p", { class: "crumbs" }, h("a", { href: "#/fleet" }, "Fleet")),
    h("div", { class: "title" },
      h("h1", {}, name(doc.name)), badge(doc.row.status),
      doc.row.why && h("span", { class: "soft" }, doc.row.why)),
    h("p", { class: "soft facts" },
      doc.owner && ["owner ", name(doc.owner), " · "],
      spec(doc.spec), " · last event ", time(doc.last_event), ` (${ago(doc.last_event, now)})`,
      doc.late > 0 && ` · ${plural(doc.late, "late event")}`,
      doc.lost_events > 0 && ` · ${plural(doc.lost_events, "numbered event")} never came`),
    doc.alarms.length > 0 && section("Open alarms", card(alarmList(doc.alarms, { now, of: false }))),
    doc.remarks.length + doc.hints.length > 0 && section("To know", card(h("ul", { class: "told" },
      [...doc.remarks, ...doc.hints].map((text) => h("li", {}, h("p", {}, name(text))))))),
    section("Traffic", h("div", { class: "grid3" },
      chart(doc, now, empty, "Predictions a second", "rate"),
      chart(doc, now, empty, "Errors", "errors", { format: percent }),
      chart(doc, now, empty, "Latency, p95", "p95", { format: latency }))),
    section("What moved", features(doc, empty)),
    section("Outputs, now against the reference", outputs(doc)),
    answers(doc, now),
    criteria(doc.criteria),
    section("Versions", timeline(doc), versions(doc, now)),
    learning(doc.learning, { of: false }),
    doc.decisions.length > 0 && section("Decisions", card(h("ul", { class: "told" }, doc.decisions.map((each) =>
      h("li", { class: "decision" }, h("p", {}, each.promoted && h("span", { class: "star" }, "★ "), time(each.at), " ", h("b", {}, name(each.candidate)), " ", name(each.text)), h("p", { class: "soft small" }, name(each.evidence))))))),
    slices(doc), behaviour(doc), clients(doc, now),
    doc.resolved.length > 0 && section("Lately resolved", card(alarmList(doc.resolved, { of: false }))),
    doc.explain && section("More", padded(copyable(doc.explain, "all of it, in a shell"))));
}

export const gone = (text) =>
  h("div", {}, h("p", { class: "crumbs" }, h("a", { href: "#/fleet" }, "Fleet")), padded(nothing(text)));

function spec({ judged_by: judged, newest }) {
  if (!judged && !newest) return "no spec, the defaults hold";
  if (judged === newest || !newest) return `spec version ${judged}`;
  return `judged by ${judged ? `spec version ${judged}` : "the defaults"}, version ${newest} is on its way`;
}

const chart = (doc, now, empty, head, key, options = {}) =>
  h("div", { class: "card pad" }, line({ title: head, values: doc.lines[key], end: doc.end, step: doc.step, points: doc.points, empty, now, ...options }));

function features(doc, empty) {
  if (!doc.features.length) return padded(nothing("nothing is judged yet"));
  return h("div", { class: "card pad strips" },
    doc.features.map((each) => h("a", { class: "strip", "data-key": each.key, "data-row": true, href: link.feature(doc.key, each.key), title: each.reason || null },
      h("span", { class: "cut" }, name(each.name)),
      each.values.length ? heat(each.values, { ...doc, name: each.name }) : h("span", { class: "soft small" }, each.state === "no_data" ? empty : each.reason || "no verdict yet"),
      h("span", { class: "n small" }, typeof each.severity === "number" ? times(each.severity) : ""),
      badge(each.state ?? "no verdict"))),
    h("p", { class: "legend" }, "The higher and warmer, the further from the reference; at the line it fires."));
}

function outputs(doc) {
  if (!doc.outputs.length) return padded(nothing("no output has a reference yet"));
  return h("div", { class: "grid4" }, doc.outputs.map((each) =>
    h("a", { class: "card pad plain", "data-key": each.key, href: link.feature(doc.key, each.key) },
      h("p", { class: "head" }, h("b", {}, each.name), h("span", { class: "soft small" }, " version ", name(each.version), each.step && [" · ", name(each.step)])),
      each.histogram.bins.length <= 6 ? categories(each.histogram) : histogram(each.histogram, { label: `${each.name}: now against the reference` }))));
}

/** Who sent how much over the hour: one version is in the table already. */
function timeline(doc) {
  if (doc.traffic.length < 2) return null;
  const length = span(Math.max(...doc.traffic.map((each) => each.rates.length)), doc.points);
  const top = Math.max(...doc.traffic.flatMap((each) => each.rates));
  return h("div", { class: "card pad strips flows" },
    doc.traffic.map((each) => h("div", { class: "strip", "data-key": each.version },
      h("span", { class: "strong" }, name(each.version)),
      flow(each.rates, { length, top, label: `version ${each.version}: predictions a second over the last ${duration(length * doc.step)}` }),
      h("span", { class: "n" }, figure(each.rates.at(-1))))),
    h("p", { class: "legend soft small" }, `Predictions a second, ${duration(length * doc.step)} ago until now.`));
}

function versions(doc, now) {
  return table([["Version", "who"], ["State", "status"], ["Predictions", "n"], ["Predictions/s", "n"], ["Errors", "n"], ["p95", "n"], ["Reference", ""], ["Appeared", ""]],
    doc.versions.map((each) => ({
      key: `${each.version}/${each.step}`,
      state: each.live ? "" : "faded",
      cells: [
        h("span", {}, h("span", { class: "strong" }, name(each.version)), each.step && h("span", { class: "soft small block" }, "step ", name(each.step))),
        h("span", {}, badge(each.silent ? "no data" : each.state), h("span", { class: "why" }, each.reason), each.poisoned.map((text) => h("span", { class: "why loud" }, "poisoned: ", name(text)))),
        figure(each.total), figure(each.rate), percent(each.errors), latency(each.p95),
        h("span", {}, each.reference, each.rival && h("span", { class: "soft small block" }, "held against ", name(each.rival))),
        each.since === null ? h("span", { class: "soft" }, "before this exporter") : h("span", {}, time(each.since), h("span", { class: "soft small block" }, ago(each.since, now))),
      ],
    })));
}

function criteria(rows) {
  if (!rows.length) return null;
  return section("Criteria", table([["Criterion", "who"], ["Holds", "status"], ["What", ""], ["Value", "n"], ["Interval", "n"], ["Events", "n"]],
    rows.map((each) => ({
      key: each.name,
      cells: [
        h("span", { class: "strong" }, name(each.name)),
        h("span", {}, badge(each.state), each.reason && h("span", { class: "why" }, name(each.reason))),
        h("code", {}, each.expr), figure(each.value),
        each.low === null && each.high === null ? null : `${figure(each.low)} to ${figure(each.high)}`, figure(each.n),
      ],
    }))));
}

function slices(doc) {
  if (!doc.slices.length) return null;
  return section("Slices", table([["Slice", "who"], ["Version", ""], ["Events", "n"], ["Errors", "n"], ["Moved most", "feature"]],
    doc.slices.map((each) => ({
      key: `${each.version}/${each.segment}/${each.value}`,
      cells: [h("span", {}, name(each.segment), " = ", name(each.value)), name(each.version), figure(each.n), percent(each.errors), worst(each.severity, each.feature)],
    }))));
}

function behaviour(doc) {
  if (!doc.behaviour.length) return null;
  return section("What users do", table([["Act", "who"], ["State", "status"], ["Per interaction", "n"], ["Against its threshold", "feature"]],
    doc.behaviour.map((each) => ({
      key: each.kind,
      cells: [h("span", { class: "strong" }, name(each.kind)), h("span", {}, badge(each.state), each.reason && h("span", { class: "why" }, name(each.reason))), percent(each.ratio), worst(each.severity, null)],
    }))));
}

function clients(doc, now) {
  if (!doc.clients.length) return null;
  return section("Processes that publish", table([["Process", "who"], ["Last heard", ""], ["CPU", "n"], ["Memory", "n"], ["Requests/s", "n"]],
    doc.clients.map((each) => ({
      key: `${each.service}/${each.instance}`,
      cells: [h("span", {}, name(each.service), h("span", { class: "soft small block" }, name(each.instance))), ago(each.last_seen, now), percent(each.cpu), bytes(each.memory), figure(each.requests)],
    }))));
}
