// Light and dark: the system's setting, or what the switch says.

import { saveTheme, savedTheme, type Theme } from './store';

const system = matchMedia('(prefers-color-scheme: dark)');
const listeners = new Set<() => void>();

/** isDark says what is shown now. */
export function isDark(): boolean {
  const theme = savedTheme();
  return theme === 'dark' || (theme === 'system' && system.matches);
}

function apply(): void {
  document.documentElement.dataset['theme'] = isDark() ? 'dark' : 'light';
  listeners.forEach((listener) => listener());
}

/** startTheme shows the right one from now on. */
export function startTheme(): void {
  system.addEventListener('change', apply);
  apply();
}

export function setTheme(theme: Theme): void {
  saveTheme(theme);
  apply();
}

/** onTheme calls a listener after each change until what it returns is called. */
export function onTheme(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** color reads one of the colours that the style sheet defines. */
export function color(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** How many colours lines have; beyond them they begin again, dashed. */
export const lineColors = 10;

/** lineColor names the colour of the n-th series, as CSS has it. */
export function lineColor(n: number): string {
  return `line-${n % lineColors}`;
}
