// Brings the linked views of an answer into its page, instead of the pictures that the server has drawn.
// docs/decisions/0860. Without this script the page has the same in pictures and tables, and its filters are a form.

import { Model, clock, fill } from "./model.js";
import { made } from "./canvas.js";
import { List } from "./list.js";
import { Places } from "./places.js";
import { Route } from "./route.js";
import { Timeline } from "./timeline.js";

const REMEMBER_MS = 250; // the address follows a slider, but not at each of its steps
const TYPING_MS = 120;

function section(title, name, ...children) {
  const head = made("h2", { id: `v-${name}` }, title);
  return made("section", { "aria-labelledby": head.id, class: `v-section v-section-${name}` }, head, ...children);
}

function slider(model) {
  const { words } = model;
  const first = Math.floor(model.first / 60) * 60;
  const last = Math.ceil(model.last / 60) * 60;
  const minutes = Math.max(1, (last - first) / 60);
  const step = Math.max(1, Math.round(minutes / 1000));
  const steps = Math.ceil(minutes / step) * step; // else the last step would end before the last minute
  const range = made("input", { type: "range", id: "v-until", min: "0", max: steps, step, value: steps });
  const output = made("output", { for: "v-until" });
  const moment = () => (Number(range.value) >= steps ? null : first + Number(range.value) * 60);
  range.addEventListener("input", () => model.set({ until: moment() }));
  const all = made("button", { type: "button", class: "second", onclick: () => model.set({ until: null }) }, words.allTime);
  const tell = () => {
    const { until } = model.state;
    range.value = until === null ? steps : Math.min(steps, Math.max(0, (until - first) / 60));
    const text = until === null ? words.everything : fill(words.reachedBy, { time: clock(until) });
    if (output.textContent !== text) {
      output.textContent = text;
      range.setAttribute("aria-valuetext", text);
    }
  };
  const label = made("label", { for: "v-until" }, words.time);
  return [made("div", { class: "v-slider" }, label, range, output, all), tell];
}

function chosen(model, whyUrl) {
  const panel = made("div", { class: "note v-chosen", role: "status", "aria-live": "polite" });
  let was = "";
  const tell = () => {
    const { members, tiers, places, words, state } = model;
    const { selected, place } = state;
    const now = `${selected}/${place}/${model.shown.length}`;
    if (now === was) return;
    was = now;
    const parts = [];
    if (selected >= 0) {
      const where = members.place[selected] < 0 ? "" : places[members.place[selected]].name;
      const evidence = members.certain[selected] ? `● ${words.certain}` : `◌ ${words.possible}`;
      parts.push(made("b", {}, members.name[selected]));
      parts.push(` · ${[tiers[members.tier[selected]].name, clock(members.time[selected]), where, evidence].filter(Boolean).join(" · ")}`);
      parts.push(made("span", { class: "v-said" }, members.reason[selected], " "), made("a", { href: whyUrl(selected) }, words.why));
    }
    if (place >= 0) parts.push(made("span", { class: "v-said" }, fill(words.placeChosen, { name: places[place].name, count: model.shown.length })));
    if (!parts.length) parts.push(fill(words.count, { count: model.shown.length, all: model.count }), " ", words.how);
    if (selected >= 0 || place >= 0) {
      parts.push(" ", made("button", { type: "button", class: "second", onclick: () => model.set({ selected: -1, place: -1 }) }, words.release));
    }
    panel.replaceChildren(...parts);
  };
  return [panel, tell];
}

function filters(form, model) {
  const names = ["kind", "tier", "evidence", "generation", "sort"];
  let waits = 0;
  form.elements.q.addEventListener("input", () => {
    clearTimeout(waits);
    waits = setTimeout(() => model.set({ q: form.elements.q.value }), TYPING_MS);
  });
  for (const name of names) form.elements[name].addEventListener("change", () => model.set({ [name]: form.elements[name].value }));
  form.addEventListener("submit", (event) => event.preventDefault());
  form.querySelector("button").hidden = true;
  form.querySelector("#clear").addEventListener("click", (event) => {
    event.preventDefault();
    form.elements.q.value = "";
    model.set({ q: "", kind: "", tier: "", evidence: "", generation: "", sort: "", place: -1, until: null, selected: -1 });
  });
  return () => {
    for (const name of names) form.elements[name].value = model.state[name];
  };
}

function address(model, links) {
  let waits = 0;
  const kept = ["lang", "was"];
  return () => {
    clearTimeout(waits);
    waits = setTimeout(() => {
      const url = new URL(location.href);
      const said = new URLSearchParams(model.asked());
      for (const name of kept) if (url.searchParams.has(name)) said.set(name, url.searchParams.get(name));
      url.search = said;
      history.replaceState(null, "", url);
      for (const [link, path] of links) link.href = `${path}?${said}`;
    }, REMEMBER_MS);
  };
}

async function begin() {
  const root = document.getElementById("views");
  if (!root) return;
  const inline = document.getElementById("views-data");
  let data;
  if (inline) data = JSON.parse(inline.textContent);
  else {
    const answer = await fetch(root.dataset.source, { headers: { Accept: "application/json" } });
    if (!answer.ok) return; // what the server has drawn stays
    data = await answer.json();
  }
  if (!data.members.id.length) return;
  const model = new Model(data, location.search);
  const { words } = model;
  const whyUrl = (at) => {
    if (!root.dataset.why) return "";
    const url = new URL(root.dataset.why, location.href);
    url.searchParams.set("member", model.key(at));
    return url.href;
  };
  const [panel, tellPanel] = chosen(model, whyUrl);
  const told = [tellPanel];
  const parts = [panel];
  if (model.places.length) {
    const route = section(words.route, "route");
    const map = section(words.map, "map");
    parts.push(made("div", { class: "v-two" }, route, map));
    told.push(...[new Route(route, model), new Places(map, model)].map((view) => () => view.tell()));
  }
  if (model.first !== null) {
    const time = section(words.timeline, "timeline");
    const [control, tellSlider] = slider(model);
    time.append(control);
    const view = new Timeline(time, model);
    told.push(tellSlider, () => view.tell());
    parts.push(time);
  }
  const list = section(words.list, "list");
  const rows = new List(list, model, whyUrl);
  told.push(() => rows.tell());
  if (root.dataset.list) {
    const links = ["CSV", "XLSX"].map((form) => [made("a", {}, form), `${root.dataset.list}.${form.toLowerCase()}`]);
    const table = [made("a", {}, words.asTable), root.dataset.list];
    list.querySelector("h2").after(made("p", {}, table[0], " ", ...links.flatMap(([link]) => [link, " "])));
    told.push(address(model, [table, ...links]));
  }
  parts.push(list);
  root.append(...parts);
  const form = document.getElementById("filters");
  if (form) told.push(filters(form, model));
  model.told = told;
  document.documentElement.classList.add("linked");
  root.hidden = false;
  for (const tell of told) tell();
  root.dataset.ready = "true";
}

begin();
