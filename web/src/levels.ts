// What Browse knows of the tree: levels that were read, page by page, and read again now and then.

import { useEffect, useRef, useState } from 'preact/hooks';
import { isAbort, lookPage, type Param } from './api';
import { joined, keyOf, levelOf, type Level, type Source } from './tree';

/** How many children or series a request asks for, at first and at most: the server's own bound. */
const page = 100;
const most = 1000;

/** Levels are what is known, and how to know more. */
export interface Levels {
  known: ReadonlyMap<string, Level>;
  error: string | undefined;
  /** want asks for levels that are not known and not on their way. */
  want: (sources: readonly Source[]) => void;
  /** more goes on behind what is known of a level. */
  more: (source: Source, after: string) => void;
  /** refresh asks again for what is known of some levels; others are forgotten. */
  refresh: (sources: readonly Source[]) => void;
}

/** useLevels forgets everything when the key changes. */
export function useLevels(key: string): Levels {
  const [known, setKnown] = useState<ReadonlyMap<string, Level>>(new Map());
  const [error, setError] = useState<string>();
  const asked = useRef(new Map<string, AbortController>());
  const [lastKey, setLastKey] = useState(key);
  const stop = (): void => {
    asked.current.forEach((request) => request.abort());
    asked.current.clear();
  };
  if (key !== lastKey) {
    stop();
    setLastKey(key);
    setKnown(new Map());
  }
  useEffect(() => stop, []);

  const ask = async (source: Source, params: readonly Param[], put: (before: Level | undefined, got: Level) => Level): Promise<void> => {
    const id = keyOf(source);
    if (asked.current.has(id)) {
      return;
    }
    const mine = new AbortController();
    asked.current.set(id, mine);
    try {
      const answer = await lookPage('browse', [[source.kind, source.text], ...params], mine.signal);
      if (asked.current.get(id) === mine) {
        setKnown((before) => new Map(before).set(id, put(before.get(id), levelOf(answer.data))));
        setError(undefined);
      }
    } catch (failure) {
      if (!isAbort(failure)) {
        setError(failure instanceof Error ? failure.message : String(failure));
      }
    } finally {
      if (asked.current.get(id) === mine) {
        asked.current.delete(id);
      }
    }
  };
  return {
    known,
    error,
    want: (sources) => sources.forEach((source) => void ask(source, [['limit', String(page)]], (_, got) => got)),
    more: (source, after) =>
      void ask(
        source,
        [
          ['limit', String(most)],
          ['after', after],
        ],
        (before, got) => (before ? joined(before, got) : got),
      ),
    refresh: (sources) => {
      const kept = new Set(sources.map(keyOf));
      setKnown((before) => new Map([...before].filter(([id]) => kept.has(id))));
      for (const source of sources) {
        const level = known.get(keyOf(source));
        const length = level ? Math.max(level.children.length, level.series.length) : 0;
        // What is longer than an answer stays as it is: to read all of it again would cost more than it tells.
        if (length <= most) {
          void ask(source, [['limit', String(Math.max(length, page))]], (_, got) => got);
        }
      }
    },
  };
}
