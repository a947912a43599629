// The wallboard: one stream of figures in, text nodes out. Nothing that comes from the node is ever read as HTML.

import { MEANINGS } from "./meanings.js";
import { WORDS } from "./words.js";

const $ = (id) => document.getElementById(id);
const STATES = ["available", "reserved", "ringing", "talking", "holding", "wrap_up", "engaged", "paused", "unreachable", "logged_out"];
/** Without a word from the node for this long, the link counts as lost. */
const PATIENCE_MS = 6000;

let lang = pickLanguage();
let token = takeToken();
let definitions = new Map();
/** The last board, when it came (performance.now) and how old its figures were then. */
let board = null;
let cameAt = 0;
let ageThen = 0;
let linked = false;
/** Elements whose text grows with time: element -> milliseconds at the board's moment. */
const ticking = new Map();

// ---- small helpers

function word(name) {
  return WORDS[lang][name] ?? WORDS.en[name] ?? name;
}

/** An element with a class, attributes and children; strings become text. */
function make(tag, cls, attributes = {}, ...children) {
  const node = document.createElement(tag);
  if (cls) node.className = cls;
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** A shape of the page's sprite. */
function shape(id) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", "#" + id);
  svg.append(use);
  return svg;
}

function setShape(svg, id) {
  const use = svg.firstChild;
  if (use.getAttribute("href") !== "#" + id) use.setAttribute("href", "#" + id);
}

/** m:ss, or h:mm:ss from an hour on; a dash for no value. */
function span(ms) {
  if (ms === null || ms === undefined) return "–";
  const s = Math.max(0, Math.floor(ms / 1000));
  const two = (n) => String(n).padStart(2, "0");
  const hours = Math.floor(s / 3600);
  return hours ? `${hours}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}` : `${Math.floor(s / 60)}:${two(s % 60)}`;
}

/** A measured duration, rounded and not cut: 0:08 for 7.6 s. */
const measured = (ms) => (ms === null || ms === undefined ? "–" : span(Math.round(ms / 1000) * 1000));

function number(n, options) {
  return new Intl.NumberFormat(lang, options).format(n);
}

const percent = (share, digits = 0) =>
  share === null || share === undefined ? "–" : number(share, { style: "percent", maximumFractionDigits: digits });

/** `acme/ana` is ana; the tenant stands beside it only where there are several. */
const nameOf = (id) => id.slice(id.indexOf("/") + 1);
const tenantOf = (id) => id.slice(0, id.indexOf("/"));

// ---- two thresholds per figure, with a dead band so that a figure at the edge does not blink

const LEVELS = ["good", "warn", "bad"];
const held = new Map();

/** `value` grows towards bad. Leaving a level downwards takes `slack` more than entering it. */
function level(key, value, warn, bad, slack) {
  const before = held.get(key) ?? 0;
  let now = value >= bad ? 2 : value >= warn ? 1 : 0;
  if (now < before && value >= (before === 2 ? bad : warn) - slack) now = before;
  held.set(key, now);
  return LEVELS[now];
}

const serviceLevel = (key, share) => (share === null ? "none" : level("sl " + key, 1 - share, 0.2 + 1e-9, 0.3 + 1e-9, 0.01));
const waitLevel = (key, ms, waiting) => (waiting ? level("lw " + key, ms, 30000, 60000, 0) : (held.delete("lw " + key), "none"));

// ---- a figure: a button that opens its definition

/** `parts` are kept on the node, so that an update touches text alone. */
function figure(label, definition, cls = "") {
  const value = make("span", "value", {}, "–");
  const name = make("span", "label", { "data-word": label }, word(label));
  const sign = make("span", "sign");
  const note = make("span", "note");
  const node = make("button", ("figure " + cls).trim(), { type: "button", "data-def": definition, "data-label": label }, name, make("span", "reading", {}, value, sign), note);
  node.parts = { value, sign, note };
  return node;
}

function show(node, text, { note, mark } = {}) {
  setText(node.parts.value, text);
  if (note !== undefined) setText(node.parts.note, note);
  if (mark !== undefined && node.dataset.level !== mark) {
    node.dataset.level = mark;
    node.parts.sign.replaceChildren();
    if (mark !== "none") {
      node.parts.sign.append(shape("g-" + mark), make("span", "visually-hidden", { "data-word": mark }, word(mark)));
    }
  }
}

