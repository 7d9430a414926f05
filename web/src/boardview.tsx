// A board: whether it can be read, whether it is saved, and its plots.

import { useMemo, useState } from 'preact/hooks';
import type { Plot } from './board';
import { BoardGrid } from './boardgrid';
import { Conflict, SaveState } from './conflict';
import { boardOf, useBoard } from './opened';
import { hashOf, isUTC, withUTC, type Go } from './route';

interface Props {
  name: string;
  hash: string;
  go: Go;
  returns: number;
}

export function BoardView({ name, hash, go, returns }: Props) {
  const [editing, setEditing] = useState<Plot | 'new'>();
  const opened = useBoard(name, returns, editing !== undefined);
  const { board, missing, problem, saver, saving } = opened;
  const [theirs, showTheirs] = useState(false);
  const utc = isUTC(hash);
  const all = withUTC(hashOf('boards', new URLSearchParams()), utc);
  const text = theirs && saving.state === 'conflict' ? saving.theirs?.text : undefined;
  const other = useMemo(() => (text === undefined ? undefined : boardOf(text)), [text]);
  return (
    <>
      <div class="boardhead">
        <h2>
          <a href={all}>Boards</a> <span aria-hidden="true">›</span> {name}
        </h2>
        {board && <SaveState saving={saving} news={opened.news} retry={() => saver?.now()} />}
      </div>
      {missing && (
        <p class="nothing">
          There is no board “{name}”. <a href={all}>All boards</a>
        </p>
      )}
      {problem !== '' && (
        <p class="error" role="alert">
          “{name}” can’t be read: {problem} <a href={all}>All boards</a>
        </p>
      )}
      {!board && !missing && problem === '' && <p class="dim">…</p>}
      {board && saver && saving.state === 'conflict' && <Conflict name={name} mine={board} saver={saver} theirs={saving.theirs} shown={theirs} show={showTheirs} go={go} all={all} utc={utc} />}
      {other instanceof Error ? (
        <p class="error">{other.message}</p>
      ) : (
        board && <BoardGrid name={name} board={other ?? board} change={other ? undefined : opened.change} hash={hash} go={go} returns={returns} editing={editing} edit={setEditing} />
      )}
    </>
  );
}
