// How good a model's answers are, and how much of the truth is in.

import { line, share } from "./charts.js";
import { h, name } from "./dom.js";
import { section } from "./parts.js";
import { ago, duration, figure, percent, time, words } from "./text.js";

export function answers(doc, now) {
  const { truth } = doc;
  if (!truth) return null;
  const { labels } = truth;
  return section("Answers and labels",
    h("div", { class: "grid2" },
      h("div", { class: "card pad" },
        line({ title: headline(truth), values: doc.lines.performance, low: doc.lines.performance_low, high: doc.lines.performance_high, end: doc.end, step: doc.step, points: doc.points, floor: null, now, empty: "no figure yet: labels are on their way" }),
        h("p", { class: "small coverage" },
          h("span", {}, labels.coverage === null ? "nothing settled yet" : `${percent(labels.coverage)} of settled predictions have a label`),
          labels.coverage !== null && share(labels.coverage, "label coverage")),
        facts(labels)),
      truth.performance.map((each) => performance(each, now))),
    truth.gaps.length + truth.tags.length > 0 && h("div", { class: "card" }, h("ul", { class: "told" },
      truth.gaps.map((each) => h("li", {}, h("p", {}, "version ", name(each.version), `: ${words(each.metric)} ${figure(each.value)} against ${figure(each.other)} of `, name(each.against), `, ${each.gap > 0 ? "better" : each.gap < 0 ? "worse" : "no better"}`))),
      truth.tags.map((each) => h("li", {}, h("p", {}, "version ", name(each.version), ": errors tagged ", name(each.tag), ` are ${percent(each.errors)}; as good as the rest, all errors would fall by ${percent(each.impact)}`))))));
}

const headline = (truth) => {
  const figures = truth.performance[0]?.figures ?? [];
  return words((figures.find((each) => each.name === "accuracy" || each.name === "mae") ?? figures[0])?.name ?? "performance");
};

function facts(labels) {
  const delay = labels.delays["0.5"];
  const lines = [
    labels.pending > 0 && `${figure(labels.pending)} wait for labels`,
    delay !== undefined && `half of the labels come within ${delay < 1 ? figure(delay) + " s" : duration(delay)}`,
    labels.orphans > 0 && `${figure(labels.orphans)} labels without a prediction`,
    labels.mismatched > 0 && `${figure(labels.mismatched)} labels that fit no answer`,
    labels.sampling < 1 && `${percent(labels.sampling)} of predictions are followed`,
  ].filter(Boolean);
  return lines.length > 0 && h("p", { class: "soft small" }, lines.join(" · "));
}

function performance(each, now) {
  return h("div", { class: "card pad", "data-key": `${each.version}/${each.step}/${each.maturity}` },
    h("p", { class: "head" }, h("b", {}, "version ", name(each.version)), each.step && [" · ", name(each.step)],
      h("span", { class: "soft small" }, ` ${each.maturity}, ${figure(each.labelled)} of ${figure(each.n)} labelled`, each.end !== null && [" · until ", time(each.end), ` (${ago(each.end, now)})`])),
    h("dl", { class: "figures" }, each.figures.map((figures) => h("div", {},
      h("dt", {}, words(figures.name)),
      h("dd", {}, figure(figures.value), figures.low !== null && h("span", { class: "soft small block" }, `${figure(figures.low)} to ${figure(figures.high)}`)))),
      each.worth !== null && h("div", {}, h("dt", {}, "worth"), h("dd", {}, figure(each.worth)))),
    each.calibration?.threshold && h("p", { class: "small soft" },
      `calibration error ${figure(each.calibration.ece)}; a calibrated model exceeds ${figure(each.calibration.threshold)} in one window of a hundred`));
}
