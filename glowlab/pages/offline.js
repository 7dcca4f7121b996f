// A service worker keeps what was seen, so that it opens offline, where the browser has them and a server sent the page.
if ("serviceWorker" in navigator && location.protocol.startsWith("http")) {
  navigator.serviceWorker
    .register("{{ root }}sw.js")
    .then(() => navigator.serviceWorker.ready)
    .then(({ active }) => {
      const tell = (addresses) => active.postMessage(addresses);
      tell([location.href]);
      const observer = new PerformanceObserver((list) => tell(list.getEntries().map(({ name }) => name)));
      observer.observe({ type: "resource", buffered: true }); // what came before the worker was there, too
    })
    .catch(() => {}); // a policy forbids it
}
