// What became of the changes of a board, and what to do if someone else made some, too.

import { useState } from 'preact/hooks';
import { differences } from './arrange';
import { BadBoard, type Board } from './board';
import { listBoards } from './boardsapi';
import { wordsOf } from './errors';
import { boardHash, freeName } from './names';
import { boardOf } from './opened';
import { make } from './pinning';
import type { Go } from './route';
import type { Saver, Saving, Stored } from './saver';

/** SaveState says whether all is saved. */
export function SaveState({ saving, news, retry }: { saving: Saving; news: boolean; retry: () => void }) {
  return (
    <span class="savestate dim" role="status" data-state={saving.state}>
      {saving.state === 'saved' && (news ? 'Someone else changed this board; this is how it is now.' : 'Saved')}
      {saving.state === 'saving' && 'Saving…'}
      {saving.state === 'conflict' && 'Not saved'}
      {(saving.state === 'waiting' || saving.state === 'refused') && (
        <>
          <b>Not saved{saving.state === 'waiting' ? ' yet' : ''}:</b> {saving.why} {saving.state === 'waiting' && 'It is kept here and tried again.'}{' '}
          <button class="small" onClick={retry}>
            Try now
          </button>
        </>
      )}
    </span>
  );
}

interface Props {
  name: string;
  mine: Board;
  saver: Saver;
  theirs: Stored | undefined;
  shown: boolean; // theirs is shown, and not mine
  show: (theirs: boolean) => void;
  go: Go;
  all: string; // the address of the list
  utc: boolean;
}

/** Conflict is where it is chosen which of two boards stays. Until then both do. */
export function Conflict({ name, mine, saver, theirs, shown, show, go, all, utc }: Props) {
  const [problem, setProblem] = useState('');
  const [busy, setBusy] = useState(false);
  const other = theirs && boardOf(theirs.text);
  const words = other instanceof BadBoard ? [`Theirs can’t be read here. ${other.message}`] : other ? differences(mine, other) : [];
  const end = (how: () => void): void => {
    show(false);
    how();
  };
  const yieldTo = (): void => {
    end(() => saver.yield());
    if (!theirs) {
      go(all);
    }
  };
  const copy = async (): Promise<void> => {
    setBusy(true);
    try {
      const taken = (await listBoards()).map((board) => board.name);
      const to = freeName(`${name} (mine)`, taken);
      await make(to, saver.mine);
      end(() => saver.yield());
      go(boardHash(to, utc));
    } catch (error) {
      setProblem(wordsOf(error));
      setBusy(false);
    }
  };
  return (
    <section class="conflict" role="alert" aria-label="two versions">
      <p>
        <b>Someone else {theirs ? 'changed' : 'deleted'} this board while you changed it.</b> Yours is not saved: both are kept until you choose. {words.join(' ')}
      </p>
      <p class="buttons">
        {theirs && (
          <button aria-pressed={shown} onClick={() => show(!shown)}>
            Show theirs
          </button>
        )}
        <button disabled={busy} onClick={() => void copy()}>
          Save mine as a copy
        </button>
        <button disabled={busy} onClick={() => end(() => saver.overwrite())}>
          {theirs ? 'Save mine over theirs' : 'Make it again of mine'}
        </button>
        <button disabled={busy} onClick={yieldTo}>
          {theirs ? 'Keep theirs, drop mine' : 'Drop mine'}
        </button>
      </p>
      {problem !== '' && <p class="error">{problem}</p>}
    </section>
  );
}
