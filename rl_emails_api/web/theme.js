// Light or dark before the first paint: what the person chose, else what the system says. Not a module, so that it is not late.
(() => {
  const kept = localStorage.getItem("rl-emails theme");
  if (kept === "light" || kept === "dark") document.documentElement.dataset.theme = kept;
  if (localStorage.getItem("rl-emails density") === "roomy") document.documentElement.dataset.density = "roomy";
})();
