// Ranges of time: what people type, how ranges move, and which steps queries take. Times are milliseconds since 1970, in UTC.

/** Range is what to show: the last so many milliseconds, or from one time to another. */
export type Range = { last: number } | { from: number; to: number };

/** Span is a range at one moment, both ends inclusive. */
export interface Span {
  from: number;
  to: number;
}

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** The units of durations, as PromQL has them, the largest first. */
const durationUnits: readonly (readonly [string, number])[] = [
  ['y', 365 * day],
  ['w', 7 * day],
  ['d', day],
  ['h', hour],
  ['m', minute],
  ['s', second],
  ['ms', 1],
];

/** presets are the lengths that are offered. */
export const presets: readonly number[] = [5 * minute, 15 * minute, hour, 6 * hour, day, 7 * day, 30 * day, 365 * day];

/** The shortest range, and the first and last time that PromQL can be evaluated at, by the server's rule. */
export const shortest = 10;
const firstTime = -9_200_000_000 * second;
const lastTime = 9_200_000_000 * second;

export function isLast(range: Range): range is { last: number } {
  return 'last' in range;
}

/** resolve says what a range is at a time. */
export function resolve(range: Range, now: number): Span {
  return isLast(range) ? { from: now - range.last, to: now } : range;
}

/** fixed makes a range of two times in any order, within what can be shown. */
export function fixed(a: number, b: number): Range {
  const from = clamp(Math.min(a, b));
  const to = clamp(Math.max(a, b));
  return to - from >= shortest ? { from, to } : { from: Math.min(from, lastTime - shortest), to: Math.min(from, lastTime - shortest) + shortest };
}

function clamp(time: number): number {
  return Math.min(Math.max(Math.round(time), firstTime), lastTime);
}

/** zoom makes a range longer (factor above 1) or shorter around its middle; that which ends now still does. */
export function zoom(range: Range, factor: number, now: number): Range {
  const span = resolve(range, now);
  const length = Math.max((span.to - span.from) * factor, shortest);
  if (isLast(range)) {
    return { last: Math.round(Math.min(length, now - firstTime)) };
  }
  const middle = (span.from + span.to) / 2;
  return fixed(middle - length / 2, middle + length / 2);
}

/** shift moves a range by a part of its length. What would go beyond now ends now. */
export function shift(range: Range, part: number, now: number): Range {
  const { from, to } = resolve(range, now);
  const by = (to - from) * part;
  return to <= now && to + by >= now ? { last: to - from } : fixed(from + by, to + by);
}

/** parseDuration reads a duration such as 2h, 1h30m or 1.5d; undefined if it is none. */
export function parseDuration(text: string): number | undefined {
  const trimmed = text.trim();
  if (!/^(?:\d+(?:\.\d+)?\s*(?:ms|[ywdhms])\s*)+$/.test(trimmed)) {
    return undefined;
  }
  let total = 0;
  for (const [, digits, unit] of trimmed.matchAll(/(\d+(?:\.\d+)?)\s*(ms|[ywdhms])/g)) {
    total += Number(digits) * (durationUnits.find(([name]) => name === unit)?.[1] ?? 0);
  }
  return total > 0 && Number.isFinite(total) ? Math.round(total) : undefined;
}

/** formatDuration prints a duration exactly, as PromQL reads it: 5400000 is 1h30m. */
export function formatDuration(duration: number): string {
  let rest = Math.round(duration);
  let text = '';
  for (const [name, size] of durationUnits) {
    // Weeks and years only where they are whole: 10d says more than 1w3d.
    if ((name === 'w' || name === 'y') && rest % size !== 0) {
      continue;
    }
    const count = Math.floor(rest / size);
    if (count > 0) {
      text += `${count}${name}`;
      rest -= count * size;
    }
  }
  return text || '0s';
}

/**
 * parseRange reads what was typed: a duration (2h), a year, month, day, hour, minute or second (2006-06-13 10:00: all of it), today, yesterday,
 * Unix seconds (the hour around), or two of them with "to" or ".." between, where now and now-2h may stand, too. undefined if it is none of these.
 */
export function parseRange(text: string, now: number, utc: boolean): Range | undefined {
  const trimmed = text.trim().toLowerCase();
  const duration = parseDuration(trimmed.replace(/^last\s+/, ''));
  if (duration !== undefined) {
    return { last: Math.max(duration, shortest) };
  }
  const ends = trimmed.split(/\s+to\s+|\s*\.\.\s*|\s+-\s+|\s*–\s*/);
  if (ends.length > 2) {
    return undefined;
  }
  const from = parseTime(ends[0] ?? '', now, utc);
  if (from === undefined) {
    return undefined;
  }
  if (ends.length === 1) {
    return from.unix ? fixed(from.from - hour / 2, from.from + hour / 2) : fixed(from.from, from.to);
  }
  const end = parseTime(ends[1] ?? '', now, utc);
  // To a day is to its end, to ten o'clock is to its beginning.
  const to = end && (end.to - end.from >= day ? end.to : end.from);
  if (to === undefined || to <= from.from) {
    return undefined;
  }
  return to === now && /^now\s*-/.test(ends[0] ?? '') ? { last: now - from.from } : fixed(from.from, to);
}

/** Time is what one word stands for: the moments that it may mean. */
interface Time extends Span {
  unix?: boolean;
}

