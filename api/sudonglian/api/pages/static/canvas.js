// A picture that is drawn again whenever something changes: only what can be seen of it, however large it is.
// docs/decisions/0860. The canvas stays in place while an empty block of the picture's full size scrolls beneath it.

const STYLE = getComputedStyle(document.documentElement);
const named = (name, otherwise) => STYLE.getPropertyValue(name).trim() || otherwise;

export const INK = named("--ink", "#12212d");
export const SOFT = named("--soft", "#53646f");
export const LINE = named("--line", "#d3dee5");
export const ACCENT = named("--accent", "#0b6fa4");
export const RED = named("--red", "#a32018");
export const PAPER = named("--paper", "#fff");
export const BAR = "#9cc7de";
export const CHOSEN = "#f2a900";

export const FONT = "13px system-ui, 'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei', sans-serif";
export const SMALL = "11.5px system-ui, 'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei', sans-serif";

export function made(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== false && value !== null) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

const cut = new Map();

export function fit(context, text, width) {
  const key = `${context.font}|${width}|${text}`;
  if (!cut.has(key)) {
    let found = text;
    if (context.measureText(found).width > width) {
      while (found && context.measureText(`${found}…`).width > width) found = found.slice(0, -1);
      found = `${found}…`;
    }
    if (cut.size > 5000) cut.clear();
    cut.set(key, found);
  }
  return cut.get(key);
}

export class Surface {
  // `size()` gives the whole picture's width and height, `draw(context, left, top, width, height)` a window of it.
  constructor(parent, { name, label, help, size, draw, key, click }) {
    this.size = size;
    this.draw = draw;
    this.canvas = made("canvas", { "aria-hidden": "true" });
    this.inner = made("div", { class: "v-inner" }, this.canvas);
    const hint = made("p", { id: `${name}-help`, class: "hint v-help" }, help);
    this.scroller = made(
      "div",
      { class: `v-view v-${name}`, tabindex: "0", role: "application", "aria-label": label, "aria-describedby": hint.id },
      this.inner,
    );
    parent.append(this.scroller, hint);
    this.context = this.canvas.getContext("2d");
    this.scroller.addEventListener("scroll", () => this.again(), { passive: true });
    this.scroller.addEventListener("keydown", (event) => {
      if (!event.ctrlKey && !event.metaKey && !event.altKey && key(event.key)) event.preventDefault();
    });
    this.scroller.addEventListener("click", (event) => {
      const box = this.canvas.getBoundingClientRect();
      click(event.clientX - box.left, event.clientY - box.top);
    });
    new ResizeObserver(() => this.again()).observe(this.scroller);
    this.asked = false;
  }

  again() {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => {
      this.asked = false;
      this.now();
    });
  }

  now() {
    const width = this.scroller.clientWidth;
    const height = this.scroller.clientHeight;
    if (!width || !height) return;
    const [whole, high] = this.size(width, height);
    const scale = window.devicePixelRatio || 1;
    const pixels = [Math.round(width * scale), Math.round(height * scale)];
    if (this.canvas.width !== pixels[0] || this.canvas.height !== pixels[1]) {
      [this.canvas.width, this.canvas.height] = pixels;
      this.canvas.style.width = `${width}px`;
      this.canvas.style.height = `${height}px`;
    }
    this.inner.style.width = `${Math.max(whole, width)}px`;
    this.inner.style.height = `${Math.max(high, height)}px`;
    const { context } = this;
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height);
    this.draw(context, this.scroller.scrollLeft, this.scroller.scrollTop, width, height);
  }

  show(x, y, width, height) {
    const { scroller } = this;
    if (y < scroller.scrollTop) scroller.scrollTop = y;
    else if (y + height > scroller.scrollTop + scroller.clientHeight) scroller.scrollTop = y + height - scroller.clientHeight;
    if (x < scroller.scrollLeft) scroller.scrollLeft = x;
    else if (x + width > scroller.scrollLeft + scroller.clientWidth) scroller.scrollLeft = x + width - scroller.clientWidth;
  }
}

export function dot(context, x, y, radius, { certain, fill, line, chosen }) {
  // Certain is filled, possible is an empty dashed ring: told apart without colour.
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fillStyle = certain ? fill : PAPER;
  context.fill();
  context.setLineDash(certain ? [] : [3, 2]);
  context.strokeStyle = line;
  context.lineWidth = 2;
  context.stroke();
  context.setLineDash([]);
  if (chosen) ring(context, x, y, radius + 4);
}

export function ring(context, x, y, radius) {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.strokeStyle = CHOSEN;
  context.lineWidth = 4;
  context.stroke();
}
