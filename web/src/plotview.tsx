// A plot in the page.

import { useEffect, useRef, useState } from 'preact/hooks';
import { Plot, type Handlers, type Look } from './plot';
import { isDark, onTheme } from './theme';

/** PlotView shows a plot. What an axis is made of makes a new one; all else is drawn into that which is there. */
export function PlotView({ look, handlers, label }: { look: Look; handlers: Handlers; label: string }) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<Plot>(undefined);
  const latest = useRef(handlers);
  latest.current = handlers;
  const dark = useDark();
  useEffect(() => {
    if (!place.current) {
      return undefined;
    }
    const made = new Plot(place.current, look, {
      zoom: (from, to) => latest.current.zoom(from, to),
      back: () => latest.current.back(),
      cursor: (time) => latest.current.cursor(time),
    });
    plot.current = made;
    return () => {
      plot.current = undefined;
      made.destroy();
    };
  }, [look.log, look.unit, look.utc, dark]);
  useEffect(() => plot.current?.show(look), [look]);
  return <div class="plot" role="img" aria-label={label} ref={place} />;
}

/** useDark says whether the page is dark, and goes with changes. */
export function useDark(): boolean {
  const [dark, setDark] = useState(isDark());
  useEffect(() => onTheme(() => setDark(isDark())), []);
  return dark;
}
