// A small plot without axes, beside a number: how it came to be what it is.

import { isDrawn } from './draw';
import type { Span } from './range';
import type { Series } from './series';

const width = 100;
const height = 32;

/** The least part of a value that spans the box: less is no more than a ripple. */
const steady = 0.02;

/** trendPath is the path of a series in a box of so many units, with gaps left open and a dot, of no length, for a sample that is alone. Its values span the box, or a part of it if they are almost the same. */
export function trendPath(series: Pick<Series, 'times' | 'values' | 'gaps'>, span: Span, fromZero: boolean): string {
  const drawn = [...series.values.keys()].filter((i) => isDrawn(series.values[i] ?? NaN, false));
  const values = drawn.map((i) => series.values[i] ?? 0);
  let [least, most] = [Math.min(...values), Math.max(...values)];
  if (fromZero) {
    [least, most] = [Math.min(least, 0), Math.max(most, 0)];
  }
  // What hardly changes is to look so.
  const room = (Math.max(Math.abs(least), Math.abs(most)) * steady - (most - least)) / 2;
  if (room > 0 && values.length > 0) {
    [least, most] = [least - room, most + room];
  }
  let path = '';
  let last = -2;
  for (const i of drawn) {
    const x = (((series.times[i] ?? 0) - span.from) / Math.max(span.to - span.from, 1)) * width;
    const y = most > least ? height - 1 - (((series.values[i] ?? 0) - least) / (most - least)) * (height - 2) : fromZero && most === 0 ? height - 1 : height / 2;
    const joined = last === i - 1 && series.gaps[i] === 0;
    const alone = !joined && (!drawn.includes(i + 1) || series.gaps[i + 1] !== 0);
    path += `${joined ? 'L' : 'M'}${x.toFixed(2)} ${y.toFixed(2)}${alone ? 'h0' : ''}`;
    last = i;
  }
  return path;
}

export function Trend({ series, span, fromZero }: { series: Series; span: Span; fromZero: boolean }) {
  return (
    <svg class="trend" viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" aria-hidden="true">
      <path d={trendPath(series, span, fromZero)} />
    </svg>
  );
}
