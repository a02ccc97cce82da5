import type { ComponentPropsWithoutRef } from "react";
import classes from "./Chip.module.css";

export type Tone = "muted" | "info" | "accent" | "good" | "warn" | "bad";

interface Props extends ComponentPropsWithoutRef<"span"> {
  tone?: Tone;
  /** For what one looks for first. */
  strong?: boolean;
}

/** A word or two on what something is. */
export function Chip({ tone = "muted", strong = false, ...rest }: Props) {
  return <span className={classes.chip} data-tone={tone} data-strong={strong || undefined} {...rest} />;
}
