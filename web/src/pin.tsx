// Pin: a query of Explore as a plot of a board.

import { useEffect, useState } from 'preact/hooks';
import { longestTitle, noBoard, noPlot, titleOf, type NewPlot } from './board';
import { listBoards, remote } from './boardsapi';
import { Sheet } from './dialogs';
import { wordsOf } from './errors';
import { pin } from './pinning';
import { boardHash, freeName, nameProblem } from './names';
import type { Query, State } from './url';

interface Props {
  query: Query;
  state: State;
}

export function Pin(props: Props) {
  const [asking, setAsking] = useState(false);
  const [pinned, setPinned] = useState<string>();
  return (
    <>
      <button
        onClick={() => {
          setPinned(undefined);
          setAsking(true);
        }}
        title="put this plot on a board"
      >
        Pin
      </button>
      <span class="dim" role="status">
        {pinned !== undefined && (
          <>
            Pinned to <a href={boardHash(pinned, props.state.utc)}>{pinned}</a>.
          </>
        )}
      </span>
      {asking && (
        <PinSheet
          {...props}
          close={() => setAsking(false)}
          done={(name) => {
            setPinned(name);
            setAsking(false);
          }}
        />
      )}
    </>
  );
}

function PinSheet({ query, state, close, done }: Props & { close: () => void; done: (name: string) => void }) {
  const plot: NewPlot = { ...noPlot, query: query.text, ...(query.unit && { unit: query.unit }), style: state.style, log: state.log, zero: state.zero, hidden: query.hidden, only: query.only };
  const [title, setTitle] = useState(titleOf(plot).slice(0, 80));
  const [names, setNames] = useState<string[]>();
  const [chosen, setChosen] = useState<string>(); // undefined: a new board
  const [name, setName] = useState('');
  const [problem, setProblem] = useState('');
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    listBoards().then(
      (boards) => {
        // That which was changed last is most likely to be meant.
        const found = boards.filter(({ error }) => error === '').sort((a, b) => b.modified - a.modified).map((board) => board.name);
        setNames(found);
        setChosen(found[0]);
        setName(freeName('My board', boards.map((board) => board.name)));
      },
      (error: unknown) => setProblem(wordsOf(error)),
    );
  }, []);
  const submit = async (): Promise<void> => {
    const to = chosen ?? name.trim();
    const wrong = nameProblem(to);
    setProblem(wrong);
    if (wrong !== '' || busy) {
      return;
    }
    setBusy(true);
    try {
      await pin(remote(to), { ...plot, title: title.trim() === titleOf(plot) ? '' : title.trim() }, { ...noBoard, range: state.range, live: state.live }, !names?.includes(to));
      done(to);
    } catch (error) {
      setProblem(wordsOf(error));
      setBusy(false);
    }
  };
  return (
    <Sheet title="Pin to a board" close={close}>
      <form
        class="fields"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <label>
          Board
          <select value={chosen === undefined ? '' : `=${chosen}`} disabled={!names} onChange={({ currentTarget: { value } }) => setChosen(value === '' ? undefined : value.slice(1))}>
            {names?.map((one) => (
              <option key={one} value={`=${one}`}>
                {one}
              </option>
            ))}
            <option value="">A new board…</option>
          </select>
        </label>
        {names && chosen === undefined && (
          <label>
            Its name
            <input value={name} autofocus onInput={(event) => setName(event.currentTarget.value)} />
          </label>
        )}
        <label>
          Title of the plot
          <input value={title} maxLength={longestTitle} onInput={(event) => setTitle(event.currentTarget.value)} />
        </label>
        {problem !== '' && (
          <p class="error" role="alert">
            {problem}
          </p>
        )}
        <p class="buttons">
          <button type="submit" class="main" disabled={!names || busy}>
            Pin
          </button>
          <button type="button" onClick={close}>
            Cancel
          </button>
        </p>
      </form>
    </Sheet>
  );
}
