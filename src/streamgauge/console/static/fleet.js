// All models, worst first.

import { share, sparkline } from "./charts.js";
import { h, name } from "./dom.js";
import { alarmList, badge, card, link, section, table, tile, told, tone, worst } from "./parts.js";
import { screen as start } from "./start.js";
import { duration, figure, latency, percent, plural } from "./text.js";

export const title = () => "Fleet";

export function screen(doc, { now }) {
  if (doc.start) return start(doc, { now });
  const { tiles } = doc;
  if (!tiles) return h("p", { class: "empty" }, "Nothing was read yet.");
  const behind = tiles.newest === null ? "–" : duration(now - tiles.newest);
  return h("div", {},
    h("h1", { class: "hidden" }, "Fleet"),
    h("div", { class: "tiles" },
      tile(figure(tiles.alarms), tiles.alarms === 1 ? "open alarm" : "open alarms", tiles.alarms ? "bad" : ""),
      tile(figure(tiles.models), tiles.models === 1 ? "model" : "models"),
      tile(figure(tiles.rate), "predictions a second"),
      tile(figure(tiles.dead), tiles.dead === 1 ? "dead letter" : "dead letters"),
      tile(behind, "since the newest prediction")),
    section("Models", models(doc, now)),
    doc.alarms.length > 0 && section("Open alarms",
      card(alarmList(doc.alarms, { now })),
      tiles.alarms > doc.alarms.length && h("p", { class: "after" }, h("a", { href: "#/alarms" }, `all ${tiles.alarms} open alarms`))),
    learning(doc.learning, { of: true }),
    told("Silence, criteria, slices", doc.remarks),
    told("Counted, not judged", doc.unjudged));
}

const HEADS = [
  ["Model", "who"], ["Status", "status"], ["Predictions/s", "n flow"], ["Errors", "n"], ["p95", "n"],
  ["Worst feature", "feature"], ["Answers", "answers"], ["Alarms", "n"], ["Last data", "n"],
];

function models(doc, now) {
  const rows = doc.rows.map((row) => ({
    key: row.key,
    state: tone(row.status),
    cells: [
      h("span", {}, h("a", { href: link.model(row.key), class: "row-link strong cut", "data-row": true }, name(row.name)),
        h("span", { class: "soft small block" }, row.versions.map((each, i) => [i > 0 && ", ", name(each)]))),
      h("span", {}, badge(row.status), row.why && h("span", { class: "why" }, row.why)),
      h("span", { class: "rate" }, sparkline(row.spark, `predictions a second over the last ${duration(row.spark_seconds)}`), h("span", {}, figure(row.rate))),
      h("span", { class: row.errors > 0.05 ? "loud" : "" }, percent(row.errors)),
      latency(row.p95),
      worst(row.severity, row.feature, row.feature_key && link.feature(row.key, row.feature_key)),
      row.answers ? h("span", { class: "small" }, row.answers, typeof row.labelled === "number" && share(row.labelled, `${percent(row.labelled)} labelled`)) : null,
      row.alarms ? h("span", { class: "loud" }, figure(row.alarms)) : null,
      row.quiet === null ? null : h("span", { class: "soft" }, age(row, doc, now)),
    ],
  }));
  return table(HEADS, rows, { className: "fleet", more: doc.more > 0 && `and ${plural(doc.more, "quieter model")}` });
}

function age(row, doc, now) {
  const quiet = row.quiet + (now - doc.now);
  return quiet < doc.quiet_seconds ? "now" : `${duration(quiet)} ago`;
}

/** Who answers, who learns, who is better. */
export function learning(rows, { of }) {
  if (!rows?.length) return null;
  const heads = [["Model", "who"], ["Candidate", ""], ["Mean loss", "n"], ["Learned", "n"], ["Evidence", "n"], ["Stands", ""]];
  return section("Learning", table(of ? heads : heads.slice(1), rows.map((row) => {
    const cells = [
      row.key === null ? null : h("a", { href: link.model(row.key) }, name(row.name)),
      h("span", {}, row.champion && h("span", { class: "star", title: "answers now" }, "★ "), name(row.candidate), row.estimator && h("span", { class: "soft small block" }, row.estimator)),
      typeof row.loss === "number" ? figure(row.loss) : null,
      typeof row.learned === "number" ? figure(row.learned) : null,
      typeof row.evidence === "number" ? figure(row.evidence) : null,
      row.stands && name(row.stands),
    ];
    return { key: `${row.key}/${row.candidate}`, cells: of ? cells : cells.slice(1) };
  })));
}

