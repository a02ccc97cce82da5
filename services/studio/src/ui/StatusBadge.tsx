// A job's state in a word and a colour; the wish that it has not got yet beside it.
import { useTranslation } from "react-i18next";
import { useAsked } from "../api/asked";
import type { Job } from "../api/client";
import { isLive, wishOf } from "../lib/wishes";
import { Chip, type Tone } from "./Chip";
import classes from "./StatusBadge.module.css";

const TONES: Record<Job["status"], Tone> = {
  pending: "info",
  preparing: "accent",
  training: "accent",
  evaluating: "accent",
  paused: "warn",
  completed: "good",
  error: "bad",
  cancelled: "muted",
};

/** `training` is what jobs of every kind do while they work; only a training is told so. */
function wordOf({ status, kind }: Pick<Job, "status" | "kind">): string {
  return status === "training" && kind !== "train" ? "running" : status;
}

export function StatusBadge({ job }: { job: Pick<Job, "id" | "status" | "desired" | "kind"> }) {
  const { t } = useTranslation();
  const wish = wishOf(job, useAsked(job.id));
  return (
    <Chip strong tone={TONES[job.status]} data-status={job.status}>
      <span className={classes.dot} data-live={isLive(job.status) || undefined} aria-hidden />
      {t(`status.${wordOf(job)}`)}
      {wish && <span className={classes.wish}>· {t(`wish.${wish}`)}</span>}
    </Chip>
  );
}

export function hasEnded(status: Job["status"]): boolean {
  return status === "completed" || status === "error" || status === "cancelled";
}
