// CSV (RFC 4180) of what a plot shows: a line for each sample, since series have times of their own.

import type { Series } from './series';

/** toCSV writes series,time,value: time as RFC 3339 in UTC, value so that it reads back as the same number. Lines end in CR LF. */
export function toCSV(all: readonly Series[]): string {
  const lines = ['series,time,value'];
  for (const series of all) {
    const name = field(series.name);
    for (let i = 0; i < series.times.length; i++) {
      lines.push(`${name},${new Date(series.times[i] ?? NaN).toISOString()},${number(series.values[i] ?? NaN)}`);
    }
  }
  return `${lines.join('\r\n')}\r\n`;
}

function field(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
}

function number(value: number): string {
  if (Object.is(value, -0)) {
    return '-0';
  }
  return Number.isFinite(value) || Number.isNaN(value) ? String(value) : value > 0 ? '+Inf' : '-Inf';
}
