// The places on a map without borders: projected coordinates, a graticule and a scale; nothing is fetched.
// docs/decisions/0860. Equirectangular about the middle of the places; places too near each other are one mark.

import { ACCENT, BAR, FONT, INK, LINE, SMALL, SOFT, Surface, dot, fit, made } from "./canvas.js";
import { fill } from "./model.js";

const DEGREE_M = 111_195; // of a great circle
const CELL = 44;
const MARGIN = 48;
const LISTED = 200;
const STEPS = [30, 20, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005, 0.0002, 0.0001];
const SCALES_M = [1e6, 5e5, 2e5, 1e5, 5e4, 2e4, 1e4, 5000, 2000, 1000, 500, 200, 100, 50, 20, 10];

export class Places {
  constructor(parent, model) {
    this.model = model;
    this.known = model.places.map((_, at) => at).filter((at) => model.places[at].point);
    this.unknown = model.places.map((_, at) => at).filter((at) => !model.places[at].point);
    this.marks = [];
    const { words } = model;
    if (this.known.length) {
      const button = (text, label, act) => made("button", { type: "button", class: "second", "aria-label": label, onclick: act }, text);
      parent.append(made("p", { class: "v-tools" }, button("+", words.closer, () => this.zoom(1.6)),
        button("−", words.farther, () => this.zoom(1 / 1.6)), button("⤢", words.whole, () => this.whole())));
      this.surface = new Surface(parent, {
        name: "map", label: words.map, help: words.mapHelp, size: (width, height) => [width, height],
        draw: (context, left, top, width, height) => this.draw(context, width, height),
        key: (key) => this.key(key), click: (x, y) => this.click(x, y),
      });
      const points = this.known.map((at) => model.places[at].point);
      const bounds = (axis) => [Math.min(...points.map((one) => one[axis])), Math.max(...points.map((one) => one[axis]))];
      [this.west, this.east] = bounds(0);
      [this.south, this.north] = bounds(1);
      this.whole();
      this.drag();
    } else parent.append(made("p", { class: "note" }, words.noPoints));
    if (this.unknown.length) this.list(parent);
  }

  list(parent) {
    const { model } = this;
    const shown = this.unknown.slice(0, LISTED);
    const items = shown.map((at) => made("li", {}, made("button",
      { type: "button", class: "quiet", "data-place": at, "aria-pressed": "false", onclick: () => model.choosePlace(at) }, model.places[at].name)));
    const title = fill(model.words.unknown, { count: this.unknown.length });
    this.names = made("ul", { class: "v-unknown" }, ...items);
    const more = this.unknown.length > LISTED ? [made("p", { class: "hint" }, fill(model.words.moreUnknown, { count: this.unknown.length - LISTED }))] : [];
    parent.append(made("details", { open: !this.known.length }, made("summary", {}, title), this.names, ...more));
  }

  whole() {
    this.centre = [(this.west + this.east) / 2, (this.south + this.north) / 2];
    this.factor = 1;
    this.surface?.again();
  }

  zoom(by) {
    this.factor = Math.min(5000, Math.max(0.5, this.factor * by));
    const { place } = this.model.state;
    if (by > 1 && place >= 0 && this.model.places[place].point) this.centre = [...this.model.places[place].point];
    this.surface.again();
  }

  drag() {
    let from = null;
    const { scroller } = this.surface;
    scroller.addEventListener("pointerdown", (event) => { if (event.pointerType === "mouse") from = [event.clientX, event.clientY]; });
    addEventListener("pointerup", () => { from = null; });
    scroller.addEventListener("pointermove", (event) => {
      if (!from) return;
      this.centre[0] -= (event.clientX - from[0]) / this.scale / this.narrow;
      this.centre[1] += (event.clientY - from[1]) / this.scale;
      from = [event.clientX, event.clientY];
      this.surface.again();
    });
  }

  tell() {
    for (const button of this.names?.querySelectorAll("button") ?? []) {
      button.setAttribute("aria-pressed", Number(button.dataset.place) === this.model.state.place);
    }
    this.surface?.again();
  }

  at(point) {
    return [this.width / 2 + (point[0] - this.centre[0]) * this.narrow * this.scale, this.height / 2 - (point[1] - this.centre[1]) * this.scale];
  }

  draw(context, width, height) {
    Object.assign(this, { width, height });
    this.narrow = Math.max(0.05, Math.cos(((this.south + this.north) / 2) * (Math.PI / 180)));
    const wide = Math.max(0.002, (this.east - this.west) * this.narrow);
    const high = Math.max(0.002, this.north - this.south);
    this.scale = Math.min((width - 2 * MARGIN) / wide, (height - 2 * MARGIN) / high) * this.factor;
    this.graticule(context);
    this.routes(context);
    this.clusters(context);
    this.measure(context);
  }

