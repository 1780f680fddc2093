// Keeps the page as the daemon is, asks before it changes a server, and sends the token that the tab was given.
"use strict";

const KEY = "lbd-token";
const EVERY = 2000;        // milliseconds between two looks
const HIDDEN = 15000;      // the same while nobody sees the page
const SHOWN = 8000;        // how long an outcome stands at the lower edge
const TYPING = 200;        // milliseconds without a key before a search begins
const OPEN = 60;           // backends at most that are kept open: their names go into the address
const ASKED = {
  drain: ["Drain", "It takes nothing new and finishes what it has."],
  maint: ["Maint", "It takes nothing new and is not wanted at all, whatever its checks say."],
  ready: ["Ready", "It takes requests again as soon as its checks say that it is well."],
  weight: ["Set weight", "Its share of the requests; 0 takes no new clients."],
};

const live = document.getElementById("live");
const said = document.getElementById("said");
const dialog = document.getElementById("ask");
let wish = null;
let timer = 0;
let spoken = 0;
let ailing = null;
let turn = 0;              // of the last look; the answer to an earlier one comes too late
let opened = new URLSearchParams(location.search).getAll("show");     // names of open backends
if (!opened.length) opened = null;                                    // as the daemon likes

document.documentElement.classList.add("live");

function main() { return document.querySelector("main"); }

function say(words) {
  clearTimeout(spoken);
  if (said.textContent !== words) said.textContent = words;
  spoken = setTimeout(() => { said.textContent = ""; }, SHOWN);
}

function ask(path, options = {}) {
  const token = sessionStorage.getItem(KEY);
  const headers = {...options.headers, ...(token ? {Authorization: `Bearer ${token}`} : {})};
  return fetch(path, {...options, headers, cache: "no-store", credentials: "omit"});
}

