// The attempts of a job as bars on one line of time: who had it, how each ended, and what was done again.
import { Text, Tooltip } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Job, Schemas } from "../../api/client";
import { serverNow } from "../../lib/clock";
import { jobFailure } from "../../lib/failures";
import { useFormat } from "../../lib/format";
import { FailureLine } from "../../ui/ProblemDetail";
import classes from "./Attempts.module.css";

type Attempt = Schemas["AttemptView"];

export function Attempts({ job, attempts }: { job: Job; attempts: Attempt[] }) {
  const { t } = useTranslation("job");
  const format = useFormat();
  const ordered = [...attempts].reverse();
  const lost = attempts.reduce((sum, attempt) => sum + (attempt.stepsLost ?? 0), 0);
  return (
    <section className={`k-card ${classes.box}`}>
      <Text fw={600}>{t("timeline.attempts", { count: attempts.length, number: format.number(attempts.length) })}</Text>
      <Text size="sm" c="dimmed">
        {t(lost === 0 ? "timeline.nothingLost" : "timeline.lost", { steps: format.number(lost) })}{" "}
        <Record record={recordOf(job)} />
      </Text>
      <div className={classes.line} dir="ltr">
        {places(ordered).map(({ attempt, start, width }) => (
          <Bar key={attempt.attempt} attempt={attempt} start={start} width={width} />
        ))}
      </div>
      <ol className={classes.list}>
        {ordered.map((attempt) => (
          <li key={attempt.attempt}>
            <Told attempt={attempt} />
          </li>
        ))}
      </ol>
    </section>
  );
}

function Bar({ attempt, start, width }: { attempt: Attempt; start: number; width: number }) {
  return (
    <Tooltip label={<Told attempt={attempt} />}>
      <span
        className={classes.bar}
        data-tone={toneOf(attempt)}
        style={{ left: `${start}%`, width: `max(4px, ${width}%)` }}
      />
    </Tooltip>
  );
}

function Told({ attempt }: { attempt: Attempt }) {
  const { t } = useTranslation("job");
  const format = useFormat();
  const ended = attempt.outcome
    ? t(`timeline.outcomes.${attempt.outcome}`, { defaultValue: attempt.outcome })
    : t("timeline.running");
  const steps = attempt.stepsLost ?? 0;
  return (
    <>
      <bdi className="k-mono">{attempt.worker}</bdi> · {ended} · {format.duration(seconds(attempt))}
      {(attempt.resumedStep ?? 0) > 0 && (
        <> · {t("timeline.from", { step: format.number(attempt.resumedStep ?? 0) })}</>
      )}
      {steps > 0 && <> · {t("timeline.again", { steps: format.number(steps) })}</>}
      {attempt.error && (
        <>
          {" "}
          · <FailureLine failure={jobFailure(attempt.error)} />
        </>
      )}
    </>
  );
}

interface ResumeRecord {
  redoneIdentical: boolean | null;
  lossesContinuous: boolean | null;
}

function recordOf(job: Job): ResumeRecord | null {
  const resume = job.result?.resume;
  return typeof resume === "object" && resume !== null ? (resume as ResumeRecord) : null;
}

/** Whether what was done again came out the same, as the finished job tells. */
function Record({ record }: { record: ResumeRecord | null }) {
  const { t } = useTranslation("job");
  if (record?.redoneIdentical === true) return <>{t("timeline.same")}</>;
  if (record?.redoneIdentical === false) return <>{t("timeline.notSame")}</>;
  return null;
}

function toneOf(attempt: Attempt): string {
  if (["lost", "failed", "crashed"].includes(attempt.outcome ?? "")) return "bad";
  if (attempt.outcome === "paused" || attempt.outcome === "drained") return "warn";
  return attempt.outcome === "cancelled" ? "muted" : "good";
}

function seconds({ startedAt, endedAt }: Attempt): number {
  return ((endedAt ? Date.parse(endedAt) : serverNow()) - Date.parse(startedAt)) / 1000;
}

/** Each attempt's place on the line, in percent of the time from the first start to the last end. */
function places(attempts: Attempt[]): { attempt: Attempt; start: number; width: number }[] {
  const [first] = attempts;
  if (first === undefined) return [];
  const began = Date.parse(first.startedAt);
  const whole = Math.max(...attempts.map((one) => Date.parse(one.startedAt) + 1000 * seconds(one))) - began || 1;
  return attempts.map((attempt) => ({
    attempt,
    start: (100 * (Date.parse(attempt.startedAt) - began)) / whole,
    width: (100_000 * seconds(attempt)) / whole,
  }));
}
