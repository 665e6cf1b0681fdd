// The timeline: a lane for each place, a bar while it counts as exposed, a mark for whoever was reached there.
// docs/decisions/0860. Marks that would lie on each other are one mark with their number.

import { clock } from "./model.js";
import { ACCENT, BAR, CHOSEN, FONT, INK, LINE, PAPER, RED, SMALL, SOFT, Surface, dot, fit } from "./canvas.js";

const LANE = 32;
const AXIS = 26;
const BIN = 22;
const STEPS_S = [3600, 7200, 10800, 21600, 43200, 86400, 172800, 259200, 604800, 1209600, 2592000, 7776000, 31536000];

export class Timeline {
  constructor(parent, model) {
    this.model = model;
    this.lanes = [];
    this.marks = [];
    const { words } = model;
    this.surface = new Surface(parent, {
      name: "timeline",
      label: words.timeline,
      help: words.timelineHelp,
      size: (width) => [width, AXIS + this.lanes.length * LANE + 8],
      draw: (...window) => this.draw(...window),
      key: (key) => this.key(key),
      click: (x, y) => this.click(x, y),
    });
    const bars = model.places.flatMap((place) => place.spans.flat()).filter((time) => time !== null);
    this.start = model.first;
    this.end = Math.max(model.last, ...bars.slice(0, 20000));
    this.end = Math.max(this.end, this.start + 3600) + Math.max(60, (this.end - this.start) / 30);
    this.had = -1;
  }

  tell() {
    const { model } = this;
    const some = (them) => them.some((at) => model.mask[at]);
    this.lanes = model.places.map((_, place) => place)
      .filter((place) => some(model.byPlace[place]) || place === model.state.place)
      .sort((one, other) => (model.places[one].time ?? Infinity) - (model.places[other].time ?? Infinity) || one - other);
    if (some(model.nowhere)) this.lanes.push(-1);
    const { selected, place } = model.state;
    const lane = selected >= 0 ? model.members.place[selected] : place;
    const wanted = `${selected}/${place}`;
    if (this.had !== wanted) {
      this.had = wanted;
      const at = this.lanes.indexOf(lane);
      if (at >= 0 && (selected >= 0 || place >= 0)) this.surface.show(0, at * LANE, 0, LANE + AXIS);
    }
    this.surface.again();
  }

  x(time) { return this.left + ((this.right - this.left) * (time - this.start)) / (this.end - this.start); }

  draw(context, _, top, width, height) {
    const { model } = this;
    this.left = Math.min(220, Math.round(width * 0.34));
    this.right = width - 16;
    this.marks = [];
    this.top = top;
    if (this.start === null) return;
    this.axis(context, height);
    const first = Math.max(0, Math.floor((top - AXIS) / LANE));
    const last = Math.min(this.lanes.length, Math.ceil((top + height) / LANE));
    context.save();
    context.beginPath();
    context.rect(0, AXIS, width, height - AXIS);
    context.clip();
    for (let at = first; at < last; at += 1) this.lane(context, at, AXIS + at * LANE - top, width);
    context.restore();
    if (model.state.until !== null) {
      const x = this.x(Math.min(this.end, Math.max(this.start, model.state.until)));
      context.strokeStyle = RED;
      context.lineWidth = 2;
      context.beginPath();
      context.moveTo(x, AXIS - 6);
      context.lineTo(x, height);
      context.stroke();
    }
  }

  axis(context, height) {
    const room = Math.max(1, Math.floor((this.right - this.left) / 84));
    const step = STEPS_S.find((one) => (this.end - this.start) / one <= room) ?? STEPS_S.at(-1);
    context.font = SMALL;
    context.textAlign = "center";
    context.lineWidth = 1;
    const midnight = Math.floor((this.start + 8 * 3600) / 86400) * 86400 - 8 * 3600;
    for (let at = midnight; at <= this.end; at += step) {
      if (at < this.start) continue;
      const text = clock(at);
      context.strokeStyle = LINE;
      context.beginPath();
      context.moveTo(this.x(at), AXIS - 6);
      context.lineTo(this.x(at), height);
      context.stroke();
      context.fillStyle = SOFT;
      context.fillText(text.endsWith("00:00") ? text.slice(5, 10) : text.slice(11), this.x(at), AXIS - 10);
    }
    context.textAlign = "left";
  }

