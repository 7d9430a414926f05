// Names to offer: those that a misspelt one may have meant, and examples for who has typed nothing yet.

import { look, texts, type Param } from './api';
import { isBareName, quote, spellName } from './tokens';

/** The names that are asked for and looked through, and those that are offered, at most. */
const mostRead: Param = ['limit', '1000'];
const mostOffered = 5;

/** near asks for names like one that there is none of. */
export async function near(name: string, signal: AbortSignal): Promise<string[]> {
  const { data } = await look('label/__name__/values', [['match[]', `{__name__=~${quote(halfRight(name))}}`], mostRead], signal);
  return nearest(name, texts(data));
}

/** examples asks for some queries that show something. */
export async function examples(signal: AbortSignal): Promise<string[]> {
  return examplesOf(texts((await look('label/__name__/values', [mostRead], signal)).data));
}

/** halfRight is a regular expression for names that begin or end as one does: a mistake is seldom at both ends. */
function halfRight(name: string): string {
  const letters = [...name];
  const part = Math.ceil(letters.length / 3);
  const [head, tail] = [letters.slice(0, part), letters.slice(-part)].map((some) => some.join('').replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  return `(?i)(?:${head}.*|.*${tail})`;
}

/** nearest returns those of some names that one may have meant, the nearest first: with a mistake every four letters at most, or that go on behind it. */
export function nearest(name: string, names: readonly string[]): string[] {
  const most = Math.min(3, Math.max(1, Math.floor(name.length / 4)));
  const lower = name.toLowerCase();
  const rated = names.map((other) => ({ other, by: other.toLowerCase().startsWith(lower) ? 0 : distance(lower, other.toLowerCase(), most) }));
  return rated
    .filter(({ by, other }) => by <= most && other !== name)
    .sort((a, b) => a.by - b.by || a.other.length - b.other.length || (a.other < b.other ? -1 : 1))
    .slice(0, mostOffered)
    .map(({ other }) => other);
}

/** distance is how many letters have to be put in, left out, changed, or swapped with the next to make b of a (optimal string alignment); more than most: some number above it. */
function distance(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) {
    return most + 1;
  }
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, k) => k);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let k = 1; k <= b.length; k++) {
      const same = a[i - 1] === b[k - 1];
      let least = Math.min((last[k] ?? 0) + 1, (row[k - 1] ?? 0) + 1, (last[k - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && k > 1 && a[i - 1] === b[k - 2] && a[i - 2] === b[k - 1]) {
        least = Math.min(least, (before[k - 2] ?? 0) + 1);
      }
      row.push(least);
    }
    [before, last] = [last, row];
  }
  return last[b.length] ?? 0;
}

/** examplesOf makes queries of some names: from all over them, and the rate of a counter. What the server tells of itself, and names that want quotes, come in only where there is nothing else. */
export function examplesOf(names: readonly string[]): string[] {
  const foreign = names.filter((name) => !/^(?:metricd|go|process|prometheus|promhttp)_/.test(name));
  const bare = foreign.filter(isBareName);
  const all = [bare, foreign, names].find((some) => some.length > 0) ?? [];
  const counter = all.find((name) => /_total$/.test(name));
  const plain = all.filter((name) => !/_(?:total|bucket|count|sum)$/.test(name));
  const some = plain.filter((_, i) => Math.floor((i * (mostOffered - 1)) / plain.length) !== Math.floor(((i - 1) * (mostOffered - 1)) / plain.length));
  return [...some.map(spellName), ...(counter ? [`rate(${spellName(counter)}[5m])`] : [])];
}
