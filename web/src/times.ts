// Times for people: in the digits and order of the locale, local or UTC.

const printers = new Map<string, Intl.DateTimeFormat>();

/** formatTime prints a time to the second, or to the millisecond where it has some. */
export function formatTime(time: number, utc: boolean, locale?: string): string {
  if (!Number.isFinite(time)) {
    return '';
  }
  const millis = time % 1000 !== 0;
  const key = `${locale} ${utc} ${millis}`;
  let printer = printers.get(key);
  if (!printer) {
    printer = new Intl.DateTimeFormat(locale, {
      year: 'numeric',
      month: 'short',
      day: 'numeric',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      ...(millis && { fractionalSecondDigits: 3 as const }),
      ...(utc && { timeZone: 'UTC' }),
    });
    printers.set(key, printer);
  }
  return printer.format(time) + (utc ? ' UTC' : '');
}

const second = 1000;
const minute = 60 * second;
const day = 1440 * minute;

const relative = new Map<string, Intl.RelativeTimeFormat>();

/** ago says how long before now a time was, in words of the locale: 3 seconds ago. What is further than a week is said as a day. */
export function ago(time: number, now: number, utc: boolean, locale?: string): string {
  const passed = now - time;
  const size = Math.abs(passed);
  if (!Number.isFinite(size)) {
    return '';
  }
  if (size >= 7 * day) {
    return new Intl.DateTimeFormat(locale, { year: 'numeric', month: 'short', day: 'numeric', ...(utc && { timeZone: 'UTC' }) }).format(time);
  }
  let words = relative.get(`${locale}`);
  if (!words) {
    words = new Intl.RelativeTimeFormat(locale, { style: 'narrow', numeric: 'auto' });
    relative.set(`${locale}`, words);
  }
  const units = [
    [day, 'day'],
    [60 * minute, 'hour'],
    [minute, 'minute'],
    [second, 'second'],
  ] as const;
  const [length, unit] = units.find(([length]) => size >= length) ?? [second, 'second' as const];
  return words.format(-Math.trunc(passed / length), unit);
}

/**
 * tickLabels prints the times of an axis that are so many ms apart, each in one or two lines: the day stands below the first, and where another begins.
 */
export function tickLabels(times: readonly number[], apart: number, utc: boolean, locale?: string): string[] {
  const zone = utc ? { timeZone: 'UTC' } : {};
  const date = new Intl.DateTimeFormat(locale, { ...(apart < 28 * day && { day: 'numeric' as const }), month: 'short', year: 'numeric', ...zone });
  if (apart >= day) {
    return times.map((time) => date.format(time));
  }
  const clock = new Intl.DateTimeFormat(locale, {
    hour: '2-digit',
    minute: '2-digit',
    ...(apart < minute && { second: '2-digit' as const }),
    ...(apart < second && { fractionalSecondDigits: 3 as const }),
    ...zone,
  });
  let shown = '';
  return times.map((time) => {
    const below = date.format(time);
    const label = clock.format(time) + (below === shown ? '' : `\n${below}`);
    shown = below;
    return label;
  });
}
