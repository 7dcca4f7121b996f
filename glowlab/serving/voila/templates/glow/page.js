// The header's two buttons. Light or dark is remembered by the browser; large type stands in the address and in the
// links to other pages. In a frame, a link opens the page as it is in a tab of its own.
{
  const page = document.documentElement;
  document.getElementById("gl-theme").addEventListener("click", () => {
    const dark = page.dataset.theme ? page.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    page.dataset.theme = dark ? "light" : "dark";
    try {
      localStorage.setItem("glow-theme", page.dataset.theme);
    } catch {}
  });

  const size = document.getElementById("gl-size");
  const isLarge = () => page.dataset.size === "lecture";
  function withSize(address) {
    const url = new URL(address);
    if (isLarge()) url.searchParams.set("size", "lecture");
    else url.searchParams.delete("size");
    return url.href;
  }
  function updateLinks() {
    size.setAttribute("aria-pressed", isLarge());
    for (const link of document.links) {
      const near = link.id !== "gl-tab" && link.protocol === location.protocol && link.host === location.host;
      if (near && !link.getAttribute("href").startsWith("#")) link.href = withSize(link.href);
    }
  }
  size.addEventListener("click", () => {
    if (isLarge()) delete page.dataset.size;
    else page.dataset.size = "lecture";
    history.replaceState(history.state, "", withSize(location.href));
    updateLinks();
    dispatchEvent(new Event("resize")); // so that figures measure themselves again
  });
  document.addEventListener("DOMContentLoaded", () => (isLarge() ? updateLinks() : size.setAttribute("aria-pressed", "false")));

  const tab = document.getElementById("gl-tab");
  const follow = () => (tab.href = location.href);
  tab.hidden = self === top;
  tab.addEventListener("click", follow);
  follow(); // without an address it is no link
}
