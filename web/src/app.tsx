// The page: its head, a banner when all is not well, and the view that the address names.

import { useEffect, useRef, useState } from 'preact/hooks';
import { Boards } from './boards';
import { Browse } from './browse';
import { Help } from './dialogs';
import { Explore } from './explore';
import { useKeys } from './keys';
import { usePresence, type Presence } from './presence';
import { hashOf, isUTC, useHash, viewOf, views, withUTC, type ViewName } from './route';
import { Status } from './status';
import { savedTheme, type Theme } from './store';
import { setTheme } from './theme';

const titles: Record<ViewName, string> = { browse: 'Browse', explore: 'Explore', boards: 'Boards', status: 'Status' };
const keysOf: Record<ViewName, string> = { browse: 'b', explore: 'e', boards: 'o', status: 's' };
const parts = { browse: Browse, explore: Explore, boards: Boards, status: Status };

export function App() {
  const [hash, go] = useHash();
  const [help, setHelp] = useState(false);
  const presence = usePresence();
  const view = viewOf(hash);
  const utc = isUTC(hash);
  const last = useRef<Partial<Record<ViewName, string>>>({}); // what each view showed when it was left
  last.current[view] = hash;
  const to = (other: ViewName): string => withUTC(last.current[other] ?? hashOf(other, new URLSearchParams()), utc);
  useEffect(() => {
    document.title = `${titles[view]} · metricd`;
  }, [view]);
  useKeys([
    { keys: ['?'], label: '?', what: 'this sheet', act: () => setHelp(true) },
    ...views.map((other) => ({ keys: [keysOf[other]], label: keysOf[other], what: `to ${titles[other]}`, act: () => go(to(other)) })),
    { keys: ['u'], label: 'u', what: 'local times or UTC', act: () => go(withUTC(hash, !utc)) },
  ]);
  const View = parts[view];
  return (
    <>
      <header class="top">
        <h1>metricd</h1>
        <nav aria-label="views">
          {views.map((other) => (
            <a
              key={other}
              href={to(other)}
              aria-current={other === view ? 'page' : undefined}
              title={`${titles[other]} (${keysOf[other]})`}
            >
              {titles[other]}
            </a>
          ))}
        </nav>
        <label>
          Times{' '}
          <select value={utc ? 'utc' : 'local'} onChange={(event) => go(withUTC(hash, event.currentTarget.value === 'utc'))}>
            <option value="local">local</option>
            <option value="utc">UTC</option>
          </select>
        </label>
        <ThemeSwitch />
        <button onClick={() => setHelp(true)} title="keys (?)" aria-label="help">
          ?
        </button>
      </header>
      <Banner presence={presence} />
      <main>
        <View key={view} hash={hash} go={go} returns={presence.returns} />
      </main>
      {help && <Help close={() => setHelp(false)} />}
    </>
  );
}

/** Banner says what is wrong with the server. A screen reader reads it when it changes. */
function Banner({ presence: { state, words } }: { presence: Presence }) {
  const text = {
    there: '',
    readonly: `The server takes no samples for now: ${words}`,
    opening: 'The server is reading what it has stored. The page goes on when that is done.',
    away: 'The server does not answer. The page goes on when it is back.',
  }[state];
  return (
    <div class="banner" role="status" hidden={text === ''}>
      {text}
    </div>
  );
}

function ThemeSwitch() {
  const [theme, choose] = useState(savedTheme);
  return (
    <label class="theme">
      Colours{' '}
      <select
        value={theme}
        onChange={(event) => {
          const chosen = event.currentTarget.value as Theme;
          setTheme(chosen);
          choose(chosen);
        }}
      >
        <option value="system">system</option>
        <option value="light">light</option>
        <option value="dark">dark</option>
      </select>
    </label>
  );
}
