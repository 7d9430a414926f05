// Which view the address names, behind its #: #browse?…, #explore?…, #boards?…, #status?…. What follows the ? is the view's own, but for utc=1, which all have.

import { useEffect, useState } from 'preact/hooks';

export const views = ['browse', 'explore', 'boards', 'status'] as const;
export type ViewName = (typeof views)[number];

/** viewOf returns the view that an address names: browse if it names none. */
export function viewOf(hash: string): ViewName {
  const [name] = split(hash);
  return views.find((view) => view === name) ?? 'browse';
}

/** paramsOf returns what an address says behind its ?. */
export function paramsOf(hash: string): URLSearchParams {
  return new URLSearchParams(split(hash)[1]);
}

/** hashOf writes an address. */
export function hashOf(view: ViewName, params: URLSearchParams): string {
  const text = params.toString();
  return text === '' ? `#${view}` : `#${view}?${text}`;
}

/** withUTC is an address that shows times in UTC, or in local time. */
export function withUTC(hash: string, utc: boolean): string {
  const params = paramsOf(hash);
  params.delete('utc');
  if (utc) {
    params.append('utc', '1');
  }
  return hashOf(viewOf(hash), params);
}

export function isUTC(hash: string): boolean {
  return paramsOf(hash).get('utc') === '1';
}

function split(hash: string): [view: string, params: string] {
  const text = hash.replace(/^#/, '');
  const at = text.indexOf('?');
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

/** Go shows another address. Unless it only corrects the one that is shown, the browser's back returns to that. */
export type Go = (hash: string, how?: 'corrects') => void;

/** useHash returns the part of the page's address behind the #, which goes with the browser's back and forward, and what changes it. */
export function useHash(): [hash: string, go: Go] {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const read = (): void => setHash(location.hash);
    addEventListener('popstate', read);
    addEventListener('hashchange', read);
    return () => {
      removeEventListener('popstate', read);
      removeEventListener('hashchange', read);
    };
  }, []);
  const go: Go = (next, how) => {
    if (next !== location.hash) {
      history[how === 'corrects' ? 'replaceState' : 'pushState'](null, '', next);
      setHash(next);
    }
  };
  return [hash, go];
}
