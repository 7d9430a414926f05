// The sheet where a plot of a board is made or changed.

import { useState } from 'preact/hooks';
import { longestTitle, type NewPlot } from './board';
import { Sheet } from './dialogs';
import { QueryBox } from './querybox';
import { guessUnit, isUnit, unitNames } from './units';
import { oneOf } from './url';

interface Props {
  heading: string;
  plot: NewPlot;
  done: (plot: NewPlot) => void;
  close: () => void;
}

export function PlotSheet({ heading, plot, done, close }: Props) {
  const [draft, setDraft] = useState(plot);
  const [problem, setProblem] = useState('');
  const set = (change: Partial<NewPlot>): void => setDraft((now) => ({ ...now, ...change }));
  const submit = (): void => {
    const query = draft.query.trim();
    if (query === '') {
      setProblem('A plot needs a query.');
      return;
    }
    // Which series are hidden is said of those of the query before.
    done({ ...draft, query, title: draft.title.trim(), ...(query !== plot.query && { hidden: [], only: [] }) });
  };
  const setUnit = (value: string): void => {
    const { unit: _, ...rest } = draft;
    setDraft(isUnit(value) ? { ...rest, unit: value } : rest);
  };
  return (
    <Sheet title={heading} close={close}>
      <form
        class="fields"
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <div>
          Query
          <QueryBox text={plot.query} draft={draft.query} label="query" error={undefined} changed={(query) => set({ query })} run={submit} />
        </div>
        {problem !== '' && (
          <p class="error" role="alert">
            {problem}
          </p>
        )}
        <label>
          Title
          <input value={draft.title} maxLength={longestTitle} placeholder="the query" onInput={(event) => set({ title: event.currentTarget.value })} />
        </label>
        <div class="pair">
          <label>
            Unit
            <select value={draft.unit ?? ''} onChange={(event) => setUnit(event.currentTarget.value)}>
              <option value="">guessed: {unitNames[guessUnit(draft.query)]}</option>
              {Object.entries(unitNames).map(([name, text]) => (
                <option key={name} value={name}>
                  {text}
                </option>
              ))}
            </select>
          </label>
          <label>
            Draw
            <select value={draft.style} onChange={(event) => set({ style: oneOf(event.currentTarget.value, ['auto', 'line', 'points']) })}>
              <option value="auto">auto</option>
              <option value="line">line</option>
              <option value="points">points</option>
            </select>
          </label>
        </div>
        <div class="checks">
          <label>
            <input type="checkbox" checked={draft.log} onChange={(event) => set({ log: event.currentTarget.checked })} /> Logarithmic
          </label>
          <label>
            <input type="checkbox" checked={draft.zero} onChange={(event) => set({ zero: event.currentTarget.checked })} /> From zero
          </label>
          <label>
            <input type="checkbox" checked={draft.wide} onChange={(event) => set({ wide: event.currentTarget.checked })} /> As wide as the board
          </label>
        </div>
        <p class="buttons">
          <button type="submit" class="main">
            Save
          </button>
          <button type="button" onClick={close}>
            Cancel
          </button>
        </p>
      </form>
    </Sheet>
  );
}
