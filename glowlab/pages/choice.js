// The model that the address asks for: its poster stands there first, its link in the header is marked, and links to
// other explorers ask for it, too. `posters` has one of each model, the usual one first.
{
  const asked = new URLSearchParams(location.search).get("model");
  const [usual] = Object.keys(posters);
  const chosen = asked in posters ? asked : usual;
  if (chosen !== usual) document.querySelector(".gl-poster").src = posters[chosen];
  const modelOf = (link) => new URL(link.href).searchParams.get("model") ?? usual;
  for (const link of document.querySelectorAll(".gl-models a")) {
    if (modelOf(link) === chosen) link.setAttribute("aria-current", "true");
  }
  for (const link of document.querySelectorAll(".gl-nav a, .gl-foot a")) {
    if (chosen !== usual && link.pathname.includes("/explore/")) link.search = `?model=${chosen}`;
  }
}
