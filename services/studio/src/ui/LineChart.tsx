// Curves over steps on one canvas (uPlot): a hundred thousand points stay smooth. Always left to right.
import { useComputedColorScheme } from "@mantine/core";
import { useEffect, useMemo, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { useFormat } from "../lib/format";
import classes from "./LineChart.module.css";

export interface Curve {
  label: string;
  /** Steps, ascending, and the value at each. */
  steps: ArrayLike<number>;
  values: ArrayLike<number>;
  /** 1 to 6, a colour of the tokens. */
  color: number;
  /** Drawn pale, behind another. */
  faint?: boolean;
  /** Points with a line between, for few values. */
  dots?: boolean;
}

/** A step worth a vertical line. */
export interface Mark {
  step: number;
  label: string;
}

interface Props {
  label: string;
  curves: Curve[];
  marks?: Mark[];
  logarithmic?: boolean;
  height?: number;
  /** How a value reads: a figure, by default. */
  read?: (value: number) => string;
  /** What the steps are called. */
  stepLabel: string;
  /** The chosen range of steps; null shows all, and follows. */
  range: [number, number] | null;
  onRange: (range: [number, number] | null) => void;
}

export function LineChart(props: Props) {
  const { label, curves, logarithmic = false, height = 240, marks = [], range } = props;
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const format = useFormat();
  const read = props.read ?? format.figure;
  const scheme = useComputedColorScheme("light");
  const data = useMemo(() => table(curves), [curves]);
  const shape = curves.map(({ label: name, color, faint, dots }) => `${name}:${color}:${faint}:${dots}`).join("|");
  const markKey = marks.map((mark) => `${mark.step}${mark.label}`).join("|");

  // biome-ignore lint/correctness/useExhaustiveDependencies: data and range are set below, without a new chart
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const options = optionsOf(latest, format.figure, read, logarithmic, element.clientWidth, height);
    const chart = new uPlot(options, data, element);
    plot.current = chart;
    const observer = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      chart.destroy();
      plot.current = null;
    };
  }, [shape, markKey, scheme, logarithmic, height, format]);

  useEffect(() => {
    const chart = plot.current;
    if (chart === null) return;
    chart.setData(data, range === null);
    if (range !== null) chart.setScale("x", { min: range[0], max: range[1] });
  }, [data, range]);

  return <div ref={place} dir="ltr" className={classes.chart} role="img" aria-label={summary(label, curves, read)} />;
}

/** What the chart shows, in a sentence, for those who do not see it. */
function summary(label: string, curves: Curve[], figure: (value: number) => string): string {
  const told = curves
    .filter((curve) => !curve.faint && curve.values.length > 0)
    .map(
      (curve) =>
        `${curve.label}: ${figure(curve.values[0] ?? 0)} → ${figure(curve.values[curve.values.length - 1] ?? 0)}`,
    );
  return [label, ...told].join(". ");
}

/** All curves over the union of their steps, as uPlot wants them. */
export function table(curves: Curve[]): uPlot.AlignedData {
  if (curves.length === 0) return [[]];
  const tables = curves.map((curve) => [curve.steps, curve.values] as unknown as uPlot.AlignedData);
  return tables.length === 1 ? (tables[0] as uPlot.AlignedData) : uPlot.join(tables);
}

function optionsOf(
  latest: { current: Props },
  figure: (value: number) => string,
  read: (value: number) => string,
  logarithmic: boolean,
  width: number,
  height: number,
): uPlot.Options {
  const { curves, marks = [] } = latest.current;
  const style = getComputedStyle(document.documentElement);
  const token = (name: string) => style.getPropertyValue(name).trim();
  const axis = {
    stroke: token("--k-muted"),
    grid: { stroke: token("--k-line"), width: 1 },
    ticks: { show: false },
    font: "12px 'Vazirmatn Variable'",
  };
  return {
    width,
    height,
    scales: { x: { time: false }, y: logarithmic ? { distr: 3 } : {} },
    axes: [
      { ...axis, values: (_plot, splits) => splits.map((step) => figure(step)) },
      { ...axis, size: 64, values: (_plot, splits) => splits.map((value) => (value == null ? "" : read(value))) },
    ],
    legend: { live: true },
    cursor: { drag: { x: true, y: false }, focus: { prox: 16 } },
    series: [
      { label: latest.current.stepLabel, value: (_plot, step) => (step == null ? "–" : figure(step)) },
      ...curves.map((curve) => seriesOf(curve, token, read)),
    ],
    hooks: {
      setSelect: [(chart) => select(chart, latest.current.onRange)],
      draw: [(chart) => drawMarks(chart, marks, token("--k-muted"))],
    },
  };
}

function seriesOf(curve: Curve, token: (name: string) => string, figure: (value: number) => string): uPlot.Series {
  const color = token(`--k-series-${curve.color}`);
  return {
    label: curve.label,
    stroke: curve.faint ? `color-mix(in srgb, ${color} 32%, transparent)` : color,
    width: curve.faint ? 1 : 2,
    spanGaps: true,
    points: { show: curve.dots === true || curve.values.length < 3, size: 6, fill: color },
    value: (_plot, value) => (value == null ? "–" : figure(value)),
  };
}

/** A drag over at least a few pixels is a zoom; uPlot's own double click goes back, and so does the button. */
function select(chart: uPlot, onRange: Props["onRange"]): void {
  const { left, width } = chart.select;
  if (width < 4) return;
  onRange([chart.posToVal(left, "x"), chart.posToVal(left + width, "x")]);
  chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
}

function drawMarks(chart: uPlot, marks: Mark[], color: string): void {
  const { ctx, bbox } = chart;
  ctx.save();
  ctx.strokeStyle = color;
  ctx.fillStyle = color;
  ctx.font = `${11 * devicePixelRatio}px 'Vazirmatn Variable'`;
  ctx.direction = "ltr";
  ctx.setLineDash([4, 4]);
  for (const mark of marks) {
    const x = chart.valToPos(mark.step, "x", true);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    const late = x > bbox.left + bbox.width / 2;
    ctx.textAlign = late ? "right" : "left";
    ctx.fillText(mark.label, late ? x - 4 : x + 4, bbox.top + 12 * devicePixelRatio);
  }
  ctx.restore();
}