function showTicking(node, ms, options) {
  const text = node.parts ? node.parts.value : node;
  if (ms === null) {
    ticking.delete(text);
  } else {
    ticking.set(text, ms);
  }
  if (node.parts) show(node, ms === null ? "–" : span(grown(ms)), options);
  else setText(text, ms === null ? "–" : span(grown(ms)));
}

/** A wait as it is by now: it has grown since the board came, and was a little old already then. */
const grown = (ms) => ms + ageThen + (linked ? performance.now() - cameAt : 0);

// ---- lists that keep their nodes

/** One node per item, in the items' order; nodes of items that are gone go. */
function keyed(parent, items, key, build, update) {
  const nodes = (parent.keyed ??= new Map());
  const seen = new Set();
  items.forEach((item, i) => {
    const k = key(item);
    seen.add(k);
    let node = nodes.get(k);
    if (!node) nodes.set(k, (node = build(item)));
    if (parent.children[i] !== node) parent.insertBefore(node, parent.children[i] ?? null);
    update(node, item);
  });
  for (const [k, node] of nodes) {
    if (!seen.has(k)) {
      node.querySelectorAll("*").forEach((n) => ticking.delete(n));
      node.remove();
      nodes.delete(k);
    }
  }
}

// ---- the parts of the page

function drawTotals() {
  const strip = document.querySelector("#totals .strip");
  if (!strip.figures) {
    strip.figures = {
      waiting: figure("waiting_now", "totals.waiting_now", "huge"),
      longest: figure("longest_wait", "totals.longest_wait_ms", "huge"),
      service: figure("service_level", "visits.service_level_formula", "huge"),
      answered: figure("answered", "visits.answered", "huge"),
      abandoned: figure("abandoned", "visits.abandoned", "huge"),
      live: figure("live_calls", "calls.live_now", "huge"),
      agents: figure("available_of", "totals.agents_by_state", "huge"),
      kept: figure("recorded", "recordings.coverage", "huge"),
    };
    strip.append(...Object.values(strip.figures));
  }
  const f = strip.figures;
  const { totals } = board;
  const v = totals.visits;
  show(f.waiting, number(totals.waiting_now));
  const waits = totals.waiting_now > 0;
  showTicking(f.longest, waits ? totals.longest_wait_ms : null, { mark: waitLevel("all", totals.longest_wait_ms, waits) });
  show(f.service, percent(v.service_level), { note: v.service_level_formula, mark: serviceLevel("all", v.service_level) });
  show(f.answered, number(v.answered), { note: `${word("of")} ${number(v.offered)}` });
  show(f.abandoned, number(v.abandoned), { note: `${number(v.short_abandons)} ${word("short_abandons").toLowerCase()}` });
  show(f.live, number(totals.calls.live_now), { note: `${number(totals.calls.lost)} ${word("lost").toLowerCase()}` });
  const states = totals.agents_by_state;
  const there = STATES.filter((s) => s !== "logged_out").reduce((sum, s) => sum + (states[s] ?? 0), 0);
  show(f.agents, number(states.available ?? 0), { note: `${word("of")} ${number(there)}` });
  const r = board.recordings;
  show(f.kept, percent(r.coverage, 1), { note: `${number(r.complete)} ${word("of")} ${number(r.complete + r.partial + r.failed)}`, mark: r.failed ? "bad" : r.partial ? "warn" : "none" });
}

const CARD = [
  ["offered", "visits.offered", (q) => number(q.offered)],
  ["answered", "visits.answered", (q) => number(q.answered)],
  ["abandoned", "visits.abandoned", (q) => number(q.abandoned)],
  ["short_abandons", "visits.short_abandons", (q) => number(q.short_abandons)],
  ["asa", "visits.asa_ms", (q) => measured(q.asa_ms)],
  ["aht", "visits.aht_ms", (q) => measured(q.aht_ms)],
  ["wait_p50", "visits.wait_p50_ms", (q) => measured(q.wait_p50_ms)],
  ["wait_p90", "visits.wait_p90_ms", (q) => measured(q.wait_p90_ms)],
];

