// What is asked before a board is made, renamed or deleted.

import { useState } from 'preact/hooks';
import { ServerError } from './api';
import { Sheet } from './dialogs';
import { wordsOf } from './errors';
import { nameProblem } from './names';

/** NameSheet asks for a name, and stays with words if it can't be had. */
export function NameSheet({ heading, name, verb, act, close }: { heading: string; name: string; verb: string; act: (name: string) => Promise<unknown>; close: () => void }) {
  const [text, setText] = useState(name);
  const { problem, busy, run } = useAct();
  const submit = (): void => {
    const wanted = text.trim();
    run(nameProblem(wanted), () => act(wanted));
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
        <label>
          Name
          <input value={text} autofocus onFocus={(event) => event.currentTarget.select()} onInput={(event) => setText(event.currentTarget.value)} />
        </label>
        <Problem words={problem} />
        <p class="buttons">
          <button type="submit" class="main" disabled={busy}>
            {verb}
          </button>
          <button type="button" onClick={close}>
            Cancel
          </button>
        </p>
      </form>
    </Sheet>
  );
}

/** DeleteSheet asks whether a board is to be deleted. */
export function DeleteSheet({ name, act, close }: { name: string; act: () => Promise<unknown>; close: () => void }) {
  const { problem, busy, run } = useAct();
  return (
    <Sheet title="Delete a board" close={close}>
      <p>“{name}” will be gone for everybody who uses this server. Its samples stay.</p>
      <Problem words={problem} />
      <p class="buttons">
        <button class="main" disabled={busy} onClick={() => run('', act)}>
          Delete
        </button>
        <button onClick={close}>Cancel</button>
      </p>
    </Sheet>
  );
}

function Problem({ words }: { words: string }) {
  return words === '' ? null : (
    <p class="error" role="alert">
      {words}
    </p>
  );
}

/** useAct carries something out once at a time, unless there is a problem already, and says what went wrong. */
function useAct(): { problem: string; busy: boolean; run: (problem: string, act: () => Promise<unknown>) => void } {
  const [problem, setProblem] = useState('');
  const [busy, setBusy] = useState(false);
  const run = (known: string, act: () => Promise<unknown>): void => {
    setProblem(known);
    if (known !== '') {
      return;
    }
    setBusy(true);
    act()
      .catch((error: unknown) => setProblem(error instanceof ServerError && error.status === 412 ? 'Someone else changed it just now. Look at it again first.' : wordsOf(error)))
      .finally(() => setBusy(false));
  };
  return { problem, busy, run };
}
