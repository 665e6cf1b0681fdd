// The dock's page: scans by camera, by a scanner that types, or by hand; kept here, and sent when there is a network.
import { camera } from './camera.js';
import { add, all, forget, next, opened, release, settle } from './queue.js';

const KEPT = 'sudonglian-dock-1'; // as in dock-worker.js
const FIELDS = ['step', 'place', 'from', 'to'];
const SHOWN = 100;
const AGAIN_MS = 60_000; // a network that is there without having come back, or a server that was busy

const root = document.getElementById('dock');
const form = document.getElementById('scan-form');
const code = document.getElementById('code');
const list = document.getElementById('scans');
const field = (name) => document.getElementById(`dock-${name}`);
const firm = root.dataset.firm;
const db = await opened();
let busy = null;

root.hidden = false;
remembered();
await shown();

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  await scan(code.value);
  code.value = '';
  code.focus();
});
for (const name of FIELDS) field(name).addEventListener('change', remember);
document.getElementById('sync').addEventListener('click', () => sync());
globalThis.addEventListener('online', () => sync());
globalThis.addEventListener('offline', () => say('offline'));
camera(document.getElementById('camera'), document.getElementById('picture'), scan);

if (navigator.serviceWorker) {
  try {
    await navigator.serviceWorker.register('/dock-worker.js', { scope: '/dock' });
    await keep();
  } catch {
    say('unkept'); // private windows, and plain http
  }
} else say('unkept');
await sync();
setInterval(() => sync(), AGAIN_MS);
root.dataset.ready = 'yes';

/** Keep a scan, with the moment at which it was made, and try to send it. */
async function scan(text) {
  const said = text.trim();
  if (!said) return;
  if (!field('place').value.trim()) {
    say('place');
    field('place').focus();
    return;
  }
  const values = Object.fromEntries(FIELDS.map((name) => [name, field(name).value.trim()]));
  await add(db, { ...values, firm, code: said, at: stamp(new Date()) });
  navigator.vibrate?.(60);
  await shown();
  sync();
}

/** Send what waits, batch after batch; whoever asks meanwhile gets the same attempt. */
function sync() {
  busy ??= attempt().finally(() => {
    busy = null;
  });
  return busy;
}

async function attempt() {
  const work = async () => {
    const all_waiting = (await all(db)).filter((one) => one.state === 'waiting');
    if (!all_waiting.length) return;
    const who = await ask('/dock.json');
    if (!who) return;
    if (all_waiting.some((one) => one.firm !== who.firm)) say('other');
    for (let batch = await next(db, who.firm, who.most); batch; batch = await next(db, who.firm, who.most)) {
      const said = await send(batch, who.form);
      if (!said) return;
      await settle(db, batch, said);
      if (said.clock_off_s) say('clock');
      else say('synced');
      await shown();
    }
  };
  // Two windows of one telephone must not send one batch at once; if they did, its key would make it one.
  await (navigator.locks ? navigator.locks.request('sudonglian-dock', work) : work());
  await shown(); // what another window has sent meanwhile
}

async function send(batch, token) {
  const scans = batch.scans.map(({ id, code: text, at, step, place, from, to }) => ({ id, code: text, at, step, place, from, to }));
  const headers = { 'Content-Type': 'application/json', 'Idempotency-Key': batch.key, 'X-Form-Token': token };
  const body = JSON.stringify({ firm: batch.firm, sent_at: stamp(new Date()), scans });
  const said = await ask('/dock/sync.json', { method: 'POST', headers, body });
  if (said === null && root.dataset.said === 'refused') await release(db, batch);
  return said;
}

/** Return what the server answers, or null after saying why there is no answer. */
async function ask(path, options = {}) {
  let given;
  try {
    const lang = new URLSearchParams(location.search).get('lang');
    given = await fetch(lang ? `${path}?lang=${lang}` : path, { ...options, cache: 'no-store', credentials: 'same-origin' });
  } catch {
    say('offline');
    return null;
  }
  if (given.ok) return given.json();
  say(given.status === 401 || given.status === 403 ? 'signin' : given.status >= 500 || given.status === 429 ? 'later' : 'refused');
  return null;
}