function buildQueue(q) {
  const parts = {
    waiting: figure("waiting_now", "queues.waiting_now", "big"),
    longest: figure("longest_wait", "queues.longest_wait_ms", "big"),
    service: figure("service_level", "visits.service_level_formula", "big"),
    states: make("ul", "chips"),
    small: CARD.map(([label, definition]) => figure(label, definition, "small")),
  };
  const id = "q-" + q.queue;
  const node = make(
    "article", "card", { "aria-labelledby": id, "data-queue": q.queue },
    make("h3", "", { id }, make("span", "name", {}, nameOf(q.queue)), make("span", "tenant", {}, tenantOf(q.queue))),
    make("div", "trio", {}, parts.waiting, parts.longest, parts.service),
    make("div", "grid", {}, ...parts.small),
    parts.states,
  );
  node.parts = parts;
  return node;
}

function updateQueue(node, q) {
  const p = node.parts;
  const waits = q.waiting_now > 0;
  const wait = waitLevel(q.queue, q.longest_wait_ms, waits);
  show(p.waiting, number(q.waiting_now));
  showTicking(p.longest, waits ? q.longest_wait_ms : null, { mark: wait });
  const service = serviceLevel(q.queue, q.service_level);
  show(p.service, percent(q.service_level), { note: q.service_level_formula, mark: service });
  node.dataset.level = LEVELS[Math.max(LEVELS.indexOf(wait), LEVELS.indexOf(service))] ?? "none";
  CARD.forEach(([, , read], i) => show(p.small[i], read(q)));
  drawStates(p.states, q.agents_by_state);
}

/** Agents by state as shape, count and word. */
function drawStates(list, states) {
  const present = STATES.filter((s) => states[s] > 0);
  const build = (s) => {
    const node = make("li", "chip", { "data-state": s }, shape("s-" + s), make("b"), " ", make("span", "", { "data-word": "st_" + s }, word("st_" + s)));
    return node;
  };
  keyed(list, present, (s) => s, build, (node, s) => setText(node.querySelector("b"), number(states[s])));
}

function buildAgent(a) {
  const parts = {
    name: make("span", "name"), icon: shape("s-" + a.state), state: make("span", "state"), time: make("span", "time"),
    detail: make("span", "detail"), today: make("button", "today figure", { type: "button", "data-def": "agents.calls", "data-label": "calls_today" }),
  };
  parts.today.append(make("b"), " ", make("span"));
  const node = make(
    "li", "agent", { "data-agent": a.agent }, make("span", "icon", {}, parts.icon),
    make("span", "pair", {}, make("span", "who", {}, parts.name), parts.time),
    make("span", "pair", {}, parts.state, parts.today), parts.detail,
  );
  node.parts = parts;
  return node;
}

function updateAgent(node, a) {
  const p = node.parts;
  node.dataset.state = a.state;
  setText(p.name, board.names[a.agent] ?? nameOf(a.agent));
  setShape(p.icon, "s-" + a.state);
  // A pause's reason is the agent's own word; that of a call of the agent's own is ours.
  const reason = a.state === "engaged" && a.reason ? word("wk_" + a.reason) : a.reason;
  setText(p.state, word("st_" + a.state) + (reason ? ` · ${reason}` : ""));
  if (a.state === "logged_out") {
    showTicking(p.time, null);
    setText(p.time, "");
  } else {
    showTicking(p.time, a.in_state_ms);
  }
  const serves = a.queue ? nameOf(a.queue) : a.queues.map(nameOf).join(", ");
  const detail = [document.body.classList.contains("several") && tenantOf(a.agent), serves, a.call];
  setText(p.detail, detail.filter(Boolean).join(" · "));
  setText(p.today.querySelector("b"), number(a.calls));
  setText(p.today.querySelector("span"), word(isOne(a.calls) ? "call_today" : "calls_today"));
}

function isOne(n) {
  return new Intl.PluralRules(lang).select(n) === "one";
}

/** Those who are in come first; within, by name, so that nobody jumps about. */
function byPresence(a, b) {
  return (a.state === "logged_out") - (b.state === "logged_out") || (a.agent < b.agent ? -1 : 1);
}

