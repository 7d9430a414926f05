// Status: how the server is doing, by its own figures.

import { useEffect, useState } from 'preact/hooks';
import { isRecord, look, lookPage } from './api';
import { figures, type Figure } from './figures';
import { useKeys } from './keys';
import { formatDuration, parseDuration } from './range';
import { isUTC, type Go } from './route';
import { useQuery, useTicks } from './running';
import { formatTime } from './times';
import { Trend } from './trend';
import { format } from './units';
import { noState, toHash } from './url';

interface Props {
  hash: string;
  go: Go;
  returns: number; // of the server, see Presence
}

const refresh = 5000; // ms
const shown = { last: 900_000 }; // the range of the small plots
const inMemory = ':memory:'; // what --data says then
const step = 5000; // the server takes its own figures every 15 seconds: what is new is seen soon

export function Status({ hash, returns }: Props) {
  const [again, setAgain] = useState(0);
  const tick = useTicks(refresh);
  const about = useLatest(async () => aboutOf(await Promise.all([look('status/buildinfo', []), look('status/flags', []), look('status/runtimeinfo', [])]).then((all) => all.map(({ data }) => data))), again + returns);
  useKeys([{ keys: ['r'], label: 'r', what: 'look again', act: () => setAgain(again + 1) }]);
  const utc = isUTC(hash);
  const onDisk = about?.data !== '';
  return (
    <>
      <h2>Status</h2>
      {about && <Facts about={about} utc={utc} />}
      <p class="dim">Each with its last {formatDuration(shown.last)}. Its name leads to its plot.</p>
      <ul class="tiles">
        {figures
          .filter((figure) => onDisk || !figure.onDisk)
          .map((figure) => (
            <Tile key={figure.title} figure={figure} again={again + returns} tick={tick} utc={utc} />
          ))}
      </ul>
      <Busiest tick={tick} again={again + returns} />
    </>
  );
}

/** About is what does not change while the server runs. */
interface About {
  version: string;
  go: string;
  started: number; // ms
  retention: string; // as a duration; empty: for ever
  listen: string;
  data: string; // the directory; empty: in memory only
}

function aboutOf([build, flags, runtime]: unknown[]): About {
  const text = (value: unknown, name: string): string => (isRecord(value) && typeof value[name] === 'string' ? value[name] : '');
  const retention = parseDuration(text(flags, 'retention')) ?? 0;
  return {
    version: text(build, 'metricd'),
    go: text(build, 'goVersion'),
    started: Date.parse(text(runtime, 'startTime')),
    retention: retention > 0 ? formatDuration(retention) : '',
    listen: text(runtime, 'lineAddress'),
    data: text(flags, 'data') === inMemory ? '' : text(flags, 'data'),
  };
}

function Facts({ about, utc }: { about: About; utc: boolean }) {
  const facts: [string, string][] = [
    ['Version', `metricd ${about.version}, ${about.go}`],
    ['Running since', formatTime(Math.floor(about.started / 1000) * 1000, utc)],
    ['Retention', about.retention || 'samples are kept for ever'],
    ['Data', about.data || 'in memory only: gone when the server stops'],
    ['Line protocol', about.listen],
  ];
  return (
    <dl class="aboutserver">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Tile({ figure, again, tick, utc }: { figure: Figure; again: number; tick: number; utc: boolean }) {
  const { outcome, error } = useQuery(figure.query, shown, step, again, tick);
  const series = outcome?.series[0];
  const value = series?.values.at(-1);
  const explore = toHash({ ...noState, queries: [{ text: figure.query, unit: figure.unit, hidden: [], only: [] }], range: { last: 3_600_000 }, live: 10_000, utc });
  return (
    <li class="tile">
      <h3>
        <a href={explore} title="plot it in Explore">
          {figure.title}
        </a>
      </h3>
      <p class="figure">{error !== undefined ? '–' : value === undefined ? (outcome ? '–' : '…') : format(value, figure.unit, 3)}</p>
      <p class="hint dim">{error ?? figure.hint ?? ' '}</p>
      {series && outcome && <Trend series={series} span={outcome.span} fromZero={figure.unit === 'per second' || figure.unit === 'ratio'} />}
    </li>
  );
}

interface Busy {
  key: string;
  samples: number;
}

/** Busiest is a table of the series that got most samples in the second before. */
function Busiest({ tick, again }: { tick: number; again: number }) {
  const busy = useLatest(async () => busyOf((await lookPage('top', [['limit', '10']])).data), tick + again);
  return (
    <section>
      <h3 id="busiest">Busiest series</h3>
      {!busy || busy.length === 0 ? (
        <p class="dim">{busy ? 'No samples came in the last second.' : '…'}</p>
      ) : (
        <table class="values" aria-labelledby="busiest">
          <thead>
            <tr>
              <th scope="col">Series</th>
              <th scope="col">Samples in a second</th>
            </tr>
          </thead>
          <tbody>
            {busy.map(({ key, samples }) => (
              <tr key={key}>
                <th scope="row" class="name">
                  {key}
                </th>
                <td>{format(samples, 'none')}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function busyOf(data: unknown): Busy[] {
  const list: unknown[] = isRecord(data) && Array.isArray(data['series']) ? data['series'] : [];
  return list.flatMap((one) => (isRecord(one) && typeof one['key'] === 'string' ? [{ key: one['key'], samples: Number(one['samples']) }] : []));
}

/** useLatest asks when it is first called and when the key changes, one at a time; what came last stays. Errors are the banner's to tell. */
function useLatest<T>(get: () => Promise<T>, key: number): T | undefined {
  const [latest, setLatest] = useState<T>();
  const [busy] = useState({ now: false });
  useEffect(() => {
    if (busy.now) {
      return;
    }
    busy.now = true;
    get()
      .then(setLatest, () => undefined)
      .finally(() => (busy.now = false));
  }, [key]);
  return latest;
}