function parseTime(word: string, now: number, utc: boolean): Time | undefined {
  const relative = /^now(?:\s*-\s*(.+))?$/.exec(word);
  if (relative) {
    const back = relative[1] === undefined ? 0 : parseDuration(relative[1]);
    return back === undefined ? undefined : { from: now - back, to: now - back };
  }
  if (word === 'today' || word === 'yesterday') {
    const parts = calendar(now, utc);
    const first = (parts[2] ?? 1) - (word === 'today' ? 0 : 1);
    return { from: moment([parts[0] ?? 0, parts[1] ?? 0, first], utc), to: moment([parts[0] ?? 0, parts[1] ?? 0, first + 1], utc) };
  }
  if (/^-?\d{5,}(?:\.\d+)?$/.test(word)) {
    // As everywhere in metricd seconds; what has 12 digits or more is milliseconds, as browsers have it.
    const number = Number(word);
    const time = Math.abs(number) >= 1e11 ? number : number * second;
    return { from: time, to: time, unix: true };
  }
  return parseDate(word, utc);
}

/** parseDate reads 2006, 2006-06, 2006-06-13, 2006-06-13 10, 10:00, 10:00:05(.123), with T or a space between; z at the end is UTC. */
function parseDate(word: string, utc: boolean): Span | undefined {
  const match = /^(\d{4})(?:-(\d{1,2})(?:-(\d{1,2})(?:[t ]\s*(\d{1,2})(?::(\d{2})(?::(\d{2})(?:\.(\d{1,3}))?)?)?)?)?)?(z)?$/.exec(word);
  if (!match) {
    return undefined;
  }
  const zulu = utc || match[8] !== undefined;
  const fields = match.slice(1, 8).filter((field) => field !== undefined);
  const parts = fields.map(Number);
  if (parts.length > 1) {
    parts[1] = (parts[1] ?? 1) - 1; // months count from 0
  }
  if (parts.length === 7) {
    parts[6] = Number((fields[6] ?? '').padEnd(3, '0'));
  }
  const from = moment(parts, zulu);
  const read = calendar(from, zulu);
  // Twice: what there is no such day or hour of (2006-02-30) comes out as another one.
  if (Number.isNaN(from) || parts.some((part, i) => read[i] !== part)) {
    return undefined;
  }
  const next = parts.slice();
  next[parts.length - 1] = (next.at(-1) ?? 0) + 1;
  return { from, to: parts.length >= 6 ? from : moment(next, zulu) };
}

/** moment makes a time of year, month (0 is January), day, hour, minute, second and millisecond; those at the end may be missing. */
function moment(parts: readonly number[], utc: boolean): number {
  const [year = 1970, month = 0, date = 1, hours = 0, minutes = 0, seconds = 0, millis = 0] = parts;
  const time = new Date(0);
  // Not the constructor, which takes years below 100 for those of the 20th century.
  if (utc) {
    time.setUTCFullYear(year, month, date);
    return time.setUTCHours(hours, minutes, seconds, millis);
  }
  time.setFullYear(year, month, date);
  return time.setHours(hours, minutes, seconds, millis);
}

function calendar(time: number, utc: boolean): number[] {
  const t = new Date(time);
  return utc
    ? [t.getUTCFullYear(), t.getUTCMonth(), t.getUTCDate(), t.getUTCHours(), t.getUTCMinutes(), t.getUTCSeconds(), t.getUTCMilliseconds()]
    : [t.getFullYear(), t.getMonth(), t.getDate(), t.getHours(), t.getMinutes(), t.getSeconds(), t.getMilliseconds()];
}

/** formatRange prints a range as parseRange reads it, with two digits for all but the year. */
export function formatRange(range: Range, utc: boolean): string {
  return isLast(range) ? formatDuration(range.last) : `${formatMoment(range.from, utc)} to ${formatMoment(range.to, utc)}`;
}

/** formatMoment prints a time as YYYY-MM-DD HH:MM, with seconds and milliseconds where there are some. */
export function formatMoment(time: number, utc: boolean): string {
  const [year = 0, month = 0, ...rest] = calendar(time, utc);
  const [date, hours, minutes, seconds, millis] = rest.map((part) => String(part).padStart(2, '0'));
  const tail = time % minute === 0 ? '' : `:${seconds}${time % second === 0 ? '' : `.${(millis ?? '').padStart(3, '0')}`}`;
  return `${String(year).padStart(4, '0')}-${String(month + 1).padStart(2, '0')}-${date} ${hours}:${minutes}${tail}`;
}

/** niceSteps are the steps that are chosen among, in ms. */
const niceSteps: readonly number[] = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map((n) => n * second),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * minute),
  ...[1, 2, 3, 6, 12].map((n) => n * hour),
  ...[1, 2, 7, 14, 30, 60, 180, 365].map((n) => n * day),
];

/** The points a series that automatic steps make at most, and those that the server allows. */
const wantedPoints = 1000;
export const mostPoints = 11_000;

/** autoStep is the step of a query over a length of time, when nobody said another: of 500 points or more, a second where that does. */
export function autoStep(length: number): number {
  const least = length / wantedPoints;
  return niceSteps.find((step) => step >= least && (step >= second || length < minute)) ?? Math.ceil(least / day) * day;
}

/** lookback is how old a sample may be to count at a step: the larger of the step and 5 minutes. */
export function lookback(step: number): number {
  return Math.max(step, 5 * minute);
}