/** A sum with all its parts, and whether it holds. */
function ledger(title, total, parts) {
  const verdict = make("span", "verdict");
  const node = make("div", "sum", {}, make("h3", "", {}, make("span", "", { "data-word": title }, word(title)), verdict));
  const terms = [total, ...parts].map(([label, definition]) => figure(label, definition, "small"));
  const row = make("div", "terms");
  terms.forEach((term, i) => {
    // A sign stays with the term that follows it, wherever the line breaks.
    const sign = ["", "="][i] ?? "+";
    row.append(sign ? make("span", "term", {}, make("span", "sign-of", { "aria-hidden": "true" }, sign), term) : term);
  });
  node.append(row);
  node.update = (values, ok) => {
    terms.forEach((term, i) => show(term, number(values[i])));
    const mark = ok ? "good" : "bad";
    const text = word(ok ? "sum_ok" : "sum_bad");
    if (verdict.dataset.level !== mark || verdict.dataset.text !== text) {
      Object.assign(verdict.dataset, { level: mark, text });
      verdict.replaceChildren(shape("g-" + mark), text);
    }
  };
  return node;
}

function drawDay() {
  const box = document.querySelector("#day .ledger");
  if (!box.parts) {
    const calls = ledger("calls_sum", ["incoming", "calls.incoming"], [
      ["rejected", "calls.rejected"], ["ivr_abandoned", "calls.ivr_abandoned"], ["ivr_ended", "calls.ivr_ended"],
      ["queued", "calls.queued"], ["in_ivr", "calls.in_ivr"],
    ]);
    const visits = ledger("visits_sum", ["offered", "visits.offered"], [
      ["answered", "visits.answered"], ["abandoned", "visits.abandoned"], ["other_exits", "visits.other_exits"], ["waiting", "visits.waiting"],
    ]);
    const recordings = make("div", "sum", {}, make("h3", "", { "data-word": "recordings" }, word("recordings")));
    const kept = ["expected", "complete", "partial", "failed", "open", "missing", "alarms_now"].map((n) => [n, figure(n, "recordings." + n, "small")]);
    const breaches = figure("breaches", "invariant_breaches", "small");
    recordings.append(make("div", "terms", {}, ...kept.map(([, f]) => f), breaches));
    const languages = make("div", "sum", {}, make("h3", "", { "data-word": "languages" }, word("languages")), make("ul", "bars"));
    box.append(calls, visits, recordings, languages);
    box.parts = { calls, visits, kept: new Map(kept), breaches, languages: languages.querySelector(".bars") };
  }
  const { calls: c, visits: v } = board.totals;
  const p = box.parts;
  p.calls.update([c.incoming, c.rejected, c.ivr_abandoned, c.ivr_ended, c.queued, c.in_ivr], c.incoming === c.rejected + c.ivr_abandoned + c.ivr_ended + c.queued + c.in_ivr);
  p.visits.update([v.offered, v.answered, v.abandoned, v.other_exits, v.waiting], v.offered === v.answered + v.abandoned + v.other_exits + v.waiting);
  const alarming = ["missing", "alarms_now"];
  for (const [name, node] of p.kept) show(node, number(board.recordings[name]), { mark: alarming.includes(name) && board.recordings[name] ? "bad" : "none" });
  show(p.breaches, number(board.invariant_breaches), { mark: board.invariant_breaches ? "bad" : "none" });
  drawLanguages(p.languages);
}

function drawLanguages(list) {
  const names = new Intl.DisplayNames([lang], { type: "language", fallback: "code" });
  const rows = Object.entries(board.languages).sort(([a], [b]) => (a < b ? -1 : 1));
  const most = Math.max(1, ...rows.map(([, n]) => n));
  const build = () => {
    const meter = make("meter", "", { min: "0" });
    return make("li", "", {}, make("span", "name"), meter, make("b"));
  };
  keyed(list, rows, ([code]) => code, build, (node, [code, n]) => {
    setText(node.querySelector(".name"), names.of(code));
    const meter = node.querySelector("meter");
    meter.max = most;
    meter.value = n;
    setText(node.querySelector("b"), number(n));
  });
}