// Makes the old element like the new one and keeps what stays: focus, selection and scrolling survive a refresh.
function morph(old, next) {
  for (const {name, value} of next.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  for (const {name} of [...old.attributes]) if (!next.hasAttribute(name)) old.removeAttribute(name);
  if (next.nodeName === "TR" && old.isEqualNode(next)) return;
  const known = new Map([...old.children].filter(child => child.id).map(child => [child.id, child]));
  let place = old.firstChild;
  for (const child of [...next.childNodes]) {
    const same = place && !place.id && !child.id && place.nodeName === child.nodeName;
    const match = child.id ? known.get(child.id) : same ? place : null;
    if (match && match === place) place = place.nextSibling;
    if (!match) old.insertBefore(child, place);
    else {
      if (match.nextSibling !== place) old.insertBefore(match, place);
      if (match.nodeType === Node.ELEMENT_NODE) morph(match, child);
      else if (match.data !== child.data) match.data = child.data;
    }
  }
  while (place) { const gone = place; place = place.nextSibling; gone.remove(); }
}

// What of the fleet is to be shown: what was searched for, else the servers of open backends.
function wanted() {
  const words = new URLSearchParams();
  const find = document.querySelector("#find input")?.value.trim();
  if (find) words.set("find", find);
  else if (opened) for (const name of opened.length ? opened.slice(-OPEN) : [""]) words.append("show", name);
  return `./?${words}`;
}

async function refresh() {
  clearTimeout(timer);
  const mine = ++turn;
  const began = performance.now();
  try {
    const answer = await ask(wanted(), {headers: {Accept: "text/html"}});
    if (!(answer.headers.get("Content-Type") || "").startsWith("text/html")) throw answer;
    const text = await answer.text();
    if (mine !== turn) return undefined;
    const page = new DOMParser().parseFromString(text, "text/html");
    const change = document.querySelector("#change[open]") && page.getElementById("change");
    if (change) change.open = true;      // what a person opened stays open
    morph(main(), page.querySelector("main"));
    document.title = page.title;
    live.textContent = main().dataset.page === "status" ? `live, as of ${new Date().toLocaleTimeString()}` : "";
    news();
  } catch (error) {
    if (mine !== turn) return undefined;
    if (error.status === 401) return refused();
    live.textContent = "lbd does not answer; these are the last figures";
  }
  if (main().dataset.page !== "status") return undefined;
  const took = performance.now() - began;      // thousands of servers: the browser has other things to do too
  timer = setTimeout(refresh, document.hidden ? HIDDEN : Math.max(EVERY, 5 * took));
  return undefined;
}

// Who does not see the page hears of servers that went or came back, and of nothing else.
function news() {
  const now = [...document.querySelectorAll("#ailing li")].map(item => item.textContent.replace(/ for .*/, ""));
  if (ailing !== null) {
    const worse = now.filter(item => !ailing.includes(item));
    const better = ailing.filter(item => !now.includes(item));
    if (worse.length || better.length)
      say([...worse, ...better.map(item => `no longer: ${item}`)].join("; "));
  }
  ailing = now;
}

function refused() {
  sessionStorage.removeItem(KEY);
  say("lbd does not know this token");
  if (main().dataset.page === "status") location.reload();
}

function open(button) {
  const {do: what, target, inFlight, weight} = button.dataset;
  const [word, text] = ASKED[what];
  wish = {what, target};
  document.getElementById("ask-title").textContent = `${word} ${target}?`;
  document.getElementById("ask-text").textContent =
    text + (what === "drain" || what === "maint" ? ` In flight now: ${inFlight}.` : "");
  document.getElementById("ask-yes").textContent = word;
  document.getElementById("ask-weight").hidden = what !== "weight";
  document.getElementById("ask-cut").hidden = what !== "drain" && what !== "maint";
  dialog.querySelector("input[type=checkbox]").checked = false;
  const field = dialog.querySelector("input[type=number]");
  field.disabled = what !== "weight";
  field.value = weight;
  document.getElementById("ask-reason").value = "";
  dialog.showModal();
}

// A backend is opened or closed; while something is searched for, what was found stays open.
function toggle(event, heading) {
  if (!heading || document.querySelector("#find input")?.value.trim()) return event.preventDefault();
  const {backend} = heading.parentElement.dataset;
  const was = heading.parentElement.open;
  opened = [...document.querySelectorAll("details.backend[open]")].map(found => found.dataset.backend)
    .filter(name => name !== backend);
  if (!was) opened.push(backend);
  return refresh();
}

async function change(reason, weight, cut) {
  const {what, target} = wish;
  const [backend, server] = target.split("/");
  const body = {reason, ...(what === "weight" ? {weight} : {mode: what}), ...(cut ? {cut: "0s"} : {})};
  try {
    const answer = await ask(`v1/backends/${encodeURIComponent(backend)}/servers/${encodeURIComponent(server)}`, {
      method: "PATCH", headers: {"Content-Type": "application/json"}, body: JSON.stringify(body)});
    const data = await answer.json();
    if (answer.ok) say(`${target}: mode ${data.mode}, weight ${data.weight}`);
    else say(`${target} is not changed: ${[data.detail, ...(data.problems || []).map(p => p.message)].join("; ")}`);
  } catch {
    say(`${target}: lbd does not answer`);
  }
  refresh();
}

document.addEventListener("click", event => {
  const button = event.target.closest("button[data-do]");
  const heading = event.target.closest("details.backend > summary");
  const link = event.target.closest("details.backend a");
  if (button) open(button);
  else if (heading || link) toggle(event, heading);
  else if (event.target.id === "ask-no") dialog.close();
});

document.addEventListener("submit", event => {
  event.preventDefault();
  if (event.target.id === "login") {
    const field = document.getElementById("token");
    sessionStorage.setItem(KEY, field.value.trim());
    field.value = "";
    say("");
    refresh();
  } else if (event.target.id === "find") refresh();
  else {
    dialog.close();
    change(document.getElementById("ask-reason").value, dialog.querySelector("input[type=number]").valueAsNumber,
      dialog.querySelector("input[type=checkbox]").checked);
  }
});

document.addEventListener("input", event => {
  if (!event.target.closest("#find")) return;
  clearTimeout(timer);
  timer = setTimeout(refresh, TYPING);
});

document.addEventListener("visibilitychange", () => { if (!document.hidden && timer) refresh(); });

if (main().dataset.page === "status" || sessionStorage.getItem(KEY)) refresh();
else document.getElementById("token").focus();