  graticule(context) {
    const step = STEPS.findLast((one) => one * this.scale * this.narrow >= 90) ?? STEPS[0];
    const digits = Math.max(0, Math.ceil(-Math.log10(step)));
    const half = [this.width / 2 / this.scale / this.narrow, this.height / 2 / this.scale];
    context.strokeStyle = LINE;
    context.fillStyle = SOFT;
    context.lineWidth = 1;
    context.font = SMALL;
    for (const axis of [0, 1]) {
      const first = Math.ceil((this.centre[axis] - half[axis]) / step);
      for (let n = first; n * step <= this.centre[axis] + half[axis]; n += 1) {
        const degrees = n * step;
        const [x, y] = this.at(axis ? [this.centre[0], degrees] : [degrees, this.centre[1]]);
        context.beginPath();
        if (axis) { context.moveTo(0, y); context.lineTo(this.width, y); } else { context.moveTo(x, 0); context.lineTo(x, this.height); }
        context.stroke();
        const side = axis ? (degrees < 0 ? "S" : "N") : degrees < 0 ? "W" : "E";
        const text = `${Math.abs(degrees).toFixed(digits)}°${side}`;
        if (axis) context.fillText(text, 4, y - 3);
        else context.fillText(text, x + 3, this.height - 5);
      }
    }
  }

  routes(context) {
    const { places } = this.model;
    for (const at of this.known) {
      const before = places[at].previous;
      if (before < 0 || !places[before].point) continue;
      const [x, y] = this.at(places[at].point);
      const [fromX, fromY] = this.at(places[before].point);
      context.strokeStyle = BAR;
      context.lineWidth = 2;
      context.setLineDash(places[at].certain ? [] : [5, 4]);
      context.beginPath();
      context.moveTo(fromX, fromY);
      context.quadraticCurveTo((x + fromX) / 2 + (y - fromY) / 8, (y + fromY) / 2 - (x - fromX) / 8, x, y);
      context.stroke();
    }
    context.setLineDash([]);
  }

  clusters(context) {
    const { model } = this;
    const cells = new Map();
    for (const at of this.known) {
      const [x, y] = this.at(model.places[at].point);
      if (x < -CELL || y < -CELL || x > this.width + CELL || y > this.height + CELL) continue;
      const key = `${Math.floor(x / CELL)}/${Math.floor(y / CELL)}`;
      if (!cells.has(key)) cells.set(key, { x, y, them: [], people: 0 });
      const cell = cells.get(key);
      cell.them.push(at);
      cell.people += model.byPlace[at].reduce((sum, one) => sum + model.mask[one], 0);
    }
    this.marks = [...cells.values()];
    const { place, selected } = model.state;
    const chosen = selected >= 0 ? model.members.place[selected] : place;
    for (const cell of this.marks) {
      cell.radius = Math.min(20, 6 + Math.sqrt(cell.people));
      const certain = cell.them.some((at) => model.places[at].certain);
      const some = cell.people > 0;
      dot(context, cell.x, cell.y, cell.radius, { certain, fill: some ? ACCENT : LINE, line: some ? ACCENT : SOFT, chosen: chosen >= 0 && cell.them.includes(chosen) });
      context.font = FONT;
      context.fillStyle = INK;
      const told = cell.them.length > 1 ? fill(model.words.together, { count: cell.them.length }) : model.places[cell.them[0]].name;
      if (this.marks.length <= 60) context.fillText(fit(context, told, 150), cell.x + cell.radius + 4, cell.y + 4);
    }
  }

  measure(context) {
    const metres = SCALES_M.find((one) => (one / DEGREE_M) * this.scale <= 140) ?? SCALES_M.at(-1);
    const long = (metres / DEGREE_M) * this.scale;
    const x = this.width - long - 14;
    const y = 20;
    context.strokeStyle = INK;
    context.lineWidth = 2;
    context.beginPath();
    context.moveTo(x, y - 5);
    context.lineTo(x, y);
    context.lineTo(x + long, y);
    context.lineTo(x + long, y - 5);
    context.stroke();
    context.font = SMALL;
    context.fillStyle = INK;
    context.textAlign = "right";
    context.fillText(metres >= 1000 ? `${metres / 1000} km` : `${metres} m`, x + long, y + 14);
    context.textAlign = "left";
  }

  click(x, y) {
    const hit = this.marks.find((mark) => Math.hypot(mark.x - x, mark.y - y) <= mark.radius + 6);
    if (!hit) return;
    const now = hit.them.indexOf(this.model.state.place);
    this.model.set({ place: hit.them[(now + 1) % hit.them.length], selected: -1 });
  }

  key(key) {
    if (key === "+" || key === "=") this.zoom(1.6);
    else if (key === "-") this.zoom(1 / 1.6);
    else if (key === "0") this.whole();
    else if (key === "Escape") this.model.set({ place: -1, selected: -1 });
    else if (key === "ArrowRight" || key === "ArrowLeft" || key === "ArrowDown" || key === "ArrowUp") {
      const now = this.known.indexOf(this.model.state.place);
      const step = key === "ArrowRight" || key === "ArrowDown" ? 1 : -1;
      this.model.set({ place: this.known[now < 0 ? 0 : (now + step + this.known.length) % this.known.length], selected: -1 });
    } else return false;
    return true;
  }
}
