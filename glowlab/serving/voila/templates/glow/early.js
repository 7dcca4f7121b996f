// Runs before anything is drawn: sets the theme that a person chose before, and large type if the address asks for it.
try {
  const theme = localStorage.getItem("glow-theme");
  if (theme) document.documentElement.dataset.theme = theme;
} catch {}
if (new URLSearchParams(location.search).get("size") === "lecture") document.documentElement.dataset.size = "lecture";
