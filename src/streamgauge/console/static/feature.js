// One feature: before and now, what is judged against which threshold, and why it fired.

import { categories, histogram, line } from "./charts.js";
import { h, name } from "./dom.js";
import { gone } from "./model.js";
import { alarmList, badge, card, copyable, link, nothing, padded, section, table, worst } from "./parts.js";
import { ago, duration, figure, latency, percent, time, times, words } from "./text.js";

export const title = (doc) => (doc.feature ? `${doc.feature} · ${doc.name}` : "Feature");

export function screen(doc, { now }) {
  if (doc.gone) return gone("Nothing of this name is known, or its model is not.");
  const quiet = doc.row.quiet === null ? null : doc.row.quiet + (now - doc.now);
  return h("div", {},
    h("p", { class: "crumbs" }, h("a", { href: "#/fleet" }, "Fleet"), " / ", h("a", { href: link.model(doc.key) }, name(doc.name))),
    h("div", { class: "title" }, h("h1", {}, name(doc.feature)), badge(state(doc)),
      doc.silent && quiet !== null && h("span", { class: "soft" }, `no data for ${duration(quiet)}; what follows is of the last window`)),
    doc.alarms.length > 0 && section("Open and resolved alarms", card(alarmList(doc.alarms, { now, of: false }))),
    h("div", { class: "card pad", "data-key": "severity" },
      line({ title: "Severity: statistic ÷ threshold", values: doc.severity, end: doc.end, step: doc.step, mark: 1, format: times, now, empty: quiet === null ? "no verdict yet" : doc.silent ? `no data for ${duration(quiet)}` : "no verdict yet" })),
    doc.columns.length === 0 && padded(nothing("no live version has it")),
    doc.columns.map((column) => part(column, now)),
    doc.explain && section("More", padded(copyable(doc.explain, "all of it, in a shell"))));
}

function state(doc) {
  if (doc.silent) return "no data";
  const states = doc.columns.flatMap((each) => each.judgements.map((judgement) => judgement.state));
  return ["firing", "poisoned", "pending", "ok"].find((each) => states.includes(each)) ?? states[0] ?? "no verdict";
}

function part(column, now) {
  const heading = column.version === "" ? "What users do, all versions" : `Version ${column.version}${column.step ? ` · ${column.step}` : ""}`;
  return h("section", { "data-key": `${column.version}/${column.step}/${column.partition}` },
    h("h2", {}, name(heading), h("span", { class: "soft" }, ` partition ${column.partition}`)),
    h("div", { class: column.histogram ? "grid2 wide" : "" },
      column.histogram && h("div", { class: "card pad" }, shape(column)),
      h("div", { class: "card pad" },
        column.why.length > 0 && h("div", { class: "why-fired" }, h("b", {}, "Why it fired"),
          column.why.map((text) => h("p", {}, name(text))),
          column.moves.length > 0 && h("p", {}, "moved most: ", name(column.moves.join("; ")))),
        column.hints.map((hint) => h("p", { class: "hint" }, name(hint))),
        facts(column))),
    column.judgements.length > 0 ? judgements(column, now) : padded(nothing("nothing of it is judged")),
    column.detectors.length > 0 && detectors(column, now));
}

function shape(column) {
  const few = column.type === "categorical" && column.histogram.bins.length <= 12;
  return [
    h("p", { class: "head" }, h("b", {}, "Now against the reference"), column.provisional && h("span", { class: "soft small" }, " provisional: it will be replaced once")),
    few ? categories(column.histogram) : histogram(column.histogram),
    h("details", {}, h("summary", {}, "Each bin's share"),
      h("table", { class: "small" }, h("thead", {}, h("tr", {}, h("th", {}, "bin"), h("th", { class: "n" }, "now"), h("th", { class: "n" }, "reference"))),
        h("tbody", {}, column.histogram.bins.map((bin, i) => h("tr", {}, h("td", {}, name(bin)), h("td", { class: "n" }, percent(column.histogram.current[i])), h("td", { class: "n" }, percent(column.histogram.reference[i])))))))
  ];
}

const FACTS = [["mean", "mean"], ["standard deviation", "std"], ["smallest", "minimum"], ["largest", "maximum"]];
const RATIOS = [["missing", "missing"], ["wrong type", "wrong_type"], ["out of range", "out_of_range"], ["new categories", "new_category"]];

function facts(column) {
  const show = column.unit === "s" ? latency : figure;
  const rows = [
    ...RATIOS.map(([text, key]) => [text, column.ratios[key], percent]),
    ...FACTS.map(([text, key]) => [text, column.statistics[key], show]),
  ].filter(([, value]) => typeof value === "number");
  if (!rows.length) return nothing(column.type === null ? "not a column: it has verdicts alone" : "no value in the last window");
  return h("dl", { class: "figures" },
    column.type && h("div", {}, h("dt", {}, "type"), h("dd", {}, column.type)),
    rows.map(([text, value, format]) => h("div", {}, h("dt", {}, text), h("dd", {}, format(value)))));
}

function judgements(column, now) {
  const format = (row) => (row.ratio ? percent : figure);
  return table([["Judgement", "who"], ["State", "status"], ["Value", "n"], ["Threshold", "n"], ["Severity", "feature"], ["Values", "n"], ["As of", "n"]],
    column.judgements.map((each, i) => ({
      key: `${each.name}/${each.detector}/${each.kind}/${i}`,
      cells: [
        h("span", {}, h("span", { class: "strong" }, words(each.detector)), h("span", { class: "soft small block" }, words(each.kind), each.kind === "release" && column.rival && [" against ", name(column.rival)]),
          Object.keys(each.others).length > 0 && h("span", { class: "soft small block" }, Object.entries(each.others).map(([key, value]) => `${key} ${figure(value)}`).join(", "))),
        h("span", {}, badge(each.state), each.reason && h("span", { class: "why" }, name(each.reason))),
        format(each)(each.value), format(each)(each.threshold), worst(each.severity, null),
        h("span", {}, figure(each.n), each.n < each.needed && h("span", { class: "soft small block" }, `of ${figure(each.needed)}`)),
        each.as_of === null ? null : h("span", {}, time(each.as_of), h("span", { class: "soft small block" }, ago(each.as_of, now))),
      ],
    })));
}

function detectors(column, now) {
  return table([["Online detector", "who"], ["State", "status"], ["Samples", "n"], ["Estimate", "n"], ["Detections", "n"], ["Last", "n"]],
    column.detectors.map((each) => ({
      key: `${each.series}/${each.detector}`,
      cells: [
        h("span", { class: "strong" }, words(each.detector)), badge(each.state),
        h("span", {}, figure(each.samples), each.samples < each.needed && h("span", { class: "soft small block" }, `of ${figure(each.needed)}`)),
        figure(each.estimate), figure(each.detections),
        each.last_detection === null ? null : h("span", {}, time(each.last_detection), h("span", { class: "soft small block" }, ago(each.last_detection, now))),
      ],
    })));
}
