import type { ReactNode } from "react";
import classes from "./Chip.module.css";

interface Props {
  tone?: "muted" | "accent" | "good" | "warn" | "bad";
  children: ReactNode;
}

/** A word or two on what something is. */
export function Chip({ tone = "muted", children }: Props) {
  return (
    <span className={classes.chip} data-tone={tone}>
      {children}
    </span>
  );
}
