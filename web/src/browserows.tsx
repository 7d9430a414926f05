// The rows of Browse: a tree of which only what is seen is in the page, so that a hundred thousand rows are no more than twenty.

import { Fragment } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { rawGaps } from './gaps';
import { ago, formatTime } from './times';
import { marked, parentOf, type Child, type Found, type Row, type Source } from './tree';
import { trendPath } from './trend';
import { format } from './units';

const rowHeight = 34; // px, as in the style sheet
const beyond = 10; // rows above and below what is seen that are there, too

interface Props {
  rows: readonly Row[];
  words: readonly string[]; // of the filter, which are marked
  utc: boolean;
  toggle: (path: string) => void;
  more: (source: Source, after: string) => void;
  addressOf: (of: Found | Child) => string; // which plots it
  plotMetric: (child: Child) => void;
}

export function BrowseRows(props: Props) {
  const { rows, toggle, more, plotMetric } = props;
  const box = useRef<HTMLDivElement>(null);
  const [seen, setSeen] = useState({ top: 0, height: 600 });
  const [active, setActive] = useState(''); // the id of the row that keys act on
  useEffect(() => {
    const element = box.current;
    if (!element) {
      return undefined;
    }
    const look = (): void => setSeen({ top: element.scrollTop, height: element.clientHeight });
    const resized = new ResizeObserver(look);
    resized.observe(element);
    element.addEventListener('scroll', look, { passive: true });
    return () => {
      resized.disconnect();
      element.removeEventListener('scroll', look);
    };
  }, []);
  const first = Math.max(0, Math.floor(seen.top / rowHeight) - beyond);
  const last = Math.min(rows.length, Math.ceil((seen.top + seen.height) / rowHeight) + beyond);
  const shown = rows.slice(first, last);
  const next = shown.find((row) => row.kind === 'more' && row.after !== undefined);
  useEffect(() => {
    if (next?.kind === 'more' && next.after !== undefined) {
      more(next.source, next.after);
    }
  }, [next?.kind === 'more' ? `${next.id} ${next.after}` : '']);

  const at = rows.findIndex((row) => row.id === active);
  const move = (to: number): void => {
    const index = Math.min(Math.max(to, 0), rows.length - 1);
    const row = rows[index];
    const element = box.current;
    if (!row || !element) {
      return;
    }
    setActive(row.id);
    const top = index * rowHeight;
    if (top < element.scrollTop) {
      element.scrollTop = top;
    } else if (top + rowHeight > element.scrollTop + element.clientHeight) {
      element.scrollTop = top + rowHeight - element.clientHeight;
    }
  };
  const act = (row: Row | undefined, key: string): void => {
    const branch = row?.kind === 'branch' ? row : undefined;
    switch (key) {
      case 'ArrowRight':
        if (branch && !branch.open) {
          toggle(branch.child.path);
        } else if (branch) {
          move(at + 1);
        }
        return;
      case 'ArrowLeft':
        if (branch?.open) {
          toggle(branch.child.path);
        } else if (parentOf(rows, at) >= 0) {
          move(parentOf(rows, at));
        }
        return;
      default:
        if (branch && branch.child.metric > 0 && key === 'Enter') {
          plotMetric(branch.child);
        } else if (branch) {
          toggle(branch.child.path);
        } else if (row?.kind === 'series' && key === 'Enter') {
          location.hash = props.addressOf(row.series);
        }
    }
  };
  const page = Math.max(1, Math.floor(seen.height / rowHeight) - 1);
  const steps: Record<string, number> = { ArrowDown: at + 1, ArrowUp: Math.max(at - 1, 0), Home: 0, End: rows.length - 1, PageDown: at + page, PageUp: at - page };
  return (
    <div
      ref={box}
      class="rows"
      role="tree"
      aria-label="series"
      tabIndex={0}
      aria-activedescendant={at >= first && at < last ? rowId(active) : undefined}
      onFocus={() => at < 0 && move(first > 0 ? first + beyond : 0)}
      onKeyDown={(event) => {
        if (event.ctrlKey || event.metaKey || event.altKey) {
          return;
        }
        const to = steps[event.key];
        if (to !== undefined) {
          move(to);
        } else if (['ArrowLeft', 'ArrowRight', 'Enter', ' '].includes(event.key)) {
          act(rows[at], event.key);
        } else {
          return;
        }
        event.preventDefault();
        event.stopPropagation();
      }}
    >
      <div role="none" style={{ height: `${rows.length * rowHeight}px` }}>
        {shown.map((row, i) => (
          <div
            key={row.id}
            id={rowId(row.id)}
            class={row.id === active ? 'row active' : 'row'}
            role="treeitem"
            aria-level={row.depth + 1}
            aria-expanded={row.kind === 'branch' ? row.open : undefined}
            aria-posinset={first + i + 1}
            aria-setsize={rows.length}
            aria-selected={row.id === active}
            style={{ top: `${(first + i) * rowHeight}px`, '--depth': row.depth }}
            onClick={() => {
              setActive(row.id);
              if (row.kind === 'branch') {
                toggle(row.child.path);
              }
            }}
          >
            <Content {...props} row={row} />
          </div>
        ))}
      </div>
    </div>
  );
}

