// The legend of a plot: names, values under the cursor, what is drawn and what is not.

import { indexAt, type Series } from './series';
import { formatTime } from './times';
import { format, type Unit } from './units';
import type { Query } from './url';
import { lineColor } from './theme';

interface Props {
  series: readonly Series[];
  query: Query;
  unit: Unit;
  utc: boolean;
  cursor: number | undefined; // ms
  within: number; // ms: how far from the cursor a value may be
  show: (hidden: string[], only: string[]) => void;
  filter: (label: string, value: string) => void;
  point: (name: string | undefined) => void; // the pointer is over a series
  brief: boolean; // without words on how it is used
}

/** isShown says whether a series is drawn. */
export function isShown(query: Query, name: string): boolean {
  return query.only.length > 0 ? query.only.includes(name) : !query.hidden.includes(name);
}

export function Legend(props: Props) {
  const { cursor, utc, brief } = props;
  return (
    <table class="legend">
      <caption class="dim">{cursor !== undefined ? formatTime(cursor, utc) : `Last values.${brief ? '' : ' A click hides a series, with Ctrl or twice shows it alone.'}`}</caption>
      <tbody>
        {props.series.map((series, i) => (
          <Row key={series.name} {...props} one={series} index={i} />
        ))}
      </tbody>
    </table>
  );
}

function Row({ one, index, query, cursor, within, unit, show, filter, point }: Props & { one: Series; index: number }) {
  const shown = isShown(query, one.name);
  const alone = query.only.length === 1 && query.only[0] === one.name;
  const at = cursor === undefined ? one.times.length - 1 : indexAt(one.times, cursor, within);
  const toggle = (): void => {
    if (query.only.length > 0) {
      const only = shown ? query.only.filter((name) => name !== one.name) : [...query.only, one.name];
      show(query.hidden, only);
    } else {
      show(shown ? [...query.hidden, one.name] : query.hidden.filter((name) => name !== one.name), []);
    }
  };
  const isolate = (): void => show([], alone ? [] : [one.name]);
  return (
    <tr class={shown ? '' : 'hidden'} onMouseEnter={() => point(one.name)} onMouseLeave={() => point(undefined)}>
      <td>
        <button
          class="swatch"
          style={{ '--line': `var(--${lineColor(index)})` }}
          aria-pressed={shown}
          aria-label={`${shown ? 'hide' : 'show'} ${one.name}`}
          title="hide or show; with Ctrl: alone"
          onClick={(event) => (event.ctrlKey || event.metaKey ? isolate() : toggle())}
          onDblClick={isolate}
        />
      </td>
      <td class="name">
        <Name series={one} filter={filter} />
      </td>
      <td>
        <button class="small" aria-pressed={alone} title="show this series alone" onClick={isolate}>
          only
        </button>
      </td>
      <td class="value">{at < 0 ? '–' : format(one.values[at] ?? NaN, unit, 6)}</td>
    </tr>
  );
}

/** Name is the name of a series, with labels to click. */
export function Name({ series, filter }: { series: Series; filter: (label: string, value: string) => void }) {
  const labels = Object.keys(series.labels).filter((label) => label !== '__name__').sort();
  const name = series.labels['__name__'];
  return (
    <>
      <span class="metric">{name ?? (labels.length === 0 ? '{}' : '')}</span>
      {labels.map((label) => (
        <button key={label} class="label" title={`only series with ${label}="${series.labels[label] ?? ''}"`} onClick={() => filter(label, series.labels[label] ?? '')}>
          {label}=<b>{series.labels[label]}</b>
        </button>
      ))}
    </>
  );
}
