// What a browser keeps for its user: queries of the past, and light or dark. It may be forbidden to keep anything; then it forgets.

/** The queries that are remembered. */
const mostRemembered = 200;
const historyKey = 'metricd.history';
const themeKey = 'metricd.theme';

export type Theme = 'system' | 'light' | 'dark';

function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function write(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Full, or forbidden: the page works without.
  }
}

/** remembered returns the queries of the past, the newest first. */
export function remembered(): string[] {
  try {
    const list: unknown = JSON.parse(read(historyKey) ?? '[]');
    return Array.isArray(list) ? list.filter((entry): entry is string => typeof entry === 'string') : [];
  } catch {
    return [];
  }
}

/** remember puts a query in front of the others. */
export function remember(query: string): void {
  const text = query.trim();
  if (text !== '' && text.length < 10_000) {
    write(historyKey, JSON.stringify([text, ...remembered().filter((other) => other !== text)].slice(0, mostRemembered)));
  }
}

export function forgetAll(): void {
  write(historyKey, '[]');
}

export function savedTheme(): Theme {
  const theme = read(themeKey);
  return theme === 'light' || theme === 'dark' ? theme : 'system';
}

export function saveTheme(theme: Theme): void {
  write(themeKey, theme);
}
