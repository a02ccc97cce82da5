// Repairs and splits of a dataset that are under way, whoever began them and wherever.
import { Alert, Group, Progress, Stack, Text } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { type Change, cancelChange, changesQuery, isOpen } from "../../api/datasets";
import { useFormat } from "../../lib/format";
import { ChangeButton } from "../../ui/Changing";

export function ChangesUnderWay({ name }: { name: string }) {
  const { data } = useQuery(changesQuery(name));
  const client = useQueryClient();
  const open = data?.items.filter(isOpen) ?? [];
  const seen = useRef(0);
  useEffect(() => {
    // One that has ended made a version, perhaps.
    if (open.length < seen.current) void client.invalidateQueries({ queryKey: ["dataset", name] });
    seen.current = open.length;
  }, [open.length, client, name]);
  if (open.length === 0) return null;
  return (
    <Stack gap="xs">
      {open.map((change) => (
        <Alert key={change.id} color="firouzeh">
          <ChangeProgress change={change} />
        </Alert>
      ))}
    </Stack>
  );
}

/** How far it is, what is left, and the way to call it off. */
export function ChangeProgress({ change }: { change: Change }) {
  const { t } = useTranslation("dataset");
  const format = useFormat();
  const client = useQueryClient();
  const cancel = useMutation({
    mutationFn: () => cancelChange(change.id),
    onSettled: () => client.invalidateQueries({ queryKey: ["dataset", change.dataset, "changes"] }),
  });
  const percent = change.totalBytes === 0 ? 0 : (100 * change.doneBytes) / change.totalBytes;
  return (
    <Stack gap="xs" role="status">
      <Group justify="space-between" gap="xs">
        <Text size="sm" className="k-numbers">
          {t(`change.${change.kind}.${change.state}`)} · {format.percent(percent)}
          {change.etaSeconds != null && (
            <> · {t("common:progress.left", { time: format.duration(change.etaSeconds) })}</>
          )}
        </Text>
        <ChangeButton size="xs" variant="default" loading={cancel.isPending} onClick={() => cancel.mutate()}>
          {t("common:cancel")}
        </ChangeButton>
      </Group>
      <Progress.Root size="sm" radius="xl">
        <Progress.Section value={percent} animated aria-label={t(`change.${change.kind}.working`)} />
      </Progress.Root>
    </Stack>
  );
}
