// The plots of a board in their grid, and what changes them.

import { useMemo, useRef, useState } from 'preact/hooks';
import { moved, replaced, sameTimes, withoutPlot, withPlot } from './arrange';
import { noPlot, titleOf, writeBoard, type Board, type Plot } from './board';
import { BoardPlot } from './boardplot';
import { useDrag } from './drag';
import { timeCommands } from './explore';
import { useKeys } from './keys';
import { fileName } from './names';
import { PlotSheet } from './plotsheet';
import { autoStep, resolve } from './range';
import { hashOf, paramsOf, withUTC, type Go } from './route';
import { useTicks } from './running';
import { save } from './share';
import { StepField, TimeBar } from './timebar';
import { fromHash, toHash, type State } from './url';

interface Props {
  name: string;
  board: Board;
  change: ((board: Board) => void) | undefined; // undefined: it is only looked at
  hash: string;
  go: Go;
  returns: number;
  editing: Plot | 'new' | undefined;
  edit: (what: Plot | 'new' | undefined) => void;
}

export function BoardGrid({ name, board, change, hash, go, returns, editing, edit }: Props) {
  const state = useMemo(() => timesOf(hash, board), [hash, board]);
  const [again, setAgain] = useState(0);
  const tick = useTicks(state.live);
  const arranging = change !== undefined && isArranging(hash);
  const update = (changed: Partial<State>): void => go(hashWith(hash, { ...state, ...changed }));
  const { said, removed, put, move, remove, undo, grid } = useChanges(board, change);
  const { drag, from, over } = useDrag((id, target) => move(id, board.plots.findIndex((one) => one.id === target)));
  const arrange = (): void => go(withArrange(hash, !arranging));
  const refresh = (): void => setAgain(again + 1);
  useKeys([
    ...timeCommands(state, update),
    { keys: ['r'], label: 'r', what: 'run all queries again', act: refresh },
    ...(change ? [{ keys: ['a'], label: 'a', what: 'arrange the plots, or not', act: arrange }] : []),
  ]);
  const movesOf = (plot: Plot) => ({
    to: (place: number) => move(plot.id, place),
    drag: (event: PointerEvent) => drag(plot.id, event),
    widen: (wide: boolean) => put(replaced(board, plot.id, { ...plot, wide }), `${titleOf(plot)} is ${wide ? 'as wide as the board' : 'one column wide'}.`),
    remove: () => remove(plot),
  });
  const done = (plot: Plot | undefined, by: Parameters<typeof replaced>[2]): void => {
    put(plot ? replaced(board, plot.id, by) : withPlot(board, by), `${titleOf(by)} is ${plot ? 'changed' : 'on the board'}.`);
    edit(undefined);
  };
  const { from: first, to: last } = resolve(state.range, 0);
  return (
    <>
      <TimeBar state={state} update={update} />
      <div class="options" role="group" aria-label="the board">
        {change && (
          <>
            <button onClick={() => edit('new')}>+ Add a plot</button>
            <button aria-pressed={arranging} onClick={arrange} title="move, widen and remove plots (a)">
              Arrange
            </button>
          </>
        )}
        <StepField state={state} update={update} auto={autoStep(last - first)} />
        <button onClick={refresh} title="run all again (r)">
          Refresh
        </button>
        <button onClick={() => save(fileName(name), 'application/json', writeBoard(board))}>Export</button>
        {change && !sameTimes(board, state) && (
          <button onClick={() => put({ ...board, range: state.range, live: state.live }, 'The board opens with this range from now on.')}>Open with this range</button>
        )}
        <span class="dim" role="status">
          {said}{' '}
          {removed && (
            <button class="small" onClick={undo}>
              Undo
            </button>
          )}
        </span>
      </div>
      {board.plots.length === 0 && (
        <p class="nothing">
          Nothing is on this board yet. Add a plot, or <a href={withUTC('#explore', state.utc)}>explore</a> and pin what you find.
        </p>
      )}
      <ul class={`board${from === undefined ? '' : ' dragging'}`} ref={grid}>
        {board.plots.map((plot, place) => (
          <BoardPlot
            key={plot.id}
            {...{ plot, place, update, tick, go }}
            of={board.plots.length}
            times={state}
            again={again + returns}
            edit={change && (() => edit(plot))}
            moves={arranging ? movesOf(plot) : undefined}
            dragged={from === plot.id ? 'self' : from !== undefined && over === plot.id ? 'over' : undefined}
          />
        ))}
      </ul>
      {editing === 'new' && <PlotSheet heading="Add a plot" plot={noPlot} done={(by) => done(undefined, by)} close={() => edit(undefined)} />}
      {editing && editing !== 'new' && <PlotSheet heading="Edit a plot" plot={editing} done={(by) => done(editing, by)} close={() => edit(undefined)} />}
    </>
  );
}

/** useChanges carries out changes of a board, says what they were, and keeps what was removed until the next. */
function useChanges(board: Board, change: ((board: Board) => void) | undefined) {
  const [said, setSaid] = useState('');
  const [removed, setRemoved] = useState<{ plot: Plot; place: number }>();
  const grid = useRef<HTMLUListElement>(null);
  const put = (next: Board | undefined, words: string): void => {
    if (next) {
      change?.(next);
    }
    setSaid(next ? words : 'The board has as many plots as it may.');
    setRemoved(undefined);
  };
  const move = (id: number, to: number): void => {
    const plot = board.plots.find((one) => one.id === id);
    if (!plot || to < 0) {
      return;
    }
    const next = moved(board, id, to);
    const place = next.plots.indexOf(plot) + 1;
    put(next, `${titleOf(plot)} is ${place} of ${next.plots.length}.`);
    // The browser takes the keyboard from what is moved.
    requestAnimationFrame(() => {
      const grip = grid.current?.querySelector(`[data-plot="${id}"] .grip`);
      if (grip instanceof HTMLElement) {
        grip.focus();
      }
    });
  };
  const remove = (plot: Plot): void => {
    put(withoutPlot(board, plot.id), `${titleOf(plot)} is removed.`);
    setRemoved({ plot, place: board.plots.indexOf(plot) });
  };
  const undo = (): void => {
    if (removed) {
      put(withPlot(board, removed.plot, removed.place), `${titleOf(removed.plot)} is back.`);
    }
  };
  return { said, removed, put, move, remove, undo, grid };
}

/** timesOf is the range of a board: what its address says, or else what it opens with. */
function timesOf(hash: string, board: Board): State {
  const params = paramsOf(hash);
  const state = fromHash(hash);
  return ['range', 'from', 'live', 'step'].some((name) => params.has(name)) ? state : { ...state, range: board.range, live: board.live };
}

/** hashWith is the address with another range. */
function hashWith(hash: string, state: State): string {
  const kept = [...paramsOf(hash)].filter(([name]) => name === 'board' || name === 'arrange');
  return hashOf('boards', new URLSearchParams([...kept, ...paramsOf(toHash({ ...state, queries: [] }))]));
}

function isArranging(hash: string): boolean {
  return paramsOf(hash).get('arrange') === '1';
}

function withArrange(hash: string, arrange: boolean): string {
  const params = paramsOf(hash);
  params.delete('arrange');
  if (arrange) {
    params.append('arrange', '1');
  }
  return hashOf('boards', params);
}
