// Boards: the list of them, or the one that the address names.

import { BoardList } from './boardlist';
import { BoardView } from './boardview';
import { isUTC, paramsOf, type Go } from './route';

interface Props {
  hash: string;
  go: Go;
  returns: number; // of the server, see Presence
}

export function Boards({ hash, go, returns }: Props) {
  const name = paramsOf(hash).get('board');
  return name === null ? <BoardList go={go} returns={returns} utc={isUTC(hash)} /> : <BoardView key={name} name={name} hash={hash} go={go} returns={returns} />;
}