/** rowId makes an id of the page of a row's: without white space. */
function rowId(id: string): string {
  return `row-${encodeURIComponent(id)}`;
}

function Content({ row, words, utc, addressOf, plotMetric }: Props & { row: Row }) {
  switch (row.kind) {
    case 'more':
      return <span class="dim">…</span>;
    case 'branch':
      return (
        <>
          <span class="twist" aria-hidden="true">
            {row.open ? '▾' : '▸'}
          </span>
          <span class="rowname">
            {row.child.name === '' ? <i>(empty)</i> : row.child.name}
            <span class="dim">{row.child.below > 0 ? '.' : ''}</span>
          </span>
          <span class="dim count">{format(row.child.metric + row.child.below, 'none')} series</span>
          {row.child.metric > 0 && (
            <a
              class="all"
              tabIndex={-1}
              href={addressOf(row.child)}
              onClick={(event) => {
                event.stopPropagation();
                if (!event.ctrlKey && !event.metaKey && !event.shiftKey) {
                  event.preventDefault();
                  plotMetric(row.child);
                }
              }}
            >
              plot {row.child.metric === 1 ? 'it' : `all ${format(row.child.metric, 'none')}`}
            </a>
          )}
        </>
      );
    case 'series':
      return (
        <a class="series" tabIndex={-1} href={addressOf(row.series)}>
          <span class="twist" aria-hidden="true" />
          <SeriesName series={row.series} name={row.name} words={words} whole={words.length > 0} />
          <Spark series={row.series} />
          <span class="last">{row.series.last === undefined ? '–' : format(row.series.value, 'none', 5)}</span>
          <span class="ago dim" title={row.series.last === undefined ? undefined : formatTime(row.series.last, utc)}>
            {row.series.last === undefined ? 'no samples' : ago(row.series.last, Date.now(), utc)}
          </span>
        </a>
      );
  }
}

/** SeriesName is the name of a series, whole or only its last segment, with its labels. */
function SeriesName({ series, name, words, whole }: { series: Found; name: string; words: readonly string[]; whole: boolean }) {
  const labels = Object.keys(series.labels)
    .filter((label) => label !== '__name__')
    .sort();
  const metric = whole ? (series.labels['__name__'] ?? '') : name;
  return (
    <span class="rowname" title={series.key}>
      <Marked text={metric} words={words} />
      {labels.map((label) => (
        <Fragment key={label}>
          {' '}
          <span class="tag">
            <Marked text={`${label}=${series.labels[label] ?? ''}`} words={words} />
          </span>
        </Fragment>
      ))}
      {metric === '' && labels.length === 0 && <span class="dim">without labels</span>}
    </span>
  );
}

function Marked({ text, words }: { text: string; words: readonly string[] }) {
  return <>{marked(text, words).map((part, i) => (part.mark ? <mark key={i}>{part.text}</mark> : part.text))}</>;
}

/** Spark is a few of the samples of a series, from its first to its last. */
function Spark({ series }: { series: Found }) {
  const { times, values, first = 0, last = 0 } = series;
  const path = times.length === 1 ? 'M50 16h0' : trendPath({ times, values, gaps: rawGaps(times) }, { from: first, to: last }, false);
  return (
    <svg class={times.length === 1 ? 'trend dot' : 'trend'} viewBox="-2 0 104 32" preserveAspectRatio="none" aria-hidden="true">
      <path d={path} />
    </svg>
  );
}
