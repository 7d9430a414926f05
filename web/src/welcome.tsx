// What there is to see while there are no samples yet: how to send some.

import { useEffect, useState } from 'preact/hooks';
import { isRecord, look, lookPage } from './api';
import { useTicks } from './running';
import { copy } from './share';
import { levelOf } from './tree';
import { waysOf, type Way } from './ways';

/** Welcome looks every second whether a sample came, and says so once. */
export function Welcome({ arrived }: { arrived: () => void }) {
  const [line, setLine] = useState('');
  useEffect(() => {
    look('status/runtimeinfo', []).then(
      ({ data }) => setLine(isRecord(data) && typeof data['lineAddress'] === 'string' ? data['lineAddress'] : ''),
      () => undefined,
    );
  }, []);
  const tick = useTicks(1000);
  useEffect(() => {
    lookPage('browse', [['limit', '1']]).then(
      ({ data }) => levelOf(data).children.length > 0 && arrived(),
      () => undefined,
    );
  }, [tick]);
  return (
    <section class="welcome">
      <h2>No samples yet</h2>
      <p>Send one in any of these ways. This page shows it as soon as it arrives.</p>
      {waysOf(line, location).map((way) => (
        <WayToSend key={way.title} way={way} />
      ))}
      <p class="dim" role="status">
        Waiting for the first sample…
      </p>
    </section>
  );
}

function WayToSend({ way }: { way: Way }) {
  const [said, setSaid] = useState('');
  return (
    <section>
      <h3>{way.title}</h3>
      <div class="command">
        <pre tabIndex={0} aria-label={way.title}>{way.command}</pre>
        <button aria-label={`copy: ${way.title}`} onClick={() => void copy(way.command).then((done) => setSaid(done ? 'Copied' : 'The browser does not allow it'))}>
          {said || 'Copy'}
        </button>
      </div>
    </section>
  );
}
