// Series: results of queries as the page has them.

import { isRecord } from './api';
import { quote, isBareName, spellLabel } from './tokens';

/** Labels of a series, the name of the metric among them as __name__. */
export type Labels = Readonly<Record<string, string>>;

/** labelsOf reads labels of an answer. */
export function labelsOf(metric: unknown): Labels {
  const labels: Record<string, string> = Object.create(null) as Record<string, string>; // a label may be called __proto__
  if (isRecord(metric)) {
    for (const [name, value] of Object.entries(metric)) {
      labels[name] = String(value);
    }
  }
  return labels;
}

/** numberOf reads a value as the API writes it. */
export function numberOf(text: unknown): number {
  switch (text) {
    case '+Inf':
      return Infinity;
    case '-Inf':
      return -Infinity;
    default:
      return Number(text);
  }
}

/** Series is one line of a plot. times ascend; values and gaps have as many entries. */
export interface Series {
  name: string; // spelled as a selector
  labels: Labels;
  times: Float64Array; // ms
  values: Float64Array; // any, NaN and infinities included
  gaps: Uint8Array; // 1: the line to this sample is broken
  around?: Pick<Series, 'times' | 'values' | 'gaps'>; // the same with its neighbours before and after, for lines that enter and leave a plot
}

/** within is a series from one time to another, both inclusive; what it had besides is around it. */
export function within(series: Series, from: number, to: number): Series {
  const { times, values, gaps } = series;
  const first = firstFrom(times, from);
  const last = firstFrom(times, to + 1);
  const cut = { times: times.subarray(first, last), values: values.subarray(first, last), gaps: gaps.subarray(first, last) };
  return { ...series, ...cut, around: { times, values, gaps } };
}

/** seriesName spells labels as a selector: cpu{host="a"}, {"disk.used%"}, {} for none. */
export function seriesName(labels: Labels): string {
  const name = labels['__name__'] ?? '';
  const bare = isBareName(name);
  const inside = Object.keys(labels)
    .filter((label) => label !== '__name__')
    .sort()
    .map((label) => `${spellLabel(label)}=${quote(labels[label] ?? '')}`);
  if (name !== '' && !bare) {
    inside.unshift(quote(name));
  }
  return (bare ? name : '') + (inside.length > 0 || !bare ? `{${inside.join(', ')}}` : '');
}

/** indexAt returns the sample nearest to a time that is no further than so many ms away; -1 if there is none. */
export function indexAt(times: Float64Array, time: number, within: number): number {
  const after = firstFrom(times, time);
  const before = after - 1;
  const distance = (i: number): number => Math.abs((times[i] ?? Infinity) - time);
  const nearest = distance(before) <= distance(after) ? before : after;
  return distance(nearest) <= within ? nearest : -1;
}

/** firstFrom returns the index of the first time that is not before time; their number if there is none. */
export function firstFrom(times: Float64Array, time: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] ?? 0) < time) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

/** Summary is what a table says of a series; values that are no numbers are left out. */
export interface Summary {
  count: number; // of all samples
  first: number;
  least: number;
  mean: number;
  most: number;
  last: number;
  lastTime: number; // ms
}

export function summarize(series: Series): Summary {
  const numbers = series.values.filter((value) => !Number.isNaN(value));
  let least = Infinity;
  let most = -Infinity;
  let sum = 0;
  for (const value of numbers) {
    least = Math.min(least, value);
    most = Math.max(most, value);
    sum += value;
  }
  const none = numbers.length === 0;
  return {
    count: series.values.length,
    first: series.values[0] ?? NaN,
    least: none ? NaN : least,
    mean: none ? NaN : sum / numbers.length,
    most: none ? NaN : most,
    last: series.values.at(-1) ?? NaN,
    lastTime: series.times.at(-1) ?? NaN,
  };
}

/** metricNames returns the names of series that have one. */
export function metricNames(all: readonly Series[]): string[] {
  return all.flatMap(({ labels }) => labels['__name__'] ?? []);
}
