// Service worker of the static edition: what was seen opens offline. Pages come from the network where there is one;
// models, which are large, from here. The names of the caches change with what the site holds, and older ones go.
const OURS = `glow ${registration.scope}`;
const PAGES = `${OURS} pages {{ pages }}`;
const MODELS = `${OURS} models {{ models }}`;
const FIRST = {{ first | tojson }}; // kept from the beginning

addEventListener("install", (event) => {
  skipWaiting();
  event.waitUntil(keep(FIRST));
});

addEventListener("activate", (event) => event.waitUntil(tidy().then(() => clients.claim())));

// A page tells what it has loaded.
addEventListener("message", (event) => event.waitUntil(tidy().then(() => keep(event.data))));

addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method === "GET" && !request.headers.has("Range") && isOurs(request.url)) event.respondWith(answer(event));
});

// Caches of older editions go; one of these may still have been at work when it was replaced.
async function tidy() {
  const old = (await caches.keys()).filter((name) => name.startsWith(OURS) && name !== PAGES && name !== MODELS);
  await Promise.all(old.map((name) => caches.delete(name)));
}

const isOurs = (address) => new URL(address, registration.scope).href.startsWith(registration.scope);
const isModel = (address) => address.startsWith(`${registration.scope}models/`);

// What a file is kept by: its address without the settings of an explorer.
function keyOf(address) {
  const { origin, pathname } = new URL(address, registration.scope);
  return `${origin}${pathname.replace(/\/$/, "/index.html")}`;
}

const open = (key) => caches.open(isModel(key) ? MODELS : PAGES);

async function keep(addresses) {
  for (const key of new Set(addresses.filter(isOurs).map(keyOf))) {
    const cache = await open(key);
    if (!(await cache.match(key))) await cache.add(new Request(key, { cache: "no-cache" })).catch(() => {});
  }
}

async function answer(event) {
  const { request } = event;
  const key = keyOf(request.url);
  const cache = await open(key);
  const kept = await cache.match(key);
  if (kept && isModel(key)) return kept;
  try {
    const response = await fetch(request);
    const keeping = response.status === 200 && cache.put(key, response.clone()).catch(() => {}); // a device may be full
    event.waitUntil(Promise.resolve(keeping));
    return response;
  } catch {
    return kept ?? Response.error();
  }
}
