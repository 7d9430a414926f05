// The bar of times: which range, moved how, live or not, local or UTC.

import { useEffect, useState } from 'preact/hooks';
import { formatDuration, formatRange, parseDuration, parseRange, presets, shift, zoom, isLast, type Range } from './range';
import type { State } from './url';

/** The intervals that live mode offers, in ms. */
export const liveIntervals: readonly number[] = [1000, 5000, 10_000, 30_000, 60_000];

interface Props {
  state: State;
  update: (change: Partial<State>) => void;
}

export function TimeBar({ state, update }: Props) {
  const setRange = (range: Range): void => update({ range, ...(!isLast(range) && { live: 0 }) });
  const now = Date.now();
  return (
    <div class="timebar" role="group" aria-label="time">
      <button aria-label="earlier" title="earlier (←)" onClick={() => setRange(shift(state.range, -0.5, now))}>
        ◀
      </button>
      <RangeField state={state} setRange={setRange} />
      <button aria-label="later" title="later (→)" onClick={() => setRange(shift(state.range, 0.5, now))}>
        ▶
      </button>
      <button aria-label="zoom out" title="zoom out (−)" onClick={() => setRange(zoom(state.range, 2, now))}>
        −
      </button>
      <button aria-label="zoom in" title="zoom in (+)" onClick={() => setRange(zoom(state.range, 0.5, now))}>
        +
      </button>
      <span class="presets">
        {presets.map((length) => (
          <button key={length} aria-pressed={isLast(state.range) && state.range.last === length} onClick={() => setRange({ last: length })}>
            {formatDuration(length)}
          </button>
        ))}
      </span>
      <label>
        Live{' '}
        <select value={state.live} onChange={(event) => update(goLive(state, Number(event.currentTarget.value)))}>
          {[0, ...new Set([...liveIntervals, state.live])].filter((interval, i) => i === 0 || interval > 0).map((interval) => (
            <option key={interval} value={interval}>
              {interval === 0 ? 'off' : `every ${formatDuration(interval)}`}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}

/** goLive is the change that begins or ends live mode, which shows what is new: its range ends now. */
export function goLive(state: State, live: number): Partial<State> {
  return live > 0 && !isLast(state.range) ? { live, range: { last: state.range.to - state.range.from } } : { live };
}

function RangeField({ state, setRange }: { state: State; setRange: (range: Range) => void }) {
  const shown = formatRange(state.range, state.utc);
  const [text, setText] = useState(shown);
  const [wrong, setWrong] = useState(false);
  useEffect(() => {
    setText(shown);
    setWrong(false);
  }, [shown]);
  const submit = (): void => {
    const range = parseRange(text, Date.now(), state.utc);
    setWrong(!range);
    if (range) {
      setRange(range);
      setText(formatRange(range, state.utc));
    }
  };
  return (
    <form
      class="range"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <input
        id="range"
        aria-label="time range"
        title="2h, 2006-06, 2006-06-13 10:00 to 2006-06-14, yesterday, now-7d to now-6d (t)"
        aria-invalid={wrong}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
        onBlur={() => text !== shown && submit()}
      />
      {wrong && (
        <span class="error" role="alert">
          Not a time range: try 2h, 2006-06-13 or 2006-06-13 10:00 to now
        </span>
      )}
    </form>
  );
}

/** StepField is where a step is typed; empty: chosen by the page. */
export function StepField({ state, update, auto }: Props & { auto: number | undefined }) {
  const shown = state.step > 0 ? formatDuration(state.step) : '';
  const [text, setText] = useState(shown);
  useEffect(() => setText(shown), [shown]);
  const step = text.trim() === '' ? 0 : parseDuration(text);
  const submit = (): void => {
    if (step !== undefined && step !== state.step) {
      update({ step });
    }
  };
  return (
    <label>
      Step{' '}
      <input
        class="step"
        value={text}
        aria-invalid={step === undefined}
        placeholder={auto ? `auto (${formatDuration(auto)})` : 'auto'}
        onInput={(event) => setText(event.currentTarget.value)}
        onBlur={submit}
        onKeyDown={(event) => event.key === 'Enter' && submit()}
      />
    </label>
  );
}
