// Dragging something over another: with a mouse, a pen or a finger.

import { useEffect, useRef, useState } from 'preact/hooks';

/** Dragging is what is dragged, and what it is over, by their ids. */
export interface Dragging {
  from: number | undefined;
  over: number | undefined;
  drag: (id: number, event: PointerEvent) => void; // begins
}

/** useDrag follows the pointer from drag until it is lifted, and then tells what was dropped on what. Esc ends it without. Elements are known by their data-plot. */
export function useDrag(drop: (from: number, over: number) => void): Dragging {
  const [state, setState] = useState<{ from: number; over: number | undefined }>();
  const latest = useRef(drop);
  latest.current = drop;
  const current = useRef<AbortController>(undefined);
  useEffect(() => () => current.current?.abort(), []);
  const drag = (id: number, event: PointerEvent): void => {
    if (event.button !== 0) {
      return;
    }
    current.current?.abort();
    const listening = new AbortController();
    current.current = listening;
    const { signal } = listening;
    let over: number | undefined;
    const end = (): void => {
      listening.abort();
      setState(undefined);
    };
    addEventListener(
      'pointermove',
      (moved) => {
        over = plotAt(moved);
        setState({ from: id, over });
      },
      { signal },
    );
    addEventListener(
      'pointerup',
      () => {
        end();
        if (over !== undefined && over !== id) {
          latest.current(id, over);
        }
      },
      { signal },
    );
    addEventListener('pointercancel', end, { signal });
    addEventListener('keydown', ({ key }) => key === 'Escape' && end(), { signal });
  };
  return { from: state?.from, over: state?.over, drag };
}

function plotAt({ clientX, clientY }: PointerEvent): number | undefined {
  const element = document.elementFromPoint(clientX, clientY)?.closest('[data-plot]');
  return element instanceof HTMLElement ? Number(element.dataset['plot']) : undefined;
}
