// Putting a plot on a board of the server, whoever else changes that at the same time; and giving a board another name.

import { ServerError } from './api';
import { withPlot } from './arrange';
import { BadBoard, mostPlots, readBoard, writeBoard, type Board, type NewPlot } from './board';
import { getBoard, putBoard, deleteBoard } from './boardsapi';
import { wordsOf } from './errors';
import type { Remote, Stored } from './saver';

/** Someone who is always faster than the page is no person. */
const attempts = 5;

/**
 * pin adds a plot at the end of a board. If there is none it makes one of first and the plot; isNew: most likely there is none. It begins anew from the newest version
 * when someone else was faster.
 */
export async function pin(board: Remote, plot: NewPlot, first: Board, isNew: boolean): Promise<void> {
  let stored = isNew ? undefined : await board.get();
  for (let attempt = 1; ; attempt++) {
    const added = withPlot(stored ? readBoard(stored.text) : first, plot);
    if (!added) {
      throw new BadBoard(`The board has ${mostPlots} plots, and can have no more.`);
    }
    try {
      await board.put(writeBoard(added), stored?.etag);
      return;
    } catch (error) {
      if (!(error instanceof ServerError && error.status === 412) || attempt === attempts) {
        throw error;
      }
    }
    stored = await board.get();
  }
}

/** rename gives a board another name that is free. It returns words if the old one had to stay. */
export async function rename(from: string, stored: Stored, to: string): Promise<string> {
  await make(to, stored.text);
  try {
    await deleteBoard(from, stored.etag);
    return '';
  } catch (error) {
    if (error instanceof ServerError && error.status === 404) {
      return '';
    }
    return `“${to}” is there, and so is still “${from}”: ${error instanceof ServerError && error.status === 412 ? 'someone else changed it meanwhile.' : wordsOf(error)}`;
  }
}

/** copyOf makes another board with the content of one. */
export async function copyOf(from: string, to: string): Promise<void> {
  const stored = await getBoard(from);
  if (!stored) {
    throw new Error(`There is no board “${from}” any more.`);
  }
  await make(to, stored.text);
}

/** make makes a board, whose name has to be free. */
export async function make(name: string, text: string): Promise<void> {
  try {
    await putBoard(name, text, undefined);
  } catch (error) {
    throw error instanceof ServerError && error.status === 412 ? new Error(`There is a board “${name}” already.`) : error;
  }
}
