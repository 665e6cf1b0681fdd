// The line list: of thousands of members only the rows that can be seen are in the page.
// docs/decisions/0860.

import { clock, fill } from "./model.js";
import { made } from "./canvas.js";

const SPARE = 6; // rows drawn above and below what is seen, so that scrolling shows no gap
const COLUMNS = [["who", "name"], ["tier", ""], ["since", "time"], ["where", "place"], ["generation", "generation"],
  ["evidence", null], ["reason", null], ["why", null]];

export class List {
  constructor(parent, model, whyUrl) {
    this.model = model;
    this.whyUrl = whyUrl;
    const { words } = model;
    this.heads = COLUMNS.map(([name, sort]) => {
      const text = words[name === "since" && model.backward ? "until" : name];
      if (sort === null) return made("div", { role: "columnheader", class: `v-${name}` }, text);
      const button = made("button", { type: "button", onclick: () => model.set({ sort }) }, text);
      return made("div", { role: "columnheader", class: `v-${name}`, "data-sort": sort }, button);
    });
    this.space = made("div", { class: "v-space", role: "rowgroup" });
    this.scroller = made("div", { class: "v-rows", role: "presentation" }, this.space);
    this.empty = made("p", { class: "note", hidden: true }, words.empty);
    this.grid = made(
      "div",
      { class: "v-list", role: "grid", tabindex: "0", "aria-label": words.list, "aria-colcount": COLUMNS.length,
        "aria-describedby": "v-list-help" },
      made("div", { role: "rowgroup", class: "v-head" }, made("div", { role: "row", "aria-rowindex": "1" }, ...this.heads)),
      this.scroller,
    );
    parent.append(this.empty, this.grid, made("p", { class: "hint v-help", id: "v-list-help" }, words.listHelp));
    this.rows = new Map();
    this.free = [];
    this.scroller.addEventListener("scroll", () => this.ask(), { passive: true });
    this.grid.addEventListener("keydown", (event) => this.key(event));
    this.space.addEventListener("click", (event) => {
      const row = event.target.closest("[role=row]");
      if (row && !event.target.closest("a")) model.choose(row.member);
    });
    new ResizeObserver(() => this.tell()).observe(this.scroller);
    this.asked = false;
    this.was = null;
    this.chosen = null;
  }

  ask() {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => {
      this.asked = false;
      this.window();
    });
  }

  tell() {
    const { shown, state } = this.model;
    this.height = matchMedia("(max-width: 700px)").matches ? 200 : 62;
    for (const head of this.heads) {
      const sorts = head.dataset.sort === state.sort;
      const down = state.sort === "time" && this.model.backward;
      if (head.dataset.sort !== undefined) head.setAttribute("aria-sort", sorts ? (down ? "descending" : "ascending") : "none");
    }
    this.grid.setAttribute("aria-rowcount", shown.length + 1);
    this.space.style.height = `${shown.length * this.height}px`;
    this.empty.hidden = shown.length > 0;
    if (this.was !== shown) {
      for (const row of this.rows.values()) this.free.push(row);
      this.rows.clear();
      this.was = shown;
    }
    if (this.chosen !== state.selected) {
      this.chosen = state.selected;
      const at = shown.indexOf(state.selected);
      if (at >= 0) this.bring(at);
    }
    this.window();
  }

  bring(at) {
    const top = at * this.height;
    const { scrollTop, clientHeight } = this.scroller;
    if (top < scrollTop) this.scroller.scrollTop = top;
    else if (top + this.height > scrollTop + clientHeight) this.scroller.scrollTop = top + this.height - clientHeight;
  }

  window() {
    const { shown, state } = this.model;
    const first = Math.max(0, Math.floor(this.scroller.scrollTop / this.height) - SPARE);
    const last = Math.min(shown.length, first + Math.ceil(this.scroller.clientHeight / this.height) + 2 * SPARE);
    for (const [at, row] of this.rows) {
      if (at < first || at >= last) {
        this.rows.delete(at);
        this.free.push(row);
      }
    }
    let active = "";
    for (let at = first; at < last; at += 1) {
      let row = this.rows.get(at);
      if (!row) {
        row = this.free.pop() ?? this.row();
        this.rows.set(at, row);
        this.fill(row, at, shown[at]);
        row.hidden = false;
      }
      const chosen = shown[at] === state.selected;
      row.setAttribute("aria-selected", chosen);
      if (chosen) active = row.id;
    }
    for (const row of this.free) row.hidden = true;
    if (active) this.grid.setAttribute("aria-activedescendant", active);
    else this.grid.removeAttribute("aria-activedescendant");
  }

  row() {
    const cells = COLUMNS.map(([name]) => made("div", { role: "gridcell", class: `v-${name}` }));
    const row = made("div", { role: "row", class: "v-row" }, ...cells);
    row.id = `v-row-${this.space.childElementCount}`;
    row.cells = cells;
    row.link = made("a", { tabindex: "-1" }, this.model.words.why);
    cells[7].append(row.link);
    row.tier = made("span");
    cells[1].append(row.tier);
    row.name = made("b");
    row.told = made("span", { class: "id" });
    cells[0].append(row.name, row.told);
    this.space.append(row);
    return row;
  }

  fill(row, at, member) {
    const { members, tiers, places, words } = this.model;
    const tier = tiers[members.tier[member]];
    const certain = members.certain[member];
    row.member = member;
    row.setAttribute("aria-rowindex", at + 2);
    row.style.transform = `translateY(${at * this.height}px)`;
    row.name.textContent = members.name[member];
    row.told.textContent = this.model.kind(member) === "person" ? fill(words.number, { id: members.id[member] }) : members.id[member];
    row.tier.textContent = tier.name || "—";
    row.tier.className = `tier ${tier.id}`;
    row.cells[2].textContent = clock(members.time[member]);
    row.cells[3].textContent = members.place[member] < 0 ? "—" : places[members.place[member]].name;
    row.cells[4].textContent = members.generation[member];
    row.cells[5].textContent = certain ? `● ${words.certain}` : `◌ ${words.possible}`;
    row.cells[5].className = certain ? "v-evidence" : "v-evidence possible";
    row.cells[6].textContent = members.reason[member];
    row.cells[6].title = members.reason[member];
    row.link.href = this.whyUrl(member);
    row.link.setAttribute("aria-label", `${words.why} ${members.name[member]}`);
  }

  key(event) {
    if (event.target.closest("button, a") || event.ctrlKey || event.metaKey || event.altKey) return;
    const { shown, state } = this.model;
    const now = shown.indexOf(state.selected);
    const page = Math.max(1, Math.floor(this.scroller.clientHeight / this.height) - 1);
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity }[event.key];
    if (step !== undefined && shown.length) {
      const from = now < 0 && step > 0 ? -1 : now;
      this.model.set({ selected: shown[Math.min(shown.length - 1, Math.max(0, from + step))] });
    } else if (event.key === "Enter" && now >= 0) location.assign(this.whyUrl(state.selected));
    else if (event.key === "Escape") this.model.set({ selected: -1 });
    else return;
    event.preventDefault();
  }
}
