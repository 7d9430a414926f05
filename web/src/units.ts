// Units: what a value is printed as, and what the names in a query say about it.

import { selectors, tokens } from './tokens';

export type Unit = 'none' | 'bytes' | 'bits' | 'bytes/s' | 'bits/s' | 'seconds' | 'ms' | 'percent' | 'ratio' | 'per second' | 'celsius' | 'hertz';

/** unitNames are all units, with what people read. */
export const unitNames: Readonly<Record<Unit, string>> = {
  none: 'plain numbers',
  bytes: 'bytes',
  bits: 'bits',
  'bytes/s': 'bytes a second',
  'bits/s': 'bits a second',
  seconds: 'seconds',
  ms: 'milliseconds',
  percent: 'percent (0 to 100)',
  ratio: 'percent (0 to 1)',
  'per second': 'a second',
  celsius: '°C',
  hertz: 'hertz',
};

export function isUnit(text: string): text is Unit {
  return Object.hasOwn(unitNames, text);
}

/** What the words of names say; the first that fits counts. */
const hints: readonly (readonly [RegExp, Unit])[] = [
  [/^(?:percent|pct|utilization|%)$/, 'percent'],
  [/^ratio$/, 'ratio'],
  [/^(?:ms|millis|milliseconds|msec)$/, 'ms'],
  [/^(?:seconds|sec|secs)$/, 'seconds'],
  [/^bytes$/, 'bytes'],
  [/^bits$/, 'bits'],
  [/^celsius$/, 'celsius'],
  [/^(?:hertz|hz)$/, 'hertz'],
];

/** Functions whose result is no longer in the unit of what they are given. */
const unitless = new Set(
  'count count_values count_over_time group absent absent_over_time changes resets present_over_time stdvar stdvar_over_time sgn ln log2 log10 exp'.split(' '),
);
const dated = new Set('timestamp time minute hour day_of_week day_of_month day_of_year days_in_month month year'.split(' '));
const perSecond = new Set(['rate', 'irate', 'deriv']);

/**
 * guessUnit tells the unit of a query's result from the names in it, and where it has none, as {__name__=~"…"}, from those of the series that it found; none
 * where they say nothing, or different things.
 */
export function guessUnit(query: string, names: readonly string[] = []): Unit {
  const words = tokens(query);
  const calls = new Set(words.filter((token, i) => token.kind === 'name' && words[i + 1]?.text === '(').map((token) => token.text));
  if (words.some((token) => token.text === '/' || token.text === '*' || token.text === '^') || [...calls].some((name) => unitless.has(name) || dated.has(name))) {
    return 'none';
  }
  const found = new Set<Unit>();
  for (const { name, open } of selectors(query)) {
    // A name in the braces is the first thing there: {"disk.used%"}.
    const quoted = words.find((token) => name === '' && open !== undefined && token.from > open);
    const unit = unitOfName(name || (quoted?.kind === 'string' ? quoted.text.slice(1, -1) : ''));
    if (unit !== 'none') {
      found.add(unit);
    }
  }
  if (found.size === 0) {
    names.forEach((name) => found.add(unitOfName(name)));
  }
  const unit = found.size === 1 ? ([...found][0] ?? 'none') : 'none';
  return [...calls].some((name) => perSecond.has(name)) ? rateOf(unit) : unit;
}

/** The time of a processor by mode, as collect and Telegraf call it: host.cpu.user, cpu_usage_user. Both count percents. */
const modes = /(?:^|[._])cpu[._](?:usage_)?(?:busy|user|nice|system|irq|softirq|steal|iowait|idle|guest|guest_nice)$/;

/** unitOfName reads the last words of a name, however they are joined: node_memory_bytes, host.mem.bytes, DiskReadBytes, disk.used%. */
function unitOfName(name: string): Unit {
  if (modes.test(name)) {
    return 'percent';
  }
  const parts = name
    .replace(/%/g, ' % ')
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9%]+/)
    .filter((part) => part !== '' && !/^(?:total|sum|bucket|count)$/.test(part));
  for (const part of parts.reverse().slice(0, 3)) {
    const hint = hints.find(([pattern]) => pattern.test(part));
    if (hint) {
      return hint[1];
    }
  }
  return 'none';
}

