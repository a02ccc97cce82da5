// Attempts and what happened in them, oldest first: a worker that was killed is there, and what it cost.
import { Stack, Text, Timeline } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import type { Job, Schemas } from "../../api/client";
import { attemptsQuery, happeningsQuery } from "../../api/jobs";
import { isLost } from "../../api/problem";
import { useDirection } from "../../i18n";
import { useTextOr } from "../../i18n/optional";
import { useFormat } from "../../lib/format";
import { whyOf } from "../../lib/why";
import { ProblemDetail } from "../../ui/ProblemDetail";
import { Bones, Empty, Failed } from "../../ui/states";
import { Attempts } from "./Attempts";

type Attempt = Schemas["AttemptView"];
type Happening = Schemas["EventView"];

export function TimelineTab({ job }: { job: Job }) {
  const { t } = useTranslation("job");
  const attempts = useQuery(attemptsQuery(job.id));
  const happenings = useQuery(happeningsQuery(job.id));
  const failed = [attempts, happenings].find(({ error, data }) => isLost(error, data));
  if (failed !== undefined) return <Failed error={failed.error} again={() => void failed.refetch()} />;
  if (attempts.data === undefined || happenings.data === undefined) return <Bones />;
  const told = happenings.data.items.filter(isTold);
  if (told.length === 0) return <Empty title={t("timeline.none")} />;
  return (
    <Stack gap="xl">
      {attempts.data.items.length > 0 && <Attempts job={job} attempts={attempts.data.items} />}
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
      {event.type === "checkpoint" && typeof event.data.reason === "string" ? (
        ` · ${t(`checkpoints.reasons.${event.data.reason}`, { defaultValue: event.data.reason })}`
      ) : (
        <Why event={event} />
      )}
    </Text>
  );
}

/** By its code in the language of the page, else as the service says it. */
function Why({ event }: { event: Happening }) {
  const or = useTextOr("job");
  const translated = useDirection() === "rtl"; // the sentence names what did not answer: it stays below
  const why = whyOf(event.data);
  if (why === null) return null;
  if (why.failure !== null) return <ProblemDetail failure={why.failure} titled />;
  const text = why.code && or(`job:timeline.causes.${why.code}`, or(`job:timeline.outcomes.${why.code}`, ""));
  return (
    <>
      {text && <div>{text}</div>}
      {(!text || (translated && why.said !== why.code)) && (
        <Text size={text ? "xs" : "sm"} dir="ltr" className="k-plain">
          {why.said}
        </Text>
      )}
    </>
  );
}
