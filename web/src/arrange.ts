// What is done to a board. Each gives a new one and leaves the old as it is.

import { mostPlots, titleOf, type Board, type NewPlot, type Plot } from './board';
import { isLast } from './range';

/** withPlot adds a plot at a place, or at the end; undefined if the board has as many as it may. */
export function withPlot(board: Board, plot: NewPlot, at = board.plots.length): Board | undefined {
  if (board.plots.length >= mostPlots) {
    return undefined;
  }
  const added: Plot = { ...plot, id: Math.max(-1, ...board.plots.map(({ id }) => id)) + 1 };
  return { ...board, plots: [...board.plots.slice(0, at), added, ...board.plots.slice(at)] };
}

export function withoutPlot(board: Board, id: number): Board {
  return { ...board, plots: board.plots.filter((plot) => plot.id !== id) };
}

/** replaced has another plot in the place of that with this id. */
export function replaced(board: Board, id: number, by: NewPlot): Board {
  return { ...board, plots: board.plots.map((plot) => (plot.id === id ? { ...by, id } : plot)) };
}

/** moved has a plot at another place among the others; beyond the ends is at the end. */
export function moved(board: Board, id: number, to: number): Board {
  const plot = board.plots.find((other) => other.id === id);
  if (!plot) {
    return board;
  }
  const others = board.plots.filter((other) => other !== plot);
  const at = Math.min(Math.max(to, 0), others.length);
  return { ...board, plots: [...others.slice(0, at), plot, ...others.slice(at)] };
}

/** differences says for people how two boards differ. */
export function differences(mine: Board, theirs: Board): string[] {
  const [ours, others] = [mine.plots.map(contentOf), theirs.plots.map(contentOf)];
  const onlyMine = titles(mine.plots.filter((_, i) => !others.includes(ours[i] ?? '')));
  const onlyTheirs = titles(theirs.plots.filter((_, i) => !ours.includes(others[i] ?? '')));
  const words: string[] = [];
  if (onlyMine !== '') {
    words.push(`Only in yours: ${onlyMine}.`);
  }
  if (onlyTheirs !== '') {
    words.push(`Only in theirs: ${onlyTheirs}.`);
  }
  if (words.length === 0 && ours.join('\n') !== others.join('\n')) {
    words.push('The plots are in another order.');
  }
  if (!sameTimes(mine, theirs)) {
    words.push('They open with another range.');
  }
  return words;
}

function contentOf(plot: Plot): string {
  return JSON.stringify({ ...plot, id: 0 }, Object.keys(plot).sort());
}

function titles(plots: readonly Plot[]): string {
  return plots.map((plot) => `“${titleOf(plot)}”`).join(', ');
}

/** sameTimes says whether two open with the same range, and live or not. */
export function sameTimes(a: Pick<Board, 'range' | 'live'>, b: Pick<Board, 'range' | 'live'>): boolean {
  const text = ({ range }: Pick<Board, 'range'>): string => (isLast(range) ? `${range.last}` : `${range.from} ${range.to}`);
  return a.live === b.live && text(a) === text(b);
}
