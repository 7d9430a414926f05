// A board: plots that are looked at together. The server keeps it as a document of JSON, which it does not look into. The document's name is the board's.
//
//   {
//     "version": 1,
//     "range": "6h",               shown first: a duration up to now, or {"from": "2006-06-13T00:00:00Z", "to": …}; missing: an hour
//     "live": "10s",               how often it is shown anew; missing: it is not
//     "plots": [                   in their order
//       {
//         "query": "host.cpu.user",
//         "title": "CPU",          missing: the query is
//         "unit": "percent",       a name of units.ts; missing: guessed from the query
//         "style": "line",         line or points; missing: by the samples
//         "log": true,             a logarithmic axis; missing: not
//         "zero": true,            the axis begins at 0; missing: not
//         "wide": true,            as wide as the board; missing: one of its columns
//         "hidden": ["…"],         names of series that are not drawn at first
//         "only": ["…"]            names of series that are drawn alone at first; then hidden has no meaning
//       }
//     ]
//   }
//
// What has another name is ignored, and gone when the board is saved. What is of the wrong type makes the whole unreadable: half a board would be saved over a whole one.

import { isRecord } from './api';
import { wordsOf } from './errors';
import { fixed, formatDuration, isLast, parseDuration, shortest, type Range } from './range';
import { isUnit, type Unit } from './units';
import { noState, type Style } from './url';

const version = 1;

/** A board's plots, and the UTF-16 units of a title, a query and the name of a series, at most. */
export const mostPlots = 100;
export const longestTitle = 200;
const longestQuery = 10_000;
const mostNames = 1000;

/** What the server takes as a document, in bytes. */
export const largest = 1 << 20;

/** Plot is one plot of a board. */
export interface Plot {
  readonly id: number; // tells it from the others of the board while it is shown; it is not kept
  query: string;
  title: string; // empty: the query is
  unit?: Unit; // not there: guessed
  style: Style;
  log: boolean;
  zero: boolean;
  wide: boolean;
  hidden: string[];
  only: string[];
}

/** NewPlot is one that no board has yet. */
export type NewPlot = Omit<Plot, 'id'>;

/** Board is all of one but its name. */
export interface Board {
  range: Range;
  live: number; // ms; 0: not live
  plots: readonly Plot[];
}

export const noBoard: Board = { range: noState.range, live: 0, plots: [] };
export const noPlot: NewPlot = { query: '', title: '', style: 'auto', log: false, zero: false, wide: false, hidden: [], only: [] };

/** BadBoard says why a text is no board. */
export class BadBoard extends Error {}

export function titleOf(plot: NewPlot): string {
  return plot.title || plot.query.trim().replace(/\s+/g, ' ') || 'No query';
}

/** writeBoard writes a board as JSON, for people, too. */
export function writeBoard({ range, live, plots }: Board): string {
  const written = {
    version,
    range: isLast(range) ? formatDuration(range.last) : { from: new Date(range.from).toISOString(), to: new Date(range.to).toISOString() },
    ...(live > 0 && { live: formatDuration(live) }),
    plots: plots.map(({ query, title, unit, style, log, zero, wide, hidden, only }) => ({
      query,
      ...(title !== '' && { title }),
      ...(unit && { unit }),
      ...(style !== 'auto' && { style }),
      ...(log && { log }),
      ...(zero && { zero }),
      ...(wide && { wide }),
      ...(hidden.length > 0 && { hidden }),
      ...(only.length > 0 && { only }),
    })),
  };
  return `${JSON.stringify(written, undefined, 2)}\n`;
}

