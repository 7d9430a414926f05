// A query of Explore with all that belongs to it: its field, what it found, and what can be done with that.

import { useMemo, useState } from 'preact/hooks';
import { Begin } from './begin';
import { toCSV } from './csv';
import { Json, Table } from './table';
import { isShown, Legend } from './legend';
import { Nothing } from './nothing';
import { Pin } from './pin';
import { PlotView, useDark } from './plotview';
import { QueryBox } from './querybox';
import { mostSeries, type Outcome } from './query';
import { formatDuration, fixed, formatRange, zoom } from './range';
import { useQuery } from './running';
import { copy, save } from './share';
import { metricNames } from './series';
import { remember } from './store';
import { color, lineColor, lineColors } from './theme';
import { filterBy, renamed } from './tokens';
import { format, guessUnit, isUnit, unitNames, type Unit } from './units';
import type { Query, State } from './url';

interface Props {
  index: number;
  query: Query;
  state: State;
  again: number; // changes when all queries are to run again
  tick: number; // of live mode
  change: (query: Query) => void;
  update: (change: Partial<State>) => void;
  remove: (() => void) | undefined;
  history: () => void;
}

export function Panel(props: Props) {
  const { index, query, state, change, update } = props;
  const [draft, setDraft] = useState(query.text);
  const [committed, setCommitted] = useState(query.text);
  const [rerun, setRerun] = useState(0);
  if (committed !== query.text) {
    setCommitted(query.text);
    setDraft(query.text);
  }
  const running = useQuery(query.text, state.range, state.step, props.again + rerun, props.tick);
  const submit = (): void => {
    remember(draft);
    if (draft === query.text) {
      setRerun(rerun + 1);
    } else {
      change({ ...query, text: draft, hidden: [], only: [] });
    }
  };
  const label = `query ${index + 1}`;
  return (
    <section class="panel" aria-label={label} aria-busy={running.busy}>
      <div class="ask">
        <QueryBox text={query.text} draft={draft} label={label} error={draft === query.text ? running.place : undefined} changed={setDraft} run={submit} />
        {running.busy ? <button onClick={running.cancel}>Cancel</button> : <button class="main" onClick={submit}>Run</button>}
        <button title="queries of the past (h)" aria-label="history" onClick={props.history}>
          ⟲
        </button>
        {props.remove && (
          <button aria-label={`remove ${label}`} title="remove" onClick={props.remove}>
            ✕
          </button>
        )}
      </div>
      {query.text.trim() === '' && <Begin choose={(text) => change({ ...query, text, hidden: [], only: [] })} />}
      {running.error !== undefined && (
        <p class="error" role="alert">
          {running.error}
        </p>
      )}
      {running.outcome && <Result {...props} outcome={running.outcome} filter={(name, value) => change({ ...query, text: filterBy(query.text, name, value), hidden: [], only: [] })} update={update} />}
    </section>
  );
}

function Result(props: Props & { outcome: Outcome; filter: (label: string, value: string) => void }) {
  const { outcome, query, state, change, filter, index } = props;
  const guessed = guessUnit(query.text, metricNames(outcome.series));
  const unit = query.unit ?? guessed;
  return (
    <>
      <Facts outcome={outcome} log={state.log} />
      {state.view === 'json' ? (
        <Json outcome={outcome} />
      ) : outcome.series.length === 0 ? (
        <Nothing outcome={outcome} state={state} update={props.update} rename={(from, to) => change({ ...query, text: renamed(query.text, from, to) })} />
      ) : state.view === 'table' ? (
        <Table series={outcome.series} unit={unit} utc={state.utc} filter={filter} />
      ) : (
        <Drawn {...props} title={`query ${index + 1}`} unit={unit} />
      )}
      <div class="tools" hidden={outcome.series.length === 0}>
        <label>
          Unit{' '}
          <select
            value={query.unit ?? ''}
            onChange={({ currentTarget: { value } }) => {
              const { unit: _, ...rest } = query;
              change(isUnit(value) ? { ...rest, unit: value } : rest);
            }}
          >
            <option value="">guessed: {unitNames[guessed]}</option>
            {Object.entries(unitNames).map(([name, text]) => (
              <option key={name} value={name}>
                {text}
              </option>
            ))}
          </select>
        </label>
        <Copy outcome={outcome} />
        <button onClick={() => save(`metricd-query-${index + 1}.csv`, 'text/csv', toCSV(outcome.series))}>CSV</button>
        <Pin query={query} state={state} />
      </div>
    </>
  );
}

