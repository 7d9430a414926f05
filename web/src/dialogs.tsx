// The sheets over the page: keys, and queries of the past.

import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { allCommands } from './keys';
import { forgetAll, remembered } from './store';

/** Sheet is a dialog over the page, which Esc and a click beside it close. Then the keyboard is where it was before. */
export function Sheet({ title, close, children }: { title: string; close: () => void; children: ComponentChildren }) {
  const sheet = useRef<HTMLDialogElement>(null);
  const began = useRef(false); // beside it: text may be selected from inside to there
  useEffect(() => {
    const before = document.activeElement;
    sheet.current?.showModal();
    return () => before instanceof HTMLElement && before.focus();
  }, []);
  const isBeside = ({ target, clientX: x, clientY: y }: MouseEvent): boolean => {
    const box = sheet.current?.getBoundingClientRect();
    return target === sheet.current && box !== undefined && (x < box.left || x > box.right || y < box.top || y > box.bottom);
  };
  return (
    <dialog ref={sheet} aria-label={title} onClose={close} onPointerDown={(event) => (began.current = isBeside(event))} onClick={(event) => began.current && isBeside(event) && close()}>
      <header>
        <h2>{title}</h2>
        <button onClick={close} aria-label="close">
          ✕
        </button>
      </header>
      {children}
    </dialog>
  );
}

export function Help({ close }: { close: () => void }) {
  return (
    <Sheet title="Keys" close={close}>
      <table class="keys">
        <tbody>
          {allCommands().map((command) => (
            <tr key={command.label}>
              <td>
                <kbd>{command.label}</kbd>
              </td>
              <td>{command.what}</td>
            </tr>
          ))}
          <tr>
            <td>
              <kbd>Enter</kbd>
            </td>
            <td>in a query: run it; Shift+Enter begins a new line, Ctrl+Space completes, Esc leaves the field</td>
          </tr>
          <tr>
            <td>
              <kbd>Alt+←</kbd>
            </td>
            <td>in the browser: undo; Alt+→ redoes</td>
          </tr>
        </tbody>
      </table>
      <p>Drag on a plot to zoom in, double-click to zoom out. A time range may be typed: 2h, 2006-06, 2006-06-13 10:00 to now-5y, yesterday.</p>
    </Sheet>
  );
}

export function History({ choose, close }: { choose: (query: string) => void; close: () => void }) {
  const [all, setAll] = useState(remembered);
  const [wanted, setWanted] = useState('');
  const found = all.filter((query) => query.toLowerCase().includes(wanted.toLowerCase()));
  return (
    <Sheet title="Queries of the past" close={close}>
      <input type="search" autofocus aria-label="filter" placeholder="filter" value={wanted} onInput={(event) => setWanted(event.currentTarget.value)} />
      <ul class="history">
        {found.map((query) => (
          <li key={query}>
            <button onClick={() => choose(query)}>{query}</button>
          </li>
        ))}
      </ul>
      {found.length === 0 && <p class="dim">None.</p>}
      <p>
        <button
          onClick={() => {
            forgetAll();
            setAll([]);
          }}
        >
          Forget all
        </button>{' '}
        <span class="dim">They are kept in this browser only.</span>
      </p>
    </Sheet>
  );
}
