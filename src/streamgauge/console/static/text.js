// Numbers, durations and times as people read them.

import { h } from "./dom.js";

export const DASH = "–";
const known = (value) => typeof value === "number" && Number.isFinite(value);

/** Three digits that matter, and a unit above ten thousand. */
export function figure(value) {
  if (!known(value)) return DASH;
  const size = Math.abs(value);
  if (size >= 1e9) return `${short(value / 1e9)}G`;
  if (size >= 1e6) return `${short(value / 1e6)}M`;
  if (size >= 1e4) return `${short(value / 1e3)}k`;
  if (size >= 100) return Math.round(value).toLocaleString("en");
  if (size > 0 && size < 1e-4) return value.toExponential(1);
  return short(value);
}

const short = (value) => String(Number(value.toPrecision(3)));

export function percent(ratio) {
  if (!known(ratio)) return DASH;
  const digits = ratio < 0.995 ? 2 : 3;
  return `${Number((100 * ratio).toPrecision(digits))} %`;
}

export function latency(seconds) {
  if (!known(seconds)) return DASH;
  return seconds >= 1 ? `${short(seconds)} s` : `${short(seconds * 1000)} ms`;
}

export function bytes(n) {
  return known(n) ? `${figure(n)}B` : DASH;
}

/** A severity. Where the threshold is next to nothing, the factor says nothing. */
export const times = (severity) =>
  known(severity) ? `${severity <= 1000 ? figure(severity) : "> 1,000"} ×` : DASH;

/** One unit. */
export function duration(seconds) {
  if (!known(seconds)) return DASH;
  const s = Math.max(0, seconds);
  if (s < 120) return `${Math.floor(s)} s`;
  if (s < 7200) return `${Math.floor(s / 60)} min`;
  if (s < 2 * 86400) return `${Math.floor(s / 3600)} h`;
  return `${Math.floor(s / 86400)} d`;
}

export const ago = (then, now) => (known(then) ? `${duration(now - then)} ago` : "never");

export const plural = (n, one, many = `${one}s`) => `${figure(n)} ${n === 1 ? one : many}`;

/** A moment in local time; UTC stands in the title. */
export function time(seconds, { date = "auto" } = {}) {
  if (!known(seconds) || Math.abs(seconds) > 8.64e12) return h("span", {}, DASH);
  const moment = new Date(seconds * 1000);
  const far = date === "always" || (date === "auto" && Math.abs(Date.now() - moment) > 20 * 3.6e6);
  const text = far
    ? moment.toLocaleString([], { dateStyle: "medium", timeStyle: "short" })
    : moment.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  const utc = moment.toISOString();
  return h("time", { datetime: utc, title: `${utc.slice(0, 19).replace("T", " ")} UTC` }, text);
}

export function clock(seconds) {
  return new Date(seconds * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
}

export const words = (text) => String(text ?? "").replaceAll("_", " ");