function emptyNote(parent, empty, text) {
  let note = parent.querySelector(":scope > .empty");
  if (!note) parent.append((note = make("p", "empty")));
  note.hidden = !empty;
  setText(note, empty ? text : "");
}

function draw() {
  if (!board) return;
  setText($("site"), board.site || "Centralita");
  document.title = `${board.totals.waiting_now} · ${board.site || "Centralita"}`;
  drawTotals();
  keyed(document.querySelector("#queues .cards"), board.queues, (q) => q.queue, buildQueue, updateQueue);
  emptyNote($("queues"), !board.queues.length, word("no_queues"));
  const several = new Set([...board.queues.map((q) => q.queue), ...board.agents.map((a) => a.agent)].map(tenantOf)).size > 1;
  document.body.classList.toggle("several", several);
  drawStates(document.querySelector("#agents .states"), board.totals.agents_by_state);
  keyed(document.querySelector("#agents .tiles"), [...board.agents].sort(byPresence), (a) => a.agent, buildAgent, updateAgent);
  emptyNote($("agents"), !board.agents.length, word("nobody"));
  drawDay();
}

// ---- time

function tick() {
  $("clock").textContent = new Intl.DateTimeFormat(lang, { hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(new Date());
  const age = board ? performance.now() - cameAt : 0;
  const seconds = number(age / 1000, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
  setText($("age"), linked ? word("age").replace("{s}", seconds) : board ? word("lost_short") : word("connecting"));
  if (linked) ticking.forEach((ms, node) => setText(node, span(grown(ms))));
  const banner = $("banner");
  const lost = !linked && board !== null;
  const alarms = board?.alarms ?? [];
  const state = alarms.length ? `${word("alarm")} ${alarms.join("; ")}` : board?.draining ? word("draining") : "";
  const text = lost ? word("lost_link").replace("{s}", span(age)) : state;
  banner.hidden = text === "";
  banner.dataset.kind = lost || alarms.length ? "lost" : "draining";
  setText(banner, text);
}

function setLink(state) {
  if (document.body.dataset.link !== state) setText($("said"), word(state === "live" ? "link_back" : "lost_short"));
  linked = state === "live";
  document.body.dataset.link = state;
  tick();
}

// ---- the link: a stream read by fetch, since an EventSource can send no token

async function follow() {
  let wait = 250;
  for (;;) {
    const abort = new AbortController();
    try {
      const response = await fetch("/api/v1/figures/stream", { headers: headers(), signal: abort.signal, cache: "no-store" });
      if (response.status === 401) {
        await askToken();
        continue;
      }
      if (!response.ok) throw new Error(`status ${response.status}`);
      if (!definitions.size) loadDefinitions();
      await readEvents(response.body.getReader(), abort, () => (wait = 250));
    } catch (error) {
      console.info("the link ended:", error.message);
    }
    abort.abort();
    setLink("lost");
    await new Promise((done) => setTimeout(done, wait));
    wait = Math.min(wait * 2, 4000);
  }
}

const headers = () => (token ? { Authorization: `Bearer ${token}` } : {});

async function readEvents(reader, abort, onEvent) {
  const decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    const timer = setTimeout(() => abort.abort(), PATIENCE_MS);
    const { done, value } = await reader.read().finally(() => clearTimeout(timer));
    if (done) throw new Error("closed by the node");
    rest += decoder.decode(value, { stream: true });
    const events = rest.split("\n\n");
    rest = events.pop();
    // Of several that came at once only the last still matters.
    const last = events.map(dataOf).filter(Boolean).pop();
    if (last) {
      take(JSON.parse(last));
      onEvent();
    }
  }
}

/** The data lines of one event; "" for a comment. */
function dataOf(event) {
  return event.split("\n").filter((line) => line.startsWith("data:")).map((line) => line.slice(5).trimStart()).join("\n");
}

function take(next) {
  board = next;
  cameAt = performance.now();
  ageThen = Math.max(0, Date.parse(next.now) - Date.parse(next.at)) || 0;
  if (!linked) setLink("live");
  draw();
}

async function loadDefinitions() {
  const response = await fetch("/api/v1/definitions", { headers: headers() });
  if (response.ok) definitions = new Map((await response.json()).map((d) => [d.name, d]));
}

// ---- the token: from #token= or ?token=, or asked for; never stored

function takeToken() {
  const from = (text) => new URLSearchParams(text).get("token");
  const found = from(location.hash.slice(1)) ?? from(location.search);
  if (found !== null) history.replaceState(null, "", location.pathname);
  return found ?? "";
}

function askToken() {
  const dialog = $("ask");
  $("ask-why").dataset.word = token ? "token_wrong" : "token_why";
  setText($("ask-why"), word($("ask-why").dataset.word));
  dialog.showModal();
  return new Promise((done) => {
    dialog.oncancel = (event) => event.preventDefault();
    $("ask-form").onsubmit = (event) => {
      event.preventDefault();
      token = $("token").value.trim();
      $("token").value = "";
      dialog.close();
      done();
    };
  });
}

// ---- definitions, on hover, focus and click

function openTip(node) {
  const d = definitions.get(node.dataset.def);
  const tip = $("tip");
  setText(tip.querySelector("strong"), word(node.dataset.label));
  setText(tip.querySelector(".what"), MEANINGS[lang]?.[node.dataset.def] ?? d?.text ?? node.dataset.def);
  setText(tip.querySelector(".formula"), d ? `${d.name} · ${d.basis}` : "");
  tip.hidden = false;
  node.setAttribute("aria-describedby", "tip");
  const at = node.getBoundingClientRect();
  const box = tip.getBoundingClientRect();
  const left = Math.max(8, Math.min(at.left, innerWidth - box.width - 8));
  const below = at.bottom + 8;
  tip.style.left = `${left}px`;
  tip.style.top = `${below + box.height < innerHeight ? below : Math.max(8, at.top - box.height - 8)}px`;
}

function closeTip() {
  $("tip").hidden = true;
  document.querySelectorAll("[aria-describedby=tip]").forEach((n) => n.removeAttribute("aria-describedby"));
}

function figureOf(event) {
  return event.target instanceof Element ? event.target.closest("[data-def]") : null;
}

for (const [open, close] of [["pointerover", "pointerout"], ["focusin", "focusout"]]) {
  document.addEventListener(open, (event) => figureOf(event) && openTip(figureOf(event)));
  document.addEventListener(close, (event) => figureOf(event) && closeTip());
}
document.addEventListener("click", (event) => (figureOf(event) ? openTip(figureOf(event)) : closeTip()));
document.addEventListener("keydown", (event) => event.key === "Escape" && closeTip());
addEventListener("scroll", closeTip, { passive: true });

// ---- language, light and full screen

function pickLanguage() {
  const kept = recall("lang");
  if (kept in WORDS) return kept;
  const wanted = (navigator.languages ?? [navigator.language ?? "en"]).map((l) => l.slice(0, 2).toLowerCase());
  return wanted.find((l) => l in WORDS) ?? "en";
}

/** What the viewer chose last on this machine; a browser may forbid to keep it. */
function recall(key) {
  try {
    return localStorage.getItem("centralita." + key) ?? "";
  } catch {
    return "";
  }
}

function keep(key, value) {
  try {
    localStorage.setItem("centralita." + key, value);
  } catch {
    // Then it is asked again next time.
  }
}

function speak() {
  document.documentElement.lang = lang;
  $("lang").value = lang;
  document.querySelectorAll("[data-word]").forEach((node) => setText(node, word(node.dataset.word)));
  const legend = $("legend");
  legend.replaceChildren();
  for (const part of word("legend").split(/(\{\w+\})/)) {
    const name = part.match(/^\{(\w+)\}$/)?.[1];
    legend.append(name ? make("span", "mark", { "data-level": name }, shape("g-" + name), word(name)) : part);
  }
  draw();
  tick();
}

$("lang").addEventListener("change", (event) => {
  lang = event.target.value;
  keep("lang", lang);
  speak();
});

function paint(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
}

$("theme").addEventListener("click", () => {
  const dark = document.documentElement.dataset.theme ? document.documentElement.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  paint(dark ? "light" : "dark");
  keep("theme", dark ? "light" : "dark");
});

$("full").addEventListener("click", () => (document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen()));

paint(recall("theme"));
speak();
setInterval(tick, 200);
follow();
