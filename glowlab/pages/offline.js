// A service worker keeps what was seen, so that it opens offline, where the browser has them and a server sent the page.
if ("serviceWorker" in navigator && location.protocol.startsWith("http")) {
  navigator.serviceWorker
    .register("{{ root }}sw.js")
    .then((registration) => registration.update().catch(() => {})) // looks for a new edition; offline there is none
    .then(() => navigator.serviceWorker.ready)
    .then((registration) => {
      const tell = (addresses) => registration.active?.postMessage(addresses); // a new edition brings another
      tell([location.href]);
      const observer = new PerformanceObserver((list) => tell(list.getEntries().map(({ name }) => name)));
      observer.observe({ type: "resource", buffered: true }); // what came before the worker was there, too
    })
    .catch(() => {}); // a policy forbids it
}
