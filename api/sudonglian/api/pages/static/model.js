// What all views of an answer share: its members and places, what is chosen and left out, and the address that says so.
// docs/decisions/0860. A view draws what `shown` and `mask` say and calls `set`; every view is told of every change.

const KINDS = ["person", "place", "item"];
const ZONE_S = 8 * 3600; // China's time, as on all pages
const FILTERS = ["q", "kind", "tier", "evidence", "generation", "sort"];

export const clock = (seconds) =>
  seconds === null ? "" : new Date((seconds + ZONE_S) * 1000).toISOString().slice(0, 16).replace("T", " ");

export const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

function momentOf(text) {
  const found = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d$/.test(text) ? Date.parse(text.replace(" ", "T") + "Z") : NaN;
  return Number.isNaN(found) ? null : found / 1000 - ZONE_S;
}

export class Model {
  constructor(data, search) {
    Object.assign(this, data); // backward, seed, tiers, places, members, words
    this.count = this.members.id.length;
    this.mask = new Uint8Array(this.count); // in the pictures: whatever the filters leave
    this.shown = new Int32Array(0); // in the list: of those, in the chosen place, sorted
    this.byPlace = this.places.map(() => []);
    this.nowhere = [];
    this.placeOf = new Map(this.places.map((place, at) => [place.id, at]));
    this.memberOf = new Map();
    for (let at = 0; at < this.count; at += 1) {
      const place = this.members.place[at];
      (place < 0 ? this.nowhere : this.byPlace[place]).push(at);
      this.memberOf.set(this.key(at), at);
    }
    const byTime = (one, other) => (this.members.time[one] ?? Infinity) - (this.members.time[other] ?? Infinity);
    for (const them of [...this.byPlace, this.nowhere]) them.sort(byTime);
    const times = this.members.time.filter((time) => time !== null);
    this.first = times.length ? times.reduce((a, b) => Math.min(a, b)) : null;
    this.last = times.length ? times.reduce((a, b) => Math.max(a, b)) : null;
    this.orders = new Map();
    this.told = [];
    this.waiting = false;
    this.read(search);
  }

  key(at) { return `${KINDS[this.members.kind[at]]}:${this.members.id[at]}`; }

  kind(at) { return KINDS[this.members.kind[at]]; }

  read(search) {
    const said = new URLSearchParams(search);
    this.state = Object.fromEntries(FILTERS.map((name) => [name, said.get(name) ?? ""]));
    this.state.place = this.placeOf.get(said.get("place")) ?? -1;
    this.state.until = momentOf(said.get("until") ?? "");
    this.state.selected = this.memberOf.get(said.get("selected")) ?? -1;
    this.apply();
  }

  asked() {
    const { place, until, selected } = this.state;
    const said = FILTERS.map((name) => [name, this.state[name]]);
    said.push(["place", place < 0 ? "" : this.places[place].id]);
    said.push(["until", until === null ? "" : clock(until).replace(" ", "T")]);
    said.push(["selected", selected < 0 ? "" : this.key(selected)]);
    return said.filter(([, value]) => value !== "");
  }

  set(change) {
    Object.assign(this.state, change);
    if (!("selected" in change && Object.keys(change).length === 1)) this.apply();
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      for (const tell of this.told) tell();
    });
  }

  choose(at) { this.set({ selected: at === this.state.selected ? -1 : at }); }

  choosePlace(place) { this.set({ place: place === this.state.place ? -1 : place }); }

  apply() {
    const { kind, time, certain, generation, tier, place } = this.members;
    const { state } = this;
    const wantedKind = state.kind ? KINDS.indexOf(state.kind) : -1;
    const wantedHops = state.generation ? Number(state.generation) : -1;
    const text = state.q.trim().toLowerCase();
    if (text && !this.texts) this.texts = this.members.id.map((_, at) => this.text(at));
    const found = [];
    for (const at of this.order()) {
      const wanted =
        (wantedKind < 0 || kind[at] === wantedKind) &&
        (wantedHops < 0 || generation[at] === wantedHops) &&
        (!state.tier || this.tiers[tier[at]].id === state.tier) &&
        (!state.evidence || certain[at] === Number(state.evidence === "certain")) &&
        (state.until === null || (time[at] !== null && time[at] <= state.until)) &&
        (!text || this.texts[at].includes(text));
      this.mask[at] = wanted ? 1 : 0;
      if (wanted && (state.place < 0 || place[at] === state.place)) found.push(at);
    }
    this.shown = Int32Array.from(found);
  }

  text(at) {
    const { id, name, tier, place, reason } = this.members;
    const where = place[at] < 0 ? "" : this.places[place[at]].name;
    return [name[at], id[at], this.tiers[tier[at]].name, where, reason[at]].join("\n").toLowerCase();
  }

  order() {
    const { sort } = this.state;
    if (!this.orders.has(sort)) {
      const order = Array.from({ length: this.count }, (_, at) => at);
      const { time, generation, name, place } = this.members;
      const words = new Intl.Collator(document.documentElement.lang);
      const where = (at) => (place[at] < 0 ? "" : this.places[place[at]].name);
      const sign = this.backward ? -1 : 1;
      if (sort === "time") order.sort((a, b) => sign * ((time[a] ?? Infinity) - (time[b] ?? Infinity)));
      if (sort === "generation") order.sort((a, b) => generation[a] - generation[b]);
      if (sort === "name") order.sort((a, b) => words.compare(name[a], name[b]));
      if (sort === "place") order.sort((a, b) => words.compare(where(a), where(b)));
      this.orders.set(sort, order);
    }
    return this.orders.get(sort);
  }
}
