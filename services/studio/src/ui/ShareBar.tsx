// What a whole is made of: one bar in pieces, largest first, with the share of each.
import type { CSSProperties } from "react";
import { useFormat } from "../lib/format";
import classes from "./ShareBar.module.css";

const COLORS = 6;

interface Props {
  shares: Record<string, number>;
  nameOf: (name: string) => string;
  label: string;
  /** Names whose colours are to be the same wherever they are shown. */
  order?: readonly string[];
}

export function ShareBar({ shares, nameOf, label, order = [] }: Props) {
  const format = useFormat();
  const whole = Object.values(shares).reduce((sum, count) => sum + count, 0);
  if (whole === 0) return null;
  const parts = Object.entries(shares)
    .filter(([, count]) => count > 0)
    .sort(([, one], [, other]) => other - one)
    .map(([name, count], place) => ({
      name,
      percent: (100 * count) / whole,
      style: colorOf(order.includes(name) ? order.indexOf(name) : place),
    }));
  return (
    <div>
      <div className={classes.bar} aria-hidden>
        {parts.map(({ name, percent, style }) => (
          <i key={name} style={{ ...style, width: `${percent}%` }} />
        ))}
      </div>
      <ul className={`k-list k-numbers ${classes.legend}`} aria-label={label}>
        {parts.map(({ name, percent, style }) => (
          <li key={name}>
            <i style={style} aria-hidden />
            <bdi>{nameOf(name)}</bdi> {format.percent(percent, percent < 10 ? 1 : 0)}
          </li>
        ))}
      </ul>
    </div>
  );
}

function colorOf(place: number): CSSProperties {
  return { "--share-color": `var(--k-series-${(place % COLORS) + 1})` } as CSSProperties;
}
