// Carrying out a query: what is asked of the server so that the plot shows what is there.
//
// A plain selector with at most 4,000 samples a series in the range is plotted from its raw samples. All else is evaluated at steps, and
// a sample counts for a step if it is no older than the lookback, the larger of the step and 5 minutes.

import { ask, isRecord, type Answer, type Param } from './api';
import { rawGaps, stepGaps } from './gaps';
import { autoStep, fixed, formatDuration, lookback, mostPoints, resolve, type Span } from './range';
import { plainSelector, type Plain } from './selector';
import { labelsOf, numberOf, seriesName, within, type Series } from './series';

/** The samples a series that are plotted as they are, at most. */
const mostRaw = 4000;

/** The series that are shown at most. */
export const mostSeries = 100;

/** Outcome is the result of a query. */
export interface Outcome {
  series: Series[];
  span: Span; // of the query
  step: number; // ms; 0: raw samples
  lookback: number; // ms; 0: raw samples
  more: number; // series that are left out, at least; Infinity: nobody knows how many
  samples: number; // in series
  took: number; // ms, from the request to its last byte
  notes: string[]; // of the server
  answers: Answer[]; // what was asked, and what came
}

/** run carries out a query over a span of time. wanted is the step in ms; 0: raw samples if there are few enough, else one that fits. */
export async function run(text: string, span: Span, wanted: number, signal: AbortSignal): Promise<Outcome> {
  const began = performance.now();
  const parsed = await parse(text, signal);
  const plain = plainSelector(parsed.data);
  const outcome = (plain && wanted === 0 && (await raw(plain, span, signal))) || (await stepped(text, span, wanted, signal));
  outcome.answers.unshift(parsed);
  outcome.took = performance.now() - began;
  return outcome;
}

/** What the last queries were parsed as: a live plot asks for the same again and again. */
const parses = new Map<string, Answer>();
const mostParses = 50;

async function parse(text: string, signal: AbortSignal): Promise<Answer> {
  const known = parses.get(text);
  if (known) {
    return known;
  }
  const parsed = await ask('parse_query', [['query', text]], signal);
  if (parses.size >= mostParses) {
    parses.clear();
  }
  parses.set(text, parsed);
  return parsed;
}

/** raw plots the samples of a selector as they are; undefined if there are too many. */
async function raw(plain: Plain, span: Span, signal: AbortSignal): Promise<Outcome | undefined> {
  // A range is open at its left end, and as long as it says.
  const selected = ({ from, to }: Span): string => `${plain.text}[${to - from + 1}ms]`;
  const time = ({ to }: Span): Param => ['time', seconds(to - plain.offset)];
  // Before they are fetched: how many there are. count_over_time would do, but for series that differ by name only.
  const sizes = await ask('query', [['query', `count(last_over_time(${selected(span)}))`], time(span), ['stats', 'true']], signal);
  const found = sizesOf(sizes.data);
  if (found.samples > mostRaw * found.series) {
    return undefined; // so one has more
  }
  const wide = widened(span, found);
  const answer = await ask('query', [['query', selected(wide)], time(wide), ['limit', String(mostSeries)]], signal);
  const series = seriesOf(answer.data, plain.offset, rawGaps)
    .map((one) => within(one, span.from, span.to))
    .filter((one) => one.times.length > 0);
  if (series.some((one) => one.times.length > mostRaw)) {
    return undefined;
  }
  return made(series, span, { step: 0, lookback: 0 }, Math.max(0, found.series - series.length), [sizes, answer]);
}

/** The intervals between samples, on average, that are looked at on either side of what is shown. */
const beside = 2;

/** widened is a span with room for the samples before and after it, which lines come from and go to. */
function widened(span: Span, { series, samples }: { series: number; samples: number }): Span {
  const length = span.to - span.from;
  const room = samples > 0 ? Math.min(length, (beside * length * series) / samples) : 0;
  return resolve(fixed(span.from - room, span.to + room), 0);
}

/** stepped evaluates a query at steps. */
async function stepped(text: string, span: Span, wanted: number, signal: AbortSignal): Promise<Outcome> {
  const step = Math.max(wanted || autoStep(span.to - span.from), Math.ceil((span.to - span.from) / mostPoints), 1);
  const back = lookback(step);
  // Steps are at multiples of their length, so that a moving range gives the same values again.
  const first = Math.ceil(span.from / step) * step;
  const times: Param[] = [
    ['start', seconds(first)],
    ['end', seconds(Math.max(span.to, first))],
    ['step', seconds(step)],
    ['lookback_delta', formatDuration(back)],
  ];
  const answer = await ask('query_range', [['query', text], ...times, ['limit', String(mostSeries + 1)]], signal);
  const all = seriesOf(answer.data, 0, (at) => stepGaps(at, step));
  const series = all.slice(0, mostSeries);
  const more = all.length > series.length ? await beyond(text, times, signal) : 0;
  return made(series, span, { step, lookback: back }, more, [answer]);
}

/** beyond returns how many series more than those that are shown a query has at the step with most of them; Infinity if it can't be told. */
async function beyond(text: string, times: readonly Param[], signal: AbortSignal): Promise<number> {
  try {
    // The query may end in a comment.
    const { data } = await ask('query_range', [['query', `count(${text}\n)`], ...times], signal);
    const [counts] = seriesOf(data, 0, () => new Uint8Array());
    const most = counts ? counts.values.reduce((a, b) => Math.max(a, b), 0) : 0;
    return most > mostSeries ? most - mostSeries : Infinity;
  } catch (error) {
    if (signal.aborted) {
      throw error;
    }
    return Infinity;
  }
}

function made(series: Series[], span: Span, steps: { step: number; lookback: number }, more: number, answers: Answer[]): Outcome {
  const samples = series.reduce((sum, one) => sum + one.times.length, 0);
  // That the limit cut something off the page says itself.
  const notes = answers.flatMap((answer) => answer.notes).filter((note) => note !== 'results truncated due to limit');
  return { series, span, ...steps, more, samples, took: 0, notes: [...new Set(notes)], answers };
}

/** seconds writes a time or duration of ms for the API. */
function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}

/** sizesOf reads a count of series, and from its statistics how many samples they have together. */
function sizesOf(data: unknown): { series: number; samples: number } {
  const [entry] = resultOf(data);
  const series = isRecord(entry) && Array.isArray(entry['value']) ? Number(entry['value'][1]) : 0;
  const stats = isRecord(data) && isRecord(data['stats']) ? data['stats']['samples'] : undefined;
  const samples = isRecord(stats) ? Number(stats['totalQueryableSamples']) : 0;
  return { series, samples };
}

function resultOf(data: unknown): unknown[] {
  return isRecord(data) && Array.isArray(data['result']) ? data['result'] : [];
}

/** seriesOf reads a matrix. offset, in ms, is added to its times. */
function seriesOf(data: unknown, offset: number, gapsOf: (times: Float64Array) => Uint8Array): Series[] {
  const all: Series[] = [];
  for (const entry of resultOf(data)) {
    if (!isRecord(entry) || !Array.isArray(entry['values'])) {
      continue;
    }
    const points: unknown[] = entry['values'];
    const times = new Float64Array(points.length);
    const values = new Float64Array(points.length);
    points.forEach((point, i) => {
      if (Array.isArray(point)) {
        times[i] = Math.round(Number(point[0]) * 1000) + offset;
        values[i] = numberOf(point[1]);
      }
    });
    const labels = labelsOf(entry['metric']);
    all.push({ name: seriesName(labels), labels, times, values, gaps: gapsOf(times) });
  }
  return all.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}
