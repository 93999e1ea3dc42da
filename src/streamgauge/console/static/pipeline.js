// What became of every record, how far it is, and which processes run.

import { bars, line } from "./charts.js";
import { h, name } from "./dom.js";
import { badge, copyable, link, nothing, padded, section, table, tile } from "./parts.js";
import { ago, bytes, duration, figure, plural, time, words } from "./text.js";

export const title = () => "Pipeline";

export function screen(doc, { now }) {
  const { totals } = doc;
  return h("div", {},
    h("h1", { class: "hidden" }, "Pipeline"),
    h("div", { class: "tiles" },
      tile(figure(totals.records), "records taken"),
      tile(figure(totals.lag), "records behind"),
      tile(figure(totals.dead), totals.dead === 1 ? "dead letter" : "dead letters", totals.dead ? "warn" : ""),
      tile(figure(totals.lost), "lost before they were read", totals.lost ? "bad" : ""),
      tile(figure(totals.unaccounted), "unaccounted", totals.unaccounted ? "bad" : ""),
      tile(figure(totals.holes), "offsets that hold no record")),
    section("Flow", h("div", { class: "grid2" },
      h("div", { class: "card pad" }, line({ title: "Records a second", values: doc.flow, end: doc.flow_end, step: doc.flow_step, now, empty: totals.records ? "not known yet: it takes ten seconds" : "no record yet" })),
      h("div", { class: "card pad" }, h("p", { class: "head" }, h("b", {}, "Dead letters by reason")), bars(doc.dead.map((each) => [words(each.reason), each.n])),
        h("p", { class: "head" }, h("b", {}, "Records by what became of them")), doc.kinds.length ? bars(doc.kinds.map((each) => [each.what, each.n])) : nothing("none yet")))),
    doc.letters.length > 0 && section("Last dead letters", letters(doc, now),
      h("div", { class: "after" }, copyable("streamgauge tail dead-letters --from-beginning --no-follow -o json", "what they hold"))),
    section("Partitions", doc.partitions.length ? partitions(doc, now) : padded(nothing("No partition has written its state yet."))),
    section("Processes", doc.processes.length ? processes(doc, now) : padded(nothing("No process says that it runs."))),
    h("p", { class: "after soft small" }, `${plural(doc.specs, "model")} with a spec`,
      Object.entries(doc.skipped).map(([reason, n]) => ` · ${plural(n, "view")} could not be used: ${reason}`)));
}

function letters(doc, now) {
  return table([["Reason", "who"], ["What is wrong", "what"], ["Model", ""], ["Where it lies", ""], ["Bytes", "n"], ["Written", "n"]],
    doc.letters.map((each) => ({
      key: `${each.topic}/${each.partition}/${each.offset}`,
      cells: [
        h("span", { class: "strong" }, words(each.reason)),
        each.error ? h("span", { class: "small" }, name(each.error)) : null,
        each.key === null ? null : h("a", { href: link.model(each.key) }, name(each.name)),
        h("span", { class: "small" }, name(each.topic), h("span", { class: "soft block" }, `partition ${each.partition}, offset ${each.offset}`),
          each.trace && h("span", { class: "soft block anywhere" }, "trace ", name(each.trace))),
        bytes(each.bytes),
        each.at === null ? null : h("span", {}, time(each.at), h("span", { class: "soft small block" }, ago(each.at, now))),
      ],
    })));
}

function partitions(doc, now) {
  return table([["Group", "who"], ["Partition", "n"], ["Records", "n"], ["Behind", "n"], ["Dead letters", ""], ["Lost", "n"], ["Unaccounted", "n"], ["Newest record", "n"], ["State written", "n"], ["Models", "n"]],
    doc.partitions.map((each) => ({
      key: `${each.group}/${each.partition}`,
      cells: [
        name(each.group), String(each.partition),
        h("span", { title: Object.entries(each.positions).map(([topic, at]) => `${topic}: next offset ${at}`).join("\n") }, figure(each.records)),
        figure(each.lag),
        Object.keys(each.dead).length ? name(Object.entries(each.dead).map(([reason, n]) => `${figure(n)} ${words(reason)}`).join(", ")) : "0",
        loud(each.lost), loud(each.unaccounted),
        each.log_time === null ? null : h("span", {}, time(each.log_time), h("span", { class: "soft small block" }, ago(each.log_time, now))),
        each.written_at === null ? "never" : `${duration(now - each.written_at)} ago`,
        h("span", {}, figure(each.models), each.models_dropped > 0 && h("span", { class: "loud small block" }, `${figure(each.models_dropped)} more not judged`)),
      ],
    })), { more: doc.more > 0 && `and ${plural(doc.more, "more partition")}` });
}

const loud = (n) => (n ? h("span", { class: "loud" }, figure(n)) : "0");

function processes(doc, now) {
  return table([["Service", "who"], ["Runs", "status"], ["Instance", ""], ["Version", ""], ["Since", ""], ["Partitions", ""], ["Telemetry", ""]],
    doc.processes.map((each) => ({
      key: `${each.service}/${each.instance}`,
      cells: [
        h("span", { class: "strong" }, name(each.service)), badge("runs", "green"), name(each.instance), name(each.version),
        h("span", {}, time(each.started_at), h("span", { class: "soft small block" }, `for ${duration(now - each.started_at)}`)),
        each.partitions.length ? each.partitions.join(", ") : null, each.url ? h("span", { class: "small" }, name(each.url)) : null,
      ],
    })));
}
