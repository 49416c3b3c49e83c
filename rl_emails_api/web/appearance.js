// How the page looks, kept in this browser only.

const THEME = "rl-emails theme";
const DENSITY = "rl-emails density";

export const THEMES = [["system", "As the system"], ["light", "Light"], ["dark", "Dark"]];
export const DENSITIES = [["dense", "Dense"], ["roomy", "Roomy"]];
export const theme = () => document.documentElement.dataset.theme || "system";
export const density = () => document.documentElement.dataset.density || "dense";

export function setTheme(value) {
  if (value === "system") {
    delete document.documentElement.dataset.theme;
    localStorage.removeItem(THEME);
  } else {
    document.documentElement.dataset.theme = value;
    localStorage.setItem(THEME, value);
  }
}

export function setDensity(value) {
  if (value === "roomy") document.documentElement.dataset.density = value;
  else delete document.documentElement.dataset.density;
  localStorage.setItem(DENSITY, value);
}

export function isDark() {
  return theme() === "dark" || (theme() === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
}
