// What a person does about an alarm: its buttons, the dialog that asks who and why, and the request.

import { h, name } from "./dom.js";

const LENGTHS = [["1 hour", 3600], ["4 hours", 14400], ["1 day", 86400]];
const UNITS = [["minutes", 60], ["hours", 3600], ["days", 86400]];
const ACTS = {
  acknowledge: { title: "Acknowledge", does: "It goes on, and others see that you look after it. If its cause is silenced, that ends.", done: "Acknowledged" },
  silence: { title: "Silence its cause", does: "Until then the notifier sends nothing of it, also when it fires anew.", done: "Silenced", why: true },
  lift: { title: "Lift", does: "The alarm is everybody's again.", done: "Lifted", plain: true },
  true: { path: "judge", title: "A true alarm", does: "It was right. Such answers are counted, by model and kind.", done: "Judged" },
  false: { path: "judge", title: "A false alarm", does: "Nothing was wrong. Such answers are counted; they change no threshold.", done: "Judged" },
};
const ANSWER_MS = 30000;
const DONE_MS = 5000;
const AGAIN_MS = 5000;
const NAME = "streamgauge.name";

const dialog = document.getElementById("act");
const done = document.getElementById("done");
/** What was answered, by alarm, until a reading shows it. */
const fresh = new Map();
let mine = "";
let redraw = () => {};
let asked = null;

/** What whoever looks may do: viewer, operator, admin; empty until it is known. */
export const role = () => mine;

export async function startActs(options) {
  redraw = options.redraw;
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-act]");
    if (button) ask(button.dataset.act, button.dataset.alarm, button.closest("li").querySelector(".summary").textContent);
  });
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  await learn();
}

async function learn() {
  try {
    mine = (await (await fetch("/api/session")).json()).role ?? "";
    redraw();
  } catch {
    // Nobody answers, which the stream says. What can be seen can be seen meanwhile.
    setTimeout(learn, AGAIN_MS);
  }
}

/** The alarm as it stands since the answer, where the document is older. */
export function asSaid(alarm, doc) {
  const told = fresh.get(alarm.id);
  if (told && doc.read_at > told.at) fresh.delete(alarm.id);
  else if (told) return { ...alarm, ...told };
  return alarm;
}

export function buttons(alarm) {
  if (mine !== "operator" && mine !== "admin") return null;
  const open = alarm.status === "firing";
  const held = alarm.handled?.status;
  return h("div", { class: "acts" },
    open && held !== "acknowledged" && button("acknowledge", alarm, "Acknowledge"),
    open && button("silence", alarm, held === "silenced" ? "Silence anew" : "Silence"),
    open && held && button("lift", alarm, "Lift"),
    h("span", { class: "right", role: "group", "aria-label": "Was it right?" },
      button("true", alarm, "✓ True alarm", alarm.verdict?.right === true),
      button("false", alarm, "✗ False alarm", alarm.verdict?.right === false)));
}

const button = (act, alarm, text, pressed) =>
  h("button", { type: "button", class: "act", "data-key": act, "data-act": act, "data-alarm": alarm.id,
    "aria-pressed": pressed === undefined ? null : String(pressed) }, text);

function ask(act, alarm, summary) {
  asked = { act, alarm };
  const { title, does, why, plain } = ACTS[act];
  const known = remembered();
  dialog.replaceChildren(h("form", {},
    h("h2", { id: "act-title" }, title),
    h("p", { class: "summary" }, name(summary)),
    h("p", { class: "soft small" }, does),
    act === "silence" && lengths(),
    !plain && field("Why", h("input", { name: "reason", required: why, maxlength: 500, autocomplete: "off", placeholder: why ? "" : "may be left out" })),
    field("Your name", h("input", { name: "by", required: true, maxlength: 80, autocomplete: "name", value: known })),
    h("p", { class: "said", role: "alert" }),
    h("p", { class: "choice" },
      h("button", { type: "button", class: "act", "data-cancel": true }, "Cancel"),
      h("button", { type: "submit", value: "quietly", class: "act", hidden: true }, "Do it without the event"),
      h("button", { type: "submit", value: "told" }, title))));
  const form = dialog.firstElementChild;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(form, event.submitter?.value !== "quietly");
  });
  form.querySelector("[data-cancel]").addEventListener("click", () => dialog.close());
  // Enter belongs to the last button: a browser takes the first that submits, also a hidden one.
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.target.nodeName !== "INPUT") return;
    event.preventDefault();
    form.requestSubmit(form.querySelector("[value=told]"));
  });
  dialog.showModal();
  form.elements[known && !plain ? "reason" : "by"].focus();
}