/** Show the queue: how many wait, and the newest scans with what became of each. */
async function shown() {
  const scans = await all(db);
  const count = (state) => scans.filter((one) => state.includes(one.state)).length;
  document.getElementById('count-waiting').textContent = count(['waiting']);
  document.getElementById('count-taken').textContent = count(['taken', 'known']);
  document.getElementById('count-refused').textContent = count(['refused']);
  document.getElementById('nothing').hidden = scans.length > 0;
  list.replaceChildren(...scans.slice(-SHOWN).reverse().map(row));
}

function row(one) {
  const made = document.getElementById('scan-row').content.firstElementChild.cloneNode(true);
  const part = (name) => made.querySelector(`[data-part=${name}]`);
  made.dataset.state = one.state;
  part('code').textContent = one.code;
  part('at').textContent = one.at.slice(0, 16).replace('T', ' ');
  part('step').textContent = [...field('step').options].find((each) => each.value === one.step)?.text ?? one.step;
  for (const each of made.querySelectorAll('[data-is]')) each.hidden = each.dataset.is !== one.state;
  part('late').hidden = !one.late_s;
  part('synced').textContent = one.syncedAt ? stamp(new Date(one.syncedAt)).slice(0, 16).replace('T', ' ') : '—';
  part('why').textContent = one.why ?? '';
  part('hash').hidden = !one.record_hash;
  if (one.record_hash) {
    part('hash').href = `/records/${one.record_hash}`;
    part('hash').textContent = `${one.record_hash.slice(0, 12)}…`;
  }
  part('forget').hidden = one.state !== 'waiting' || one.batch > 0;
  part('forget').addEventListener('click', async () => {
    await forget(db, one.seq);
    await shown();
  });
  return made;
}

/** Keep the page itself and its parts for the next time that there is no network. */
async function keep() {
  const kept = await caches.open(KEPT);
  const lang = new URLSearchParams(location.search).get('lang');
  const address = lang ? `/dock?lang=${lang}` : '/dock';
  const fresh = await fetch(address).catch(() => null);
  if (!fresh?.ok) return;
  await kept.put(address, fresh);
  const parts = performance.getEntriesByType('resource').map((one) => one.name);
  const wanted = parts.filter((one) => new URL(one).pathname.startsWith('/static/'));
  await Promise.all(wanted.map(async (one) => (await kept.match(one)) ?? kept.add(one)));
}

/** Fill in what the address says, or what was chosen here last; the address says it from then on. */
function remembered() {
  const said = new URLSearchParams(location.search);
  for (const name of FIELDS) {
    const value = said.get(name) ?? localStorage.getItem(`dock-${name}`);
    if (value) field(name).value = value;
  }
}

function remember() {
  const url = new URL(location.href);
  for (const name of FIELDS) {
    const value = field(name).value.trim();
    localStorage.setItem(`dock-${name}`, value);
    if (value) url.searchParams.set(name, value);
    else url.searchParams.delete(name);
  }
  history.replaceState(null, '', url);
}

/** Show one of the page's sentences, and hide the others. */
function say(name) {
  root.dataset.said = name;
  for (const one of root.querySelectorAll('[data-say]')) one.hidden = one.dataset.say !== name;
}

/** Return a moment as the clock on the wall shows it, with its offset. */
function stamp(date) {
  const offset = -date.getTimezoneOffset();
  const two = (number) => String(Math.trunc(Math.abs(number))).padStart(2, '0');
  const local = new Date(date.getTime() + offset * 60_000).toISOString().slice(0, 19);
  return `${local}${offset < 0 ? '-' : '+'}${two(offset / 60)}:${two(offset % 60)}`;
}
