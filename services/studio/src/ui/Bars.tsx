// Some names and how many of each: a bar for every one.
import { useFormat } from "../lib/format";
import classes from "./Bars.module.css";

interface Props {
  counts: [string, number][];
  nameOf?: (name: string) => string;
  /** What the shares are of; the sum of all without it. */
  whole?: number;
}

export function Bars({ counts, nameOf = (name) => name, whole }: Props) {
  const format = useFormat();
  const sum = whole ?? counts.reduce((total, [, count]) => total + count, 0);
  return (
    <ul className={`k-list k-numbers ${classes.bars}`}>
      {counts.map(([name, count]) => {
        const percent = sum === 0 ? 0 : (100 * count) / sum;
        return (
          <li key={name}>
            <bdi className={classes.name}>{nameOf(name)}</bdi>
            <span className={classes.track} aria-hidden>
              <i style={{ width: `${percent}%` }} />
            </span>
            <span className={classes.count}>
              {format.number(count)} · {format.percent(percent, percent < 10 ? 1 : 0)}
            </span>
          </li>
        );
      })}
    </ul>
  );
}
