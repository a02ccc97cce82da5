import type { ReactNode } from "react";
import classes from "./Figures.module.css";

interface Props {
  /** Each with its name; one without a value is left out. */
  figures: [string, ReactNode][];
  /** Some are texts, which are longer than numbers are. */
  texts?: boolean;
}

/** What is known of something, a card for each. */
export function Figures({ figures, texts = false }: Props) {
  const known = figures.filter(([, value]) => Boolean(value));
  if (known.length === 0) return null;
  return (
    <dl className={`${classes.figures} k-numbers`} data-texts={texts || undefined}>
      {known.map(([name, value]) => (
        <div key={name} className="k-card">
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
