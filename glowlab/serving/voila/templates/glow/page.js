// The header's two buttons: light or dark, which the browser remembers; large type, which stands in the address and
// goes along from page to page.
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
  const large = () => page.dataset.size === "lecture";
  function sized(address) {
    const url = new URL(address);
    if (large()) url.searchParams.set("size", "lecture");
    else url.searchParams.delete("size");
    return url.href;
  }
  function carry() {
    size.setAttribute("aria-pressed", large());
    for (const link of document.links) {
      const near = link.protocol === location.protocol && link.host === location.host;
      if (near && !link.getAttribute("href").startsWith("#")) link.href = sized(link.href);
    }
  }
  size.addEventListener("click", () => {
    if (large()) delete page.dataset.size;
    else page.dataset.size = "lecture";
    history.replaceState(history.state, "", sized(location.href));
    carry();
    dispatchEvent(new Event("resize")); // what measured itself does so again
  });
  document.addEventListener("DOMContentLoaded", () => (large() ? carry() : size.setAttribute("aria-pressed", "false")));
}
