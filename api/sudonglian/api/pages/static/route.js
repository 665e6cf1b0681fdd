// The route as a graph: from the seed to the places, each beneath the one from which its exposure came.
// docs/decisions/0860. A tree, for each place is reached first once; branches beyond what can be read are folded.

import { ACCENT, BAR, CHOSEN, FONT, INK, LINE, PAPER, RED, SMALL, SOFT, Surface, fit } from "./canvas.js";
import { clock, fill } from "./model.js";

const ROW = 46;
const COLUMN = 236;
const WIDE = 188;
const HIGH = 38;
const CHILDREN = 6; // of one place, before the rest is folded
const FIRST = 36; // places that are unfolded at first
const ROOT = -1;

export class Route {
  constructor(parent, model) {
    this.model = model;
    this.children = new Map([[ROOT, []]]);
    model.places.forEach((place, at) => {
      if (place.time === null && !place.spans.length) return; // only where somebody was reached, no stop
      if (!this.children.has(place.previous)) this.children.set(place.previous, []);
      this.children.get(place.previous).push(at);
    });
    const below = new Map();
    const weigh = (at) => model.places[at].people + model.places[at].goods + (below.get(at) ?? 0) + 1;
    for (let at = model.places.length - 1; at >= 0; at -= 1) {
      const before = model.places[at].previous; // always an earlier one
      if (before >= 0) below.set(before, (below.get(before) ?? 0) + weigh(at));
    }
    for (const them of this.children.values()) them.sort((one, other) => weigh(other) - weigh(one) || one - other);
    this.limit = new Map();
    this.open = new Set([ROOT]);
    this.unfold();
    const { words } = model;
    this.surface = new Surface(parent, {
      name: "route", label: words.route, help: words.routeHelp, size: () => [this.width, this.height],
      draw: (...window) => this.draw(...window), key: (key) => this.key(key), click: (x, y) => this.click(x, y),
    });
    this.layout();
    this.had = null;
  }

  unfold() {
    let shown = 0;
    const queue = [ROOT];
    while (queue.length && shown < FIRST) {
      const at = queue.shift();
      this.open.add(at);
      const them = this.first(at);
      shown += them.length;
      queue.push(...them);
    }
  }

  first(at) { return (this.children.get(at) ?? []).slice(0, this.limit.get(at) ?? CHILDREN); }

  layout() {
    // Without recursion: chains of places may be long.
    this.nodes = [];
    let row = 0;
    const visit = [{ at: ROOT, depth: 0, parent: null }];
    while (visit.length) {
      const one = visit.pop();
      this.nodes.push(one);
      one.kids = [];
      one.parent?.kids.push(one);
      const all = this.children.get(one.at) ?? [];
      const them = one.more || !this.open.has(one.at) ? [] : this.first(one.at);
      const next = them.map((at) => ({ at, depth: one.depth + 1, parent: one }));
      if (them.length && them.length < all.length) next.push({ at: one.at, more: all.length - them.length, depth: one.depth + 1, parent: one });
      one.folded = one.more || this.open.has(one.at) ? 0 : all.length;
      if (!next.length) { one.y = row * ROW; row += 1; }
      visit.push(...next.reverse());
    }
    for (const one of this.nodes.toReversed()) {
      if (one.kids.length) one.y = (one.kids[0].y + one.kids.at(-1).y) / 2;
      one.x = 12 + one.depth * COLUMN;
    }
    this.width = 24 + (Math.max(...this.nodes.map((one) => one.depth)) + 1) * COLUMN;
    this.height = Math.max(1, row) * ROW + 12;
    this.nodeOf = new Map(this.nodes.filter((one) => !one.more).map((one) => [one.at, one]));
  }

  reveal(place) {
    let changed = false;
    for (let at = place; at >= 0; at = this.model.places[at].previous) {
      const before = this.model.places[at].previous;
      const number = (this.children.get(before) ?? []).indexOf(at);
      if (number < 0) return;
      if (!this.open.has(before)) { this.open.add(before); changed = true; }
      if (number >= (this.limit.get(before) ?? CHILDREN)) { this.limit.set(before, number + 1); changed = true; }
    }
    if (changed) this.layout();
  }

  tell() {
    const { selected, place } = this.model.state;
    const chosen = selected >= 0 ? this.model.members.place[selected] : place;
    if (this.had === null) { // seen for the first time: begin at the seed
      this.surface.now();
      this.surface.scroller.scrollTop = this.nodeOf.get(ROOT).y + ROW / 2 - this.surface.scroller.clientHeight / 2;
    }
    if (this.had !== chosen) {
      this.had = chosen;
      if (chosen >= 0) this.reveal(chosen);
      const node = this.nodeOf.get(chosen);
      if (node && chosen >= 0) {
        this.surface.now();
        this.surface.show(node.x - 8, node.y, WIDE + 16, HIGH + 8);
      }
    }
    this.surface.again();
  }