function Copy({ outcome }: { outcome: Outcome }) {
  const [said, setSaid] = useState('');
  return (
    <>
      <button onClick={() => void copy(toCSV(outcome.series)).then((done) => setSaid(done ? 'Copied.' : 'The browser does not allow it.'))}>Copy</button>
      <span class="dim" aria-live="polite">
        {said}
      </span>
    </>
  );
}

type DrawnProps = Pick<Props, 'query' | 'state' | 'change' | 'update'> & { title: string; brief?: boolean; outcome: Outcome; filter: (label: string, value: string) => void; unit: Unit };

/** Drawn is the plot with its legend. */
export function Drawn({ title, brief = false, outcome, query, state, change, update, filter, unit }: DrawnProps) {
  const [cursor, setCursor] = useState<number>();
  const [pointed, setPointed] = useState<string>();
  const dark = useDark();
  const { span, series } = outcome;
  const look = useMemo(
    () => ({
      span,
      lines: series
        .map((one, i) => ({ series: one, color: color(lineColor(i)), dashed: Math.floor(i / lineColors) % 2 === 1, faint: pointed !== undefined && pointed !== one.name }))
        .filter((line) => isShown(query, line.series.name)),
      unit,
      style: state.style,
      log: state.log,
      zero: state.zero,
      utc: state.utc,
    }),
    [outcome, query, unit, state.style, state.log, state.zero, state.utc, pointed, dark],
  );
  const handlers = {
    zoom: (from: number, to: number) => update({ range: fixed(from, to), live: 0 }),
    back: () => update({ range: zoom(state.range, 2, Date.now()) }),
    cursor: setCursor,
  };
  const label = `Plot of ${title}: ${series.length} series, ${formatRange({ from: span.from, to: span.to }, state.utc)}.${brief ? '' : ' The table has its values.'}`;
  return (
    <>
      <PlotView look={look} handlers={handlers} label={label} />
      <Legend
        series={series}
        query={query}
        unit={unit}
        utc={state.utc}
        cursor={cursor}
        within={Math.max(outcome.step, (span.to - span.from) / 50)}
        show={(hidden, only) => change({ ...query, hidden, only })}
        filter={filter}
        point={setPointed}
        brief={brief}
      />
    </>
  );
}

/** Facts says how the result came about, and what of it is not shown. */
function Facts({ outcome, log }: { outcome: Outcome; log: boolean }) {
  const { series, more, samples, took, step, lookback } = outcome;
  const undrawn = series.reduce((sum, one) => sum + one.values.reduce((n, value) => n + (Number.isFinite(value) && (!log || value > 0) ? 0 : 1), 0), 0);
  return (
    <p class="facts dim" role="status">
      {format(series.length, 'none')} series, {format(samples, 'none')} {step > 0 ? 'values' : 'samples'}, {format(took / 1000, 'seconds', 3)}.{' '}
      {step > 0 ? `Every ${formatDuration(step)}, from samples up to ${formatDuration(lookback)} old.` : 'Raw samples.'}{' '}
      {more > 0 && (
        <b>
          {more === Infinity ? `Only the first ${mostSeries} series are shown; there are more.` : `Only ${series.length} of ${step > 0 ? 'at least ' : ''}${format(series.length + more, 'none')} series are shown.`} Narrow the query, or use
          topk.{' '}
        </b>
      )}
      {undrawn > 0 && <b>{format(undrawn, 'none')} values can’t be drawn: {log ? 'below or at zero, ' : ''}NaN or infinite. </b>}
      {outcome.notes.map((note) => (
        <span class="note" key={note}>
          {note}{' '}
        </span>
      ))}
    </p>
  );
}