  lane(context, at, y, width) {
    const { model } = this;
    const number = this.lanes[at];
    const place = number < 0 ? null : model.places[number];
    const middle = y + LANE / 2;
    if (number >= 0 && number === model.state.place) {
      context.fillStyle = "#fdf3d7";
      context.fillRect(0, y, width, LANE);
      context.fillStyle = CHOSEN;
      context.fillRect(0, y, 4, LANE);
    }
    context.strokeStyle = LINE;
    context.lineWidth = 1;
    context.strokeRect(-1, y, width + 2, LANE);
    context.font = FONT;
    context.fillStyle = INK;
    const name = place === null ? model.words.nowhere : `${place.certain ? "" : "◌ "}${place.name}`;
    context.fillText(fit(context, name, this.left - 18), 8, middle + 4);
    for (const [start, end] of place?.spans ?? []) {
      const from = this.x(Math.max(this.start, start));
      const to = end === null ? this.right + 10 : this.x(Math.min(this.end, end));
      context.fillStyle = place.certain ? BAR : PAPER;
      context.fillRect(from, middle - 4, Math.max(2, to - from), 8);
      if (!place.certain) {
        context.setLineDash([3, 2]);
        context.strokeStyle = ACCENT;
        context.strokeRect(from, middle - 4, Math.max(2, to - from), 8);
        context.setLineDash([]);
      }
    }
    this.inLane(context, number, middle);
  }

  inLane(context, number, y) {
    const { model } = this;
    const { time, certain, tier, kind } = model.members;
    const bins = new Map();
    for (const at of number < 0 ? model.nowhere : model.byPlace[number]) {
      if (!model.mask[at] || time[at] === null || kind[at] === 1) continue;
      const bin = Math.round(this.x(time[at]) / BIN);
      if (bins.has(bin)) bins.get(bin).push(at);
      else bins.set(bin, [at]);
    }
    for (const them of bins.values()) {
      const x = this.x(time[them[0]]);
      const sure = them.some((at) => certain[at]);
      const close = them.some((at) => ["close", "high"].includes(model.tiers[tier[at]].id));
      const people = them.some((at) => kind[at] === 0);
      const chosen = them.includes(model.state.selected);
      const radius = them.length > 1 ? 11 : 6;
      const line = close ? RED : ACCENT;
      if (people) dot(context, x, y, radius, { certain: sure, fill: them.length > 1 ? PAPER : line, line, chosen });
      else this.square(context, x, y, radius - 1, sure, chosen);
      if (them.length > 1) {
        context.font = SMALL;
        context.textAlign = "center";
        context.fillStyle = INK;
        context.fillText(them.length > 999 ? "999+" : them.length, x, y + 4);
        context.textAlign = "left";
      }
      this.marks.push({ x, y, radius: radius + 4, them });
    }
  }

  square(context, x, y, half, certain, chosen) {
    context.fillStyle = certain ? "#cfe3ee" : PAPER;
    context.fillRect(x - half, y - half, 2 * half, 2 * half);
    context.setLineDash(certain ? [] : [3, 2]);
    context.strokeStyle = chosen ? CHOSEN : ACCENT;
    context.lineWidth = chosen ? 4 : 2;
    context.strokeRect(x - half, y - half, 2 * half, 2 * half);
    context.setLineDash([]);
  }

  click(x, y) {
    const { model } = this;
    const hit = this.marks.find((mark) => Math.hypot(mark.x - x, mark.y - y) <= mark.radius);
    if (hit) {
      // Again on the same mark: the next of those in it.
      const now = hit.them.indexOf(model.state.selected);
      model.set({ selected: hit.them[(now + 1) % hit.them.length] });
      return;
    }
    const lane = this.lanes[Math.floor((y - AXIS + this.top) / LANE)];
    if (y > AXIS && lane >= 0) model.choosePlace(lane);
  }

  key(key) {
    const { model } = this;
    const { place, selected } = model.state;
    if (key === "Escape") model.set({ place: -1, selected: -1 });
    else if (key === "ArrowDown" || key === "ArrowUp") {
      const lanes = this.lanes.filter((one) => one >= 0);
      const now = lanes.indexOf(place);
      const next = now < 0 ? 0 : Math.min(lanes.length - 1, Math.max(0, now + (key === "ArrowDown" ? 1 : -1)));
      if (lanes.length) model.set({ place: lanes[next], selected: -1 });
    } else if (key === "ArrowRight" || key === "ArrowLeft") {
      const lane = place >= 0 ? place : selected >= 0 ? model.members.place[selected] : this.lanes[0];
      const them = (lane < 0 ? model.nowhere : model.byPlace[lane] ?? []).filter((at) => model.mask[at]);
      const now = them.indexOf(selected);
      const next = now < 0 ? 0 : Math.min(them.length - 1, Math.max(0, now + (key === "ArrowRight" ? 1 : -1)));
      if (them.length) model.set({ selected: them[next] });
    } else return false;
    return true;
  }
}
