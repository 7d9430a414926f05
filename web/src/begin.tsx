// What there is before a query was typed: queries of the past, and some of what there is.

import { useEffect, useState } from 'preact/hooks';
import { remembered } from './store';
import { examples } from './suggest';

const mostPast = 5;

export function Begin({ choose }: { choose: (text: string) => void }) {
  const past = remembered().slice(0, mostPast);
  const [some, setSome] = useState<string[]>([]);
  useEffect(() => {
    const mine = new AbortController();
    examples(mine.signal).then(setSome, () => undefined);
    return () => mine.abort();
  }, []);
  return (
    <div class="begin">
      <p>
        Type the name of a metric, or find one in <a href="#browse">Browse</a>.
      </p>
      <Choices title="Of the past" texts={past} choose={choose} />
      <Choices title="For example" texts={some.filter((text) => !past.includes(text))} choose={choose} />
    </div>
  );
}

function Choices({ title, texts, choose }: { title: string; texts: readonly string[]; choose: (text: string) => void }) {
  return texts.length === 0 ? null : (
    <div class="choices" role="group" aria-label={title}>
      <span class="dim">{title}</span>
      {texts.map((text) => (
        <button key={text} class="code" onClick={() => choose(text)}>
          {text}
        </button>
      ))}
    </div>
  );
}