/** readBoard reads a board, or throws a BadBoard that says where it is none. */
export function readBoard(text: string): Board {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch (error) {
    throw new BadBoard(`It is not JSON: ${wordsOf(error)}`);
  }
  if (!isRecord(found)) {
    throw new BadBoard('It is JSON, but no board: there is no {"version": …, "plots": […]}.');
  }
  const is = found['version'];
  if (typeof is === 'number' && is > version) {
    throw new BadBoard(`It is a board of version ${is}, which a newer metricd wrote; this one reads version ${version}.`);
  }
  if (is !== version) {
    throw new BadBoard(`It is JSON, but no board: its version is ${shown(is)} and not ${version}.`);
  }
  const plots = listAt(found, 'plots', '', mostPlots) ?? bad('plots', found['plots'], 'a list');
  return { range: rangeAt(found), live: durationAt(found, 'live'), plots: plots.map((plot, i) => readPlot(plot, i)) };
}

function readPlot(found: unknown, id: number): Plot {
  const where = `plots[${id}]`;
  if (!isRecord(found)) {
    return bad(where, found, 'a plot');
  }
  const unit = textAt(found, 'unit', `${where}.`, longestTitle) ?? '';
  if (unit !== '' && !isUnit(unit)) {
    return bad(`${where}.unit`, unit, 'a unit');
  }
  return {
    id,
    query: textAt(found, 'query', `${where}.`, longestQuery) ?? bad(`${where}.query`, undefined, 'a text'),
    title: textAt(found, 'title', `${where}.`, longestTitle) ?? '',
    ...(unit !== '' && { unit }),
    style: styleAt(found, 'style', `${where}.`),
    log: flagAt(found, 'log', `${where}.`),
    zero: flagAt(found, 'zero', `${where}.`),
    wide: flagAt(found, 'wide', `${where}.`),
    hidden: namesAt(found, 'hidden', `${where}.`),
    only: namesAt(found, 'only', `${where}.`),
  };
}

type Found = Record<string, unknown>;

function bad(where: string, found: unknown, wanted: string): never {
  throw new BadBoard(`${where} is ${shown(found)}, and should be ${wanted}.`);
}

function shown(found: unknown): string {
  const text = found === undefined ? 'missing' : JSON.stringify(found);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function textAt(found: Found, name: string, where: string, most: number): string | undefined {
  const text = found[name];
  if (text === undefined || (typeof text === 'string' && text.length <= most)) {
    return text;
  }
  return bad(where + name, text, `a text of at most ${most} characters`);
}

function styleAt(found: Found, name: string, where: string): Style {
  const style = found[name] ?? 'auto';
  return style === 'auto' || style === 'line' || style === 'points' ? style : bad(where + name, style, 'auto, line or points');
}

function flagAt(found: Found, name: string, where: string): boolean {
  const flag = found[name] ?? false;
  return typeof flag === 'boolean' ? flag : bad(where + name, flag, 'true or false');
}

function listAt(found: Found, name: string, where: string, most: number): unknown[] | undefined {
  const list = found[name];
  if (list === undefined || (Array.isArray(list) && list.length <= most)) {
    return list;
  }
  return Array.isArray(list) ? bad(where + name, `a list of ${list.length}`, `one of at most ${most}`) : bad(where + name, list, 'a list');
}

function namesAt(found: Found, name: string, where: string): string[] {
  return (listAt(found, name, where, mostNames) ?? []).map((one, i) => (typeof one === 'string' && one.length <= longestQuery ? one : bad(`${where}${name}[${i}]`, one, 'a name')));
}

function durationAt(found: Found, name: string): number {
  const text = textAt(found, name, '', longestTitle);
  return text === undefined ? 0 : Math.max(parseDuration(text) ?? bad(name, text, 'a duration such as 10s'), 1000);
}

function rangeAt(found: Found): Range {
  const range = found['range'];
  if (isRecord(range)) {
    const [from, to] = [range['from'], range['to']].map((time) => (typeof time === 'string' ? Date.parse(time) : NaN));
    return from !== undefined && to !== undefined && Number.isFinite(from + to) ? fixed(from, to) : bad('range', range, 'of two times, from and to');
  }
  if (range === undefined) {
    return noBoard.range;
  }
  const last = typeof range === 'string' ? parseDuration(range) : undefined;
  return { last: Math.max(last ?? bad('range', range, 'a duration such as 6h, or from and to'), shortest) };
}
