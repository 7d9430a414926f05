// The keyboard: what keys do outside of fields of text.

import { useLayoutEffect, useRef } from 'preact/hooks';

/** Command is what a key stands for. */
export interface Command {
  keys: readonly string[]; // as KeyboardEvent.key has them
  label: string; // the keys, for people
  what: string;
  act: () => void;
}

const all = new Set<() => readonly Command[]>();

/** allCommands returns what keys do now, on what is shown now. */
export function allCommands(): Command[] {
  return [...all].flatMap((commands) => commands());
}

/** useKeys has commands carried out as long as the component is there that calls it. */
export function useKeys(commands: readonly Command[]): void {
  const latest = useRef(commands);
  latest.current = commands;
  // Not useEffect: a key may follow at once on what is shown.
  useLayoutEffect(() => {
    const mine = (): readonly Command[] => latest.current;
    all.add(mine);
    return () => {
      all.delete(mine);
    };
  }, []);
}

/** startKeys listens to the keyboard from now on. */
export function startKeys(): void {
  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || document.querySelector('dialog[open]')) {
      return;
    }
    const command = allCommands().find(({ keys }) => keys.includes(event.key));
    if (command) {
      event.preventDefault();
      command.act();
    }
  });
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName));
}
