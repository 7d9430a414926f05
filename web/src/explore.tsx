// Explore: queries over a range of time, each with its plot.

import { useMemo, useState } from 'preact/hooks';
import { History } from './dialogs';
import { useKeys, type Command } from './keys';
import { Panel } from './panel';
import { autoStep, isLast, presets, resolve, shift, zoom, type Range } from './range';
import { useTicks } from './running';
import { goLive, StepField, TimeBar } from './timebar';
import type { Go } from './route';
import { fromHash, mostQueries, toHash, type Query, type State, type Style, type View } from './url';

interface Props {
  hash: string;
  go: Go;
  returns: number; // of the server, see Presence
}

export function Explore({ hash, go, returns }: Props) {
  const state = useMemo(() => fromHash(hash), [hash]);
  const update = (change: Partial<State>): void => go(toHash({ ...state, ...change }));
  const [again, setAgain] = useState(0);
  const [history, setHistory] = useState<number>();
  const tick = useTicks(state.live);
  useKeys(commandsOf(state, update, { again: () => setAgain(again + 1), history: () => setHistory(0) }));
  const change = (index: number, query: Query): void => update({ queries: state.queries.map((other, i) => (i === index ? query : other)) });
  const { from, to } = resolve(state.range, 0);
  return (
    <>
      <TimeBar state={state} update={update} />
      <div class="options" role="group" aria-label="how to show">
        <Choice<View> label="View" value={state.view} of={['plot', 'table', 'json']} choose={(view) => update({ view })} />
        <Choice<Style> label="Draw" value={state.style} of={['auto', 'line', 'points']} choose={(style) => update({ style })} />
        <StepField state={state} update={update} auto={autoStep(to - from)} />
        <label>
          <input type="checkbox" checked={state.log} onChange={(event) => update({ log: event.currentTarget.checked })} /> Log axis
        </label>
        <label>
          <input type="checkbox" checked={state.zero} onChange={(event) => update({ zero: event.currentTarget.checked })} /> From zero
        </label>
        <button aria-label="run all again" onClick={() => setAgain(again + 1)} title="run all again (r)">
          ↻
        </button>
      </div>
      {state.queries.map((query, i) => (
        <Panel
          key={i}
          index={i}
          query={query}
          state={state}
          again={again + returns}
          tick={tick}
          change={(changed) => change(i, changed)}
          update={update}
          remove={state.queries.length > 1 ? () => update({ queries: state.queries.filter((_, other) => other !== i) }) : undefined}
          history={() => setHistory(i)}
        />
      ))}
      {state.queries.length < mostQueries && (
        <button class="add" onClick={() => update({ queries: [...state.queries, { text: '', hidden: [], only: [] }] })}>
          + Add a query
        </button>
      )}
      {history !== undefined && (
        <History
          choose={(text) => {
            change(history, { text, hidden: [], only: [] });
            setHistory(undefined);
          }}
          close={() => setHistory(undefined)}
        />
      )}
    </>
  );
}

function Choice<T extends string>({ label, value, of, choose }: { label: string; value: T; of: readonly T[]; choose: (value: T) => void }) {
  return (
    <span class="choice" role="group" aria-label={label}>
      {of.map((one) => (
        <button key={one} aria-pressed={one === value} onClick={() => choose(one)}>
          {one === 'json' ? 'JSON' : one}
        </button>
      ))}
    </span>
  );
}

/** timeCommands are what keys do with the range of a view. */
export function timeCommands(state: State, update: (change: Partial<State>) => void): Command[] {
  const move = (range: Range) => update({ range, ...(!isLast(range) && { live: 0 }) });
  const now = (): number => Date.now();
  const preset = (by: number): void => {
    const length = isLast(state.range) ? state.range.last : state.range.to - state.range.from;
    const next = by > 0 ? presets.find((other) => other > length) : presets.findLast((other) => other < length);
    move({ last: next ?? length });
  };
  return [
    { keys: ['t'], label: 't', what: 'to the time range', act: () => focusOn('#range') },
    { keys: ['ArrowLeft'], label: '←', what: 'earlier', act: () => move(shift(state.range, -0.5, now())) },
    { keys: ['ArrowRight'], label: '→', what: 'later', act: () => move(shift(state.range, 0.5, now())) },
    { keys: ['+', '='], label: '+', what: 'zoom in', act: () => move(zoom(state.range, 0.5, now())) },
    { keys: ['-'], label: '−', what: 'zoom out', act: () => move(zoom(state.range, 2, now())) },
    { keys: ['['], label: '[', what: 'up to now, shorter', act: () => preset(-1) },
    { keys: [']'], label: ']', what: 'up to now, longer', act: () => preset(1) },
    { keys: ['l'], label: 'l', what: 'live, or not', act: () => update(goLive(state, state.live > 0 ? 0 : 5000)) },
  ];
}

function commandsOf(state: State, update: (change: Partial<State>) => void, page: { again: () => void; history: () => void }): Command[] {
  return [
    { keys: ['/'], label: '/', what: 'to the query', act: () => focusOn('.querybox .cm-content, .querybox textarea') },
    ...timeCommands(state, update),
    { keys: ['r'], label: 'r', what: 'run all queries again', act: page.again },
    { keys: ['v'], label: 'v', what: 'plot, table, JSON', act: () => update({ view: ({ plot: 'table', table: 'json', json: 'plot' } as const)[state.view] }) },
    { keys: ['d'], label: 'd', what: 'lines or points', act: () => update({ style: ({ auto: 'line', line: 'points', points: 'auto' } as const)[state.style] }) },
    { keys: ['g'], label: 'g', what: 'logarithmic axis', act: () => update({ log: !state.log }) },
    { keys: ['0'], label: '0', what: 'axis from zero', act: () => update({ zero: !state.zero }) },
    { keys: ['h'], label: 'h', what: 'queries of the past', act: page.history },
  ];
}

function focusOn(selector: string): void {
  const element = document.querySelector(selector);
  if (element instanceof HTMLElement) {
    element.focus();
  }
}
