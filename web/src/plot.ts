// A plot: uPlot with its axes, cursor and selection, and our lines on its canvas.

import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { bounds, drawLine, type Line } from './draw';
import type { Span } from './range';
import { color } from './theme';
import { touchAsMouse } from './touch';
import { tickLabels } from './times';
import { format, tickSteps, type Unit } from './units';
import type { Style } from './url';

/** Look is all that a plot shows. */
export interface Look {
  span: Span;
  lines: Line[];
  unit: Unit;
  style: Style;
  log: boolean;
  zero: boolean;
  utc: boolean;
}

/** Handlers are told what the pointer does. */
export interface Handlers {
  zoom: (from: number, to: number) => void; // ms; a part was selected
  back: () => void; // double click
  cursor: (time: number | undefined) => void; // ms; undefined: it left
}

/** Plots with the same key move their cursors together. */
const linked = 'metricd';

/** Plot draws into an element until destroy. */
export class Plot {
  private readonly chart: uPlot;
  private readonly resized: ResizeObserver;

  constructor(
    element: HTMLElement,
    private look: Look,
    private readonly handlers: Handlers,
  ) {
    const size = (): Pick<uPlot.Options, 'width' | 'height'> => ({ width: Math.max(element.clientWidth, 100), height: Math.max(element.clientHeight, 100) }); // the style sheet's
    this.chart = new uPlot(this.options(size()), this.data(), element);
    this.resized = new ResizeObserver(() => this.chart.setSize(size()));
    this.resized.observe(element);
    touchAsMouse(this.chart.over);
  }

  /** show draws something else, the axes anew if it needs others. */
  show(look: Look): void {
    this.look = look;
    this.chart.setData(this.data());
  }

  destroy(): void {
    this.resized.disconnect();
    this.chart.destroy();
  }

  /** data are two points without values: uPlot wants some. */
  private data(): uPlot.AlignedData {
    return [
      [this.look.span.from / 1000, this.look.span.to / 1000],
      [null, null],
    ];
  }

  private options(size: Pick<uPlot.Options, 'width' | 'height'>): uPlot.Options {
    return {
      ...size,
      legend: { show: false },
      pxAlign: 0,
      padding: [8, 44, 0, 0], // so that half of the last time has room
      tzDate: (time) => (this.look.utc ? uPlot.tzDate(new Date(time * 1000), 'Etc/UTC') : new Date(time * 1000)),
      scales: {
        x: { time: true, range: () => [this.look.span.from / 1000, this.look.span.to / 1000] },
        y: { distr: this.look.log ? 3 : 1, range: () => this.range() },
      },
      series: [{}, { paths: () => null, points: { show: false } }],
      axes: this.axes(),
      cursor: {
        drag: { x: true, y: false, setScale: false },
        y: false,
        points: { show: false },
        sync: { key: linked, scales: ['x', null] },
        bind: {
          dblclick: () => () => {
            this.handlers.back();
            return null;
          },
        },
      },
      hooks: {
        draw: [(chart) => this.draw(chart)],
        setSelect: [(chart) => this.select(chart)],
        setCursor: [(chart) => this.moved(chart)],
      },
    };
  }

  private axes(): uPlot.Axis[] {
    const steps = tickSteps(this.look.unit);
    const common = { stroke: color('dim'), grid: { stroke: color('grid'), width: 1 }, ticks: { show: false }, font: '12px system-ui, sans-serif' };
    return [
      { ...common, space: 90, values: (_, ticks, __, ___, apart) => tickLabels(ticks.map((tick) => tick * 1000), apart * 1000, this.look.utc) },
      {
        ...common,
        values: (_, ticks) => ticks.map((tick) => (tick === null ? '' : format(tick, this.look.unit, 6))),
        // Six characters at least, so that most plots begin at the same place.
        size: (_, labels) => 16 + 7 * Math.max(6, ...(labels ?? []).map((label) => label.length)),
        ...(steps && !this.look.log && { incrs: steps }),
      },
    ];
  }

  /** range is that of the axis of values: of what is drawn, with some room. */
  private range(): [number, number] {
    const { log, zero, span } = this.look;
    const found = bounds(this.look.lines.map((line) => line.series), log, span.from, span.to);
    if (log) {
      return uPlot.rangeLog(found?.[0] ?? 1, found?.[1] ?? 10, 10, true) as [number, number];
    }
    let [least, most] = found ?? [0, 1];
    if (zero) {
      [least, most] = [Math.min(least, 0), Math.max(most, 0)];
    }
    const room = (most - least) * 0.06 || Math.abs(most) * 0.1 || 1;
    return [zero && least === 0 ? 0 : least - room, zero && most === 0 ? 0 : most + room];
  }

  private draw(chart: uPlot): void {
    const { ctx, bbox } = chart;
    const { span, lines, style, log } = this.look;
    const frame = {
      from: span.from,
      to: span.to,
      left: bbox.left,
      width: bbox.width,
      y: (value: number) => chart.valToPos(value, 'y', true),
      log,
      ratio: uPlot.pxRatio,
    };
    ctx.save();
    ctx.beginPath();
    // A little more than the plot: points at its edge are whole.
    ctx.rect(bbox.left - 3 * frame.ratio, bbox.top - 3 * frame.ratio, bbox.width + 6 * frame.ratio, bbox.height + 6 * frame.ratio);
    ctx.clip();
    lines.forEach((line) => drawLine(ctx, line, frame, style));
    ctx.restore();
  }

  private select(chart: uPlot): void {
    const { left, width } = chart.select;
    if (width < 4) {
      return;
    }
    chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.handlers.zoom(chart.posToVal(left, 'x') * 1000, chart.posToVal(left + width, 'x') * 1000);
  }

  private moved(chart: uPlot): void {
    const { left } = chart.cursor;
    this.handlers.cursor(left === undefined || left < 0 ? undefined : chart.posToVal(left, 'x') * 1000);
  }
}
