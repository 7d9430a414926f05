// One plot of a board.

import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { titleOf, type Plot } from './board';
import { Nothing } from './nothing';
import { Drawn } from './panel';
import { mostSeries, type Outcome } from './query';
import { formatDuration } from './range';
import type { Go } from './route';
import { useQuery } from './running';
import { filterBy } from './tokens';
import { metricNames } from './series';
import { guessUnit } from './units';
import { noState, toHash, type Query, type State } from './url';

/** Moves are what the controls of a plot ask of its board. */
export interface Moves {
  to: (place: number) => void; // counts from 0
  drag: (event: PointerEvent) => void; // begins
  widen: (wide: boolean) => void;
  remove: () => void;
}

interface Props {
  plot: Plot;
  place: number; // on the board, from 0
  of: number; // plots
  times: State; // its range, live, step and utc
  update: (change: Partial<State>) => void;
  again: number;
  tick: number;
  go: Go;
  edit: (() => void) | undefined; // undefined: it is not to be changed now
  moves: Moves | undefined; // undefined: it is not being arranged
  dragged: 'self' | 'over' | undefined;
}

export function BoardPlot({ plot, times, update, again, tick, go, edit, moves, dragged, ...props }: Props) {
  const place = useRef<HTMLLIElement>(null);
  const [seen, now] = useOnScreen(place);
  const running = useQuery(seen ? plot.query : '', times.range, times.step, again, now ? tick : 0);
  const [shown, show] = useShown(plot);
  const state: State = { ...times, style: plot.style, log: plot.log, zero: plot.zero };
  const query = useMemo((): Query => ({ text: plot.query, ...(plot.unit && { unit: plot.unit }), hidden: shown.hidden, only: shown.only }), [plot, shown]);
  const explore = (text: string): string => toHash({ ...noState, ...state, queries: [text === plot.query ? query : { ...query, text, hidden: [], only: [] }], view: 'plot' });
  const title = titleOf(plot);
  const { outcome, error } = running;
  return (
    <li ref={place} class={`boardplot${plot.wide ? ' wide' : ''}${dragged ? ` ${dragged}` : ''}`} data-plot={plot.id} aria-busy={running.busy}>
      <header>
        {moves && <Grip title={title} {...props} moves={moves} />}
        <h3 title={plot.query}>{title}</h3>
        {moves ? (
          <Arrange title={title} wide={plot.wide} {...props} moves={moves} />
        ) : (
          <>
            <Facts outcome={outcome} />
            <a href={explore(plot.query)} aria-label={`${title} in Explore`}>
              Explore
            </a>
            {edit && (
              <button class="small" aria-label={`edit ${title}`} onClick={edit}>
                Edit
              </button>
            )}
          </>
        )}
      </header>
      {error !== undefined && (
        <p class="error" role="status">
          {error}
        </p>
      )}
      {outcome && outcome.series.length === 0 && error === undefined && <Nothing outcome={outcome} state={state} update={update} />}
      {outcome && outcome.series.length > 0 && (
        <Drawn
          title={title}
          brief
          outcome={outcome}
          query={query}
          state={state}
          change={show}
          update={update}
          filter={(label, value) => go(explore(filterBy(plot.query, label, value)))}
          unit={plot.unit ?? guessUnit(plot.query, metricNames(outcome.series))}
        />
      )}
      {!outcome && error === undefined && <p class="nothing dim">…</p>}
    </li>
  );
}

/** Facts says what the plot does not show by itself. */
function Facts({ outcome }: { outcome: Outcome | undefined }) {
  if (!outcome || outcome.series.length === 0) {
    return null;
  }
  const { more, step, lookback, series } = outcome;
  return (
    <span class="facts dim" title={step > 0 ? `each value is from a sample up to ${formatDuration(lookback)} old` : 'as they were stored'}>
      {more > 0 && <b>{more === Infinity ? `first ${mostSeries} series only, ` : `${series.length} of ${series.length + more} series, `}</b>}
      {step > 0 ? `every ${formatDuration(step)}` : 'raw samples'}
    </span>
  );
}

interface Control {
  title: string;
  place: number;
  of: number;
  moves: Moves;
}

/** Grip is what a plot is dragged by, or moved with the keys of arrows. */
function Grip({ title, place, of, moves }: Control) {
  const keys: Record<string, number> = { ArrowLeft: place - 1, ArrowUp: place - 1, ArrowRight: place + 1, ArrowDown: place + 1, Home: 0, End: of - 1 };
  return (
    <button
      class="grip"
      aria-label={`move ${title}, ${place + 1} of ${of}: drag, or arrow keys`}
      title="drag, or arrow keys"
      onPointerDown={moves.drag}
      onKeyDown={(event) => {
        const to = keys[event.key];
        if (to !== undefined && !event.ctrlKey && !event.metaKey && !event.altKey) {
          event.preventDefault();
          moves.to(to);
        }
      }}
    >
      ⠿
    </button>
  );
}

function Arrange({ title, place, of, wide, moves }: Control & { wide: boolean }) {
  return (
    <span class="arrange">
      <button class="small" aria-label={`${title} earlier`} title="earlier" disabled={place === 0} onClick={() => moves.to(place - 1)}>
        ◀
      </button>
      <button class="small" aria-label={`${title} later`} title="later" disabled={place === of - 1} onClick={() => moves.to(place + 1)}>
        ▶
      </button>
      <button class="small" aria-pressed={wide} aria-label={`${title} as wide as the board`} title="as wide as the board" onClick={() => moves.widen(!wide)}>
        Wide
      </button>
      <button class="small" aria-label={`remove ${title}`} title="remove" onClick={moves.remove}>
        ✕
      </button>
    </span>
  );
}

/** useShown is which series are hidden or shown alone: what the plot says until it is chosen otherwise here, which is not kept. */
function useShown(plot: Plot): [Pick<Query, 'hidden' | 'only'>, (query: Query) => void] {
  const key = JSON.stringify([plot.query, plot.hidden, plot.only]);
  const [chosen, choose] = useState<{ key: string; hidden: string[]; only: string[] }>();
  return [chosen?.key === key ? chosen : plot, ({ hidden, only }) => choose({ key, hidden, only })];
}

/** useOnScreen says whether an element was ever on the screen, or near, and whether it is now. */
function useOnScreen(element: { current: Element | null }): [seen: boolean, now: boolean] {
  const [seen, setSeen] = useState({ ever: false, now: false });
  useEffect(() => {
    const observer = new IntersectionObserver(
      (entries) => {
        const is = entries.at(-1)?.isIntersecting ?? false;
        setSeen(({ ever }) => ({ ever: ever || is, now: is }));
      },
      { rootMargin: '300px' },
    );
    if (element.current) {
      observer.observe(element.current);
    }
    return () => observer.disconnect();
  }, []);
  return [seen.ever, seen.now];
}
