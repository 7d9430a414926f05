// Lines and points of a plot on its canvas. uPlot draws the axes; the lines are drawn here, since each series has times of its own and a common
// list of times, as uPlot wants it, would be as long as all of them together.

import { firstFrom, type Series } from './series';
import type { Style } from './url';

/** Samples are what of a series its line is made of. */
type Samples = Pick<Series, 'times' | 'values' | 'gaps'>;

/** Line is a series as it is to be drawn. */
export interface Line {
  series: Series;
  color: string;
  dashed: boolean;
  faint: boolean; // another one is pointed at
}

/** Frame turns times and values into places on the canvas, in its pixels. */
export interface Frame {
  from: number; // ms, at left
  to: number;
  left: number;
  width: number;
  y: (value: number) => number;
  log: boolean;
  ratio: number; // pixels of the canvas a pixel of the page
}

/** Above so many samples a pixel a column is drawn as its first, lowest, highest and last one. */
const crowded = 4;

/** Below so many samples in 16 pixels of width points are drawn, too, where the style leaves that open. */
const sparse = 1;

/** drawLine draws one line, or its points, or both. */
export function drawLine(context: CanvasRenderingContext2D, line: Line, frame: Frame, style: Style): void {
  const series = line.series.around ?? line.series;
  const first = Math.max(0, firstFrom(series.times, frame.from) - 1);
  const last = Math.min(series.times.length, firstFrom(series.times, frame.to) + 1);
  if (first >= last) {
    return;
  }
  context.save();
  context.globalAlpha = line.faint ? 0.2 : 1;
  context.strokeStyle = context.fillStyle = line.color;
  context.lineWidth = 1.5 * frame.ratio;
  context.lineJoin = 'round';
  if (line.dashed) {
    context.setLineDash([5 * frame.ratio, 3 * frame.ratio]);
  }
  const pen = new Pen(context, frame);
  const perPixel = (last - first) / Math.max(1, frame.width / frame.ratio);
  if (style !== 'points') {
    context.beginPath();
    (perPixel > crowded ? crowdedPath : path)(pen, series, first, last, frame);
    context.stroke();
  }
  if (style === 'points' || (style === 'auto' && perPixel * 16 < sparse)) {
    context.beginPath();
    for (let i = first; i < last; i++) {
      pen.dot(series.times[i] ?? NaN, series.values[i] ?? NaN);
    }
    context.fill();
  } else {
    context.beginPath();
    alone(pen, series, first, last, frame.log);
    context.fill();
  }
  context.restore();
}

/** isDrawn says whether a value has a place on the axis. */
export function isDrawn(value: number, log: boolean): boolean {
  return Number.isFinite(value) && (!log || value > 0);
}

/** Pen writes samples into the path that was begun. */
class Pen {
  constructor(
    private readonly context: CanvasRenderingContext2D,
    private readonly frame: Frame,
  ) {}

  x(time: number): number {
    const { from, to, left, width } = this.frame;
    return left + ((time - from) / (to - from)) * width;
  }

  move(time: number, value: number): void {
    this.context.moveTo(this.x(time), this.frame.y(value));
  }

  draw(time: number, value: number): void {
    this.context.lineTo(this.x(time), this.frame.y(value));
  }

  dot(time: number, value: number): void {
    if (isDrawn(value, this.frame.log)) {
      const x = this.x(time);
      const y = this.frame.y(value);
      const radius = 2 * this.frame.ratio;
      this.context.moveTo(x + radius, y);
      this.context.arc(x, y, radius, 0, 2 * Math.PI);
    }
  }
}

/** path joins the samples from first to before last, but not over gaps. */
function path(pen: Pen, series: Samples, first: number, last: number, frame: Frame): void {
  let joined = false;
  for (let i = first; i < last; i++) {
    const value = series.values[i] ?? NaN;
    if (!isDrawn(value, frame.log)) {
      joined = false;
      continue;
    }
    if (joined && series.gaps[i] === 0) {
      pen.draw(series.times[i] ?? NaN, value);
    } else {
      pen.move(series.times[i] ?? NaN, value);
    }
    joined = true;
  }
}

/** crowdedPath is path for more samples than can be told apart: of each column of pixels, those that reach furthest. */
function crowdedPath(pen: Pen, series: Samples, first: number, last: number, frame: Frame): void {
  const column = (frame.to - frame.from) / Math.max(1, frame.width);
  let joined = false;
  for (let i = first; i < last; ) {
    const end = columnEnd(series, i, last, column, frame.log);
    const value = series.values[i] ?? NaN;
    if (!isDrawn(value, frame.log)) {
      joined = false;
      i++;
      continue;
    }
    let least = i;
    let most = i;
    for (let k = i; k < end; k++) {
      least = (series.values[k] ?? 0) < (series.values[least] ?? 0) ? k : least;
      most = (series.values[k] ?? 0) > (series.values[most] ?? 0) ? k : most;
    }
    for (const k of [i, Math.min(least, most), Math.max(least, most), end - 1]) {
      if (joined && (k > i || series.gaps[i] === 0)) {
        pen.draw(series.times[k] ?? NaN, series.values[k] ?? NaN);
      } else {
        pen.move(series.times[k] ?? NaN, series.values[k] ?? NaN);
      }
      joined = true;
    }
    i = end;
  }
}

/** columnEnd returns where a run ends that has one column of pixels, no gap, and nothing that can't be drawn. */
function columnEnd(series: Samples, start: number, last: number, column: number, log: boolean): number {
  const until = (series.times[start] ?? 0) + column;
  let end = start + 1;
  while (end < last && (series.times[end] ?? 0) < until && series.gaps[end] === 0 && isDrawn(series.values[end] ?? NaN, log)) {
    end++;
  }
  return end;
}

/** alone draws the samples that no line leads to: without a dot they would not be seen. */
function alone(pen: Pen, series: Samples, first: number, last: number, log: boolean): void {
  const joined = (i: number): boolean =>
    i > 0 && i < series.times.length && series.gaps[i] === 0 && isDrawn(series.values[i] ?? NaN, log) && isDrawn(series.values[i - 1] ?? NaN, log);
  for (let i = first; i < last; i++) {
    if (!joined(i) && !joined(i + 1)) {
      pen.dot(series.times[i] ?? NaN, series.values[i] ?? NaN);
    }
  }
}

/** bounds returns the least and the greatest value that is drawn from one time to another; undefined if there is none. */
export function bounds(all: readonly Series[], log: boolean, from: number, to: number): [number, number] | undefined {
  let least = Infinity;
  let most = -Infinity;
  const take = (value: number): void => {
    if (isDrawn(value, log)) {
      least = value < least ? value : least;
      most = value > most ? value : most;
    }
  };
  for (const series of all) {
    series.values.forEach(take);
    if (series.around && series.values.length > 0) {
      take(crossing(series.around, from));
      take(crossing(series.around, to));
    }
  }
  return least <= most ? [least, most] : undefined;
}

/** crossing is the value of a line at a time; NaN where there is no line. */
function crossing({ times, values, gaps }: Samples, time: number): number {
  const after = firstFrom(times, time);
  const before = after - 1;
  if (before < 0 || after >= times.length || gaps[after] === 1) {
    return NaN;
  }
  const part = (time - (times[before] ?? NaN)) / ((times[after] ?? NaN) - (times[before] ?? NaN));
  return (values[before] ?? NaN) * (1 - part) + (values[after] ?? NaN) * part;
}
