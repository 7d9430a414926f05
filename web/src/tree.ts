// The tree of names as Browse has it: what is known of it, and the rows that are shown. Names are cut at their dots by the server, which is asked level by level.

import { isRecord } from './api';
import { fixed, presets, type Range } from './range';
import { labelsOf, numberOf, seriesName, type Labels } from './series';
import { spellName } from './tokens';

/** Found is a series. first, last and value are there if it has a sample, at any age. */
export interface Found {
  key: string; // as get has it
  labels: Labels;
  first: number | undefined; // ms
  last: number | undefined;
  value: number;
  times: Float64Array; // of some of its samples
  values: Float64Array;
}

/** Child is what comes next behind a prefix. */
export interface Child {
  name: string; // the segment
  path: string; // the prefix, and the segment
  metric: number; // series whose name is path
  below: number; // series whose names go on behind a dot
  series: Found[]; // those of the metric, if they are few
}

/** Level is a level of the tree, or with series only a list of series; as far as it was read. */
export interface Level {
  children: Child[];
  series: Found[];
  total: number; // of series of a list
  after: string | undefined; // there is more: where to go on
}

/** levelOf reads an answer of /api/page/browse. */
export function levelOf(data: unknown): Level {
  const body = isRecord(data) ? data : {};
  return {
    children: records(body['children']).map((child) => ({
      name: String(child['name']),
      path: String(child['path']),
      metric: Number(child['metric']),
      below: Number(child['below']),
      series: records(child['series']).map(foundOf),
    })),
    series: records(body['series']).map(foundOf),
    total: Number(body['total'] ?? 0),
    after: typeof body['after'] === 'string' ? body['after'] : undefined,
  };
}

function records(list: unknown): Record<string, unknown>[] {
  return Array.isArray(list) ? list.filter(isRecord) : [];
}

function foundOf(body: Record<string, unknown>): Found {
  const points: unknown[] = Array.isArray(body['points']) ? body['points'] : [];
  const pairs = points.filter((point): point is unknown[] => Array.isArray(point));
  return {
    key: String(body['key']),
    labels: labelsOf(body['labels']),
    first: typeof body['first'] === 'number' ? body['first'] : undefined,
    last: typeof body['last'] === 'number' ? body['last'] : undefined,
    value: numberOf(body['value']),
    times: Float64Array.from(pairs, ([time]) => Number(time)),
    values: Float64Array.from(pairs, ([, value]) => numberOf(value)),
  };
}

/** joined is a level with what came after it. */
export function joined(level: Level, next: Level): Level {
  return { ...next, children: [...level.children, ...next.children], series: [...level.series, ...next.series] };
}

/** Where a level is asked for: behind a prefix, or the series of one name. A tree may have both for one path, so each has a key of its own. */
export interface Source {
  kind: 'prefix' | 'name' | 'match';
  text: string;
}

export function keyOf({ kind, text }: Source): string {
  return `${kind} ${text}`;
}

/** Row is a line of what is shown. */
export type Row =
  | { kind: 'branch'; id: string; depth: number; child: Child; open: boolean }
  | { kind: 'series'; id: string; depth: number; series: Found; name: string } // name: the segment, if labels are enough to tell it: empty
  | { kind: 'more'; id: string; depth: number; source: Source; after: string | undefined }; // after: undefined: on its way

/** rowsOf lists what is shown of a tree: levels by their keys, and the paths that are open. */
export function rowsOf(levels: ReadonlyMap<string, Level>, open: ReadonlySet<string>): Row[] {
  const rows: Row[] = [];
  const add = (source: Source, depth: number): void => {
    const level = levels.get(keyOf(source));
    if (!level) {
      rows.push({ kind: 'more', id: `more ${keyOf(source)}`, depth, source, after: undefined });
      return;
    }
    for (const child of level.children) {
      const [only] = child.series;
      if (child.metric === 1 && child.below === 0 && only) {
        rows.push({ kind: 'series', id: `series ${only.key}`, depth, series: only, name: child.name });
        continue;
      }
      const isOpen = open.has(child.path);
      rows.push({ kind: 'branch', id: `branch ${child.path}`, depth, child, open: isOpen });
      if (isOpen) {
        if (child.metric > 0 && child.series.length === child.metric) {
          child.series.forEach((series) => rows.push({ kind: 'series', id: `series ${series.key}`, depth: depth + 1, series, name: '' }));
        } else if (child.metric > 0) {
          add({ kind: 'name', text: child.path }, depth + 1);
        }
        if (child.below > 0) {
          add({ kind: 'prefix', text: `${child.path}.` }, depth + 1);
        }
      }
    }
    level.series.forEach((series) => rows.push({ kind: 'series', id: `series ${series.key}`, depth, series, name: '' }));
    if (level.after !== undefined) {
      rows.push({ kind: 'more', id: `more ${keyOf(source)}`, depth, source, after: level.after });
    }
  };
  add({ kind: 'prefix', text: '' }, 0);
  return rows;
}

/** listOf lists series that were found by a filter. */
export function listOf(level: Level | undefined, source: Source): Row[] {
  const rows: Row[] = (level?.series ?? []).map((series) => ({ kind: 'series', id: `series ${series.key}`, depth: 0, series, name: '' }));
  if (!level || level.after !== undefined) {
    rows.push({ kind: 'more', id: `more ${keyOf(source)}`, depth: 0, source, after: level?.after });
  }
  return rows;
}

/** wanted returns what is to be asked for, since it is open and not there. */
export function wanted(rows: readonly Row[]): Source[] {
  return rows.flatMap((row) => (row.kind === 'more' && row.after === undefined ? [row.source] : []));
}

/** parentOf returns the row that a row is below; -1 if there is none. */
export function parentOf(rows: readonly Row[], index: number): number {
  const depth = rows[index]?.depth ?? 0;
  return rows.findLastIndex((row, i) => i < index && row.depth < depth);
}

/** A series that has had a sample so short a time ago, in ms, is one that goes on. */
const alive = 600_000;

/** extentRange is the range that shows samples from first to last, and whether more are to come. */
export function extentRange(first: number, last: number, now: number): { range: Range; alive: boolean } {
  if (last <= now && now - last < alive) {
    const length = presets.find((length) => length >= now - first);
    if (length !== undefined) {
      return { range: { last: length }, alive: true };
    }
  }
  const margin = last > first ? (last - first) * 0.02 : 1_800_000;
  return { range: fixed(first - margin, last + margin), alive: false };
}

/** selectorOf is the query that plots a series, or with many series a metric. */
export function selectorOf(of: Found | Child): string {
  return 'key' in of ? seriesName(of.labels) : spellName(of.path);
}

/** marked cuts a text where words of a filter stand in it, in any case. */
export function marked(text: string, words: readonly string[]): { text: string; mark: boolean }[] {
  const lower = text.toLowerCase();
  const parts: { text: string; mark: boolean }[] = [];
  let from = 0;
  while (from < text.length) {
    const next = words
      .map((word) => ({ at: lower.indexOf(word.toLowerCase(), from), length: word.length }))
      .filter(({ at, length }) => at >= 0 && length > 0)
      .sort((a, b) => a.at - b.at || b.length - a.length)[0];
    // Letters that are longer in the other case shift what follows: then nothing is marked.
    if (!next || lower.length !== text.length) {
      break;
    }
    if (next.at > from) {
      parts.push({ text: text.slice(from, next.at), mark: false });
    }
    parts.push({ text: text.slice(next.at, next.at + next.length), mark: true });
    from = next.at + next.length;
  }
  if (from < text.length) {
    parts.push({ text: text.slice(from), mark: false });
  }
  return parts;
}
