// The scans that a telephone keeps, in the order in which they were made, until a server has said what became of them.
const NAME = 'sudonglian-dock';
const KEPT_DONE = 200; // scans that are settled and still shown

/** Open the queue. */
export function opened() {
  const asked = indexedDB.open(NAME, 1);
  asked.onupgradeneeded = () => {
    asked.result.createObjectStore('scans', { keyPath: 'seq', autoIncrement: true }).createIndex('batch', 'batch');
    asked.result.createObjectStore('batches', { keyPath: 'seq', autoIncrement: true });
  };
  return answer(asked);
}

/** Keep a scan; it is on the disk when this returns. */
export async function add(db, scan) {
  const work = db.transaction('scans', 'readwrite', { durability: 'strict' });
  work.objectStore('scans').add({ ...scan, id: crypto.randomUUID(), state: 'waiting', batch: 0 });
  await done(work);
}

/** Return every scan, the oldest first. */
export function all(db) {
  return answer(db.transaction('scans').objectStore('scans').getAll());
}

/**
 * Return the batch to send next, with its scans: one that was begun before, or a new one of those that wait for `firm`.
 * A batch is on the disk, under its key, before anything of it is sent: sent twice it is the same batch.
 */
export async function next(db, firm, most) {
  const work = db.transaction(['scans', 'batches'], 'readwrite', { durability: 'strict' });
  const [scans, batches] = [work.objectStore('scans'), work.objectStore('batches')];
  let batch = (await answer(batches.getAll())).find((one) => one.firm === firm);
  let chosen;
  if (batch) {
    chosen = await answer(scans.index('batch').getAll(batch.seq));
  } else {
    chosen = (await answer(scans.getAll())).filter((one) => one.state === 'waiting' && one.firm === firm).slice(0, most);
    if (!chosen.length) return null;
    batch = { firm, key: crypto.randomUUID() };
    batch.seq = await answer(batches.add(batch));
    for (const one of chosen) scans.put(Object.assign(one, { batch: batch.seq }));
  }
  await done(work);
  return { ...batch, scans: chosen };
}

/** Write down what the server said of a batch, and forget the oldest that are settled. */
export async function settle(db, batch, said) {
  const outcomes = new Map(said.scans.map((one) => [one.id, one]));
  const work = db.transaction(['scans', 'batches'], 'readwrite', { durability: 'strict' });
  const scans = work.objectStore('scans');
  for (const one of batch.scans) {
    const outcome = outcomes.get(one.id);
    if (outcome) scans.put({ ...one, ...outcome, syncedAt: said.synced_at });
  }
  work.objectStore('batches').delete(batch.seq);
  const settled = (await answer(scans.getAll())).filter((one) => one.state !== 'waiting');
  for (const one of settled.slice(0, -KEPT_DONE)) scans.delete(one.seq);
  await done(work);
}

/** Give up a batch that the server will never take as it is: its scans wait again. */
export async function release(db, batch) {
  const work = db.transaction(['scans', 'batches'], 'readwrite', { durability: 'strict' });
  for (const one of batch.scans) work.objectStore('scans').put({ ...one, batch: 0 });
  work.objectStore('batches').delete(batch.seq);
  await done(work);
}

/** Forget a scan that waits and was never sent. */
export async function forget(db, seq) {
  const work = db.transaction('scans', 'readwrite', { durability: 'strict' });
  const one = await answer(work.objectStore('scans').get(seq));
  if (one?.state === 'waiting' && !one.batch) work.objectStore('scans').delete(seq);
  await done(work);
}

function answer(asked) {
  return new Promise((resolve, reject) => {
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
}

function done(work) {
  return new Promise((resolve, reject) => {
    work.oncomplete = () => resolve();
    work.onabort = work.onerror = () => reject(work.error);
  });
}
