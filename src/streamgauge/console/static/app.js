// Which screen is shown, kept up to date: routes by the address's hash, one stream, one redraw a message.

import { startActs } from "./acts.js";
import * as alarms from "./alarms.js";
import { tell } from "./charts.js";
import { h, lay } from "./dom.js";
import * as feature from "./feature.js";
import * as fleet from "./fleet.js";
import { keyboard } from "./keyboard.js";
import * as model from "./model.js";
import * as pipeline from "./pipeline.js";
import * as start from "./start.js";
import { Stream } from "./stream.js";
import { clock, duration } from "./text.js";

const SCREENS = { fleet, model, feature, alarms, pipeline, start };
/** Without news for so long the page is not of now, whatever the connection says. */
const SILENT_SECONDS = 8;
const main = document.getElementById("main");
const link = document.getElementById("link");
const notes = document.getElementById("notes");
const firing = document.getElementById("firing");
const asof = document.getElementById("asof");
const help = document.getElementById("keys");

let route = null;
let shown = null;
let cameAt = 0;
let cameOn = 0;
let lost = "";
let failed = false;

function parse(hash) {
  const [name, key, , other] = hash.replace(/^#\/?/, "").split("/").map(decoded);
  if (name === "model" && key && other) return { screen: "feature", model: key, feature: other };
  if (name === "model" && key) return { screen: "model", model: key };
  return { screen: Object.hasOwn(SCREENS, name) && name !== "feature" && name !== "model" ? name : "fleet" };
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Seconds since the last message. The page's own clock may stand still while the machine sleeps. */
const passed = () => Math.max(performance.now() - cameAt, Date.now() - cameOn) / 1000;
/** The server's time: its own at the last message, and what has passed here since. */
const now = () => shown.now + passed();
const age = () => (shown?.read_at ? Math.max(0, now() - shown.read_at) : null);

const stream = new Stream({
  onDocument(doc) {
    if (doc.screen !== route.screen) return;
    lost = "";
    shown = doc;
    cameAt = performance.now();
    cameOn = Date.now();
    // A page that is older than its exporter may stumble over what it is sent, and looks live.
    failed = true;
    draw();
    failed = false;
    state();
  },
  onLost(reason) {
    lost = reason;
    state();
  },
  onSignIn: () => location.replace(`/signin${location.hash}`),
});

function draw() {
  const { screen, title } = SCREENS[route.screen];
  const fresh = h("div", { class: "screen", "data-key": location.hash || "#/fleet" }, screen(shown, { now: now() }));
  const old = main.firstElementChild;
  if (old?.dataset.key === fresh.dataset.key) lay(old, fresh);
  else main.replaceChildren(fresh);
  firing.hidden = !shown.firing;
  firing.textContent = shown.firing;
  document.title = `${shown.firing ? `▲ ${shown.firing} · ` : ""}${title(shown)} · Streamgauge`;
}

/** What is wrong with what is shown, if anything; renewed every second, also without news. */
function state() {
  const old = age();
  const silent = shown && passed() > SILENT_SECONDS;
  const said = [];
  if (lost || silent) {
    const how = old === null ? "" : ` This is ${duration(old)} old.`;
    said.push(["stop", `${lost || "Nothing new comes from the exporter"}.${how}`]);
  } else if (failed) {
    said.push(["stop", "What came can't be shown; this may be older. Load the page again."]);
  } else if (shown) {
    for (const note of shown.notes) said.push([note.level, note.text]);
  }
  const fresh = h("div", {}, said.map(([level, text]) => h("p", { class: `note ${level}` }, h("span", { "aria-hidden": "true" }, level === "stop" ? "▲ " : "◆ "), text)));
  if (notes.firstElementChild) lay(notes.firstElementChild, fresh);
  else notes.append(fresh);
  const broken = Boolean(lost || silent || failed || (shown && !shown.up));
  document.body.classList.toggle("stale", broken || Boolean(shown && old > shown.stale_seconds));
  const [icon, text, kind] = !shown ? ["○", lost ? "not connected" : "connecting", ""]
    : lost || silent ? ["▲", "not connected", "red"]
    : failed ? ["▲", "not shown", "red"]
    : !shown.up ? ["▲", `${duration(old)} old`, "red"]
    : old > shown.stale_seconds ? ["▲", `${duration(old)} old`, "red"]
    : ["●", "live", "green"];
  lay(link, h("p", { class: `link ${kind}`, id: "link", role: "status" }, h("span", { "aria-hidden": "true" }, icon), ` ${text}`));
  asof.textContent = shown?.read_at ? `as of ${clock(shown.read_at)}, local time; UTC under the pointer` : "";
}

function go() {
  route = parse(location.hash);
  shown = null;
  for (const each of document.querySelectorAll("nav a")) {
    const own = route.screen === "model" || route.screen === "feature" ? "fleet" : route.screen;
    if (each.dataset.screen === own) each.setAttribute("aria-current", "page");
    else each.removeAttribute("aria-current");
  }
  scrollTo(0, 0);
  stream.follow(route);
}

function back() {
  if (route.screen === "feature") location.hash = `#/model/${encodeURIComponent(route.model)}`;
  else location.hash = "#/fleet";
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (event.target.closest("[data-skip]")) {
    event.preventDefault();
    main.focus();
  }
  if (!button) return;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = "Copied";
  } catch {
    // Only https and this machine may write there; mark the text, so that Ctrl-C does.
    getSelection().selectAllChildren(button.previousElementSibling);
    button.textContent = "Ctrl-C";
  }
});

document.getElementById("help").addEventListener("click", () => help.showModal());
help.addEventListener("click", (event) => event.target === help && help.close());
addEventListener("hashchange", go);
keyboard({ help, back });
tell(document.getElementById("tip"));
startActs({ redraw: () => shown && draw() });
setInterval(state, 1000);
go();
