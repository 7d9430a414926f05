// A plot that would be empty: are there samples at another time, or is a name wrong?

import { useEffect, useState } from 'preact/hooks';
import { isRecord, lookPage } from './api';
import type { Outcome } from './query';
import { formatRange, isLast } from './range';
import { selectorOf, selectorsOf, type Selected } from './selector';
import { near } from './suggest';
import { formatTime } from './times';
import { extentRange } from './tree';
import type { State } from './url';

interface Props {
  outcome: Outcome;
  state: State;
  update: (change: Partial<State>) => void;
  rename?: (from: string, to: string) => void; // a metric in the query; undefined: it is not to be changed here
}

/** The selectors of a query that are looked after. */
const mostSelectors = 5;

export function Nothing({ outcome, state, update, rename }: Props) {
  const selectors = selectorsOf(outcome.answers[0]?.data).slice(0, mostSelectors);
  const [extents, setExtents] = useState<Extent[]>([]);
  useEffect(() => {
    const mine = new AbortController();
    Promise.all(selectors.map((selector) => extentOf(selector, mine.signal))).then(setExtents, () => undefined);
    return () => mine.abort();
  }, [selectors.map(({ text }) => text).join('\n'), JSON.stringify(state.range)]);
  const missing = extents.filter(({ series }) => series === 0);
  const mint = Math.min(...extents.map((extent) => extent.mint));
  const maxt = Math.max(...extents.map((extent) => extent.maxt));
  return (
    <div class="nothing">
      <p>
        Nothing {isLast(state.range) ? 'in the last' : 'from'} {formatRange(state.range, state.utc)}.
      </p>
      {missing.map((extent) => (
        <Missing key={extent.text} extent={extent} {...(rename && { rename })} />
      ))}
      {mint <= maxt && (
        <p>
          There are samples from {formatTime(mint, state.utc)} to {formatTime(maxt, state.utc)}.{' '}
          <button
            class="main"
            onClick={() => {
              const { range, alive } = extentRange(mint, maxt, Date.now());
              update({ range, live: alive ? state.live : 0 });
            }}
          >
            Go there
          </button>
        </p>
      )}
    </div>
  );
}

/** Missing says that a selector has no series, at any time, and offers names that may have been meant. */
function Missing({ extent: { name, text, near }, rename }: { extent: Extent } & Pick<Props, 'rename'>) {
  const named = text === selectorOf(name);
  return (
    <p>
      No series is {named ? 'called' : 'selected by'} <code>{named ? name : text}</code>.{' '}
      {near.length === 0 ? (
        <>
          Look for it in <a href="#browse">Browse</a>.
        </>
      ) : (
        <span class="choices" role="group" aria-label="names that there are">
          There {near.length === 1 ? 'is' : 'are'}
          {near.map((other) => (
            <button key={other} class="code" disabled={!rename} onClick={() => rename?.(name, other)}>
              {other}
            </button>
          ))}
        </span>
      )}
    </p>
  );
}

/** Extent is what there is of a selector at any time. */
interface Extent extends Selected {
  series: number;
  mint: number; // ms; Infinity: there are no samples
  maxt: number; // ms; -Infinity: the same
  near: string[]; // names like its own, if it has no series
}

async function extentOf(selector: Selected, signal: AbortSignal): Promise<Extent> {
  const { data } = await lookPage('extent', [['match[]', selector.text]], signal);
  const number = (name: string, other: number): number => (isRecord(data) && typeof data[name] === 'number' ? data[name] : other);
  const series = number('series', 0);
  return {
    ...selector,
    series,
    mint: number('mint', Infinity),
    maxt: number('maxt', -Infinity),
    near: series === 0 && selector.name !== '' ? await near(selector.name, signal) : [],
  };
}
