// What the training would take: counted and measured; where nothing tells, that is said.
import { Accordion, Text, Title } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { ApiProblem } from "../../api/problem";
import type { DatasetTokens, TrainEstimate } from "../../api/training";
import { useFormat } from "../../lib/format";
import { Bones, Failed } from "../../ui/states";
import { MemoryParts, Verdicts } from "./MemoryFigures";
import classes from "./NewPage.module.css";
import type { Plan } from "./plan";

interface Props {
  plan: Plan;
  estimate: UseQueryResult<TrainEstimate>;
  tokens: UseQueryResult<DatasetTokens>;
}

export function EstimateCard({ plan, estimate, tokens }: Props) {
  const { t } = useTranslation("new");
  return (
    <section className={`k-card ${classes.section}`} aria-live="polite">
      <Title order={2} size="h4" mb="sm">
        {t("estimate.title")}
      </Title>
      {plan.config === null && <Text c="dimmed">{t("estimate.first")}</Text>}
      {plan.config !== null && <Figures estimate={estimate} counting={tokens.isFetching} />}
    </section>
  );
}

function Figures({ estimate, counting }: { estimate: Props["estimate"]; counting: boolean }) {
  const { data, error, refetch } = estimate;
  // A refusal names fields: it is told there.
  const refused = error instanceof ApiProblem && error.status === 422;
  if (error !== null && !refused) return <Failed error={error} again={() => void refetch()} />;
  if (data === undefined) return refused ? null : <Bones lines={4} height={22} />;
  return (
    <>
      <dl className={`${classes.figures} k-numbers`}>
        <Steps told={data} />
        <Tokens told={data} counting={counting} />
        <Memory told={data} />
        <Time told={data} counting={counting} />
      </dl>
      <Verdicts fits={data.fits} />
      <Details told={data} />
    </>
  );
}

function Line({ name, value, small }: { name: string; value: string; small?: string | null }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        {value}
        {small && <span className={classes.small}>{small}</span>}
      </dd>
    </div>
  );
}

function Steps({ told }: { told: TrainEstimate }) {
  const { t } = useTranslation("new");
  const format = useFormat();
  const small = t("estimate.perEpoch", {
    steps: format.number(told.stepsPerEpoch),
    rows: format.number(told.trainRows),
  });
  return <Line name={t("estimate.steps")} value={format.number(told.steps)} small={small} />;
}

function Tokens({ told, counting }: { told: TrainEstimate; counting: boolean }) {
  const { t } = useTranslation("new");
  const format = useFormat();
  if (told.tokens == null)
    return <Line name={t("estimate.tokens")} value={t(counting ? "estimate.counting" : "estimate.unknown")} />;
  const small = t("estimate.trained", { tokens: format.compact(told.trainedTokens ?? 0) });
  return <Line name={t("estimate.tokens")} value={format.compact(told.tokens)} small={small} />;
}

function Memory({ told }: { told: TrainEstimate }) {
  const { t } = useTranslation("new");
  const format = useFormat();
  const [first] = told.fits;
  if (first === undefined) {
    return (
      <Line name={t("estimate.memory")} value={t("estimate.unknown")} small={t(`estimate.none.${told.noMemory}`)} />
    );
  }
  const { least, most } = first.memory.total;
  const value = t("estimate.range", { least: format.bytes(least), most: format.bytes(most) });
  const held = told.former.map(({ memoryBytes }) => memoryBytes ?? 0);
  const small = held.some((bytes) => bytes > 0) ? t("estimate.held", { bytes: format.bytes(Math.max(...held)) }) : null;
  return <Line name={t("estimate.memory")} value={value} small={small} />;
}

function Time({ told, counting }: { told: TrainEstimate; counting: boolean }) {
  const { t } = useTranslation("new");
  const format = useFormat();
  if (told.time == null) {
    const why = counting && told.noTime === "no_counts" ? "estimate.counting" : `estimate.none.${told.noTime}`;
    return <Line name={t("estimate.time")} value={t("estimate.unknown")} small={t(why)} />;
  }
  const [least, most] = [format.duration(told.time.least), format.duration(told.time.most)];
  const value = least === most ? least : t("estimate.range", { least, most });
  const small = t("estimate.former", { count: told.former.length, number: format.number(told.former.length) });
  return <Line name={t("estimate.time")} value={value} small={small} />;
}

function Details({ told }: { told: TrainEstimate }) {
  const { t } = useTranslation("new");
  const [first] = told.fits;
  if (first === undefined) return null;
  return (
    <Accordion variant="default" chevronPosition="left" mt="xs" order={3}>
      <Accordion.Item value="parts" style={{ border: 0 }}>
        <Accordion.Control px={0}>
          <Text size="sm">{t("estimate.details")}</Text>
        </Accordion.Control>
        <Accordion.Panel>
          <MemoryParts told={told} memory={first.memory} />
        </Accordion.Panel>
      </Accordion.Item>
    </Accordion>
  );
}
