// Whether the server is there. The page asks now and then, at once when a request failed, and more often while it is away.

import { useEffect, useState } from 'preact/hooks';

const calm = 5000; // ms from one look to the next
const anxious = 1000; // the same while the server is away

/** Presence is what is known of the server. words are its own, for what is not as it should be. */
export interface Presence {
  state: 'there' | 'readonly' | 'opening' | 'away';
  words: string;
  returns: number; // how often it came back: what was shown before is to be asked for again
}

const doubters = new Set<() => void>();

/** doubt says that a request was not answered. */
export function doubt(): void {
  doubters.forEach((look) => look());
}

/** usePresence looks after the server. Nobody looks while the page is hidden. */
export function usePresence(): Presence {
  const [presence, setPresence] = useState<Presence>({ state: 'there', words: '', returns: 0 });
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let looking = false;
    let gone = false;
    const look = async (): Promise<void> => {
      if (looking) {
        return;
      }
      looking = true;
      clearTimeout(timer);
      const found = await probe();
      looking = false;
      if (gone) {
        return;
      }
      setPresence((last) => (last.state === found.state && last.words === found.words ? last : { ...found, returns: last.returns + (isUp(found) && !isUp(last) ? 1 : 0) }));
      if (!document.hidden) {
        timer = setTimeout(() => void look(), isUp(found) ? calm : anxious);
      }
    };
    const now = (): void => void look();
    const seen = (): void => (document.hidden ? clearTimeout(timer) : now());
    doubters.add(now);
    document.addEventListener('visibilitychange', seen);
    now();
    return () => {
      gone = true;
      clearTimeout(timer);
      doubters.delete(now);
      document.removeEventListener('visibilitychange', seen);
    };
  }, []);
  return presence;
}

function isUp({ state }: Pick<Presence, 'state'>): boolean {
  return state === 'there' || state === 'readonly';
}

async function probe(): Promise<Omit<Presence, 'returns'>> {
  try {
    const response = await fetch('-/ready', { cache: 'no-store' });
    const words = (await response.text()).trim();
    if (response.ok) {
      const [, only] = /reads only: (.*)/.exec(words) ?? [];
      return only === undefined ? { state: 'there', words: '' } : { state: 'readonly', words: only };
    }
    return response.status === 503 ? { state: 'opening', words } : { state: 'there', words: '' };
  } catch {
    return { state: 'away', words: '' };
  }
}