function rateOf(unit: Unit): Unit {
  switch (unit) {
    case 'bytes':
      return 'bytes/s';
    case 'bits':
      return 'bits/s';
    case 'seconds':
      return 'ratio'; // seconds of work a second
    case 'none':
      return 'per second';
    default:
      return 'none';
  }
}

const binary: readonly (readonly [number, string])[] = [
  [2 ** 60, 'Ei'],
  [2 ** 50, 'Pi'],
  [2 ** 40, 'Ti'],
  [2 ** 30, 'Gi'],
  [2 ** 20, 'Mi'],
  [2 ** 10, 'Ki'],
  [1, ''],
];
const decimal: readonly (readonly [number, string])[] = [
  [1e18, 'E'],
  [1e15, 'P'],
  [1e12, 'T'],
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
  [1, ''],
];
const times: readonly (readonly [number, string])[] = [
  [86400, 'd'],
  [3600, 'h'],
  [60, 'min'],
  [1, 's'],
  [1e-3, 'ms'],
  [1e-6, 'µs'],
  [1e-9, 'ns'],
];

/** format prints a value in a unit with that many significant digits, in the digits and signs of the locale. */
export function format(value: number, unit: Unit, digits = 4, locale?: string): string {
  if (!Number.isFinite(value)) {
    return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
  }
  switch (unit) {
    case 'bytes':
      return scaled(value, binary, 'B', digits, locale);
    case 'bytes/s':
      return scaled(value, binary, 'B/s', digits, locale);
    case 'bits':
      return scaled(value, decimal, 'bit', digits, locale);
    case 'bits/s':
      return scaled(value, decimal, 'bit/s', digits, locale);
    case 'hertz':
      return scaled(value, decimal, 'Hz', digits, locale);
    case 'seconds':
      return value === 0 ? '0 s' : scaled(value, times, '', digits, locale);
    case 'ms':
      return value === 0 ? '0 ms' : scaled(value / 1000, times, '', digits, locale);
    case 'percent':
      return `${plain(value, digits, locale)} %`;
    case 'ratio':
      return `${plain(value * 100, digits, locale)} %`;
    case 'celsius':
      return `${plain(value, digits, locale)} °C`;
    case 'per second':
      return `${plain(value, digits, locale)} /s`;
    case 'none':
      return plain(value, digits, locale);
  }
}

function scaled(value: number, scale: readonly (readonly [number, string])[], unit: string, digits: number, locale?: string): string {
  const size = Math.abs(value);
  // What would be rounded up to the next prefix has it.
  const step = scale.find(([factor]) => size >= factor * (1 - 0.5 * 10 ** -digits)) ?? scale.at(-1) ?? [1, ''];
  return `${plain(value / step[0], digits, locale)} ${step[1]}${unit}`.trimEnd();
}

const printers = new Map<string, Intl.NumberFormat>();

/** plain prints a number: grouped while it is short enough to read, else with an exponent. */
function plain(value: number, digits: number, locale?: string): string {
  const size = Math.abs(value);
  const notation = size !== 0 && (size >= 1e15 || size < 1e-6) ? 'scientific' : 'standard';
  // Whole numbers are never rounded: a counter is to be told from its neighbour.
  const significant = Number.isInteger(value) && notation === 'standard' ? 16 : digits;
  const key = `${locale} ${significant} ${notation}`;
  let printer = printers.get(key);
  if (!printer) {
    printer = new Intl.NumberFormat(locale, { maximumSignificantDigits: significant, notation });
    printers.set(key, printer);
  }
  return printer.format(value);
}

/** tickSteps are the distances that lines of a plot's axis may have; undefined: powers of ten, and two and five times them. */
export function tickSteps(unit: Unit): number[] | undefined {
  switch (unit) {
    case 'bytes':
    case 'bytes/s':
      return Array.from({ length: 75 }, (_, i) => 2 ** (i - 10));
    case 'seconds':
    case 'ms': {
      const below = Array.from({ length: 12 }, (_, i) => [1, 2, 5].map((n) => n * 10 ** (i - 12))).flat();
      const above = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200];
      const days = Array.from({ length: 12 }, (_, i) => [1, 2, 5].map((n) => n * 10 ** i * 86400)).flat();
      return [...below, ...above, ...days].map((step) => (unit === 'ms' ? step * 1000 : step));
    }
    default:
      return undefined;
  }
}
