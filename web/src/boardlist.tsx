// The list of boards, and what is done with whole ones.

import { useEffect, useState } from 'preact/hooks';
import { BadBoard, largest, noBoard, readBoard, writeBoard } from './board';
import { deleteBoard, getBoard, listBoards, type Listed } from './boardsapi';
import { DeleteSheet, NameSheet } from './boardsheets';
import { wordsOf } from './errors';
import { boardHash, fileName, freeName, nameOfFile } from './names';
import { copyOf, make, rename } from './pinning';
import type { Go } from './route';
import { useTicks } from './running';
import { save } from './share';
import { formatTime } from './times';
import { format } from './units';

interface Props {
  go: Go;
  returns: number;
  utc: boolean;
}

const look = 10_000; // ms from one look to the next

type Asking = { what: 'new' } | { what: 'rename' | 'copy' | 'delete'; board: Listed } | { what: 'import'; name: string; text: string } | undefined;

export function BoardList({ go, returns, utc }: Props) {
  const { boards, problem, again } = useList(returns);
  const [asking, ask] = useState<Asking>();
  const [said, setSaid] = useState('');
  const [failed, setFailed] = useState('');
  const done = (words: string): void => {
    ask(undefined);
    setFailed('');
    setSaid(words);
    again();
  };
  const carryOut = (act: () => Promise<string>): void => {
    act().then(done, (error: unknown) => {
      setSaid('');
      setFailed(wordsOf(error));
    });
  };
  const open = (file: File): void => {
    readFile(file).then(
      (text) => {
        setFailed('');
        ask({ what: 'import', name: freeName(nameOfFile(file.name), namesOf(boards)), text });
      },
      (error: unknown) => setFailed(`${file.name} was not imported. ${wordsOf(error)}`),
    );
  };
  return (
    <>
      <div class="boardhead">
        <h2>Boards</h2>
        <button class="main" onClick={() => ask({ what: 'new' })}>
          New board
        </button>
        <Import open={open} />
        <span class="dim" role="status">
          {said}
        </span>
      </div>
      {(failed || problem) !== '' && (
        <p class="error" role="alert">
          {failed || problem}
        </p>
      )}
      {boards?.length === 0 && <p class="nothing">A board keeps plots together, for everybody who uses this server. There is none yet: make one, or pin a plot in Explore.</p>}
      {boards && boards.length > 0 && <Table boards={boards} utc={utc} ask={ask} exported={(board) => carryOut(() => exportBoard(board))} />}
      {asking && <Asked asking={asking} boards={namesOf(boards)} close={() => ask(undefined)} done={done} show={(name) => go(boardHash(name, utc))} />}
    </>
  );
}

function namesOf(boards: readonly Listed[] | undefined): string[] {
  return (boards ?? []).map(({ name }) => name);
}

/** useList reads the list at first, now and then, and when it is told to. */
function useList(returns: number): { boards: Listed[] | undefined; problem: string; again: () => void } {
  const [boards, setBoards] = useState<Listed[]>();
  const [problem, setProblem] = useState('');
  const [count, setCount] = useState(0);
  const tick = useTicks(look);
  useEffect(() => {
    let gone = false;
    listBoards().then(
      (found) => {
        if (!gone) {
          setBoards(found);
          setProblem('');
        }
      },
      (error: unknown) => !gone && setProblem(wordsOf(error)),
    );
    return () => {
      gone = true;
    };
  }, [returns, tick, count]);
  return { boards, problem, again: () => setCount((now) => now + 1) };
}

function Table({ boards, utc, ask, exported }: { boards: readonly Listed[]; utc: boolean; ask: (asking: Asking) => void; exported: (board: Listed) => void }) {
  return (
    <table class="boards">
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">Changed</th>
          <th scope="col">Size</th>
          <th scope="col">
            <span class="unseen">What can be done</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {boards.map((board) => (
          <tr key={board.name}>
            <th scope="row">
              {board.error === '' ? <a href={boardHash(board.name, utc)}>{board.name}</a> : board.name}
              {board.error !== '' && <span class="error"> can’t be read: {board.error}</span>}
            </th>
            <td>{board.modified > 0 && formatTime(Math.floor(board.modified / 1000) * 1000, utc)}</td>
            <td>{board.error === '' && format(board.size, 'bytes', 3)}</td>
            <td class="actions">
              {board.error === '' && (
                <>
                  <button class="small" aria-label={`rename ${board.name}`} onClick={() => ask({ what: 'rename', board })}>
                    Rename
                  </button>
                  <button class="small" aria-label={`copy ${board.name}`} onClick={() => ask({ what: 'copy', board })}>
                    Copy
                  </button>
                  <button class="small" aria-label={`export ${board.name}`} onClick={() => exported(board)}>
                    Export
                  </button>
                </>
              )}
              <button class="small" aria-label={`delete ${board.name}`} onClick={() => ask({ what: 'delete', board })}>
                Delete
              </button>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Import({ open }: { open: (file: File) => void }) {
  return (
    <label class="button">
      Import…
      <input
        class="unseen"
        type="file"
        accept=".json,application/json"
        onChange={({ currentTarget: input }) => {
          const [file] = input.files ?? [];
          if (file) {
            open(file);
          }
          input.value = ''; // the same file may be chosen again
        }}
      />
    </label>
  );
}

interface AskedProps {
  asking: NonNullable<Asking>;
  boards: readonly string[];
  close: () => void;
  done: (words: string) => void;
  show: (name: string) => void;
}

function Asked({ asking, boards, close, done, show }: AskedProps) {
  switch (asking.what) {
    case 'new':
      return <NameSheet heading="New board" name={freeName('My board', boards)} verb="Make" close={close} act={(name) => make(name, writeBoard(noBoard)).then(() => show(name))} />;
    case 'import':
      return <NameSheet heading="Import a board" name={asking.name} verb="Import" close={close} act={(name) => make(name, asking.text).then(() => done(`“${name}” is imported.`))} />;
    case 'copy':
      return <NameSheet heading={`Copy “${asking.board.name}”`} name={freeName(asking.board.name, boards)} verb="Copy" close={close} act={(name) => copyOf(asking.board.name, name).then(() => done(`“${name}” is there.`))} />;
    case 'rename':
      return <NameSheet heading={`Rename “${asking.board.name}”`} name={asking.board.name} verb="Rename" close={close} act={(name) => (name === asking.board.name ? Promise.resolve('') : renameBoard(asking.board.name, name)).then(done)} />;
    case 'delete':
      return <DeleteSheet name={asking.board.name} close={close} act={() => deleteBoard(asking.board.name, asking.board.etag).then(() => done(`“${asking.board.name}” is deleted.`))} />;
  }
}

async function renameBoard(from: string, to: string): Promise<string> {
  const stored = await getBoard(from);
  if (!stored) {
    throw new Error(`There is no board “${from}” any more.`);
  }
  return (await rename(from, stored, to)) || `It is “${to}” now.`;
}

async function exportBoard({ name }: Listed): Promise<string> {
  const stored = await getBoard(name);
  if (!stored) {
    throw new Error(`There is no board “${name}” any more.`);
  }
  save(fileName(name), 'application/json', stored.text);
  return '';
}

/** readFile reads a board from a file, as this page would write it. */
async function readFile(file: File): Promise<string> {
  if (file.size > largest) {
    throw new BadBoard(`It has ${format(file.size, 'bytes', 3)}, and a board has at most ${format(largest, 'bytes', 3)}.`);
  }
  return writeBoard(readBoard(await file.text()));
}
