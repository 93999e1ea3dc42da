// What is open and what resolved lately, on what evidence, and what to type for more.

import { asSaid, buttons, role } from "./acts.js";
import { h, name } from "./dom.js";
import { alarmList, card, copyable, nothing, padded, section } from "./parts.js";
import { figure, percent, plural, time, times, words } from "./text.js";

export const title = () => "Alarms";

export function screen(doc, { now }) {
  const open = doc.open.map((alarm) => asSaid(alarm, doc)), over = doc.resolved.map((alarm) => asSaid(alarm, doc));
  return h("div", {},
    h("h1", { class: "hidden" }, "Alarms"),
    section(doc.open.length ? `Open (${doc.open.length + doc.more})` : "Open",
      doc.open.length ? card(alarmList(open, { now, detail, acts: buttons })) : padded(nothing("No alarm is open.")),
      doc.more > 0 && h("p", { class: "after" }, `and ${plural(doc.more, "more open alarm")}, less severe`)),
    section("Lately resolved",
      doc.resolved.length ? card(alarmList(over, { detail: more, acts: buttons })) : padded(nothing("None resolved lately.")),
      h("p", { class: "after soft small" }, `${plural(doc.total, "alarm")} since the beginning; all of them are in the log.`),
      role() === "viewer" && h("p", { class: "after soft small" }, "You see everything here. To acknowledge, silence or judge, ", h("a", { href: `/signin${location.hash}` }, "sign in with an operator's token"), ".")));
}

function detail(alarm) {
  const evidence = alarm.evidence;
  const held = alarm.handled;
  return h("div", { class: "evidence" },
    held && h("p", { class: "small" }, h("b", {}, held.status), " by ", name(held.by),
      held.until && [" until ", time(held.until)], held.reason && [": ", name(held.reason)]),
    judged(alarm),
    evidence?.judgements.map((each) => {
      const show = each.ratio ? percent : figure;
      return h("p", { class: "small" }, h("b", {}, words(each.detector)), ` ${show(each.value)}, threshold ${show(each.threshold)} (${times(each.severity)})`,
        each.version && [", version ", name(each.version)], each.n > 0 && `, ${figure(each.n)} values`,
        each.state !== "firing" && ` · ${words(each.state)} by now`);
    }),
    evidence?.moves.length > 0 && h("p", { class: "small" }, "moved most: ", name(evidence.moves.join("; "))),
    commands(alarm));
}

const more = (alarm) => h("div", { class: "evidence" }, judged(alarm), commands(alarm));

const judged = ({ verdict }) =>
  verdict && h("p", { class: "small" }, "called ", h("b", {}, verdict.right ? "a true alarm" : "a false alarm"), " by ", name(verdict.by),
    verdict.reason && [": ", name(verdict.reason)]);

const commands = (alarm) =>
  alarm.commands.length > 0 && h("details", {}, h("summary", {}, "In a shell"), alarm.commands.map((each) => copyable(each.line, each.what)));
