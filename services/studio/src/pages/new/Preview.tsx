// A few rows as the model will read them, with what is learnt of each.
import { Stack, Text, Title } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import type { DatasetTokens } from "../../api/training";
import { MaskView } from "../../ui/MaskView";
import { Bones, Failed } from "../../ui/states";
import classes from "./NewPage.module.css";

export function Preview({ tokens }: { tokens: UseQueryResult<DatasetTokens> }) {
  const { t } = useTranslation("new");
  return (
    <section className={`k-card ${classes.section}`}>
      <Title order={2} size="h4">
        {t("preview.title")}
      </Title>
      <Text size="sm" c="dimmed" mb="md">
        {t(`preview.${tokens.data?.learns ?? "tokens"}`)}
      </Text>
      <Rows tokens={tokens} />
    </section>
  );
}

function Rows({ tokens }: { tokens: UseQueryResult<DatasetTokens> }) {
  const { data, error, refetch } = tokens;
  if (error !== null && data === undefined) return <Failed error={error} again={() => void refetch()} />;
  if (data === undefined) return <Bones lines={3} height={70} />;
  return (
    <Stack gap="lg">
      {data.rows.map((row) => (
        <MaskView key={row.row} row={row} />
      ))}
    </Stack>
  );
}
