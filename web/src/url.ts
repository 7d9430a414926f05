// The state of Explore as the part of the page's address behind the #, so that a link shows the same and the browser's back and forward undo and redo.

import { formatDuration, fixed, isLast, parseDuration, shortest, type Range } from './range';
import { hashOf, paramsOf } from './route';
import { isUnit, type Unit } from './units';

export type Style = 'auto' | 'line' | 'points';
export type View = 'plot' | 'table' | 'json';

/** Query is one query of Explore and how its result is shown. */
export interface Query {
  text: string;
  unit?: Unit; // not there: guessed
  hidden: string[]; // names of series that are not drawn
  only: string[]; // names of series that are drawn alone; none: all
}

/** State is all that a link holds. */
export interface State {
  queries: Query[];
  range: Range;
  live: number; // ms from one look to the next; 0: not live
  step: number; // ms; 0: chosen by the page
  style: Style;
  view: View;
  log: boolean;
  zero: boolean; // the axis begins at 0
  utc: boolean;
}

export const noState: State = {
  queries: [{ text: '', hidden: [], only: [] }],
  range: { last: 3_600_000 },
  live: 0,
  step: 0,
  style: 'auto',
  view: 'plot',
  log: false,
  zero: false,
  utc: false,
};

/** The queries that a page shows at most, and the length of names it keeps in the address. */
export const mostQueries = 10;

/** toHash writes a state. What is as in noState is left out. */
export function toHash(state: State): string {
  const params = new URLSearchParams();
  state.queries.forEach((query, i) => {
    params.append(`q${i}`, query.text);
    if (query.unit) {
      params.append(`q${i}.unit`, query.unit);
    }
    query.hidden.forEach((name) => params.append(`q${i}.hide`, name));
    query.only.forEach((name) => params.append(`q${i}.only`, name));
  });
  if (isLast(state.range)) {
    params.append('range', formatDuration(state.range.last));
  } else {
    params.append('from', iso(state.range.from));
    params.append('to', iso(state.range.to));
  }
  if (state.live > 0) {
    params.append('live', formatDuration(state.live));
  }
  if (state.step > 0) {
    params.append('step', formatDuration(state.step));
  }
  if (state.style !== 'auto') {
    params.append('style', state.style);
  }
  if (state.view !== 'plot') {
    params.append('view', state.view);
  }
  for (const flag of ['log', 'zero', 'utc'] as const) {
    if (state[flag]) {
      params.append(flag, '1');
    }
  }
  return hashOf('explore', params);
}

function iso(time: number): string {
  return new Date(time).toISOString().replace('.000Z', 'Z');
}

/** fromHash reads a state; what is missing or can't be read is as in noState. */
export function fromHash(hash: string): State {
  const params = paramsOf(hash);
  const live = duration(params.get('live'));
  return {
    queries: queriesOf(params),
    range: rangeOf(params),
    live: live > 0 ? Math.max(live, 1000) : 0,
    step: duration(params.get('step')),
    style: oneOf(params.get('style'), ['auto', 'line', 'points']),
    view: oneOf(params.get('view'), ['plot', 'table', 'json']),
    log: params.get('log') === '1',
    zero: params.get('zero') === '1',
    utc: params.get('utc') === '1',
  };
}

function queriesOf(params: URLSearchParams): Query[] {
  const queries: Query[] = [];
  for (let i = 0; i < mostQueries; i++) {
    const text = params.get(`q${i}`);
    if (text === null) {
      break;
    }
    const query: Query = { text, hidden: params.getAll(`q${i}.hide`), only: params.getAll(`q${i}.only`) };
    const unit = params.get(`q${i}.unit`) ?? '';
    if (isUnit(unit)) {
      query.unit = unit;
    }
    queries.push(query);
  }
  return queries.length > 0 ? queries : noState.queries;
}

function rangeOf(params: URLSearchParams): Range {
  const from = Date.parse(params.get('from') ?? '');
  const to = Date.parse(params.get('to') ?? '');
  if (Number.isFinite(from) && Number.isFinite(to)) {
    return fixed(from, to);
  }
  const last = duration(params.get('range'));
  return last > 0 ? { last: Math.max(last, shortest) } : noState.range;
}

function duration(text: string | null): number {
  return parseDuration(text ?? '') ?? 0;
}

/** oneOf returns a text that is one of some, the first of them if it is none. */
export function oneOf<T extends string>(text: string | null, some: readonly [T, ...T[]]): T {
  return some.find((one) => one === text) ?? some[0];
}
