// All that is drawn: sparkline, line with band, heat strip, histogram against reference, bars.
// Shapes stretch with their place; words around them are HTML, so they stay sharp and small.

import { h, s } from "./dom.js";
import { clock, duration, figure, percent, times } from "./text.js";

const WIDTH = 1000;
const HEIGHT = 100;
const known = (value) => value !== null && value !== undefined && Number.isFinite(value);
const round = (value) => Math.round(value * 10) / 10;

/** Runs of neighbours that are known, as [index, value] pairs: a gap is a gap. */
function runs(values) {
  const found = [];
  let run = null;
  values.forEach((value, i) => {
    if (!known(value)) run = null;
    else if (run) run.push([i, value]);
    else found.push((run = [[i, value]]));
  });
  return found;
}

const canvas = (className, label, ...children) =>
  s("svg", { class: className, viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": label }, ...children);

function path(run, x, y) {
  // A single point is a short dash, or nobody sees it.
  const points = run.length > 1 ? run : [[run[0][0] - 0.4, run[0][1]], [run[0][0] + 0.4, run[0][1]]];
  return "M" + points.map(([i, value]) => `${round(x(i))} ${round(y(value))}`).join("L");
}

/** A small line without axes. */
export function sparkline(values, label) {
  const real = values.filter(known);
  if (!real.length) return h("span", { class: "spark none" });
  const top = Math.max(...real) * 1.1 || 1;
  const x = (i) => (values.length > 1 ? (i / (values.length - 1)) * WIDTH : WIDTH / 2);
  const y = (value) => HEIGHT - 4 - (value / top) * (HEIGHT - 10);
  return canvas("spark", label, runs(values).map((run) => [
    run.length > 1 && s("path", { class: "area", d: `${path(run, x, y)}L${round(x(run.at(-1)[0]))} ${HEIGHT}L${round(x(run[0][0]))} ${HEIGHT}Z` }),
    s("path", { class: "line", d: path(run, x, y) }),
  ]));
}

/** What flowed over time, as an area whose height others share. */
export function flow(values, { length, top, label }) {
  const shown = padded(values, length);
  const x = (i) => (i / Math.max(1, length - 1)) * WIDTH;
  const y = (value) => HEIGHT - (value / (top || 1)) * HEIGHT;
  return canvas("stream", label, runs(shown).map((run) => s("path", { class: "area", d: `${path(run, x, y)}L${round(x(run.at(-1)[0]))} ${HEIGHT}L${round(x(run[0][0]))} ${HEIGHT}Z` })));
}

/** Ends that are round numbers: from the floor, or as near to the values as their spread allows. */
function range(values, { floor, top }) {
  const high = Math.max(...values), low = Math.min(...values);
  if (floor !== null) return [floor, top ?? (ceiling(high * 1.05) || 1)];
  const room = Math.max(high - low, Math.abs(high) * 0.02) || 1;
  const step = ceiling(room) / 2;
  const ends = [Math.floor((low - room / 4) / step) * step, Math.ceil((high + room / 4) / step) * step];
  // A share stays one.
  return low >= 0 && high <= 1 ? [Math.max(0, ends[0]), Math.min(1, ends[1])] : ends;
}

function ceiling(value) {
  const unit = 10 ** Math.floor(Math.log10(value));
  return value > 0 ? [1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((each) => value <= each * unit * 1.000001) * unit : 0;
}

/** The span that is shown: five minutes at least, so that a young history is no dot at the edge. */
export function span(length, points) {
  return [30, 60, 120, 180, points].find((most) => length <= most && most <= points) ?? points;
}

const padded = (values, length) => [...Array(Math.max(0, length - values.length)).fill(null), ...values.slice(-length)];

/**
 * A line over time, with a band where there is one.
 * `end` is the time of its last value; `mark` a level to hold it against; `empty` what is said without data.
 */
export function line({ title, values, low, high, end, step = 10, points = 360, format = figure, mark, top, floor = 0, empty = "no data yet", now, tone = "" }) {
  const length = span(values.length, points);
  const shown = padded(values, length);
  const real = shown.filter(known);
  const last = shown.at(-1) ?? shown.at(-2);
  const head = h("figcaption", {}, h("span", {}, title), h("b", {}, known(last) ? format(last) : "–"));
  if (!real.length) return h("figure", { class: "chart" }, head, h("p", { class: "empty" }, empty));
  const lows = padded(low ?? [], length), highs = padded(high ?? [], length);
  const all = [...real, ...lows.filter(known), ...highs.filter(known), ...(mark ? [mark] : [])];
  const [least, most] = range(all, { floor, top });
  const x = (i) => (i / (length - 1)) * WIDTH;
  const y = (value) => HEIGHT - ((value - least) / (most - least || 1)) * HEIGHT;
  const banded = shown.map((_, i) => (known(lows[i]) && known(highs[i]) ? i : null));
  const bands = runs(banded).map((run) => {
    const upper = run.map(([i]) => `${round(x(i))} ${round(y(highs[i]))}`);
    const lower = run.map(([i]) => `${round(x(i))} ${round(y(lows[i]))}`).reverse();
    return s("path", { class: "band", d: `M${[...upper, ...lower].join("L")}Z` });
  });
  const label = `${title}: ${known(last) ? format(last) : "no data"} now, between ${format(Math.min(...real))} and ${format(Math.max(...real))} in the last ${duration(length * step)}`;
  const plot = canvas("line", label,
    [0.25, 0.5, 0.75].map((part) => s("path", { class: "grid", d: `M0 ${HEIGHT * part}H${WIDTH}` })),
    bands,
    runs(shown).map((run) => [
      !low && run.length > 1 && s("path", { class: "area", d: `${path(run, x, y)}L${round(x(run.at(-1)[0]))} ${HEIGHT}L${round(x(run[0][0]))} ${HEIGHT}Z` }),
      s("path", { class: "line", d: path(run, x, y) }),
    ]),
    mark && s("path", { class: "mark", d: `M0 ${round(y(mark))}H${WIDTH}` }));
  plot.plot = {
    count: length,
    tell: (i) => {
      const at = clock(end - (length - i) * step);
      const range = known(lows[i]) && known(highs[i]) ? ` (${format(lows[i])} to ${format(highs[i])})` : "";
      return known(shown[i]) ? [`${format(shown[i])}${range}`, at] : ["no data", at];
    },
  };
  const missing = known(now) && !known(last) ? h("p", { class: "gap" }, empty) : null;
  return h("figure", { class: `chart ${tone}` }, head,
    h("div", { class: "plot" },
      h("span", { class: "y top" }, format(most)), h("span", { class: "y low" }, format(least)), plot, missing),
    h("div", { class: "x", "aria-hidden": "true" }, h("span", {}, `${duration(length * step)} ago`), h("span", {}, "now")));
}

const LEVELS = [0.25, 0.5, 0.8, 1, 2, 5];
const level = (severity) => (known(severity) ? LEVELS.findIndex((edge) => severity <= edge) : null);

/** Severities of a feature over the hour: higher and warmer the worse; above the middle it fires. */
export function heat(values, { end, step, points, name }) {
  const length = span(values.length, points);
  const width = Math.max(1, Math.ceil(length / 90));
  const shown = padded(values, length);
  const cells = [];
  for (let i = 0; i < length; i += width) {
    const real = shown.slice(i, i + width).filter(known);
    cells.push(real.length ? Math.max(...real) : null);
  }
  const shapes = [];
  for (let i = 0; i < cells.length; ) {
    const own = level(cells[i]);
    let next = i + 1;
    while (next < cells.length && level(cells[next]) === own) next++;
    if (own !== null) {
      const rank = own < 0 ? LEVELS.length : own;
      const tall = ((rank + 1) / (LEVELS.length + 1)) * HEIGHT;
      shapes.push(s("rect", { class: `heat${rank}`, x: round((i / cells.length) * WIDTH), width: round(((next - i) / cells.length) * WIDTH), y: round(HEIGHT - tall), height: round(tall) }));
    }
    i = next;
  }
  const plot = canvas("heat", `${name}: severity over the last ${duration(length * step)}`, shapes,
    s("path", { class: "limit", d: `M0 ${round(HEIGHT * (1 - 4 / 7))}H${WIDTH}` }));
  plot.plot = {
    count: cells.length,
    tell: (i) => [known(cells[i]) ? `${times(cells[i])} threshold` : "no data", clock(end - (cells.length - i) * width * step)],
  };
  return plot;
}

/** A severity as a bar: the mark in the middle is the threshold. */
export function severity(value) {
  const width = Math.min(Math.max(value, 0) / 2, 1) * 120;
  const over = value > 1;
  return s("svg", { class: "severity", viewBox: "0 0 120 8", width: 120, height: 8, "aria-hidden": "true" },
    s("rect", { class: "track", width: 120, height: 6, y: 1, rx: 3 }),
    s("rect", { class: over ? "fill over" : "fill", width: round(width), height: 6, y: 1, rx: 3 }),
    s("rect", { class: "mark", x: 59.25, width: 1.5, height: 8 }));
}

/** A share of a whole as a bar. */
export function share(ratio, label) {
  return s("svg", { class: "share", viewBox: "0 0 120 8", preserveAspectRatio: "none", role: "img", "aria-label": label },
    s("rect", { class: "track", width: 120, height: 6, y: 1, rx: 3 }),
    s("rect", { class: "fill", width: round(Math.min(Math.max(ratio, 0), 1) * 120), height: 6, y: 1, rx: 3 }));
}

/** Now (filled) against the reference (outlined), over the reference's bins. */
export function histogram({ bins, reference, current }, { label = "now against the reference" } = {}) {
  const most = Math.max(...reference, ...current) * 1.05 || 1;
  const wide = WIDTH / bins.length;
  const y = (value) => HEIGHT - (value / most) * HEIGHT;
  const steps = reference.map((value, i) => `${i ? "L" : "M"}${round(i * wide)} ${round(y(value))}H${round((i + 1) * wide)}`).join("");
  const plot = canvas("histogram", label,
    [0.25, 0.5, 0.75].map((part) => s("path", { class: "grid", d: `M0 ${HEIGHT * part}H${WIDTH}` })),
    current.map((value, i) => s("rect", { class: "now", x: round(i * wide + wide * 0.1), width: round(wide * 0.8), y: round(y(value)), height: round(HEIGHT - y(value)) })),
    s("path", { class: "before-fill", d: `M0 ${HEIGHT}${steps.replace("M", "L")}L${WIDTH} ${HEIGHT}Z` }),
    s("path", { class: "before", d: steps }));
  plot.plot = {
    count: bins.length,
    tell: (i) => [`${bins[i]}`, `now ${percent(current[i])}, reference ${percent(reference[i])}`],
  };
  const middle = Math.floor(bins.length / 2);
  return h("div", { class: "histo" },
    h("div", { class: "plot" }, h("span", { class: "y top" }, percent(most)), h("span", { class: "y low" }, "0 %"), plot),
    h("div", { class: "x" }, h("bdi", {}, bins[0]), bins.length > 4 && h("bdi", {}, bins[middle]), bins.length > 1 && h("bdi", {}, bins.at(-1))),
    legend());
}

/** The same for categories: a row for each, because names need room. */
export function categories({ bins, reference, current }) {
  const most = Math.max(...reference, ...current) || 1;
  return h("div", { class: "categories" },
    bins.map((bin, i) => h("div", { class: "category" },
      h("bdi", { class: "cut", title: bin }, bin),
      s("svg", { viewBox: `0 0 ${WIDTH} 20`, preserveAspectRatio: "none", role: "img", "aria-label": `now ${percent(current[i])}, reference ${percent(reference[i])}` },
        s("rect", { class: "now", y: 3, height: 14, width: round((current[i] / most) * WIDTH) }),
        s("path", { class: "before", d: `M${round((reference[i] / most) * WIDTH)} 0V20` })),
      h("span", { class: "n" }, percent(current[i])), h("span", { class: "n soft" }, percent(reference[i])))),
    legend());
}

const legend = () =>
  h("p", { class: "legend" }, h("span", { class: "swatch now" }), "now ", h("span", { class: "swatch before" }), "reference");

/** Bars side by side by name: counts that have nothing to do with time. */
export function bars(rows) {
  const most = Math.max(...rows.map(([, n]) => n)) || 1;
  return h("div", { class: "bars" }, rows.map(([name, n]) =>
    h("div", { class: "category" }, h("bdi", { class: "cut", title: name }, name),
      s("svg", { viewBox: `0 0 ${WIDTH} 20`, preserveAspectRatio: "none", "aria-hidden": "true" },
        s("rect", { class: n ? "now" : "track", y: 5, height: 10, width: round(n ? Math.max((n / most) * WIDTH, 4) : WIDTH) })),
      h("span", { class: "n" }, figure(n)))));
}

/** Says beside the pointer what a chart has there. One listener for all charts. */
export function tell(tip) {
  const hide = () => { tip.hidden = true; };
  document.addEventListener("pointermove", (event) => {
    const chart = event.target.closest?.("svg");
    if (!chart?.plot) return hide();
    const box = chart.getBoundingClientRect();
    const { count, tell: words } = chart.plot;
    const place = Math.min(count - 1, Math.max(0, Math.floor(((event.clientX - box.left) / box.width) * count)));
    const [first, second] = words(place);
    tip.replaceChildren(h("b", {}, h("bdi", {}, first)), h("span", {}, second));
    tip.hidden = false;
    const left = Math.min(Math.max(event.clientX - tip.offsetWidth / 2, 8), innerWidth - tip.offsetWidth - 8);
    tip.style.transform = `translate(${left}px, ${Math.max(8, event.clientY - tip.offsetHeight - 14)}px)`;
  }, { passive: true });
  document.addEventListener("pointerleave", hide);
  addEventListener("hashchange", hide);
  addEventListener("scroll", hide, { passive: true });
}
