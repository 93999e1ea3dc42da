// g f, g a, g p, j/k, Enter, Esc and ?. Nothing is taken from who types, or holds Ctrl.

const GO = { f: "#/fleet", a: "#/alarms", p: "#/pipeline", s: "#/start" };
const SECOND_KEY_MS = 1500;

export function keyboard({ help, back }) {
  let waiting = 0;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
    const dialog = document.querySelector("dialog[open]");
    if (dialog && !(dialog === help && event.key === "?")) return;
    const after = performance.now() < waiting;
    waiting = 0;
    if (after && GO[event.key]) location.hash = GO[event.key];
    else if (event.key === "g") waiting = performance.now() + SECOND_KEY_MS;
    else if (event.key === "j" || event.key === "k") step(event.key === "j" ? 1 : -1);
    else if (event.key === "?") help.open ? help.close() : help.showModal();
    else if (event.key === "Escape") back();
    else return;
    event.preventDefault();
  });
}

function step(by) {
  const rows = [...document.querySelectorAll("main [data-row]")];
  if (!rows.length) return;
  const at = rows.indexOf(document.activeElement);
  const next = at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, at + by));
  rows[next].focus();
  rows[next].scrollIntoView({ block: "nearest" });
}
