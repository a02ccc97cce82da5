// Attempts and what happened in them, oldest first: a worker that was killed is there, and what it cost.
import { Stack, Text, Timeline } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import type { Job, Schemas } from "../../api/client";
import { attemptsQuery, happeningsQuery } from "../../api/jobs";
import { type Format, useFormat } from "../../lib/format";
import { Bones, Empty, Failed } from "../../ui/states";

type Attempt = Schemas["AttemptView"];
type Happening = Schemas["EventView"];

export function TimelineTab({ job }: { job: Job }) {
  const { t } = useTranslation("job");
  const attempts = useQuery(attemptsQuery(job.id));
  const happenings = useQuery(happeningsQuery(job.id));
  const error = attempts.error ?? happenings.error;
  if (error !== null) return <Failed error={error} />;
  if (attempts.data === undefined || happenings.data === undefined) return <Bones />;
  const told = happenings.data.items.filter(isTold);
  if (told.length === 0) return <Empty title={t("timeline.none")} />;
  return (
    <Stack gap="xl">
      {attempts.data.items.length > 1 && <Cost attempts={attempts.data.items} />}
      <Timeline bulletSize={14} lineWidth={2} active={told.length}>
        {told.map((event) => (
          <Timeline.Item key={event.number} title={<Title event={event} />} color={COLORS[toneOf(event)]}>
            <Details event={event} attempts={attempts.data.items} />
          </Timeline.Item>
        ))}
      </Timeline>
    </Stack>
  );
}

/** Samples have a tab of their own; that a newer checkpoint takes an older one's place is no news. */
function isTold(event: Happening): boolean {
  return event.type !== "sample" && !(event.type === "checkpoint_dropped" && event.data.reason === "superseded");
}

const COLORS = { good: "firouzeh", bad: "red", warn: "zaferan", plain: "gray" };

function toneOf(event: Happening): keyof typeof COLORS {
  const status = event.data.status;
  if (status === "error" || event.type === "checkpoint_failed") return "bad";
  if (status === "paused" || event.data.outcome === "lost" || event.type === "micro_batch_halved") return "warn";
  if (status === "completed" || event.type === "checkpoint") return "good";
  return "plain";
}

function Title({ event }: { event: Happening }) {
  const { t } = useTranslation("job");
  const format = useFormat();
  const step = typeof event.data.step === "number" ? format.number(event.data.step) : "";
  if (event.type === "status") return t(`common:status.${event.data.status}`);
  return t(`timeline.events.${event.type}`, { step, defaultValue: event.type });
}

function Details({ event, attempts }: { event: Happening; attempts: Attempt[] }) {
  const { t } = useTranslation("job");
  const format = useFormat();
  const reason = event.data.reason ?? event.data.message;
  const worker = attempts.find((attempt) => attempt.attempt === event.data.attempt)?.worker ?? event.data.worker;
  return (
    <Text size="sm" c="dimmed" component="div">
      <time dateTime={event.at}>{format.dateTime(event.at)}</time>
      {typeof worker === "string" && (
        <>
          {" "}
          · {t("timeline.worker")} <bdi>{worker}</bdi>
        </>
      )}
      {typeof reason === "string" &&
        (event.type === "checkpoint" ? (
          ` · ${t(`checkpoints.reasons.${reason}`, { defaultValue: reason })}`
        ) : (
          <div dir="ltr" className="k-plain">
            {reason}
          </div>
        ))}
    </Text>
  );
}

/** What the interruptions cost: steps done again, and who had it. */
function Cost({ attempts }: { attempts: Attempt[] }) {
  const { t } = useTranslation("job");
  const format = useFormat();
  const lost = attempts.reduce((sum, attempt) => sum + (attempt.stepsLost ?? 0), 0);
  return (
    <div>
      <Text fw={600}>{t("timeline.attempts", { count: attempts.length, number: format.number(attempts.length) })}</Text>
      <Text size="sm" c="dimmed" mb="sm">
        {t(lost === 0 ? "timeline.nothingLost" : "timeline.lost", { steps: format.number(lost) })}
      </Text>
      {[...attempts].reverse().map((attempt) => (
        <Text key={attempt.attempt} size="sm">
          {attemptLine(t as never, format, attempt)} <bdi className="k-mono">{attempt.worker}</bdi>
        </Text>
      ))}
    </div>
  );
}

function attemptLine(t: (key: string, options?: object) => string, format: Format, attempt: Attempt): string {
  const ended = attempt.outcome
    ? t(`timeline.outcomes.${attempt.outcome}`, { defaultValue: attempt.outcome })
    : t("timeline.running");
  const seconds = ((attempt.endedAt ? Date.parse(attempt.endedAt) : Date.now()) - Date.parse(attempt.startedAt)) / 1000;
  return `${format.number(attempt.attempt)}. ${ended} · ${format.duration(seconds)} ·`;
}