const field = (text, input) => h("label", { class: "field" }, h("span", {}, text), input);

function lengths() {
  return h("fieldset", {}, h("legend", {}, "For how long"),
    h("div", { class: "lengths" },
      LENGTHS.map(([text, seconds], i) => h("label", {}, h("input", { type: "radio", name: "lasts", value: seconds, checked: i === 0 }), h("span", {}, text))),
      h("label", {}, h("input", { type: "radio", name: "lasts", value: "own" }), h("span", {}, "other")),
      h("span", { class: "own" },
        h("input", { name: "number", type: "number", min: 1, max: 9999, value: 2, "aria-label": "How many" }),
        h("select", { name: "unit", "aria-label": "Unit" }, UNITS.map(([text, seconds]) => h("option", { value: seconds, selected: text === "hours" }, text))))));
}

function body(form, event) {
  const given = form.elements;
  const told = { alarm: asked.alarm, by: given.by.value.trim(), reason: given.reason?.value.trim() ?? "", event };
  if (asked.act === "silence")
    told.seconds = given.lasts.value === "own" ? given.number.valueAsNumber * Number(given.unit.value) : Number(given.lasts.value);
  if (ACTS[asked.act].path) told.right = asked.act === "true";
  return told;
}

async function send(form, event) {
  const { act, alarm } = asked;
  const told = body(form, event);
  const said = form.querySelector(".said");
  const choices = [...form.querySelectorAll("button")].slice(1);
  said.textContent = "";
  for (const each of choices) each.disabled = true;
  remember(told.by);
  const { status, answer } = await post(ACTS[act].path ?? act, told);
  for (const each of choices) each.disabled = false;
  if (status === 401) location.replace(`/signin${location.hash}`);
  if (status !== 200) {
    said.textContent = answer.reason;
    form.querySelector("[value=quietly]").hidden = !answer.quietly;
    return;
  }
  fresh.set(alarm, answer);
  dialog.close();
  redraw();
  // The button that was pressed may be gone; who goes on by the keyboard goes on here.
  document.querySelector(`[data-alarm="${CSS.escape(alarm)}"]`)?.focus();
  show(event || !answer.handled ? `${ACTS[act].done}.` : `${ACTS[act].done}. No event says so.`);
}

async function post(act, told) {
  try {
    const response = await fetch(`/api/alarms/${act}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Streamgauge": "console" },
      body: JSON.stringify(told),
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    const text = await response.text();
    const json = response.headers.get("Content-Type")?.startsWith("application/json");
    return { status: response.status, answer: json ? JSON.parse(text) : { reason: text } };
  } catch {
    return { status: 0, answer: { reason: "The exporter does not answer. See below whether it was kept." } };
  }
}

function show(text) {
  done.textContent = text;
  done.hidden = false;
  clearTimeout(show.timer);
  show.timer = setTimeout(() => (done.hidden = true), DONE_MS);
}

/** A browser that keeps nothing asks each time. */
function remembered() {
  try {
    return localStorage.getItem(NAME) ?? "";
  } catch {
    return "";
  }
}

function remember(value) {
  try {
    localStorage.setItem(NAME, value);
  } catch {
    // As above.
  }
}