  draw(context, left, top, width, height) {
    const { model } = this;
    const { selected, place } = model.state;
    const chosen = selected >= 0 ? model.members.place[selected] : place;
    const path = new Set();
    for (let at = chosen; at >= 0; at = model.places[at].previous) path.add(at);
    context.translate(-left, -top);
    for (const one of this.nodes) {
      const seen = one.x + COLUMN > left - COLUMN && one.x < left + width;
      if (!one.parent || !seen) continue;
      const certain = one.more || model.places[one.at].certain;
      const lit = !one.more && path.has(one.at);
      context.strokeStyle = lit ? CHOSEN : BAR;
      context.lineWidth = lit ? 4 : 2;
      context.setLineDash(certain ? [] : [5, 4]);
      const [fromX, fromY] = [one.parent.x + WIDE, one.parent.y + HIGH / 2 + 6];
      const y = one.y + HIGH / 2 + 6;
      context.beginPath();
      context.moveTo(fromX, fromY);
      context.bezierCurveTo(fromX + 24, fromY, one.x - 24, y, one.x, y);
      context.stroke();
    }
    context.setLineDash([]);
    for (const one of this.nodes) {
      if (one.x + WIDE < left || one.x > left + width || one.y + ROW < top || one.y > top + height) continue;
      this.node(context, one, chosen);
    }
  }

  node(context, one, chosen) {
    const { model } = this;
    const y = one.y + 6;
    const place = one.at >= 0 && !one.more ? model.places[one.at] : null;
    const some = !place || model.byPlace[one.at].some((at) => model.mask[at]);
    context.fillStyle = one.more ? "#e4eef4" : PAPER;
    context.strokeStyle = place && one.at === chosen ? CHOSEN : one.at < 0 && !one.more ? RED : some ? ACCENT : LINE;
    context.lineWidth = place && one.at === chosen ? 4 : 2;
    context.setLineDash(place && !place.certain ? [4, 3] : []);
    context.beginPath();
    context.roundRect(one.x, y, WIDE, HIGH, place?.kind === "vehicle" ? 18 : 5);
    context.fill();
    context.stroke();
    context.setLineDash([]);
    context.font = FONT;
    context.fillStyle = some ? INK : SOFT;
    const { words } = model;
    const name = one.more ? fill(words.more, { count: one.more }) : place ? `${place.certain ? "" : "◌ "}${place.name}` : `${words.seed}: ${model.seed}`;
    context.fillText(fit(context, name, WIDE - 16), one.x + 8, y + (place ? 16 : 24));
    if (!place) return;
    context.font = SMALL;
    context.fillStyle = SOFT;
    const folded = one.folded ? ` ▸ ${one.folded}` : "";
    const told = `${clock(place.time).slice(5)} · ${fill(words.both, { people: place.people, goods: place.goods })}${folded}`;
    context.fillText(fit(context, told, WIDE - 16), one.x + 8, y + 32);
  }

  click(x, y) {
    const [left, top] = [x + this.surface.scroller.scrollLeft, y + this.surface.scroller.scrollTop];
    const hit = this.nodes.find((one) => left >= one.x && left <= one.x + WIDE && top >= one.y + 6 && top <= one.y + 6 + HIGH);
    if (hit) this.act(hit);
  }

  act(node) {
    if (node.more) {
      this.limit.set(node.at, (this.limit.get(node.at) ?? CHILDREN) + 4 * CHILDREN);
      this.layout();
      this.surface.again();
    } else if (node.at >= 0) {
      if (node.folded) {
        this.open.add(node.at);
        this.layout();
      }
      this.had = node.at;
      this.model.set({ place: node.at === this.model.state.place && !node.folded ? -1 : node.at, selected: -1 });
    }
  }

  key(key) {
    const { place } = this.model.state;
    const node = this.nodeOf.get(place);
    const go = (to) => to && to.at >= 0 && !to.more && this.model.set({ place: to.at, selected: -1 });
    if (key === "Escape") this.model.set({ place: -1, selected: -1 });
    else if (!node || node.at < 0) {
      if (!key.startsWith("Arrow")) return false;
      go(this.nodeOf.get(ROOT).kids[0]);
    } else if (key === "ArrowLeft") go(node.parent);
    else if (key === "ArrowRight") {
      if (node.folded) { this.open.add(node.at); this.layout(); }
      go(this.nodeOf.get(place).kids[0]);
      this.surface.again();
    } else if (key === "ArrowUp" || key === "ArrowDown") {
      const beside = this.nodes.filter((one) => one.depth === node.depth && (!one.more || one === node)).sort((a, b) => a.y - b.y);
      go(beside[beside.indexOf(node) + (key === "ArrowDown" ? 1 : -1)]);
    } else if (key === "Enter" || key === " ") {
      const rest = node.parent?.kids.find((one) => one.more);
      if (rest) this.act(rest);
    } else return false;
    return true;
  }
}
