import { Stack, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Schemas } from "../../api/client";
import type { TrainEstimate } from "../../api/training";
import { useFormat } from "../../lib/format";
import classes from "./NewPage.module.css";

const PARTS = ["weights", "gradients", "moments", "activations", "program"] as const;

/** Whether it fits, by worker. */
export function Verdicts({ fits }: { fits: TrainEstimate["fits"] }) {
  const { t } = useTranslation("new");
  const format = useFormat();
  return (
    <Stack gap="xs" mt="md">
      {fits.map(({ worker, verdict, memoryBytes, processes }) => (
        <div key={worker} className={classes.verdict} data-verdict={verdict}>
          <bdi>{worker}</bdi>
          <strong>{t(`verdicts.${verdict}.title`)}</strong>
          <Text size="xs" c="dimmed" w="100%">
            {t(`verdicts.${verdict}.text`, { memory: memoryBytes == null ? "" : format.bytes(memoryBytes) })}
            {processes > 1 && ` ${t("verdicts.processes", { number: format.number(processes) })}`}
          </Text>
        </div>
      ))}
    </Stack>
  );
}

/** Where the memory goes. */
export function MemoryParts({ told, memory }: { told: TrainEstimate; memory: Schemas["MemoryEstimate"] }) {
  const { t } = useTranslation("new");
  const format = useFormat();
  const range = ({ least, most }: Schemas["ByteRange"]) =>
    least === most ? format.bytes(most) : t("estimate.range", { least: format.bytes(least), most: format.bytes(most) });
  return (
    <>
      <dl className={`${classes.figures} k-numbers`}>
        {PARTS.map((part) => (
          <div key={part}>
            <dt>{t(`memory.${part}`)}</dt>
            <dd>{range(memory[part])}</dd>
          </div>
        ))}
      </dl>
      <Text size="xs" c="dimmed" mt="sm">
        {t("memory.text", { tokens: format.number(memory.tokensAtATime) })}
        {told.trainedParameters != null &&
          ` ${t("memory.trained", { number: format.compact(told.trainedParameters), total: format.compact(told.parameters ?? 0) })}`}
      </Text>
    </>
  );
}
