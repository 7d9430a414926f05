// The boards that are shown or still to be saved, each with its Saver, which goes on when its view is left.

import { useEffect, useRef, useState } from 'preact/hooks';
import { BadBoard, readBoard, writeBoard, type Board } from './board';
import { getBoard, remote } from './boardsapi';
import { wordsOf } from './errors';
import { useTicks } from './running';
import { Saver, type Saving } from './saver';

const open = new Map<string, Saver>();

/** How often a board that is shown is compared with the server's, in ms. */
const look = 10_000;

addEventListener('beforeunload', (event) => {
  const unsaved = [...open.values()].filter((saver) => saver.unsaved);
  unsaved.forEach((saver) => saver.now());
  if (unsaved.length > 0) {
    event.preventDefault(); // the browser asks
  }
});

/** Opened is a board that is shown. */
export interface Opened {
  board: Board | undefined; // not there: it is still being read, or can't be
  problem: string; // why it can't be read
  missing: boolean; // there is none of that name
  saving: Saving;
  news: boolean; // someone else changed it since it was changed here
  saver: Saver | undefined;
  change: (board: Board) => void;
}

/** useBoard reads a board, and again when the server came back, when someone else may have changed it, and when the page is looked at again. still: not now, since something is edited. */
export function useBoard(name: string, returns: number, still: boolean): Opened {
  const [saver, setSaver] = useState<Saver>();
  const [problem, setProblem] = useState('');
  const [missing, setMissing] = useState(false);
  const [news, setNews] = useState(false);
  const [, redraw] = useState(0);
  const tick = useTicks(look);
  useEffect(() => {
    let gone = false;
    const read = async (): Promise<void> => {
      const held = open.get(name);
      if (held?.unsaved) {
        setSaver(held);
        held.now();
        return;
      }
      const stored = await getBoard(name, held?.stored?.etag);
      if (gone || stored === 'same') {
        return;
      }
      setProblem('');
      setMissing(stored === undefined);
      if (!stored) {
        open.delete(name);
        setSaver(undefined);
        return;
      }
      readBoard(stored.text);
      if (!held) {
        const made = new Saver(remote(name), stored);
        open.set(name, made);
        setSaver(made);
      } else if (held.read(stored)) {
        setNews(true);
      }
    };
    if (!still) {
      read().catch((error: unknown) => !gone && setProblem(wordsOf(error)));
    }
    return () => {
      gone = true;
    };
  }, [name, returns, tick, still]);
  useEffect(() => {
    if (!saver) {
      return undefined;
    }
    saver.listener = () => redraw((count) => count + 1);
    return () => {
      // What is left to save it saves without anybody to look.
      const close = (): void => {
        if (!saver.unsaved && open.get(name) === saver) {
          open.delete(name);
        }
      };
      saver.listener = close;
      close();
      saver.now();
    };
  }, [saver]);
  // The text of a board does not say which of its plots is which of those that were shown before.
  const shown = useRef<{ text: string; board: Board | BadBoard }>(undefined);
  if (saver && shown.current?.text !== saver.mine) {
    shown.current = { text: saver.mine, board: boardOf(saver.mine) };
  }
  const change = (board: Board): void => {
    const text = writeBoard(board);
    shown.current = { text, board };
    setNews(false);
    saver?.change(text);
  };
  const found = saver && shown.current?.board;
  const board = found instanceof BadBoard ? undefined : found;
  return { board, problem: found instanceof BadBoard ? found.message : board ? '' : problem, missing, saving: saver?.saving ?? { state: 'saved' }, news, saver, change };
}

/** boardOf reads a board of someone else's, which may be none. */
export function boardOf(text: string): Board | BadBoard {
  try {
    return readBoard(text);
  } catch (error) {
    return error instanceof BadBoard ? error : new BadBoard(String(error));
  }
}
