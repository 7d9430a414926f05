// Running a query whenever what it depends on changes, one request at a time.

import { useEffect, useRef, useState } from 'preact/hooks';
import { isAbort, ServerError } from './api';
import { brief, locate, type Located } from './errors';
import { run, type Outcome } from './query';
import { resolve, type Range } from './range';

/** Running is what a panel knows of its query. outcome is the last that came, and stays while the next is on its way. */
export interface Running {
  outcome: Outcome | undefined;
  error: string | undefined;
  place: Located | undefined; // of the error
  busy: boolean;
  cancel: () => void;
}

/** useQuery runs a query at once when text, range or step change or again does, and at each tick unless it still runs. */
export function useQuery(text: string, range: Range, step: number, again: number, tick: number): Running {
  const [outcome, setOutcome] = useState<Outcome>();
  const [failure, setFailure] = useState<{ error: string; place: Located | undefined }>();
  const [busy, setBusy] = useState(false);
  const current = useRef<AbortController>(undefined);

  const start = async (): Promise<void> => {
    current.current?.abort();
    const mine = new AbortController();
    current.current = mine;
    setBusy(true);
    try {
      const result = await run(text, resolve(range, Date.now()), step, mine.signal);
      if (current.current === mine) {
        setOutcome(result);
        setFailure(undefined);
      }
    } catch (error) {
      if (current.current === mine) {
        setFailure(describe(error, text));
      }
    } finally {
      if (current.current === mine) {
        current.current = undefined;
        setBusy(false);
      }
    }
  };

  const blank = text.trim() === '';
  const key = `${text}\n${JSON.stringify(range)} ${step}`;
  useEffect(() => {
    if (blank) {
      current.current?.abort();
      current.current = undefined;
      setOutcome(undefined);
      setFailure(undefined);
      setBusy(false);
      return;
    }
    void start();
  }, [key, again]);
  useEffect(() => {
    if (tick > 0 && !blank && !current.current) {
      void start();
    }
  }, [tick]);
  useEffect(() => () => current.current?.abort(), []);
  return { outcome, error: failure?.error, place: failure?.place, busy, cancel: () => current.current?.abort() };
}

function describe(error: unknown, text: string): { error: string; place: Located | undefined } {
  if (isAbort(error)) {
    return { error: 'Cancelled.', place: undefined };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { error: brief(message), place: error instanceof ServerError ? locate(message, text) : undefined };
}

/** useTicks counts the looks of a view that is live, so many ms apart; 0: it is not. Nobody looks at a page that is hidden. */
export function useTicks(interval: number): number {
  const [tick, setTick] = useState(0);
  useEffect(() => {
    if (interval === 0) {
      return undefined;
    }
    const timer = setInterval(() => !document.hidden && setTick((count) => count + 1), interval);
    const seen = (): void => {
      if (!document.hidden) {
        setTick((count) => count + 1);
      }
    };
    document.addEventListener('visibilitychange', seen);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', seen);
    };
  }, [interval]);
  return tick;
}
