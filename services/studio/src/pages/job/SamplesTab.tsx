// What the model answered to held-out rows, before and after: for people to judge.
import { Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import type { Job } from "../../api/client";
import { happeningsQuery } from "../../api/jobs";
import { Bones, Empty, Failed } from "../../ui/states";
import classes from "./SamplesTab.module.css";

interface Sample {
  prompt: string;
  expected: string;
  answers: { when: string; text: string }[];
}

export function SamplesTab({ job }: { job: Job }) {
  const { t } = useTranslation("job");
  const { data, error, refetch } = useQuery(happeningsQuery(job.id));
  if (error !== null && data === undefined) return <Failed error={error} again={() => void refetch()} />;
  if (data === undefined) return <Bones lines={2} height={140} />;
  const samples = grouped(data.items.filter((event) => event.type === "sample").map((event) => event.data));
  if (samples.length === 0) return <Empty title={t("samples.none")} text={t("samples.noneText")} />;
  return (
    <Stack>
      {samples.map((sample) => (
        <article key={sample.prompt} className={`k-card ${classes.sample}`}>
          <Text fw={600} className="k-plain">
            {sample.prompt}
          </Text>
          <dl className={classes.answers}>
            <Answer label={t("samples.expected")} text={sample.expected} />
            {sample.answers.map(({ when, text }) => (
              <Answer key={when} label={t(`samples.${when}`)} text={text} when={when} />
            ))}
          </dl>
        </article>
      ))}
    </Stack>
  );
}

function Answer({ label, text, when }: { label: string; text: string; when?: string }) {
  const { t } = useTranslation("job");
  return (
    <div data-when={when}>
      <dt>{label}</dt>
      <dd className="k-plain">{text || <i>{t("samples.nothing")}</i>}</dd>
    </div>
  );
}

/** By question; of several answers at one time (a worker began anew) the last. */
export function grouped(told: Record<string, unknown>[]): Sample[] {
  const samples = new Map<string, Sample>();
  for (const { prompt, expected, when, answer } of told) {
    const key = String(prompt);
    const sample = samples.get(key) ?? { prompt: key, expected: String(expected ?? ""), answers: [] };
    sample.answers = [
      ...sample.answers.filter((other) => other.when !== when),
      { when: String(when), text: String(answer ?? "") },
    ];
    samples.set(key, sample);
  }
  return [...samples.values()];
}
