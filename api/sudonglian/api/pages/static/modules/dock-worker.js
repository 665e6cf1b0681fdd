// Keeps the dock's page and what it is made of, so that it opens without a network. Scans are kept by the page itself.
const KEPT = 'sudonglian-dock-1';

self.addEventListener('install', () => self.skipWaiting());
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== self.location.origin) return;
  if (request.mode === 'navigate' && url.pathname === '/dock') event.respondWith(page(request, url));
  else if (url.pathname.startsWith('/static/')) event.respondWith(part(request));
});

/** Return the page as the server gives it now, or else as it was kept. */
async function page(request, url) {
  try {
    return await fetch(request);
  } catch (error) {
    const kept = await caches.open(KEPT);
    const lang = url.searchParams.get('lang');
    const found = (await kept.match(lang ? `/dock?lang=${lang}` : '/dock')) ?? (await kept.match('/dock', { ignoreSearch: true }));
    if (found) return found;
    throw error;
  }
}

/** Return a part of the page: its address changes with it, so what is kept is right. */
async function part(request) {
  const kept = await caches.open(KEPT);
  return (await kept.match(request)) ?? fetch(request);
}
