// Browse: the tree of names, or the series that a filter finds, each with its last value. A click plots a series over its own extent.

import { useEffect, useMemo, useState } from 'preact/hooks';
import { isRecord, lookPage } from './api';
import { BrowseRows } from './browserows';
import { useKeys } from './keys';
import { useLevels } from './levels';
import { hashOf, isUTC, paramsOf, type Go } from './route';
import { useTicks } from './running';
import { extentRange, keyOf, listOf, rowsOf, selectorOf, wanted, type Child, type Row, type Source } from './tree';
import { format } from './units';
import { noState, toHash } from './url';
import { Welcome } from './welcome';

interface Props {
  hash: string;
  go: Go;
  returns: number; // of the server, see Presence
}

const refresh = 10_000; // ms

/** The branches that are kept open in the address. */
const mostOpen = 100;

export function Browse({ hash, go, returns }: Props) {
  const params = paramsOf(hash);
  const match = params.get('match') ?? '';
  const utc = isUTC(hash);
  const open = useMemo(() => new Set(params.getAll('open')), [hash]);
  const [typed, setTyped] = useState(match);
  useEffect(() => setTyped(match), [match]);
  useEffect(() => {
    const timer = setTimeout(() => typed !== match && go(addressOf(open, typed, utc), 'corrects'), 150);
    return () => clearTimeout(timer);
  }, [typed]);
  const filter = match.trim();
  const source: Source = { kind: 'match', text: filter };
  const levels = useLevels(filter);
  const rows = filter === '' ? rowsOf(levels.known, open) : listOf(levels.known.get(keyOf(source)), source);

  // What is open is asked for; a level with a single branch opens that, too.
  const missing = wanted(rows);
  useEffect(() => levels.want(missing), [missing.map(keyOf).join('\n')]);
  const alone = singleBranch(rows, open);
  useEffect(() => {
    if (alone !== undefined) {
      go(addressOf(new Set([...open, alone]), match, utc), 'corrects');
    }
  }, [alone]);
  const tick = useTicks(refresh);
  useEffect(() => {
    if (tick > 0 || returns > 0) {
      levels.refresh(filter === '' ? sourcesOf(rows) : [source]);
    }
  }, [tick, returns]);
  useKeys([{ keys: ['/'], label: '/', what: 'to the filter', act: () => document.getElementById('filter')?.focus() }]);

  const top = levels.known.get(keyOf({ kind: 'prefix', text: '' }));
  if (filter === '' && top && top.children.length === 0 && top.after === undefined) {
    return <Welcome arrived={() => levels.refresh([{ kind: 'prefix', text: '' }])} />;
  }
  const toggle = (path: string): void => {
    const next = new Set(open);
    if (!next.delete(path)) {
      next.add(path);
    }
    go(addressOf(next, match, utc), 'corrects');
  };
  return (
    <>
      <h2>Browse</h2>
      <div class="filter">
        <input
          id="filter"
          type="search"
          aria-label="filter"
          placeholder="Filter: words of a name, or a label such as host=a (/)"
          autocomplete="off"
          spellcheck={false}
          value={typed}
          onInput={(event) => setTyped(event.currentTarget.value)}
          onKeyDown={(event) => event.key === 'Escape' && setTyped('')}
        />
        <span class="dim" role="status">
          {countOf(rows, filter, levels.known.get(keyOf(filter === '' ? { kind: 'prefix', text: '' } : source))?.total)}
        </span>
      </div>
      {levels.error !== undefined && (
        <p class="error" role="alert">
          {levels.error}
        </p>
      )}
      <BrowseRows
        rows={rows}
        words={filter.split(/\s+/).filter((word) => word !== '')}
        utc={utc}
        toggle={toggle}
        more={levels.more}
        addressOf={(of) => ('key' in of ? explore(selectorOf(of), of.first, of.last, utc) : explore(selectorOf(of), undefined, undefined, utc))}
        plotMetric={(child) => void plotMetric(child, utc).then((address) => go(address))}
      />
    </>
  );
}

function addressOf(open: ReadonlySet<string>, match: string, utc: boolean): string {
  const params = new URLSearchParams();
  if (match !== '') {
    params.append('match', match);
  }
  [...open].slice(-mostOpen).forEach((path) => params.append('open', path));
  if (utc) {
    params.append('utc', '1');
  }
  return hashOf('browse', params);
}

/** singleBranch returns the path of a branch that is all there is on an open level, and not open. */
function singleBranch(rows: readonly Row[], open: ReadonlySet<string>): string | undefined {
  const alone = rows.find((row, i) => {
    const before = rows[i - 1];
    const below = i === 0 || (before?.kind === 'branch' && before.depth === row.depth - 1);
    const after = rows[i + 1];
    return row.kind === 'branch' && row.child.below > 0 && below && (!after || after.depth < row.depth);
  });
  return alone?.kind === 'branch' && !open.has(alone.child.path) ? alone.child.path : undefined;
}

/** sourcesOf lists the levels that rows are of. */
function sourcesOf(rows: readonly Row[]): Source[] {
  const sources: Source[] = [{ kind: 'prefix', text: '' }];
  for (const row of rows) {
    if (row.kind === 'branch' && row.open) {
      if (row.child.below > 0) {
        sources.push({ kind: 'prefix', text: `${row.child.path}.` });
      }
      if (row.child.metric > row.child.series.length) {
        sources.push({ kind: 'name', text: row.child.path });
      }
    }
  }
  return sources;
}

function countOf(rows: readonly Row[], filter: string, total: number | undefined): string {
  if (filter !== '') {
    return total === undefined ? '' : `${format(total, 'none')} series`;
  }
  const top = rows.filter((row) => row.depth === 0);
  const series = top.reduce((sum, row) => sum + (row.kind === 'branch' ? row.child.metric + row.child.below : row.kind === 'series' ? 1 : 0), 0);
  return series === 0 ? '' : `${format(series, 'none')}${top.some((row) => row.kind === 'more') ? '+' : ''} series`;
}

/** explore is the address that plots a query over the extent of its samples, as far as that is known. */
function explore(query: string, first: number | undefined, last: number | undefined, utc: boolean): string {
  const known = first !== undefined && last !== undefined ? extentRange(first, last, Date.now()) : undefined;
  return toHash({
    ...noState,
    queries: [{ text: query, hidden: [], only: [] }],
    ...(known && { range: known.range, live: known.alive ? 5000 : 0 }),
    utc,
  });
}

/** plotMetric is the address that plots all series of a name over their extent. */
async function plotMetric(child: Child, utc: boolean): Promise<string> {
  const query = selectorOf(child);
  const extent = await lookPage('extent', [['match[]', query]]).then(
    ({ data }) => data,
    () => undefined,
  );
  const time = (name: string): number | undefined => (isRecord(extent) && typeof extent[name] === 'number' ? extent[name] : undefined);
  return explore(query, time('mint'), time('maxt'), utc);
}
