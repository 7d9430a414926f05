// The result of a query as a table, and as what the server sent.

import type { Outcome } from './query';
import { summarize, type Series } from './series';
import { formatTime } from './times';
import { format, type Unit } from './units';
import { Name } from './legend';

interface Props {
  series: readonly Series[];
  unit: Unit;
  utc: boolean;
  filter: (label: string, value: string) => void;
}

export function Table({ series, unit, utc, filter }: Props) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="table of series">
      <table class="values">
        <thead>
          <tr>
            {['Series', 'Samples', 'First', 'Least', 'Mean', 'Most', 'Last', 'At'].map((title) => (
              <th key={title} scope="col">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {series.map((one) => {
            const sum = summarize(one);
            return (
              <tr key={one.name}>
                <th scope="row" class="name">
                  <Name series={one} filter={filter} />
                </th>
                <td>{format(sum.count, 'none')}</td>
                {[sum.first, sum.least, sum.mean, sum.most, sum.last].map((value, i) => (
                  <td key={i}>{format(value, unit, 6)}</td>
                ))}
                <td>{formatTime(sum.lastTime, utc)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

/** The characters of an answer that are shown at most. */
const mostShown = 200_000;

export function Json({ outcome }: { outcome: Outcome }) {
  return (
    <div class="json">
      {outcome.answers.map((answer, i) => (
        <section key={i}>
          <h3>
            /api/v1/{answer.path} <span class="dim">{answer.params.map(([name, value]) => `${name}=${value}`).join('  ')}</span>
          </h3>
          <pre tabIndex={0}>{answer.text.slice(0, mostShown)}</pre>
          {answer.text.length > mostShown && (
            <p class="dim">
              The first {format(mostShown, 'none')} of {format(answer.text.length, 'none')} characters.
            </p>
          )}
        </section>
      ))}
    </div>
  );
}
